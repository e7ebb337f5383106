import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from wheel import pictures

from longtake.records import Series
from longtake.signals.look import Look
from longtake.video.scan import Frames, fit_size

Picture = NDArray[np.uint8]


def texture(width: int = 1280, height: int = 720) -> Picture:
    """A picture with detail at all scales and no black in it."""
    rng = np.random.default_rng(5)
    layers = [
        cv2.resize(rng.standard_normal((height // k, width // k)), (width, height)) * k for k in (2, 4, 8, 16, 32, 64)
    ]
    picture = np.sum(layers, axis=0)
    return np.clip(128 + 40 * (picture - picture.mean()) / picture.std(), 30, 255).astype(np.uint8)


def view(picture: Picture) -> Series:
    """Let the signal see one picture as its tap would."""
    small = cv2.resize(picture, fit_size(320, picture.shape[::-1]), interpolation=cv2.INTER_AREA)
    return Look()(Frames(np.array([0.5]), np.array([12], np.int32), small[None], True))


def measure(picture: Picture) -> dict[str, float]:
    series = view(picture)
    return {name: float(series.column(name)[0]) for name in series.columns}


def borders(picture: Picture) -> list[float]:
    seen = measure(picture)
    return [seen[f"border_{side}"] for side in ("top", "bottom", "left", "right")]


def boxed(top: int, bottom: int, left: int, right: int, *, grain: int = 0, black: int = 0) -> Picture:
    """A picture with black borders of so many pixels, coded with some noise."""
    picture = np.full((720, 1280), black, np.uint8)
    inside = slice(top, 720 - bottom), slice(left, 1280 - right)
    picture[inside] = cv2.resize(texture(), (1280 - left - right, 720 - top - bottom))
    rng = np.random.default_rng(0)
    noisy = picture + rng.integers(-grain, grain + 1, picture.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def test_luma_and_spread_of_known_pictures() -> None:
    white, gray = (measure(np.full((360, 640), level, np.uint8)) for level in (255, 128))
    assert white["luma"] == 1
    assert gray["luma"] == pytest.approx(128 / 255)
    assert white["spread"] == gray["spread"] == 0
    halves = np.full((360, 640), 255, np.uint8)
    halves[1::2] = 30
    halves = np.repeat(halves, 8, axis=0)[:360]
    assert measure(halves)["luma"] == pytest.approx((255 + 30) / 2 / 255, abs=0.02)
    assert measure(halves)["spread"] == pytest.approx((255 - 30) / 2 / 255, abs=0.02)


def test_sharpness_falls_with_blur() -> None:
    sharp = texture()
    values = [measure(sharp)["sharpness"]]
    values += [measure(cv2.GaussianBlur(sharp, (0, 0), sigma))["sharpness"] for sigma in (2, 4, 8, 16)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < values[0] / 3
    assert all(0 < value < 1 for value in values)


def test_sharpness_is_a_matter_of_detail_not_of_contrast() -> None:
    sharp = texture()
    faint = (128 + (sharp.astype(float) - 128) / 3).astype(np.uint8)
    assert measure(faint)["sharpness"] == pytest.approx(measure(sharp)["sharpness"], rel=0.15)


@pytest.mark.parametrize("width", [640, 960, 2560])
def test_size_does_not_matter(width: int) -> None:
    large = measure(texture())
    resized = measure(cv2.resize(texture(), (width, width * 9 // 16), interpolation=cv2.INTER_AREA))
    for name in ("luma", "spread", "sharpness"):
        assert resized[name] == pytest.approx(large[name], rel=0.1)


def test_the_range_of_sharpness() -> None:
    noise = np.random.default_rng(0).integers(30, 256, (180, 320), dtype=np.uint8)
    board = np.where(np.indices((180, 320)).sum(axis=0) % 2, 30, 250).astype(np.uint8)
    assert measure(noise)["sharpness"] == pytest.approx(20**0.5 / 8, abs=0.02)
    assert measure(board)["sharpness"] == pytest.approx(1, abs=0.02)
    assert np.isnan(measure(np.full((180, 320), 90, np.uint8))["sharpness"])


@pytest.mark.parametrize("grain", [0, 6])
@pytest.mark.parametrize(
    "sides", [(0, 0, 0, 0), (92, 92, 0, 0), (0, 0, 160, 160), (40, 80, 120, 200), (0, 100, 0, 0), (8, 0, 0, 4)]
)
def test_borders_are_found(sides: tuple[int, int, int, int], grain: int) -> None:
    expected = [sides[0] / 720, sides[1] / 720, sides[2] / 1280, sides[3] / 1280]
    assert borders(boxed(*sides, grain=grain, black=3)) == pytest.approx(expected, abs=1 / 180)


def test_borders_change_nothing_else() -> None:
    plain, letterboxed = measure(boxed(0, 0, 0, 0)), measure(boxed(92, 92, 0, 0))
    assert letterboxed["luma"] == pytest.approx(plain["luma"], abs=0.01)
    assert letterboxed["spread"] == pytest.approx(plain["spread"], abs=0.01)


def test_a_title_in_a_bar_ends_the_border() -> None:
    picture = boxed(92, 92, 0, 0)
    picture[660:690, 400:900:2] = 255
    assert borders(picture)[1] == pytest.approx(30 / 720, abs=1 / 180)


def test_a_black_picture_has_no_borders_and_no_sharpness() -> None:
    black = measure(np.random.default_rng(0).integers(0, 9, (360, 640), dtype=np.uint8))
    assert black["luma"] < 0.05
    unknown = [name for name in black if name.startswith("border")] + ["sharpness"]
    assert np.isnan([black[name] for name in unknown]).all()
    assert black["under"] > 0.5 and black["over"] == 0 and black["p95"] < 0.05


def test_quantiles_and_shares_of_known_pictures() -> None:
    steps = np.repeat(np.arange(0, 256, dtype=np.uint8), 4)[None].repeat(576, axis=0)
    steps[:8] = 128
    seen = measure(steps)
    assert [seen["p05"], seen["p50"], seen["p95"]] == pytest.approx([0.05 + 21 / 255, 0.54, 0.95], abs=0.03)
    halves = np.full((360, 640), 140, np.uint8)
    halves[:90] = 255
    halves[90:126] = 0
    assert measure(halves)["over"] == pytest.approx(0.25, abs=0.01)
    assert measure(halves)["under"] == pytest.approx(0.1, abs=0.01)
    assert measure(cv2.copyMakeBorder(halves, 99, 99, 0, 0, cv2.BORDER_CONSTANT))["over"] == pytest.approx(
        0.25, abs=0.01
    )


@pytest.mark.parametrize("name", ["bigbuckbunny", "bikes"])
def test_exposure_of_footage_that_is_lit_more_and_less(name: str) -> None:
    [picture] = pictures(name, first=40, count=1)
    lit = [measure(np.clip(picture.astype(float) + more, 0, 255).astype(np.uint8)) for more in (-120, -60, 0, 60, 120)]
    for column in ("p05", "p50", "p95", "over"):
        values = [seen[column] for seen in lit]
        assert values == sorted(values) and values[0] < values[-1], column
    under = [seen["under"] for seen in lit]
    assert under == sorted(under, reverse=True)
    assert lit[0]["under"] > 0.2 > 0.05 > lit[2]["under"] and lit[-1]["over"] > 0.1 > 0.05 > lit[2]["over"]
    assert all(seen["p05"] <= seen["p50"] <= seen["p95"] for seen in lit)


@pytest.mark.parametrize("name", ["bigbuckbunny", "bikes"])
def test_sharpness_of_footage_falls_with_blur_and_not_with_size(name: str) -> None:
    [picture] = pictures(name, first=40, count=1)
    found = [measure(picture)["sharpness"]]
    found += [measure(cv2.GaussianBlur(picture, (0, 0), sigma))["sharpness"] for sigma in (3, 6, 12)]
    assert found == sorted(found, reverse=True) and found[-1] < found[0] / 2
    half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    twice = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    assert measure(half)["sharpness"] == pytest.approx(found[0], rel=0.1)
    assert measure(twice)["sharpness"] == pytest.approx(found[0], rel=0.1)


def test_rows_name_their_frames_and_an_empty_block_gives_none() -> None:
    series = view(texture())
    assert (series.times.tolist(), series.frames.tolist()) == ([0.5], [12])
    empty = Look()(Frames(np.empty(0), np.empty(0, np.int32), np.empty((0, 180, 320), np.uint8), True))
    assert len(empty) == 0
