"""Transitions from the change signal by arithmetic: cuts, dissolves, wipes, fades. No pixels here."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from longtake.records import Range, Series, Transition, TransitionKind

VERSION = 1
SIGNAL = "change"

Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]
Rows = NDArray[np.intp]
Times = NDArray[np.float64]

AROUND_S = 0.25
"""How far on both sides of a change the motion is taken that it must stand out from."""
STILL = 4.0
"""Levels of 255 by which still pictures may change: noise and compression."""
PEAK_S = 0.07
"""Two cuts are further apart than this."""
MIDDLE = 1.2
"""The middle of the picture moves more than its edges, so that there a change stands out less."""
MARGIN_S = 0.05
"""Added to both sides of dissolves and wipes, which are measured on 15 frames per second."""
FLAT_S = 0.1
"""How long a picture must be flat to be the middle of a fade: a flash is over sooner."""
DARK, BRIGHT = 32, 224
"""Flat pictures between these levels are no black or white but a wall or the sky."""
SLOPE_S, FADE_S = 0.4, 3.0
"""A fade ends where the spread grows no further within `SLOPE_S`, and at most `FADE_S` from black or white."""


def change(
    series: Series,
    *,
    cut: Annotated[float, Range(above=0)] = 2.3,
    dissolve: Annotated[float, Range(above=0, most=1.3)] = 0.17,
    wipe: Annotated[float, Range(above=0, most=1)] = 0.65,
    flat: Annotated[float, Range(least=0)] = 5.0,
) -> list[Transition]:
    """Return the transitions between the shots of a video, in order and apart from each other.

    `cut`: how many times greater than the motion around it a lasting change must be. `dissolve`, `wipe`: least
    evidence, which is at most 1.3 and 1. `flat`: greatest spread, in levels of 255, of the black or white in the
    middle of a fade. Confidence is 0.5 at these limits and nears 1 far beyond them. A fade at the very start or end
    of the video lies not between two shots and is left out.
    """
    if len(series) < 2:
        return []
    kept: list[Transition] = []
    spread, luma = series.column("spread"), series.column("luma")
    dim = (spread < flat) & ((luma < DARK) | (luma > BRIGHT))
    # A fade holds all else that is seen in it, and a wipe is the least sure. Of the others the surest stays.
    for group in (
        _fades(series, dim, flat),
        _cuts(series, cut) + _spans(series, "dissolve", dissolve, dim),
        _spans(series, "wipe", wipe, dim),
    ):
        for found in sorted(group, key=lambda one: -one.confidence):
            if all(found.end_frame < other.start_frame or found.start_frame > other.end_frame for other in kept):
                kept.append(found)
    return sorted(kept, key=lambda one: one.start_frame)


def _transition(series: Series, kind: TransitionKind, start: int, end: int, confidence: float) -> Transition:
    """Return the transition from row `start` to row `end`."""
    times, frames = series.times, series.frames
    return Transition(kind, float(times[start]), float(times[end]), int(frames[start]), int(frames[end]), confidence)


def _cuts(series: Series, least: float) -> list[Transition]:
    """Return the frames whose lasting change is `least` times the motion around, in the whole picture and its middle.

    The ratio to the surroundings instead of a fixed limit is that of adaptive detectors (Yusoff, Christmas, Kittler,
    2000), here against the frames before and after apart.
    """
    change, times = series.column("change"), series.times
    ratio = np.full(len(series), np.inf, np.float32)
    at = np.flatnonzero(series.column("lasting") > least * STILL)
    at = at[(at > 0) & _is_peak(change, times, at)]
    for part, factor in (("", 1.0), ("_mid", MIDDLE)):
        motion = _motion(series.column("change" + part), times, at)
        ratio[at] = np.minimum(ratio[at], factor * series.column("lasting" + part)[at] / (motion + STILL))
    return [
        _transition(series, "cut", row, row, float(1 - 0.5 * least / ratio[row]))
        for row in at[ratio[at] >= least].tolist()
    ]


def _near(times: Times, at: Rows, within_s: float) -> tuple[Rows, Flags]:
    """Return the rows within a time of rows `at`, shape (len(at), w), and which of these are not padding."""
    first = np.searchsorted(times, times[at] - within_s - 1e-3)
    stop = np.searchsorted(times, times[at] + within_s + 1e-3)
    rows = first[:, None] + np.arange((stop - first).max(initial=1))
    return np.minimum(rows, len(times) - 1), rows < stop[:, None]


def _is_peak(values: Floats, times: Times, at: Rows) -> Flags:
    """Return whether rows are the greatest within `PEAK_S`, and of equal ones the first."""
    rows, real = _near(times, at, PEAK_S)
    over = np.where(rows < at[:, None], values[rows] >= values[at][:, None], values[rows] > values[at][:, None])
    return np.asarray(~np.any(over & real, axis=1))


def _motion(values: Floats, times: Times, at: Rows) -> Floats:
    """Return the motion around rows, leaving them and their neighbours out, in levels of 255.

    The geometric mean of the 80 % quantiles before and after: a lone other cut does not count, and one calm side
    does. At least the lesser change of both neighbours: only within a whip pan are both great.
    """
    rows, real = _near(times, at, AROUND_S)
    sides, known = [], []
    for side in (-1, 1):
        beside = real & ((rows - at[:, None]) * side > 1)
        ranked = np.sort(np.where(beside, values[rows], np.inf), axis=1)
        rank = (0.8 * np.maximum(beside.sum(1) - 1, 0)).astype(np.intp)
        known.append(beside.any(1))
        sides.append(np.where(known[-1], ranked[np.arange(len(at)), rank], 0))
    # At the ends of the video the one side stands for both.
    before, after = np.where(known[0], sides[0], sides[1]), np.where(known[1], sides[1], sides[0])
    neighbours = np.minimum(values[np.maximum(at - 1, 0)], values[np.minimum(at + 1, len(values) - 1)])
    around = np.minimum(before, after) + 0.3 * np.abs(before - after)
    return np.asarray(np.maximum(around, neighbours), np.float32)


def _spans(series: Series, kind: TransitionKind, least: float, dim: Flags) -> list[Transition]:
    """Return the stretches around peaks of evidence, but those from or to a dim picture, which are part of a fade."""
    rows = np.flatnonzero(~np.isnan(series.column(kind)))
    evidence, half_s = series.column(kind)[rows], series.column(f"{kind}_s")[rows] + MARGIN_S
    centre_s, last = series.times[rows], len(series) - 1
    found = []
    for i in np.flatnonzero(evidence >= least).tolist():
        if evidence[i] >= evidence[max(0, i - 2) : i + 3].max():
            start, end = np.searchsorted(series.times, [centre_s[i] - half_s[i], centre_s[i] + half_s[i]]).tolist()
            start, end = max(start, 1), min(end, last)
            confidence = float(1 - 0.5 * np.exp(-3 * (evidence[i] - least)))
            if not (dim[start - 1] or dim[end]):
                found.append(_transition(series, kind, start, end, confidence))
    return found


def _fades(series: Series, dim: Flags, flat: float) -> list[Transition]:
    """Return the stretches around black or white of at least `FLAT_S`, but at the ends of the video.

    The flatter it is, the more the pictures before and after may be alike: a dimmed picture stays a picture.
    """
    spread, unlike = series.column("spread"), series.column("unlike")
    edges = np.flatnonzero(np.diff(np.concatenate([[False], dim, [False]])))
    found = []
    for first, stop in edges.reshape(-1, 2).tolist():
        if first == 0 or stop == len(series) or series.times[stop] - series.times[first] < FLAT_S:
            continue
        limit = flat * float(np.nanmax(np.append(unlike[first:stop], 0.1)))
        flattest = float(spread[first:stop].min())
        if flattest < limit:
            before = _slope(spread[first::-1], series.times[first] - series.times[first::-1])
            after = _slope(spread[stop - 1 :], series.times[stop - 1 :] - series.times[stop - 1])
            start, end = first - before + 1, stop - 1 + after
            found.append(_transition(series, "fade", start, end, 1 - 0.5 * flattest / limit))
    return found


def _slope(spread: Floats, away_s: Times) -> int:
    """Return the first row whose spread is near the greatest within the next `SLOPE_S`."""
    row = 1
    while row < len(spread) - 1 and away_s[row] < FADE_S:
        ahead = int(np.searchsorted(away_s, away_s[row] + SLOPE_S))
        if spread[row] > 0.95 * spread[row:ahead].max():
            break
        row += 1
    return row
