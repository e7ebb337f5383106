"""Transitions where the signal `transitions` finds them likely: cuts, dissolves, fades, wipes. No pixels here."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from longtake.records import Range, Series, Transition, TransitionKind

VERSION = 4
SIGNAL = "transitions"

GRADUAL: tuple[TransitionKind, ...] = ("dissolve", "fade", "wipe")
ALIKE_S = {"alike_04": 0.4, "alike_08": 0.8, "alike_16": 1.6, "alike_32": 3.2}
"""How far apart the pictures are whose likeness these columns hold."""
LASTS = 0.5
"""A gradual transition lasts while it is likelier than this."""
GAP_S = 0.08
"""What is likely on both sides of so short a doubt is one transition."""
SHORT_S = 0.12
"""A shorter mixture of two shots is a cut, blurred by the camera's or the file's frame rate."""
PEAK_S = 0.07
"""Two cuts are further apart than this, and a cut so near to a gradual transition is part of it."""
PLAIN, PLAIN_S, PLAIN_LIKELY = 2.5, 0.06, 0.1
"""A plain picture's spread is at most this; so long a stretch of them is a fade where the network finds a transition
at least so likely: it knows flashes."""
PLAIN_CONFIDENCE = 0.9
"""Of such a fade, whatever the network holds of it."""
ALIKE = 0.6
"""Between pictures whose edges are more alike than this there is no dissolve and no wipe, but lamps that change."""
JUMP, JUMP_S, JUMP_LIKELY = 2.4, 0.25, 0.02
"""A change that is so many times all those within so many seconds is a cut, where the network does not rule it out by a
lesser probability: of jump cuts before a background that stays it is seldom sure."""
JUMP_CONFIDENCE = 0.9
"""Of such a cut, whatever the network holds of it."""
STILL = 1.5
"""Levels of 255 by which still pictures may change: noise and compression."""
BOXED, INSET, LIKELY = 0.6, 0.85, 0.9
"""Where a rectangle is what changed, so well, there is no such cut; so well, none that is less likely than this."""
FADES = 0.98
"""Towards a plain picture and from it, the spread of a fading one changes by this factor a frame, or faster."""
FADES_S = 2.0
"""A fade to plain, or from it, takes no longer than this."""


def transitions(
    series: Series,
    *,
    cut: Annotated[float, Range(above=0, most=1)] = 0.5,
    gradual: Annotated[float, Range(above=0, most=1)] = 0.9,
) -> list[Transition]:
    """Return the transitions between the shots of a video, in order and apart from each other.

    `cut` is the least probability of a cut, `gradual` that of all other kinds together at the frame where they are
    likeliest; such a transition lasts while they are likelier than not, and has the kind that is likeliest in all.
    Confidence is the greatest probability. Where the network is not sure, a stretch of plain pictures is a fade, and a
    change far greater than those around it a cut, but for insets and bars; and what begins and ends alike is neither a
    dissolve nor a wipe. Where a fast scan left a frame out just before, a cut must be all but certain. A transition
    that reaches the very start or end of the video lies not between two shots and is left out.
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
            if kind != "fade" and _likeness(series, start, stop) > ALIKE:
                continue
            found.append(_transition(series, kind, start, stop, confidence))
            taken[max(start - 1, 0) : stop + 1] = True
    for start, stop in _fades(series, cuts + mixed) if gradual <= PLAIN_CONFIDENCE else ():
        # A fade that begins or ends at once looks like a cut, too, where it does.
        if not taken[start : stop + 1].any() and not (cuts[start : stop + 1] >= cut).any():
            found.append(_transition(series, "fade", start, stop, PLAIN_CONFIDENCE))
            taken[max(start - 1, 0) : stop + 1] = True
    sure = _sure(series, cuts) if cut <= JUMP_CONFIDENCE else cuts
    for row in np.flatnonzero((sure >= cut) & ~taken).tolist():
        near = slice(*np.searchsorted(series.times, [series.times[row] - PEAK_S, series.times[row] + PEAK_S]))
        if row and row == near.start + int(sure[near].argmax()):
            found.append(_transition(series, "cut", row, row, float(sure[row])))
    return _joined(sorted(found, key=lambda one: one.start_frame))


def _joined(found: list[Transition]) -> list[Transition]:
    """Return transitions with cuts made part of gradual ones that begin or end there: no shot lies between."""
    joined: list[Transition] = []
    for one in found:
        last = joined[-1] if joined else one
        if last is not one and one.start_s - last.end_s < PEAK_S and (one.kind == "cut") != (last.kind == "cut"):
            whole = last if one.kind == "cut" else one
            start, end = (last.start_s, last.start_frame), (one.end_s, one.end_frame)
            joined[-1] = replace(whole, start_s=start[0], start_frame=start[1], end_s=end[0], end_frame=end[1])
        else:
            joined.append(one)
    return joined


def _sure(series: Series, cuts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the probabilities of cuts, surer where a lone change or its shape says more than the network."""
    boxed, sure = series.column("boxed"), cuts.copy()
    # A fast scan leaves no frame out where packets of H.264 and HEVC are of sudden size: an encoder knows what is new.
    left_out = np.diff(series.frames, prepend=series.frames[0] - 1) > 1
    sure[((boxed > INSET) | left_out) & (cuts < LIKELY)] = 0
    doubtful = (cuts >= JUMP_LIKELY) & (cuts < JUMP_CONFIDENCE) & (boxed < BOXED)
    change = series.column("change")
    for row in np.flatnonzero(doubtful).tolist():
        if _standing_out(change, series.times, row) >= JUMP:
            sure[row] = JUMP_CONFIDENCE
    return sure


def _standing_out(change: NDArray[np.float32], times: NDArray[np.float64], row: int) -> float:
    """Return how many times those around it a change is; where a frame comes later than others, more is expected."""
    start, stop = np.searchsorted(times, times[row] + np.array([-JUMP_S, JUMP_S])).tolist()
    start = max(start, 1)
    around = np.arange(start, stop) != row
    if not row or np.count_nonzero(around) < 4:
        return 0.0
    gaps = np.maximum(np.diff(times[start - 1 : stop]), 1e-3)
    expected = change[start:stop] * np.maximum(gaps[row - start] / gaps, 1)
    return float(change[row] / (expected[around].max() + STILL))


def _likeness(series: Series, start: int, stop: int) -> float:
    """Return how alike the pictures before and after a stretch are, by those furthest in that are known."""
    times = series.times
    for column, apart_s in ALIKE_S.items():
        if apart_s >= times[stop] - times[start - 1]:
            after = int(np.searchsorted(times, (times[start - 1] + times[stop] + apart_s) / 2))
            return float(series.column(column)[min(after, len(times) - 1)])
    return 0.0


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
