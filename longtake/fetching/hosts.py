"""Politeness towards a host, shared by all workers: how often it is asked, when it wants peace, and when to give up."""

import math
import random
from dataclasses import dataclass

from longtake.fetching.states import FetchError, State

RATE = 1.0
"""Videos begun a second at one host, where files are asked for plainly."""
STORE_RATE = 10.0
"""The same for a bucket of an object store, which is made for many, and says so where they are too many."""
PAGE_RATE = 0.1
"""The same where each video means asking for pages and formats: what yt-dlp takes for polite."""
FIRST_WAIT_S = 1.0
"""Peace after a refusal that names no time; doubled for each one that follows without a video between."""
LONGEST_WAIT_S = 3600.0
BELIEVED = 2
"""Refusals in a row after which a host that names shorter times is no longer believed."""
GIVE_UP: dict[State, int] = {"bot_check": 3, "throttled": 5, "private": 20, "network": 20}
"""Refusals in a row after which a host isn't asked any more, by the state of the last one."""


_CROWDED: tuple[State, ...] = ("throttled", "bot_check")


@dataclass(slots=True)
class Host:
    """One host as all workers see it. Times are those of the monotonic clock."""

    name: str
    rate: float
    opens_at: float = -math.inf
    refusals: int = 0
    """In a row."""
    busy: bool = False
    """Whether the last one said that we are too many: till it is over, the host is asked for one video at a time."""
    closed: str = ""
    """Why it isn't asked any more."""
    _refused_at: float = -math.inf

    def begin(self, now: float) -> None:
        """Note that it is asked for a video now."""
        self.opens_at = max(self.opens_at, now + 1 / self.rate)

    def answered(self, asked_at: float) -> None:
        """Note that it didn't refuse what was asked, whatever it said of the video."""
        if asked_at >= self._refused_at:
            self.refusals, self.busy = 0, False

    def refused(self, error: FetchError, now: float, asked_at: float) -> None:
        """Note that it refused us: leave it in peace for a while, and for good after some refusals in a row.

        Requests that were on their way when it last said that we are too many tell of the same crowd, and count once.
        """
        crowded = error.state in _CROWDED
        counts = not crowded or asked_at >= self._refused_at
        self.refusals += counts
        if counts and self.refusals >= GIVE_UP.get(error.state, max(GIVE_UP.values())):
            self.closed = f"{self.name} refused {self.refusals} times in a row ({error.state}: {error.message})"
        if not crowded:
            return
        self.busy, self._refused_at = True, now
        wait_s = error.retry_after_s
        if wait_s is None or self.refusals > BELIEVED:
            wait_s = max(wait_s or 0.0, FIRST_WAIT_S * 2.0 ** (self.refusals - 1))
        wait_s = min(wait_s, LONGEST_WAIT_S) * random.uniform(1, 1.1)  # noqa: S311  # spreads clients, no secret
        self.opens_at = max(self.opens_at, now + wait_s)
