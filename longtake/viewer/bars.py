"""Histograms that are drawn again and again while a threshold moves: the bins stay, only who is kept changes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from longtake.report.histograms import Threshold, edges_of, spread
from longtake.viewer.columns import Clips, Recent

BINS = 40
KEPT = 400
"""Histograms whose bins are kept: a byte or two for each clip."""


class Bars:
    """Histograms of the scores of one set."""

    def __init__(self) -> None:
        self._kept = Recent(KEPT)

    def draw(
        self, clips: Clips, key: str, chosen: NDArray[np.bool_], lines: Sequence[Threshold], bins: int
    ) -> dict[str, Any] | None:
        """Return edges and counts of all clips that have a number; None where there are none."""
        ends = self._kept.get((clips.version, key), lambda: _ends(clips.column(key)))
        if ends is None:
            return None
        edges = edges_of(*ends, [line.number for line in lines], bins)
        name = (clips.version, key, edges[0], edges[-1], bins)
        places = self._kept.get(name, lambda: _places(clips.column(key), edges))
        # One more place than bins: for those without a number.
        every = np.bincount(places, minlength=bins + 1)[:bins]
        kept = np.bincount(places[chosen], minlength=bins + 1)[:bins]
        return {
            "edges": edges.tolist(),
            "kept": kept.tolist(),
            "rejected": (every - kept).tolist(),
            "thresholds": [{"rule": line.rule, "number": line.number, "comparison": line.comparison} for line in lines],
            "log": False,
        }


def _ends(values: NDArray[np.float64]) -> tuple[float, float] | None:
    finite = values[np.isfinite(values)]
    return spread(finite) if len(finite) else None


def _places(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int16]:
    """Return the bin of each value, as `numpy.histogram` counts it; the number of bins where it is no number."""
    bins = len(edges) - 1
    places = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, bins - 1)
    places[~np.isfinite(values)] = bins
    return places.astype(np.int16)
