"""Clips as Parquet files."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

from longtake.exports import Place, Row
from longtake.exports._columns import Column, read_columns, with_first

VERSION = 1


def parquet(
    rows: Iterable[Row], folder: Path, place: Place, *, caption: str = "", columns: str = "", group: int = 10_000
) -> None:
    """One row a clip, with all its captions and scores; null where a score was not measured.

    Layout: `train.parquet` beside `train/<clip>.mp4`, and the same for every other split. Paths are relative to the
    export. Compressed with zstd; scores and times are doubles, `captions` is a list of structs.

    caption: the kind that the column `caption` has, as `refined` or `lvd2m.raw`; empty: the best there is.
    columns: NAME=SOURCE, separated by commas, instead of the usual columns; the sources are those of `jsonl`.
    group: clips in a row group, 1 or more; so many rows are held in memory.
    """
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    first, rest = with_first(rows)
    wanted = read_columns(columns, first, caption=caption, captions=True)
    schema = _schema(wanted)
    with ExitStack() as stack:
        writers: dict[str, Any] = {}
        while batch := list(islice(rest, max(1, group))):
            values: dict[str, list[dict[str, Any]]] = {}
            for row in batch:
                path = f"{row.split}/{row.id}.mp4"
                placed = place(row, path)
                made = {column.name: column.get(row, placed, path) for column in wanted}
                values.setdefault(row.split, []).append(made)
            for split, some in values.items():
                if split not in writers:
                    writer = ParquetWriter(str(folder / f"{split}.parquet"), schema, compression="zstd")
                    writers[split] = stack.enter_context(writer)
                writers[split].write_table(pa.Table.from_pylist(some, schema=schema), row_group_size=len(some))


def _schema(columns: Sequence[Column]) -> Any:
    """Return the table's schema: what a value is does not hang on the clips that happen to be there."""
    import pyarrow as pa

    caption = pa.struct(
        [
            ("step", pa.string()),
            ("kind", pa.string()),
            ("number", pa.int32()),
            ("start_s", pa.float64()),
            ("end_s", pa.float64()),
            ("text", pa.string()),
            ("model", pa.string()),
            ("frames_s", pa.list_(pa.float64())),
        ]
    )
    types = {
        "text": pa.string(),
        "whole": pa.int64(),
        "number": pa.float64(),
        "flag": pa.bool_(),
        "captions": pa.list_(caption),
    }
    return pa.schema([(column.name, types[column.type]) for column in columns])
