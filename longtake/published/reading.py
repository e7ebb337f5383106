"""Reading published files line by line: what can't be read is noted, and costs that line alone."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from longtake.errors import UsageError
from longtake.grounding._broken import Published
from longtake.sources.lists._rows import Unread, json_lines
from longtake.sources.lists.internvid_g import Captioned, captioned

KEYS = {
    "video": "video",
    "start_sec": "start_s",
    "end_sec": "end_s",
    "neg_start_sec": "neg_start_s",
    "neg_end_sec": "neg_end_s",
    "caption": "caption",
    "duration": "duration_s",
    "start_scene": "start_scene",
    "end_scene": "end_scene",
    "neg_start_scene": "neg_start_scene",
    "neg_end_scene": "neg_end_scene",
}
"""Keys of a final record -> fields of ours. Those from `duration` on may be missing."""
UNREADABLE = (KeyError, TypeError, ValueError, OverflowError)
"""What a row raises that isn't as it should be; the last for a number that no float holds."""
NEEDED = ("video", "start_sec", "end_sec", "neg_start_sec", "neg_end_sec", "caption")

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that could not be read."""

    path: Path
    line: int
    """From 1 on."""
    problem: str


@dataclass(frozen=True, slots=True)
class Record:
    """A final record as it is published."""

    line: int
    span: Published
    more: Mapping[str, Any]
    """What else it says, under keys that InternVid-G's records don't have."""


@dataclass
class Lines:
    """The objects in a file of JSON lines, one after the other; what can't be read is noted."""

    path: Path
    blank: int = 0
    bad: list[BadLine] = field(default_factory=list)
    number: int = 0
    """Of the line that was read last."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Go through the file. Raises `UsageError` where there is none."""
        if not self.path.is_file():
            raise UsageError(f"{self.path} is no file")
        for number, found in json_lines(self.path):
            self.number = number
            if found is None:
                self.blank += 1
            elif isinstance(found, Unread):
                self.refuse(found.problem)
            else:
                yield found

    def refuse(self, problem: str) -> None:
        """Note that the line that was read last can't be used."""
        self.bad.append(BadLine(self.path, self.number, problem))


def read_spans(lines: Lines) -> Iterator[Record]:
    """Go through the records of a `final_dataset.jsonl`, or of a released file. Scene numbers may be missing."""
    for row in lines:
        try:
            values = {name: _value(name, row) for name in KEYS if name in NEEDED or row.get(name) is not None}
        except UNREADABLE as error:
            lines.refuse(_problem(error))
            continue
        span = Published(**{KEYS[name]: value for name, value in values.items()})
        yield Record(lines.number, span, {name: value for name, value in row.items() if name not in KEYS})


def _value(name: str, row: Mapping[str, Any]) -> Any:
    value = row[name]
    if name in ("video", "caption"):
        if not isinstance(value, str):
            raise TypeError(f"{name} = {value!r} is no text")
        return value
    number = float(value)
    if not name.endswith("_scene"):
        return number
    if not number.is_integer():
        raise ValueError(f"{name} = {value!r} is no whole number")
    return int(number)


def read_captions(lines: Lines) -> Iterator[Captioned]:
    """Go through InternVid's own records, or those of a `scenes-blip2` file: one for each caption."""
    for row in lines:
        try:
            found = captioned(row)
        except UNREADABLE as error:
            lines.refuse(_problem(error))
            continue
        yield from found


def read_scenes(lines: Lines) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """Go through a `scenes.jsonl` or `scenes-merged.jsonl`: videos, and where their scenes start and end in seconds."""
    for row in lines:
        try:
            found = [(float(start_s), float(end_s)) for start_s, end_s in row["scenes"]]
            if not all(map(math.isfinite, chain.from_iterable(found))):
                raise ValueError("a scene starts or ends at what is no number")
            name = str(row["video_fname"])
        except UNREADABLE as error:
            lines.refuse(_problem(error))
            continue
        yield name, found


def read_similarity(lines: Lines) -> Iterator[tuple[str, Matrix]]:
    """Go through a file of similarities: videos and their square matrices, NaN where nothing was measured."""
    for row in lines:
        try:
            matrix = np.array(row["similarity_matrix"], np.float64)
            if matrix.size == 0:
                matrix = np.empty((0, 0))
            if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
                raise ValueError(f"a matrix of shape {matrix.shape}")
            found = (str(row["video_fname"]), matrix)
        except UNREADABLE as error:
            lines.refuse(_problem(error))
            continue
        yield found


def _problem(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
