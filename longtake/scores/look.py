"""How the pictures of a clip look."""

import numpy as np
from numpy.typing import NDArray

from longtake.records import Series

VERSION = 1
SIGNAL = "look"


def look(series: Series) -> dict[str, float | None]:
    """Brightness, contrast, sharpness and black borders over the clip, each a share from 0 to 1.

    luma: median over time of the mean brightness, 0 (black) to 1 (white).
    spread: median over time of the brightness' standard deviation, 0 (flat) to 0.5 (half black, half white).
    sharpness: median over time of fine detail against contrast, 0 (blurred) to 1, at 320 pixels for the longer side;
        most pictures lie between 0.02 and 0.3. Frames of one flat tone don't count.
    border: median over time of the share of the picture's area hidden by black borders, 0 (none) to 1. Frames that
        are all black don't count.
    """
    high = 1 - series.column("border_top") - series.column("border_bottom")
    wide = 1 - series.column("border_left") - series.column("border_right")
    return {
        "luma": _median(series.column("luma")),
        "spread": _median(series.column("spread")),
        "sharpness": _median(series.column("sharpness")),
        "border": _median(1 - high * wide),
    }


def _median(values: NDArray[np.float32]) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None
