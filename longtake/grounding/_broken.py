"""What is wrong with a record of a published set, as far as what is known of it tells."""

import itertools
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


class Known:
    """What is known of one video: its records, its scenes, and how alike those look."""

    def __init__(
        self,
        records: Sequence[Published] = (),
        scenes: Sequence[tuple[float, float]] = (),
        similarity: NDArray[np.floating] | None = None,
    ) -> None:
        """Take all records of a video, or none; without a part, what needs it is not tested.

        `scenes` are starts and ends in seconds, in order. `similarity` has shape (m, m); scenes from m on were never
        compared, nor were those where it is NaN.
        """
        self.edges = np.array(scenes, np.float64).reshape(-1, 2)
        self.similarity = similarity
        self._positives = _Positives(records)
        self._sayings = _Sayings(records)

    def broken(self, record: Published, *, similar_above: float = 0.8) -> tuple[str, ...]:
        """Return which of `INVARIANTS` a record of the video breaks, be it among the known ones or not."""
        times = (record.start_s, record.end_s, record.neg_start_s, record.neg_end_s)
        longest_s = math.inf if record.duration_s is None else record.duration_s
        if not all(map(math.isfinite, times)) or record.end_s <= record.start_s:
            return ("no span",)
        positive, edges, similarity = (record.start_s, record.end_s), self.edges, self.similarity
        tests: dict[str, Callable[[], bool]] = {
            "outside negative": lambda: not _within(positive, (record.neg_start_s, record.neg_end_s)),
            "outside video": lambda: not _within((min(times), max(times)), (0, longest_s)),
            "no context": lambda: places(*times) == ("throughout",),
            "shared positive": lambda: self._positives.shared(record),
            "repeated caption": lambda: self._sayings.repeated(record),
            "scene numbers": lambda: len(edges) > 0 and not _numbers_fit(record, edges),
            "similar inside": lambda: similarity is not None and _nearest(record, edges, similarity) >= similar_above,
            "never compared": lambda: len(edges) > 0 and _reaches_over_unknown(record, edges, similarity),
        }
        return tuple(name for name in INVARIANTS if name in tests and tests[name]())


def _within(inner: tuple[float, float], outer: tuple[float, float]) -> bool:
    return inner[0] >= outer[0] - SLACK_S and inner[1] <= outer[1] + SLACK_S


def _words(caption: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", caption.casefold()))


class _Positives:
    """The positives of a video with what is said of each, on a grid, so that only near ones are compared."""

    def __init__(self, records: Sequence[Published]) -> None:
        self._cells: dict[tuple[float, float], dict[tuple[float, float], set[tuple[str, ...]]]] = {}
        for record in records:
            at = (record.start_s, record.end_s)
            if all(map(math.isfinite, at)):
                said = self._cells.setdefault(_cell(*at), {}).setdefault(at, set())
                if len(said) < 2:  # of two that differ, one is another than any third
                    said.add(_words(record.caption))

    def shared(self, record: Published) -> bool:
        """Return whether another caption has the same positive."""
        words = _words(record.caption)
        row, column = _cell(record.start_s, record.end_s)
        near = (
            found
            for cell in itertools.product((row - 1, row, row + 1), (column - 1, column, column + 1))
            for found in self._cells.get(cell, {}).items()
        )
        return any(
            abs(start_s - record.start_s) <= SLACK_S and abs(end_s - record.end_s) <= SLACK_S and said - {words}
            for (start_s, end_s), said in near
        )


def _cell(start_s: float, end_s: float) -> tuple[float, float]:
    """Return the place on a grid: what is no further than `SLACK_S` lies in it or in one beside it."""
    return start_s // (2 * SLACK_S), end_s // (2 * SLACK_S)


class _Sayings:
    """The positives of each caption of a video, by start, with the last end of those up to each."""

    def __init__(self, records: Sequence[Published]) -> None:
        by_words: dict[tuple[str, ...], list[tuple[float, float]]] = {}
        for record in records:
            if SLACK_S < record.end_s - record.start_s < math.inf:
                by_words.setdefault(_words(record.caption), []).append((record.start_s, record.end_s))
        rows = {words: np.array(sorted(spans)) for words, spans in by_words.items()}
        self._spans = {words: (some[:, 0], np.maximum.accumulate(some[:, 1])) for words, some in rows.items()}

    def repeated(self, record: Published) -> bool:
        """Return whether the caption has a positive in its negative span, beside its own: more than a rounding of it.

        Two stretches have more than that in common where each is longer, and each starts that much before the other's
        end.
        """
        if (words := _words(record.caption)) not in self._spans:
            return False
        starts, last_ends = self._spans[words]
        for from_s, to_s in ((record.neg_start_s, record.start_s), (record.end_s, record.neg_end_s)):
            before = int(np.searchsorted(starts, to_s - SLACK_S, side="left"))
            if to_s - from_s > SLACK_S and before and last_ends[before - 1] > from_s + SLACK_S:
                return True
        return False


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
