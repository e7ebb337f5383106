"""The black borders that a clip has all along."""

import numpy as np
from numpy.typing import NDArray

from longtake.records import Series

VERSION = 1
SIGNAL = "borders"
SIDES = ("top", "bottom", "left", "right")
SOFT_PX = 5
"""Lines between black and a softened edge."""
CLEAR = 0.25
"""Share of the frames with an edge that must show nothing in the border: a subtitle goes, a scene stays."""


def borders(series: Series) -> dict[str, float | None]:
    """Black borders (letterbox, pillarbox, both) that hold for all of the clip, in pixels of the upright picture.

    top: rows at the top, 0 and up.
    bottom: rows at the bottom, 0 and up.
    left: columns at the left, 0 and up.
    right: columns at the right, 0 and up.
    share: share of the picture's area that they hide, 0 to 1.
    text: share of the samples, 0 to 1, in which something stands in them, as a subtitle.

    A side has a border only where the picture ends at a straight edge: darkness is none. Where the border changes
    inside the clip the smallest counts, and what stands in it at all times, as a logo, ends it. None where no frame
    of the clip was looked at (one in 1.4 s is), or all were black.
    """
    shown = series.values[np.isfinite(series.column("top"))] if len(series) else series.values
    if not len(shown):
        return dict.fromkeys((*SIDES, "share", "text"))
    found = Series(
        series.columns, np.arange(len(shown), dtype=np.float64), np.arange(len(shown), dtype=np.int32), shown
    )
    sizes = {side: _holds(found.column(side), found.column(f"{side}_edge")) for side in SIDES}
    crossed = [found.column(side) < size - SOFT_PX for side, size in sizes.items()]
    width, height = float(found.column("width")[0]), float(found.column("height")[0])
    inside = (height - sizes["top"] - sizes["bottom"]) * (width - sizes["left"] - sizes["right"])
    return {
        **sizes,
        "share": 1 - inside / (width * height),
        "text": float(np.any(crossed, axis=0).mean()),
    }


def _holds(black: NDArray[np.float32], edge: NDArray[np.float32]) -> float:
    """Return how wide a border is, given for each frame how many lines are black, and how many up to an edge."""
    clear = np.isfinite(edge) & (edge - black <= SOFT_PX)
    if clear.sum() < CLEAR * np.isfinite(edge).sum() or not clear.any():
        return 0.0
    size = float(edge[clear].min())
    # In the others something stands in the border, or it isn't one, or a dark picture doesn't show its edge.
    written = np.isfinite(edge) & (edge >= size - 1)
    return min(size, float(np.where(clear | written, size, black).min()))
