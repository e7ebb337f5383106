"""Which predicted transition finds which true one, in two ways: ours, and that of NVlabs/ShotBench."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from truth import CUTS, Span

TOLERANCE = 2
"""Frames by which a prediction may lie beside a transition."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """A predicted transition: its first and last mixed frame, both the first frame of the new shot for a cut."""

    first_frame: int
    last_frame: int
    kind: str = ""
    """`cut`, `dissolve`, `fade`, `wipe`, or nothing where a detector does not say."""
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Matching:
    """Which transition was found by which prediction, by position, and predictions that find a found one again."""

    pairs: Mapping[int, int]
    duplicates: frozenset[int] = frozenset()


def match_nearest(transitions: Sequence[Span], predictions: Sequence[Prediction], tolerance: int) -> Matching:
    """Match one to one what overlaps, the nearest centres first; a true span is widened by `tolerance` frames.

    Every further prediction in the widened span of a transition is a duplicate, neither right nor wrong.
    """
    near = sorted(
        (abs(one.first_frame + one.last_frame - true.first_frame - true.last_frame), i, j)
        for i, true in enumerate(transitions)
        for j, one in enumerate(predictions)
        if touches(one, true.first_frame, true.last_frame, tolerance)
    )
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, j in near:
        if i not in pairs and j not in taken:
            pairs[i] = j
            taken.add(j)
    return Matching(pairs, frozenset(j for _, _, j in near) - taken)


def match_in_order(transitions: Sequence[Span], predictions: Sequence[Prediction], tolerance: int) -> Matching:
    """Match as `evaluate_scenes` of NVlabs/ShotBench (`evaluate_utils.py`) does, which is that of TransNetV2.

    A transition reaches from the last frame of the old shot to the first of the new one, widened on both sides by
    `tolerance / 2 - 0.5` frames, a predicted one the same way. Both lists are gone through once, in order; the first
    two that touch are a match. There are no duplicates: every further prediction is wrong.
    """
    wide = tolerance / 2 - 0.5
    true = [(old - wide, new + wide) for old, new in map(_around, transitions)]
    said = [(old - wide, new + wide) for old, new in map(_around, predictions)]
    pairs: dict[int, int] = {}
    i = j = 0
    while i < len(true) and j < len(said):
        if said[j][1] < true[i][0]:
            j += 1
        elif said[j][0] > true[i][1]:
            i += 1
        else:
            pairs[i] = j
            i, j = i + 1, j + 1
    return Matching(pairs)


def _around(one: Span | Prediction) -> tuple[int, int]:
    """Return the last frame of the old shot and the first of the new one."""
    is_cut = one.kind in CUTS or (not one.kind and one.first_frame == one.last_frame)
    return one.first_frame - 1, one.last_frame + (not is_cut)


def touches(one: Prediction, first: int, last: int, tolerance: int) -> bool:
    """Whether a prediction overlaps a span of frames widened by `tolerance` on both sides."""
    return one.last_frame >= first - tolerance and one.first_frame <= last + tolerance
