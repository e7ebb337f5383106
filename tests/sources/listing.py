"""Lists as strangers write them: made files, and what was read of them."""

import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from longtake.sources import BadRow, Listed
from longtake.sources.lists import read_list

YOUTUBE = "https://www.youtube.com/watch?v=BlUTkf-_GTg"


def write_csv(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], *, packed: bool = False) -> Path:
    """Write a CSV file; a row's columns that it lacks are empty."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return write(path, out.getvalue(), packed=packed)


def write_json(path: Path, rows: Sequence[Any], *, packed: bool = False) -> Path:
    """Write JSON lines; texts go in as they are."""
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    return write(path, "".join(f"{line}\n" for line in lines), packed=packed)


def write(path: Path, text: str | bytes, *, packed: bool = False) -> Path:
    found = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(found) if packed else found)
    return path


def good(path: Path, **options: Any) -> list[Listed]:
    """Return the clips of a list that has no bad row."""
    found = list(read_list(path, **options))
    assert [one for one in found if isinstance(one, BadRow)] == []
    return found


def bad(path: Path, **options: Any) -> dict[int, str]:
    """Return the problems of a list's bad rows."""
    return {one.row: one.problem for one in read_list(path, **options) if isinstance(one, BadRow)}
