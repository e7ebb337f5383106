"""Panda-70M's tables, and others in their style: a row a video, with lists of spans, captions and scores in its cells.

snap-research/Panda-70M, arXiv 2402.19479. In tables in its style, as Koala-36M's, a row may be one clip.
"""

from collections.abc import Iterator

from longtake.sources import Listed, ListedCaption
from longtake.sources.lists._names import clip_name, source
from longtake.sources.lists._rows import Unread
from longtake.sources.lists._values import Row, items, rest, said, score_key, scores_of, span, stamps, text
from longtake.sources.lists._values import caption as caption_of
from longtake.sources.lists._values import number as number_of

NEEDS = ("videoID", "url", "timestamp")

_LISTS = ("caption", "matching_score", "desirable_filtering", "shot_boundary_detection")
_USED = {"videoID", "url", "timestamp"}


def clips(row: Row, at: int) -> Iterator[Listed | Unread]:
    """Read a row: its clips, each with an `Unread` in its place where it is none."""
    own = said(row, "videoID")
    video, url = source(said(row, "url"), own)
    places = items(row.get("timestamp"))
    if not places or not isinstance(places[0], (list, tuple)):
        scores, used = scores_of(row)
        found = caption_of(row, "caption")
        fields = rest(row, {*_USED, *used, "caption"})
        captions = (ListedCaption("short", found),) if found else ()
        clip = "" if own == video else clip_name(own)
        if clip != own and own != video:
            fields["videoID"] = own
        yield Listed("panda70m", video, url, *stamps(places), clip, captions, scores, fields, at)
        return
    columns = {name: items(row[name]) for name in _LISTS if said(row, name)}
    uneven = [name for name, values in columns.items() if len(values) != len(places)]
    if uneven:
        raise ValueError(f"{uneven[0]} has {len(columns[uneven[0]])} values for {len(places)} clips")
    fields = rest(row, {*_USED, *columns})
    if own != video:
        fields["videoID"] = own
    for index, place in enumerate(places):
        values = {name: column[index] for name, column in columns.items()}
        try:
            if not isinstance(place, (list, tuple)) or len(place) != 2:
                raise ValueError(f"{place!r} is no span")
            yield _listed(values, (video, url), span(*place), fields, at)
        except ValueError as error:
            yield Unread(f"clip {index + 1} of {len(places)} of the row: {error}")


def _listed(values: Row, of: tuple[str, str], places: tuple[float, float], fields: dict[str, str], at: int) -> Listed:
    said_of = text(values.get("caption"))
    captions = (ListedCaption("short", said_of),) if said_of else ()
    score = number_of(values.get("matching_score"))
    scores = {} if score is None else {score_key("matching_score"): score}
    more = rest(values, {"caption", *scores})
    return Listed("panda70m", *of, *places, "", captions, scores, {**fields, **more}, at)
