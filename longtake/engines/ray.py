"""The engine of a cluster: Ray places the workers, one actor each; the only file that imports ray.

A worker holds one item at a time, and is lost with it at most: it dies of it, is killed for its silence, or goes with
its node, and the item is given to another. Ray neither restarts nor repeats anything by itself.
"""

import math
import os
import pickle
import socket
import sys
import time
import warnings
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any

import ray
from ray.exceptions import OutOfMemoryError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from longtake import __version__
from longtake.engines import ATTEMPTS, STALL_S, TICK_S, Item, OnProgress, Outcome, default_workers
from longtake.engines.actor import Actor
from longtake.engines.crew import Crew
from longtake.errors import UsageError
from longtake.places import Place

NODES_S = 5.0
"""How often the cluster is looked at, which may have grown or shrunk."""
KNOCK_S = 10.0
STORE_BYTES = 256 * 2**20
"""Shared memory of a Ray that is started here: results pass through it, one a worker."""


@dataclass(frozen=True, slots=True)
class _Node:
    """A machine of the cluster that has cores for work."""

    id: str
    name: str
    cpus: int
    gpus: float


class RayEngine:
    """The engine of a Ray cluster; without an address one is started on this machine."""

    def __init__(self, workers: int | None, address: str | None) -> None:
        self._limit, self._address = workers, address or os.environ.get("RAY_ADDRESS")
        self._places: list[tuple[str, int | None]] = []
        self._ours = False

    def __enter__(self) -> "RayEngine":
        if ray.is_initialized():  # whoever uses longtake uses Ray too
            return self
        # No reports about use, no news of the cluster between the lines, and workers no nicer than the local ones.
        for name in ("RAY_USAGE_STATS_ENABLED", "RAY_SCHEDULER_EVENTS", "RAY_worker_niceness"):
            os.environ.setdefault(name, "0")
        # What Ray prints when a worker dies is ours to say. Its own debugger silences it so; there is no other way.
        ray._private.worker._worker_logs_enabled = False
        options: dict[str, Any] = {"address": self._address, "log_to_driver": False, "logging_level": "ERROR"}
        if self._address in (None, "local"):
            cpus = self._limit or default_workers()
            options |= {"address": "local", "num_cpus": cpus, "object_store_memory": STORE_BYTES}
            options["include_dashboard"] = False
        try:
            _knock(self._address or "")
            with warnings.catch_warnings():
                # Lance warns of forks, and what Ray forks for is to start another program at once.
                warnings.filterwarnings("ignore", "lance is not fork-safe")
                ray.init(**options)
        except (RuntimeError, ValueError, OSError) as error:
            where = f"the Ray cluster at {self._address} can't be used" if self._address else "Ray can't be started"
            raise UsageError(f"{where}: {_first_line(error)}") from error
        self._ours = True
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._ours:
            ray.shutdown()

    @property
    def workers(self) -> int:
        """How many items run at once; of a cluster that grows or shrinks, as it is now."""
        return self._limit or _room(_nodes(), 1)

    @property
    def cores(self) -> int:
        """How many cores one item can have: those of the smallest node."""
        return min((node.cpus for node in _nodes()), default=1)

    @property
    def words(self) -> str:
        """Say what the cluster is."""
        nodes = _nodes()
        cpus, gpus = sum(node.cpus for node in nodes), sum(node.gpus for node in nodes)
        words = [f"{len(nodes)} node{'' if len(nodes) == 1 else 's'}", f"{cpus} CPU{'' if cpus == 1 else 's'}"]
        if gpus:
            words.append(f"{gpus:g} GPU{'' if gpus == 1 else 's'}")
        return f"Ray, {', '.join(words)}"

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
        """Run `task` on every item in workers that Ray spreads over the nodes; yield outcomes as they finish.

        A worker asks for so many `cores` and, for a `gpu`, for a part of one where the cluster has some: as large as
        all workers can have at once. They are then on the nodes with GPUs alone.
        """
        crew = Crew(task, iter(items), stall_s, self._places, _kill, _loss)
        try:
            while True:
                nodes = _nodes()
                with_gpus = [node for node in nodes if gpu and node.gpus]
                room = self._limit or _room(with_gpus or nodes, cores)
                limit = min(room, at_most or room)
                part = _gpu_part(with_gpus, cores, limit)
                start = partial(_remote, cores, num_cpus=cores, num_gpus=part, scheduling_strategy="SPREAD")
                looked_s = told_s = time.monotonic()
                while time.monotonic() - looked_s < NODES_S:
                    crew.hand_out(limit, start)
                    if not crew.has_work:
                        return
                    yield from crew.hear()
                    yield from crew.lose_silent()
                    if time.monotonic() - told_s >= TICK_S:
                        told_s = time.monotonic()
                        on_progress({slot.item.name: slot.reached for slot in crew.slots if slot.item})
        finally:
            crew.end()

    def run_everywhere(self, task: str, items: Iterable[Item]) -> Generator[Outcome, None, None]:
        """Run `task` on every item once on each node; a node that is lost meanwhile has no say."""
        with _everywhere() as hands:
            for item in items:
                payload = pickle.dumps(item.payload)
                given = {node: actor.attempt.remote(task, payload) for node, actor in hands.items()}
                outcomes = [_outcome(hands, node, task, item, reference) for node, reference in given.items()]
                there = [outcome for outcome in outcomes if outcome]
                failed = [outcome for outcome in there if outcome.failure]
                yield next(iter(failed + there), Outcome(item))

    def check(self, places: Sequence[Place]) -> None:
        """Raise `UsageError` where a node doesn't see these files and folders; one that joins later is left out."""
        self._places = [(str(one), one.stat().st_size if one.is_file() else None) for one in places]
        complaints = []
        with _everywhere() as hands:
            given = {node: actor.look.remote(__version__, self._places) for node, actor in hands.items()}
            for node, reference in given.items():
                try:
                    said = ray.get(reference)
                except RayError as error:
                    said = f"can't start a worker ({_last_line(error)})" if node in _nodes() else ""
                if said:
                    complaints.append(f"node {node.name} {said}")
        if complaints:
            more = f"; and {len(complaints) - 3} more nodes" if len(complaints) > 3 else ""
            raise UsageError(
                f"the cluster can't work on this: {'; '.join(complaints[:3])}{more}. Every node needs the same "
                "longtake, and the set and the videos under the same paths (docs/cluster.md)"
            )


def _knock(address: str) -> None:
    """Raise `OSError` where nothing answers at HOST:PORT: Ray itself would try for many minutes."""
    host, colon, port = address.rpartition(":")
    if colon and "://" not in address and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_S).close()


def _remote(cores: int, **options: Any) -> Any:
    """Start a worker that has so many cores; a second thread of it tells how far it is."""
    workers = partial(_workers_here, cores)
    return ray.remote(Actor).options(max_restarts=0, max_concurrency=2, **options).remote(sys.path, workers)


def _kill(actor: Any) -> None:
    """End a worker; where the connection is closed all are ended, and Ray would start anew for the asking."""
    if ray.is_initialized():
        ray.kill(actor)


def _workers_here(cores: int) -> int:
    """Return how many workers of so many cores the node has on which this is called."""
    here = ray.get_runtime_context().get_node_id()
    return _room([node for node in _nodes() if node.id == here], cores)


def _pinned(node: _Node) -> Any:
    """Start a worker on a node, beside those that have its cores."""
    return _remote(node.cpus, num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False))


@contextmanager
def _everywhere() -> Iterator[dict[_Node, Any]]:
    """Start a worker on each node."""
    hands = {node: _pinned(node) for node in _nodes()}
    try:
        yield hands
    finally:
        for actor in hands.values():
            _kill(actor)


def _outcome(hands: dict[_Node, Any], node: _Node, task: str, item: Item, reference: Any) -> Outcome | None:
    """Return what became of an item on a node, where a lost worker is replaced; None where the node is no more."""
    for left in reversed(range(ATTEMPTS)):
        try:
            kind, value = pickle.loads(ray.get(reference))  # noqa: S301  # our own worker's
            break
        except RayError as error:
            if node not in _nodes():
                return None
            kind, value = "failed", ("crash", f"{_loss(error)}, {ATTEMPTS} times")
            hands[node] = _pinned(node)
            if left:
                reference = hands[node].attempt.remote(task, pickle.dumps(item.payload))
    if kind == "done":
        return Outcome(item, value)
    return Outcome(item, failure=(value[0], f"{value[1]} (on node {node.name})"))


def _nodes() -> list[_Node]:
    """Return the nodes that are alive and have cores for work."""
    return [
        _Node(
            node["NodeID"],
            f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})",
            int(node["Resources"]["CPU"]),
            node["Resources"].get("GPU", 0.0),
        )
        for node in ray.nodes()  # type: ignore[no-untyped-call]  # Ray has no types there
        if node["Alive"] and node["Resources"].get("CPU", 0) >= 1
    ]


def _room(nodes: Sequence[_Node], cores: int) -> int:
    """Return how many workers of so many cores have room; 1 at least, for which a cluster may grow by itself."""
    return max(1, sum(node.cpus // cores for node in nodes))


def _gpu_part(nodes: Sequence[_Node], cores: int, workers: int) -> float:
    """Return the part of a GPU that each worker can have, in [0, 1]: the GPUs are for all who have room beside them."""
    gpus = sum(node.gpus for node in nodes)
    if not gpus:
        return 0.0
    sharers = math.ceil(min(workers, _room(nodes, cores)) / gpus)
    return math.floor(1e4 / sharers) / 1e4  # Ray counts ten-thousandths


def _loss(error: BaseException) -> str:
    """Say how a worker was lost, as far as Ray knows."""
    text = str(error)
    if isinstance(error, OutOfMemoryError) or "running low on memory" in text:
        return "its node ran out of memory"
    if "its node has died" in text:
        return "its node was lost"
    if "worker process has died" in text or not text:
        return "the worker process died on it"
    return f"the worker was lost: {_last_line(error)}"


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _last_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[-1]
