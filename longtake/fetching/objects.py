"""Files on object stores: asked for as the user's own environment says, each part of one and the same content."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from longtake.fetching.http import copy, left_over, write_note
from longtake.fetching.meter import Meter
from longtake.fetching.ranges import Sent
from longtake.fetching.states import FetchError, Got
from longtake.places import BusyError, ChangedError, NoBucketError, remote
from longtake.places import Sent as Answer

WHO = {
    "s3": "AWS_PROFILE or AWS_ACCESS_KEY_ID",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
    "hf": "HF_TOKEN",
}
"""What in the environment says who asks."""
PIECE_BYTES = 1 << 23
"""What is asked for at once: a request takes less time than the store's library allows for one."""


class ObjectParts:
    """An object, of which parts are asked for."""

    is_file = True

    def __init__(self, url: str) -> None:
        self.url, self.object = url, remote(url)

    def size(self) -> int:
        """Return its size. Raises `FetchError`."""
        try:
            return self.object.stat().st_size
        except OSError as error:
            raise self._meaning(error) from error

    @contextmanager
    def ask(self, start: int, stop: int, version: str) -> Iterator[Sent | None]:
        """Give what the store sends of it; None where it is another object by now. Raises `FetchError`."""
        sent = self._asked(start, stop, version)
        yield Sent(sent.facts.st_size, sent.facts.mark, self._said(sent.chunks)) if sent else None

    def _asked(self, start: int, stop: int, version: str) -> Answer | None:
        try:
            if self.object.scheme == "hf":
                self.object = self.object.known()  # the hub is asked once, not for each part
            return self.object.ask(start, stop, mark=version)
        except ChangedError:
            return None
        except OSError as error:
            raise self._meaning(error) from error

    def _said(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        try:
            yield from chunks
        except OSError as error:
            raise self._meaning(error) from error

    def _meaning(self, error: OSError) -> FetchError:
        """Return what an error of the store means."""
        if isinstance(error, FileNotFoundError):
            return FetchError("gone", str(error), refusal=isinstance(error, NoBucketError))
        if isinstance(error, PermissionError):
            who = WHO[self.object.scheme]
            return FetchError("private", f"{error}; who asks is told by {who} (docs/objects.md)", refusal=True)
        return FetchError("throttled" if isinstance(error, BusyError) else "network", str(error))


def fetch_object(url: str, folder: Path, meter: Meter) -> Got:
    """Bring an object, continuing what an earlier try left in the folder if it is still the same one.

    Raises `FetchError`, and what the meter raises.
    """
    part, note = folder / "body.part", folder / "body.json"
    here, total, version = left_over(part, note, url)
    parts = ObjectParts(url)
    if not here:
        part.unlink(missing_ok=True)
    with part.open("ab") as file:
        while not total or here != total:
            with parts.ask(here, here + PIECE_BYTES, version) as sent:
                if sent is None:
                    note.unlink(missing_ok=True)
                    raise FetchError("network", f"{url}: was changed while it came", refusal=False)
                if not version:
                    total, version = sent.size, sent.version
                    if not total:
                        raise FetchError("bad_file", f"{url}: the object is empty")
                    write_note(note, {"url": url, "validator": version, "total": total})
                meter.expect(total, here=here)
                _take(sent.chunks, file, url, meter)
            here = file.tell()
        file.flush()
        os.fsync(file.fileno())
    meter.expect(total, here=total)
    return Got(part)


def _take(chunks: Iterator[bytes], file: BinaryIO, url: str, meter: Meter) -> None:
    """Write what comes of a part; what breaks off after some of it came is no failure: the rest is asked for next."""
    before = file.tell()
    try:
        copy(chunks, file, url, meter)
    except FetchError as error:
        if error.state != "network" or file.tell() == before:
            raise
    if file.tell() == before:
        raise FetchError("network", f"{url}: nothing came")
