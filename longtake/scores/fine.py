"""What a clip's file holds at full size: detail, noise, coding blocks, interlacing."""

import numpy as np
from numpy.typing import NDArray

from longtake.records import Series

VERSION = 1
SIGNAL = "fine"
SEEN = 0.01
"""Share of the picture with combs from which a frame counts as combed: progressive footage stays below 0.005."""


def fine(series: Series) -> dict[str, float | None]:
    """How much of its own resolution a clip uses, its noise and coding blocks, and interlacing combs.

    resolution: median over time of the share of the file's resolution that the picture uses, 0 to 1, the geometric
        mean of width and height: 0.5 is footage that could be stored at half the size. It finds enlarged footage;
        defocus and motion blur lower it too. Unlike `look.sharpness` it goes by the file's own pixels.
    finest: share of the file's resolution that is used a tenth of the time, 0 to 1: low only where no part of the clip
        is sharp, so what was enlarged.
    noise: median over time of the standard deviation of noise and grain, as a share of white, 0 and up; 0.01 is easily
        seen.
    blocks: median over time of how much larger steps at the borders of coding blocks are than others, 0 and up; below
        0.2 nothing is to be seen.
    combs: mean over time of the share of the picture, 0 to 1, with interlacing combs. It grows with motion.
    combed: share of the time, 0 to 1, in which they take more than 0.01 of the picture: near 1 for interlaced footage
        in motion, about 0.4 for film shown as 60 fields, 0 for progressive footage.
    """
    resolution = _resolution(series)
    combs = _known(series.column("combs"))
    return {
        "resolution": _quantile(resolution, 0.5),
        "finest": _quantile(resolution, 0.9),
        "noise": _quantile(_known(series.column("noise")), 0.5),
        "blocks": _quantile(_known(series.column("blocks")), 0.5),
        "combs": float(combs.mean()) if len(combs) else None,
        "combed": float((combs > SEEN).mean()) if len(combs) else None,
    }


def _resolution(series: Series) -> NDArray[np.float64]:
    """Return the geometric mean of both directions where one at least is known, which then stands for both."""
    x, y = series.column("detail_x").astype(np.float64), series.column("detail_y").astype(np.float64)
    return _known(np.sqrt(np.where(np.isnan(x), y, x) * np.where(np.isnan(y), x, y)))


def _known(values: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(values[np.isfinite(values)], np.float64)


def _quantile(values: NDArray[np.float64], share: float) -> float | None:
    return float(np.quantile(values, share)) if len(values) else None
