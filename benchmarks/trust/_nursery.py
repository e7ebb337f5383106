"""Starts commands of longtake by fork, from a process that has loaded all of it: most of a short command is loading.

A process of its own (`python _nursery.py`), with one thread, that takes a line of JSON for each order. A command so
started is a session of its own, as one from a shell would be; its workers are fresh programs, as ever.
"""

import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

LEFT_OUT = ("longtake.engines.ray", "longtake.engines.actor", "longtake.ask.local")
"""Modules that start threads, or load what is large and not needed."""


class Command:
    """A command that was started; asked after as a `Popen` is."""

    def __init__(self, nursery: "Nursery", pid: int) -> None:
        self.nursery, self.pid = nursery, pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return how it ended, None while it goes on."""
        if self.returncode is None:
            self.returncode = self.nursery.ask({"poll": self.pid})
        return self.returncode

    def wait(self, timeout_s: float) -> int:
        """Wait for its end. Raises `subprocess.TimeoutExpired`."""
        give_up = time.monotonic() + timeout_s
        while self.poll() is None:
            if time.monotonic() > give_up:
                raise subprocess.TimeoutExpired("longtake", timeout_s)
            time.sleep(0.01)
        assert self.returncode is not None
        return self.returncode

    def kill(self) -> None:
        """Kill it, and wait until it is gone."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait(60)


class Nursery:
    """The process that forks."""

    def __init__(self, mark: str) -> None:
        command = [sys.executable, __file__]
        around = {**os.environ, "OPENBLAS_NUM_THREADS": "1", mark: "1"}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=around)
        self.ask({})  # all is loaded

    def ask(self, order: dict[str, object]) -> int | None:
        """Send an order and return the answer."""
        assert self.process.stdin is not None and self.process.stdout is not None
        print(json.dumps(order), file=self.process.stdin, flush=True)
        answer: int | None = json.loads(self.process.stdout.readline())
        return answer

    def start(self, words: Sequence[str], said: Path) -> Command:
        """Start `longtake` with these words; what it says goes to a file."""
        said.write_bytes(b"")  # nothing of the last one's is taken for this one's
        pid = self.ask({"start": list(words), "said": str(said)})
        assert pid is not None
        return Command(self, pid)

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.communicate()


def load() -> None:
    """Load all of longtake, and what it loads only where it is needed."""
    import longtake

    for found in pkgutil.walk_packages(longtake.__path__, "longtake."):
        if not found.name.startswith(LEFT_OUT):
            importlib.import_module(found.name)
    for name in ("openai", "uvicorn"):
        importlib.import_module(name)


def fork(words: list[str], said: str) -> int:
    """Fork a command; return its process."""
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    null, file = os.open(os.devnull, os.O_RDONLY), os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for old, new in ((null, 0), (file, 1), (file, 2)):
        os.dup2(old, new)
    os.closerange(3, 256)
    from longtake.cli import main

    sys.argv = ["longtake", *words]
    main()  # ends the process
    raise AssertionError


def serve() -> None:
    """Take orders until nobody is there to give any."""
    load()
    threads = {(path / "comm").read_text().strip() for path in Path("/proc/self/task").iterdir()}
    if len(threads - {"jemalloc_bg_thd"}) != 1:  # that one is made again by the library itself
        sys.exit(f"threads that a fork would lose: {threads}")
    while line := sys.stdin.readline():
        order = json.loads(line)
        answer: int | None = None
        if "start" in order:
            answer = fork(order["start"], order["said"])
        elif "poll" in order:
            pid, status = os.waitpid(order["poll"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve()
