"""How a picture looks: its brightness, contrast and sharpness, what is too dark or too bright, black borders."""

import cv2
import numpy as np
from numpy.typing import NDArray

from longtake.records import Series
from longtake.video.scan import Frames, Tap

VERSION = 3
BLACK = 20
"""Gray levels, of 255, up to which a pixel counts as black: coded black bars stay below 10."""
STRAY = 0.02
"""Share of a black row or column that may be brighter: coding noise, not a title."""
FLAT = 2.0
"""Standard deviation in gray levels below which a picture has nothing to be sharp or blurred."""
CRUSHED, BURNT = 4, 251
"""Gray levels up to and from which there is nothing to see: black and white, give or take what coding does."""
QUANTILES = (0.05, 0.5, 0.95)


class Look:
    """Brightness, contrast, sharpness, exposure and black borders of a frame, twice per second.

    luma: mean brightness inside the borders, 0 (black) to 1 (white), as coded (no gamma taken off).
    spread: standard deviation of that brightness, 0 (one flat tone) to 0.5 (half black, half white).
    sharpness: strength of fine detail against that of the whole picture, 0 (blurred) to 1; most pictures lie between
        0.02 and 0.3, white noise at 0.56. It is the root mean square of the Laplacian over the standard deviation,
        an eighth of it. Seen at 320 pixels for the longer side: detail finer than that does not count, so 4K is no
        sharper than 720p (what a file holds beyond that is told by the signal `fine`). NaN for a flat picture.
    border_top: share of the height, 0 to 1, taken by rows at the top that are black from edge to edge.
    border_bottom: the same at the bottom.
    border_left: share of the width, 0 to 1, taken by black columns at the left.
    border_right: the same at the right.
    p05: brightness that 5 % of the picture inside the borders stay below, 0 (black) to 1 (white).
    p50: the same of 50 %: the median brightness.
    p95: the same of 95 %.
    under: share of the picture inside the borders, 0 to 1, that is crushed to black: at most 4 of 255.
    over: the same that is burnt out to white: at least 251 of 255.

    Borders are NaN where the whole frame is black, and accurate to 1/320 of the longer side. A dark scene can look
    like a border in one frame; one that stays is a border.
    """

    columns = (
        *("luma", "spread", "sharpness", "border_top", "border_bottom", "border_left", "border_right"),
        *("p05", "p50", "p95", "under", "over"),
    )
    tap = Tap(320, "gray", hz=2)

    def __call__(self, frames: Frames) -> Series:
        """Measure one block."""
        values = np.array([look(picture) for picture in frames.pixels], np.float32).reshape(-1, len(self.columns))
        return Series(self.columns, frames.times.copy(), frames.numbers.copy(), values)


def look(picture: NDArray[np.uint8]) -> list[float]:
    """Return the columns of `Look` for one gray picture."""
    height, width = picture.shape
    inside = inside_borders(picture)
    if inside is None:
        return [float(picture.mean()) / 255, float(picture.std()) / 255, *[np.nan] * 5, *exposure(picture)]
    rows, columns = inside
    visible = picture[rows, columns]
    spread = float(visible.std())
    return [
        float(visible.mean()) / 255,
        spread / 255,
        sharpness(visible) if spread >= FLAT else np.nan,
        rows.start / height,
        1 - rows.stop / height,
        columns.start / width,
        1 - columns.stop / width,
        *exposure(visible),
    ]


def inside_borders(picture: NDArray[np.uint8]) -> tuple[slice, slice] | None:
    """Return the rows and columns inside the black borders; None for a black picture."""
    bright = picture > BLACK
    rows = np.flatnonzero(bright.mean(axis=1) > STRAY)
    columns = np.flatnonzero(bright.mean(axis=0) > STRAY)
    if not (len(rows) and len(columns)):
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def sharpness(picture: NDArray[np.uint8]) -> float:
    """Return the Laplacian's root mean square over the standard deviation, 0 to 1: no pattern gives more than 8."""
    laplacian = cv2.Laplacian(picture, cv2.CV_32F, borderType=cv2.BORDER_REPLICATE)
    return float(np.sqrt(np.mean(np.square(laplacian)))) / (8 * float(picture.std()))


def exposure(picture: NDArray[np.uint8]) -> list[float]:
    """Return the quantiles of the brightness, 0 to 1, and the shares that are crushed to black and burnt to white."""
    counts = cv2.calcHist([np.ascontiguousarray(picture)], [0], None, [256], [0, 256]).ravel()
    upto = np.cumsum(counts, dtype=np.float64) / picture.size
    quantiles = np.searchsorted(upto, QUANTILES) / 255
    return [*quantiles.tolist(), float(upto[CRUSHED]), float(1 - upto[BURNT - 1])]
