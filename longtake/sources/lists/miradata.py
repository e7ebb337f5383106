"""MiraData's tables of both versions, and our export `miradata`: mira-space/MiraData, arXiv 2407.06358.

Ids of clips are texts: `7.1` and `7.10` are two. All six captions of a clip over 120 s are packed: one cell holds the
texts of windows of the clip in no order. Each becomes a caption of its window.
"""

import re
from collections.abc import Iterator

from longtake.sources import Listed, ListedCaption
from longtake.sources.lists._names import clip_name, source
from longtake.sources.lists._values import Row, caption, items, number, rest, said, scores_of, span, stamps

NEEDS = ("clip_id", "video_url", "timestamp")
NEEDS_V0 = ("index", "video_id", "start_frame", "end_frame")
KINDS = ("short", "dense", "background", "main_object", "style", "camera")
OURS = "longtake"

_INDEX = re.compile(r"\d{12}_(.+)-\d{6}", re.ASCII)
_USED = {"clip_id", "index", "video_url", "video_id", "timestamp"}


def clips(row: Row, at: int) -> Iterator[Listed]:
    """Read a row of version 1: one clip, or `ValueError`."""
    url, platform = said(row, "video_url"), said(row, "source").partition(",")[0].strip()
    path = {"video_url": url} if platform == OURS and "://" not in url else {}  # a path of the machine that wrote it
    own = said(row, "video_id")
    sites = platform not in ("", "youtube", OURS)  # each counts its videos itself
    video, url = source("" if path else url, own, prefix=f"{platform}-" if sites and own else "")
    if said(row, "timestamp"):
        start_s, end_s = stamps(row["timestamp"])
    else:
        start, end, *_ = [*items(row.get("framestamp")), None, None]
        start_s, end_s = _of_frames(start, end, row.get("fps"))
    yield _listed(row, at, video, "" if path else url, (start_s, end_s), "clip_id", path)


def clips_v0(row: Row, at: int) -> Iterator[Listed]:
    """Read a row of version 0: one clip, or `ValueError`. Its videos are all on YouTube."""
    index = _INDEX.fullmatch(said(row, "index"))
    video, url = source("", said(row, "video_id") or (index[1] if index else ""))
    places = _of_frames(row.get("start_frame"), row.get("end_frame"), row.get("fps"))
    yield _listed(row, at, video, url, places, "index", {})


def _listed(
    row: Row, at: int, video: str, url: str, places: tuple[float, float], clip_column: str, more: dict[str, str]
) -> Listed:
    captions: list[ListedCaption] = []
    unread = {}
    for kind in KINDS:
        column = f"{kind}_caption"
        found = caption(row, column)
        try:
            captions += [ListedCaption(kind, *part) for part in _unpacked(found)]
        except ValueError:
            unread[column] = found
    scores, used = scores_of(row)
    fields = rest(row, {*_USED, *used, *(f"{kind}_caption" for kind in KINDS)}) | unread | more
    for column, name in (("video_id", video), (clip_column, clip_name(said(row, clip_column)))):
        if said(row, column) not in ("", name):
            fields[column] = said(row, column)
    clip = clip_name(said(row, clip_column))
    return Listed("miradata", video, url, *places, clip, tuple(captions), scores, fields, at)


def _of_frames(start: object, end: object, fps: object) -> tuple[float, float]:
    rate, first, last = number(fps), number(start), number(end)
    if not rate or not 1 <= rate <= 1000:
        raise ValueError(f"fps = {fps!r}: frames can't be told in seconds without it")
    if first is None or last is None:
        raise ValueError(f"frames from {start!r} to {end!r}: two numbers are needed")
    return span(round(first / rate, 6), round(last / rate, 6))


def _unpacked(text: str) -> Iterator[tuple[str, float, float | None]]:
    """Yield a text and its window of the clip, or those packed in it, in order of time.

    Packed is `[|||START||| END||| TEXT |||,|||START||| END||| TEXT |||,]`.
    """
    if not text:
        return
    pieces = text.strip().split("|||")
    if pieces[0] != "[" or len(pieces) < 5:
        yield text, 0.0, None
        return
    if len(pieces) % 4 != 1 or any(mark.strip(" ,") not in ("", "]") for mark in pieces[4::4]):
        raise ValueError("a packed caption that can't be taken apart")
    windows = zip(pieces[1::4], pieces[2::4], pieces[3::4], strict=True)
    for start_s, end_s, words in sorted((*span(start.strip(), end.strip()), words) for start, end, words in windows):
        if words.strip():
            yield words.strip(), start_s, end_s
