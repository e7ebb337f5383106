"""Which columns a table of clips has: the map that the user writes, and the value of each for a clip."""

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

from longtake.errors import UsageError
from longtake.exports import Placed, Row
from longtake.exports._record import end_of, within

Type = Literal["text", "whole", "number", "flag", "captions"]
Get = Callable[[Row, Placed, str], Any]
"""From a clip, its file, and the file's path relative to the export."""

CAPTION = ("step", "kind", "number", "start_s", "end_s", "text", "model", "frames_s")
"""What a table says of each caption."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table of clips."""

    name: str
    type: Type
    get: Get


def _of_clip(name: str) -> Get:
    return lambda row, _, __: row.clip[name]


def _captions(row: Row, placed: Placed, _: str) -> list[dict[str, Any]]:
    found = [{name: caption[name] for name in CAPTION} for caption in within(row.captions, placed.duration_s)]
    for caption in found:
        if caption["frames_s"]:
            caption["frames_s"] = [at_s for at_s in caption["frames_s"] if at_s < placed.duration_s]
    return found


def _end_frame(row: Row, placed: Placed, _: str) -> int:
    start, end = row.clip["start_frame"], row.clip["end_frame"]
    return int(start + round((end - start) * min(1.0, placed.duration_s / row.clip["duration_s"])))


_SOURCES: dict[str, tuple[Type, Get]] = {
    "id": ("text", lambda row, _, __: row.id),
    "file": ("text", lambda _, __, path: path),
    "captions": ("captions", _captions),
    "split": ("text", lambda row, _, __: row.split),
    "source": ("text", lambda row, _, __: row.video["path"]),
    "video_id": ("text", _of_clip("video_id")),
    "start_s": ("number", _of_clip("start_s")),
    "end_s": ("number", lambda row, placed, _: end_of(row, placed)),
    "start_frame": ("whole", _of_clip("start_frame")),
    "end_frame": ("whole", _end_frame),
    "file_audio": ("flag", _of_clip("file_audio")),
    "file_transitions": ("whole", _of_clip("file_transitions")),
    "duration_s": ("number", lambda _, placed, __: placed.duration_s),
    "width": ("whole", lambda _, placed, __: placed.width),
    "height": ("whole", lambda _, placed, __: placed.height),
    "fps": ("number", lambda _, placed, __: placed.fps),
    "frames": ("whole", lambda _, placed, __: placed.frames),
    "bytes": ("whole", lambda _, placed, __: placed.bytes),
}
"""What a column can be taken from, beside the caption and the scores. Sizes are those of the file in the export."""

USUAL = ("id", "video=file", "caption", "duration_s", "width", "height", "fps", "start_s", "end_s", "source")


def read_columns(text: str, first: Row, *, caption: str, captions: bool) -> list[Column]:
    """Return the columns that `video=file,text=caption:refined,score=motion.mean` asks for, or the usual ones.

    `first` is a row of the export, for its scores; `caption` the kind that `caption` alone stands for; `captions`
    whether the usual ones have the list of all captions. Raises `UsageError` for what can't be a column.
    """
    scores = [name for name in first.clip if "." in name]
    if text:
        parts = [part.strip() for part in text.split(",")]
    else:
        parts = [*USUAL, *(["captions"] if captions else []), *scores]
    columns = [_column(part, scores, caption) for part in parts]
    twice = next((c.name for i, c in enumerate(columns) if c.name in [before.name for before in columns[:i]]), None)
    if twice is not None:
        raise UsageError(f"columns {text!r}: two are named {twice!r}; write NAME=SOURCE for one of them")
    return columns


def _column(part: str, scores: list[str], caption: str) -> Column:
    name, equals, source = (piece.strip() for piece in part.partition("="))
    source = source if equals else name
    if not name or not source:
        raise UsageError(f"column {part!r}: write NAME=SOURCE, as in video=file,text=caption:refined,score=motion.mean")
    if source == "caption" or source.startswith("caption:"):
        kind = source.partition(":")[2] or caption
        return Column(name, "text", lambda row, _, __: row.text(kind))
    if source in scores:
        return Column(name, "number", _of_clip(source))
    if source not in _SOURCES:
        known = ["caption", *_SOURCES, *scores]
        near = difflib.get_close_matches(source, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"there is {', '.join(known)}"
        raise UsageError(f"column {part!r}: a clip has no {source!r}; {hint}")
    return Column(name, *_SOURCES[source])


def with_first(rows: Iterable[Row]) -> tuple[Row, Iterator[Row]]:
    """Return the first row, and all of them."""
    rest = iter(rows)
    first = next(rest)
    return first, chain([first], rest)
