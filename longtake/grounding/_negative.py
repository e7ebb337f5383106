"""Positive and negative spans on a row of scenes: as InternVid-G's script has them, and with the limits that are ours.

Scenes are given by their numbers, `(first, last)`, the last included.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from longtake.grounding import Floats, Seconds
from longtake.grounding._alike import Alike
from longtake.records import Edge

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Around:
    """A positive, and the negative span around it."""

    start_s: float
    end_s: float
    neg_start_s: float
    neg_end_s: float
    first: int
    last: int
    neg_first: int | None
    """The scene that bounds it on the left; None where none does."""
    neg_last: int | None
    left: Edge
    right: Edge
    similarity: NDArray[np.floating]
    """Shape (n,): of the positive with each scene."""


@dataclass(frozen=True, slots=True)
class Row:
    """The scenes of a video, as far as bounds go."""

    starts_s: Seconds
    ends_s: Seconds
    duration_s: float
    gaps: Flags
    """Shape (n + 1,): before which of them time is missing."""


def grow(scenes: tuple[int, int], joins: Flags, gaps: Flags) -> tuple[int, int]:
    """Return scenes with the neighbours on both sides that join, up to the first that doesn't or that a gap parts."""
    first, last = scenes
    while first > 0 and joins[first - 1] and not gaps[first]:
        first -= 1
    while last < len(joins) - 1 and joins[last + 1] and not gaps[last + 1]:
        last += 1
    return first, last


def between_bars(row: Row, scenes: tuple[int, int], similarity: Floats, bars: dict[Edge, Flags]) -> Around:
    """Return the negative span that ends on each side at the first scene that bars it, or at a gap.

    `bars` says for each reason which scenes do; where several hold, the first is the edge's.
    """
    first, last = scenes
    start_s, end_s = float(row.starts_s[first]), float(row.ends_s[last])
    barred = np.logical_or.reduce([*bars.values()])
    before, after = np.flatnonzero(barred[:first]), np.flatnonzero(barred[last + 1 :]) + last + 1
    neg_first = int(before[-1]) if len(before) else None
    neg_last = int(after[0]) if len(after) else None
    gaps_before, gaps_after = np.flatnonzero(row.gaps[: first + 1]), np.flatnonzero(row.gaps[last + 1 :]) + last + 1
    left, right = _edge(bars, neg_first), _edge(bars, neg_last)
    neg_start_s = 0.0 if neg_first is None else min(float(row.ends_s[neg_first]), start_s)
    neg_end_s = row.duration_s if neg_last is None else max(float(row.starts_s[neg_last]), end_s)
    if len(gaps_before) and (neg_first is None or gaps_before[-1] > neg_first):
        left, neg_first, neg_start_s = "unseen", None, float(row.starts_s[gaps_before[-1]])
    if len(gaps_after) and (neg_last is None or gaps_after[0] <= neg_last):
        right, neg_last, neg_end_s = "unseen", None, float(row.ends_s[gaps_after[0] - 1])
    return Around(start_s, end_s, neg_start_s, neg_end_s, first, last, neg_first, neg_last, left, right, similarity)


def _edge(bars: dict[Edge, Flags], scene: int | None) -> Edge:
    return "video" if scene is None else next(reason for reason, where in bars.items() if where[scene])


def original(
    row: Row, alike: Alike, start_s: float, end_s: float, *, similar_above: float, shift_s: float, most_scenes: int
) -> Around | None:
    """Return what InternVid-G's script makes of a captioned stretch, faults and all; None where it finds no scene."""
    n = min(len(row.starts_s), most_scenes) if most_scenes else len(row.starts_s)
    starts, ends = row.starts_s[:n], row.ends_s[:n]
    found = int(np.searchsorted(starts, start_s - shift_s, side="left"))
    first = found if found < n else 0
    found = int(np.searchsorted(ends, end_s + shift_s, side="right")) - 1
    last = found if found >= 0 else n - 1
    if last < first:
        return None
    at_first, at_last = first, last
    looks = _rounded(alike, at_first, at_first, n)
    while first > 0 and looks[first - 1] > similar_above:
        first -= 1
    looks = _rounded(alike, at_last, at_last, n)
    while last < n - 1 and looks[last + 1] > similar_above:
        last += 1
    start_s = float(starts[first]) if first < at_first else start_s
    end_s = float(ends[last]) if last > at_last else end_s
    looks = _rounded(alike, first, last, n)
    different = looks < similar_above
    before, after = np.flatnonzero(~different[:first]), np.flatnonzero(~different[last + 1 :]) + last + 1
    left, neg_first, neg_start_s = _side(before, first, 0.0, start_s)
    right, neg_last, neg_end_s = _side(after[::-1], n - 1 - last, row.duration_s, end_s)
    if neg_first is not None:
        neg_start_s = float(ends[neg_first])
    if neg_last is not None:
        neg_end_s = float(starts[neg_last])
    return Around(start_s, end_s, neg_start_s, neg_end_s, first, last, neg_first, neg_last, left, right, looks)


def _rounded(alike: Alike, first: int, last: int, n: int) -> NDArray[np.float64]:
    """Return similarities with the three decimals that the script's files have."""
    return np.asarray(alike.with_all(first, last)[:n], np.float64).round(3)


def _side(similar: NDArray[np.intp], scenes: int, video_s: float, own_s: float) -> tuple[Edge, int | None, float]:
    """Return how far a side without context reaches: to the video's edge where no scene is similar, nowhere where all.

    `similar` are those of the `scenes` on that side that are, the nearest last.
    """
    if not len(similar):
        return "video", None, video_s
    if len(similar) == scenes:
        return "none", None, own_s
    return "similar", int(similar[-1]), own_s
