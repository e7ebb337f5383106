"""Which split a video is in: by its content alone, or that of a video it shares footage with, so that no two do."""

import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from longtake.duplicates import GROUP, Joined
from longtake.errors import UsageError
from longtake.planning import hash_of
from longtake.store import Store


def parse_split(text: str) -> list[tuple[str, float]]:
    """Return splits and where each ends on [0, 1]: `train:0.98,val:0.02`; without any, all is `train`."""
    shares: list[tuple[str, float]] = []
    for part in (text or "train:1").split(","):
        name, _, share = part.partition(":")
        try:
            shares.append((name.strip(), float(share)))
        except ValueError:
            raise UsageError(f"split {part!r}: write NAME:SHARE, as in train:0.98,val:0.02") from None
        if not name.strip().isidentifier() or not 0 < shares[-1][1] <= 1:
            raise UsageError(f"split {part!r}: a name of letters and a share above 0, as in train:0.98,val:0.02")
    total = sum(share for _, share in shares)
    if abs(total - 1) > 1e-6 or len({name for name, _ in shares}) < len(shares):
        raise UsageError(f"split {text!r}: the shares must add up to 1 and the names differ; they add up to {total:g}")
    ends = np.cumsum([share for _, share in shares]).tolist()
    return [(name, end) for (name, _), end in zip(shares, ends, strict=True)]


def first_of_kin(store: Store) -> dict[str, str]:
    """Return, of contents whose clips are copies of clips of others, the first among all they are kin to.

    All clips of the set count, kept or not, so that a rule moves no video from one split to another.
    """
    if GROUP.partition(".")[0] not in store.columns("clips").names:
        return {}
    rows = store.read("clips", ["video_id", GROUP])
    rows = rows.filter(rows[GROUP].is_valid())
    owners = [hash_of(video_id) for video_id in rows["video_id"].to_pylist()]
    contents = sorted(set(owners))
    place = {content: i for i, content in enumerate(contents)}
    joined = Joined(len(contents))
    first: dict[float, int] = {}
    for owner, group in zip(owners, rows[GROUP].to_pylist(), strict=True):
        joined.join(place[owner], first.setdefault(group, place[owner]))
    least = joined.least().tolist()
    return {content: contents[least[i]] for i, content in enumerate(contents) if least[i] != i}


def split_of(video_id: str, shares: Sequence[tuple[str, float]], kin: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return the split of a video: by the hash of its content in its id, the same in every export of every set.

    Files of other names that hold the same are in the same one. A video that shares footage with others, by
    `first_of_kin`, goes with the first of them.
    """
    content = hash_of(video_id)
    name = kin.get(content, content)
    place = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") / 2**64
    return next((name for name, end in shares if place < end), shares[-1][0])
