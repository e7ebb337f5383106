"""Which split a video is in: by its content alone, or that of a video it shares footage with, so that no two do."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from longtake.duplicates import GROUP, Joined
from longtake.errors import UsageError
from longtake.planning import hash_of
from longtake.sources.pieces import whole_of
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
    """Return whom contents follow that share footage, or are parts of one video: of all that are kin, the same one.

    Those that were in an earlier export with splits follow whom they did there, so that none who joins later moves
    them; among newcomers it is the first. All clips of the set count, kept or not, so that a rule moves no video from
    one split to another.
    """
    first = _first_before(store)
    for contents in _kin(store):
        followed = {first[content] for content in contents if content in first}
        first |= dict.fromkeys(contents, min(followed or contents))
    return {content: name for content, name in first.items() if content != name}


def _first_before(store: Store) -> dict[str, str]:
    """Return whom the contents of earlier exports followed, many of them themselves; the last word counts."""
    first: dict[str, str] = {}
    for row in store.read("exports", ["options", "made", "video_ids"]).sort_by("made").to_pylist():
        options = json.loads(row["options"])
        if options["split"]:
            contents = map(hash_of, row["video_ids"])
            first |= {content: content for content in contents} | options.get("kin", {})
    return first


def _kin(store: Store) -> Iterable[Sequence[str]]:
    """Return the groups of contents that share footage, or are parts of one video; some are of one alone."""
    links = [*_parts(store), *_copies(store)]
    contents = sorted({content for content, _ in links})
    place = {content: i for i, content in enumerate(contents)}
    joined = Joined(len(contents))
    first: dict[object, int] = {}
    for content, group in links:
        joined.join(place[content], first.setdefault(group, place[content]))
    kin: dict[int, list[str]] = {}
    for content, least in zip(contents, joined.least().tolist(), strict=True):
        kin.setdefault(least, []).append(content)
    return kin.values()


def _parts(store: Store) -> Iterator[tuple[str, str]]:
    """Yield contents that came as parts of videos, and of which; a list is fetched into one folder."""
    for row in store.read("videos", ["id", "path"]).to_pylist():
        folder, _, name = row["path"].rpartition("/")
        if whole := whole_of(name.rpartition(".")[0]):
            yield hash_of(row["id"]), f"{folder}/{whole}"


def _copies(store: Store) -> Iterator[tuple[str, float]]:
    """Yield contents of clips that have copies, and the group."""
    if GROUP.partition(".")[0] in store.columns("clips").names:
        rows = store.read("clips", ["video_id", GROUP])
        rows = rows.filter(rows[GROUP].is_valid())
        yield from zip(map(hash_of, rows["video_id"].to_pylist()), rows[GROUP].to_pylist(), strict=True)


def split_of(video_id: str, shares: Sequence[tuple[str, float]], kin: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return the split of a video: by the hash of its content in its id, the same in every export of every set.

    Files of other names that hold the same are in the same one. A video that shares footage with others, by
    `first_of_kin`, goes with the one that they follow.
    """
    content = hash_of(video_id)
    name = kin.get(content, content)
    place = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") / 2**64
    return next((name for name, end in shares if place < end), shares[-1][0])
