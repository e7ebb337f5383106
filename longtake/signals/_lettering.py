"""Where a picture holds lettering: the network that `training/text.py` trains, in matrix products of numpy."""

from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

Floats = NDArray[np.float32]

CELL = 8
"""Pixels along the side of the squares that are judged one by one."""
SQUARE = 4
"""Pixels along the side of the squares that the network reads first."""


class Network:
    """Weights, and how they are used."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as stored:
            self.weights: dict[str, Floats] = {name: stored[name].astype(np.float32) for name in stored.files}

    def __call__(self, picture: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        """Return how surely each cell holds lettering, and how much of it is under its lines; each 0 to 1.

        A cell that reaches beyond the right or lower edge counts like any other: the edge is repeated there.
        """
        w = self.weights
        height, width = (-(-side // CELL) * CELL for side in picture.shape)
        x = np.empty((height, width), np.float32)
        np.multiply(picture, np.float32(1 / 128), out=x[: picture.shape[0], : picture.shape[1]])
        x[picture.shape[0] :] = x[picture.shape[0] - 1]
        x[:, picture.shape[1] :] = x[:, picture.shape[1] - 1, None]
        x -= 1
        rows, columns = height // SQUARE, width // SQUARE
        squares = x.reshape(rows, SQUARE, columns, SQUARE).transpose(0, 2, 1, 3).reshape(rows * columns, -1)
        y = _active(squares @ w["squares"], w["squares_bias"]).reshape(rows, columns, -1)
        y = _active(_windows(y, step=2) @ w["cells"], w["cells_bias"])
        shape = (rows // 2, columns // 2, -1)
        for name, apart in (("near", 1), ("far", 2)):
            seen = (y @ w[f"{name}_in"] + w[f"{name}_in_bias"]).reshape(shape)
            y += _active(_windows(seen, apart=apart) @ w[name], w[f"{name}_bias"])
        both = 1 / (1 + np.exp(-np.clip(y @ w["out"] + w["out_bias"], -30, 30)))
        return both[:, 0].reshape(shape[:2]), both[:, 1].reshape(shape[:2])


def _active(x: Floats, bias: Floats) -> Floats:
    """Add the bias and leave out what is below 0, in place."""
    x += bias
    return np.maximum(x, 0, out=x)


def _windows(x: Floats, *, step: int = 1, apart: int = 1) -> Floats:
    """Return 3x3 windows of places, `apart` from each other, around every `step`-th place, as rows."""
    height, width, channels = x.shape
    padded = np.zeros((height + 2 * apart, width + 2 * apart, channels), np.float32)
    padded[apart:-apart, apart:-apart] = x
    down, along, deep = padded.strides
    shape = (height // step, width // step, 3, 3, channels)
    view = as_strided(padded, shape, (down * step, along * step, down * apart, along * apart, deep), writeable=False)
    return view.reshape(shape[0] * shape[1], 9 * channels)
