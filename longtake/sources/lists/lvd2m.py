"""LVD-2M's three tables, and our export `lvd2m`: SilentView/LVD-2M, arXiv 2410.10816.

Clips from HD-VG-130M are told by a span of the video, `orig_span`, and by frames counted from its start, `scene_cut`.
The clip is what the frames say, never the whole span, which has cuts in it. The rate of frames is not told: it is
`fps` where there is such a column, else the common rate at which the frames last for `video_time`. Such spans are as
exact as that, and `fields["inexact"]` says so.
"""

import re
from collections.abc import Iterator

from longtake.sources import Listed, ListedCaption
from longtake.sources.lists._names import clip_name, source, youtube_id
from longtake.sources.lists._values import Row, caption, items, number, rest, said, scores_of, span, stamps

NEEDS = ("key", "url", "video_id")
ONE_OF = ("span", "scene_cut", "raw_caption", "dataset_src")
OURS = "longtake"
SEGMENT_S = 30.0
"""A raw caption tells of so many seconds, the last of what is left."""
RATES = (12.0, 15.0, 24000 / 1001, 24.0, 25.0, 30000 / 1001, 30.0, 48.0, 50.0, 60000 / 1001, 60.0)
NEAR = 0.012
"""How far, relatively, a rate may be from a common one; 24 and 25 are further apart."""
SLACK_S = 0.5
"""How far a clip may reach over its span's end."""

_PART = re.compile(r"(?:^|(?<=\s))Caption (\d{1,3}):", re.ASCII)
_OUR_PART = re.compile(r"^Caption (\d{1,3}): ", re.ASCII | re.MULTILINE)


def clips(row: Row, at: int) -> Iterator[Listed]:
    """Read a row: one clip, or `ValueError`."""
    ours = said(row, "dataset_src") == OURS
    url, stock = said(row, "url"), said(row, "dataset_src") == "webvid"
    path = {"url": url} if ours and "://" not in url else {}  # a path of the machine that wrote it
    own = said(row, "video_id") or (said(row, "key") if stock else "")
    video, url = source("" if path else url, own, prefix="webvid-" if stock else "")
    start_s, end_s, inexact = _span(row, whole=stock or not (said(row, "dataset_src") or youtube_id(url)))
    duration_s = None if start_s is None or end_s is None else end_s - start_s
    captions = [ListedCaption("raw", *part) for part in _raw(caption(row, "raw_caption"), duration_s, ours=ours)]
    for kind, column in (("refined", "refined_caption"), ("rewritten", "rewritten_caption"), ("orig", "orig_caption")):
        if found := caption(row, column):
            captions.append(ListedCaption(kind, found))
    scores, used = scores_of(row, {"total_score": "total score"})
    fields = rest(row, {*_USED, *used}) | path | inexact
    if own and own != video:
        fields["video_id"] = own
    key = said(row, "key")
    clip = clip_name(key)
    if clip != key:
        fields["key"] = key
    yield Listed("lvd2m", video, "" if path else url, start_s, end_s, clip, tuple(captions), scores, fields, at)


_USED = ("key", "video_id", "url", "span", "raw_caption", "refined_caption", "rewritten_caption", "orig_caption")


def _span(row: Row, *, whole: bool) -> tuple[float | None, float | None, dict[str, str]]:
    """Return a clip's span, and why it is inexact; `whole` where without one the clip is the whole video."""
    if said(row, "scene_cut"):
        return _of_frames(row)
    if said(row, "span"):
        return *stamps(row["span"]), {}
    if said(row, "orig_span"):
        raise ValueError("orig_span without scene_cut: it is of more than the clip")
    if not whole:
        raise ValueError("no span: the whole video is not the clip")
    return None, None, {}


def _of_frames(row: Row) -> tuple[float, float, dict[str, str]]:
    parent_s, parent_end_s = stamps(row.get("orig_span"))
    found = [number(value) for value in items(row["scene_cut"])]
    if len(found) != 2 or found[0] is None or found[1] is None or not 0 <= found[0] < 1e8:
        raise ValueError(f"scene_cut = {said(row, 'scene_cut')[:40]!r}: it must be two numbers of frames")
    first, last = found[0], found[1]
    if (first, last) == (0, -1):
        return parent_s, parent_end_s, {}
    if last != -1 and last <= first:
        raise ValueError(f"scene_cut = {said(row, 'scene_cut')[:40]!r} ends before it starts")
    seconds = number(row.get("video_time"))
    rate, how = number(row.get("fps")), "fps"
    if not rate or rate <= 0:
        rate, how = _rate(last - first, seconds) if last != -1 else None, "video_time"
    if rate:
        start_s = parent_s + first / rate
        end_s = parent_end_s if last == -1 else parent_s + last / rate
    elif last == -1 and seconds and 0 < seconds <= parent_end_s - parent_s:
        start_s, end_s = parent_end_s - seconds, parent_end_s
    else:
        raise ValueError("scene_cut counts frames, and neither fps nor video_time tells how long they last")
    if end_s > parent_end_s + SLACK_S:
        raise ValueError(f"scene_cut reaches {end_s - parent_end_s:.1f} s over the end of orig_span")
    start_s, end_s = span(round(start_s, 6), round(min(end_s, parent_end_s), 6))
    return start_s, end_s, {"inexact": f"scene_cut in seconds by {how}"}


def _rate(frames: float, seconds: float | None) -> float | None:
    """Return the common rate at which so many frames last so long."""
    if not seconds or seconds <= 0:
        return None
    found = frames / seconds
    near = min(RATES, key=lambda rate: abs(rate - found))
    return near if abs(near / found - 1) <= NEAR else None


def _raw(text: str, duration_s: float | None, *, ours: bool) -> Iterator[tuple[str, float, float | None]]:
    """Yield the parts of a raw caption, `Caption 1: ... Caption 2: ...`, with seconds of the clip.

    The parts' times are not told. They are of 30 s each, the last to the clip's end, where that can be; else each is
    of the whole clip. Numbers may begin with 0 or 1; our own export writes a part a line, and leaves out numbers.
    """
    parts = list((_OUR_PART if ours else _PART).finditer(text))
    if not ours:
        parts = _consecutive(parts)
    alone = ours and len(parts) == 1 and duration_s is not None and duration_s <= SEGMENT_S
    if not text or not parts or parts[0].start() > 0 or alone:
        if text:
            yield text, 0.0, None
        return
    base = min(1, int(parts[0][1]))
    most = int(parts[-1][1]) - base
    timed = duration_s is not None and SEGMENT_S * most < duration_s
    ends = [part.start() for part in parts[1:]] + [len(text)]
    for part, end in zip(parts, ends, strict=True):
        index = int(part[1]) - base
        start_s = SEGMENT_S * index if timed else 0.0
        yield text[part.end() : end].strip(), start_s, start_s + SEGMENT_S if timed and index < most else None


def _consecutive(parts: list[re.Match[str]]) -> list[re.Match[str]]:
    """Return those markers that count on from the first: `Caption 7:` within a text is none."""
    found: list[re.Match[str]] = []
    for part in parts:
        if not found or int(part[1]) == int(found[-1][1]) + 1:
            found.append(part)
    return found
