"""Columns of a table as arrays and back, and filters on them."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def one_of(column: str, values: Iterable[str]) -> str:
    """Return the SQL filter for rows whose text column has one of the values; of none, no row."""
    quoted = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return f"{column} IN ({quoted})" if quoted else "false"


def score_columns(table: pa.Table) -> dict[str, NDArray[np.float64]]:
    """Return every number of a clips table as a flat column, NaN where null: `duration_s`, `motion.mean`, ..."""
    columns: dict[str, NDArray[np.float64]] = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        array = column.combine_chunks()
        if pa.types.is_struct(field.type):
            for part, values in zip(field.type, array.flatten(), strict=True):
                columns[f"{field.name}.{part.name}"] = _numbers(values)
        elif pa.types.is_integer(field.type) or pa.types.is_floating(field.type):
            columns[field.name] = _numbers(array)
    return columns


def _numbers(array: pa.Array) -> NDArray[np.float64]:
    return np.asarray(array.cast(pa.float64()).fill_null(float("nan")), np.float64)


def lists(arrays: Sequence[NDArray[Any]], of: pa.DataType) -> pa.ListArray:
    """Return arrays as one column of lists, without a Python object for each number."""
    offsets = np.concatenate([[0], np.cumsum([len(array) for array in arrays])]).astype(np.int32)
    values = pa.array(np.concatenate(arrays) if arrays else np.empty(0), of)
    return pa.ListArray.from_arrays(pa.array(offsets), values)
