"""Files of which only parts are here, as decoders read them."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

Range = tuple[int, int]
"""Bytes of a file, the end left out."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What has to be here before it can go on."""

    ranges: tuple[Range, ...]
    """The first begins with what is missed; where an index told no more, it is one byte."""


class Holes:
    """A file of which only parts are here, as decoders read it; it ends at the first miss."""

    def __init__(self, raw: io.BufferedReader, have: Sequence[Range], size: int) -> None:
        self.raw, self.have, self.size = raw, sorted(have), size
        self.name = ""
        self.missed: int | None = None
        self.hints: list[Range] = []
        """What is going to be read, as far as an index tells."""

    def read(self, count: int) -> bytes:
        """Return so many bytes, fewer where a part ends, none at the end and where there is none."""
        at = self.raw.tell()
        if self.missed is not None or at >= self.size:
            return b""
        stop = next((stop for start, stop in self.have if start <= at < stop), None)
        if stop is None:
            self.missed = at
            return b""
        return self.raw.read(min(count, stop - at))

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position."""
        if whence == io.SEEK_END:
            offset, whence = self.size + offset, io.SEEK_SET
        return self.raw.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self.raw.tell()

    def wanted(self) -> tuple[Range, ...]:
        """Return what to bring: all that is going to be read where the miss lies in that, else where it was."""
        assert self.missed is not None
        missed = self.missed
        if not any(start <= missed < stop for start, stop in self.hints):
            return ((missed, missed + 1),)
        return tuple(sorted(self.hints, key=lambda hint: not hint[0] <= missed < hint[1]))
