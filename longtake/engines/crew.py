"""The workers of one task on a cluster, and who has what: back-pressure, silence, losses and second attempts."""

import logging
import pickle
import queue
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from longtake import __version__
from longtake.engines import ATTEMPTS, TICK_S, Item, Outcome
from longtake.engines.actor import SPENT
from longtake.errors import FailureKind, UsageError

ASK_S = 1.0
"""How often a worker is asked how far it is."""
ASKED_PER_S = 200
"""How many workers are asked so in a second, at most: each costs the one who asks a millisecond."""
PATIENCE_S = 30.0
"""How long nothing is said of a cluster that starts no worker."""
FAILED_STARTS = 10
"""So many workers in a row may fail to start."""

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Slot:
    """One worker and the item it has."""

    actor: Any
    item: Item | None = None
    reached: float = 0.0
    silent_s: float = 0.0
    """As the worker said; its own clock counts, so that nobody is silent while outcomes wait to be taken."""
    asked_s: float = field(default_factory=time.monotonic)
    unanswered: bool = False


class Crew:
    """The workers of one task, and who has what."""

    def __init__(
        self,
        task: str,
        items: Iterator[Item],
        stall_s: float,
        places: Sequence[tuple[str, int | None]],
        kill: Callable[[Any], None],
        loss: Callable[[BaseException], str],
    ) -> None:
        self.task, self.items, self.stall_s, self.places = task, items, stall_s, places
        self.kill, self.loss = kill, loss
        self.slots: set[Slot] = set()
        self.starting: set[Slot] = set()
        self.free: list[Slot] = []
        self.waiting: list[Item] = []
        """Items for workers that are starting, never more than these; and those whose worker was lost."""
        self.tries: Counter[str] = Counter()
        self.events: queue.SimpleQueue[tuple[Slot, str, Any]] = queue.SimpleQueue()
        self.failed_starts = 0
        self.begun_s: float | None = time.monotonic()
        """None once a worker was there, or it was said that none is."""

    @property
    def has_work(self) -> bool:
        """Whether any item is under way or waits."""
        return bool(self.waiting) or any(slot.item for slot in self.slots)

    def hand_out(self, limit: int, start: Callable[[], Any]) -> None:
        """Give every free worker an item, and start workers up to a limit while there are more items than workers."""
        while self.free or len(self.slots) < limit:
            if not self.waiting or (not self.free and len(self.starting) >= len(self.waiting)):
                item = next(self.items, None)
                if item is None:
                    return
                self.waiting.append(item)
            if self.free:
                self._give(self.free.pop(), self.waiting.pop(0))
            else:
                self._start(start())

    def hear(self) -> Iterator[Outcome]:
        """Take what the workers say, and wait a moment for it."""
        timeout: float | None = TICK_S
        for _ in range(1 + len(self.slots)):
            try:
                slot, what, future = self.events.get(timeout=timeout) if timeout else self.events.get_nowait()
            except queue.Empty:
                break
            timeout = None
            if slot in self.slots:
                yield from self._take(slot, what, future)
        if self.begun_s and time.monotonic() - self.begun_s > PATIENCE_S:
            _log.warning("no worker of the Ray cluster has started yet; it may have no core free: waiting")
            self.begun_s = None

    def lose_silent(self) -> Iterator[Outcome]:
        """End workers that make no progress, or don't even say so; ask the others how far they are."""
        now = time.monotonic()
        busy = [slot for slot in self.slots if slot.item]
        pause_s = min(max(ASK_S, len(busy) / ASKED_PER_S), self.stall_s / 2)
        for slot in busy:
            mute = slot.unanswered and now - slot.asked_s > self.stall_s and self.events.empty()
            if mute or slot.silent_s > self.stall_s:
                yield from self._lose(slot, "timeout", f"no progress for {self.stall_s:g} s")
            elif not slot.unanswered and now - slot.asked_s > pause_s:
                slot.asked_s, slot.unanswered = now, True
                self._listen(slot, "progress", slot.actor.progress.remote())

    def end(self) -> None:
        """Kill all workers; they hold nothing that would need a goodbye: unfinished files have temporary names."""
        for slot in self.slots:
            self.kill(slot.actor)
        self.slots.clear()

    def _start(self, actor: Any) -> None:
        slot = Slot(actor)
        self.slots.add(slot)
        self.starting.add(slot)
        self._listen(slot, "ready", actor.look.remote(__version__, self.places))

    def _give(self, slot: Slot, item: Item) -> None:
        slot.item, slot.reached, slot.silent_s = item, 0.0, 0.0
        slot.asked_s, slot.unanswered = time.monotonic(), False
        self._listen(slot, "done", slot.actor.attempt.remote(self.task, pickle.dumps(item.payload)))

    def _listen(self, slot: Slot, what: str, reference: Any) -> None:
        reference.future().add_done_callback(lambda future: self.events.put((slot, what, future)))

    def _take(self, slot: Slot, what: str, future: Any) -> Iterator[Outcome]:
        """Take one word of a worker, or of its end."""
        item, error = slot.item, future.exception()
        if error:
            yield from self._lose(slot, "crash", self.loss(error))
            return
        elif what == "progress":
            slot.reached, slot.silent_s = future.result()
            slot.unanswered = False
            return
        elif what == "ready":
            self.starting.discard(slot)
            self.failed_starts, self.begun_s = 0, None
            if complaint := future.result():
                _log.warning("a node that joined the cluster is left out: it %s", complaint)
                return  # the worker stays where it is, so that no other is put there
        else:
            assert item is not None
            kind, value = pickle.loads(future.result())  # noqa: S301  # our own worker's
            slot.item = None
            yield Outcome(item, value) if kind == "done" else Outcome(item, failure=value)
            if kind == SPENT:
                yield from self._lose(slot, "too_large", "")
                return
        self.free.append(slot)

    def _lose(self, slot: Slot, kind: FailureKind, message: str) -> Iterator[Outcome]:
        """Take a worker off; its item is tried again, if not too often."""
        self.kill(slot.actor)
        self.slots.remove(slot)
        if slot in self.free:
            self.free.remove(slot)
        if slot in self.starting:
            self.starting.discard(slot)
            self.failed_starts += 1
            if self.failed_starts >= FAILED_STARTS:
                raise UsageError(f"the cluster starts no worker: {message}")
        item = slot.item
        if item is None:
            return
        self.tries[item.name] += 1
        if self.tries[item.name] < ATTEMPTS:
            self.waiting.append(item)
        else:
            yield Outcome(item, failure=(kind, f"{message}, {ATTEMPTS} times"))
