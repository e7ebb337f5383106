"""Tasks that the tests of engines have workers run; each start of one leaves a file behind that names its process."""

import os
import signal
import sys
import time
import uuid
from pathlib import Path

from longtake.errors import VideoError


def double(payload, progress):
    progress(1.0)
    return payload["n"] * 2


def moody(payload, progress):
    do = payload["do"]
    began(payload)
    before = len(list(Path(payload["log"]).glob(f"{do}.*"))) - 1
    if do == "crash" or (do == "crash once" and not before):
        os.kill(os.getpid(), signal.SIGKILL)
    if do == "leave":
        os._exit(7)
    if do == "hang":
        time.sleep(60)
    if do == "refuse":
        raise VideoError("empty", "nothing in it")
    if do == "bug":
        raise ZeroDivisionError("oops")
    if do == "slow but alive":
        for k in range(11):
            time.sleep(0.3)
            progress(float(k))
    return do


def work(payload, progress):
    """Take a while, and return a large array that can be written to, made of one that can be written to."""
    import numpy as np

    began(payload)
    for k in range(round(payload["seconds"] / 0.1)):
        time.sleep(0.1)
        progress(float(k))
    payload["array"] += 1
    return np.repeat(payload["array"], 100)


def sleep(payload, progress):
    began(payload)
    time.sleep(30)


def surroundings(payload, progress):
    import cv2

    cv2.setNumThreads(1)
    return {name: os.environ.get(name) for name in payload["names"]}, "numpy" in sys.modules


def began(payload):
    """Leave word of who has begun on an item: the process, and the node where there are nodes."""
    node = ""
    if "ray" in sys.modules and sys.modules["ray"].is_initialized():
        node = sys.modules["ray"].get_runtime_context().get_node_id()
    folder, number = Path(payload["log"]), uuid.uuid4().hex
    unfinished = folder / f"part {number}"  # without a dot: nobody looks at it
    unfinished.write_text(f"{os.getpid()} {node}")
    unfinished.rename(folder / f"{payload.get('do', payload.get('n'))}.{number}")
