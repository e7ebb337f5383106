"""Which colours a picture has, by their plain names, and how colourful it is."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from longtake.records import Series
from longtake.signals.look import inside_borders
from longtake.video.scan import Frames, Tap

VERSION = 3
TERMS = ("black", "white", "grey", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")
BITS = 5
"""Bits of red, green and blue that are looked at: all the colours that they tell apart are one small table."""

# OKLab from linear sRGB: Ottosson, "A perceptual color space for image processing", 2020.
CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


class Colour:
    """Share of the picture in each of the 11 basic colours of English, 0 to 1, and colourfulness, once per second.

    black: share that is black, or so dark that no colour can be told.
    white: share that is white.
    grey: share that is grey.
    red: share that is red.
    orange: share that is orange, which is bright and strong.
    yellow: share that is yellow.
    green: share that is green.
    blue: share that is blue, with cyan.
    purple: share that is purple, with magenta.
    pink: share that is pink, pale red among it.
    brown: share that is brown: dark or dull red, orange and yellow, so wood, sand and skin too.
    colourfulness: Hasler and Suesstrunk's measure ("Measuring colourfulness in natural images", 2003) inside the black
        borders, 0 (grey) and up, on their scale: 15 slightly, 33 moderately, 45 averagely, 59 quite, 82 highly, 109
        extremely colourful; pure colours side by side give more. NaN for a black picture.

    The shares sum to 1. The terms are Berlin and Kay's ("Basic Color Terms", 1969). Their borders, by hue, chroma and
    lightness in OKLab, are our own, set by what CSS calls its colours. The light's colour isn't taken off. In the
    shares black borders count.
    """

    columns = (*TERMS, "colourfulness")
    tap = Tap(64, "rgb24", hz=1)

    def __call__(self, frames: Frames) -> Series:
        """Measure one block."""
        red, green, blue = np.moveaxis(frames.pixels >> (8 - BITS), -1, 0)
        terms = _table()[red, green, blue]
        counts = [np.bincount(picture.ravel(), minlength=len(TERMS)) for picture in terms]
        shares = np.array(counts, np.float32).reshape(-1, len(TERMS)) / np.float32(terms[:1].size or 1)
        strengths = np.array([colourfulness(picture) for picture in frames.pixels], np.float32)
        values = np.concatenate([shares, strengths.reshape(-1, 1)], axis=1)
        return Series(self.columns, frames.times.copy(), frames.numbers.copy(), values)


def colourfulness(picture: NDArray[np.uint8]) -> float:
    """Return Hasler and Suesstrunk's M of an RGB picture inside its black borders; NaN for a black one."""
    inside = inside_borders(picture.max(axis=-1))
    if inside is None:
        return np.nan
    red, green, blue = np.moveaxis(picture[inside].astype(np.float32), -1, 0)
    red_green, yellow_blue = red - green, (red + green) / 2 - blue
    spread = np.hypot(red_green.std(), yellow_blue.std())
    return float(spread + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean()))


@cache
def _table() -> NDArray[np.uint8]:
    """Return the term, by its place in `TERMS`, of the middle of each cell of colours; shape (32, 32, 32)."""
    levels = np.linspace(0, 255, 2**BITS)
    return name_colours(np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1))


def name_colours(rgb: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the term, by its place in `TERMS`, of colours of shape (..., 3), red, green and blue from 0 to 255."""
    coded = rgb / 255
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    light, a, b = np.moveaxis(np.cbrt(linear @ CONES.T) @ LAB.T, -1, 0)
    chroma, hue = np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360
    # The first that holds counts, so each hue says only where it ends.
    rules = (
        ("black", light < 0.2),
        ("black", (chroma < 0.04) & (light < 0.3)),
        ("white", (chroma < 0.04) & (light > 0.88)),
        ("grey", chroma < 0.04),
        ("red", (hue < 15) & (light < 0.5)),
        ("pink", hue < 15),
        ("pink", (hue < 37) & (light > 0.7) & (chroma < 0.17)),
        ("red", (hue < 37) & (chroma > 0.12)),
        ("yellow", (hue > 70) & (hue < 95) & (light > 0.85)),
        ("orange", (hue < 95) & (chroma > 0.13) & (light > 0.66)),
        ("brown", hue < 95),
        ("yellow", (hue < 118) & (light > 0.6)),
        ("brown", hue < 105),
        ("green", hue < 190),
        ("blue", hue < 288),
        ("purple", hue < 340),
        ("purple", light < 0.45),
        ("pink", hue <= 360),
    )
    return np.select([where for _, where in rules], [np.uint8(TERMS.index(term)) for term, _ in rules])
