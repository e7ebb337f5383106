"""How fast the picture moves, and how the camera does: optical flow between neighbouring frames, twice per second."""

from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray

from longtake.records import Range, Series
from longtake.signals._camera import Camera, Mask, Points, Scene, apart_from, find_camera
from longtake.video.scan import Frames, Grid, Tap

Floats = NDArray[np.float32]

VERSION = 4
STILL = 0.01
"""Heights per second below which a place counts as still: grain and coding noise stay below 0.005."""
HZ = 10
"""Frames per second among which pairs of neighbours are chosen."""
MAX_GAP_S = 0.5
MIN_SIDE_PX = 32
"""OpenCV's DIS flow has no pyramid for shorter sides: it raises, gives NaN, or writes past its memory."""
GOLDEN = (5**0.5 - 1) / 2

# Of the guesses about what a place does. Set on still and panning pictures with grain, at x264 crf 18 to 38.
CHANGED = 2.0
"""Gray levels, of 255, by which only motion changes a smoothed place; grain and coding don't."""
BETTER = 0.7
"""A guess is better than another where it leaves this much of the mismatch, less `SLACK` gray levels."""
SLACK = 0.1
GRID = 40
"""Places along the longer side that the camera is fitted to."""
DETAIL = 1.0
"""Gray levels by which a smoothed picture differs from pixel to pixel, in every direction, where a shift shows."""
OFF_PX = 0.4
"""Pixels by which the flow of a place that follows the camera may be off."""
DARK = 20
"""Gray levels below which a whole row or column at the edge is black: a border, or nothing to see."""
STAYS = 0.5
"""What shows something stands, and doesn't go with the camera, where it goes less than this share of its way."""


class Motion:
    """Optical-flow speed between two neighbouring frames, in picture heights per second: 0 is still, 0.5 a brisk pan.

    mean: mean speed over the picture, black borders left out, 0 and up.
    p90: the speed that a tenth of the picture exceeds, 0 and up.
    still: share of the picture, 0 to 1, slower than 0.01 heights per second.
    camera_x: rightward speed of the picture's content, the median over all places; the sign is negative for a camera
        that pans right.
    camera_y: downward speed likewise; negative for a camera that tilts down.
    shift_x: rightward speed of the content at the middle, by what most places that show something follow: not
        taken in, as `camera_x` is, by things that move before a plain ground.
    shift_y: downward speed likewise.
    zoom: growth of the picture's content per second, as a natural logarithm: 0.1 for some 10 %; positive for a camera
        that zooms in or moves forward, negative for one that zooms out.
    roll: degrees per second by which the content turns clockwise; negative for a camera that rolls clockwise.
    left: mean speed in the left third of the picture of what moves otherwise than the camera, 0 and up.
    middle: the same in the middle third.
    right: the same in the right third.

    Each half second (`pairs_hz` sets the rate, up to 5) gives one row, at the first frame of its pair. Speeds are
    taken over the pair's true distance in time, so they depend neither on size nor on frame rate. They come out too
    low above about 1.2 heights per second (0.7 in a tall picture, and less where frames are over 0.1 s apart). No row
    where the next frame is over 0.5 s away; NaN where the picture, its longer side at 320 pixels, is under 32 pixels
    high or wide. A pair that straddles a cut gives a wild value.

    The flow is DIS (Kroeger et al., ECCV 2016, arXiv 1603.03590), preset fast. Places that show nothing to follow
    count as still, or as going with a camera that is known to move; small things slower than 0.05 come out up to a
    fifth slow.
    The camera of the columns from `shift_x` on is the shift, growth and turn that most places follow; they are NaN
    where few do, or where all that follows a moving one is far from the edges. Where a camera moves past near things,
    these move otherwise than it.
    """

    columns = (
        "mean",
        "p90",
        "still",
        "camera_x",
        "camera_y",
        "shift_x",
        "shift_y",
        "zoom",
        "roll",
        "left",
        "middle",
        "right",
    )

    def __init__(self, *, pairs_hz: Annotated[float, Range(above=0, most=5)] = 2.0) -> None:
        self.tap = Tap(320, "gray", wants=self._wants)
        self.grid, self.wanted = Grid(HZ), _Pairs(pairs_hz)
        self.flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self.pairs = _Pairs(pairs_hz)
        self.before: tuple[float, int, NDArray[np.uint8]] | None = None

    def _wants(self, time: float) -> bool:
        """Whether a frame is the first or the second of a pair of neighbours among ten frames per second."""
        if not self.grid(time):
            return False
        follows = self.wanted.first_s is not None
        self.wanted.ends(time)
        return follows or self.wanted.first_s is not None

    def __call__(self, frames: Frames) -> Series:
        """Measure one block."""
        rows: list[tuple[float, int, list[float]]] = []
        for time, number, pixels in zip(frames.times.tolist(), frames.numbers.tolist(), frames.pixels, strict=True):
            if self.pairs.ends(time) and self.before is not None:
                start_s, first, picture = self.before
                rows.append((start_s, first, self.measure(picture, pixels, time - start_s)))
            self.before = (time, number, pixels.copy())
        return Series(
            self.columns,
            np.array([row[0] for row in rows], np.float64),
            np.array([row[1] for row in rows], np.int32),
            np.array([row[2] for row in rows], np.float32).reshape(-1, len(self.columns)),
        )

    def measure(self, before: NDArray[np.uint8], after: NDArray[np.uint8], dt_s: float) -> list[float]:
        """Return one row of values."""
        height_px, width_px = before.shape
        if min(before.shape) < MIN_SIDE_PX:
            return [np.nan] * len(self.columns)
        rows, columns = find_lit(before, after)
        before, after = (np.ascontiguousarray(one[rows, columns]) for one in (before, after))
        old, new = _calm(before), _calm(after)
        standing = _change(old, new)
        if standing.max() <= SLACK / BETTER:  # whatever the flow is, nothing can count as moving
            return [*speeds(np.zeros(1, np.complex64)), *Camera().rates(dt_s), 0.0, 0.0, 0.0]
        # OpenCV's stubs want a flow to start from; None, for none, is what its documentation says.
        flow = np.asarray(self.flow.calc(before, after, None), np.float32)  # type: ignore[call-overload]
        # Every second pixel is no loss: DIS solves on a quarter of the size and enlarges the result.
        flow = np.ascontiguousarray(flow[: 2 * old.shape[0] : 2, : 2 * old.shape[1] : 2])
        moves, shows = find_moving(flow, old, new, standing)
        vectors = flow.view(np.complex64)[..., 0] / height_px

        wide = width_px / height_px
        starts = rows.start, columns.start
        down, right = (
            (np.arange(side, dtype=np.float32) * 2 + first) / height_px
            for side, first in zip(old.shape, starts, strict=True)
        )
        places = (right - wide / 2) + 1j * (down[:, None] - 0.5)
        step = max(1, max(old.shape) // GRID)
        grid = np.s_[step // 2 :: step, step // 2 :: step]
        edges = (places[0, 0], places[-1, -1])
        scene = Scene(places[grid], vectors[grid], moves[grid], shows[grid], edges, OFF_PX / height_px, dt_s)
        camera = find_camera(scene)
        settled = settle(vectors, moves, shows, camera.at(places) if camera else None, dt_s)
        told = [*camera.rates(dt_s), *apart_from(camera, scene)] if camera else [np.nan] * 7
        return [*speeds(settled / dt_s), *told]


class _Pairs:
    """Which of the frames it is told of make pairs: each half second one, at an ever different place within it.

    Drawings shown twice, and 24 frames repeated to 60, step at a beat of their own. Pairs in time with that beat
    would always see the same part of a step: a third too little for 12 drawings at 24 frames per second.
    """

    def __init__(self, hz: float) -> None:
        self.hz = hz
        self.pair = 0
        self.first_s: float | None = None
        """When the last frame was, if it begins a pair."""

    def ends(self, time: float) -> bool:
        """Take the next frame; return whether it and the one before are a pair."""
        ends = self.first_s is not None and time - self.first_s <= MAX_GAP_S
        if ends and self.first_s is not None:
            self.pair = max(self.pair + 1, int(self.first_s * self.hz))
        due_s = (self.pair + self.pair * GOLDEN % 1) / self.hz
        self.first_s = time if time >= due_s else None
        return ends


def find_lit(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Return the rows and the columns that black borders leave of a picture, enough of them for the flow.

    Flow near a border is a mixture: content goes behind it, and its edge stands.
    """
    brightest = np.maximum(before, after)
    return _lit(brightest.max(axis=1)), _lit(brightest.max(axis=0))


def _lit(lines: NDArray[np.uint8]) -> slice:
    lit = np.flatnonzero(lines >= DARK)
    if not len(lit):
        return slice(0, len(lines))
    first, stop = int(lit[0]), int(lit[-1]) + 1
    # The line at the edge is partly black.
    begin, end = first + (first > 0), stop - (stop < len(lines))
    return slice(begin, end) if end - begin >= MIN_SIDE_PX else slice(0, len(lines))


def find_moving(flow: Floats, old: Floats, new: Floats, standing: Floats) -> tuple[Mask, Mask]:
    """Return the places that move, and those where the picture would show it if they did.

    On a blank wall or sky, flow is made of noise: a still wall with a little grain would move at 0.2 heights per
    second. So a place counts as moving where its flow explains how the picture changed there, or where that is more
    than noise.
    """
    moves = (_mismatch(old, new, flow) < BETTER * standing - SLACK) | (standing > CHANGED)
    # OpenCV's value is four times the mean square of the slopes in the direction where they are least.
    detail = np.asarray(cv2.cornerMinEigenVal(old, 5, ksize=3), np.float32)
    return moves, moves | (detail > 4 * DETAIL**2)


def settle(vectors: Points, moves: Mask, shows: Mask, way: Points | None, dt_s: float) -> Points:
    """Return the flow, set right where nothing is seen to move.

    There the content goes the camera's way, as the sky does in a pan; but what shows that it stays stands. All of it
    stands where the camera does or isn't known: a plain table doesn't go with the hand above it.
    """
    if way is None or np.abs(way).max() < STILL * dt_s:
        return np.where(moves, vectors, np.complex64(0))
    stays = shows & (np.abs(vectors) < STAYS * np.abs(way))
    return np.where(moves, vectors, np.where(stays, 0, way))


def _calm(picture: NDArray[np.uint8]) -> Floats:
    """Return the picture at half the size, smoothed so that grain is mostly gone."""
    size = (picture.shape[1] // 2, picture.shape[0] // 2)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), 1), np.float32)


def _mismatch(old: Floats, new: Floats, flow: Floats) -> Floats:
    """Return how far, in gray levels around each place, the new picture is from the old one moved by the flow.

    The pictures are at half the size that the flow was measured at.
    """
    height, width = old.shape
    x = np.arange(width, dtype=np.float32) + flow[..., 0] / 2
    y = np.arange(height, dtype=np.float32)[:, None] + flow[..., 1] / 2
    moved = cv2.remap(new, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return _change(old, np.asarray(moved, np.float32))


def _change(old: Floats, new: Floats) -> Floats:
    """Return how far two pictures are apart, in gray levels around each place."""
    return np.asarray(cv2.blur(cv2.absdiff(old, new), (11, 11)), np.float32)


def speeds(vectors: Points) -> list[float]:
    """Return the first columns of `Motion` for a flow field in heights per second."""
    speed = np.sort(np.abs(vectors), axis=None)  # for its mean too, whose last digits go by the order
    middle = (vectors.size - 1) // 2, vectors.size // 2  # of these alone the place is asked for
    right, down = (np.partition(part, middle, axis=None) for part in (vectors.real, vectors.imag))
    return [
        float(speed.mean()),
        _quantile(speed, 0.9),
        float(np.searchsorted(speed, np.float32(STILL)) / len(speed)),
        _quantile(right, 0.5),
        _quantile(down, 0.5),
    ]


def _quantile(ordered: Floats, share: float) -> float:
    """Return the number that a share of sorted ones stay below, between two of them as `np.quantile` does."""
    low, part = divmod((len(ordered) - 1) * share, 1)
    below, above = ordered[int(low)], ordered[min(int(low) + 1, len(ordered) - 1)]
    return float(below + (above - below) * part)
