"""Text files of exports: written row by row, with the same bytes each time, and read back as they were."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

NEWLINES = re.compile("[\u0085\u2028\u2029]")
"""Characters that `str.splitlines` takes for the end of a line, and JSON does not escape."""


class TextFiles:
    """Files that are opened when first written to, as one for each split, and closed together.

    Each begins with `first`, ends with `last`, and has `between` between its pieces.
    """

    def __init__(self, folder: Path, *, first: str = "", between: str = "", last: str = "") -> None:
        self.folder, self.first, self.between, self.last = folder, first, between, last
        self._open: dict[str, TextIO] = {}
        self._stack = ExitStack()

    def __enter__(self) -> "TextFiles":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        with self._stack:
            for file in self._open.values():
                file.write(self.last)

    def write(self, path: str, text: str) -> None:
        """Write a piece to the file at a path relative to the folder."""
        file = self._open.get(path)
        if file is None:
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            file = self._open[path] = self._stack.enter_context(target.open("w", encoding="utf-8", newline="\n"))
            file.write(self.first)
        else:
            file.write(self.between)
        file.write(text)


def to_json(value: Mapping[str, Any]) -> str:
    """Return a row as JSON on one line, in readable characters."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return NEWLINES.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def to_csv(cells: Sequence[object]) -> str:
    """Return a row of a CSV file. Texts are quoted, so that each is read back to the byte, newlines of any kind too."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerow(cells)
    return out.getvalue()


def csv_header(names: Sequence[str]) -> str:
    """Return the first line of a CSV file, quoted only where a name needs it."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(names)
    return out.getvalue()


def on_one_line(text: str) -> str:
    """Return a text with a blank for each newline of whatever kind."""
    return " ".join(text.splitlines())


def clock(seconds: float) -> str:
    """Return a time as `00:06:21.300`, to the nearest millisecond."""
    whole, ms = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{ms:03d}"


def span_literal(start_s: float, end_s: float) -> str:
    """Return a span as the Python literal that LVD-2M and MiraData have: `['00:00:17.759', '00:00:23.279']`."""
    return f"['{clock(start_s)}', '{clock(end_s)}']"


def under(root: str, split: str, path: str) -> str:
    """Return a path in a split's folder as a trainer sees it: below `root`, the export's folder, where it is given."""
    return f"{root.rstrip('/')}/{split}/{path}" if root else path
