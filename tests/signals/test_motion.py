from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from longtake.records import Series
from longtake.signals.motion import Motion
from longtake.video.scan import Frames, fit_size, join

Gray = NDArray[np.uint8]
WIDE = (640, 360)


def texture(seed: int, width: int = 3200, height: int = 720) -> NDArray[np.float32]:
    """Detail at all scales, as in a photograph."""
    rng = np.random.default_rng(seed)
    layers = [
        cv2.resize(rng.standard_normal((height // k, width // k)).astype(np.float32), (width, height)) * k**0.8
        for k in (2, 4, 8, 16, 32, 64)
    ]
    picture = np.sum(layers, axis=0)
    return np.clip(128 + 50 * (picture - picture.mean()) / picture.std(), 0, 255).astype(np.float32)


TEXTURE = texture(1)


def pan(
    speed: float, size: tuple[int, int] = WIDE, scene: NDArray[np.float32] = TEXTURE
) -> Callable[[float], NDArray[np.float32]]:
    """A camera that pans right over a scene 720 high, at so many picture heights per second."""

    def at(time: float) -> NDArray[np.float32]:
        x = 20 + speed * 720 * time
        shown = cv2.warpAffine(scene, np.array([[1, 0, -x], [0, 1, 0.0]]), (1280, 720), flags=cv2.INTER_LINEAR)
        return np.asarray(cv2.resize(shown, size, interpolation=cv2.INTER_AREA), np.float32)

    return at


def watch(
    picture: Callable[[float], NDArray[np.float32]],
    *,
    fps: float = 24,
    content_fps: float | None = None,
    duration_s: float = 2.0,
    grain: float = 0.0,
    block: int = 8,
    signal: Motion | None = None,
) -> Series:
    """Let the signal see a video as its tap would: ten frames per second of it, at most 320 pixels long.

    With `content_fps`, the video repeats frames: it shows that many different ones per second.
    """
    signal = signal or Motion()
    rng = np.random.default_rng(0)
    times, numbers, due = [], [], 0.0
    for number in range(round(duration_s * fps)):
        if number / fps >= due:
            times.append(number / fps)
            numbers.append(number)
            due = (np.floor((number / fps + 5e-4) * 10) + 1) / 10 - 5e-4

    def tapped(time: float) -> Gray:
        if content_fps:
            time = np.floor(time * content_fps + 1e-6) / content_fps
        shown = picture(time)
        shown = shown + grain * rng.standard_normal(shown.shape)
        small = cv2.resize(shown, fit_size(320, shown.shape[::-1]), interpolation=cv2.INTER_AREA)
        return np.clip(np.round(small), 0, 255).astype(np.uint8)

    parts, buffer = [], np.stack([tapped(0.0)] * block)
    for start in range(0, len(times) + 1, block):
        some = times[start : start + block]
        for i, time in enumerate(some):
            buffer[i] = tapped(time)
        frames = Frames(
            np.array(some), np.array(numbers[start : start + block], np.int32), buffer[: len(some)], len(some) < block
        )
        parts.append(signal(frames))
        buffer[:] = 0  # a scan reuses it
    return join(signal.columns, parts)


def mean(series: Series) -> float:
    assert len(series)
    return float(series.column("mean").mean())


@pytest.mark.parametrize("speed", [0.05, 0.077, 0.2, 0.5, 1.0])
def test_the_speed_of_a_pan_is_recovered(speed: float) -> None:
    series = watch(pan(speed))
    assert mean(series) == pytest.approx(speed, rel=0.1)
    np.testing.assert_allclose(series.column("camera_x"), -speed, rtol=0.15)
    np.testing.assert_allclose(series.column("camera_y"), 0, atol=0.005)
    np.testing.assert_allclose(series.column("p90"), speed, rtol=0.2)
    assert series.column("still").max() < 0.05


def test_still_is_below_slow_is_below_fast() -> None:
    still, slow, fast = (mean(watch(pan(speed))) for speed in (0.0, 0.1, 0.8))
    assert still == 0 < slow < fast
    assert watch(pan(0.0)).column("still").min() == 1


@pytest.mark.parametrize("speed", [0.1, 0.6])
@pytest.mark.parametrize("fps", [10, 25, 29.97, 60])
def test_frame_rate_does_not_matter(speed: float, fps: float) -> None:
    assert mean(watch(pan(speed), fps=fps)) == pytest.approx(mean(watch(pan(speed), fps=24)), rel=0.1)


@pytest.mark.parametrize("size", [(320, 180), (854, 480), (1280, 720)])
def test_size_does_not_matter(size: tuple[int, int]) -> None:
    assert mean(watch(pan(0.3, size))) == pytest.approx(mean(watch(pan(0.3, WIDE))), rel=0.1)


def test_speeds_are_in_heights_for_a_tall_picture_too() -> None:
    scene = pan(0.2)
    tall = watch(lambda time: np.ascontiguousarray(scene(time).T))  # a tilt that covers 0.2 widths per second
    assert mean(tall) == pytest.approx(0.2 * 360 / 640, rel=0.1)
    assert tall.column("camera_y").max() < 0
    np.testing.assert_allclose(tall.column("camera_x"), 0, atol=0.005)


@pytest.mark.parametrize(("content_fps", "fps"), [(12, 60), (12, 24), (24, 60), (15, 30), (8, 24), (24, 30)])
def test_repeated_frames_do_not_matter(content_fps: float, fps: float) -> None:
    series = watch(pan(0.2), fps=fps, content_fps=content_fps, duration_s=10)
    assert mean(series) == pytest.approx(0.2, rel=0.1)
    if content_fps >= 12:  # at 8, two frames a tenth of a second apart may truly be the same
        assert series.column("mean").min() > 0.1


def test_a_wall_with_grain_is_still() -> None:
    wall = np.tile(np.linspace(60, 200, 640, dtype=np.float32), (360, 1))
    half = np.where(np.arange(640) < 320, pan(0.0)(0.0), wall)
    for scene in (wall, half, pan(0.0)(0.0)):
        series = watch(lambda _, scene=scene: scene, grain=8, duration_s=4)
        assert series.column("mean").max() < 0.01
        assert series.column("still").min() > 0.95


def test_a_plain_sky_goes_with_the_camera() -> None:
    scene = TEXTURE.copy()
    scene[:360] = np.linspace(150, 210, 360)[:, None]
    for grain in (0.0, 4.0):
        assert mean(watch(pan(0.3, scene=scene), grain=grain)) == pytest.approx(0.3, rel=0.1)


@pytest.mark.parametrize(("plain", "halo"), [(False, 1.2), (True, 1.6)])
def test_a_thing_that_moves_is_not_the_camera(plain: bool, halo: float) -> None:
    ground, thing = pan(0.0)(0.0), texture(2, 640, 360)
    if plain:  # nothing tells where the thing's flow ends
        ground = np.full_like(ground, 150)
        ground[:, ::80] = 60
    y, x = np.mgrid[:360, :640]
    speed, radius = 0.3, 80

    def disc(time: float) -> NDArray[np.float32]:
        shift = round(speed * 360 * time)
        inside = (x - 150 - shift) ** 2 + (y - 180) ** 2 < radius**2
        return np.where(inside, np.roll(thing, shift, axis=1), ground)

    series = watch(disc)
    share = np.pi * radius**2 / (640 * 360)
    assert 0.9 < mean(series) / (speed * share) < halo
    assert 1 - 2 * share < series.column("still").mean() < 1 - share / 2
    np.testing.assert_allclose(series.column("camera_x"), 0, atol=0.01)


def test_a_pair_across_a_cut_is_wild_and_alone() -> None:
    scenes = texture(3, 640, 360), texture(4, 640, 360)
    series = watch(lambda time: scenes[time >= 0.55], fps=10, signal=Motion(pairs_hz=5))
    wild = series.column("mean") > 0.1
    assert wild.sum() <= 1
    # A pair at each fifth of a second covers half of the steps; this one lies in a pair.
    assert series.times[wild].tolist() == [0.5]


def test_rows_are_at_the_first_frame_of_each_pair() -> None:
    series = watch(pan(0.1), fps=50, duration_s=10)
    assert 19 <= len(series) <= 20
    np.testing.assert_allclose(series.times, series.frames / 50)
    assert series.times[0] == 0
    per_half_second = np.bincount((series.times * 2).astype(int))
    assert per_half_second.max() <= 2
    assert len(watch(pan(0.1), duration_s=10, signal=Motion(pairs_hz=5))) == pytest.approx(49, abs=1)


def test_no_pair_across_a_gap() -> None:
    assert len(watch(pan(0.1), fps=1.5, duration_s=4)) == 0
    five = watch(pan(0.1), fps=5, duration_s=2)
    assert five.times.tolist() == [0.0, 1.0, 1.2]
    assert mean(five) == pytest.approx(0.1, rel=0.1)


def test_blocks_make_no_difference() -> None:
    one, many = watch(pan(0.2), block=64), watch(pan(0.2), block=1)
    np.testing.assert_array_equal(one.values, many.values)
    np.testing.assert_array_equal(one.times, many.times)
    assert one.frames.tolist() == many.frames.tolist()


@pytest.mark.parametrize("shape", [(1, 1), (8, 320), (24, 320), (320, 31), (20, 20)])
def test_a_strip_has_no_speed(shape: tuple[int, int]) -> None:
    series = watch(lambda time: np.full(shape, 100 + 20 * time, np.float32))
    assert len(series)
    assert np.isnan(series.values).all()


@pytest.mark.parametrize("shape", [(32, 32), (32, 320), (33, 91), (320, 32), (45, 80)])
def test_small_pictures_have_one(shape: tuple[int, int]) -> None:
    assert mean(watch(lambda _: np.full(shape, 100, np.float32))) == 0


LARGE = texture(7, 2600, 1800)


def camera(
    *, zoom: float = 0.0, roll: float = 0.0, right: float = 0.0, size: tuple[int, int] = WIDE
) -> Callable[[float], NDArray[np.float32]]:
    """A camera over a large scene: zooms in by e to the `zoom` a second, its content turns clockwise, pans right."""

    def at(time: float) -> NDArray[np.float32]:
        way = cv2.getRotationMatrix2D((1300, 900), -roll * time, np.exp(zoom * time))
        way[:, 2] += 640 - 1300 - right * 720 * time, 360 - 900
        shown = cv2.warpAffine(LARGE, way, (1280, 720), flags=cv2.INTER_LINEAR)
        return np.asarray(cv2.resize(shown, size, interpolation=cv2.INTER_AREA), np.float32)

    return at


def box(
    ground: Callable[[float], NDArray[np.float32]], *, middle: tuple[int, int], half: tuple[int, int], speed: float
) -> Callable[[float], NDArray[np.float32]]:
    """A box with a texture of its own that moves right over a ground."""
    thing = texture(2, 640, 360)
    y, x = np.mgrid[:360, :640]

    def at(time: float) -> NDArray[np.float32]:
        shift = round(speed * 360 * time)
        inside = (abs(x - middle[0] - shift) < half[0]) & (abs(y - middle[1]) < half[1])
        return np.where(inside, np.roll(thing, shift, axis=1), ground(time))

    return at


def apart(series: Series) -> list[float]:
    return [float(series.column(name).mean()) for name in ("left", "middle", "right")]


@pytest.mark.parametrize("zoom", [0.03, 0.1, 0.3, -0.03, -0.1, -0.3])
def test_a_zoom_is_recovered_and_is_nothing_else(zoom: float) -> None:
    series = watch(camera(zoom=zoom))
    np.testing.assert_allclose(series.column("zoom"), zoom, rtol=0.1, atol=0.003)
    np.testing.assert_allclose(series.column("roll"), 0, atol=0.3)
    for name in ("shift_x", "shift_y"):
        np.testing.assert_allclose(series.column(name), 0, atol=0.005)
    assert max(apart(series)) < 0.02


@pytest.mark.parametrize("roll", [2.0, 10.0, 30.0, -2.0, -10.0])
def test_a_roll_is_recovered_clockwise_content_being_positive(roll: float) -> None:
    series = watch(camera(roll=roll))
    np.testing.assert_allclose(series.column("roll"), roll, rtol=0.1)
    np.testing.assert_allclose(series.column("zoom"), 0, atol=0.01)
    assert max(apart(series)) < 0.03


@pytest.mark.parametrize("speed", [0.05, 0.2, 0.5, 1.0])
def test_the_shift_of_a_pan_is_that_of_all_places(speed: float) -> None:
    series = watch(pan(speed))
    np.testing.assert_allclose(series.column("shift_x"), -speed, rtol=0.15)
    np.testing.assert_allclose(series.column("shift_y"), 0, atol=0.005)
    np.testing.assert_allclose(series.column("zoom"), 0, atol=0.02)
    np.testing.assert_allclose(series.column("roll"), 0, atol=0.5)
    assert max(apart(series)) < 0.02


def test_all_at_once_is_taken_apart() -> None:
    series = watch(camera(zoom=0.1, roll=5, right=0.2))
    for name, value in {"zoom": 0.1, "roll": 5, "shift_x": -0.2}.items():
        assert series.column(name).mean() == pytest.approx(value, rel=0.15)


@pytest.mark.parametrize("fps", [12, 25, 60])
@pytest.mark.parametrize("size", [(320, 180), (1280, 720)])
def test_neither_rate_nor_size_matters_to_the_camera(fps: float, size: tuple[int, int]) -> None:
    series = watch(camera(zoom=0.1, roll=-5, size=size), fps=fps)
    assert series.column("zoom").mean() == pytest.approx(0.1, rel=0.1)
    assert series.column("roll").mean() == pytest.approx(-5, rel=0.1)


@pytest.mark.parametrize(("x", "third"), [(60, 0), (300, 1), (520, 2)])
@pytest.mark.parametrize("right", [0.0, 0.1])
def test_a_thing_moves_in_its_third_and_the_camera_as_it_does(x: int, third: int, right: float) -> None:
    series = watch(box(pan(right), middle=(x, 180), half=(50, 60), speed=0.1))
    thirds = apart(series)
    assert thirds[third] == max(thirds) > 0.01
    assert sum(thirds) - thirds[third] < thirds[third]
    np.testing.assert_allclose(series.column("shift_x"), -right, atol=0.01)
    np.testing.assert_allclose(series.column("zoom"), 0, atol=0.01)


@pytest.mark.parametrize("zoom", [0.0, 0.1])
def test_a_large_thing_is_not_the_camera(zoom: float) -> None:
    """It covers 37 % of the picture."""
    series = watch(box(camera(zoom=zoom), middle=(250, 180), half=(180, 120), speed=0.3), duration_s=1.5)
    np.testing.assert_allclose(series.column("zoom"), zoom, atol=0.02)
    np.testing.assert_allclose(series.column("shift_x"), 0, atol=0.02)
    assert apart(series)[1] > 0.1


def test_the_camera_of_a_still_picture_is_still() -> None:
    wall = np.tile(np.linspace(60, 200, 640, dtype=np.float32), (360, 1))
    half = np.where(np.arange(640) < 320, pan(0.0)(0.0), wall)
    for scene in (wall, half, pan(0.0)(0.0), np.full((360, 640), 128, np.float32)):
        for grain in (0.0, 8.0):
            series = watch(lambda _, scene=scene: scene, grain=grain, duration_s=4)
            for name in ("shift_x", "shift_y", "zoom"):
                np.testing.assert_allclose(series.column(name), 0, atol=0.002)
            np.testing.assert_allclose(series.column("roll"), 0, atol=0.2)
            assert series.values[:, series.columns.index("left") :].max() < 0.01


def test_what_moves_before_a_plain_wall_tells_nothing_of_the_camera() -> None:
    series = watch(box(lambda _: np.full((360, 640), 150, np.float32), middle=(250, 180), half=(120, 90), speed=0.3))
    for name in ("shift_x", "shift_y", "zoom", "roll", "left", "middle", "right"):
        assert np.isnan(series.column(name)).all()
    assert np.isfinite(series.column("mean")).all()


@pytest.mark.parametrize("shape", [(32, 32), (33, 91), (320, 32), (45, 80)])
def test_small_pictures_have_a_camera(shape: tuple[int, int]) -> None:
    scene = texture(5, 640, 640)
    moving = watch(lambda time: scene[: shape[0], round(40 * time) : round(40 * time) + shape[1]])
    assert moving.column("shift_x").mean() == pytest.approx(-40 / shape[0], rel=0.35)
