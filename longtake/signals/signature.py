"""What a picture looks like as a vector, without a model: its colours, and where its edges run."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from longtake.records import Series
from longtake.signals.colour import CONES, LAB
from longtake.signals.look import BLACK, FLAT, STRAY
from longtake.video.scan import Frames, Tap

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

VERSION = 2
SIDE = 32
"""Every picture is seen as so many pixels a side, stretched, without its black bars."""
BARS = 0.3
"""Share of a side up to which black rows or columns at both its ends count as bars; a dark scene is black in less
even ways."""
HUES, LIGHTS, DIRECTIONS = 7, 4, 12
"""Steps of each of the two axes of hue, of lightness, and of the directions in which a picture gets lighter."""
COLOUR_PARTS, SHAPE_PARTS = 3, 4
"""The picture is divided into so many by so many parts, for mean colours and for directions."""
COLOURS, SHAPES = 48, 64
"""Columns of each group."""
COLOUR_BASE, SHAPE_BASE = 1.2, 2.0
"""Square of the constant that opens each group, over that of the rest of it: with it the cosine c of the rest becomes
(c + base) / (1 + base). Set by `benchmarks/similarity.py --folds`, on shots that the matrices didn't know: about 1 % of
the pairs of two places exceed 0.8, and most pairs of one place exceed 0.85."""

_LINEAR = np.array([c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in np.arange(256) / 255])


class Signature:
    """What a picture looks like, as a vector without a model, twice per second: alike where the cosine is above 0.8.

    colour: 48 columns, `colour_00` and on, for which colours there are, and roughly where.
    shape: 64 columns, `shape_00` and on, for where edges run, and which of their sides is the lighter one.

    Rows have length 1 and each group has half of its square, so the cosine of two rows is the mean of the cosines of
    the groups; either group may be read alone. It is made for InternVid-G's marks (arXiv 2403.10228): above 0.85 two
    shots show one place, from 0.8 down they show two. It tells views apart, not places: the same room seen from the
    other side is another view, and two faces before the same wall may be one. Pans by a sixth of the picture, zooms to
    60 %, things that move, exposure and tint change it little. Size, coding, frame rate and black bars hardly matter.
    NaN for a flat tone, black frames among them: it is like nothing, another one included.

    A picture is 32x32 pixels here. Colour is the root of a histogram in OKLab, with the mean colours of 3x3 parts;
    shape is the root of histograms of gradient directions in 4x4 overlapping parts. What tells pictures of one shot
    apart is toned down in both, by a matrix made from 45 single shots (`training/signature.py`): linear discriminant
    analysis. Each group opens with a constant, which moves its cosines to where the marks are.
    """

    columns = (*(f"colour_{i:02}" for i in range(COLOURS)), *(f"shape_{i:02}" for i in range(SHAPES)))
    tap = Tap(64, "rgb24", hz=2)

    def __init__(self) -> None:
        self.weights = read_weights(Path(__file__).with_suffix(".npz"))

    def __call__(self, frames: Frames) -> Series:
        """Measure one block."""
        values = np.full((len(frames.times), len(self.columns)), np.nan, np.float32)
        seen = [square(picture) for picture in frames.pixels]
        shown = [row for row, picture in enumerate(seen) if not is_flat(picture)]
        if shown:
            values[shown] = self.vectors(np.stack([seen[row] for row in shown]))
        return Series(self.columns, frames.times.copy(), frames.numbers.copy(), values)

    def vectors(self, squares: Bytes) -> Floats:
        """Return the columns for pictures as `square` gives them, shape (n, 32, 32, 3)."""
        lab = oklab(squares)
        w = self.weights
        colour = (colours(lab) - w["colour_mean"]) @ w["colour"]
        shape = (shapes(lab[..., 0]) - w["shape_mean"]) @ w["shape"]
        both = np.concatenate([_based(colour, COLOUR_BASE), _based(shape, SHAPE_BASE)], axis=1)
        return np.asarray(both / np.sqrt(2), np.float32)


def read_weights(path: Path) -> dict[str, Floats]:
    """Read what `training/signature.py` writes: of each group the mean and the matrix."""
    with np.load(path) as stored:
        return {name: stored[name].astype(np.float32) for name in stored.files}


def _based(vectors: NDArray[np.floating], base: float) -> Floats:
    """Return vectors of length 1, their first number the constant."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    constant = np.full((len(vectors), 1), np.sqrt(base / (1 + base)), np.float32)
    return np.concatenate([constant, np.asarray(vectors / (lengths * np.sqrt(1 + base)), np.float32)], axis=1)


def square(picture: Bytes) -> Bytes:
    """Return a picture of any size as 32x32 pixels, without its black bars."""
    gray = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
    bright = gray > BLACK
    inside = picture[_between_bars(bright.mean(axis=1)), _between_bars(bright.mean(axis=0))]
    return np.asarray(cv2.resize(inside, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def _between_bars(bright: NDArray[np.float64]) -> slice:
    """Return the rows, or columns, between two black bars of the same width; all where there are no such bars."""
    n = len(bright)
    lit = np.flatnonzero(bright > STRAY)
    if len(lit) == 0:
        return slice(n)
    before, after = int(lit[0]), int(n - 1 - lit[-1])
    if min(before, after) == 0 or abs(before - after) > 1 or max(before, after) + 1 > BARS * n:
        return slice(n)
    # The row next to a bar is often part of it.
    return slice(before + 1, n - after - 1)


def is_flat(picture: Bytes) -> bool:
    """Return whether a picture is one flat tone."""
    return float(np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)).std()) < FLAT


def oklab(rgb: Bytes) -> Floats:
    """Return OKLab of 8-bit colours, shape (..., 3): lightness 0 to 1, and two axes of hue."""
    linear = _LINEAR.astype(np.float32)[rgb]
    return np.asarray(np.cbrt(linear @ CONES.T.astype(np.float32)) @ LAB.T.astype(np.float32), np.float32)


def colours(lab: Floats) -> Floats:
    """Return what is known of the colours of n pictures, shape (n, 223): two vectors of length 1 side by side."""
    n, bins = len(lab), HUES * HUES * LIGHTS
    # The roots of the hue's axes: most colours are pale, and pale ones are to be told apart too.
    hue = np.sign(lab[..., 1:]) * np.sqrt(np.abs(lab[..., 1:]))
    red, red_part = _steps(hue[..., 0], -0.5, 0.5, HUES)
    yellow, yellow_part = _steps(hue[..., 1], -0.5, 0.5, HUES)
    light, light_part = _steps(lab[..., 0], 0.1, 0.9, LIGHTS)
    cell = ((np.arange(n)[:, None, None] * HUES + red) * HUES + yellow) * LIGHTS + light
    counts = np.zeros(n * bins)
    # A pixel counts in the eight cells around it, the nearer the more: no small change moves it from cell to cell.
    for i, j, k in np.ndindex(2, 2, 2):
        weight = abs(1 - i - red_part) * abs(1 - j - yellow_part) * abs(1 - k - light_part)
        counts += np.bincount((cell + (i * HUES + j) * LIGHTS + k).ravel(), weight.ravel(), n * bins)
    histogram = np.sqrt(counts.reshape(n, bins) / SIDE**2)
    means = _pooled(lab, COLOUR_PARTS)
    return np.concatenate([_unit(histogram), _unit(means)], axis=1)


def shapes(light: Floats) -> Floats:
    """Return what is known of the shapes in n pictures of lightness, shape (n, 192), of length 1."""
    kind = cv2.CV_32F
    across = np.stack([np.asarray(cv2.Sobel(picture, kind, 1, 0, scale=1 / 8)) for picture in light])
    down = np.stack([np.asarray(cv2.Sobel(picture, kind, 0, 1, scale=1 / 8)) for picture in light])
    turn = np.arctan2(down, across) * np.float32(DIRECTIONS / (2 * np.pi)) % DIRECTIONS
    low = np.floor(turn).astype(np.intp)
    strength = np.sqrt(np.hypot(across, down))
    found = np.zeros((*light.shape, DIRECTIONS), np.float32)
    np.put_along_axis(found, (low % DIRECTIONS)[..., None], (strength * (1 - turn + low))[..., None], axis=-1)
    np.put_along_axis(found, ((low + 1) % DIRECTIONS)[..., None], (strength * (turn - low))[..., None], axis=-1)
    return _unit(np.sqrt(_pooled(found, SHAPE_PARTS)))


def _steps(values: Floats, start: float, end: float, count: int) -> tuple[NDArray[np.intp], Floats]:
    """Return between which of so many steps values lie: the lower one's place, and how near the upper one is."""
    at = np.clip((values - np.float32(start)) * np.float32((count - 1) / (end - start)), 0, count - 1)
    low = np.minimum(at.astype(np.intp), count - 2)
    return low, at - low.astype(np.float32)


def _pooled(values: Floats, parts: int) -> Floats:
    """Return the means over overlapping parts of n pictures, shape (n, 32, 32, k), as (n, parts * parts * k)."""
    n, k = len(values), values.shape[-1]
    middles = (np.arange(parts) + 0.5) * SIDE / parts
    window = np.clip(1 - np.abs(np.arange(SIDE) + 0.5 - middles[:, None]) * parts / SIDE, 0, None)
    window = (window / window.sum(axis=1, keepdims=True)).astype(np.float32)
    rows = window @ values.reshape(n, SIDE, SIDE * k)
    return np.asarray(window @ rows.reshape(n, parts, SIDE, k), np.float32).reshape(n, -1)


def _unit(vectors: NDArray[np.floating]) -> Floats:
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9), np.float32)
