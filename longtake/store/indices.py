"""Indices of big tables: rows by clip and by video, texts by their words, vectors by what is near."""

import math

import lance
import pyarrow as pa

from longtake.store.reading import NEAREST, SEARCHED

INDEX_FROM_ROWS = 10_000
"""From so many rows on, looking a video up in a table goes through an index."""
TRAINED_BY = 256
"""Rows that each part of such an index is made from, at most."""
OWNERS = ("clip_id", "video_id", "video")
"""Columns that rows are asked for by; `video` is a file's name, of what lists say."""


def index(dataset: lance.LanceDataset, table: str) -> None:
    """Index a big table by clip and video, or bring its indices up to date."""
    if dataset.count_rows() < INDEX_FROM_ROWS:
        return
    there = {tuple(known.field_names) for known in dataset.describe_indices()}
    if there:
        dataset.optimize.optimize_indices()
    names = dataset.schema.names
    for owner in OWNERS:
        if owner in names and (owner,) not in there:
            dataset.create_scalar_index(owner, "BTREE")
    if SEARCHED.get(table) in names and (SEARCHED[table],) not in there:
        dataset.create_scalar_index(SEARCHED[table], "INVERTED")
    if NEAREST in names and pa.types.is_fixed_size_list(dataset.schema.field(NEAREST).type) and (NEAREST,) not in there:
        rows = dataset.count_rows()
        parts = min(math.isqrt(rows), rows // TRAINED_BY)
        dataset.create_index(NEAREST, "IVF_FLAT", metric="cosine", num_partitions=parts)
