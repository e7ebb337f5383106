"""A voter that compares how a video looks right before and right after a transition."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np

from longtake.errors import UsageError
from longtake.records import Range, Series, Shot, Vote
from longtake.similarity import FRAMES, mean_vectors, pair_cosines, row_vectors

VERSION = 1
SIGNAL = "signature"

AWAY = 2
"""Frames beside a transition that are not looked at: one found a frame off would show the other side."""


def alike(
    series: Series,
    shots: Sequence[Shot],
    *,
    threshold: Annotated[float, Range(least=-1, most=1)] = 0.8,
    columns: str = "",
    side_s: Annotated[float, Range(above=0)] = 1.0,
) -> list[Vote]:
    """Yes where both sides of a transition look alike, as the feature votes of MiraData (arXiv 2407.06358) go.

    A side is the mean of up to three measured frames of its shot, those nearest to the transition but two frames away
    from it; the score is the cosine of both sides, -1 to 1. No vote where nothing was measured of a side.

    threshold: the least score that joins.
    columns: the beginning of the names of the columns that are compared, as `colour` or `shape` of the signal
        `signature`; empty: all of them.
    side_s: how far from the transition frames are taken, in seconds.
    """
    chosen = [number for number, name in enumerate(series.columns) if name.startswith(columns)]
    if not chosen:
        raise UsageError(f"voter 'alike': columns = {columns!r}, but the signal has only {', '.join(series.columns)}")
    first = np.searchsorted(series.frames, [shot.start_frame + AWAY for shot in shots])
    stop = np.searchsorted(series.frames, [shot.end_frame - AWAY for shot in shots])
    late = np.searchsorted(series.times, [shot.end_s - side_s for shot in shots])
    early = np.searchsorted(series.times, [shot.start_s + side_s for shot in shots], side="right")
    nth = np.arange(FRAMES)
    last_rows, first_rows = stop[:-1, None] - 1 - nth, first[1:, None] + nth
    old = last_rows >= np.maximum(first, late)[:-1, None]
    new = first_rows < np.minimum(stop, early)[1:, None]
    values = series.values[:, chosen]
    before = mean_vectors(row_vectors(values, last_rows, old))
    after = mean_vectors(row_vectors(values, first_rows, new))
    return [
        Vote(None) if np.isnan(score) else Vote(score >= threshold, score)
        for score in pair_cosines(before, after).tolist()
    ]
