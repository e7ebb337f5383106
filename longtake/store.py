"""The set's tables, on Lance: explicit schemas, small atomic commits, scores as columns. The only file that knows it.

A score `motion.mean` is field `mean` of struct column `motion`, so a rule's text is also a SQL filter on `clips`.
"""

import itertools
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import lance
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from lance.lance import _Session as Session
from lance.query import FullTextOperator, MatchQuery
from numpy.typing import NDArray

from longtake.errors import SetError
from longtake.lock import Lock
from longtake.places import Place, Remote, fault, options_of, set_folder
from longtake.schemas import SCHEMAS
from longtake.settings import claim_format

INDEX_FROM_ROWS = 10_000
"""From so many rows on, looking a video up in a table goes through an index."""
COMPACT_FROM_VERSIONS = 8
SERIES_AT_ONCE = 64
SERIES_A_FILE = 50_000
"""Rows of signals that are a big file: compacting writes smaller ones together, and leaves this one alone."""
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
TRAINED_BY = 256
"""Rows that each part of such an index is made from, at most."""
OWNERS = ("clip_id", "video_id", "video")
"""Columns that rows are asked for by; `video` is a file's name, of what lists say."""
SEARCHED = {"captions": "text"}
"""Tables in which words are looked for -> the column with the words."""


Batches = Iterator[pa.RecordBatch]


class ChangedError(SetError):
    """A table is no more as it was: what a snapshot of it would read has been cleaned up."""


class Snapshot:
    """A table as it is at one moment, whoever writes it later; its columns are read when they are asked for."""

    def __init__(self, store: "Store", table: str) -> None:
        self._store, self._table = store, table
        self._dataset: lance.LanceDataset | None = store._open(table) if store.has(table) else None
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
            self._store._check_unchanged(self._table, self.version, error)
            raise SetError(f"{self._store.table_path(self._table)} can't be read: {error}") from error
        for name in columns:
            if name not in there:
                data = data.append_column(name, pa.nulls(count, SCHEMAS[self._table].field(name).type))
        return data.select(list(columns))


class Store:
    """The tables of one set folder, here or on an object store.

    Who holds the set's lock names it, so that nothing is written once the set may be another's.
    """

    def __init__(self, folder: str | Place, lock: Lock | None = None) -> None:
        self.folder = set_folder(folder)
        self._lock = lock
        if lock:
            claim_format(self.folder)
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

    def pinned(self) -> "Store":
        """Return a reader to whom every table stays as it is when it is first read, whoever writes it meanwhile."""
        reader = Store(self.folder)
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
        return strange or ((path / "_versions").is_dir() and any((path / "_versions").iterdir()))

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

    def append(self, table: str, rows: Sequence[Mapping[str, Any]], schema: pa.Schema | None = None) -> None:
        """Add rows in one commit."""
        if rows:
            self._write(table, pa.Table.from_pylist(list(rows), schema=schema or SCHEMAS[table]))

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

    def extend(self, table: str, batches: Iterable[pa.RecordBatch]) -> None:
        """Add rows of the table's own columns, in one stream and one commit; none where there is no row."""
        stream = iter(batches)
        if (first := next(stream, None)) is not None:
            dataset = self._open_to_write(table)
            reader = pa.RecordBatchReader.from_batches(dataset.schema, itertools.chain([first], stream))
            lance.write_dataset(reader, dataset, mode="append")

    def widen(self, table: str, schema: pa.Schema) -> None:
        """Let a table have some columns, and parts of scores, besides its own; it is there afterwards."""
        if self.has(table):
            self._add_missing_columns(table, schema)
        else:
            self._write(table, schema.empty_table())

    def _write(self, table: str, data: pa.Table) -> None:
        if self.has(table):
            lance.write_dataset(data, self._add_missing_columns(table, data.schema), mode="append")
        else:
            self._put(table, data, "create")

    def _put(self, table: str, data: pa.Table | pa.RecordBatchReader, mode: str) -> None:
        """Write a table as a whole."""
        self._check_held()
        self.folder.mkdir(parents=True, exist_ok=True)
        options = self._options.get("storage_options")
        lance.write_dataset(data, str(self.table_path(table)), mode=mode, storage_options=options)

    def _open_to_write(self, table: str) -> lance.LanceDataset:
        self._check_held()
        return self._open(table)

    def _check_held(self) -> None:
        if self._lock:
            self._lock.check()

    def _add_missing_columns(self, table: str, schema: pa.Schema) -> lance.LanceDataset:
        """Give a table the columns, or parts of a score, that it lacks: null for the rows it has; return it."""
        dataset = self._open_to_write(table)
        missing = []
        for wanted in schema:
            index = dataset.schema.get_field_index(wanted.name)
            if index < 0:
                missing.append(wanted)
            elif pa.types.is_struct(wanted.type):
                there = {part.name for part in dataset.schema.field(index).type}
                parts = [part for part in wanted.type if part.name not in there]
                if parts:
                    missing.append(pa.field(wanted.name, pa.struct(parts)))
        if missing:
            dataset.add_columns(pa.schema(missing))
        return dataset

    def delete(self, table: str, column: str, values: Iterable[str], also: str = "true") -> None:
        """Remove the rows whose text column has one of the values, and for which the SQL filter `also` holds."""
        where = one_of(column, values)
        if where != "false" and self.has(table):
            self._open_to_write(table).delete(f"{where} AND {also}")

    def update(self, table: str, key: str, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> None:
        """Set some columns (those of `schema`, `key` among them) of the rows with the same key, in one commit."""
        if rows:
            self.update_columns(table, key, pa.Table.from_pylist(list(rows), schema=schema))

    def update_columns(self, table: str, key: str, data: pa.Table) -> None:
        """Set the columns of `data`, `key` among them, of the rows with the same key, in one commit."""
        dataset = self._add_missing_columns(table, data.schema)
        dataset.merge_insert(key).when_matched_update_all().execute(data)

    def rewrite(self, table: str, data: pa.Table) -> None:
        """Set some columns of all rows, given in the order in which rows are read, in one commit.

        No other column is written again, which of many rows `update_columns` does.
        """
        dataset = self._add_missing_columns(table, data.schema)
        fragments: list[Any] = []
        fields: set[int] = set()
        start = 0
        for fragment in dataset.get_fragments():
            rows = fragment.to_table(columns=[], with_row_id=True)["_rowid"]
            changed, modified = fragment.update_columns(
                data.slice(start, len(rows)).append_column("_rowid", rows), left_on="_rowid"
            )
            fragments.append(changed)
            fields.update(modified)
            start += len(rows)
        operation = lance.LanceOperation.Update(
            updated_fragments=fragments, fields_modified=sorted(fields), update_mode="rewrite_columns"
        )
        lance.LanceDataset.commit(dataset, operation, read_version=dataset.version)

    def replace(self, table: str, batches: Iterable[pa.RecordBatch], key: str, schema: pa.Schema | None = None) -> None:
        """Put other rows in a table's place, in one stream and one commit; `key` names what they were made of."""
        schema = (schema or SCHEMAS[table]).with_metadata({KEY: key})
        mode = "overwrite" if self.has(table) else "create"
        raised: list[Exception] = []

        def rows() -> Iterator[pa.RecordBatch]:
            try:
                for batch in batches:
                    yield batch.cast(schema)
            except Exception as error:  # on its way through the writer it would lose its type
                raised.append(error)
                raise

        try:
            reader = pa.RecordBatchReader.from_batches(schema, rows())
            self._put(table, reader, mode)
        except (OSError, ValueError):
            if raised:
                raise raised[0] from None
            raise
        dataset = self._open(table)
        _index(dataset, table)
        dataset.cleanup_old_versions(retain_versions=1)

    def key(self, table: str) -> str:
        """Return what the rows of a table that was last put there as a whole were made of; empty where none were."""
        metadata = self._open(table).schema.metadata if self.has(table) else None
        return str((metadata or {}).get(KEY.encode(), b"").decode())

    def set_key(self, table: str, key: str) -> None:
        """Say what the rows of a table were made of: for tables that are put there before all is done with them."""
        self._open_to_write(table).update_schema_metadata({KEY: key})

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

    def clear_unfinished(self) -> None:
        """Remove what a killed writer left half written; only the set's one writer may ask for it."""
        if isinstance(self.folder, Path):  # an object is put whole or not at all
            for path in self.folder.glob("*.lance/**/.tmp*"):
                path.unlink(missing_ok=True)

    def compact(self, tables: Iterable[str] = tuple(SCHEMAS)) -> None:
        """Merge small files, drop old versions, and index big tables by clip or video, and their texts by words."""
        for table in tables:
            if not self.has(table):
                continue
            dataset = self._open_to_write(table)
            if self._versions(dataset, table) >= COMPACT_FROM_VERSIONS:
                # A row of signals may be as large as an hour of video is long; big files of them stay as they are.
                if table == "signals":
                    dataset.optimize.compact_files(target_rows_per_fragment=SERIES_A_FILE, batch_size=SERIES_AT_ONCE)
                else:
                    dataset.optimize.compact_files()
                dataset.cleanup_old_versions(retain_versions=1)
            _index(dataset, table)

    def _versions(self, dataset: lance.LanceDataset, table: str) -> int:
        path = self.table_path(table)
        # Lance reads each of them to tell how many there are.
        return sum(1 for _ in (path / "_versions").walk()) if isinstance(path, Remote) else len(dataset.versions())

    def purge(self) -> None:
        """Write anew what has deleted rows in it, and drop old versions: no byte of deleted rows is left.

        Only the set's one writer may ask for it.
        """
        for table in SCHEMAS:
            if not self.has(table):
                continue
            dataset = self._open_to_write(table)
            # An index keeps the values of deleted rows, and the version that deleted them the filter that named them.
            for index in dataset.describe_indices():
                dataset.drop_index(index.name)
            dataset.delete("false")
            # A row of signals may be as large as an hour of video is long.
            batch = SERIES_AT_ONCE if table == "signals" else None
            dataset.optimize.compact_files(materialize_deletions_threshold=0.0, batch_size=batch)
            _index(dataset, table)
            dataset.cleanup_old_versions(retain_versions=1, delete_unverified=True)

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

    def add_signals(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add series: rows with `video_id`, `key`, `label`, `step`, `version`, `parameters` and `series`."""
        if rows:
            plain = [row["series"] for row in rows]
            data = pa.table(
                {
                    **{name: [row[name] for row in rows] for name in ("video_id", "key", "label", "step", "version")},
                    "parameters": [json.dumps(row["parameters"], sort_keys=True) for row in rows],
                    "columns": [list(series["columns"]) for series in plain],
                    "times": _lists([series["times"] for series in plain], pa.float64()),
                    "frames": _lists([series["frames"] for series in plain], pa.int32()),
                    "values": _lists([series["values"].ravel() for series in plain], pa.float32()),
                },
                schema=SCHEMAS["signals"],
            )
            self._write("signals", data)

    def signals_of(
        self, video_ids: Sequence[str], keys: Sequence[str] | None = None
    ) -> dict[str, dict[str, dict[str, Any]]]:
        """Return series of some videos, all or those of some keys: video id -> key -> the fields of a `Series`."""
        found: dict[str, dict[str, dict[str, Any]]] = {video_id: {} for video_id in video_ids}
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


def _index(dataset: lance.LanceDataset, table: str) -> None:
    """Index a big table by clip and video, or bring its indices up to date."""
    if dataset.count_rows() < INDEX_FROM_ROWS:
        return
    there = {tuple(index.field_names) for index in dataset.describe_indices()}
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


def _lists(arrays: Sequence[NDArray[Any]], of: pa.DataType) -> pa.ListArray:
    """Return arrays as one column of lists, without a Python object for each number."""
    offsets = np.concatenate([[0], np.cumsum([len(array) for array in arrays])]).astype(np.int32)
    values = pa.array(np.concatenate(arrays) if arrays else np.empty(0), of)
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def write_table(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    """Write one table beside those of a set, in one stream and one commit; the folder must not be there."""
    lance.write_dataset(pa.RecordBatchReader.from_batches(schema, iter(batches)), str(path), mode="create")


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
