"""Whose turn it is: which video a free worker fetches next, so that no host is asked too often and none waits in vain.

Memory holds a line for each host and a few videos of it; all others wait in the ledger.
"""

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from longtake.fetching.hosts import Host
from longtake.fetching.ledger import Wanted
from longtake.fetching.states import FetchError

AT_ONCE = 64
"""Videos of a host that are taken from the ledger together."""
LOOK_S = 0.2
"""How often those who wait look whether to stop."""

Supply = Callable[[str, int, int], list[Wanted]]
"""Host, the last id that was had, how many at most -> the next ones."""


@dataclass(slots=True)
class _Line:
    """The videos of one host that wait."""

    host: Host
    last: int = 0
    """The last id that came from the ledger."""
    ready: deque[Wanted] = field(default_factory=deque)
    queued: bool = True
    trial: Wanted | None = None
    """The one video that a busy host is asked for, to see whether it still is."""


class Turns:
    """Shared by all workers."""

    def __init__(self, hosts: Iterable[Host], supply: Supply, *, stopping: threading.Event) -> None:
        self._lines = {host.name: _Line(host) for host in hosts}
        self._supply = supply
        self._stopping = stopping
        self._change = threading.Condition()
        self._count = itertools.count()
        self._open = [
            (line.host.opens_at, next(self._count), line) for line in self._lines.values() if not line.host.closed
        ]
        """Lines by the time when they may have been asked next; a line is in here once, or is empty."""
        self._later: list[tuple[float, int, Wanted]] = []
        """Videos that are tried again, by the time."""
        self._under_way = 0

    def take(self) -> Wanted | None:
        """Wait for a video that may be asked for now; None where there is none any more, or it is time to stop."""
        with self._change:
            while not self._stopping.is_set():
                now = time.monotonic()
                self._wake(now)
                found = self._next(now)
                if found:
                    self._under_way += 1
                    found.asked_at = now
                    return found
                if not self._open and not self._later and not self._under_way:
                    break
                waits = [at for at, *_ in (*self._open[:1], *self._later[:1])]
                self._change.wait(min([LOOK_S, *(max(0.001, at - now) for at in waits)]))
            self._change.notify_all()
            return None

    def settle(self, wanted: Wanted, error: FetchError | None, *, again_s: float | None = None) -> None:
        """Give a turn back: what became of the video, and in how many seconds it is to be tried again, if so."""
        with self._change:
            self._under_way -= 1
            now = time.monotonic()
            line = self._lines[wanted.host]
            if error and error.refusal:
                line.host.refused(error, now, wanted.asked_at)
            else:
                line.host.answered(wanted.asked_at)
            if again_s is not None:
                heapq.heappush(self._later, (now + again_s, next(self._count), wanted))
            if line.trial is wanted:
                line.trial = None
                self._queue(line)
            if line.host.closed:
                self._forget(line)
            self._change.notify_all()

    def give_back(self) -> None:
        """Give a turn back of a video that is left for another run."""
        with self._change:
            self._under_way -= 1
            self._change.notify_all()

    def closed(self) -> dict[str, str]:
        """Return the hosts that aren't asked any more, with the reason."""
        with self._change:
            return {name: line.host.closed for name, line in self._lines.items() if line.host.closed}

    def _forget(self, line: _Line) -> None:
        """Leave the videos of a host to another call."""
        line.ready.clear()
        line.queued = False
        self._open = [entry for entry in self._open if entry[2] is not line]
        self._later = [entry for entry in self._later if entry[2].host != line.host.name]
        heapq.heapify(self._open)
        heapq.heapify(self._later)

    def _wake(self, now: float) -> None:
        """Put videos whose time has come to the head of their lines."""
        while self._later and self._later[0][0] <= now:
            wanted = heapq.heappop(self._later)[2]
            line = self._lines[wanted.host]
            line.ready.appendleft(wanted)
            self._queue(line)

    def _queue(self, line: _Line) -> None:
        if not line.queued and line.trial is None:
            line.queued = True
            heapq.heappush(self._open, (line.host.opens_at, next(self._count), line))

    def _next(self, now: float) -> Wanted | None:
        """Return a video of the host that may be asked and has waited longest."""
        while self._open and self._open[0][0] <= now:
            line = heapq.heappop(self._open)[2]
            line.queued = False
            if line.host.opens_at > now:  # it was refused since it was queued
                self._queue(line)
                continue
            if not line.ready:
                line.ready.extend(self._supply(line.host.name, line.last, AT_ONCE))
                if not line.ready:
                    continue
                line.last = line.ready[-1].id
            found = line.ready.popleft()
            if line.host.busy:
                line.trial = found
            line.host.begin(now)
            self._queue(line)
            return found
        return None
