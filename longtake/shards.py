"""Parts of the videos for several machines: by a hash of their names, so that they agree without a word."""

import hashlib
import unicodedata
from dataclasses import dataclass
from pathlib import PurePath

from longtake.errors import UsageError


@dataclass(frozen=True, slots=True)
class Part:
    """Which videos a call is about: those of one shard of `of`, counted from 1."""

    number: int = 1
    of: int = 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def sql(self) -> str:
        """The condition on a ledger of videos that lists name; both numbers are integers of ours."""
        return f"named AND bucket % {self.of} = {self.number - 1}"

    def has(self, name: str) -> bool:
        """Return whether a video of this name is in it."""
        return self.of == 1 or bucket_of(name) % self.of == self.number - 1


ALL = Part()


def bucket_of(name: str) -> int:
    """Return a video's place among the shards: a hash of its name, so that no list's order or date matters."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:7])


def name_in(folder: PurePath, video: PurePath) -> str:
    """Return what a video below a folder is called on every machine, wherever that has the folder: `a/b.mp4`.

    Disks write accents in two ways; both are one name.
    """
    return unicodedata.normalize("NFC", video.relative_to(folder).as_posix())


def read_shard(text: str) -> Part:
    """Read `3/16`. Raises `UsageError`."""
    if not text:
        return ALL
    number, slash, of = text.partition("/")
    if not (slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of) <= 1_000_000):
        raise UsageError(f"{text!r} is no shard; write 3/16 for the third of sixteen, the first is 1/16")
    return Part(int(number), int(of))
