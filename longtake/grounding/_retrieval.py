"""Does a caption find its own place? What `longtake ground --evaluate` measures, with the set's own vectors."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from longtake.grounding import Floats, Timeline
from longtake.grounding._scenes import INSTANT_S
from longtake.grounding._weigh import fit
from longtake.records import Span


@dataclass(frozen=True, slots=True)
class Hits:
    """How well predictions meet positives, each from 0 to 1; NaN where there were none."""

    recall_05: float
    """Part of the captions whose one prediction has an intersection over union (IoU) of 0.5 or more."""
    recall_07: float
    mean_iou: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How often captions find their positives inside their negative spans, and how often other ways do."""

    spans: int
    """That were tried."""
    unmeasured: int
    """That could not be: no vector, or a scene of the negative span without a measured frame."""
    scenes: float
    """Scenes a caption had to choose from, on average."""
    retrieved: Hits
    """By the best frame of each scene."""
    middle_frame: Hits
    """By each scene's middle frame alone."""
    random: Hits
    """A scene taken by chance: exact, not drawn."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The scene of a negative span that a caption fits best."""

    start_s: float
    end_s: float
    iou: float
    """Intersection over union with the positive."""
    middle_iou: float
    """The same for the scene that is best by middle frames alone."""
    all_ious: NDArray[np.float64]
    """Of every scene in the negative span."""


def retrieve(timeline: Timeline, span: Span, vector: Floats) -> Retrieved | None:
    """Return which scene of a span's negative span its caption, as a vector, fits best; the first of equals.

    Scenes are what it chooses from, so of a positive of several scenes it can find no more than one. None where a scene
    of the negative span was not measured.
    """
    inside = timeline.starts_s > span.neg_start_s - INSTANT_S
    inside &= timeline.ends_s < span.neg_end_s + INSTANT_S
    where = np.flatnonzero(inside)
    frames = timeline.frames[where]
    best = fit(frames, vector[None], "max")[0]
    middle = fit(frames[:, frames.shape[1] // 2, None], vector[None], "max")[0]
    if not len(where) or np.isnan(best).any() or np.isnan(middle).any():
        return None
    starts, ends = timeline.starts_s[where], timeline.ends_s[where]
    both = np.minimum(ends, span.end_s) - np.maximum(starts, span.start_s)
    either = np.maximum(ends, span.end_s) - np.minimum(starts, span.start_s)
    ious = np.maximum(both, 0) / either
    found = int(best.argmax())
    return Retrieved(float(starts[found]), float(ends[found]), float(ious[found]), float(ious[middle.argmax()]), ious)


def evaluate(spans: Iterable[tuple[Timeline, Span, Floats | None]]) -> Evaluation:
    """Let each caption, given with its video and as a vector, choose a scene of its negative span."""
    found, middle, chance, scenes, unmeasured = [], [], [], 0, 0
    for timeline, span, vector in spans:
        one = None if vector is None else retrieve(timeline, span, vector)
        if one is None:
            unmeasured += 1
            continue
        found.append(_hit(np.array([one.iou])))
        middle.append(_hit(np.array([one.middle_iou])))
        chance.append(_hit(one.all_ious))
        scenes += len(one.all_ious)
    mean_scenes = scenes / len(found) if found else math.nan
    return Evaluation(len(found), unmeasured, mean_scenes, _mean(found), _mean(middle), _mean(chance))


def _hit(ious: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return what one prediction among some, taken by chance, is expected to reach."""
    return float((ious >= 0.5).mean()), float((ious >= 0.7).mean()), float(ious.mean())


def _mean(hits: list[tuple[float, float, float]]) -> Hits:
    return (
        Hits(*(math.fsum(column) / len(hits) for column in zip(*hits, strict=True))) if hits else Hits(*[math.nan] * 3)
    )
