"""Reading the tables of a set: rows, columns, what is near and what holds some words."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import lance
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from lance.lance import _Session as Session
from lance.query import FullTextOperator, MatchQuery
from numpy.typing import NDArray

from longtake.errors import SetError
from longtake.places import Place, Remote, fault, options_of, set_folder
from longtake.schemas import SCHEMAS
from longtake.store.columns import one_of

ROWS_AT_ONCE = 8192
WIDE_ROWS_AT_ONCE = 1024
"""With all columns of ten million clips Lance's own number waits for itself and never ends (pylance 14)."""
READ_AHEAD = 64 << 20
"""Bytes that a stream of rows may hold before they are asked for."""
KEY = "made of"
NEAREST = "vector"
"""The column of a table that is searched for what is near."""
PROBED = 24
"""Parts of an index that are searched, of as many as its rows' number has a root. Of 100,000 signatures with planted
copies none was missed (`benchmarks/copies.py`)."""
SEARCHED = {"captions": "text"}
"""Tables in which words are looked for -> the column with the words."""

Batches = Iterator[pa.RecordBatch]


class ChangedError(SetError):
    """A table is no more as it was: what a snapshot of it would read has been cleaned up."""


class Snapshot:
    """A table as it is at one moment, whoever writes it later; its columns are read when they are asked for."""

    def __init__(self, tables: "Tables", table: str) -> None:
        self._tables, self._table = tables, table
        self._dataset: lance.LanceDataset | None = tables._open(table) if tables.has(table) else None
        dataset = self._dataset
        # `is None`, for a table without rows is false.
        self.version = 0 if dataset is None else int(dataset.version)
        self.rows = 0 if dataset is None else int(dataset.count_rows())
        self.schema: pa.Schema = SCHEMAS[table] if dataset is None else dataset.schema

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Return some columns, parts of nested ones as `motion.mean`; null what the table lacks.

        Raises `ChangedError` where what it would read is gone.
        """
        return self._columns(columns, self.rows, lambda dataset, there: dataset.to_table(columns=there))

    def take(self, rows: Sequence[int], columns: Sequence[str]) -> pa.Table:
        """Return some columns of the rows at these places, in this order; else as `read`."""
        return self._columns(columns, len(rows), lambda dataset, there: dataset.take(rows, columns=there))

    def _columns(
        self, columns: Sequence[str], count: int, get: Callable[[lance.LanceDataset, list[str]], pa.Table]
    ) -> pa.Table:
        there = [name for name in columns if name.partition(".")[0] in self.schema.names]
        if self._dataset is None or not there:
            return pa.table({name: pa.nulls(count, SCHEMAS[self._table].field(name).type) for name in columns})
        try:
            data = get(self._dataset, there)
        except (ValueError, OSError) as error:
            self._tables._check_unchanged(self._table, self.version, error)
            raise SetError(f"{self._tables.table_path(self._table)} can't be read: {error}") from error
        for name in columns:
            if name not in there:
                data = data.append_column(name, pa.nulls(count, SCHEMAS[self._table].field(name).type))
        return data.select(list(columns))


class Tables:
    """The tables of one set folder, here or on an object store, to be read."""

    def __init__(self, folder: str | Place) -> None:
        self.folder = set_folder(folder)
        self._pinned: dict[str, lance.LanceDataset | None] | None = None
        """Tables as they were when they were first looked at; nothing unless `pinned`."""
        self._there: set[str] = set()
        """Tables on an object store that are known to be there: each look is a request."""
        # What was read of a table's versions once is not read again, which on an object store is half of all requests.
        self._options: dict[str, Any] = (
            {"storage_options": options_of(self.folder), "session": Session()}
            if isinstance(self.folder, Remote)
            else {}
        )

    def pinned(self) -> "Tables":
        """Return a reader to whom every table stays as it is when it is first read, whoever writes it meanwhile."""
        reader = Tables(self.folder)
        reader._pinned = {}
        return reader

    def table_path(self, table: str) -> Place:
        """Return where a table lies."""
        return self.folder / f"{table}.lance"

    def has(self, table: str) -> bool:
        """Return whether a table has ever been written: one that a kill left without a first version was not."""
        if self._pinned is None:
            return self._has(table)
        if table not in self._pinned:
            self._pinned[table] = self._latest(table) if self._has(table) else None
        return self._pinned[table] is not None

    def _has(self, table: str) -> bool:
        path = self.table_path(table)
        if isinstance(path, Remote):
            if table not in self._there and (path / "_versions").is_dir():
                self._there.add(table)
            return table in self._there
        if not path.is_dir():
            return False
        strange = any(part.name != "data" and not part.name.startswith("_") for part in path.iterdir())
        # A kill may leave the first version under the name that it had while it was written.
        return strange or any((path / "_versions").glob("*.manifest"))

    def read(self, table: str, columns: Sequence[str] | None = None, where: str | None = None) -> pa.Table:
        """Return a table or some columns of it (nested ones as `motion.mean`); empty where nothing was written yet.

        A column that the version which wrote the table did not know is null.
        """
        schema = SCHEMAS[table]
        if not self.has(table):
            return schema.empty_table().select(list(columns) if columns else schema.names)
        dataset = self._open(table)
        there = dataset.schema.names
        unknown = [name for name in columns or schema.names if name in schema.names and name not in there]
        try:
            asked = [name for name in columns or there if name not in unknown]
            few = None if columns else WIDE_ROWS_AT_ONCE
            data = dataset.to_table(columns=asked, filter=where, batch_size=few)
        except (ValueError, OSError) as error:
            self._check_unchanged(table, dataset.version, error)
            if isinstance(self.folder, Remote) and (problem := fault(error)):
                raise SetError(f"{self.table_path(table)} can't be read: {problem}") from error
            raise
        for name in unknown:
            data = data.append_column(schema.field(name), pa.nulls(data.num_rows, schema.field(name).type))
        return data.select(list(columns)) if columns and unknown else data

    def _open(self, table: str) -> lance.LanceDataset:
        pinned = self._pinned.get(table) if self._pinned else None
        return self._latest(table) if pinned is None else pinned

    def _latest(self, table: str) -> lance.LanceDataset:
        try:
            return lance.dataset(str(self.table_path(table)), **self._options)
        except (ValueError, OSError) as error:
            problem = fault(error) if isinstance(self.folder, Remote) else ""
            raise SetError(f"{self.table_path(table)} can't be read: {problem or error}") from error

    def _check_unchanged(self, table: str, version: int, error: Exception) -> None:
        """Raise `ChangedError` where an error may come from what another process cleaned up since a version."""
        now = int(self._latest(table).version) if self._has(table) else 0
        if now != version:
            raise ChangedError(f"{self.table_path(table)} was changed meanwhile; ask again") from error

    def version(self, table: str) -> int:
        """Return a number that changes whenever the table does; 0 where it was never written."""
        return int(self._open(table).version) if self.has(table) else 0

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        return int(self._open(table).count_rows()) if self.has(table) else 0

    def columns(self, table: str) -> pa.Schema:
        """Return a table's schema as it is now, scores included."""
        return self._open(table).schema if self.has(table) else SCHEMAS[table]

    def stream(self, table: str, columns: Sequence[str] | None = None, at_once: int = ROWS_AT_ONCE) -> Batches:
        """Go through a table, or some columns of it, so many rows at a time; nothing where it was never written."""
        if self.has(table):
            some = list(columns) if columns else None
            dataset = self._open(table)
            yield from dataset.to_batches(
                columns=some, batch_size=at_once, batch_readahead=2, io_buffer_size=READ_AHEAD
            )

    def distinct(self, table: str, column: str) -> set[str]:
        """Return the values of a text column, of however many rows; null is none."""
        found: set[str] = set()
        for batch in self.stream(table, [column]):
            found.update(pc.unique(batch[column].drop_null()).to_pylist())
        return found

    def key(self, table: str) -> str:
        """Return what the rows of a table that was last put there as a whole were made of; empty where none were."""
        metadata = self._open(table).schema.metadata if self.has(table) else None
        return str((metadata or {}).get(KEY.encode(), b"").decode())

    def nearest(
        self, table: str, vectors: NDArray[np.float32], k: int, least: float = -1.0, where: str | None = None
    ) -> pa.Table:
        """Return the rows with the most alike vectors, up to `k` for each of n given, shape (n, d), all of length 1.

        Beside the table's other columns, `query` is the place of the given vector and `cosine` how alike the two are,
        `least` at least; of rows that the SQL filter `where` leaves. A big table is searched through its index, which
        may miss rows that are hardly alike.
        """
        names = [name for name in self.columns(table).names if name != NEAREST]
        if not self.count(table) or not len(vectors):
            schema = pa.schema([("query", pa.int32()), *(SCHEMAS[table].field(name) for name in names)])
            return schema.append(pa.field("cosine", pa.float32())).empty_table()
        search = {"column": NEAREST, "q": vectors, "k": k, "metric": "cosine", "nprobes": PROBED}
        columns = [*names, "_distance"]
        found = self._open(table).to_table(columns=columns, filter=where, prefilter=where is not None, nearest=search)
        cosine = pc.subtract(pa.scalar(1, pa.float32()), found["_distance"])
        found = found.drop_columns(["_distance"]).append_column("cosine", cosine)
        found = found.rename_columns(["query", *found.column_names[1:]])
        return found.filter(pc.greater_equal(cosine, least)) if least > -1 else found

    def search(self, table: str, words: str, columns: Sequence[str]) -> pa.Table:
        """Return some columns of the rows whose text has all the words, or forms of them, and `_score`: how well.

        Goes by an index of the words, which is made where there is none.
        """
        if not self.has(table):
            return self.read(table, columns).append_column("_score", pa.nulls(0, pa.float32()))
        column = SEARCHED[table]
        try:
            if not any(index.field_names == [column] for index in self._open(table).describe_indices()):
                self._open(table).create_scalar_index(column, "INVERTED")
            query = MatchQuery(words, column, operator=FullTextOperator.AND)
            return self._open(table).to_table(columns=[*columns, "_score"], full_text_query=query)
        except (ValueError, OSError) as error:
            raise SetError(f"{self.table_path(table)} can't be searched: {error}") from error

    def signals_of(
        self, video_ids: Sequence[str], keys: Sequence[str] | None = None
    ) -> dict[str, dict[str, dict[str, Any]]]:
        """Return series of some videos, all or those of some keys: video id -> key -> the fields of a `Series`."""
        found: dict[str, dict[str, dict[str, Any]]] = {video_id: {} for video_id in video_ids}
        if not found:
            return found
        columns = ["video_id", "key", "columns", "times", "frames", "values"]
        where = one_of("video_id", video_ids) + (f" AND {one_of('key', keys)}" if keys is not None else "")
        table = self.read("signals", columns, where)
        for row in range(table.num_rows):
            names = tuple(table["columns"][row].as_py())
            times, frames, values = (table[name][row].values.to_numpy() for name in ("times", "frames", "values"))
            series = {
                "columns": names,
                "times": times,
                "frames": frames,
                "values": values.reshape(len(times), len(names)),
            }
            found[table["video_id"][row].as_py()][table["key"][row].as_py()] = series
        return found
