"""Which split a video is in: by its id alone, or that of a video it shares footage with, so that no two splits do."""

import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pyarrow.compute as pc

from longtake.duplicates import GROUP, Joined
from longtake.errors import UsageError
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
    """Return, of videos whose clips are copies of clips of other videos, the first id among all they are kin to.

    All clips of the set count, kept or not, so that a rule moves no video from one split to another.
    """
    if GROUP.partition(".")[0] not in store.columns("clips").names:
        return {}
    rows = store.read("clips", ["video_id", GROUP])
    rows = rows.filter(rows[GROUP].is_valid()).sort_by("video_id")
    videos = pc.unique(rows["video_id"]).to_pylist()
    place = {video_id: i for i, video_id in enumerate(videos)}
    joined = Joined(len(videos))
    first: dict[float, int] = {}
    for video_id, group in zip(rows["video_id"].to_pylist(), rows[GROUP].to_pylist(), strict=True):
        joined.join(place[video_id], first.setdefault(group, place[video_id]))
    least = joined.least().tolist()
    return {video_id: videos[least[i]] for i, video_id in enumerate(videos) if least[i] != i}


def split_of(video_id: str, shares: Sequence[tuple[str, float]], kin: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return the split of a video: by a hash of its id alone, so that it is the same in every export of every set.

    One that shares footage with others, by `first_of_kin`, goes with the first of them.
    """
    name = kin.get(video_id, video_id)
    place = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") / 2**64
    return next((name for name, end in shares if place < end), shares[-1][0])
