"""Frames that show what the one before showed: cadences, dropped frames, frozen stretches."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from longtake.records import Series

VERSION = 1
SIGNAL = "transitions"
EVERY_FRAME = True

# Set on 45 real shots, as they are and with frames repeated, each coded anew by x264 at crf 18 to 35, 426 pixels wide.
# A smaller picture changes more from coding, so that larger ones are the easier cases.
HELD = 0.35
"""A frame repeats where the picture changes by less than this part of what it does just before and just after."""
FROZEN = 0.25
"""The same of frames that are held for longer than any cadence has it."""
MOVES = 1.0
"""Change, of 255, from which a frame beside repeated ones is taken for a new picture: more than coding makes."""
NEW = 2.0
"""Change from which a frame is a new picture whatever its neighbours do: coding a repeated one anew stays below."""
CADENCE_S = 0.2
"""A picture held up to so long belongs to the cadence: 5 pictures a second. One held for longer is frozen."""
QUIET, DEAD = 0.2, 0.05
"""Half of a frozen stretch changes by less than the first: a static shot, coded at up to crf 28, changes by 0.3 and
more. By less than the second where a clip begins or ends with it, which a start or a stop alone tells of."""
ENOUGH_FRAMES, ENOUGH = 12, 0.25
"""How many frames, and what share of all, must be told to be new or repeated."""


def repeats(series: Series) -> dict[str, float | None]:
    """Frames that repeat the one before: what is shown at 60 per second may be filmed at 24, or hang.

    share: share of the frames, 0 (all new) to 1, that show the same picture as the one before: 0.6 for 24 pictures per
        second in 60, 0.5 for animation drawn at 12 in 24, a few per cent where frames were dropped. Of the frames of
        which it can be told; None where that is so of too few: where hardly anything moves, new and repeated frames
        look the same.
    fps: new pictures per second outside frozen stretches, 0 and up: the rate at which it was filmed or drawn. None as
        for `share`.
    frozen_s: longest time, in seconds, that one picture is held for more than 0.2 s, 0 where none is. It begins and
        ends with a sudden stop and start, or at an end of the clip; a static shot, where grain goes on, isn't frozen.
        None where nothing changes at all: a static shot coded without its grain looks like a still picture.

    Needs only how much each frame changes (`change` of the signal). Slow motion that has a new picture in every frame
    has no repeated ones; one made by repeating frames does. Small pictures coded hard (above crf 28 at 426 pixels)
    hide repeated frames, for coding changes these, too.
    """
    change = series.column("change").astype(np.float64)[1:]  # the first row compares with what is not in the clip
    if not len(change):
        return {"share": None, "fps": None, "frozen_s": None}
    step_s = float(series.times[-1] - series.times[0]) / len(change)
    longest = max(1, round(CADENCE_S / step_s))
    held = np.zeros(len(change), np.bool_)
    frozen = np.zeros(len(change), np.bool_)
    frozen_s = 0.0
    for start, stop in stretches(change, longest):
        held[start:stop] = True
        if stop - start > longest:
            frozen[start:stop] = True
            # The picture shows from the frame before the first repeated one until the next new one.
            until = series.times[stop + 1] if stop < len(change) else series.times[-1] + step_s
            frozen_s = max(frozen_s, float(until - series.times[start]))
    beside = np.zeros(len(change), np.bool_)
    beside[:-1] |= held[1:]
    beside[1:] |= held[:-1]
    new = ~held & ((change >= NEW) | (beside & (change >= MOVES)))
    told = int(held.sum() + new.sum())
    dead = not frozen.any() and float(np.median(change)) < DEAD
    if told < max(ENOUGH_FRAMES, ENOUGH * len(change)):
        return {"share": None, "fps": None, "frozen_s": None if dead else frozen_s}
    moving = int(new.sum() + (held & ~frozen).sum())
    return {
        "share": float(held.sum() / told),
        "fps": float(new.sum() / moving / step_s) if moving else None,
        "frozen_s": None if dead else frozen_s,
    }


def stretches(change: NDArray[np.float64], longest: int) -> Iterator[tuple[int, int]]:
    """Yield where frames repeat: rows from `start` up to `stop`, each between a frame that moves and the next one.

    Those of over `longest` rows must be quiet, and may begin or end with the series.
    """
    start, n = 0, len(change)
    while start < n:
        before = change[start - 1] if start else np.inf
        limit = max(HELD * before, MOVES) if start else MOVES
        stop = start
        while stop < n and change[stop] < limit:
            stop += 1
        run = change[start:stop]
        after = change[stop] if stop < n else np.inf
        edge = min(before, after)
        if len(run) and MOVES <= edge < np.inf:
            whole = start > 0 and stop < n
            if len(run) <= longest:
                held = whole and run.max() < HELD * edge
            else:  # a key frame may make one of ten change more
                most = np.sort(run)[: len(run) - len(run) // 10].max()
                held = most < FROZEN * edge and np.median(run) < (QUIET if whole else DEAD)
            if held:
                yield start, stop
        start = stop + 1
