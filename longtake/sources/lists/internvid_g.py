"""InternVid-G's records of every step, those released, our export `internvid_g`, and InternVid's own records.

arXiv 2403.10228, yellow-binary-tree/HawkEye; arXiv 2307.06942. A record is a clip: a stretch of a video and a sentence
about it. Where the video's name is no id on YouTube, its address is not told.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from longtake.sources import Listed, ListedCaption
from longtake.sources.files import ENDINGS
from longtake.sources.lists._names import source, watch
from longtake.sources.lists._values import Row, caption, rest, said, scores_of, seconds, span, text

NEEDS = ("video", "start_sec", "end_sec")
NEEDS_BEFORE = ("video_fname", "start_sec", "end_sec")
NEEDS_INTERNVID = ("YoutubeID", "Start_timestamp", "End_timestamp")

_USED = {"video", "video_fname", "start_sec", "end_sec", "caption", "captions"}
_USED_INTERNVID = {"YoutubeID", "Start_timestamp", "End_timestamp", "Caption", "caption"}


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


def captioned(row: Row) -> list[Captioned]:
    """Return the captions of a record, as they are. Raises `KeyError`, `TypeError` or `ValueError`."""
    video = row["YoutubeID"] if "YoutubeID" in row else row["video_fname"]
    start_s, end_s = (_time(row, *keys) for keys in (("Start_timestamp", "start_sec"), ("End_timestamp", "end_sec")))
    captions = row.get("captions", [row[key] for key in ("Caption", "caption") if key in row])
    score = None if row.get("clip_sim") is None else float(row["clip_sim"])
    return [Captioned(str(video), start_s, end_s, str(one), score) for one in captions]


def _time(row: Row, clock: str, plain: str) -> float:
    return seconds(row[clock]) if clock in row else float(row[plain])


def clips(row: Row, at: int) -> Iterator[Listed]:
    """Read a record of InternVid-G, of whatever step: one clip, or `ValueError`."""
    name = said(row, "video") or said(row, "video_fname")
    path = PurePath(name)
    youtube = path.stem if path.suffix[1:].lower() in ENDINGS and watch(path.stem) else name
    video, url = source("", youtube)
    scores, used = scores_of(row, {"clip_sim": "clip_sim"})
    several = row.get("captions")
    texts = [text(one) for one in several] if isinstance(several, list) else [caption(row, "caption")]
    fields = rest(row, _USED | used)
    if name not in (video, f"{video}.mp4"):
        fields["video"] = name
    captions = tuple(ListedCaption("short", one) for one in texts if one)
    places = span(row.get("start_sec"), row.get("end_sec"))
    yield Listed("internvid_g", video, url, *places, "", captions, scores, fields, at)


def clips_internvid(row: Row, at: int) -> Iterator[Listed]:
    """Read a record of InternVid: one clip, or `ValueError`."""
    video, url = source("", said(row, "YoutubeID"))
    scores, used = scores_of(row)
    found = caption(row, "Caption") or caption(row, "caption")
    fields = rest(row, _USED_INTERNVID | used)
    if said(row, "YoutubeID") != video:
        fields["YoutubeID"] = said(row, "YoutubeID")
    captions = (ListedCaption("short", found),) if found else ()
    places = span(row.get("Start_timestamp"), row.get("End_timestamp"))
    yield Listed("internvid", video, url, *places, "", captions, scores, fields, at)
