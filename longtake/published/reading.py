"""Reading published files line by line: what can't be read is noted, and costs that line alone."""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from longtake.errors import UsageError
from longtake.grounding._broken import Published

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


@dataclass(frozen=True, slots=True)
class Captioned:
    """A caption of a stretch of a video: a record of InternVid, or of a file from before the last step."""

    video: str
    """Its file name, or in InternVid its id on YouTube."""
    start_s: float
    end_s: float
    caption: str
    score: float | None = None
    """How well it fits the pictures, where that is said."""


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
        with self.path.open("rb") as raw:
            packed = raw.peek(2)[:2] == b"\x1f\x8b"
            try:
                yield from self._objects(cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                self.number += 1
                self.refuse(f"the file is cut off or damaged: {error}")

    def _objects(self, file: BinaryIO) -> Iterator[dict[str, Any]]:
        for self.number, line in enumerate(file, 1):
            if not line.strip():
                self.blank += 1
                continue
            try:
                value = json.loads(line)
            except ValueError as error:
                self.refuse(f"no JSON, perhaps half written: {error}")
                continue
            if isinstance(value, dict):
                yield value
            else:
                self.refuse("no JSON object")

    def refuse(self, problem: str) -> None:
        """Note that the line that was read last can't be used."""
        self.bad.append(BadLine(self.path, self.number, problem))


def read_spans(lines: Lines) -> Iterator[Record]:
    """Go through the records of a `final_dataset.jsonl`, or of a released file. Scene numbers may be missing."""
    for row in lines:
        try:
            values = {name: _value(name, row) for name in KEYS if name in NEEDED or row.get(name) is not None}
        except (KeyError, TypeError, ValueError) as error:
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
    return int(value) if name.endswith("_scene") else float(value)


def read_captions(lines: Lines) -> Iterator[Captioned]:
    """Go through InternVid's own records, or those of a `scenes-blip2` file: one for each caption."""
    for row in lines:
        try:
            video = row["YoutubeID"] if "YoutubeID" in row else row["video_fname"]
            start_s, end_s = (
                _time(row, *keys) for keys in (("Start_timestamp", "start_sec"), ("End_timestamp", "end_sec"))
            )
            captions = row.get("captions", [row[key] for key in ("Caption", "caption") if key in row])
            score = None if row.get("clip_sim") is None else float(row["clip_sim"])
            found = [Captioned(str(video), start_s, end_s, str(caption), score) for caption in captions]
        except (KeyError, TypeError, ValueError) as error:
            lines.refuse(_problem(error))
            continue
        yield from found


def _time(row: Mapping[str, Any], clock: str, seconds: str) -> float:
    if clock not in row:
        return float(row[seconds])
    total = 0.0
    for part in str(row[clock]).split(":"):
        total = total * 60 + float(part)
    return round(total, 3)


def read_scenes(lines: Lines) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """Go through a `scenes.jsonl` or `scenes-merged.jsonl`: videos, and where their scenes start and end in seconds."""
    for row in lines:
        try:
            yield str(row["video_fname"]), [(float(start_s), float(end_s)) for start_s, end_s in row["scenes"]]
        except (KeyError, TypeError, ValueError) as error:
            lines.refuse(_problem(error))


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
        except (KeyError, TypeError, ValueError) as error:
            lines.refuse(_problem(error))
            continue
        yield found


def _problem(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
