"""Where something new may begin, told by the sizes of packets before any of them is decoded.

What an encoder can't tell by what it showed before takes many bytes. After a cut the first frame that others refer to
is large, and after a jump cut too, of which a scan that leaves frames out sees too little.
"""

from bisect import bisect_left, bisect_right

AROUND_S, USUAL, SUDDEN = 0.5, 0.9, 1.6
"""A packet is of sudden size that is so many times larger than nearly all (a share) within so many seconds."""
NEAR_S = 0.1
"""What begins anew is seen in frames up to so far before and after."""
KEPT = 512
"""Packets remembered: more than a second's, and those read ahead."""


class Sudden:
    """Sizes of the packets that others refer to, by when their frames are shown; `time_base` is a tick in seconds."""

    def __init__(self, time_base: float) -> None:
        self.around, self.near = (round(seconds / time_base) for seconds in (AROUND_S, NEAR_S))
        self.shown: list[int] = []
        """Timestamps, in order."""
        self.sizes: list[int] = []
        """The same packets' bytes; 0 of key frames, which are large anyway and say nothing of others."""
        self.since: list[int] = []
        """The same packets' forerunners, of those further to the front in the file: what is new came after these."""
        self.found: dict[int, bool] = {}
        """What was told of a packet, by its timestamp: the same to all frames around it."""

    def add(self, pts: int, size: int, *, key: bool) -> None:
        """Note a packet, in the order of the file."""
        at = bisect_right(self.shown, pts)
        self.shown.insert(at, pts)
        self.sizes.insert(at, 0 if key else size)
        self.since.insert(at, self.shown[at - 1] if at else pts)
        if len(self.shown) > KEPT:
            for gone in self.shown[: KEPT // 2]:
                self.found.pop(gone, None)
            del self.shown[: KEPT // 2], self.sizes[: KEPT // 2], self.since[: KEPT // 2]

    def __call__(self, pts: int) -> bool:
        """Return whether something new may begin near a frame."""
        start, stop = bisect_left(self.shown, pts - self.near), bisect_right(self.shown, pts + self.around)
        return any(self.since[i] <= pts + self.near and self._sudden(i) for i in range(start, stop))

    def _sudden(self, at: int) -> bool:
        """Return whether one packet is so much larger than those around it."""
        pts = self.shown[at]
        if pts not in self.found:
            start, stop = bisect_left(self.shown, pts - self.around), bisect_right(self.shown, pts + self.around)
            others = sorted(size for size in self.sizes[start:at] + self.sizes[at + 1 : stop] if size)
            usual = others[round(USUAL * (len(others) - 1))] if others else self.sizes[at]
            self.found[pts] = self.sizes[at] > SUDDEN * usual
        return self.found[pts]
