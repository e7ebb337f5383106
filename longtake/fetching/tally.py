"""How many videos are in which state, kept up while workers change it."""

import threading
from collections import Counter
from collections.abc import Mapping

from longtake.fetching.states import FAILED, State


class Tally:
    """Counts by state, for several threads."""

    def __init__(self, counts: Mapping[State, int]) -> None:
        self._counts = dict(counts)
        self._lock = threading.Lock()
        self.came = 0
        """Videos that came in this call."""
        self.wholes: Counter[str] = Counter()
        """Why videos came whole of which only spans were asked for."""

    def move(self, state: State) -> None:
        """Count a wanted video under its new state."""
        with self._lock:
            self._counts["wanted"] = self._counts.get("wanted", 0) - 1
            self._counts[state] = self._counts.get(state, 0) + 1
            self.came += state == "done"

    def whole(self, why: str) -> None:
        """Count a video that came whole although only spans of it were asked for."""
        with self._lock:
            self.wholes[why] += 1

    def counts(self) -> dict[State, int]:
        """Return the counts, states without any left out."""
        with self._lock:
            return {state: count for state, count in self._counts.items() if count}

    @property
    def failed(self) -> int:
        """Videos that didn't come."""
        return sum(count for state, count in self.counts().items() if state in FAILED)
