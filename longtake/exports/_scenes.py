"""Scenes and shots of a video on its way out, and how alike they are, in blocks of rows."""

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from longtake.exports import Grounded
from longtake.similarity import cosines

if TYPE_CHECKING:
    from longtake.grounding import Timeline

Floats = NDArray[np.float32]
Seconds = NDArray[np.float64]

ROWS_AT_ONCE = 64


def scenes_of(video: Grounded) -> Seconds:
    """Return where the scenes of a video start and end, shape (n, 2)."""
    if video.timeline is not None:
        return np.stack([video.timeline.starts_s, video.timeline.ends_s], axis=1)
    return np.array([(clip["start_s"], clip["end_s"]) for clip in video.clips], np.float64).reshape(-1, 2)


def shots_of(video: Grounded) -> Seconds:
    """Return where the shots of a video start and end, shape (u, 2): a row for each vector that its timeline has.

    Those are cut where scenes part, as there, and one too short to be measured is left out.
    """
    if video.timeline is not None:
        return video.timeline.shots_at
    return np.array([(shot["start_s"], shot["end_s"]) for shot in video.shots], np.float64).reshape(-1, 2)


def of_shots(timeline: "Timeline", most: int = 0) -> Iterator[Floats]:
    """Yield rows of the similarities of a video's shots, of the first `most` where that isn't 0."""
    shots = timeline.shots[: most or None]
    for start in range(0, len(shots), ROWS_AT_ONCE):
        yield cosines(shots[start : start + ROWS_AT_ONCE], shots)


def of_scenes(timeline: "Timeline", most: int = 0) -> Iterator[Floats]:
    """Yield rows of the similarities of a video's scenes: each that of the two most alike shots of theirs."""
    scenes = min(most or len(timeline.starts_s), len(timeline.starts_s))
    firsts = np.searchsorted(timeline.scene_of, np.arange(scenes + 1))
    shots = timeline.shots[: firsts[-1]]
    for first, end in itertools.pairwise(firsts):
        best = np.full(len(shots), np.nan, np.float32)
        for start in range(first, end, ROWS_AT_ONCE):
            block = cosines(shots[start : min(end, start + ROWS_AT_ONCE)], shots)
            best = np.fmax(best, np.fmax.reduce(block, axis=0))
        yield np.fmax.reduceat(best, firsts[:-1])[None]
