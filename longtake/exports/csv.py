"""Clips as a CSV table."""

from collections.abc import Iterable
from pathlib import Path

from longtake.errors import UsageError
from longtake.exports import Place, Row
from longtake.exports._columns import read_columns, with_first
from longtake.exports._text import TextFiles, csv_header, to_csv

VERSION = 1
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a cell begins with that spreadsheets run as a formula, some of them the wide forms too."""


def csv(
    rows: Iterable[Row], folder: Path, place: Place, *, caption: str = "", columns: str = "", guard: bool = True
) -> None:
    """One line a clip, with its scores; an empty cell where a score was not measured.

    Layout: `train.csv` beside `train/<clip>.mp4`, and the same for every other split. Paths are relative to the
    export. Comma, double quotes, UTF-8; texts are quoted, and may hold newlines.

    caption: the kind that the column `caption` has, as `refined` or `lvd2m.raw`; empty: the best there is.
    columns: NAME=SOURCE, separated by commas, instead of the usual columns; the sources are those of `jsonl`, but
        for `captions`, which no cell can hold.
    guard: put a ' before texts that a spreadsheet would run as a formula, those that begin with = + - @ or their wide
        forms, a tab, a carriage return or a new line. Turn it off where programs alone read the table and texts must
        be exact to the byte.
    """
    first, rows = with_first(rows)
    wanted = read_columns(columns, first, caption=caption, captions=False)
    if any(column.type == "captions" for column in wanted):
        raise UsageError("a CSV cell can't hold all captions; export as jsonl or parquet, or name kinds: caption:KIND")
    with TextFiles(folder, first=csv_header([column.name for column in wanted])) as files:
        for row in rows:
            path = f"{row.split}/{row.id}.mp4"
            placed = place(row, path)
            cells = [column.get(row, placed, path) for column in wanted]
            files.write(f"{row.split}.csv", to_csv([_guarded(cell) for cell in cells] if guard else cells))


def _guarded(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
