"""Parts of a list for several machines: by a hash of the videos' ids, so that they agree without a word."""

import hashlib
from dataclasses import dataclass

from longtake.errors import UsageError


@dataclass(frozen=True, slots=True)
class Part:
    """Which videos of the ledger a call is about: those that lists name, of one shard of `of`, counted from 1."""

    number: int = 1
    of: int = 1

    @property
    def sql(self) -> str:
        """The condition; both numbers are integers of ours."""
        return f"named AND bucket % {self.of} = {self.number - 1}"


def bucket_of(video: str) -> int:
    """Return a video's place among the shards: a hash of its id, so that no list's order or date matters."""
    return int.from_bytes(hashlib.sha256(video.encode()).digest()[:7])


def read_shard(text: str) -> Part:
    """Read `3/16`. Raises `UsageError`."""
    if not text:
        return Part()
    number, slash, of = text.partition("/")
    if not (slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of) <= 1_000_000):
        raise UsageError(f"{text!r} is no shard; write 3/16 for the third of sixteen, the first is 1/16")
    return Part(int(number), int(of))
