"""How much of a clip has text laid over it, and a logo."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from longtake.records import Series

VERSION = 1
SIGNAL = "text"
TEXT = 0.002
"""Share of the picture from which a frame has text on it: a word of 1/30 of the height."""
LOGO = 0.0003
"""Share of the picture from which there is a logo."""


def text(series: Series) -> dict[str, float | None]:
    """Overlaid text and logos over the clip: shares of the picture's area, or of the time, 0 to 1.

    area: mean over time of the share of the picture under lettering.
    max: the most of it in any frame.
    time: share of the time with text, that is with at least 0.2 % of the picture under it.
    top: mean over time of the share of the picture under lettering in its upper third.
    middle: mean over time of the share of the picture under lettering in its middle third.
    bottom: mean over time of the share of the picture under lettering in its lower third, where subtitles are.
    doubt: the most of the picture, in any frame, that could be lettering or a pattern like it, and isn't counted.
    logo: median over time of the share of the picture that a logo takes; frames with nothing known don't count.
    logo_time: share of the time, of that of which anything is known, that there is a logo.
    logo_x: where the logo is, 0 (left edge) to 1 (right edge); None without one.
    logo_y: where the logo is, 0 (top) to 1 (bottom); None without one.

    All about logos is None where nothing could be known: see the signal.
    """
    area, logo = series.column("area"), series.column("logo")
    known = logo[np.isfinite(logo)]
    there = np.nan_to_num(logo) >= LOGO
    return {
        "area": _of(np.mean, area),
        "max": _of(np.max, area),
        "time": _of(np.mean, area >= TEXT),
        **{part: _of(np.mean, series.column(part)) for part in ("top", "middle", "bottom")},
        "doubt": _of(np.max, series.column("doubt")),
        "logo": _of(np.median, known),
        "logo_time": _of(np.mean, known >= LOGO),
        "logo_x": _of(np.median, series.column("logo_x")[there]),
        "logo_y": _of(np.median, series.column("logo_y")[there]),
    }


def _of(measure: Callable[[NDArray[Any]], Any], values: NDArray[Any]) -> float | None:
    return float(measure(values)) if len(values) else None
