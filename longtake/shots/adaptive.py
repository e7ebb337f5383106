"""PySceneDetect's `AdaptiveDetector` as arithmetic on the signal `content`: cuts that exceed what is around them."""

from typing import Annotated

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from longtake.records import Range, Series, Transition
from longtake.shots.content import CLOCK_S, cut_at

VERSION = 1
SIGNAL = "content"
EVERY_FRAME = True
MAX_RATIO = 255.0


def adaptive(
    series: Series,
    *,
    adaptive_threshold: Annotated[float, Range(above=0)] = 3.0,
    min_content_val: Annotated[float, Range(least=0)] = 15.0,
    window_width: Annotated[int, Range(least=1)] = 2,
    min_shot_s: Annotated[float, Range(least=0)] = 0.6,
) -> list[Transition]:
    """Return the cuts of a video: where `score` is `adaptive_threshold` times that of the frames around.

    `window_width` is how many frames before and after are averaged, so that many at either end of the video can't
    be cuts; `min_content_val` is what `score` must reach besides. A cut within `min_shot_s` of the cut before, or of
    the start, is dropped. The same as PySceneDetect 0.7, whose default of 15 frames is 0.6 s at 25 fps.

    `confidence` is `ratio / (ratio + adaptive_threshold)`: 0.5 at the threshold, towards 1 above. When the signal
    was taken at a few frames per second, a cut lies anywhere between two rows, and the frame of the later one is
    given.
    """
    scores = series.column("score").astype(np.float64)
    ratios = stand_out(scores, window_width)

    cuts: list[Transition] = []
    last_s = series.times[0] if len(series) else 0.0
    for row in np.flatnonzero((ratios >= adaptive_threshold) & (scores >= min_content_val)):
        if series.times[row] - last_s >= min_shot_s - CLOCK_S:
            last_s = series.times[row]
            cuts.append(cut_at(series, int(row), ratios[row] / (ratios[row] + adaptive_threshold)))
    return cuts


def stand_out(scores: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return how many times its neighbours' mean each score is, at most 255 and that where they are all 0.

    The first and last `width` scores get 0.
    """
    ratios = np.zeros(len(scores))
    if len(scores) < 2 * width + 1:
        return ratios
    windows = sliding_window_view(scores, 2 * width + 1)
    around = np.delete(windows, width, axis=1).mean(axis=1)
    centre = windows[:, width]

    flat = around < 1e-5
    ratio = np.minimum(centre / np.where(flat, 1.0, around), MAX_RATIO)
    ratios[width : len(scores) - width] = np.where(flat, MAX_RATIO, ratio)
    return ratios
