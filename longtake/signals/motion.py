"""How fast the picture moves, and how the camera does: optical flow between neighbouring frames, twice per second."""

import cv2
import numpy as np
from numpy.typing import NDArray

from longtake.errors import UsageError
from longtake.records import Series
from longtake.video.scan import Frames, Tap

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Points = NDArray[np.complex128]
"""Places of the picture, or vectors there: rightward, and downward as the imaginary part."""

VERSION = 2
STILL = 0.01
"""Heights per second below which a place counts as still: grain and coding noise stay below 0.005."""
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
TELLING = 0.05
"""Share of the picture that must move before the places that show nothing go with it."""

# Of the fit of the camera.
GRID = 40
"""Places along the longer side that the camera is fitted to."""
DETAIL = 1.0
"""Gray levels by which a smoothed picture differs from pixel to pixel, in every direction, where a shift shows."""
OFF_PX, OFF_SHARE = 0.4, 0.1
"""A place follows the camera where its flow is off by up to so many pixels, and so much of its speed."""
PAIRS = np.random.default_rng(0).random((2, 48))
"""Where, as shares of all places, the pairs of places lie that a camera is guessed from."""
NEAR = 0.3
"""Heights: of two nearer places the growth between them can't be told."""
ROUNDS = 4
FOLLOW = 0.25
"""Share of the places that show something which must follow a camera; else nobody knows what it does."""
NEARLY = 0.03
"""Heights per second: a camera found to be slower everywhere needs no more proof."""
EDGE, AT_SIDES, AT_EDGE = 0.13, 0.05, 0.25
"""Share of the width and height that is the edge; share of both the left and the right edge, or else of all edges,
that must follow a camera that moves."""


class Motion:
    """Optical-flow speed between two neighbouring frames, in picture heights per second: 0 is still, 0.5 a brisk pan.

    mean: mean speed over the picture, 0 and up.
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
    count as still, or as going with a camera that moves; small things slower than 0.05 come out up to a fifth slow.
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
    tap = Tap(320, "gray", hz=10)

    def __init__(self, *, pairs_hz: float = 2.0) -> None:
        if not 0 < pairs_hz <= 5:
            raise UsageError(f"motion: pairs_hz must be above 0 and at most 5, not {pairs_hz:g}")
        self.pairs_hz = pairs_hz
        self.flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self.pair = 0
        self.before: tuple[float, int, NDArray[np.uint8]] | None = None

    def __call__(self, frames: Frames) -> Series:
        """Measure one block."""
        rows: list[tuple[float, int, list[float]]] = []
        for time, number, pixels in zip(frames.times.tolist(), frames.numbers.tolist(), frames.pixels, strict=True):
            if self.before is not None:
                start_s, first, picture = self.before
                if start_s >= self.due_s and time - start_s <= MAX_GAP_S:
                    rows.append((start_s, first, self.measure(picture, pixels, time - start_s)))
                    self.pair = max(self.pair + 1, int(start_s * self.pairs_hz))
            self.before = (time, number, pixels.copy())
        return Series(
            self.columns,
            np.array([row[0] for row in rows], np.float64),
            np.array([row[1] for row in rows], np.int32),
            np.array([row[2] for row in rows], np.float32).reshape(-1, len(self.columns)),
        )

    @property
    def due_s(self) -> float:
        """When the next pair may begin: at an ever different place within its half second.

        Drawings shown twice, and 24 frames repeated to 60, step at a beat of their own. Pairs in time with that beat
        would always see the same part of a step: a third too little for 12 drawings at 24 frames per second.
        """
        return (self.pair + self.pair * GOLDEN % 1) / self.pairs_hz

    def measure(self, before: NDArray[np.uint8], after: NDArray[np.uint8], dt_s: float) -> list[float]:
        """Return one row of values."""
        if min(before.shape) < MIN_SIDE_PX:
            return [np.nan] * len(self.columns)
        # OpenCV's stubs want a flow to start from; None, for none, is what its documentation says.
        flow = np.asarray(self.flow.calc(before, after, None), np.float32)  # type: ignore[call-overload]
        settled, moves, shows = settle(flow, before, after)
        return [*speeds(settled, before.shape[0], dt_s), *follow(flow, moves, shows, dt_s)]


def settle(flow: Floats, before: NDArray[np.uint8], after: NDArray[np.uint8]) -> tuple[Floats, Mask, Mask]:
    """Return the flow at every second pixel, set right where the picture shows nothing to follow.

    Beside it come the places that move, and those where the picture would show it if they did.

    On a blank wall or sky, flow is made of noise: a still wall with a little grain would move at 0.2 heights per
    second. So a place counts as moving where its flow explains how the picture changed there, or where that is more
    than noise. All other places go with the moving ones (the sky in a pan) where these are not few and less of the
    picture speaks against it; else they stand still.

    Every second pixel is no loss: DIS solves on a quarter of the size and enlarges the result.
    """
    old, new = _calm(before), _calm(after)
    height, width = old.shape
    flow = flow[: 2 * height : 2, : 2 * width : 2]
    standing = _mismatch(old, new, np.zeros_like(flow))
    moves = (_mismatch(old, new, flow) < BETTER * standing - SLACK) | (standing > CHANGED)

    rest = np.zeros(2, np.float32)
    if moves.mean() > TELLING:
        common = np.asarray(np.median(flow[moves], axis=0), np.float32)
        moving = _mismatch(old, new, np.broadcast_to(common, flow.shape))
        stays = ~moves & (standing < BETTER * moving - SLACK)
        if stays.sum() < moves.sum():
            rest = common
    settled: Floats = np.where(moves[..., None], flow, rest)
    # OpenCV's value is four times the mean square of the slopes in the direction where they are least.
    detail = np.asarray(cv2.cornerMinEigenVal(old, 5, ksize=3), np.float32)
    return settled, moves, moves | (detail > 4 * DETAIL**2)


def _calm(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the picture at half the size, smoothed so that grain is mostly gone."""
    size = (picture.shape[1] // 2, picture.shape[0] // 2)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), 1), np.float32)


def _mismatch(old: NDArray[np.float32], new: NDArray[np.float32], flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how far, in gray levels around each place, the new picture is from the old one moved by the flow.

    The pictures are at half the size that the flow was measured at.
    """
    height, width = old.shape
    x = np.arange(width, dtype=np.float32) + flow[..., 0] / 2
    y = np.arange(height, dtype=np.float32)[:, None] + flow[..., 1] / 2
    moved = cv2.remap(new, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.blur(cv2.absdiff(old, np.asarray(moved, np.float32)), (11, 11)), np.float32)


def speeds(flow: NDArray[np.float32], height_px: int, dt_s: float) -> list[float]:
    """Return the columns of `Motion` for a flow field in pixels, shape (..., 2), of a picture so high."""
    vectors = flow.reshape(-1, 2) / (height_px * dt_s)
    speed = np.hypot(vectors[:, 0], vectors[:, 1])
    camera = np.median(vectors, axis=0)
    return [
        float(speed.mean()),
        float(np.percentile(speed, 90)),
        float((speed < STILL).mean()),
        float(camera[0]),
        float(camera[1]),
    ]


def follow(flow: Floats, moves: Mask, shows: Mask, dt_s: float) -> list[float]:
    """Return the columns of `Motion` about the camera's fit, of a flow field and what `settle` said of it."""
    height_px, width_px = flow.shape[:2]
    step = max(1, max(moves.shape) // GRID)
    grid = np.s_[step // 2 :: step, step // 2 :: step]
    moving, shown = moves[grid], shows[grid]
    # In heights, from the middle of the picture; flow[::2] is what settle kept.
    rows, columns = np.indices(moves.shape)[(slice(None), *grid)] * 2 / height_px
    wide = width_px / height_px
    places = (columns - wide / 2) + 1j * (rows - 0.5)
    pixels = flow[: 2 * moves.shape[0] : 2, : 2 * moves.shape[1] : 2][grid] / height_px
    vectors = pixels[..., 0] + 1j * pixels[..., 1]

    camera = np.zeros_like(places)
    fitted = [0.0] * 4
    if moving.mean() > TELLING:
        shift, growth = fit_camera(places[shown], vectors[shown], OFF_PX / height_px)
        camera = shift + growth * places
        follows = shown & (np.abs(vectors - camera) < OFF_PX / height_px + OFF_SHARE * np.abs(vectors))
        still = np.abs(camera).max() < NEARLY * dt_s
        if follows.sum() < FOLLOW * shown.sum() or not (still or _is_around(follows)):
            return [np.nan] * 7
        turned = np.log(1 + growth) / dt_s
        fitted = [shift.real / dt_s, shift.imag / dt_s, turned.real, float(np.degrees(turned.imag))]
    went = places + camera
    # Where the camera took a place out of the picture, flow is made up.
    inside = (np.abs(went.real) < wide / 2) & (np.abs(went.imag) < 0.5)
    apart = np.abs(np.where(moving, vectors, 0) - camera) * (shown & inside) / dt_s
    return [*fitted, *(float(third.mean()) for third in np.array_split(apart, 3, axis=1))]


def _is_around(follows: Mask) -> bool:
    """Whether what follows a camera lies around the picture, as a background does, and no thing before a plain wall."""
    high, wide = (max(1, round(EDGE * side)) for side in follows.shape)
    around = follows.copy()
    around[high:-high, wide:-wide] = False
    edge = follows.size - follows[high:-high, wide:-wide].size
    sides = follows[:, :wide].mean(), follows[:, -wide:].mean()
    return bool(min(sides) > AT_SIDES or around.sum() > AT_EDGE * edge)


def fit_camera(places: Points, vectors: Points, off: float) -> tuple[complex, complex]:
    """Return the shift, and the growth and turn, that most vectors follow: `vector = shift + growth * place`.

    Cameras guessed from pairs of places are compared (RANSAC; Fischler and Bolles, 1981), with how far each vector is
    off counted up to a limit; the best one is then fitted to all vectors, the less weight the further they are off.
    """
    limit = off + OFF_SHARE * np.abs(vectors)
    one, other = (PAIRS * len(places)).astype(np.intp)
    apart = places[one] - places[other]
    near = np.abs(apart) < NEAR
    growths = np.where(near, 0, (vectors[one] - vectors[other]) / np.where(near, 1, apart))
    shifts = vectors[one] - growths * places[one]
    # A third of the places is enough to choose by.
    misses = np.abs(shifts[:, None] + growths[:, None] * places[::3] - vectors[::3]) / limit[::3]
    best = int(np.minimum(misses, 1).sum(axis=1).argmin())
    shift, growth = complex(shifts[best]), complex(growths[best])
    for _ in range(ROUNDS):
        off_by = np.abs(shift + growth * places - vectors) / limit
        weights = 1 / (limit * (1 + off_by**2) ** 2)
        weights /= weights.sum()
        place, vector = weights @ places, weights @ vectors
        around = places - place
        growth = complex((weights * around.conj()) @ (vectors - vector) / (weights @ np.abs(around) ** 2))
        shift = complex(vector - growth * place)
    return shift, growth
