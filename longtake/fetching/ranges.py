"""A file of which only parts are asked for, by Range: each byte once, and all of one version of the file."""

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import httpx2

from longtake.fetching import addresses
from longtake.fetching.accept import ending_of
from longtake.fetching.http import Plain, copy, is_file, validator_of, write_note
from longtake.fetching.meter import Meter, in_words
from longtake.fetching.plain_errors import broken, of_status
from longtake.fetching.states import FetchError
from longtake.video.holes import Range

FIRST_BYTES = 1 << 16
"""What is asked for first, and where nothing tells how much will be needed; doubled as long as that goes on."""
MOST_BYTES = 1 << 23
"""What is asked for at once, and the most that a kill costs."""
LARGEST = 1 << 40
"""A host that speaks of larger files isn't believed."""
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class NoPartsError(Exception):
    """A host that sent parts of a file doesn't any more, or has another version of it."""


class PartialFile:
    """A file at an address, and what of it is here: bytes at their places in a file with holes."""

    def __init__(
        self, plain: Plain, url: str, folder: Path, meter: Meter, headers: Mapping[str, str] | None = None
    ) -> None:
        self.plain, self.url, self.meter, self.headers = plain, url, meter, headers
        self.path, self.note = folder / "ranges.part", folder / "ranges.json"
        self.size = 0
        self.validator = ""
        self.is_file = True
        """Whether a file is there, no page or playlist."""
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
        try:
            with self.plain.ask_range(self.url, start, stop, self.validator, self.headers) as response:
                self.is_file = is_file(response.headers.get("content-type", ""), self.url)
                if response.status_code in (200, 416):
                    return False
                if response.status_code != 206:
                    raise of_status(response.status_code, self.url, response)
                headers = response.headers
                said = _RANGE.fullmatch(headers.get("content-range", ""))
                coded = headers.get("content-encoding", "identity") != "identity"
                if said is None or coded or not self.is_file:
                    return False
                size, stop = int(said[3]), min(stop, int(said[3]))
                validator = validator_of(headers)
                length = headers.get("content-length", str(stop - start))
                if (int(said[1]), int(said[2]) + 1, length) != (start, stop, str(stop - start)) or not validator:
                    return False
                if self.size and (size, validator) != (self.size, self.validator):
                    return False
                if size > LARGEST:
                    raise FetchError("too_large", f"{addresses.shown(self.url)}: {in_words(size)}, as its host says")
                self.size, self.validator = size, validator
                return self._take(response, start, stop)
        except httpx2.HTTPError as error:
            raise broken(error, self.url) from error

    def _take(self, response: httpx2.Response, start: int, stop: int) -> bool:
        with self.path.open("r+b" if self.path.exists() else "w+b") as file:
            file.seek(start)
            copy(response, file, self.url, self.meter)
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
