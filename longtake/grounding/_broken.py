"""What is wrong with a record of a published set, as far as what is known of it tells."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from longtake.grounding._places import places

SLACK_S = 0.01
"""What times may be off by rounding."""
SHIFT_S = 0.25
"""What a positive that has not grown may be off the edges of its scenes, in InternVid-G."""

INVARIANTS: Mapping[str, str] = MappingProxyType(
    {
        "no span": "a time is no number, or the positive ends where it starts, or before",
        "outside negative": "the positive is not inside its negative span",
        "outside video": "a time lies before the start or after the end of the video",
        "no context": "a crop could have the positive neither at the beginning, nor in the middle, nor at the end",
        "shared positive": "another record has the same positive with another caption",
        "repeated caption": "another record has the same caption elsewhere in the negative span",
        "scene numbers": "a scene's number doesn't fit the times",
        "similar inside": "a scene of the negative span looks like the positive",
        "never compared": "the negative span reaches over scenes that were never compared, or over time without scenes",
    }
)
"""What can be broken -> what that means."""


@dataclass(frozen=True, slots=True)
class Published:
    """One record as InternVid-G's files have it; None for a field it lacks. Times are seconds of the video."""

    video: str
    start_s: float
    end_s: float
    neg_start_s: float
    neg_end_s: float
    caption: str
    duration_s: float | None = None
    start_scene: int | None = None
    end_scene: int | None = None
    """The last one, included."""
    neg_start_scene: int | None = None
    neg_end_scene: int | None = None


def broken(
    record: Published,
    of_video: Sequence[Published] = (),
    scenes: Sequence[tuple[float, float]] = (),
    similarity: NDArray[np.floating] | None = None,
    *,
    similar_above: float = 0.8,
) -> tuple[str, ...]:
    """Return which of `INVARIANTS` a record breaks; what needs data that isn't given is not tested.

    `of_video` has the records of its video, itself among them or not. `scenes` are starts and ends in seconds, in
    order. `similarity` has shape (m, m), and scenes from m on were never compared; nor were those where it is NaN.
    """
    times = (record.start_s, record.end_s, record.neg_start_s, record.neg_end_s)
    longest_s = math.inf if record.duration_s is None else record.duration_s
    if not all(map(math.isfinite, times)) or record.end_s <= record.start_s:
        return ("no span",)
    edges = np.array(scenes, np.float64).reshape(-1, 2)
    tests: dict[str, Callable[[], bool]] = {
        "outside negative": lambda: not _within((record.start_s, record.end_s), (record.neg_start_s, record.neg_end_s)),
        "outside video": lambda: not _within((min(times), max(times)), (0, longest_s)),
        "no context": lambda: places(*times) == ("throughout",),
        "shared positive": lambda: any(_shares_positive(record, other) for other in of_video),
        "repeated caption": lambda: any(_repeats(record, other) for other in of_video),
        "scene numbers": lambda: len(edges) > 0 and not _numbers_fit(record, edges),
        "similar inside": lambda: similarity is not None and _nearest(record, edges, similarity) >= similar_above,
        "never compared": lambda: len(edges) > 0 and _reaches_over_unknown(record, edges, similarity),
    }
    return tuple(name for name in INVARIANTS if name in tests and tests[name]())


def _within(inner: tuple[float, float], outer: tuple[float, float]) -> bool:
    return inner[0] >= outer[0] - SLACK_S and inner[1] <= outer[1] + SLACK_S


def _words(caption: str) -> list[str]:
    return re.findall(r"\w+", caption.casefold())


def _same_positive(record: Published, other: Published) -> bool:
    return abs(record.start_s - other.start_s) <= SLACK_S and abs(record.end_s - other.end_s) <= SLACK_S


def _shares_positive(record: Published, other: Published) -> bool:
    return _same_positive(record, other) and _words(record.caption) != _words(other.caption)


def _repeats(record: Published, other: Published) -> bool:
    if _words(record.caption) != _words(other.caption):
        return False
    return _outside(record, np.array([[other.start_s, other.end_s]])).item() > SLACK_S


def _outside(record: Published, stretches: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how long each of n stretches lies in the negative span without the positive, on one side of it, in s."""
    starts, ends = stretches[:, 0], stretches[:, 1]
    before = np.minimum(ends, record.start_s) - np.maximum(starts, record.neg_start_s)
    after = np.minimum(ends, record.neg_end_s) - np.maximum(starts, record.end_s)
    return np.asarray(np.maximum(before, after), np.float64)


def _numbers_fit(record: Published, edges: NDArray[np.float64]) -> bool:
    """Return whether the scenes that are named start and end where the times say."""
    named = (
        (record.start_scene, 0, record.start_s, SHIFT_S),
        (record.end_scene, 1, record.end_s, SHIFT_S),
        (record.neg_start_scene, 1, record.neg_start_s, 0.0),
        (record.neg_end_scene, 0, record.neg_end_s, 0.0),
    )
    return all(
        scene is None or (0 <= scene < len(edges) and abs(edges[scene, side] - time_s) <= shift_s + SLACK_S)
        for scene, side, time_s, shift_s in named
    )


def _parts(record: Published, edges: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the scenes of the positive, those whose middle lies in it, and the others of the negative span."""
    middles = edges.mean(axis=1)
    positive = (middles >= record.start_s) & (middles < record.end_s)
    if not positive.any():
        middle_s = (record.start_s + record.end_s) / 2
        positive = (edges[:, 0] <= middle_s) & (middle_s < edges[:, 1])
    return np.flatnonzero(positive), np.flatnonzero(~positive & (_outside(record, edges) > SLACK_S))


def _nearest(record: Published, edges: NDArray[np.float64], similarity: NDArray[np.floating]) -> float:
    """Return how alike the positive is to the scene of its negative span that is most like it, of those compared."""
    positive, inside = (some[some < len(similarity)] for some in _parts(record, edges))
    found = similarity[np.ix_(positive, inside)]
    return float(np.max(found, initial=-np.inf, where=~np.isnan(found)))


def _reaches_over_unknown(
    record: Published, edges: NDArray[np.float64], similarity: NDArray[np.floating] | None
) -> bool:
    inside_negative = np.clip(edges, record.neg_start_s, record.neg_end_s)
    reached = np.maximum.accumulate(np.append(record.neg_start_s, inside_negative[:, 1]))
    if (np.append(inside_negative[:, 0], record.neg_end_s) - reached > SLACK_S).any():
        return True
    if similarity is None:
        return False
    positive, inside = _parts(record, edges)
    if not len(inside):
        return False
    compared = len(similarity)
    if max(*inside, *positive) >= compared:
        return True
    return bool(np.isnan(similarity[np.ix_(positive, inside)]).any())
