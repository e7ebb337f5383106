"""A worker process: takes payloads from a pipe, runs one task on each, and sends back what came of it."""

import importlib
import os
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from longtake.errors import VideoError

HEARTBEAT_S = 0.5


def serve(pipe: "Connection[Any, Any]", task: str) -> None:
    """Run `task`, named `module:function`, on every payload until the engine goes away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the engine's to handle
    threading.Thread(target=_end_with_engine, args=(pipe.fileno(),), daemon=True).start()
    module, _, name = task.partition(":")
    call = getattr(importlib.import_module(module), name)
    last = 0.0

    def progress(reached: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= HEARTBEAT_S:
            last = now
            pipe.send(("progress", reached))

    while True:
        try:
            pipe.send(attempt(call, pipe.recv(), progress))
        except (EOFError, ConnectionResetError, BrokenPipeError):
            return  # the engine is gone


def attempt(call: Callable[..., Any], payload: Any, progress: Callable[[float], None]) -> tuple[str, Any]:
    """Return `done` and the result, or `failed` and the failure's kind and message."""
    try:
        return "done", call(payload, progress)
    except VideoError as error:
        return "failed", (error.kind, error.message)
    except MemoryError:
        return "failed", ("too_large", "not enough memory for it")
    except Exception as error:  # whatever went wrong belongs to this item, and is told in full
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        return "failed", ("error", f"{type(error).__name__}: {error} ({place})")


def _end_with_engine(descriptor: int) -> None:
    """Leave as soon as the engine's end of the pipe closes, also in the middle of an item, also after kill -9."""
    poll = select.poll()
    poll.register(descriptor, 0)  # no events asked for: only the hang-up is reported
    poll.poll()
    os._exit(1)


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])), sys.argv[2])
