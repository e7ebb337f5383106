"""Files of lists as rows, one after the other: CSV, JSON lines, Parquet, plain lines; packed with gzip or not.

What a file is shows in its content, never in its name. What can't be read of it costs that row alone.
"""

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

from longtake.errors import UsageError
from longtake.places import SCHEMES
from longtake.sources.lists._records import DAMAGED, MOST_BYTES, TextLines, records
from longtake.sources.lists._values import MOST_CHARS, Row

FIRST = 20
"""Lines that are looked at to tell what a file is."""
BATCH = 512
"""Rows of a Parquet file that are in memory at once."""
DELIMITERS = (",", "\t", ";", "|")

_PLAIN = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*:\S+|(?=.*[A-Z0-9-])[A-Za-z0-9_-]{11}|(?:www\.|m\.)?(?:youtube\.com|youtu\.be)/\S+"
    rf"|(?:{'|'.join(SCHEMES)})://[^,;|\t]+"
)
_NO_HEADER = re.compile(r"[a-z0-9]+://[^\s,;|]+\s*[,;|\t]\s*[\d:.]+\s*(?:[,;|\t].*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Unread:
    """A row, or one of the clips in it, that can't be used."""

    problem: str


@dataclass(frozen=True, slots=True)
class Table:
    """What a file of rows is."""

    path: Path
    kind: Literal["csv", "json", "parquet", "plain"]
    columns: tuple[str, ...] = ()
    delimiter: str = ","


def look(path: Path) -> Table:
    """Return what a file is, by its first lines. Raises `UsageError` where it is no file of rows."""
    if not path.is_file():
        raise UsageError(f"{path}: no such file")
    with path.open("rb") as raw:
        magic = raw.read(4)
    if magic == b"PAR1":
        return _look_parquet(path)
    if magic == b"PK\x03\x04":
        raise UsageError(f"{path} is a zip file: unzip it, and give the list that is in it")
    with opened(path) as file:
        try:
            lines = [line for _, line in islice(_bounded(file, MOST_BYTES), FIRST)]
        except DAMAGED as error:
            raise UsageError(f"{path} is cut off or damaged: {error}") from error
    filled = [line for line in (_or_empty(line).removeprefix(b"\xef\xbb\xbf").strip() for line in lines) if line]
    if not filled:
        raise UsageError(f"{path} is empty, or its first {FIRST} lines are: give a list with rows")
    if b"\0" in b"".join(filled):
        raise UsageError(f"{path} is no list: no text in UTF-8, and no Parquet file")
    objects = [found for found in (_json(line) for line in filled) if isinstance(found, dict)]
    if objects and filled[0].startswith(b"{"):
        return Table(path, "json", tuple(dict.fromkeys(key for found in objects for key in found)))
    if filled[0][:1] in b"[{":
        raise UsageError(f"{path}: no JSON object on one of its first {FIRST} lines; write one object a line")
    texts = [line.decode(errors="replace") for line in filled if not line.startswith(b"#")]
    if not texts:
        raise UsageError(f"{path}: nothing but comments in its first {FIRST} lines")
    if _NO_HEADER.fullmatch(texts[0]):
        raise UsageError(f"{path} has no line that names its columns: put one on top, as url,start,end")
    plain = [bool(_PLAIN.fullmatch(line)) for line in texts]
    if plain[0] and 2 * sum(plain) > len(plain):
        return Table(path, "plain")
    delimiter, names = _header(lines)
    return Table(path, "csv", tuple(names), delimiter)


def _header(lines: list[bytes | Unread]) -> tuple[str, list[str]]:
    """Return the delimiter of a CSV file, and the names of its columns: each once, later ones numbered."""
    text = b"".join(_or_empty(line) for line in lines).decode("utf-8-sig", errors="replace")
    first = {mark: _first(text, mark) for mark in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda mark: len(first[mark]))
    names: list[str] = []
    for name in (name.strip() for name in first[delimiter]):
        names.append(f"{name}_{len(names) + 1}" if name and name in names else name)
    return delimiter, names


def _first(text: str, delimiter: str) -> list[str]:
    try:
        return next((row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row), [])
    except csv.Error:
        return []


def rows(table: Table) -> Iterator[tuple[int, Row | Unread]]:
    """Go through a file: the number of each row from 1 on, of lines that of the line, and what is in it."""
    if table.kind == "csv":
        yield from _csv_rows(table)
    elif table.kind == "parquet":
        yield from _parquet_rows(table)
    elif table.kind == "json":
        yield from ((at, found) for at, found in json_lines(table.path, MOST_BYTES) if found is not None)
    else:
        yield from _plain_rows(table)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file to read bytes, unpacked where it is packed with gzip."""
    with path.open("rb") as raw:
        if raw.peek(2)[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=raw) as unpacked:
                yield cast(BinaryIO, unpacked)
        else:
            yield raw


def json_lines(path: Path, most: int = -1) -> Iterator[tuple[int, dict[str, Any] | Unread | None]]:
    """Go through the objects in a file of JSON lines; None for an empty line. A line has `most` bytes, -1: any."""
    number = 0
    with opened(path) as file:
        try:
            for number, line in _bounded(file, most):
                if isinstance(line, Unread):
                    yield number, line
                elif not line.strip():
                    yield number, None
                else:
                    found = _json(line)
                    yield number, found if isinstance(found, (dict, Unread)) else Unread("no JSON object")
        except DAMAGED as error:
            yield number + 1, Unread(f"the file is cut off or damaged: {error}")


def _json(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        return Unread(f"no JSON, perhaps half written: {error}")


def _or_empty(line: bytes | Unread) -> bytes:
    return b"" if isinstance(line, Unread) else line


def _bounded(file: BinaryIO, most: int) -> Iterator[tuple[int, bytes | Unread]]:
    number = 0
    while line := file.readline(most):
        number += 1
        if len(line) < most or most < 0 or line.endswith(b"\n"):
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(most)
        yield number, Unread(f"a line of more than {most} bytes")


def _csv_rows(table: Table) -> Iterator[tuple[int, Row | Unread]]:
    csv.field_size_limit(max(csv.field_size_limit(), MOST_CHARS))
    number = -1
    with opened(table.path) as raw:
        lines = TextLines(io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline=""))
        for cells in records(lines, table.delimiter):
            number += 1
            if isinstance(cells, str):
                yield max(number, 1), Unread(cells)
            elif number > 0:  # the first is the header
                found = _cells(table, cells)
                if found is not None:
                    yield number, found
        if lines.damage:
            yield number + 1, Unread(f"the file is cut off or damaged: {lines.damage}")


def _cells(table: Table, cells: list[str]) -> Row | Unread | None:
    """Return a row of cells by column; None for one of empty cells alone, as some files end with."""
    if not any(cells):
        return None
    wide = len(table.columns)
    if len(cells) < wide or any(cells[wide:]):
        return Unread(f"{len(cells)} cells; the first line names {wide} columns")
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return Unread("bytes that are no UTF-8")
    return dict(zip(table.columns, cells, strict=False))


def _plain_rows(table: Table) -> Iterator[tuple[int, Row | Unread]]:
    with opened(table.path) as file:
        number = 0
        try:
            for number, line in _bounded(file, MOST_BYTES):
                if isinstance(line, Unread):
                    yield number, line
                    continue
                text = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
                if not text or text.startswith(b"#"):
                    continue
                try:
                    yield number, {"": text.decode()}
                except UnicodeDecodeError:
                    yield number, Unread("bytes that are no UTF-8")
        except DAMAGED as error:
            yield number + 1, Unread(f"the file is cut off or damaged: {error}")


def _look_parquet(path: Path) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise UsageError(f"{path} is no whole Parquet file: {error}") from error
    kinds = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    # columns of bytes hold videos and pictures
    return Table(path, "parquet", tuple(one.name for one in schema if not any(kind(one.type) for kind in kinds)))


def _parquet_rows(table: Table) -> Iterator[tuple[int, Row | Unread]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    with pq.ParquetFile(table.path, buffer_size=1 << 20, pre_buffer=False) as file:
        try:
            for batch in file.iter_batches(BATCH, columns=list(table.columns), use_threads=False):
                for at in range(batch.num_rows):
                    number += 1
                    try:
                        yield number, batch.slice(at, 1).to_pylist()[0]
                    except UnicodeDecodeError:
                        yield number, Unread("bytes that are no UTF-8")
        except (pa.ArrowInvalid, OSError) as error:
            yield number + 1, Unread(f"the file is cut off or damaged: {error}")
