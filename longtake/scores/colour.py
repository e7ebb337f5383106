"""How colourful a clip is, and whether one colour is nearly all of it."""

import numpy as np
from numpy.typing import NDArray

from longtake.records import Series

VERSION = 1
SIGNAL = "colour"
NO_COLOUR = 2.5
"""Colourfulness below which a picture is black and white: such footage has less than 0.5, the palest other 3.5."""


def colour(series: Series) -> dict[str, float | None]:
    """Colourfulness over the clip, its strongest colour, and whether it is black and white.

    colourfulness: median over time of Hasler and Suesstrunk's measure, 0 (grey) and up: 15 slightly, 33 moderately,
        45 averagely, 59 quite, 82 highly, 109 extremely colourful. Black pictures don't count.
    strongest: mean share of the picture over time, 1/11 to 1, of the one of the 11 basic colours that has most of it:
        near 1 for title cards, fog, and shots of nothing but sky. Black borders count as black.
    grey: share of the time, 0 to 1, in which the picture has no colour: black-and-white footage. A tint, as sepia, is
        a colour. Black pictures don't count.
    """
    strength = series.column("colourfulness")
    strength = strength[np.isfinite(strength)].astype(np.float64)
    shares = _shares(series)
    return {
        "colourfulness": float(np.median(strength)) if len(strength) else None,
        "strongest": float(shares.mean(axis=0).max()) if len(shares) else None,
        "grey": float((strength < NO_COLOUR).mean()) if len(strength) else None,
    }


def _shares(series: Series) -> NDArray[np.float64]:
    terms = [number for number, name in enumerate(series.columns) if name != "colourfulness"]
    shares = series.values[:, terms].astype(np.float64)
    return np.asarray(shares[np.isfinite(shares).all(axis=1)])
