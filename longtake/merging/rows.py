"""The rows that each set gives: streamed, in the columns of the set that is made."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from longtake.merging.parts import Giver, Sharing
from longtake.schemas import SCHEMAS
from longtake.store import ROWS_AT_ONCE, SERIES_AT_ONCE

GIVEN = ("signals", "shots", "clips", "votes", "captions", "texts")
"""Tables with rows about a video that come from the set that gives the video, and from no other."""
SAID = {"answers": ("key",), "judgements": ("clip_id", "judge", "made"), "choices": ("clip_id", "judge", "made")}
"""Tables with rows that are kept whoever gives the video, for they were paid for or are somebody's word -> what names
one. Copies, spans and samples are of a whole set and made anew."""
NEW = {"exports": ("folder",), "runs": ("started", "ended", "shard", "videos")}


def given(sharing: Sharing, table: str, part: Giver) -> Iterator[pa.RecordBatch]:
    """Yield the rows about the videos that a set gives."""
    schema = sharing.to.store.columns(table)
    owner = "id" if table == "videos" else "video_id"
    # A killed scan may have left rows of videos that aren't there.
    strange = part.store.distinct(table, owner) - part.ids if table != "videos" else set()
    out = pa.array(sorted(part.not_given | strange), pa.string())
    for batch in _batches(part, table):
        yield conform(_without(batch, owner, out), schema)


def said(sharing: Sharing, table: str, part: Giver) -> Iterator[pa.RecordBatch]:
    """Yield the rows about the videos that a set gives, and of those about others what no other set has."""
    yield from given(sharing, table, part)
    lost = part.not_given - part.removed
    if not (lost and part.store.has(table)):
        return
    schema, names = sharing.to.store.columns(table), SAID[table]
    known = _known(sharing, table, part, lost)
    about = pa.array(sorted(lost), pa.string())
    for batch in _batches(part, table):
        own = batch.filter(pc.is_in(batch["video_id"], about))
        fresh = [key not in known for key in _keys(own, names)]
        yield conform(own.filter(pa.array(fresh, pa.bool_())), schema)


def _known(sharing: Sharing, table: str, part: Giver, lost: set[str]) -> set[tuple[Any, ...]]:
    """Return what names the rows about some videos that other sets give, or earlier ones have given."""
    known: set[tuple[Any, ...]] = set()
    earlier = True
    for other in (sharing.to, *sharing.parts):
        if other is part:
            earlier = False
            continue
        theirs = pa.array(sorted(lost if earlier else lost - other.not_given), pa.string())
        if len(theirs):
            for batch in other.store.stream(table, ["video_id", *SAID[table]]):
                known.update(_keys(batch.filter(pc.is_in(batch["video_id"], theirs)), SAID[table]))
    return known


def _keys(batch: pa.RecordBatch, names: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    return zip(*(batch[name].to_pylist() for name in names), strict=True)


def _batches(part: Giver, table: str) -> Iterator[pa.RecordBatch]:
    # A row of signals may be as large as an hour of video is long.
    return part.store.stream(table, at_once=SERIES_AT_ONCE if table == "signals" else ROWS_AT_ONCE)


def _without(batch: pa.RecordBatch, column: str, out: pa.Array) -> pa.RecordBatch:
    return batch.filter(pc.invert(pc.is_in(batch[column], out))) if len(out) else batch


def conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return rows with all columns of a table, and all parts of its scores: null what they lack."""
    columns = []
    for field in schema:
        index = batch.schema.get_field_index(field.name)
        if index < 0:
            columns.append(pa.nulls(len(batch), field.type))
        elif pa.types.is_struct(field.type) and batch.column(index).type != field.type:
            columns.append(_with_parts(batch.column(index), field.type))
        else:
            columns.append(batch.column(index).cast(field.type))
    return pa.record_batch(columns, schema=schema)


def _with_parts(column: pa.StructArray, wanted: pa.StructType) -> pa.StructArray:
    there = {field.name: array for field, array in zip(column.type, column.flatten(), strict=True)}
    parts = [there[f.name].cast(f.type) if f.name in there else pa.nulls(len(column), f.type) for f in wanted]
    return pa.StructArray.from_arrays(parts, fields=list(wanted), mask=column.is_null())


def failures(sharing: Sharing) -> list[pa.RecordBatch]:
    """Return what failed in the sets: of a video in the set that gives it, of a file unless another set has it."""
    givers = (sharing.to, *sharing.parts)
    paths: set[str] = set()
    for giver in givers:
        for batch in giver.store.stream("videos", ["id", "path"]):
            pairs = zip(*(column.to_pylist() for column in batch.columns), strict=True)
            paths.update(path for name, path in pairs if name not in giver.not_given)
    rows, seen = [], set[tuple[str, str]]()
    for giver in givers:
        for row in giver.store.read("failures").to_pylist():
            name = row["item"].rpartition("_")[0].rpartition("_")[0]
            stays = row["item"] not in paths if row["step"] == "scan" else name in giver.ids - giver.not_given
            if stays and (row["item"], row["step"]) not in seen:
                seen.add((row["item"], row["step"]))
                rows.append(row)
    batches: list[pa.RecordBatch] = pa.Table.from_pylist(rows, schema=SCHEMAS["failures"]).to_batches()
    return batches


def new_rows(sharing: Sharing, table: str) -> list[dict[str, Any]]:
    """Return the rows about exports or runs that the set lacks."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    there = {tuple(row[name] for name in NEW[table]) for row in sharing.to.store.read(table).to_pylist()}
    for part in sharing.parts:
        for row in part.store.read(table).to_pylist():
            rows.setdefault(tuple(row.get(name) for name in NEW[table]), row)
    return [row for key, row in rows.items() if key not in there]
