"""What shows at a picture's full size only: its finest detail, noise, coding blocks, and interlacing combs."""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import DTypeLike, NDArray

from longtake.records import Series
from longtake.signals.look import inside_borders
from longtake.video.scan import Frames, Tap

Picture = NDArray[np.uint8]

VERSION = 1
LARGEST = 1 << 16
"""A side no video has; pictures are not enlarged, so all come in their own size."""
HZ = 0.7
"""Once in 43 frames at 30 per second: a whole second would always meet the same frame of film shown as 60 fields."""
SMALLEST = 64
"""Pixels of the shorter side below which nothing is measured."""

CELL = 16
"""Pixels of a side of the cells in which noise is measured, and rows of those in which combs are."""
TALL = CELL + 2
"""Rows of a band: those of a cell, and one more on either side."""
BANDS = 16
"""Bands that are looked at, evenly over the height, and as many over the width."""
LINES = (3, 8, 13)
"""Rows of each band that edges and blocks are looked for on."""
MARGIN = 4
"""Pixels beside a black border that are not looked at: its own edge is sharp in any picture."""
WINDOW = 16
"""Pixels over which an edge is to rise: the softest that is told from a slope."""
STRONG = 0.6
"""Standard deviations of the picture that an edge must rise by: weaker detail is lost in coding, and tells of it."""
LEAST = 20
"""Gray levels that it must rise by in any case."""
NOISES = 10
"""And standard deviations of the noise, which makes single steps look steep."""
EDGES = 30
"""Edges that must be there."""
SHARPEST = 0.9
"""Quantile of the edges' steepness that counts: much of any picture is out of focus."""
FULL, POWER = 0.66, 1.4
"""That quantile in pictures known to use their whole resolution, and its fall when they are enlarged; see `Fine`."""

CLIPPED = 12
"""Mean gray level from black or white within which noise is cut off."""
FEW = 0.05
"""Share of the cells that must not be so."""
CALM = 0.2
"""Quantile of the cells that counts: those with the least detail."""
CALM_SHARE = 0.93
"""What that quantile is of the true noise, from white noise."""
IMMERKAER = math.sqrt(math.pi / 2) / 6
"""Standard deviation of white noise over the mean size of its second difference both ways."""
STEP = np.array([1, -2, 1], np.float32)

BLOCK = 8
STEEP = 16
"""Gray levels from which a step is an edge of the picture and counts no more."""

WIDTH = 160
"""Pixels along the lines to which pictures are reduced before combs are looked for."""
TEETH = 1.5
"""Gray levels, root mean square, that lines must stand out by."""
APART = 1.1
"""How much less like their neighbours lines must be than like the next but one."""
SLOPE = np.array([[-0.5, 0, 0.5]], np.float32)
ALONG = 0.15
"""Share of what stands out that must follow the slope along the lines, as a shift of every other line does."""


class Fine:
    """The finest detail, noise, coding blocks and interlacing combs of a frame at full size, every 1.4 seconds.

    detail_x: share of the width's resolution that the picture uses, 0 to 1: 0.5 is a picture that could be stored at
        half the width. It goes by the edges that rise by 0.6 standard deviations of the picture within 16 pixels: the
        share of the rise that the steepest step takes, 0.66 at the 90th percentile in pictures that use all their
        pixels. NaN where there are fewer than 30 edges.
    detail_y: the same of the height.
    noise: standard deviation of noise and grain from pixel to pixel, as a share of white, 0 and up: 0.01 is easily
        seen. Immerkaer's measure ("Fast noise variance estimation", 1996), of those cells of 16x16 pixels that have
        little else in them. What coding has smoothed away isn't there, and noise that was enlarged counts less. NaN
        where nearly everything is black or white.
    blocks: how much larger steps across the borders of coding blocks of 8 pixels are than others, as a share: below
        0.2 nothing is to be seen, 1 is twice as large. NaN for a picture without any step.
    combs: share of the picture, 0 to 1, with interlacing combs: where every other line lies aside of its neighbours,
        for it was taken 1/50 or 1/60 s later. Nothing that stands still has them, nor do stripes.

    All lie inside the black borders, and along the picture's own pixels, so that numbers belong to the file's size.
    Noise and combs are looked for
    in 16 bands of 18 rows, edges and blocks on 48 rows and 48 columns. What is behind `detail` was set on five films
    that we halved in size, so that they use all their pixels, then enlarged 1.5 to 4 times by three filters, before
    and after x264 at crf 23 and 28: it comes out right to a third. Noise of 0.02 and more lifts the lowest to 0.35.
    Text laid over enlarged footage is sharp, and counts where a tenth of the edges are its.
    """

    columns = ("detail_x", "detail_y", "noise", "blocks", "combs")
    tap = Tap(LARGEST, "gray", hz=HZ, block=1)

    def __call__(self, frames: Frames) -> Series:
        """Measure one block."""
        values = np.array([fine(picture) for picture in frames.pixels], np.float32).reshape(-1, len(self.columns))
        return Series(self.columns, frames.times.copy(), frames.numbers.copy(), values)


def fine(picture: Picture) -> list[float]:
    """Return the columns of `Fine` for one gray picture."""
    visible = inside(picture)
    if min(visible.shape) < SMALLEST:
        return [np.nan] * len(Fine.columns)
    across, down = bands(visible), bands(visible.T)
    noise = noise_of(across)
    least = max(LEAST, STRONG * float(cv2.meanStdDev(across)[1].item()), NOISES * np.nan_to_num(noise))
    lines_x, lines_y = lines(across), lines(down)
    steps_x, steps_y = np.abs(np.diff(lines_x)), np.abs(np.diff(lines_y))
    return [
        detail(lines_x, steps_x, least),
        detail(lines_y, steps_y, least),
        noise / 255,
        (blocks_of(steps_x) + blocks_of(steps_y)) / 2,
        # Where the picture was turned, what was every other row is every other column.
        max(combs_of(across), combs_of(down)),
    ]


def inside(picture: Picture) -> Picture:
    """Return the part of a picture inside its black borders; nothing of a black one."""
    thin = max(1, max(picture.shape) // WIDTH)
    by_rows, by_columns = inside_borders(picture[:, ::thin]), inside_borders(picture[::thin])
    if by_rows is None or by_columns is None:
        return picture[:0]
    return picture[by_rows[0], by_columns[1]]


def bands(picture: Picture) -> Picture:
    """Return bands of 18 rows, one upon the other, shape (18 n, width)."""
    starts = np.linspace(0, len(picture) - TALL, min(BANDS, len(picture) // TALL)).astype(int)
    return picture[(starts[:, None] + np.arange(TALL)).ravel()]


def within(bands: NDArray[Any]) -> NDArray[Any]:
    """Return bands without their first and last rows, shape (16 n, width)."""
    return bands.reshape(-1, TALL, bands.shape[1])[:, 1:-1].reshape(-1, bands.shape[1])


def lines(bands: Picture) -> NDArray[np.int16]:
    """Return some rows of bands, shape (3 n, width less the margins)."""
    chosen = bands.reshape(-1, TALL, bands.shape[1])[:, LINES, MARGIN:-MARGIN]
    return chosen.reshape(-1, chosen.shape[-1]).astype(np.int16)


def detail(lines: NDArray[np.int16], steps: NDArray[np.int16], least: float) -> float:
    """Return the share of their resolution that lines (n, pixels) use, by the steepness of their edges."""
    rise = np.abs(lines[:, WINDOW - 1 :] - lines[:, : 1 - WINDOW])
    first = WINDOW // 2 - 1
    middle = steps[:, first : first + rise.shape[1]]
    before, after = steps[:, first - 1 : first - 1 + rise.shape[1]], steps[:, first + 1 : first + 1 + rise.shape[1]]
    # A step larger than the whole rise belongs to a line or a dot, which comes back.
    edges = (rise >= least) & (middle >= before) & (middle > after) & (middle <= rise) & (middle * WINDOW >= rise)
    if np.count_nonzero(edges) < EDGES:
        return float("nan")
    steepness = float(np.quantile(middle[edges] / rise[edges], SHARPEST))
    return min(1.0, math.pow(steepness / FULL, POWER))


def noise_of(bands: Picture) -> float:
    """Return the standard deviation of the noise in gray levels; NaN where it can't be told."""
    # Sixteen times as large fits the type, and keeps the fraction when cells are averaged.
    rough = means(np.abs(within(cv2.sepFilter2D(bands, cv2.CV_16S, 4 * STEP, 4 * STEP))))
    level = means(within(bands))
    cells = rough[(level > CLIPPED) & (level < 255 - CLIPPED)]
    if len(cells) < FEW * rough.size:
        return float("nan")
    return float(np.quantile(cells, CALM)) / 16 * IMMERKAER / CALM_SHARE


def blocks_of(steps: NDArray[np.int16]) -> float:
    """Return how much larger steps (n, pixels) are at one place of 8 than at the others, as a share."""
    by_place = np.minimum(steps, STEEP).mean(axis=0)
    by_place = by_place[: len(by_place) // BLOCK * BLOCK].reshape(-1, BLOCK).mean(axis=0)
    others = float(np.median(np.delete(by_place, by_place.argmax())))
    # Half a level more, so that hardly any steps at all are no blocks.
    return float(by_place.max() - others) / (others + 0.5) if by_place.any() else float("nan")


def combs_of(bands: Picture) -> float:
    """Return the share of cells in which every other row is shifted.

    Whether rows are more like their neighbours or like those two away is how MPEG-2's reference encoder (TM5) tells
    frames from fields. Fine stripes pass that test too, but there what stands out has nothing to do with the slope
    along the rows. Of a shift it is shift times slope, and both signs turn from one edge of a thing to the other.
    """
    thin = max(1, bands.shape[1] // WIDTH)
    cut = bands[:, : bands.shape[1] // thin * thin]
    rows = np.asarray(cv2.resize(cut, (cut.shape[1] // thin, len(cut)), interpolation=cv2.INTER_AREA), np.uint8)
    rows = rows.reshape(-1, TALL, rows.shape[1])
    above, row, below = (rows[:, k : k + CELL].reshape(-1, rows.shape[2]) for k in range(3))
    near, far = means(cv2.absdiff(row, above), np.float32), means(cv2.absdiff(below, above), np.float32)
    combed = near > APART * far
    if not combed.any():
        return 0.0
    around = (above.astype(np.float32) + below) / 2
    stands = row - around
    stands[1::2] *= -1
    slope = cv2.filter2D((row + around) / 2, -1, SLOPE)
    energy, along, slopes = means(stands * stands), means(stands * slope), means(slope * slope)
    combed &= (energy > TEETH**2) & (along * along > ALONG * energy * slopes)
    return float(combed.mean())


def means(values: NDArray[Any], kind: DTypeLike | None = None) -> NDArray[Any]:
    """Return the means of cells of 16x16, as numbers of some kind."""
    height, width = (side // CELL for side in values.shape)
    cut = values[: height * CELL, : width * CELL].astype(kind or values.dtype, copy=False)
    return np.asarray(cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA))
