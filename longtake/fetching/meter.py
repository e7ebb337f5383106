"""How much comes, and whether to go on: bytes of all workers, room on the disk, and the end that a user asks for."""

import math
import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from longtake.fetching.states import FetchError, StoppedError

LOOK_S = 0.5
"""How often the disk is asked for its free space."""


def in_words(size: float) -> str:
    """Return bytes for people to read: `1.2 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if size >= 10 or unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def free_bytes(folder: Path) -> int:
    """Return the bytes that a folder's disk has room for."""
    return shutil.disk_usage(folder).free


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be taken of the disk."""

    budget_bytes: int | None = None
    """For all videos of the folder together; None: no limit but the disk's."""
    reserve_bytes: int = 2_000_000_000
    """What stays free on the disk."""
    most_bytes: int = 50_000_000_000
    """For one video."""


class Flow:
    """What all workers share: bytes that came, room that is left, and whether to stop."""

    def __init__(self, folder: Path, limits: Limits, *, stored: int) -> None:
        self.folder = folder
        self.limits = limits
        self.stored = stored
        """Bytes of whole videos in the folder."""
        self.came = 0
        """Bytes that came over the network in this call."""
        self.words = ""
        """Why to stop; empty while nobody should."""
        self.closing = threading.Event()
        """Set where no further video is to be begun; those under way may come to their end."""
        self.ended = threading.Event()
        """Set where those under way are to stop, too."""
        self._lock = threading.Lock()
        self._meters: set[Meter] = set()
        self._looked_at = -math.inf
        self._free = 0

    def close(self, words: str) -> None:
        """Begin no further video; the first reason counts."""
        with self._lock:
            self.words = self.words or words
        self.closing.set()

    def stop(self, words: str) -> None:
        """Make all workers stop at their next bytes, too."""
        self.close(words)
        self.ended.set()

    def check(self, meter: "Meter") -> None:
        """Raise `StoppedError` where it is time to stop, or there is no room for this one beside those under way."""
        if self.ended.is_set():
            raise StoppedError(self.words)
        with self._lock:
            full = self._full()
            if not full:
                return
            meter.total = meter.here  # the room that it would have taken is left to the others
        self.close(full)
        raise StoppedError(full)

    def _full(self) -> str:
        """Say what there is no room in for all that is on its way."""
        limits = self.limits
        due = sum(meter.due for meter in self._meters)
        here = self.stored + sum(meter.here for meter in self._meters)
        if limits.budget_bytes is not None and here + due > limits.budget_bytes:
            return f"the budget of {in_words(limits.budget_bytes)} is used up; a larger --max-gb goes on"
        if self._left() - due < limits.reserve_bytes:
            free, kept = in_words(self._free), in_words(limits.reserve_bytes)
            return f"the disk would be full: {free} free, {kept} stay free; with more room the same command goes on"
        return ""

    def _left(self) -> int:
        now = time.monotonic()
        if now - self._looked_at > LOOK_S:
            self._free, self._looked_at = free_bytes(self.folder), now
        return self._free

    def enter(self, meter: "Meter") -> None:
        """Count a video in that begins."""
        with self._lock:
            self._meters.add(meter)

    def leave(self, meter: "Meter", stored: int) -> None:
        """Count a video out that ended, with what is stored of it for good."""
        with self._lock:
            self._meters.discard(meter)
            self.stored += stored

    def count(self, count: int) -> None:
        """Count bytes that came."""
        with self._lock:
            self.came += count
            self._free -= count  # till the disk is looked at again


class Meter:
    """What comes of one video. Whoever fetches it tells it all; its errors end the fetching, and are let pass."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.here = 0
        """Bytes of it on this disk."""
        self.total = 0
        """Bytes that it will have, 0 where not known."""

    def __enter__(self) -> "Meter":
        self.flow.enter(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.flow.leave(self, 0)

    def finish(self, stored: int) -> None:
        """Tell that it ended, with how many bytes are stored of it for good."""
        self.flow.leave(self, stored)

    @property
    def due(self) -> int:
        """Bytes that are still to come, as far as known."""
        return max(0, self.total - self.here)

    def expect(self, total: int, *, here: int = 0) -> None:
        """Tell the size of what is coming, `here` bytes of which came earlier. Raises as `add`."""
        self.total, self.here = total, here
        self.add(0)

    def add(self, count: int) -> None:
        """Tell that bytes came, or with 0 ask whether to go on.

        Raises `StoppedError`, and `FetchError` for a file that is too large.
        """
        self.here += count
        if max(self.here, self.total) > self.flow.limits.most_bytes:
            size = f"{in_words(self.total)}" if self.total else f"over {in_words(self.here)}"
            raise FetchError("too_large", f"{size}, and one file may have {in_words(self.flow.limits.most_bytes)}")
        if count:
            self.flow.count(count)
        self.flow.check(self)
