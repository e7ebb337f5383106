"""HD-VILA-100M's JSON lines: a video a line, with its clips. microsoft/XPretrain, arXiv 2111.10337.

HD-VG-130M is cut from these clips; in the form that LVD-2M has its rows they are read by `lvd2m`.
"""

from collections.abc import Iterator

from longtake.sources import Listed
from longtake.sources.lists._names import clip_name, source
from longtake.sources.lists._rows import Unread
from longtake.sources.lists._values import Row, rest, said, stamps

NEEDS = ("video_id", "url", "clip")


def clips(row: Row, at: int) -> Iterator[Listed | Unread]:
    """Read a line: its video's clips, each with an `Unread` in its place where it is none."""
    own = said(row, "video_id")
    video, url = source(said(row, "url"), own)
    of_video = rest(row, NEEDS)
    if own != video:
        of_video["video_id"] = own
    found = row["clip"]
    if not isinstance(found, list):
        raise ValueError("clip is no list")
    for index, clip in enumerate(found):
        try:
            if not isinstance(clip, dict):
                raise ValueError("no object with clip_id and span")
            places = stamps(clip.get("span"))
            fields = of_video | rest(clip, ("clip_id", "span"))
            name = said(clip, "clip_id")
            if clip_name(name) != name:
                fields["clip_id"] = name
            yield Listed("hdvila", video, url, *places, clip_name(name), (), {}, fields, at)
        except ValueError as error:
            yield Unread(f"clip {index + 1} of {len(found)} of the line: {error}")
