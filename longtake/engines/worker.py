"""A worker process: takes tasks and their payloads from a pipe, and sends back what came of each."""

import importlib
import os
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from longtake.errors import VideoError, refused
from longtake.importing import imported_for_good

HEARTBEAT_S = 0.5
TOO_LARGE = 77
"""Exit status of a worker that took more memory than it may."""
MEMORY = Path("/proc/self/statm")
MEMORY_S = 0.1
ALONE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Environment of a worker. One worker a core: a library that starts threads of its own for small matrix products only
gets in the way."""


@dataclass(slots=True)
class Share:
    """How much memory a worker may take; it may change from one item to the next."""

    most_bytes: int


def serve(pipe: "Connection[Any, Any]", most_bytes: int) -> None:
    """Run tasks, named `module:function`, until the engine goes away or more memory is taken than there is for it."""
    share = Share(most_bytes)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the engine's to handle
    threading.Thread(target=_end_with_engine, args=(pipe.fileno(),), daemon=True).start()
    threading.Thread(target=watch_memory, args=(share, lambda: os._exit(TOO_LARGE)), daemon=True).start()
    last = 0.0

    def progress(reached: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= HEARTBEAT_S:
            last = now
            pipe.send(("progress", reached))

    while True:
        try:
            task, share.most_bytes, payload = pipe.recv()
            pipe.send(attempt(find_task(task), payload, progress))
        except (EOFError, ConnectionResetError, BrokenPipeError):
            return  # the engine is gone


@cache
def find_task(task: str) -> Callable[..., Any]:
    """Return the function that `module:function` names."""
    module, _, name = task.partition(":")
    with imported_for_good():
        call: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return call


def attempt(call: Callable[..., Any], payload: Any, progress: Callable[[float], None]) -> tuple[str, Any]:
    """Return `done` and the result, or `failed` and the failure's kind and message."""
    try:
        return "done", call(payload, progress)
    except VideoError as error:
        return "failed", (error.kind, error.message)
    except MemoryError:
        return "failed", ("too_large", "not enough memory for it")
    except Exception as error:  # whatever went wrong belongs to this item, and is told in full
        if problem := refused(error):
            return "failed", ("unwritable", problem)
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        return "failed", ("error", f"{type(error).__name__}: {error} ({place})")


def _end_with_engine(descriptor: int) -> None:
    """Leave as soon as the engine's end of the pipe closes, also in the middle of an item, also after kill -9."""
    poll = select.poll()
    poll.register(descriptor, 0)  # no events asked for: only the hang-up is reported
    poll.poll()
    os._exit(1)


def watch_memory(share: Share, over: Callable[[], object]) -> None:
    """Call `over` where more memory is taken than a share; where that can't be told, the system's own limits hold."""
    if not MEMORY.exists():
        return
    with suppress(OSError):  # should the machine run out of it all the same, workers go first, and the run goes on
        Path("/proc/self/oom_score_adj").write_text("500")
    page = os.sysconf("SC_PAGE_SIZE")
    with MEMORY.open("rb", buffering=0) as file:
        while int(os.pread(file.fileno(), 99, 0).split()[1]) * page <= share.most_bytes:
            time.sleep(MEMORY_S)
    over()


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])), int(sys.argv[2]))
