"""Values in the rows of lists: texts, times, spans, scores. What can't be used raises `ValueError`, in words."""

import ast
import contextlib
import json
import math
import re
from collections.abc import Collection, Mapping
from typing import Any

MOST_S = 48 * 3600.0
"""No video is longer; a time beyond it is a mistake, as milliseconds taken for seconds are."""
MOST_CHARS = 1 << 20
"""A text has at most so many characters."""
DEEPEST = 3
"""Lists in lists of a literal."""
NOTHING = frozenset(("", "nan", "none", "null"))
"""What tools write for a cell without a value, in small letters."""

_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,4}):(\d{1,2}(?:[.,]\d{1,9})?)", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_TOKEN = re.compile(
    r"""\s*(?:([\[\]()])|,|('[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*")|([-+.\w]+))\s*""", re.ASCII | re.DOTALL
)
_WORDS = {"none": None, "null": None, "nan": None, "true": True, "false": False}
_SCORE = re.compile(r"score|similarity|aesthetic|(?:^|[^a-z])(?:sim|vtss)(?:[^a-z]|$)")

Row = Mapping[str, Any]


def text(value: Any) -> str:
    """Return a value as text, empty for none and NaN; what is no text already as JSON."""
    if isinstance(value, str):
        found = value
    elif value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    else:
        found = json.dumps(value, ensure_ascii=False, default=str)
    if len(found) > MOST_CHARS:
        raise ValueError(f"a text of {len(found)} characters; at most {MOST_CHARS} can be read")
    if not found.isascii():
        try:
            found.encode()
        except UnicodeEncodeError as error:
            raise ValueError("a text with half a character: lone surrogates") from error
    return found


def said(row: Row, key: str) -> str:
    """Return what a row says under a key without blanks around it; empty where it says nothing."""
    found = text(row.get(key)).strip()
    return "" if found.lower() in NOTHING else found


def caption(row: Row, key: str) -> str:
    """Return a caption of a row as it is, empty where there is none."""
    return text(row[key]) if said(row, key) else ""


def rest(row: Row, used: Collection[str]) -> dict[str, str]:
    """Return what a row says beside the columns that were used."""
    found = ((name, text(value)) for name, value in row.items() if name and name not in used)
    return {name: value for name, value in found if value}


def number(value: Any) -> float | None:
    """Return a finite number, or None where a value is none."""
    if isinstance(value, str):
        found = float(value) if _NUMBER.fullmatch(value.strip()) else math.nan
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        found = math.nan if abs(value) > 1e300 else float(value)
    else:
        return None
    return found if math.isfinite(found) else None


def seconds(value: Any, unit: float = 1.0) -> float:
    """Return a time in seconds: a number in `unit` seconds, or a clock as `01:02:03.450` or `2:03,45`."""
    found = number(value)
    clock = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if clock is not None:
        hours, minutes, rest_s = int(clock[1] or 0), int(clock[2]), float(clock[3].replace(",", "."))
        if rest_s > 60 or (clock[1] and minutes > 59):  # 60 itself comes of rounding 59.9999
            raise ValueError(f"{value!r} is no time of day or clock")
        found = round(hours * 3600 + minutes * 60 + rest_s, 6)
    elif found is None:
        raise ValueError(f"{_short(value)} is no time: write seconds, or hours as 01:02:03.450")
    else:
        found *= unit
    if not 0 <= found <= MOST_S:
        raise ValueError(f"{_short(value)} is no time in a video: it must be from 0 to 48 hours")
    return found


def span(start: Any, end: Any, unit: float = 1.0) -> tuple[float, float]:
    """Return a span in seconds, its end after its start."""
    start_s, end_s = seconds(start, unit), seconds(end, unit)
    check_span(start_s, end_s)
    return start_s, end_s


def check_span(start_s: float | None, end_s: float | None) -> None:
    """Raise `ValueError` where a span of a video is none; None is the video's start or end."""
    for value in (start_s, end_s):
        if value is not None and not 0 <= value <= MOST_S:
            raise ValueError(f"{value} s is no time in a video: it must be from 0 to 48 hours")
    if end_s is not None and end_s <= (start_s or 0.0):
        raise ValueError(f"the span ends at {end_s} s and starts at {start_s or 0.0} s: it must end after its start")


def stamps(value: Any) -> tuple[float, float]:
    """Return the span of a literal as `['00:00:17.759', '00:00:23.279']`, or of a list of two."""
    found = items(value)
    if len(found) != 2:
        raise ValueError(f"{_short(value)} is no span: it must be a list of a start and an end")
    return span(*found)


def items(value: Any) -> list[Any]:
    """Return a list, or that in a literal of Python or JSON: lists, texts, numbers. Nothing is ever run."""
    if isinstance(value, (list, tuple)):
        return list(value)
    found = literal(text(value))
    if not isinstance(found, list):
        raise ValueError(f"{_short(value)} is no list")
    return found


def literal(source: str) -> Any:
    """Return the value of a literal of lists, texts and numbers, in time that grows with its length.

    Beyond `ast.literal_eval` it takes JSON's words and NaN, and can't be made to run out of stack.
    """
    open_lists: list[list[Any]] = [[]]
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            raise ValueError(f"{_short(source)} is no list of texts and numbers")
        at = match.end()
        bracket, quoted, word = match.groups()
        if bracket in ("[", "("):
            open_lists.append([])
            if len(open_lists) > DEEPEST + 1:
                raise ValueError(f"{_short(source)} has lists more than {DEEPEST} deep")
        elif bracket:
            if len(open_lists) == 1:
                raise ValueError(f"{_short(source)} closes a list that was not opened")
            open_lists[-2].append(open_lists.pop())
        elif quoted:
            open_lists[-1].append(_unquoted(quoted))
        elif word:
            open_lists[-1].append(_word(word))
    if len(open_lists) != 1 or len(open_lists[0]) != 1:
        raise ValueError(f"{_short(source)} is no list, or no whole one")
    return open_lists[0][0]


def _unquoted(quoted: str) -> str:
    if "\\" not in quoted:
        return quoted[1:-1]
    if quoted[0] == '"':
        with contextlib.suppress(ValueError):  # Python's, then; beyond it JSON has characters in two halves
            return str(json.loads(quoted))
    try:
        return str(ast.literal_eval(quoted))  # a single text: nothing nested
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"{_short(quoted)} is no text") from error


def _word(word: str) -> Any:
    if word.lower() in _WORDS:
        return _WORDS[word.lower()]
    found = number(word)
    if found is None:
        raise ValueError(f"{_short(word)} is no number")
    return found


def scores_of(row: Row, columns: Mapping[str, str] | None = None) -> tuple[dict[str, float], set[str]]:
    """Return the scores of a row, and the columns they are of.

    `columns` has the column of each score by its name; without any it is those whose names say so.
    """
    found: dict[str, float] = {}
    used = set()
    named = columns.items() if columns else ((score_key(name), name) for name in row if is_score(name))
    for key, name in named:
        value = number(row.get(name))
        if value is not None and key not in found:
            found[key] = value
            used.add(name)
    return found, used


def is_score(name: str) -> bool:
    """Return whether a column is called as scores are: `total score`, `clip_sim`, `Aesthetic_Score`."""
    return bool(_SCORE.search(name.lower()))


def score_key(name: str) -> str:
    """Return a column's name as an identifier: `total_score` for `total score`."""
    key = re.sub(r"\W+", "_", name.strip(), flags=re.ASCII)
    return f"_{key}" if key[:1].isdigit() else key or "_"


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
