"""What the report shows of spans: counts over all of them, and some on the time lines of their videos."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from longtake.report.captions import NAME_CHARS, cut
from longtake.report.histograms import Threshold, histogram
from longtake.store import Tables, one_of

FILMS_SHOWN = 20
FILMS_OF_REJECTED = 6
"""Of a set without a good record so many videos are shown at least, where it has them."""
GOOD_SHOWN = 60
REJECTED_SHOWN = 4
"""For each reason."""
REASONS_SHOWN = 10
SIMILAR_SHOWN = 40
TEXT_CHARS = 400
BINS = 24

EDGES: Mapping[str, tuple[str, str]] = {
    "video": ("the video begins", "the video ends"),
    "similar": ("a scene before looks alike", "a scene after looks alike"),
    "caption": ("the caption also fits a scene before", "the caption also fits a scene after"),
    "unseen": ("a scene before was not measured", "a scene after was not measured"),
    "none": ("no context before", "no context after"),
}
"""Why a negative span ends where it does, on the left and on the right."""

_Item = TypeVar("_Item")


def summarize(store: Tables, recipe: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """Return counts over all spans, and histograms; None where the recipe makes none.

    `recipe` is the set's recipe as its file has it, `name` that of its folder.
    """
    if "grounding" not in recipe:
        return None
    numbers = ["start_s", "end_s", "neg_start_s", "neg_end_s", "score", "rival"]
    rows = store.read("spans", ["video_id", "rejected_by", *numbers])
    good = np.asarray(pc.is_null(rows["rejected_by"]))
    start_s, end_s, neg_start_s, neg_end_s, score, rival = (
        np.asarray(pc.fill_null(rows[name], np.nan), np.float64) for name in numbers
    )
    length_s, room_s = end_s - start_s, neg_end_s - neg_start_s
    over = np.divide(room_s, length_s, out=np.full(len(good), np.nan), where=length_s > 0)
    histograms = [
        histogram(
            "positive",
            length_s,
            good,
            unit="s",
            about="how long a caption holds",
            bins=BINS,
            thresholds=_limits(recipe["grounding"]),
        ),
        histogram(
            "negative over positive",
            over,
            good,
            unit="",
            about="how many times as long the negative span is",
            bins=BINS,
            log=True,
        ),
        histogram(
            "margin",
            score - rival,
            good,
            unit="",
            about="how much better a caption fits its own pictures than the best other scene of its negative span",
            bins=BINS,
        ),
    ]
    return {
        "command": shlex.join(["longtake", "ground", name]),
        "count": rows.num_rows,
        "good": int(good.sum()),
        "videos": pc.count_distinct(rows["video_id"].filter(pa.array(good))).as_py(),
        "rejected": [[cut(reason, NAME_CHARS), number] for reason, number in _reasons(rows)[:REASONS_SHOWN]],
        "reasons": len(_reasons(rows)),
        "scored": int((~np.isnan(score)).sum()),
        "histograms": [one for one in histograms if one],
    }


def _limits(grounding: Mapping[str, Any]) -> list[Threshold]:
    """Return how long a positive may be, where the way to ground says so."""
    rules = (("least_s", ">="), ("most_s", "<="))
    return [
        Threshold(f"{name} = {grounding[name]:g}", float(grounding[name]), comparison)
        for name, comparison in rules
        if grounding.get(name)
    ]


def _reasons(rows: pa.Table) -> list[tuple[str, int]]:
    """Return why captions were rejected and how many for that, most first."""
    rejected = rows.filter(pc.is_valid(rows["rejected_by"]))
    sums = rejected.group_by("rejected_by").aggregate([([], "count_all")]).to_pylist()
    found = [(row["rejected_by"], row["count_all"]) for row in sums]
    return sorted(found, key=lambda one: (-one[1], one[0]))


def sample(store: Tables, videos: pa.Table) -> list[dict[str, Any]]:
    """Return some good and some rejected records of a few videos, always the same ones, in order of path and time."""
    owners = store.read("spans", ["video_id", "rejected_by"])
    order = {video_id: place for place, video_id in enumerate(videos["id"].to_pylist())}
    chosen = _choose_videos(owners, list(order), [reason for reason, _ in _reasons(owners)[:REASONS_SHOWN]])
    rows = store.read("spans", where=one_of("video_id", chosen)).to_pylist()
    rows.sort(key=lambda row: (order[row["video_id"]], row["start_s"], row["step"], row["kind"], row["number"]))
    groups: dict[tuple[str | None, str | None], list[dict[str, Any]]] = {}
    for row in rows:
        good = row["rejected_by"] is None
        groups.setdefault((row["video_id"] if good else None, row["rejected_by"]), []).append(row)
    most = max(1, GOOD_SHOWN // max(1, len(chosen)))
    shown = {
        id(row)
        for (_, reason), group in groups.items()
        for row in _evenly(group, most if reason is None else REJECTED_SHOWN)
    }
    return [row for row in rows if id(row) in shown]


def _choose_videos(owners: pa.Table, order: Sequence[str], reasons: Sequence[str]) -> list[str]:
    """Return videos with good records, spread evenly, and one for each reason that none of them has an example of."""
    pairs = owners.group_by(["video_id", "rejected_by"]).aggregate([]).to_pylist()
    having: dict[str | None, set[str]] = {}
    for pair in pairs:
        having.setdefault(pair["rejected_by"], set()).add(pair["video_id"])
    good = having.get(None, set())
    any_of = good or set().union(*having.values())
    chosen = dict.fromkeys(
        _evenly(
            [video_id for video_id in order if video_id in any_of],
            FILMS_SHOWN - len(reasons) if good else FILMS_OF_REJECTED,
        )
    )
    for reason in reasons:
        if having[reason].isdisjoint(chosen):
            chosen.update(dict.fromkeys([video_id for video_id in order if video_id in having[reason]][:1]))
    return list(chosen)


def _evenly(items: Sequence[_Item], most: int) -> list[_Item]:
    """Return at most so many of the items, spread evenly."""
    return [items[place] for place in np.unique(np.linspace(0, len(items) - 1, min(len(items), most)).astype(int))]


def films(rows: Sequence[Mapping[str, Any]], index: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the videos that records lie in, by their places on the page, with what is drawn of each record."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["video_id"], []).append(_drawn(row))
    return [{"video": index[video_id], "spans": spans} for video_id, spans in found.items()]


def _drawn(row: Mapping[str, Any]) -> dict[str, Any]:
    nearest = sorted(row["similar"], key=lambda one: -one["similarity"])[:SIMILAR_SHOWN]
    return {
        **{name: row[name] for name in ("clip_id", "step", "kind", "score", "rival", "places")},
        "text": cut(row["text"], TEXT_CHARS),
        "said": [row["caption_start_s"], row["caption_end_s"]],
        "positive": [row["start_s"], row["end_s"]],
        "negative": [row["neg_start_s"], row["neg_end_s"]],
        "edges": [
            EDGES[row[side]][place] if row[side] in EDGES else cut(row[side] or "", NAME_CHARS)
            for place, side in enumerate(("left", "right"))
        ],
        "similar": sorted([one["start_s"], one["end_s"], one["similarity"]] for one in nearest),
        "similar_left_out": max(0, len(row["similar"]) - SIMILAR_SHOWN),
        "rejected_by": cut(row["rejected_by"], NAME_CHARS) if row["rejected_by"] else None,
    }
