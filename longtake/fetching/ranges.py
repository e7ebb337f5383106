"""A file of which only parts are asked for: each byte once, and all of one version of the file."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from longtake.fetching import addresses
from longtake.fetching.accept import ending_of
from longtake.fetching.http import copy, write_note
from longtake.fetching.meter import Meter, in_words
from longtake.fetching.states import FetchError
from longtake.video.holes import Range

FIRST_BYTES = 1 << 16
"""What is asked for first, and where nothing tells how much will be needed; doubled as long as that goes on."""
MOST_BYTES = 1 << 23
"""What is asked for at once, and the most that a kill costs."""
LARGEST = 1 << 40
"""A host that speaks of larger files isn't believed."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A part of a file, on its way."""

    size: int
    """Of the whole file, in bytes."""
    version: str
    """What the sender calls this content of the file; empty where it doesn't say."""
    chunks: Iterator[bytes]


class Parts(Protocol):
    """What sends parts of one file: a host on the web, or an object store."""

    url: str
    is_file: bool
    """Whether a file is there, no page or playlist, as far as known."""

    def ask(self, start: int, stop: int, version: str) -> AbstractContextManager[Sent | None]:
        """Give the bytes of a part, less where the file ends before; None where they don't come as asked.

        A version is one that was `Sent` before, or empty. Raises `FetchError`.
        """
        ...


class NoPartsError(Exception):
    """Who sent parts of a file doesn't any more, or has another version of it."""


class PartialFile:
    """A file at an address, and what of it is here: bytes at their places in a file with holes."""

    def __init__(self, parts: Parts, folder: Path, meter: Meter) -> None:
        self.parts, self.url, self.meter = parts, parts.url, meter
        self.path, self.note = folder / "ranges.part", folder / "ranges.json"
        self.size = 0
        self.validator = ""
        self.resumed = False
        """Whether an earlier try left some of it."""
        self.have: list[Range] = []
        """In order, none touching the next."""

    def begin(self) -> bool:
        """Ask for its beginning, or find what an earlier try left; return whether its host sends parts of it.

        It must say which version of the file they are of. Raises `FetchError`, and what the meter raises.
        """
        try:
            left = json.loads(self.note.read_bytes())
            have = [(start, stop) for start, stop in left["have"]]
            if left["url"] == self.url and self.path.stat().st_size >= have[-1][1]:
                self.size, self.validator, self.have = left["size"], left["validator"], have
                self.resumed = True
                return True
        except (OSError, ValueError, LookupError, TypeError):
            pass  # nothing is here, or a kill tore it
        self._drop()
        found = self._ask(0, FIRST_BYTES)
        if not found:
            self._drop()
        return found

    @property
    def here(self) -> int:
        """Bytes that are here."""
        return sum(stop - start for start, stop in self.have)

    def lacks(self, ranges: Iterable[Range]) -> list[Range]:
        """Return what of some ranges is not here, in order."""
        found: list[Range] = []
        for start, stop in _joined(ranges):
            at = start
            for a, b in self.have:
                if a < stop and b > at:
                    if a > at:
                        found.append((at, a))
                    at = b
            if at < stop:
                found.append((at, stop))
        return found

    def get(self, ranges: Iterable[Range]) -> None:
        """Bring ranges of the file. Raises `FetchError`, `NoPartsError`, and what the meter raises."""
        lacking = self.lacks((start, min(stop, self.size)) for start, stop in ranges)
        due = self.here + sum(stop - start for start, stop in lacking)
        for start, stop in lacking:
            for at in range(start, stop, MOST_BYTES):
                self.meter.expect(due, here=self.here)
                if not self._ask(at, min(at + MOST_BYTES, stop)):
                    self._drop()
                    raise NoPartsError

    def _drop(self) -> None:
        self.note.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        self.have = []

    def _ask(self, start: int, stop: int) -> bool:
        """Bring one range; return whether it came as asked."""
        with self.parts.ask(start, stop, self.validator) as sent:
            if sent is None or not sent.version:
                return False
            if self.size and (sent.size, sent.version) != (self.size, self.validator):
                return False
            if sent.size > LARGEST:
                raise FetchError("too_large", f"{addresses.shown(self.url)}: {in_words(sent.size)}, as its host says")
            self.size, self.validator = sent.size, sent.version
            return self._take(sent.chunks, start, min(stop, sent.size))

    def _take(self, chunks: Iterator[bytes], start: int, stop: int) -> bool:
        with self.path.open("r+b" if self.path.exists() else "w+b") as file:
            file.seek(start)
            copy(chunks, file, self.url, self.meter)
            file.flush()
            os.fsync(file.fileno())
            if file.tell() != stop:
                raise FetchError(
                    "network", f"{addresses.shown(self.url)}: {file.tell() - start} bytes came of {stop - start}"
                )
            if not start:
                file.seek(0)
                if ending_of(file.read(4096)) is None:  # what it is instead is told where all of it is asked for
                    return False
        self.have = _joined([*self.have, (start, stop)])
        # It must never name bytes that are not there.
        write_note(self.note, {"url": self.url, "validator": self.validator, "size": self.size, "have": self.have})
        return True


def _joined(ranges: Iterable[Range]) -> list[Range]:
    """Return ranges in order, those that touch as one."""
    found: list[Range] = []
    for start, stop in sorted(ranges):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], stop))
        elif start < stop:
            found.append((start, stop))
    return found
