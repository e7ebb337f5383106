"""Any other table: a row a clip, with columns that the user names, or that say by their names what they hold."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from longtake.errors import UsageError
from longtake.sources import Listed, ListedCaption
from longtake.sources.lists._names import clip_name, source
from longtake.sources.lists._values import (
    Row,
    caption,
    check_span,
    items,
    rest,
    said,
    score_key,
    scores_of,
    seconds,
)

WRITE = "--map url=COLUMN,start=COLUMN,end=COLUMN,caption=COLUMN"
PARTS = ("url", "video", "clip", "start", "end", "span")
UNITS = {"s": 1.0, "ms": 0.001}
KIND = "raw"
"""Of captions whose kind nobody tells."""

KNOWN = {
    "url": "url videourl videolink youtubeurl yturl contenturl downloadurl link uri",
    "video": "videoid youtubeid ytid sourceid",
    "clip": "clipid key",
    "start": "start startsec startsecond startseconds starts startts starttime begin",
    "start@ms": "startms starttimems",
    "end": "end endsec endsecond endseconds ends endts endtime stop",
    "end@ms": "endms endtimems",
    "span": "span timestamp timestamps",
    "caption": "caption text prompt",
}
"""Names of columns, in small letters and without `_`, -> what they hold."""
PAIR = {"from": "start", "to": "end"}
"""More such names, which count only where both are there, and no other column says when a clip starts or ends."""
WEBVID = {"videoid", "contentUrl", "page_dir", "name"}
"""Columns of WebVid's own tables, whose captions are called `name`."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold what."""

    parts: Mapping[str, str]
    """Of `PARTS` -> a column."""
    units: Mapping[str, float] = field(default_factory=dict)
    """`start`, `end` or `span` -> seconds that 1 stands for there, where it isn't 1."""
    captions: Mapping[str, str] = field(default_factory=dict)
    """A kind -> a column."""
    scores: Mapping[str, str] = field(default_factory=dict)
    """A name -> a column; empty: those whose names say so."""


def mapped(mapping: Mapping[str, str], columns: Sequence[str]) -> Columns:
    """Return what a user's mapping says: `url`, `video`, `clip`, `start`, `end`, `span`, `caption`, each to a column.

    `caption:KIND` is a caption of a kind, `caption` alone one of kind `raw`; `score:NAME` is a score of that name,
    `score` alone one with its column's.
    A clock as `00:01:02.500` is read as one; a number is seconds, or with `start=COLUMN@ms` milliseconds.
    Raises `UsageError`.
    """
    parts: dict[str, str] = {}
    units: dict[str, float] = {}
    captions: dict[str, str] = {}
    scores: dict[str, str] = {}
    for key, value in mapping.items():
        part, colon, kind = key.partition(":")
        column, _, unit = value.rpartition("@") if value not in columns and "@" in value else (value, "", "s")
        if column not in columns:
            raise UsageError(f"--map {key}={value}: {_no_column(column, columns)}")
        if unit not in UNITS or (unit != "s" and part not in ("start", "end", "span")):
            raise UsageError(f"--map {key}={value}: times can be in @s or @ms, and nothing else has a unit")
        if part == "caption" and (not colon or re.fullmatch(r"[A-Za-z_]\w*", kind, re.ASCII)):
            captions[kind or KIND] = column
        elif part == "score":
            scores[score_key(kind or column)] = column
        elif key in PARTS:
            parts[key] = column
            units |= {key: UNITS[unit]} if unit != "s" else {}
        else:
            raise UsageError(f"--map {key}={value}: there is {', '.join(PARTS)}, caption, caption:KIND, score:NAME")
    if "url" not in parts and "video" not in parts:
        raise UsageError(f"--map names neither url nor video; write {WRITE}")
    if "span" in parts and ("start" in parts or "end" in parts):
        raise UsageError("--map: span is start and end in one; give it or those")
    return Columns(parts, units, captions, scores)


def guessed(columns: Sequence[str]) -> Columns:
    """Return what columns hold by their names. Raises `UsageError` where that is not plain."""
    found: dict[str, list[str]] = {}
    for column in columns:
        name = re.sub(r"[^a-z0-9]", "", column.lower())
        for part, names in KNOWN.items():
            if name in names.split():
                found.setdefault(part.partition("@")[0], []).append(column)
    pair = {column.strip().lower(): column for column in columns}
    if found.keys().isdisjoint({"start", "end", "span"}) and pair.keys() >= PAIR.keys():
        found |= {part: [pair[name]] for name, part in PAIR.items()}
    if set(columns) >= WEBVID:
        found["caption"] = ["name"]
    if "span" in found and ("start" in found or "end" in found):
        found["span"] += found.pop("start", []) + found.pop("end", [])
    shown = _shown(columns)
    twice = next((part for part, names in found.items() if len(names) > 1), None)
    if twice is not None:
        both = " and ".join(map(repr, found[twice]))
        raise UsageError(f"{both} could each be the {twice}; say which, as {WRITE}. Columns: {shown}")
    if "url" not in found and "video" not in found:
        raise UsageError(f"no column is known to hold addresses of videos; say which, as {WRITE}. Columns: {shown}")
    parts = {part: names[0] for part, names in found.items() if part != "caption"}
    units: dict[str, float] = {
        part: UNITS["ms"] for part in ("start", "end") if part in parts and parts[part].lower().endswith("ms")
    }
    return Columns(parts, units, {KIND: found["caption"][0]} if "caption" in found else {})


def in_words(columns: Columns) -> str:
    """Return which columns are taken for what, as a user would write it, and what is missing of a clip's times."""
    units = {1.0: "", **{value: f"@{unit}" for unit, value in UNITS.items() if unit != "s"}}
    told = [f"{part}={column}{units[columns.units.get(part, 1.0)]}" for part, column in columns.parts.items()]
    told += [f"caption={column}" for column in columns.captions.values()]
    lacking = [part for part in ("start", "end") if part not in columns.parts and "span" not in columns.parts]
    text = ", ".join(told + [f"no {part}" for part in lacking])
    return f"{text}: whole videos" if len(lacking) == 2 else text


def _no_column(column: str, columns: Sequence[str]) -> str:
    near = difflib.get_close_matches(column, columns, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"there is {_shown(columns)}"
    return f"the list has no column {column!r}; {hint}"


def _shown(columns: Sequence[str]) -> str:
    return ", ".join(repr(column) for column in columns[:30]) + (", ..." if len(columns) > 30 else "")


def clips(row: Row, at: int, columns: Columns) -> Iterator[Listed]:
    """Read a row: one clip, or `ValueError`."""
    parts = columns.parts
    told = {part: said(row, column) for part, column in parts.items()}
    own, clip = told.get("video", ""), told.get("clip", "")
    if "url" in parts and not told["url"]:
        raise ValueError(f"{parts['url']!r} is empty: no address")
    video, url = source(told.get("url", ""), own)
    start_s, end_s = _places(row, columns)
    scores, used = scores_of(row, columns.scores)
    fields = rest(row, {*parts.values(), *columns.captions.values(), *used})
    for part, text, name in (("video", own, video), ("clip", clip, clip_name(clip))):
        if text != name and text:
            fields[parts[part]] = text
    captions = [ListedCaption(kind, caption(row, column)) for kind, column in columns.captions.items()]
    good = tuple(one for one in captions if one.text)
    yield Listed("table", video, url, start_s, end_s, clip_name(clip), good, scores, fields, at)


def _places(row: Row, columns: Columns) -> tuple[float | None, float | None]:
    """Return where a clip starts and ends; None where the row has no such column, or says nothing in it."""
    parts, units = columns.parts, columns.units
    if "span" in parts:
        both = items(row[parts["span"]]) if said(row, parts["span"]) else [None, None]
        if len(both) != 2:
            raise ValueError(f"{parts['span']!r} is no span: it must be a list of a start and an end")
        found = [None if one is None else seconds(one, units.get("span", 1.0)) for one in both]
    else:
        found = [
            seconds(row[parts[part]], units.get(part, 1.0)) if part in parts and said(row, parts[part]) else None
            for part in ("start", "end")
        ]
    start_s, end_s = found
    check_span(start_s, end_s)
    return start_s, end_s
