"""The tiny LLaVA of tests/data behind a real server: `transformers serve` on loopback."""

import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

LLAVA = Path(__file__).resolve().parent / "data" / "tiny-llava"
PATIENCE_S = 180
NEEDED = ("torch", "transformers", "fastapi", "uvicorn")

needs_server = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in NEEDED),
    reason="needs torch, transformers and what it serves with: requirements/local.txt",
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve the model, its cache and log in a folder, and give its URL; it takes 10 s or more to start."""
    port = free_port()
    # Offline with an empty cache: else it asks the hub which models there are, and its list of models is an error.
    (folder / "cache").mkdir()
    alone = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(folder / "cache"), "CUDA_VISIBLE_DEVICES": ""}
    command = [str(Path(sys.executable).parent / "transformers"), "serve", str(LLAVA), "--port", str(port)]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen([*command, "--host", "127.0.0.1"], env=alone, stdout=log, stderr=log)
    try:
        give_up = time.monotonic() + PATIENCE_S
        while not answers_health(port):
            assert server.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < give_up, "it does not start: " + (folder / "log").read_text()
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait()


def answers_health(port: int) -> bool:
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10).status == 200
    except OSError:
        return False
