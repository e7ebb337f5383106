from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media import write_video
from numpy.typing import NDArray
from wheel import pictures

from longtake.records import Series
from longtake.signals._logos import LEAST as CHANGES
from longtake.signals.text import LEAST, LIKELY, MAYBE, SURE, Text, settle, shares
from longtake.video import scan
from longtake.video.scan import Frames, fit_size

Gray = NDArray[np.uint8]
WORDS = ("Nobody knew where it went", "until the ferry came back", "with the morning mail", "and the old brown dog")


def view(*shown: Gray, make: type[Text] = Text) -> Series:
    """Let the signal see pictures of one size, one second apart, as its tap would."""
    size = fit_size(480, shown[0].shape[::-1])
    small = np.stack([cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in shown])
    n = len(shown)
    return make()(Frames(np.arange(float(n)), np.arange(n, dtype=np.int32) * 24, small, True))


def measure(picture: Gray, make: type[Text] = Text) -> dict[str, float]:
    series = view(picture, make=make)
    return {name: float(series.column(name)[0]) for name in series.columns}


def write(picture: Gray, lines: tuple[str, ...], *, top: float, high: float = 0.05) -> tuple[Gray, float]:
    """Write white lines with a dark edge, `high` heights high; return also the share of the picture they take."""
    picture = picture.copy()
    height, width = picture.shape
    scale = cv2.getFontScaleFromHeight(cv2.FONT_HERSHEY_SIMPLEX, round(high * height * 0.7))
    taken = 0
    for i, line in enumerate(lines):
        thick = max(1, round(high * height / 14))
        (wide, tall), below = cv2.getTextSize(line, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
        at = ((width - wide) // 2, round((top + 1.4 * high * (i + 0.7)) * height))
        for ink, thickness in ((0, 3 * thick), (255, thick)):
            cv2.putText(picture, line, at, cv2.FONT_HERSHEY_SIMPLEX, scale, ink, thickness, cv2.LINE_AA)
        taken += wide * (tall + below)
    return picture, taken / (height * width)


def cartoon(count: int = 1) -> list[Gray]:
    return pictures("bigbuckbunny", every=20, count=count)


def street(count: int = 10) -> list[Gray]:
    return pictures("bikes", every=25, count=count)


def stamp(picture: Gray, *, left: float, top: float, alpha: float = 1.0) -> Gray:
    """Put a ring with a bar, a tenth of the picture wide, on a picture."""
    picture = picture.copy()
    side = picture.shape[1] // 10
    mark = np.zeros((side, side), np.uint8)
    cv2.circle(mark, (side // 2, side // 2), side // 3, 255, side // 12)
    cv2.line(mark, (side // 4, side // 2), (3 * side // 4, side // 2), 255, side // 10)
    y, x = round(top * picture.shape[0]), round(left * picture.shape[1])
    part = picture[y : y + side, x : x + side]
    part[:] = np.where(mark > 0, part * (1 - alpha) + 255 * alpha, part).astype(np.uint8)
    return picture


@pytest.mark.parametrize("footage", ["bigbuckbunny", "bikes", "carphone_pristine"])
def test_footage_without_text_has_none(footage: str) -> None:
    area = view(*pictures(footage, every=30, count=4)).column("area")
    assert area.max() < 0.001


def test_subtitles_are_found_where_they_are() -> None:
    for plain in (cartoon()[0], street(1)[0]):
        shown, taken = write(plain, WORDS[:2], top=0.8)
        found = measure(shown)
        assert taken / 2 < found["area"] < 1.5 * taken
        assert found["bottom"] > 0.9 * found["area"]
        assert found["top"] == 0
        assert found["doubt"] < found["area"] / 2


def test_a_title_at_the_top_is_at_the_top() -> None:
    found = measure(write(cartoon()[0], ("The Long Way",), top=0.1, high=0.12)[0])
    assert found["top"] > 0.02
    assert found["bottom"] == 0


def test_area_grows_with_text() -> None:
    plain = cartoon()[0]
    areas = [measure(plain)["area"]]
    areas += [measure(write(plain, WORDS[:count], top=0.3)[0])["area"] for count in (1, 2, 4)]
    areas += [measure(write(plain, WORDS, top=0.2, high=0.08)[0])["area"]]
    assert areas == sorted(areas)
    assert areas[3] == pytest.approx(2 * areas[2], rel=0.35)
    assert areas[0] < 0.1 * areas[1]


def test_credits_on_black_are_found() -> None:
    names = tuple(f"{word} {other}" for word in ("Ana Soto", "Jo Lind", "Bea Wolff") for other in ("camera", "sound"))
    for top in (0.05, 0.3, 0.45):
        shown, taken = write(np.zeros((720, 1280), np.uint8), names, top=top, high=0.045)
        assert taken / 2 < measure(shown)["area"] < 1.6 * taken


@pytest.mark.parametrize("width", [480, 640, 960])
def test_size_does_not_matter(width: int) -> None:
    shown, _ = write(cartoon()[0], WORDS[:2], top=0.8)
    small = cv2.resize(shown, (width, width * 9 // 16), interpolation=cv2.INTER_AREA)
    assert measure(small)["area"] == pytest.approx(measure(shown)["area"], rel=0.15)


def test_frame_rate_does_not_matter(tmp_path: Path) -> None:
    plain = [picture[::2, ::2] for picture in pictures("bigbuckbunny", every=4, count=30)]
    shown = [np.repeat(write(picture, WORDS[:1], top=0.8)[0][..., None], 3, axis=2) for picture in plain]
    slow = write_video(tmp_path / "slow.mp4", shown, fps=10)
    fast = write_video(tmp_path / "fast.mp4", [picture for picture in shown for _ in range(2)], fps=20)
    rows = [scan(path, {"text": Text()}).series["text"] for path in (slow, fast)]
    assert rows[0].times.tolist() == rows[1].times.tolist() == [0, 1, 2]
    assert rows[0].column("area") == pytest.approx(rows[1].column("area"), rel=0.1)
    assert rows[0].column("area").min() > 0.005


def bricks() -> Gray:
    y, x = np.mgrid[0:360, 0:640]
    joint = (y % 24 < 3) | ((x + 24 * (y // 24 % 2)) % 48 < 3)
    return np.where(joint, 190, 90).astype(np.uint8)


def fence() -> Gray:
    x = np.mgrid[0:360, 0:640][1]
    return np.where(x % 20 < 8, 60, 200).astype(np.uint8)


def windows() -> Gray:
    y, x = np.mgrid[0:360, 0:640]
    return np.where((y % 60 > 20) & (x % 40 > 14), 40, 170).astype(np.uint8)


def foliage() -> Gray:
    rng = np.random.default_rng(3)
    leaves = sum(cv2.resize(rng.standard_normal((360 // k, 640 // k)), (640, 360)) for k in (4, 8, 16, 40))
    return np.clip(110 + 45 * np.asarray(leaves), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("pattern", [bricks, fence, windows, foliage])
def test_patterns_are_not_text(pattern) -> None:
    assert measure(pattern())["area"] < 0.002


@pytest.mark.parametrize("shape", [(1, 1), (9, 300), (270, 480), (123, 77)])
def test_nothing_on_a_plain_picture(shape: tuple[int, int]) -> None:
    for level in (0, 128, 255):
        found = measure(np.full(shape, level, np.uint8))
        assert found["area"] == found["doubt"] == 0


def test_a_logo_is_found_in_its_corner() -> None:
    for left, top in ((0.02, 0.04), (0.87, 0.04), (0.87, 0.7)):
        series = view(*(stamp(picture, left=left, top=top, alpha=0.7) for picture in street()))
        assert np.isnan(series.column("logo")[: CHANGES - 1]).all()
        assert 0.005 < series.column("logo")[-1] < 0.04
        assert series.column("logo_x")[-1] == pytest.approx(left + 0.05, abs=0.04)
        assert series.column("logo_y")[-1] == pytest.approx(top + 0.05 * 640 / 272, abs=0.06)


def test_no_logo_where_there_is_none() -> None:
    series = view(*street())
    assert series.column("logo")[-1] < 0.003


def test_black_borders_are_no_logo() -> None:
    letterboxed = [np.pad(picture, ((44, 44), (0, 0))) for picture in street()]
    assert view(*letterboxed).column("logo")[-1] == 0
    stamped = [np.pad(stamp(picture, left=0.02, top=0.1), ((44, 44), (0, 0))) for picture in street()]
    assert view(*stamped).column("logo")[-1] > 0.005


def test_a_logo_that_goes_is_gone_at_once() -> None:
    shown = [stamp(picture, left=0.02, top=0.04) for picture in street(9)]
    series = view(*shown, street(10)[-1])
    assert series.column("logo")[-2] > 0.005
    assert series.column("logo")[-1] < 0.003


def test_a_camera_that_stands_still_tells_nothing_of_logos() -> None:
    rng = np.random.default_rng(0)
    still = stamp(street(1)[0], left=0.02, top=0.04)
    noisy = [np.clip(still + rng.normal(0, 2, still.shape), 0, 255).astype(np.uint8) for _ in range(12)]
    assert np.isnan(view(*noisy).column("logo")).all()


def test_groups_count_where_enough_of_them_is_sure() -> None:
    holds = np.zeros((8, 12), np.float32)
    holds[1, 1:6] = MAYBE
    holds[1, 1 : 1 + LEAST] = SURE
    holds[3, 1:8] = LIKELY
    holds[5, 1:8] = MAYBE
    holds[7, 1:LEAST] = SURE
    text, doubt = settle(holds)
    assert np.argwhere(text).tolist() == [[1, x] for x in range(1, 6)]
    assert np.argwhere(doubt).tolist() == [[3, x] for x in range(1, 8)]


@given(st.integers(1, 300), st.integers(1, 300), st.randoms(use_true_random=False))
def test_thirds_make_the_whole(height: int, width: int, random) -> None:
    cells = np.array([[random.random() for _ in range(-(-width // 8))] for _ in range(-(-height // 8))], np.float32)
    area, *thirds = shares(cells, (height, width))
    assert 0 <= area <= 1
    assert sum(thirds) == pytest.approx(area)
    assert shares(np.ones_like(cells), (height, width))[0] == pytest.approx(1)


def test_rows_name_their_frames_and_an_empty_block_gives_none() -> None:
    series = view(*street(2))
    assert (series.times.tolist(), series.frames.tolist()) == ([0, 1], [0, 24])
    assert len(Text()(Frames(np.empty(0), np.empty(0, np.int32), np.empty((0, 270, 480), np.uint8), True))) == 0
