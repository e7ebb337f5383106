"""Neighbouring shots that look alike as one clip: InternVid-G's scenes, which tile the video."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from longtake.records import Range, Series, Shot
from longtake.similarity import Floats, any_above, frame_vectors, mean_vectors, pair_cosines

VERSION = 1
SIGNAL = "signature"

ROUNDING_S = 1e-9

Group = tuple[int, int]
"""A run of shots: the first one's number, and the one after the last."""


def scenes(
    shots: Sequence[Shot],
    times: NDArray[np.float64],
    end_s: float,
    series: Series,
    *,
    rule: Literal["last", "union"] = "last",
    similar_above: Annotated[float, Range(least=-1, most=1)] = 0.85,
    least_s: Annotated[float, Range(least=0)] = 0.5,
    most_s: Annotated[float, Range(least=0)] = 0.0,
) -> list[Shot]:
    """Neighbouring shots that look alike as one clip; the clips tile the video, without gaps (arXiv 2403.10228).

    rule: `last`: a shot joins the scene before it where it looks like that scene's last shot, so that a scene may
        drift; `union`: where it looks like any shot of it.
    similar_above: two shots look alike where the cosine of their vectors is over this, -1 to 1. A shot's vector is
        the mean of three frames at its quarter points, each of length 1 before and the mean after.
    least_s: a shot shorter than this many seconds joins the neighbour that it looks more like before anything else.
        Where that is unknown of both, for such a shot may hold no measured frame: one that is short too, else the
        longer, else the previous one.
    most_s: a scene doesn't grow beyond so many seconds; 0: it grows without limit. A single longer shot stays whole,
        and a short one stays alone where neither neighbour has room.

    Unlike in the original, short shots are not dropped, a video without a cut is one scene, there may be over 100 of
    them, a gradual transition belongs half to either side (its middle frame is the first of the next scene), and
    frames are of length 1 before their mean, so that no bright one outweighs the others. A shot of which nothing was
    measured looks like no other.
    """
    if not shots:
        return []
    frames = [0, *((one.end_frame + other.start_frame) // 2 for one, other in pairwise(shots)), len(times)]
    edges_s = [0.0, *times[frames[1:-1]].tolist(), end_s]
    room_s = most_s + ROUNDING_S if most_s > 0 else math.inf
    whole = [(number, number + 1) for number in range(len(shots))]
    vectors = _vectors(series, shots, whole)
    groups = _join_short(whole, vectors, edges_s, least_s, room_s)
    if len(groups) < len(whole):
        vectors = _vectors(series, shots, groups)
    starts = [0]
    for number in range(1, len(groups)):
        first = starts[-1] if rule == "union" else number - 1
        length_s = edges_s[groups[number][1]] - edges_s[groups[starts[-1]][0]]
        if length_s > room_s or not any_above(vectors[first:number], vectors[number], similar_above):
            starts.append(number)
    bounds = [*(groups[number][0] for number in starts), len(shots)]
    return [Shot(edges_s[a], edges_s[b], frames[a], frames[b]) for a, b in pairwise(bounds)]


def _vectors(series: Series, shots: Sequence[Shot], groups: Sequence[Group]) -> Floats:
    """Return a vector for each run of shots, of its frames from the first shot's start to the last one's end."""
    starts_s = [shots[first].start_s for first, _ in groups]
    return mean_vectors(frame_vectors(series, starts_s, [shots[stop - 1].end_s for _, stop in groups]))


def _join_short(
    shots: Sequence[Group], vectors: Floats, edges_s: Sequence[float], least_s: float, room_s: float
) -> list[Group]:
    """Join every shot that is too short with a neighbour, from left to right, until it is long enough."""
    likeness = pair_cosines(vectors[:-1], vectors[1:])
    groups = list(shots)

    def length_s(first: int, stop: int) -> float:
        return edges_s[stop] - edges_s[first]

    def preference(at: int, other: int) -> tuple[float, bool, float, bool]:
        alike = likeness[max(groups[at][0], groups[other][0]) - 1]
        other_s = length_s(*groups[other])
        return -2.0 if np.isnan(alike) else float(alike), other_s < least_s, other_s, other < at

    at = 0
    while at < len(groups):
        first, stop = groups[at]
        beside = [other for other in (at - 1, at + 1) if 0 <= other < len(groups)]
        pairs = {other: (min(first, groups[other][0]), max(stop, groups[other][1])) for other in beside}
        fitting = [other for other in beside if length_s(*pairs[other]) <= room_s]
        if length_s(first, stop) >= least_s - ROUNDING_S or not fitting:
            at += 1
            continue
        other = max(fitting, key=lambda other: preference(at, other))
        groups[min(at, other) : max(at, other) + 1] = [pairs[other]]
        at = min(at, other)
    return groups
