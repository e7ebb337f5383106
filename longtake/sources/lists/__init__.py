"""Lists that published datasets ship, read as they are: which clips there are, where, and what is said of them.

A file here reads one form: it has the columns that the form `NEEDS`, and a function from a row to its clips. Forms are
told by what is in a file, never by its name, and a form may be in a CSV file, JSON lines or Parquet, packed with gzip.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from longtake.errors import UsageError
from longtake.sources import BadRow, Listed
from longtake.sources.lists import hdvila, internvid_g, lvd2m, miradata, ours, panda70m, plain, tables
from longtake.sources.lists._names import MADE
from longtake.sources.lists._rows import Table, Unread, look, rows
from longtake.sources.lists.ours import from_json, to_json

__all__ = ["MADE", "form_of", "from_json", "guess_of", "read_list", "to_json"]

Read = Callable[[Mapping[str, Any], int], Iterator[Listed | Unread]]
"""From a row and its number to its clips. Raises `ValueError` where the row is none."""

FORMS: dict[str, tuple[tuple[str, ...], Read]] = {
    "longtake": (ours.NEEDS, ours.clips),
    "lvd2m": (lvd2m.NEEDS, lvd2m.clips),
    "miradata": (miradata.NEEDS, miradata.clips),
    "miradata_v0": (miradata.NEEDS_V0, miradata.clips_v0),
    "internvid_g": (internvid_g.NEEDS, internvid_g.clips),
    "internvid_g_captions": (internvid_g.NEEDS_BEFORE, internvid_g.clips),
    "internvid": (internvid_g.NEEDS_INTERNVID, internvid_g.clips_internvid),
    "panda70m": (panda70m.NEEDS, panda70m.clips),
    "hdvila": (hdvila.NEEDS, hdvila.clips),
}
"""Columns that a form has, and what reads its rows; the first that fits is taken. `plain` and `table` have none."""


def form_of(path: str | Path) -> str:
    """Return which form a list has, by its content: one of `FORMS`, `plain`, or `table`.

    Raises `UsageError` for what is no list, and for a table whose columns don't say where the videos are.
    """
    return _form(look(Path(path)))[0]


def read_list(path: str | Path, *, mapping: Mapping[str, str] | None = None) -> Iterator[Listed | BadRow]:
    """Go through the clips that a list names, in its order, and the rows in it that name none.

    With `mapping` it is read as a table whose columns hold what that says: `{"url": "link", "start": "t0@ms"}`, as
    `tables.mapped` tells. Memory does not grow with the list. Raises `UsageError` at once, as `form_of` does.
    """
    table = look(Path(path))
    if mapping:
        if table.kind == "plain":
            raise UsageError(f"{path} is a plain list, without columns: leave the mapping out")
        return _clips(table, partial(tables.clips, columns=tables.mapped(mapping, table.columns)))
    return _clips(table, _form(table)[1])


def guess_of(path: str | Path) -> str:
    """Return in words which columns of a table are taken for what by their names, empty for a list of a known form.

    Raises `UsageError` as `form_of` does.
    """
    table = look(Path(path))
    return tables.in_words(tables.guessed(table.columns)) if _form(table)[0] == "table" else ""


def _form(table: Table) -> tuple[str, Read]:
    if table.kind == "plain":
        return "plain", plain.clips
    has = set(table.columns)
    for name, (needs, read) in FORMS.items():
        if has.issuperset(needs) and (name != "lvd2m" or not has.isdisjoint(lvd2m.ONE_OF)):
            return name, read
    try:
        columns = tables.guessed(table.columns)
    except UsageError as error:
        raise UsageError(f"{table.path}: {error}") from error
    return "table", partial(tables.clips, columns=columns)


def _clips(table: Table, read: Read) -> Iterator[Listed | BadRow]:
    for number, row in rows(table):
        if isinstance(row, Unread):
            yield BadRow(table.path, number, row.problem)
            continue
        try:
            for found in read(row, number):
                yield BadRow(table.path, number, found.problem) if isinstance(found, Unread) else found
        except ValueError as error:
            yield BadRow(table.path, number, str(error))
