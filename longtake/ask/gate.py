"""Who may send now: requests wait here for a free place, and for the end of a back-off that all of them share."""

import asyncio
import math
import random
from collections import deque

FIRST_WAIT_S = 0.5
"""Back-off after a refusal that names no time; doubled for each one that follows without an answer between."""
LONGEST_WAIT_S = 900.0
"""Longest back-off, whatever the server asks for: it may take back what it said."""
BELIEVED = 3
"""Refusals in a row after which a server that names shorter times is no longer believed."""


class Gate:
    """Lets in as many requests at once as a server bears, in the order they came. Belongs to one event loop.

    Their number is halved when the server says that it is too many, and grows by one after as many answers.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = most
        self.active = 0
        self.answered_at = -math.inf
        """When the last answer came, by the loop's clock."""
        self._opens_at = -math.inf
        self._halved_at = -math.inf
        self._answers = 0
        self._refusals = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._alarm: asyncio.TimerHandle | None = None

    async def enter(self) -> float:
        """Wait for a place, to be given back by `leave`; return when it was got, by the loop's clock."""
        loop = asyncio.get_running_loop()
        place = loop.create_future()
        self._waiting.append(place)
        self._let_in()
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():  # cancelled just after the place was given
                self.leave()
            raise
        return loop.time()

    def leave(self) -> None:
        """Give a place back."""
        self.active -= 1
        self._let_in()

    def answered(self) -> None:
        """Note an answer: after as many as there are places, one place more."""
        self.answered_at = asyncio.get_running_loop().time()
        self._refusals = 0
        self._answers += 1
        if self._answers >= self.limit:
            self._answers = 0
            self.limit = min(self.limit + 1, self.most)

    def refused(self, sent_at: float, wait_s: float | None) -> None:
        """Note that the server took a request of `sent_at` for one too many, and wants `wait_s` seconds of peace.

        Requests that were under way when the number was last halved tell of the same crowd, and don't halve it again.
        """
        now = asyncio.get_running_loop().time()
        if sent_at >= self._halved_at:
            self.limit = max(1, self.limit // 2)
            self._halved_at = now
            self._answers = 0
            self._refusals += 1
        if wait_s is None or self._refusals > BELIEVED:
            # 2.0 ** 60 is any wait; further powers would overflow in the end.
            wait_s = max(wait_s or 0.0, FIRST_WAIT_S * 2.0 ** min(self._refusals - 1, 60))
        wait_s = min(wait_s, LONGEST_WAIT_S) * random.uniform(1, 1.1)  # noqa: S311  # spreads clients, no secret
        self._opens_at = max(self._opens_at, now + wait_s)

    def _let_in(self) -> None:
        """Give free places to those who wait, now or at the end of the back-off."""
        loop = asyncio.get_running_loop()
        if self._opens_at > loop.time():
            if self._alarm is None and self._waiting:
                self._alarm = loop.call_at(self._opens_at, self._wake)
            return
        while self._waiting and self.active < self.limit:
            place = self._waiting.popleft()
            if not place.done():  # else cancelled while it waited
                self.active += 1
                place.set_result(None)

    def _wake(self) -> None:
        self._alarm = None
        self._let_in()
