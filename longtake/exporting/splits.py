"""Which split a video is in: by its id alone, so that no two splits share a source."""

import hashlib
from collections.abc import Sequence

import numpy as np

from longtake.errors import UsageError


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


def split_of(video_id: str, shares: Sequence[tuple[str, float]]) -> str:
    """Return the split of a video: by a hash of its id alone, so that it is the same in every export of every set."""
    place = int.from_bytes(hashlib.blake2b(video_id.encode(), digest_size=8).digest(), "big") / 2**64
    return next((name for name, end in shares if place < end), shares[-1][0])
