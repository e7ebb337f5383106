"""Text of a CSV file as rows of cells, whatever quotes are in it."""

import csv
import gzip
import zlib
from collections import deque
from collections.abc import Iterator
from typing import TextIO

MOST_BYTES = 4 << 20
"""A line has at most so many bytes."""
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)


class TextLines:
    """Lines of a text file, each cut where it is too long; those taken for a record can be given again."""

    def __init__(self, file: TextIO) -> None:
        self.file, self.again = file, deque[str]()
        self.taken: list[str] = []
        """Since the last record."""
        self.damage: Exception | None = None
        """What the file ended with, before its end."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.again.popleft() if self.again else self._read()
        if not line:
            raise StopIteration
        self.taken.append(line)
        return line

    def _read(self) -> str:
        if self.damage:
            return ""
        try:
            left = line = self.file.readline(MOST_BYTES)
            while _is_cut(left):
                left = self.file.readline(MOST_BYTES)
        except DAMAGED as error:
            self.damage = error
            return ""
        return line


def _is_cut(line: str) -> bool:
    return len(line) == MOST_BYTES and not line.endswith("\n")


def records(lines: TextLines, delimiter: str) -> Iterator[list[str] | str]:
    """Go through the rows of a CSV file: the cells of each, or what is wrong with it.

    A row goes on over several lines only where its quotes are as they have to be; else a stray one costs its own line,
    and those behind it are read anew.
    """
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.taken.clear()
        try:
            cells: list[str] | str = next(reader)
        except StopIteration:
            return
        except csv.Error:
            lines.again.extendleft(reversed(lines.taken[1:]))
            del lines.taken[1:]
            cells = _loosely(lines.taken[0], delimiter)
        if any(map(_is_cut, lines.taken)):
            cells = f"a line of more than {MOST_BYTES} characters"
        if cells:
            yield cells


def _loosely(line: str, delimiter: str) -> list[str] | str:
    """Return the cells of a line with quotes inside of them, as in `"Stop" she says`, or what is wrong with it."""
    reader = csv.reader([line, ""], delimiter=delimiter)
    try:
        cells = next(reader)
    except csv.Error as error:
        return f"a cell that can't be read: {error}"
    return cells if reader.line_num == 1 else "a cell begins with a quote that has no end"
