"""Logos: edges that stay where they are while the picture around them changes."""

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Set on every second of 16 real videos, with a ring drawn in a corner and without; see `benchmarks/text.py` for films.
SIDE = 240
"""Pixels of the longer side that edges are looked for at."""
EDGE = 4.0
"""Gray levels from pixel to pixel that make an edge."""
CHANGED = 0.65
"""Share of the edges that must have changed since a picture was last taken in; else the camera may stand still."""
LEAST, MOST = 6, 20
"""Changed pictures that must be known, and those that are remembered."""
STEADY = 0.65
"""An edge stands still where the square of its mean is this much of its mean square."""
TOO_MUCH = 0.15
"""Share of all edges that may stand still: above it, it is the scene that does."""
WIDE, HIGH = 0.4, 0.3
"""Shares of the width and height that a logo stays below: bars and borders are larger."""
LETTER = 2
"""Pixels between parts of one logo."""
SMALLEST, THIN = 8, 4
"""Pixels of edge that a logo has at least, and pixels that it is high and wide; lines are thinner."""
MANY = 3
"""Logos that one picture may have."""
BLACK, STRAY, EDGING = 24, 0.02, 3
"""Gray levels up to which a pixel is black; share of a black row that may be brighter; pixels that a border's edge
blurs."""


class Logos:
    """What is known of the edges of one video's pictures so far."""

    def __init__(self) -> None:
        self.known = 0
        self.last: Floats | None = None
        """Edges of the last picture that was taken in, shape (2, height, width): rightward and downward slopes."""
        self.mean = self.square = np.empty(0, np.float32)

    def __call__(self, picture: NDArray[np.uint8]) -> list[float]:
        """Take in the next picture; return the share of the picture that logos take, and where the largest one is."""
        edges = edges_of(picture)
        if self.last is None or changed(self.last, edges) >= CHANGED:
            self._learn(edges)
        if self.known < LEAST:
            return [np.nan] * 3
        strength = np.square(self.mean).sum(axis=0)
        steady = (strength >= EDGE**2) & (strength >= STEADY * self.square)
        if steady.sum() > TOO_MUCH * max(1, (self.square >= EDGE**2).sum()):
            return [np.nan] * 3
        here = (edges * self.mean).sum(axis=0) >= STEADY * strength
        return boxes(steady & here & inside(picture, here.shape))

    def _learn(self, edges: Floats) -> None:
        """Let a picture that differs from the last one count."""
        if self.known == 0:
            self.mean, self.square = np.zeros_like(edges), np.zeros_like(edges[0])
        self.known = min(self.known + 1, MOST)
        self.mean += (edges - self.mean) / self.known
        self.square += (np.square(edges).sum(axis=0) - self.square) / self.known
        self.last = edges


def edges_of(picture: NDArray[np.uint8]) -> Floats:
    """Return the slopes of a picture in gray levels per pixel at `SIDE`, shape (2, height, width)."""
    factor = min(1.0, SIDE / max(picture.shape))
    size = (max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    right, down = (cv2.Sobel(small, cv2.CV_32F, *way, scale=1 / 8) for way in ((1, 0), (0, 1)))
    return np.stack([right, down])


def changed(old: Floats, new: Floats) -> float:
    """Return the share of edges, in either picture, that are not in the other; 0 for pictures without edges."""
    before, after = np.square(old).sum(axis=0), np.square(new).sum(axis=0)
    stronger = np.maximum(before, after)
    edge = stronger >= EDGE**2
    apart = np.square(old - new).sum(axis=0) >= STEADY * stronger
    return float((edge & apart).sum() / max(1, edge.sum()))


def inside(picture: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return which places, of so many rows and columns, are well inside the black borders: their edges stand still."""
    bright = cv2.resize(picture, shape[::-1], interpolation=cv2.INTER_AREA) > BLACK
    mask = np.zeros(shape, np.bool_)
    rows, columns = (np.flatnonzero(bright.mean(axis=axis) > STRAY) for axis in (1, 0))
    if len(rows) and len(columns):
        mask[rows[0] + EDGING : rows[-1] + 1 - EDGING, columns[0] + EDGING : columns[-1] + 1 - EDGING] = True
    return mask


def boxes(mask: NDArray[np.bool_]) -> list[float]:
    """Return the share of the picture in the boxes around groups small enough for a logo, and the largest's middle.

    All NaN where there are too many: then it is the scene that stands still.
    """
    height, width = mask.shape
    near = np.ones((2 * LETTER + 1, 2 * LETTER + 1), np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(mask.astype(np.uint8), near))
    edge = np.bincount(labels[mask], minlength=count)
    left, top, wide, high = stats[:, :4].T + np.array([[LETTER], [LETTER], [-2 * LETTER], [-2 * LETTER]])
    fit = (edge >= SMALLEST) & (wide <= WIDE * width) & (high <= HIGH * height) & (np.minimum(wide, high) >= THIN)
    fit[0] = False
    if fit.sum() > MANY:
        return [np.nan] * 3
    if not fit.any():
        return [0.0, np.nan, np.nan]
    share = np.where(fit, wide * high / (height * width), 0)
    largest = share.argmax()
    x, y = (left + wide / 2)[largest] / width, (top + high / 2)[largest] / height
    return [min(1.0, float(share.sum())), float(x), float(y)]
