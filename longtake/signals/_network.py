"""The transition network without torch: what `training/network.py` trains, in matrix products of numpy."""

from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

KINDS = ("none", "cut", "dissolve", "fade", "wipe")
"""What the network tells apart, in its order."""
WIDTH, HEIGHT = 48, 26
LAGS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48)
REACH = 96
"""A frame's answer depends on no frame further away than this."""
PLACES, CHANNELS, CELLS = 4 * 6, 32, 4 * 6 * 3
"""What is known of a picture: features at so many places in so many channels, and mean colours of 8x6 pixels."""
USUAL_S, STEPS_S = 0.04, (0.02, 0.2)
"""How far apart pictures mostly are; nearer or further than these makes no difference."""

MEANS = np.kron(np.eye(6), np.tile(np.eye(3), (8, 1))).astype(np.float32) / 48
"""What turns a row of 48 pixels into six groups of eight, for each of three colours."""


class Network:
    """Weights, and how they are used; made from the file that `training/train.py` writes."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as stored:
            self.weights: dict[str, Floats] = {name: stored[name].astype(np.float32) for name in stored.files}

    def see(self, pictures: Bytes, before: Floats | None) -> tuple[Floats, Floats, Floats]:
        """Look at consecutive pictures, shape (n, 26, 48, 3).

        Returns their features, shape (n, 24, 32), their mean colours, shape (n, 72), and what the next picture's
        features need of the last one: pass it as `before` with the next pictures, None with the first.
        """
        w, n = self.weights, len(pictures)
        x = np.zeros((n, HEIGHT + 2, WIDTH + 2, 3), np.float32)
        np.multiply(pictures, np.float32(1 / 128), out=x[:, 1:-1, 1:-1])
        x[:, 1:-1, 1:-1] -= 1
        # The means of 8x6 pixels as a matrix product over columns, then sums over rows: the same, only faster.
        columns = x[:, 1:25, 1:-1].reshape(n * 24, 3 * WIDTH) @ MEANS
        cells = columns.reshape(n, 4, 6, 18).sum(2)
        # One convolution sees a picture and its difference to the one before: both parts are linear.
        both = (_windows(x) @ w["see1"]).reshape(n, 13, 24, 16)
        y = both[..., :8] + w["see1_bias"]
        y[0] -= both[0, ..., 8:] if before is None else before
        y[1:] -= both[:-1, ..., 8:]
        np.maximum(y, 0, out=y)
        y = np.maximum(_windows(_padded(y)) @ w["see2"] + w["see2_bias"], 0).reshape(n, 7, 12, 16)
        y = np.maximum(_windows(_padded(y)) @ w["see3"] + w["see3_bias"], 0).reshape(n, PLACES, CHANNELS)
        # The mean colours have their channels first, as where it was trained.
        return y, cells.reshape(n, 24, 3).transpose(0, 2, 1).reshape(n, -1), both[-1, ..., 8:].copy()

    def decide(self, features: Floats, cells: Floats, times: NDArray[np.float64]) -> Floats:
        """Return the probability of each of `KINDS` at consecutive pictures and their times, shape (n, 5).

        At the ends the first and last picture stand for all that lies beyond.
        """
        w, n = self.weights, len(features)
        embedding, scene = np.tile(w["embed_bias"], (n, 1)), np.tile(w["flat_bias"], (n, 1))
        embed, flat = (w[name].reshape(PLACES, CHANNELS, -1) for name in ("embed", "flat"))
        for place in range(PLACES):  # one by one they stay in the processor's cache
            near = self._in_time("near", features[:, place], (1, 2, 4, 8), residual=True)
            far = self._in_time("far", near, (1, 4, 8, 16), residual=True)
            embedding += near @ embed[place]
            scene += far @ flat[place]
        embedding /= np.maximum(np.linalg.norm(embedding, axis=1, keepdims=True), 1e-12)
        at, lags = np.arange(n)[:, None], np.array(LAGS)
        others = np.stack([np.maximum(at - lags, 0), np.minimum(at + lags, n - 1)], axis=2).reshape(n, -1)
        cosines = np.einsum("nc,nkc->nk", embedding, embedding[others])
        apart = cells[:, None] - cells[others]
        distances = np.sqrt(np.einsum("nkc,nkc->nk", apart, apart) / cells.shape[1] + 1e-6)
        likeness = np.maximum(np.hstack([cosines, distances, _steps(times)]) @ w["like"] + w["like_bias"], 0)
        z = np.hstack([np.maximum(scene, 0), likeness])
        z = self._in_time("decide1", z, (1, 2, 4, 8), residual=False)
        z = self._in_time("decide2", z, (1, 4, 12, 24), residual=False)
        logits = z @ w["out"] + w["out_bias"]
        odds = np.exp(logits - logits.max(1, keepdims=True))
        return np.asarray(odds / odds.sum(1, keepdims=True), np.float32)

    def _in_time(self, name: str, x: Floats, distances: tuple[int, ...], *, residual: bool) -> Floats:
        """Apply convolutions over three frames at several distances, and mix them; shape (n, channels)."""
        w, n = self.weights, len(x)
        taps = x @ w[name]
        each = taps.shape[-1] // (3 * len(distances))
        sums = np.empty((n, each * len(distances)), np.float32)
        for k, distance in enumerate(distances):
            before, here, after = (taps[:, (3 * k + tap) * each : (3 * k + tap + 1) * each] for tap in range(3))
            d = min(distance, n)
            total = sums[:, k * each : (k + 1) * each]
            total[:d] = before[:1]
            total[d:] = before[: n - d]
            total += here
            total[: n - d] += after[d:]
            total[n - d :] += after[-1:]
        sums += w[f"{name}_bias"]
        y = np.maximum(sums, 0, out=sums) @ w[f"{name}_mix"]
        y += w[f"{name}_mix_bias"]
        if residual:
            y += x
        return np.maximum(y, 0, out=y)


def _steps(times: NDArray[np.float64]) -> Floats:
    """Return how far pictures are from the one before and the one after, shape (n, 2): 0 is 0.04 s, 1 twice that."""
    apart = np.log2(np.clip(np.diff(times), *STEPS_S) / USUAL_S)
    around = np.pad(apart, 1, mode="edge") if len(apart) else np.zeros(2)
    return np.column_stack([around[:-1], around[1:]]).astype(np.float32)


def _padded(x: Floats) -> Floats:
    """Return pictures with a border of zeros, one wide."""
    n, rows, columns, channels = x.shape
    out = np.zeros((n, rows + 2, columns + 2, channels), np.float32)
    out[:, 1:-1, 1:-1] = x
    return out


def _windows(x: Floats) -> Floats:
    """Return every second 3x3 window of padded pictures as rows, shape (n * rows * columns, 9 * channels)."""
    n, height, width, channels = x.shape
    rows, columns = (height - 1) // 2, (width - 1) // 2
    s = x.strides
    view = as_strided(x, (n, rows, columns, 3, 3 * channels), (s[0], 2 * s[1], 2 * s[2], s[1], s[3]), writeable=False)
    return view.reshape(n * rows * columns, 9 * channels)
