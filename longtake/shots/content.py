"""PySceneDetect's `ContentDetector` as arithmetic on the signal `content`: cuts where the score passes a threshold."""

from typing import Annotated

import numpy as np

from longtake.records import Range, Series, Transition

VERSION = 1
SIGNAL = "content"
EVERY_FRAME = True
CLOCK_S = 1e-6
"""What subtracting two times may lose: 0.64 - 0.04 is not quite 0.6."""


def content(
    series: Series,
    *,
    threshold: Annotated[float, Range(above=0)] = 27.0,
    min_shot_s: Annotated[float, Range(least=0)] = 0.6,
) -> list[Transition]:
    """Return the cuts of a video: where `score` is at least `threshold`, and the shots are not too short.

    A first cut within `min_shot_s` of the start is dropped. Later ones closer than `min_shot_s` are merged: they are
    taken together while they last, and give one cut, at the last of them, if they went on for `min_shot_s`.
    The same as PySceneDetect 0.7, whose default of 15 frames is 0.6 s at 25 fps.

    `confidence` is `score / (score + threshold)`: 0.5 at the threshold, towards 1 above. When the signal was taken at
    a few frames per second, a cut lies anywhere between two rows, and the frame of the later one is given.
    """
    scores = series.column("score").astype(np.float64)
    rows = merge_flashes(series.times, scores >= threshold, min_shot_s)
    return [cut_at(series, row, scores[row] / (scores[row] + threshold)) for row in rows]


def merge_flashes(times: np.ndarray, above: np.ndarray, min_shot_s: float) -> list[int]:
    """Return the rows that stay cuts when none may follow the one before within `min_shot_s`.

    This is `FlashFilter` of PySceneDetect 0.7 in its default mode MERGE, state by state.
    """
    if min_shot_s <= 0:
        return [int(row) for row in np.flatnonzero(above)]
    cuts: list[int] = []
    last = 0  # the last row above the threshold; the first row counts as one
    first_merged: int | None = None

    for row, is_above in enumerate(above):
        calm = times[row] - times[last] >= min_shot_s - CLOCK_S
        if is_above:
            last = row
        if first_merged is not None:
            if calm and not is_above and times[last] - times[first_merged] >= min_shot_s - CLOCK_S:
                first_merged = None
                cuts.append(last)
        elif is_above and calm:
            cuts.append(row)
        elif is_above and cuts:
            first_merged = row
    return cuts


def cut_at(series: Series, row: int, confidence: float) -> Transition:
    """Return the cut whose new shot begins with a row's frame."""
    time, frame = float(series.times[row]), int(series.frames[row])
    return Transition("cut", time, time, frame, frame, float(confidence))
