"""How the pictures of a clip look."""

import numpy as np
from numpy.typing import NDArray

from longtake.records import Series

VERSION = 2
SIGNAL = "look"
ROW_S = 0.5
"""How long a row stands where there is no next one: the signal's own pace."""


def look(series: Series) -> dict[str, float | None]:
    """Brightness, contrast, exposure, sharpness, black borders and black pictures over the clip.

    luma: median over time of the mean brightness, 0 (black) to 1 (white).
    spread: median over time of the brightness' standard deviation, 0 (flat) to 0.5 (half black, half white).
    sharpness: median over time of fine detail against contrast, 0 (blurred) to 1, at 320 pixels for the longer side;
        most pictures lie between 0.02 and 0.3. Frames of one flat tone don't count. It says whether a picture is
        sharp as one sees it on a small screen, whatever its size; how much of its own resolution a file uses is
        `fine.resolution`.
    border: median over time of the share of the picture's area hidden by black borders, 0 (none) to 1. Frames that
        are all black don't count.
    p05: median over time of the brightness that 5 % of the picture stay below, 0 (black) to 1 (white): the shadows.
    p50: median over time of the brightness that half of the picture stays below, 0 to 1.
    p95: median over time of the brightness that 95 % of the picture stay below, 0 to 1: the lights.
    contrast: median over time of `p95` less `p05`, 0 (flat) to 1; haze and fog have little.
    under: mean over time of the share of the picture, 0 to 1, that is crushed to black. Frames all black don't count.
    over: mean over time of the share of the picture, 0 to 1, that is burnt out to white; a white background counts.
    black: share of the time, 0 to 1, in which the whole frame is black.
    black_head_s: seconds of black that the clip begins with, 0 and up, to half a second.
    black_tail_s: seconds of black that the clip ends with, 0 and up, to half a second.
    """
    high = 1 - series.column("border_top") - series.column("border_bottom")
    wide = 1 - series.column("border_left") - series.column("border_right")
    p05, p95 = series.column("p05"), series.column("p95")
    shows = np.isfinite(high)
    return {
        "luma": _median(series.column("luma")),
        "spread": _median(series.column("spread")),
        "sharpness": _median(series.column("sharpness")),
        "border": _median(1 - high * wide),
        "p05": _median(p05),
        "p50": _median(series.column("p50")),
        "p95": _median(p95),
        "contrast": _median(p95 - p05),
        "under": _mean(series.column("under")[shows]),
        "over": _mean(series.column("over")[shows]),
        **_black(series),
    }


def _black(series: Series) -> dict[str, float | None]:
    """Return for how long the frame is black: each row stands until the next one, the last as long as most."""
    known = np.isfinite(series.column("luma"))
    black = np.isnan(series.column("border_top"))[known]
    times = series.times[known]
    if not len(times):
        return dict.fromkeys(("black", "black_head_s", "black_tail_s"))
    usual_s = float(np.median(np.diff(times))) if len(times) > 1 else ROW_S
    lasts_s = np.diff(times, append=times[-1] + usual_s)
    head, tail = np.logical_and.accumulate(black), np.logical_and.accumulate(black[::-1])[::-1]
    return {
        "black": float(lasts_s[black].sum() / lasts_s.sum()),
        "black_head_s": float(lasts_s[head].sum()),
        "black_tail_s": float(lasts_s[tail].sum()),
    }


def _median(values: NDArray[np.float32]) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None


def _mean(values: NDArray[np.float32]) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean(dtype=np.float64)) if len(known) else None
