"""Writing the tables of a set: small atomic commits, and what keeps tables small and quick to read."""

import itertools
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import lance
import pyarrow as pa

from longtake.lock import Lock
from longtake.places import Place, Remote
from longtake.schemas import SCHEMAS
from longtake.settings import claim_format
from longtake.store.columns import lists, one_of
from longtake.store.indices import index
from longtake.store.reading import KEY, SEARCHED, Tables

COMPACT_FROM_VERSIONS = 8
SHARED = ("judgements", "choices", "samples", "exports")
"""Tables that others write to beside the set's one writer: viewers and exports."""
LEFT_S = 60.0
"""An unfinished file of such a table is that of a killed writer after so long."""
UNFINISHED = (".tmp*", "*.manifest#*")
"""Names of files while they are written."""
SERIES_AT_ONCE = 64
SERIES_A_FILE = 50_000
"""Rows of signals that are a big file: compacting writes smaller ones together, and leaves this one alone."""


class Store(Tables):
    """The tables of one set folder, to be read and written.

    Who holds the set's lock names it, so that nothing is written once the set may be another's.
    """

    def __init__(self, folder: str | Place, lock: Lock | None = None) -> None:
        super().__init__(folder)
        self._lock = lock
        if lock:
            claim_format(self.folder)
            self._clear_unfinished()

    def append(self, table: str, rows: Sequence[Mapping[str, Any]], schema: pa.Schema | None = None) -> None:
        """Add rows in one commit."""
        if rows:
            self._write(table, pa.Table.from_pylist(list(rows), schema=schema or SCHEMAS[table]))

    def add_signals(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add series: rows with `video_id`, `key`, `label`, `step`, `version`, `parameters` and `series`."""
        if rows:
            plain = [row["series"] for row in rows]
            data = pa.table(
                {
                    **{name: [row[name] for row in rows] for name in ("video_id", "key", "label", "step", "version")},
                    "parameters": [json.dumps(row["parameters"], sort_keys=True) for row in rows],
                    "columns": [list(series["columns"]) for series in plain],
                    "times": lists([series["times"] for series in plain], pa.float64()),
                    "frames": lists([series["frames"] for series in plain], pa.int32()),
                    "values": lists([series["values"].ravel() for series in plain], pa.float32()),
                },
                schema=SCHEMAS["signals"],
            )
            self._write("signals", data)

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
        index(dataset, table)
        dataset.cleanup_old_versions(retain_versions=1)

    def set_key(self, table: str, key: str) -> None:
        """Say what the rows of a table were made of: for tables that are put there before all is done with them."""
        self._open_to_write(table).update_schema_metadata({KEY: key})

    def _clear_unfinished(self) -> None:
        """Remove what a killed writer left half written; of tables that others write to, what is old."""
        if not isinstance(self.folder, Path):
            return  # an object is put whole or not at all
        for table, name in itertools.product(SCHEMAS, UNFINISHED):
            for path in (self.folder / f"{table}.lance").glob(f"**/{name}"):
                if table not in SHARED or _is_old(path):
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
                # What a commit that a kill cut off has left is in no version. It is nobody's work under way where only
                # the set's one writer writes; whoever searches may make an index of words.
                alone = isinstance(self.folder, Path) and self._lock is not None and table not in (*SHARED, *SEARCHED)
                dataset.cleanup_old_versions(retain_versions=1, delete_unverified=alone)
            index(dataset, table)

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
            for known in dataset.describe_indices():
                dataset.drop_index(known.name)
            dataset.delete("false")
            # A row of signals may be as large as an hour of video is long.
            batch = SERIES_AT_ONCE if table == "signals" else None
            dataset.optimize.compact_files(materialize_deletions_threshold=0.0, batch_size=batch)
            index(dataset, table)
            dataset.cleanup_old_versions(retain_versions=1, delete_unverified=True)


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > LEFT_S
    except FileNotFoundError:
        return False  # it has got its name


def write_table(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    """Write one table beside those of a set, in one stream and one commit; the folder must not be there."""
    lance.write_dataset(pa.RecordBatchReader.from_batches(schema, iter(batches)), str(path), mode="create")
