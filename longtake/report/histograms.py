"""Numbers as the bars of a histogram, those that were chosen apart from the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number that the values were chosen by."""

    rule: str
    """As it is written beside the line."""
    number: float
    comparison: str
    """What the chosen ones are to it: `>=`, `<`, ..."""


def histogram(
    key: str,
    values: Floats,
    chosen: NDArray[np.bool_],
    *,
    unit: str,
    about: str,
    bins: int,
    thresholds: Sequence[Threshold] = (),
    log: bool = False,
) -> dict[str, Any] | None:
    """Return the bars of a histogram of all values that are no NaN; None where there are none.

    With `log` the bins are as wide in their logarithms; the values, and what they were chosen by, are 1 or more.
    """
    there = np.isfinite(values)
    if not there.any():
        return None
    edges = edges_of(*spread(values[there]), [threshold.number for threshold in thresholds], bins, log=log)
    inside = np.clip(values, edges[0], edges[-1])
    return {
        "key": key,
        "unit": unit,
        "about": about,
        "edges": edges.tolist(),
        "kept": np.histogram(inside[there & chosen], edges)[0].tolist(),
        "rejected": np.histogram(inside[there & ~chosen], edges)[0].tolist(),
        "thresholds": [{"rule": one.rule, "number": one.number, "comparison": one.comparison} for one in thresholds],
        "log": log,
    }


def spread(values: Floats) -> tuple[float, float]:
    """Return the least of some finite values, and what 99 % of them stay below."""
    return float(values.min()), float(np.quantile(values, 0.99))


def edges_of(least: float, most: float, thresholds: Sequence[float], bins: int, *, log: bool = False) -> Floats:
    """Return bin edges that hold a spread and every threshold; what lies beyond counts in the last bin."""
    low = min([least, *thresholds])
    high = max([most, *(number * 1.1 for number in thresholds)])
    if log:
        return np.geomspace(max(low, 1.0), max(high, 2.0 * max(low, 1.0)), bins + 1)
    low = 0.0 if 0 <= low < 0.3 * high else low
    return np.linspace(low, high if high > low else low + 1, bins + 1)
