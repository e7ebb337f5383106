"""What formats of grounding share: names of videos, times to the millisecond, and pieces cut around a positive."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from longtake.errors import UsageError
from longtake.exports import Grounded


class Names:
    """What a format calls videos: each by a name of its own."""

    def __init__(self, names: str, *, suffix: bool = False, blanks: bool = True) -> None:
        if names not in ("file", "id"):
            raise UsageError(f"names={names}: write names=file or names=id")
        self.by_id, self.suffix, self.blanks = names == "id", suffix, blanks
        self._whose: dict[str, str] = {}

    def of(self, video: Grounded) -> str:
        """Return a video's name. Raises `UsageError` where another video has it, or the format can't hold it."""
        path = PurePath(video.name)
        stem = str(video.video["id"]) if self.by_id else path.stem
        name = stem + path.suffix if self.suffix else stem
        if not self.blanks and len(name.split()) != 1:
            raise UsageError(f"{video.video['path']}: this format can't hold a name with blanks; write -s names=id")
        other = self._whose.setdefault(name, video.video["id"])
        if other != video.video["id"]:
            raise UsageError(
                f"two videos, {other} and {video.video['id']}, would both be called {name!r}; write -s names=id"
            )
        return name


def to_ms(seconds: float) -> float:
    """Return a time to the millisecond."""
    return round(seconds, 3)


def is_unique(video: Grounded, span: Mapping[str, Any]) -> bool:
    """Return whether the negative span is the whole video."""
    return to_ms(span["neg_start_s"]) <= 0 and to_ms(span["neg_end_s"]) >= to_ms(video.video["duration_s"])


def chance(video: Grounded, span: Mapping[str, Any], purpose: str = "") -> float:
    """Return a number in [0, 1) drawn by a hash of a record: the same each time it goes out."""
    parts = [video.video["id"], span["clip_id"], span["step"], span["kind"], str(span["number"]), purpose]
    digest = hashlib.blake2b("\n".join(parts).encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a video with a positive in it; all times in milliseconds of the video."""

    start: int
    end: int
    positive_start: int
    positive_end: int

    @property
    def length(self) -> int:
        """How long it is."""
        return self.end - self.start

    @property
    def window(self) -> tuple[float, float]:
        """The positive, in seconds of the piece."""
        return (self.positive_start - self.start) / 1000, (self.positive_end - self.start) / 1000


def piece_of(video: Grounded, span: Mapping[str, Any], longest_s: float, *, step: int = 1) -> Piece:
    """Return a piece of the negative span, so that the sentence holds once in it; the whole video for length 0.

    It is cut at a place drawn by a hash, and to a multiple of `step` milliseconds, unless the positive leaves no room.
    """
    duration = round(video.video["duration_s"] * 1000)
    first, last = round(span["start_s"] * 1000), round(span["end_s"] * 1000)
    if not longest_s:
        return Piece(0, duration, first, last)
    low, high = round(span["neg_start_s"] * 1000), round(span["neg_end_s"] * 1000)
    length = min(max(round(longest_s * 1000), last - first), high - low)
    whole = length // step * step
    length = whole if whole >= last - first else length
    earliest, latest = max(low, last - length), min(first, high - length)
    start = earliest + int(chance(video, span, "piece") * (latest - earliest + 1))
    return Piece(start, start + length, first, last)
