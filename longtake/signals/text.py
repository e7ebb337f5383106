"""Text that was laid over the picture, and logos: what stays put while the rest of the picture changes."""

import functools
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from longtake.records import Series
from longtake.signals._lettering import CELL, Network
from longtake.signals._logos import Logos
from longtake.video.scan import Frames, Tap

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

VERSION = 1
MAYBE, LIKELY, SURE = 0.4, 0.7, 0.95
"""How surely a cell holds text, to be one of a group; and some of its cells, for the group to be in doubt, or text.
Set on the half of the footage that the network has learned from, with text drawn over it and without."""
LEAST = 3
"""Cells of a group that must be so sure."""


class Text:
    """How much of a picture is overlaid text, and where; and a logo; once per second.

    area: share of the picture, 0 to 1, under lines of lettering: subtitles, credits, titles, names, watermarks.
    top: share of the whole picture under lettering in its upper third; so `top`, `middle` and `bottom` make `area`.
    middle: the same in the middle third.
    bottom: the same in the lower third.
    doubt: share of the picture, 0 to 1, that could be lettering or a pattern like it; not counted in `area`.
    logo: share of the picture, 0 to 1, taken by what has stood still while most of the rest changed, and is small:
        logos, watermarks, a channel's clock. NaN until most of the picture has changed 6 times, as it does with the
        camera's motion, with much that moves before it, or with cuts; and where too much stands still to tell.
    logo_x: where the largest logo's middle is, 0 (left edge) to 1 (right edge); NaN without a logo.
    logo_y: the same from 0 (top) to 1 (bottom).

    Lettering is found by a small network on gray pictures of 480 pixels for the longer side, in squares of 8 pixels.
    Letters should be 7 pixels high there: 1/40 of the height at 16:9. Of letters higher than a sixth of the height,
    and of faint marks, much is missed. It knows how lettering looks, not where it comes from: large, sharp signs in
    the scene count too. Windows, shelves and grids can be taken for text; they are mostly left in doubt, and
    `text_ocr` decides those. A logo made of letters counts as text and as a logo. Logos are remembered across cuts,
    for up to 20 changed pictures; nothing that touches a black border is one.
    """

    columns = ("area", "top", "middle", "bottom", "doubt", "logo", "logo_x", "logo_y")
    tap = Tap(480, "gray", hz=1, block=16)

    def __init__(self) -> None:
        self.network = load_network()
        self.logos = Logos()

    def __call__(self, frames: Frames) -> Series:
        """Measure one block."""
        rows = [[*self.text(picture), *self.logos(picture)] for picture in frames.pixels]
        values = np.array(rows, np.float32).reshape(-1, len(self.columns))
        return Series(self.columns, frames.times.copy(), frames.numbers.copy(), values)

    def text(self, picture: Bytes) -> list[float]:
        """Return the columns about text."""
        holds, share = self.network(picture)
        text, doubt = settle(holds)
        return [*shares(share * text, picture.shape), shares(share * doubt, picture.shape)[0]]


@functools.cache
def load_network() -> Network:
    """Return the network, loaded once in a process."""
    return Network(Path(__file__).with_name("text.npz"))


def settle(holds: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which cells count as text, and which are in doubt, of how surely each holds some.

    Cells that may hold text are judged in groups, by the surest among them.
    """
    maybe = holds >= MAYBE
    count, labels = cv2.connectedComponents(maybe.astype(np.uint8))
    sure = np.bincount(labels[holds >= SURE], minlength=count) >= LEAST
    likely = np.bincount(labels[holds >= LIKELY], minlength=count) >= LEAST
    return (maybe & sure[labels]), (maybe & (likely & ~sure)[labels])


def shares(cells: Floats, shape: tuple[int, ...]) -> list[float]:
    """Return the share of a picture of (height, width) that cells cover: all, upper, middle and lower third."""
    height, width = shape
    rows, columns = (
        np.minimum(CELL, side - CELL * np.arange(count)) for side, count in zip(shape, cells.shape, strict=True)
    )
    each = (cells @ columns) * rows / (height * width)
    third = np.minimum((CELL * np.arange(len(each)) + rows / 2) * 3 // height, 2)
    return [float(each.sum()), *(float(each[third == k].sum()) for k in range(3))]
