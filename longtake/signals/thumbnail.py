"""How light a picture is in each of 36 places, as it changes in time: what tells a copy from another take."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from longtake.records import Series
from longtake.signals.look import BLACK
from longtake.video.scan import Frames, Tap

Floats = NDArray[np.float32]

VERSION = 3
SIDE = 6
"""Cells of the picture a side. Of 3 to 8 tried, those that told copies cropped by 10 % best from other moments of the
same shot: finer ones lose the copies, coarser ones take in the others."""
WIDTH, HEIGHT = 48, 26
"""Pixels that the cells are made of: those that the default detector looks at, so that no further picture is scaled."""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in brightness: ITU-R BT.601."""
BARS = 0.36
"""Share of a side up to which the black at both its ends counts as bars: a tall picture in a wide one has 0.34."""
LOGO = 0.15
"""Share of a black row or column that may be bright: by a logo, or what coding leaves of the picture beside it."""
STEPS = 4
"""Bars are told to a fourth of a pixel: less moves no cell."""
REACH = 24
"""Rows, 3 seconds of them, before and after one that say with it how wide its bars are."""
NOTHING = np.full((REACH, 2), np.nan, np.float32)
"""Bars before the first and after the last picture."""


def shares(pixels: int, bar: float) -> Floats:
    """Return how much of each cell inside two bars so many pixels wide each pixel is; shape (6, pixels).

    Rows sum to 1 where the bars end between two pixels. A pixel that is half bar is half as bright: it counts whole.
    """
    edges = bar + np.arange(SIDE + 1) * (pixels - 2 * bar) / SIDE
    edges[[0, -1]] = np.floor(bar), pixels - np.floor(bar)
    covered = np.clip(np.minimum.outer(edges, np.arange(pixels) + 1) - np.arange(pixels), 0, 1)
    return np.asarray(np.diff(covered, axis=0) * SIDE / (pixels - 2 * bar), np.float32)


class Thumbnail:
    """Brightness of 6x6 places of the picture, 8 times per second, for finding copies of the same footage.

    cell: 36 columns, `cell_00` and on, row by row from the top left: mean brightness there, 0 (black) to 255, as
        coded (no gamma taken off).

    How these numbers go up and down is the same in every copy of a stretch of footage, whatever its size, coding,
    frame rate and brightness, and in no other stretch, be it of the same place. The places are those of the picture
    inside black bars, above and below or at both sides, which are as wide as the median over 3 s before and after
    says: a dark moment or a subtitle in them moves nothing, and at a cut to a picture without bars they end.
    """

    columns = tuple(f"cell_{i:02}" for i in range(SIDE * SIDE))
    tap = Tap((WIDTH, HEIGHT), "rgb24", hz=8)

    def __init__(self) -> None:
        self.times, self.numbers = np.empty(0), np.empty(0, np.int32)
        self.gray = np.empty((0, HEIGHT, WIDTH), np.float32)
        """Pictures whose rows are to come."""
        self.bars = NOTHING
        """Of those pictures and `REACH` before them."""

    def __call__(self, frames: Frames) -> Series:
        """Measure one block; rows come up to 3 s later than their frames."""
        self._add(frames)
        ready = max(0, len(self.bars) - 2 * REACH)
        times, self.times = self.times[:ready], self.times[ready:]
        numbers, self.numbers = self.numbers[:ready], self.numbers[ready:]
        gray, self.gray = self.gray[:ready], self.gray[ready:]
        found = cells(gray, _medians(self.bars)) if ready else np.empty((0, len(self.columns)), np.float32)
        self.bars = self.bars[ready:]
        return Series(self.columns, times, numbers, found)

    def _add(self, frames: Frames) -> None:
        gray = frames.pixels.astype(np.float32) @ LUMA
        self.times = np.concatenate([self.times, frames.times])
        self.numbers = np.concatenate([self.numbers, frames.numbers])
        self.gray = np.concatenate([self.gray, gray])
        after = NOTHING if frames.last else NOTHING[:0]
        self.bars = np.concatenate([self.bars, bars(gray), after])


def bars(gray: Floats) -> Floats:
    """Return the height of the black above and below n pictures, and the width beside them, shape (n, 2), in pixels.

    It is that of the side that has less: a dark scene is black in less even ways. NaN for a black picture.
    """
    bright = gray > BLACK
    found = [_between(np.asarray(bright.mean(axis=along) > LOGO), gray.mean(axis=along)) for along in (2, 1)]
    return np.stack(found, axis=1)


def _between(lit: NDArray[np.bool_], light: Floats) -> Floats:
    """Return how much black is at both ends of n rows of lines, by which lines are lit and how light each is."""
    n, lines = lit.shape
    every, ends = np.arange(n), []
    for seen, mean in ((lit, light), (lit[:, ::-1], light[:, ::-1])):
        first = seen.argmax(axis=1)
        # The first line that is lit may be part of a bar: the darker it is beside the next one, the more.
        share = 1 - mean[every, first] / np.maximum(mean[every, np.minimum(first + 1, lines - 1)], 1)
        ends.append(np.where(first > 0, first + np.clip(share, 0, 1), 0))
    found = np.round(np.minimum(*ends) * STEPS) / STEPS
    found[found > BARS * lines] = 0
    found[~lit.any(axis=1)] = np.nan
    return np.asarray(found, np.float32)


def _medians(found: Floats) -> Floats:
    """Return the medians of bars over `REACH` rows before and after each but the first and last `REACH`; 0 for NaN."""
    ordered = np.sort(sliding_window_view(found, 2 * REACH + 1, axis=0), axis=-1)  # NaN comes last
    middle = (np.count_nonzero(~np.isnan(ordered), axis=-1, keepdims=True) - 1) // 2
    return np.nan_to_num(np.take_along_axis(ordered, middle, axis=-1)[..., 0])


def cells(gray: Floats, inside: Floats) -> Floats:
    """Return the cells of n pictures, shape (n, 36), within bars as `bars` gives them."""
    found = np.empty((len(gray), SIDE, SIDE), np.float32)
    for above, beside in np.unique(inside, axis=0):
        rows = (inside == (above, beside)).all(axis=1)
        found[rows] = shares(HEIGHT, above) @ gray[rows] @ shares(WIDTH, beside).T
    return found.reshape(-1, SIDE * SIDE)
