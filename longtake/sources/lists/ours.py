"""Our own lists, `list.jsonl`: clips that any list named, one a line, read back to the bit."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from longtake.sources import Listed, ListedCaption
from longtake.sources.lists._names import address, is_safe
from longtake.sources.lists._values import Row, check_span, text

MARK = "longtake"
VERSION = 1
"""Goes up when a line written today could no longer be read."""
NEEDS = (MARK, "dataset", "video", "url")

_NEWLINES = re.compile("[\u0085\u2028\u2029]")
_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def to_json(listed: Listed) -> str:
    """Return a clip as one line of our own list, without its end; what says nothing is left out."""
    row: dict[str, Any] = {MARK: VERSION, "dataset": listed.dataset, "video": listed.video, "url": listed.url}
    for name in ("start_s", "end_s"):
        if getattr(listed, name) is not None:
            row[name] = getattr(listed, name)
    if listed.clip:
        row["clip"] = listed.clip
    if listed.captions:
        row["captions"] = [[one.kind, one.text, one.start_s, one.end_s] for one in listed.captions]
    for name in ("scores", "fields"):
        if getattr(listed, name):
            row[name] = dict(getattr(listed, name))
    row["row"] = listed.row
    found = json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _NEWLINES.sub(lambda match: f"\\u{ord(match[0]):04x}", found)


def from_json(line: str) -> Listed:
    """Return the clip that `to_json` made a line of. Raises `ValueError` for what is none, in words."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON, perhaps half written: {error}") from error
    if not isinstance(row, dict):
        raise ValueError("no JSON object")
    return _listed(row)


def clips(row: Row, _: int) -> Iterator[Listed]:
    """Read a line: one clip, its row that of the list it came from; or `ValueError`."""
    yield _listed(row)


def _listed(row: Row) -> Listed:
    if row.get(MARK) != VERSION:
        raise ValueError(f"{MARK} = {row.get(MARK)!r}: this version reads lists with {MARK} = {VERSION}")
    unknown = [name for name in row if name not in _KNOWN]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no part of a clip in our lists")
    video, url = _text(row, "video"), _text(row, "url")
    if not is_safe(video):
        raise ValueError(f"video = {video[:100]!r} can't be a file's name")
    if url and address(url) != url:
        raise ValueError(f"url = {url[:100]!r} is no address as our lists have them")
    start_s, end_s = _seconds(row.get("start_s")), _seconds(row.get("end_s"))
    check_span(start_s, end_s)
    scores = {_word(name): _number(value) for name, value in _part(row, "scores", dict).items()}
    fields = _part(row, "fields", dict)
    return Listed(
        dataset=_word(_text(row, "dataset")),
        video=video,
        url=url,
        start_s=start_s,
        end_s=end_s,
        clip=_text(row, "clip"),
        captions=tuple(_caption(one) for one in _part(row, "captions", list)),
        scores=scores,
        fields={text(name): _text(fields, name) for name in fields},
        row=_row(row.get("row", 0)),
    )


_KNOWN = {*NEEDS, "start_s", "end_s", "clip", "captions", "scores", "fields", "row"}


def _caption(value: Any) -> ListedCaption:
    if not isinstance(value, list) or len(value) != 4 or not isinstance(value[0], str) or not isinstance(value[1], str):
        raise ValueError("a caption must be a list of its kind, text, start and end")
    start_s, end_s = _number(value[2]), _seconds(value[3])
    check_span(start_s, end_s)
    return ListedCaption(_word(value[0]), text(value[1]), start_s, end_s)


def _part(row: Row, name: str, kind: type) -> Any:
    found = row.get(name, kind())
    if not isinstance(found, kind):
        raise ValueError(f"{name} must be a {'list' if kind is list else 'JSON object'}")
    return found


def _text(row: Row, name: str) -> str:
    found = row.get(name, "")
    if not isinstance(found, str):
        raise ValueError(f"{name} must be a text")
    return text(found)


def _word(value: str) -> str:
    if not _WORD.fullmatch(value):
        raise ValueError(f"{value[:60]!r} is no name: letters, digits and _")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e300 or math.isnan(value):
        raise ValueError(f"{str(value)[:60]!r} is no number")
    return float(value)


def _seconds(value: Any) -> float | None:
    return None if value is None else _number(value)


def _row(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("row must be a whole number")
    return value
