"""How alike stretches of a video look: cosines of the vectors that a signal gave of their frames. Pure arithmetic."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from longtake.records import Series

Floats = NDArray[np.float32]

FRAMES = 3
"""Frames that stand for a stretch, at its quarter points, as InternVid-G (arXiv 2403.10228) has it."""
BLOCK = 256
"""Vectors compared with one at a time."""


def frame_vectors(
    series: Series, starts_s: Sequence[float] | NDArray[np.float64], ends_s: Sequence[float] | NDArray[np.float64]
) -> Floats:
    """Return the rows of a signal nearest to the quarter points of n stretches, each scaled to length 1.

    Shape (n, 3, columns). Only rows inside the stretch count, the earlier of two equally near, and one row may stand
    for more than one point. NaN for a stretch without any row, and where a row is 0 or not all numbers.
    """
    starts, ends = np.asarray(starts_s, np.float64), np.asarray(ends_s, np.float64)
    first, stop = np.searchsorted(series.times, starts), np.searchsorted(series.times, ends)
    points = starts[:, None] + (ends - starts)[:, None] * (np.arange(1, FRAMES + 1) / (FRAMES + 1))
    after = np.searchsorted(series.times, points)
    low, high = first[:, None], np.maximum(stop - 1, first)[:, None]
    left, right = np.clip(after - 1, low, high), np.clip(after, low, high)
    times = np.append(series.times, np.inf)
    nearer = np.abs(times[left] - points) <= np.abs(times[right] - points)
    return row_vectors(series.values, np.where(nearer, left, right), (stop > first)[:, None])


def row_vectors(values: Floats, rows: NDArray[np.intp], there: NDArray[np.bool_]) -> Floats:
    """Return chosen rows of a signal's values, each scaled to length 1; NaN where there is none.

    `rows` is of shape (n, k), `there` as well or of one that stretches to it, and the result of (n, k, columns).
    """
    there = np.broadcast_to(there, rows.shape)
    found = np.full((*rows.shape, values.shape[1]), np.nan, np.float32)
    found[there] = unit(values[rows[there]])
    return found


def mean_vectors(frames: Floats) -> Floats:
    """Return the mean of each stretch's vectors that were measured, scaled to length 1; (n, k, d) to (n, d)."""
    measured = ~np.isnan(frames[..., :1])
    return unit(np.sum(frames, axis=1, where=measured))


def unit(vectors: Floats) -> Floats:
    """Return vectors scaled to length 1 along the last axis; NaN for those that are 0 or hold what is no number."""
    squares = np.einsum("...i,...i->...", vectors, vectors, dtype=np.float64)  # float32 would lose tiny vectors
    lengths = np.sqrt(squares)[..., None]
    lengths = np.where((lengths > 0) & np.isfinite(lengths), lengths, np.nan).astype(np.float32)
    return np.asarray(vectors / lengths, np.float32)


def cosines(some: Floats, others: Floats) -> Floats:
    """Return the cosine of each of n vectors of length 1 with each of m, shape (n, m); NaN where one is NaN."""
    return np.asarray(np.clip(some @ others.T, -1, 1), np.float32)


def pair_cosines(some: Floats, others: Floats) -> NDArray[np.float64]:
    """Return the cosine of each of n vectors of length 1 with its partner, shape (n,); NaN where one is NaN."""
    products = np.einsum("ij,ij->i", some, others, dtype=np.float64)
    return np.asarray(np.clip(products, -1, 1), np.float64)


def any_above(some: Floats, vector: Floats, above: float) -> bool:
    """Return whether the cosine of any of n vectors of length 1 with one more is over `above`; never that of a NaN.

    The last ones are tried first, in blocks: a row of stretches that look alike is mostly settled by its newest.
    """
    return any(bool((some[max(stop - BLOCK, 0) : stop] @ vector > above).any()) for stop in range(len(some), 0, -BLOCK))
