"""Whether a clip is too dark or too bright to be of use: MiraData's colour test."""

import numpy as np

from longtake.records import Series

VERSION = 1
SIGNAL = "look"

LEFT_OUT = 5
"""One frame in so many is left out: what stays are 80 %."""


def light(series: Series) -> dict[str, float | None]:
    """Brightness of most of the frames, as in MiraData (arXiv 2407.06358): 0 (black) to 1 (white), borders left out.

    brightest80: mean brightness of the brightest 80 % of the frames. Where it is near 0, nearly all are dark; a few
        black frames at a fade don't lower it.
    darkest80: mean brightness of the darkest 80 % of the frames. Where it is near 1, nearly all are bright; a few
        white flashes don't raise it.

    Of fewer than 5 frames all count. `brightest80` is never below `darkest80`.
    """
    luma = series.column("luma").astype(np.float64)
    luma = np.sort(luma[np.isfinite(luma)])
    if len(luma) == 0:
        return {"brightest80": None, "darkest80": None}
    out = len(luma) // LEFT_OUT
    return {"brightest80": float(luma[out:].mean()), "darkest80": float(luma[: len(luma) - out].mean())}
