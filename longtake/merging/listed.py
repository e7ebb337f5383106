"""What lists say, joined: many shards may each have the whole of one list."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from longtake.merging.parts import Giver, Sharing
from longtake.merging.rows import conform
from longtake.schemas import SCHEMAS


def join_listed(sharing: Sharing) -> None:
    """Put the rows of all sets in the place of those of the one that is made."""
    givers = [giver for giver in (sharing.to, *sharing.parts) if giver.store.has("listed")]
    if not givers:
        return
    known = [_folders(giver) for giver in givers]
    joined = _joined(known)
    whole = [
        [name for name in one if joined[name]["facts"] and not any(name in other for other in known[:i])]
        for i, one in enumerate(known)
    ]
    rows = (
        batch
        for giver, folders in zip(givers, whole, strict=True)
        for batch in _rows(giver, folders, [name for name, one in joined.items() if one["facts"]])
    )
    sharing.to.store.replace("listed", rows, json.dumps({"folders": joined}, sort_keys=True))


def _folders(giver: Giver) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(giver.store.key("listed") or "{}").get("folders", {})
    return found


def _joined(known: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what is known of the folders: nothing of one of which two sets know different things, so that the next run
    reads its list again.
    """
    joined: dict[str, Any] = {}
    for one in known:
        for name, facts in one.items():
            before = joined.setdefault(name, facts)
            if before["facts"] != facts["facts"]:
                joined[name] = {"facts": None, "scores": sorted({*before["scores"], *facts["scores"]})}
    return joined


def _rows(giver: Giver, whole: list[str], agreed: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of the folders whose list is the same everywhere, from the first set that has it; of the others
    those about the videos that this set gives. What was removed from any set is left out.
    """
    places: Mapping[bool, list[str]] = _places(giver)
    own, removed = pa.array(places[False], pa.string()), pa.array(places[True], pa.string())
    for batch in giver.store.stream("listed"):
        named = pc.binary_join_element_wise(batch["folder"], batch["video"], "\n")
        mine = pc.is_in(batch["folder"], pa.array(whole, pa.string()))
        other = pc.invert(pc.is_in(batch["folder"], pa.array(agreed, pa.string())))
        stays = pc.or_(mine, pc.and_(other, pc.is_in(named, own)))
        batch = batch.filter(pc.and_(stays, pc.invert(pc.is_in(named, removed))))
        yield conform(batch, SCHEMAS["listed"])


def _places(giver: Giver) -> dict[bool, list[str]]:
    """Return the folders and names by which lists know a set's videos, and those that failed; True: removed ones."""
    found: dict[bool, list[str]] = {False: [], True: []}
    for batch in giver.store.stream("videos", ["id", "path"]):
        for name, path in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            if name in giver.removed or name not in giver.not_given:
                found[name in giver.removed].append(_place(path))
    failed = giver.store.read("failures", ["item", "step"]).to_pylist()
    found[False] += [_place(row["item"]) for row in failed if row["step"] == "scan"]
    return found


def _place(path: str) -> str:
    return f"{Path(path).parent.parent}\n{Path(path).stem}"
