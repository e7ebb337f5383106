"""Pictures reduced to 24x13 cells, as the change signal compares them."""

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Rows = NDArray[np.intp]
Times = NDArray[np.float64]
COLUMNS, ROWS = 24, 13
"""Cells of the reduced picture: coarse enough that motion within a shot stays small, fine enough to know a shot by."""
CELLS = COLUMNS * ROWS
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in brightness: ITU-R BT.601."""
BLACK, BAR = 16, 4
"""Rows below this level are black, and up to so many of them above and below are bars."""

CROSS = np.zeros((ROWS, COLUMNS), np.bool_)
"""The middle of the picture, without corners, where inset pictures are, and edges, where subtitles and logos are."""
CROSS[3:10, 7:17] = CROSS[5:8] = True
MIDDLE = int(CROSS.sum())
ORDER = np.argsort(~CROSS.ravel(), kind="stable")
PLACE = np.argsort(ORDER)


def reduce(pixels: Bytes) -> Floats:
    """Return pictures of 48x26 as 24x13 cells, shape (n, 3 * CELLS), middle cells first, 0 for level 128."""
    n = len(pixels)
    if not n:
        return np.empty((0, 3 * CELLS), np.float32)
    # Stacked on top of each other they are one tall picture, which one call reduces.
    tall = np.ascontiguousarray(pixels).reshape(n * 2 * ROWS, 2 * COLUMNS, 3)
    small = cv2.resize(tall, (COLUMNS, n * ROWS), interpolation=cv2.INTER_AREA)
    cells = np.asarray(small, np.uint8).reshape(n, ROWS, COLUMNS, 3)
    _paint_bars(cells)
    return cells.reshape(n, CELLS, 3)[:, ORDER].reshape(n, -1).astype(np.float32) - 128


def _paint_bars(cells: Bytes) -> None:
    """Paint black bars in the mean colour between them: they would make all pictures alike."""
    black = cells.reshape(len(cells), ROWS, -1).max(2) < BLACK
    bars = np.zeros_like(black)
    bars[:, :BAR] = np.logical_and.accumulate(black[:, :BAR], axis=1)
    bars[:, -BAR:] = np.logical_and.accumulate(black[:, : -BAR - 1 : -1], axis=1)[:, ::-1]
    barred = np.flatnonzero(bars.any(1))
    if len(barred):
        bars, painted = bars[barred], cells[barred]
        total = np.einsum("nrcd,nr->nd", painted, ~bars, dtype=np.float32)
        mean = (total / (COLUMNS * (~bars).sum(1, keepdims=True))).astype(np.uint8)
        painted[bars] = np.repeat(mean, bars.sum(1), axis=0)[:, None]
        cells[barred] = painted


def brightness(pixels: Floats) -> Floats:
    """Return the luma of every cell of reduced pictures, shape (n, CELLS), 0 for level 128."""
    return np.asarray(pixels.reshape(-1, CELLS, 3) @ LUMA)
