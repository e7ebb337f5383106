"""Where the work runs: an engine maps a task over items and yields outcomes as they finish; `connect` starts one."""

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from longtake.errors import FailureKind, SetError, UsageError, unwritable
from longtake.places import Place
from longtake.steps import nearest

ENGINES = ("local", "ray")
ATTEMPTS = 3
"""How often an item may lose its worker before it counts as failed."""
STALL_S = 120.0
"""A worker without progress for so long is killed."""
TICK_S = 0.25
"""How often an engine looks after its workers while nothing comes from them."""


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of work: a name for people and logs, and what the task gets, which is plain data."""

    name: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item: a result, or the kind and message of its failure."""

    item: Item
    result: Any = None
    failure: tuple[FailureKind, str] | None = None


def stop_where_unwritable(outcome: Outcome, folder: Place) -> None:
    """Raise `SetError` where a worker could write no more to the set: no other item would fare better."""
    if outcome.failure and outcome.failure[0] == "unwritable":
        raise SetError(unwritable(folder, outcome.failure[1]))


OnProgress = Callable[[dict[str, float]], None]


class Engine(Protocol):
    """Runs items in processes that may be lost: a crash, a hang or a kill takes one item with it, never the run."""

    @property
    def workers(self) -> int:
        """How many items run at once."""

    @property
    def cores(self) -> int:
        """How many cores one item can have: those of one machine."""

    @property
    def words(self) -> str:
        """Where the work runs, for people."""

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
        """Run `task`, named `module:function`, on every item; yield outcomes as they finish.

        `at_most` so many at once; each uses so many `cores`, and a `gpu` where there is one. A worker that dies or
        makes no progress for `stall_s` is replaced and its item tried again, `ATTEMPTS` times in all. `on_progress` is
        called several times a second with what each running item has reached. Closing the iterator stops the workers.
        """

    def run_everywhere(self, task: str, items: Iterable[Item]) -> Generator[Outcome, None, None]:
        """Run `task` on every item once on each machine, one after the other and without a limit of time.

        An outcome is a failure where any machine has one.
        """

    def check(self, places: Sequence[Place]) -> None:
        """Raise `UsageError` where a machine doesn't see files and folders that are seen here."""


def default_workers() -> int:
    """Return one worker for each core this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_workers(workers: int | None) -> None:
    """Raise `UsageError` for a number of workers that does no work."""
    if workers is not None and workers < 1:
        raise UsageError(f"workers = {workers}: there is work for one at least")


@contextmanager
def connect(name: str = "local", *, workers: int | None = None, address: str | None = None) -> Iterator[Engine]:
    """Start an engine, and end it with all that it started.

    `workers` is a limit; by default each core has one. `address` is a Ray cluster's. Raises `UsageError` for what
    can't be had.
    """
    check_workers(workers)
    if name == "local":
        from longtake.engines.local import LocalEngine

        if address is not None:
            raise UsageError(f"the address {address} is a cluster's, which the engine ray uses: add --engine ray")
        with LocalEngine(workers or default_workers()) as engine:
            yield engine
    elif name == "ray":
        try:
            from longtake.engines.ray import RayEngine
        except ImportError as error:
            raise UsageError(
                f"the engine ray needs what is not installed; type: pip install 'longtake[ray]' ({error})"
            ) from error
        with RayEngine(workers, address) as engine:
            yield engine
    else:
        raise UsageError(f"no engine {name!r}{nearest(name, ENGINES)}")
