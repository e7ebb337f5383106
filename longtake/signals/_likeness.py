"""How alike pictures are to earlier ones, however bright, and whether a rectangle is what changed."""

import cv2
import numpy as np
from numpy.typing import NDArray

APART_S = (0.4, 0.8, 1.6, 3.2)
"""How much earlier the pictures are that one is compared with."""
WIDTH, HEIGHT = 24, 13
EDGES = 2 * (WIDTH - 2) * (HEIGHT - 2)
AREA = cv2.INTER_AREA
FAINT = 8.0
"""An edge of so many levels counts half of a strong one."""
SLIGHT, SUDDEN = 4.0, 2.0
"""Of changes less than so many levels, or than so many times the one before, no shape is measured."""
FEW = 13
"""Of 1,248 places these change most: a hundredth, which may be noise."""
LARGE = 0.5
"""A rectangle over more of the picture than this is no inset."""
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Times = NDArray[np.float64]


class Likeness:
    """Compares pictures with those `APART_S` before them, by the directions of their edges.

    Likeness is the cosine of both pictures' gradients, each divided by its length: 1 for the same edges at the same
    places, about 0 for two scenes. Brightness, contrast and colour change it little, and so does what moves before a
    background that stays.
    """

    def __init__(self) -> None:
        self.edges = np.empty((0, EDGES), np.float32)
        self.times = np.empty(0)

    def __call__(self, pictures: Bytes, times: Times) -> Floats:
        """Return the likeness of each picture to earlier ones, shape (n, len(APART_S)); 0 where there is none."""
        n = len(pictures)
        alike = np.zeros((n, len(APART_S)), np.float32)
        if not n:
            return alike
        self.edges = np.concatenate([self.edges, _edges(pictures)])
        self.times = np.concatenate([self.times, times])
        for column, apart_s in enumerate(APART_S):
            earlier = np.searchsorted((self.times[1:] + self.times[:-1]) / 2, times - apart_s)
            cosine = np.einsum("ij,ij->i", self.edges[-n:], self.edges[earlier])
            alike[:, column] = np.where(times - self.times[0] >= apart_s, cosine, 0)
        # What is further back than the next picture will ask for goes.
        drop = max(0, int(np.searchsorted(self.times, times[-1] - max(APART_S) - 0.5)))
        self.edges, self.times = self.edges[drop:], self.times[drop:]
        return alike


def _edges(pictures: Bytes) -> Floats:
    """Return the gradients of pictures, each divided by its length and a little, all together of length 1."""
    # All pictures one below the other: a row of the small ones holds rows of one picture alone.
    tall = cv2.resize(pictures.reshape(-1, *pictures.shape[2:]), (WIDTH, HEIGHT * len(pictures)), interpolation=AREA)
    small = cv2.cvtColor(tall, cv2.COLOR_RGB2GRAY).reshape(-1, HEIGHT, WIDTH).astype(np.float32)
    across = small[:, 1:-1, 2:] - small[:, 1:-1, :-2]
    down = small[:, 2:, 1:-1] - small[:, :-2, 1:-1]
    both = np.stack([across, down], axis=1)
    both /= np.sqrt(across**2 + down**2 + np.float32(FAINT**2))[:, None]
    flat = both.reshape(len(pictures), -1)
    return np.asarray(flat / (np.linalg.norm(flat, axis=1, keepdims=True) + np.float32(1e-6)))


def boxed(before: Bytes, picture: Bytes) -> float:
    """Return how well one rectangle, or some in rows and columns, is where a picture changed, 0 to 1.

    Of the places that changed notably, the rows and the columns that have half as many as the fullest; the
    intersection over union of what changed with where these cross. 0 where that is over half the picture.
    """
    apart = cv2.absdiff(before, picture).max(axis=2)
    most = np.partition(apart, -FEW, axis=None)[-FEW]
    changed = apart > max(12.0, 0.3 * float(most))
    rows, columns = changed.sum(1), changed.sum(0)
    cross = np.outer(2 * rows >= max(rows.max(), 1), 2 * columns >= max(columns.max(), 1))
    if not cross.any() or cross.mean() > LARGE:
        return 0.0
    return float((changed & cross).sum() / (changed | cross).sum())
