"""Where the black borders of a picture end, to the pixel."""

import cv2
import numpy as np
from numpy.typing import NDArray

from longtake.records import Series
from longtake.signals.fine import HZ, LARGEST
from longtake.video.scan import Frames, Tap

Picture = NDArray[np.uint8]
Shares = NDArray[np.float64]

VERSION = 1
BLACK = 28
"""Gray levels, of 255, up to which a border counts as black."""
NOISE = 8
"""Levels that a pixel of a border may be brighter than that: coding noise."""
STRAY = 0.02
"""Share of a line that may be brighter still."""
TEXT = 0.3
"""Share of a line that a subtitle or a logo in the border may fill."""
FULL = 0.4
"""Share of a line that the picture must fill where it begins, within `RISE` lines, and on the average from there on."""
RISE = 3
DEPTH = 0.1
"""Share of the lines that this average is over: more than a line of text is high."""
LEAST = 0.25
"""Share of the height, and of the width, that must be inside: a tall picture in a wide one has 0.32."""
HALF = 0.6
"""A line at the edge less bright than this part of those further inside is half border."""


class Borders:
    """Black borders of a frame at full size, every 1.4 seconds, in pixels of the upright picture.

    top: rows at the top that are black from edge to edge, 0 and up.
    bottom: the same at the bottom.
    left: columns at the left that are black from top to bottom, 0 and up.
    right: the same at the right.
    top_edge: rows at the top down to a straight edge, from which on the picture fills its rows, 0 and up: more than
        `top` where a subtitle or logo stands in the border. NaN where there is no such edge, as in a dark scene.
    bottom_edge: the same at the bottom.
    left_edge: columns at the left up to such an edge.
    right_edge: the same at the right.
    width: of the whole picture, in pixels.
    height: the same.

    Black is up to 28 of 255 with coding noise of 8. A softened edge belongs to the border. White, coloured or blurred
    borders are none. NaN where the whole frame is black.
    """

    columns = (
        *("top", "bottom", "left", "right"),
        *("top_edge", "bottom_edge", "left_edge", "right_edge"),
        *("width", "height"),
    )
    tap = Tap(LARGEST, "gray", hz=HZ, block=1)

    def __call__(self, frames: Frames) -> Series:
        """Measure one block."""
        values = np.array([borders(picture) for picture in frames.pixels], np.float32).reshape(-1, len(self.columns))
        return Series(self.columns, frames.times.copy(), frames.numbers.copy(), values)


def borders(picture: Picture) -> list[float]:
    """Return the columns of `Borders` for one gray picture."""
    height, width = picture.shape
    level = min(float(np.median(line)) for line in (picture[0], picture[-1], picture[:, 0], picture[:, -1]))
    if level > BLACK:
        return [0.0] * 8 + [width, height]
    bright = np.asarray(cv2.threshold(picture, level + NOISE, 1, cv2.THRESH_BINARY)[1], np.uint8)
    rows, columns = _inside(bright, axis=1), _inside(bright, axis=0)
    if rows is None or columns is None:
        return [np.nan] * 8 + [width, height]
    black = [rows.start, height - rows.stop, columns.start, width - columns.stop]
    if rows.stop - rows.start < LEAST * height or columns.stop - columns.start < LEAST * width:
        return [*black, *[np.nan] * 4, width, height]
    edges = _edges(picture, bright, level, rows, columns)
    # Where black has no straight edge it is part of the picture, as around a title: then other edges must be that long.
    ends = [count if np.isfinite(edge) else 0 for count, edge in zip(black, edges, strict=True)]
    if ends != black:
        edges = _edges(picture, bright, level, slice(ends[0], height - ends[1]), slice(ends[2], width - ends[3]))
    return [*black, *edges, width, height]


def _edges(picture: Picture, bright: Picture, level: float, rows: slice, columns: slice) -> list[float]:
    """Return how many lines come before a straight edge at each side, which is as long as the picture inside others."""
    lines = (picture[:, columns], picture[::-1, columns], picture[rows].T, picture[rows, ::-1].T)
    down, across = _filled(bright[:, columns], axis=1), _filled(bright[rows], axis=0)
    filled = (down, down[::-1], across, across[::-1])
    return [_edge(seen, lit, level) for seen, lit in zip(lines, filled, strict=True)]


def _filled(bright: Picture, *, axis: int) -> Shares:
    """Return the share of each line that is bright; OpenCV takes a tenth of numpy's time."""
    return np.asarray(cv2.reduce(bright, axis, cv2.REDUCE_AVG, dtype=cv2.CV_32F), np.float64).ravel()


def _inside(bright: Picture, *, axis: int) -> slice | None:
    """Return the lines that are not black from end to end, and all between them; None where all are."""
    found = np.flatnonzero(_filled(bright, axis=axis) > STRAY)
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else None


def _edge(lines: Picture, filled: Shares, level: float) -> float:
    """Return how many lines come before a straight edge; NaN where the picture begins otherwise."""
    depth = max(RISE, int(DEPTH * len(lines)))
    onward = np.convolve(np.append(filled, [filled[-1]] * (depth - 1)), np.full(depth, 1 / depth), mode="valid")
    begun = (filled > TEXT) & (onward >= FULL)
    first = int(begun.argmax())
    if not begun[first] or filled[first : first + RISE].max() < FULL or (first and filled[first - 1] > TEXT):
        return np.nan
    if first == 0:
        return 0.0
    light = lines[first : first + 2 * RISE].mean(axis=1) - level
    soft = 0
    while soft + 2 < len(light) and soft < RISE and light[soft] < HALF * light[soft + 1 : soft + 3].max():
        soft += 1
    return float(first + soft)
