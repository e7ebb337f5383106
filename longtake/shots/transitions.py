"""Transitions where the signal `transitions` finds them likely: cuts, dissolves, fades, wipes. No pixels here."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from longtake.records import Series, Transition, TransitionKind

VERSION = 2
SIGNAL = "transitions"

GRADUAL: tuple[TransitionKind, ...] = ("dissolve", "fade", "wipe")
LASTS = 0.5
"""A gradual transition lasts while it is likelier than this."""
GAP_S = 0.08
"""What is likely on both sides of so short a doubt is one transition."""
SHORT_S = 0.12
"""A shorter mixture of two shots is a cut, blurred by the camera's or the file's frame rate."""
PEAK_S = 0.07
"""Two cuts are further apart than this."""
PLAIN, PLAIN_S, PLAIN_LIKELY = 2.5, 0.06, 0.1
"""A plain picture's spread is at most this; so long a stretch of them is a fade where the network finds a transition
at least so likely: it knows flashes."""
PLAIN_CONFIDENCE = 0.9
"""Of such a fade, whatever the network holds of it."""
FADES = 0.98
"""Towards a plain picture and from it, the spread of a fading one changes by this factor a frame, or faster."""
FADES_S = 2.0
"""A fade to plain, or from it, takes no longer than this."""


def transitions(series: Series, *, cut: float = 0.5, gradual: float = 0.9) -> list[Transition]:
    """Return the transitions between the shots of a video, in order and apart from each other.

    `cut` is the least probability of a cut, `gradual` that of all other kinds together at the frame where they are
    likeliest; such a transition lasts while they are likelier than not, and has the kind that is likeliest in all.
    Confidence is the greatest probability. Where the network is not sure, a stretch of plain pictures is a fade. A
    transition that reaches the very start or end of the video lies not between two shots and is left out.
    """
    n = len(series)
    if n < 2:
        return []
    kinds = np.stack([series.column(kind) for kind in GRADUAL], axis=1)
    cuts, mixed = series.column("cut"), kinds.sum(1)
    found, taken = [], np.zeros(n, np.bool_)
    for start, stop in _runs(mixed > min(LASTS, gradual), series.times):
        confidence = float(mixed[start:stop].max())
        if start == 0 or stop == n:
            taken[start:stop] = True
        elif series.times[stop] - series.times[start] >= SHORT_S and confidence >= gradual:
            kind = GRADUAL[int(kinds[start:stop].sum(0).argmax())]
            found.append(_transition(series, kind, start, stop, confidence))
            taken[max(start - 1, 0) : stop + 1] = True
    for start, stop in _fades(series, cuts + mixed) if gradual <= PLAIN_CONFIDENCE else ():
        # A fade that begins or ends at once looks like a cut, too, where it does.
        if not taken[start : stop + 1].any() and not (cuts[start : stop + 1] >= cut).any():
            found.append(_transition(series, "fade", start, stop, PLAIN_CONFIDENCE))
            taken[max(start - 1, 0) : stop + 1] = True
    for row in np.flatnonzero((cuts >= cut) & ~taken).tolist():
        near = slice(*np.searchsorted(series.times, [series.times[row] - PEAK_S, series.times[row] + PEAK_S]))
        if row and row == near.start + int(cuts[near].argmax()):
            found.append(_transition(series, "cut", row, row, float(cuts[row])))
    return sorted(found, key=lambda one: one.start_frame)


def _fades(series: Series, likely: NDArray[np.float32]) -> Iterator[tuple[int, int]]:
    """Yield where pictures fade to plain ones and from them, within the video."""
    spread, times = series.column("spread"), series.times
    for start, stop in _runs(spread <= PLAIN, times):
        if start == 0 or stop == len(times) or times[stop] - times[start] < PLAIN_S:
            continue
        first, last = start, stop
        while first and spread[first] < FADES * spread[first - 1] and times[start] - times[first] < FADES_S:
            first -= 1
        end = len(times) - 1
        while last < end and spread[last] < FADES * spread[last + 1] and times[last] - times[stop] < FADES_S:
            last += 1
        if likely[first : last + 1].max() >= PLAIN_LIKELY:
            yield min(first + 1, start), last


def _runs(likely: NDArray[np.bool_], times: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return where `likely` begins and ceases to hold, gaps shorter than `GAP_S` left out."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], likely, [False]])))
    runs: list[tuple[int, int]] = []
    for start, stop in edges.reshape(-1, 2).tolist():
        if runs and times[start] - times[runs[-1][1]] < GAP_S:
            runs[-1] = runs[-1][0], stop
        else:
            runs.append((start, stop))
    return runs


def _transition(series: Series, kind: TransitionKind, start: int, end: int, confidence: float) -> Transition:
    times, frames = series.times, series.frames
    return Transition(kind, float(times[start]), float(times[end]), int(frames[start]), int(frames[end]), confidence)
