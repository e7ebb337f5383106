"""The local engine: one worker process a slot, so that a crash or a hang takes one item with it, never the run."""

import math
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from longtake.engines import ATTEMPTS, STALL_S, TICK_S, Item, OnProgress, Outcome
from longtake.engines.worker import ALONE, TOO_LARGE
from longtake.errors import FailureKind
from longtake.places import Place

LEAST_BYTES = 2 * 2**30
"""Memory that each worker may have at least: pictures of 8192 x 8192 take it, and all larger ones are refused."""
SHARED = 0.8
"""The part of the machine's memory that workers share."""
KEPT_BYTES = 2**29
"""Workers that hold more are not kept for the next phase: that is a model which it has no use for."""
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Where a container says how much memory it has."""


@dataclass
class _Slot:
    """One worker process and the item it has."""

    process: "subprocess.Popen[bytes]"
    pipe: "Connection[Any, Any]"
    item: Item | None = None
    hung_up: bool = False
    heard_s: float = field(default_factory=time.monotonic)
    reached: float = 0.0


@dataclass(slots=True)
class LocalEngine:
    """The engine of one machine: so many worker processes at once, which stay for what comes next till it is left."""

    workers: int
    idle: list[_Slot] = field(default_factory=list)

    def __enter__(self) -> "LocalEngine":
        return self

    def __exit__(self, *_: object) -> None:
        _end(self.idle)
        self.idle.clear()

    @property
    def cores(self) -> int:
        """How many cores one item can have."""
        return self.workers

    @property
    def words(self) -> str:
        """Nothing: the number of workers says it all."""
        return ""

    def run_items(
        self,
        task: str,
        items: Iterable[Item],
        *,
        at_most: int | None = None,
        cores: int = 1,
        gpu: bool = False,
        stall_s: float = STALL_S,
        on_progress: OnProgress = lambda _: None,
    ) -> Generator[Outcome, None, None]:
        """Run `task` on every item; see `run_items`. Cores and GPUs are there for all."""
        workers = min(self.workers, at_most or self.workers)
        return run_items(task, items, workers=workers, stall_s=stall_s, on_progress=on_progress, idle=self.idle)

    def run_everywhere(self, task: str, items: Iterable[Item]) -> Generator[Outcome, None, None]:
        """Run `task` on every item in one worker, so that what is loaded for one is there for the next."""
        return run_items(task, items, workers=1, stall_s=math.inf, idle=self.idle)

    def check(self, places: Sequence[Place]) -> None:
        """Do nothing: this machine sees what it sees."""


def run_items(
    task: str,
    items: Iterable[Item],
    *,
    workers: int,
    stall_s: float = STALL_S,
    on_progress: OnProgress = lambda _: None,
    idle: list[_Slot] | None = None,
) -> Generator[Outcome, None, None]:
    """Run `task`, named `module:function`, on every item in worker processes; yield outcomes as they finish.

    Each worker holds one item at a time and asks for the next when done, so nothing piles up. A worker that dies or
    makes no progress is replaced and its item tried again, `ATTEMPTS` times in all. `on_progress` is called several
    times a second with what each running item has reached. Closing the iterator stops the workers. Where `idle` is
    given, those in it are used before others are started, and all that come to the end of the items are put there.
    """
    queue = iter(items)
    most_bytes, kept = share_bytes(workers), idle if idle is not None else []
    again: list[Item] = []
    tries: dict[str, int] = {}
    slots: list[_Slot] = []
    try:
        while True:
            _hand_out(slots, kept, (task, most_bytes), workers, again, queue)
            busy = {slot.pipe: slot for slot in slots if slot.item}
            if not busy:
                if idle is not None:
                    _keep(slots, idle)
                return
            for pipe in wait(list(busy), timeout=TICK_S):
                assert isinstance(pipe, Connection)
                outcome = _hear(busy[pipe])
                if outcome:
                    yield outcome
            for slot in list(busy.values()):
                lost = _lost(slot, stall_s) if slot.item else None
                if lost is None or slot.item is None:
                    continue
                slots.remove(slot)
                _end([slot])
                tries[slot.item.name] = tries.get(slot.item.name, 0) + 1
                if lost[0] == "too_large":
                    yield Outcome(slot.item, failure=("too_large", over_share(most_bytes)))
                elif tries[slot.item.name] < ATTEMPTS:
                    again.append(slot.item)
                else:
                    yield Outcome(slot.item, failure=(lost[0], f"{lost[1]}, {ATTEMPTS} times"))
            on_progress({slot.item.name: slot.reached for slot in slots if slot.item})
    finally:
        _end(slots)


def share_bytes(workers: int) -> int:
    """Return how much memory each of so many workers may take."""
    have = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for place in map(Path, LIMITS):
        if place.is_file() and (text := place.read_text().strip()).isdigit():
            have = min(have, int(text))
    return max(LEAST_BYTES, int(SHARED * have / workers))


def over_share(most_bytes: int) -> str:
    """Say what became of a worker that took more memory than its share."""
    return f"more than {most_bytes / 2**30:.1f} GiB of memory, its worker's share; with fewer workers it has more"


def _hand_out(
    slots: list[_Slot],
    kept: list[_Slot],
    work: tuple[str, int],
    workers: int,
    again: list[Item],
    queue: Iterator[Item],
) -> None:
    """Give every free worker an item, and take or start workers while there are more items than workers."""
    free = [slot for slot in slots if slot.item is None]
    while free or len(slots) < workers:
        item = again.pop() if again else next(queue, None)
        if item is None:
            return
        slot = free.pop() if free else kept.pop() if kept else _start(work[1])
        if slot not in slots:
            slots.append(slot)
        slot.item, slot.heard_s, slot.reached = item, time.monotonic(), 0.0
        try:
            slot.pipe.send((*work, item.payload))
        except (BrokenPipeError, ConnectionResetError):
            continue  # the worker is gone: noticed below, and the item is given to another


def _keep(slots: list[_Slot], idle: list[_Slot]) -> None:
    """Keep workers that are well and hold little; the others stay in `slots`."""
    for slot in list(slots):
        if slot.process.poll() is None and _resident_bytes(slot.process.pid) <= KEPT_BYTES:
            slots.remove(slot)
            idle.append(slot)


def _resident_bytes(process: int) -> float:
    """Return how much memory a process holds; more than any limit where that can't be told."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return math.inf


def _start(most_bytes: int) -> _Slot:
    """Start a worker: a fresh interpreter that doesn't import the caller's main module, as `spawn` would."""
    ours, theirs = multiprocessing.Pipe()
    paths = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, "-m", "longtake.engines.worker", str(theirs.fileno()), str(most_bytes)]
    process = subprocess.Popen(  # noqa: S603  # our own module
        command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, env={**os.environ, **ALONE, "PYTHONPATH": paths}
    )
    theirs.close()
    return _Slot(process, ours)


def _hear(slot: _Slot) -> Outcome | None:
    """Take one message from a worker: progress, or the end of its item."""
    try:
        what, value = slot.pipe.recv()
    except (EOFError, ConnectionResetError):
        slot.hung_up = True  # all it had to say has been read
        slot.process.wait()
        return None
    slot.heard_s = time.monotonic()
    if what == "progress":
        slot.reached = value
        return None
    item, slot.item = slot.item, None
    assert item is not None
    return Outcome(item, value) if what == "done" else Outcome(item, failure=value)


def _lost(slot: _Slot, stall_s: float) -> tuple[FailureKind, str] | None:
    """Say how a worker was lost, None while it is well."""
    if slot.hung_up and slot.process.returncode == TOO_LARGE:
        return "too_large", ""
    if slot.hung_up:
        return "crash", f"the worker process died on it ({_cause(slot.process.returncode)})"
    # What it said while whoever takes the outcomes was busy waits in the pipe: that is no silence.
    if time.monotonic() - slot.heard_s > stall_s and not slot.pipe.poll():
        return "timeout", f"no progress for {stall_s:g} s"
    return None


def _cause(exit_code: int) -> str:
    return signal.Signals(-exit_code).name if exit_code < 0 else f"exit status {exit_code}"


def _end(slots: list[_Slot]) -> None:
    """Kill workers; they hold nothing that would need a goodbye: unfinished files have temporary names."""
    for slot in slots:
        slot.process.kill()
    for slot in slots:
        slot.process.wait()
        slot.pipe.close()
