"""One hash a table and one for a whole set: two sets hold the same exactly where these are equal.

What a hash goes by is what was found, to the last bit of every number; not when, in how much time, by how many workers
or in which order, and not in which folders sources and set lie. The bytes of clip files are not read.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
import pyarrow as pa

from longtake.places import Place, set_folder
from longtake.schemas import SCHEMAS
from longtake.settings import check_set
from longtake.store import Store

TABLES = tuple(sorted(set(SCHEMAS) - {"runs", "exports"}))
"""The tables that are hashed: all but the logs of what was done when."""
LEFT_OUT = {
    "videos": ("path", "modified_ns", "version"),
    "listed": ("folder",),
    "answers": ("asked", "elapsed_s", "tries", "cached_tokens", "cost_usd"),
    "failures": ("message", "modified_ns"),
}
"""What differs between equal sets: places, times of day, how long it took, what a server charged, and the program."""
ROWS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class SetHash:
    """What a set holds, as hashes."""

    folder: Place
    whole: str
    """Of all tables: 64 hexadecimal digits, as theirs."""
    tables: dict[str, str]
    """Of each table that has rows."""
    rows: dict[str, int]


def hash_set(folder: str | Place) -> SetHash:
    """Hash a set's tables. Raises `SetError` where there is no set."""
    folder = set_folder(folder)
    check_set(folder)
    store = Store(folder)
    tables, rows = {}, {}
    for table in TABLES:
        digests = [_digest(row) for row in _rows(store, table)]
        if digests:
            # In the order of the digests, so that the order of the rows, who came first, counts for nothing.
            tables[table] = hashlib.sha256(b"".join(sorted(digests))).hexdigest()
            rows[table] = len(digests)
    whole = hashlib.sha256("".join(f"{name} {value}\n" for name, value in tables.items()).encode()).hexdigest()
    return SetHash(folder, whole, tables, rows)


def _rows(store: Store, table: str) -> Iterator[dict[str, Any]]:
    """Go through what counts of a table's rows; series of numbers come as hashes of their bytes."""
    for batch in store.stream(table, at_once=ROWS_AT_ONCE):
        columns = {
            name: _series(column) if _is_series(column.type) else column.to_pylist()
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
            if name not in LEFT_OUT.get(table, ())
        }
        for number in range(batch.num_rows):
            row = {name: values[number] for name, values in columns.items()}
            if table == "failures":  # a file is named with its folder, a clip is not
                row["item"] = PurePath(str(row["item"])).name
            yield row


def _is_series(kind: pa.DataType) -> bool:
    """Return whether a column holds lists of numbers, which are too long to be written out one by one."""
    lists = pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(lists and (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)))


def _series(column: pa.Array) -> list[str | None]:
    """Return a hash of each row's numbers: of their little-endian bytes, with one pattern for all that is no number."""
    found: list[str | None] = []
    for row in column:
        if row.values is None:
            found.append(None)
            continue
        values = row.values.to_numpy(zero_copy_only=False)
        if values.dtype.kind == "f":
            values = np.where(np.isnan(values), np.array(np.nan, values.dtype), values)
        found.append(hashlib.sha256(values.astype(values.dtype.newbyteorder("<")).tobytes()).hexdigest())
    return found


def _digest(row: dict[str, Any]) -> bytes:
    """Hash a row as JSON: the shortest decimals that give a number back exactly, names in order, null left out."""
    text = json.dumps(_without_null(row), sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).digest()


def _without_null(value: Any) -> Any:
    """Leave out what is null in a row and the structs in it: a column that one set lacks is null in another."""
    if isinstance(value, dict):
        kept = {name: _without_null(part) for name, part in value.items()}
        return {name: part for name, part in kept.items() if part is not None and part != {}}
    return [_without_null(part) for part in value] if isinstance(value, list) else value
