"""Detail, noise, blocks and combs of real footage, which we blur, enlarge, make noisy, weave, and encode anew."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from footage import FOOTAGE
from hypothesis import given
from hypothesis import strategies as st
from media import write_video
from numpy.typing import NDArray
from wheel import pictures

from longtake.records import Series
from longtake.scores.fine import fine as score
from longtake.signals.fine import SMALLEST, Fine, fine
from longtake.video import scan
from longtake.video.scan import Frames

Picture = NDArray[np.uint8]
SHARP = {"crf": "16", "preset": "superfast"}


def view(found: list[Picture]) -> Series:
    """The signal of pictures of one size, as its tap shows them: one at a time."""
    rows = [np.array(fine(picture), np.float32) for picture in found]
    return Series(Fine.columns, np.arange(len(rows)) / 0.7, np.arange(len(rows), dtype=np.int32) * 43, np.array(rows))


def scores(found: list[Picture]) -> dict[str, float | None]:
    return score(view(found))


def scanned(path: Path, found: list[Picture], *, fps: int = 2, **how) -> Series:
    """The signal of a file made of gray pictures."""
    colour = (np.repeat(picture[..., None], 3, axis=2) for picture in found)
    write_video(path, colour, fps=Fraction(fps), **how)
    return scan(path, {"fine": Fine()}).series["fine"]


def enlarged(picture: Picture, times: float, how: int = cv2.INTER_CUBIC) -> Picture:
    return cv2.resize(picture, None, fx=times, fy=times, interpolation=how)


def grainy(picture: Picture, sigma: float) -> Picture:
    rng = np.random.default_rng(7)
    return np.clip(picture + rng.normal(0, sigma, picture.shape), 0, 255).round().astype(np.uint8)


def weave(first: Picture, second: Picture) -> Picture:
    """Every other line of a picture, the others of a later one, as a camera with fields has it."""
    woven = first.copy()
    woven[1::2] = second[1::2]
    return woven


@pytest.fixture(scope="module")
def sharp() -> list[Picture]:
    """Footage that uses all its pixels, for it was twice as large: 640x360."""
    large = pictures("bigbuckbunny", first=10, every=20, count=6)
    return [cv2.resize(picture, (640, 360), interpolation=cv2.INTER_AREA) for picture in large]


@pytest.fixture(scope="module")
def moving() -> list[tuple[Picture, Picture]]:
    """Pairs of consecutive frames of two films."""
    films = [pictures("bikes", first=20, count=80)[i::20] for i in (0, 1)]
    bunny = [pictures("bigbuckbunny", first=30, count=62)[i::20] for i in (0, 1)]
    return [*zip(*films, strict=False), *zip(*bunny, strict=False)]


# Detail


def test_blur_takes_detail_away(sharp: list[Picture]) -> None:
    found = [scores(sharp)["resolution"]]
    found += [scores([cv2.GaussianBlur(p, (0, 0), sigma) for p in sharp])["resolution"] for sigma in (0.7, 1.2, 2, 3)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.7 and found[-1] < 0.3


@pytest.mark.parametrize("how", [cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4])
def test_enlarged_footage_uses_a_part_of_its_pixels(sharp: list[Picture], how: int) -> None:
    true = scores(sharp)["resolution"]
    for times in (2, 3, 4):
        found = scores([enlarged(picture, times, how) for picture in sharp[::2]])["resolution"]
        assert found == pytest.approx(true / times, rel=0.35), "so that resolution times width stays what it was"
        assert found < 0.62


def test_enlarged_footage_is_found_after_coding(sharp: list[Picture], tmp_path: Path) -> None:
    for crf in ("20", "28"):
        how = {"options": {"crf": crf, "preset": "superfast"}}
        own = score(scanned(tmp_path / "own.mp4", sharp, **how))
        twice = score(scanned(tmp_path / "twice.mp4", [enlarged(picture, 2) for picture in sharp], **how))
        assert twice["resolution"] < 0.62 < own["resolution"]
        assert own["resolution"] / twice["resolution"] == pytest.approx(2, rel=0.35)


def test_only_one_direction_enlarged(sharp: list[Picture]) -> None:
    wide = view([cv2.resize(picture, (1280, 360), interpolation=cv2.INTER_CUBIC) for picture in sharp])
    own = view(sharp)
    across, down = (np.nanmedian(wide.column(n)) / np.nanmedian(own.column(n)) for n in ("detail_x", "detail_y"))
    assert across < 0.7 and down == pytest.approx(1, abs=0.25)


def test_contrast_is_no_matter(sharp: list[Picture]) -> None:
    faint = [(60 + 0.6 * picture).astype(np.uint8) for picture in sharp]
    assert scores(faint)["resolution"] == pytest.approx(scores(sharp)["resolution"], rel=0.15)


def test_noise_is_no_detail(sharp: list[Picture]) -> None:
    twice = [enlarged(picture, 2) for picture in sharp[::2]]
    assert scores([grainy(picture, 5) for picture in twice])["resolution"] < 0.62


# Noise


@pytest.mark.parametrize("sigma", [1.5, 3, 6, 12])
def test_noise_is_measured_as_it_was_added(sharp: list[Picture], sigma: float) -> None:
    films = [*sharp[::3], pictures("carphone_pristine", count=1)[0], pictures("bikes", count=1)[0]]
    for picture in films:
        [own] = view([picture]).column("noise")
        [found] = view([grainy(picture, sigma)]).column("noise")
        assert found == pytest.approx(np.hypot(own, sigma / 255), rel=0.15)


def test_clean_footage_has_little_noise(sharp: list[Picture]) -> None:
    assert scores(sharp)["noise"] < 0.004
    assert scores([cv2.GaussianBlur(picture, (0, 0), 2) for picture in sharp])["noise"] < 0.0015


def test_noise_survives_good_coding_and_not_bad(sharp: list[Picture], tmp_path: Path) -> None:
    noisy = [grainy(picture, 8) for picture in sharp]
    good, bad = (
        score(scanned(tmp_path / f"{crf}.mp4", noisy, options={"crf": crf, "preset": "superfast"}))["noise"]
        for crf in ("12", "34")
    )
    assert good == pytest.approx(8 / 255, rel=0.25)
    assert bad < good / 3


# Coding blocks


def test_blocks_are_found_where_coding_leaves_them(sharp: list[Picture], tmp_path: Path) -> None:
    clean = score(scanned(tmp_path / "clean.mp4", sharp, options=SHARP))["blocks"]
    smoothed = {"crf": "38", "preset": "superfast"}
    fair = score(scanned(tmp_path / "fair.mp4", sharp, options=smoothed))["blocks"]
    raw = {**smoothed, "x264-params": "no-deblock=1"}
    bad = score(scanned(tmp_path / "bad.mp4", sharp, options=raw))["blocks"]
    old = score(scanned(tmp_path / "old.mkv", sharp, fps=25, codec="mpeg2video", options={"qmin": "25", "qmax": "31"}))
    assert clean < 0.15 and fair < 0.25
    assert bad > 0.4 and old["blocks"] > 0.4


def test_what_shows_blocks_hides_them_when_it_is_scaled(sharp: list[Picture], tmp_path: Path) -> None:
    jpegs = [cv2.imdecode(cv2.imencode(".jpg", p, [cv2.IMWRITE_JPEG_QUALITY, 10])[1], 0) for p in sharp]
    assert scores(jpegs)["blocks"] > 0.6
    assert scores([enlarged(picture, 1.37) for picture in jpegs])["blocks"] < 0.3


# Combs


def test_woven_fields_are_combed_and_frames_are_not(moving: list[tuple[Picture, Picture]]) -> None:
    for first, second in moving:
        assert fine(first)[-1] < 0.003 and fine(second)[-1] < 0.003
    woven = scores([weave(first, second) for first, second in moving])
    assert woven["combs"] > 0.05 and woven["combed"] >= 0.7
    assert scores([weave(first, first) for first, _ in moving])["combs"] == scores([f for f, _ in moving])["combs"]


@pytest.mark.parametrize("coded", ["as fields", "as frames"])
def test_combs_survive_coding(moving: list[tuple[Picture, Picture]], coded: str, tmp_path: Path) -> None:
    options = {"crf": "23", "preset": "superfast"}
    if coded == "as fields":
        options["x264-params"] = "tff=1"
    bikes = moving[:4]
    found = score(scanned(tmp_path / "woven.mp4", [weave(a, b) for a, b in bikes for _ in (0, 1)], options=options))
    assert found["combed"] == 1 and found["combs"] > 0.03
    plain = score(scanned(tmp_path / "plain.mp4", [a for a, _ in bikes for _ in (0, 1)], options=options))
    assert plain["combed"] == 0
    with av.open(str(tmp_path / "woven.mp4")) as container:
        assert all(frame.interlaced_frame == (coded == "as fields") for frame in container.decode(video=0))


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_combs_of_turned_footage(moving: list[tuple[Picture, Picture]], rotation: int, tmp_path: Path) -> None:
    bikes = [weave(a, b) for a, b in moving[:4]]
    assert score(scanned(tmp_path / "turned.mp4", bikes, rotation=rotation, options=SHARP))["combed"] == 1


def test_film_as_sixty_fields_is_combed_two_frames_in_five(tmp_path: Path) -> None:
    film = pictures("bikes", first=0, count=200)
    frames = []
    for a, b, c, d in zip(*(film[i::4] for i in range(4)), strict=True):
        frames += [a, b, weave(b, c), weave(c, d), d]
    found = scanned(tmp_path / "film.mp4", frames, fps=30, options={"crf": "18", "preset": "ultrafast"})
    # The first rows meet all five phases in turn; at one row a second they would meet one alone.
    assert set((found.frames % 5).tolist()) == set(range(5))
    phases = np.isin(found.frames % 5, (2, 3))
    assert (found.column("combs") > 0.01).tolist() == phases.tolist()


def test_stripes_dots_and_letters_are_no_combs(sharp: list[Picture]) -> None:
    y, x = np.mgrid[0:360, 0:640]
    patterns = {
        "stripes": np.where(y % 2, 60, 200),
        "lying stripes": np.where(x % 2, 60, 200),
        "wide stripes": np.where(y % 4 < 2, 60, 200),
        "dots": np.where((x + y) % 2, 60, 200),
        **{f"slanted {k}": 128 + 70 * np.cos(np.pi * 0.9 * y + k * x) for k in (0.05, 0.3, 1.2)},
        **{f"steep {k}": 128 + 70 * np.cos(0.15 * x + k * y) for k in (0.3, 1.2, 2.0)},
        "stripes that fade": 128 + (60 * np.sin(x / 40)) * np.where(y % 2, 1, -1),
    }
    for name, pattern in patterns.items():
        picture = sharp[0].copy()
        picture[:, 320:] = pattern[:, 320:]
        assert fine(picture)[-1] < 0.01, name
    text = sharp[0].copy()
    for line in range(12):
        cv2.putText(text, "Static text, in small letters: ill1|/W", (8, 20 + 28 * line), 0, 0.6, 255, 1)
    assert fine(text)[-1] < 0.003
    assert fine(weave(text, text))[-1] < 0.003


@pytest.mark.skipif(not FOOTAGE.is_dir(), reason="no footage")
def test_progressive_footage_has_no_combs_and_woven_footage_has(footage: Path) -> None:
    combed = 0
    clips = sorted((footage / "dev" / "singles").glob("*.mp4"))[::4]
    for path in clips:
        with av.open(str(path)) as container:
            frames = [f.to_ndarray(format="gray") for i, f in zip(range(40), container.decode(video=0), strict=False)]
        assert scores(frames[::8])["combs"] < 0.003, path.name
        combed += (scores([weave(a, b) for a, b in zip(frames[::8], frames[1::8], strict=True)])["combs"] or 0) > 0.01
    assert combed >= len(clips) // 2, "the others hardly move from one frame to the next"


# What comes in


@pytest.mark.parametrize("pixel_format", ["yuv422p", "yuv420p10le", "yuv422p10le"])
def test_ten_bits_and_full_colour(sharp: list[Picture], pixel_format: str, tmp_path: Path) -> None:
    plain = score(scanned(tmp_path / "plain.mp4", sharp, options=SHARP))
    other = score(scanned(tmp_path / "other.mp4", sharp, options=SHARP, pixel_format=pixel_format))
    assert other["resolution"] == pytest.approx(plain["resolution"], abs=0.05)
    assert other["noise"] == pytest.approx(plain["noise"], abs=0.001)
    assert other["blocks"] == pytest.approx(plain["blocks"], abs=0.05)
    assert other["combs"] == plain["combs"] == 0


def test_borders_change_nothing(sharp: list[Picture]) -> None:
    boxed = [cv2.copyMakeBorder(picture, 60, 60, 80, 80, cv2.BORDER_CONSTANT, value=0) for picture in sharp]
    np.testing.assert_allclose(view(boxed).values, view(sharp).values, atol=0.02)


@pytest.mark.parametrize("name", ["still", "vfr", "tall"])
def test_rows_at_their_pace_whatever_the_rate(media, name: str) -> None:
    found = scan(media[name], {"fine": Fine()})
    assert len(found.series["fine"]) == np.ceil(found.times[-1] * 0.7)
    assert (found.series["fine"].column("combs") == 0).all()


def test_frame_rate_and_length_are_no_matter(sharp: list[Picture], tmp_path: Path) -> None:
    long = [picture for picture in sharp[:3] for _ in range(30)]
    slow = score(scanned(tmp_path / "slow.mp4", long, fps=15, options=SHARP))
    fast = score(scanned(tmp_path / "fast.mp4", [p for p in long for _ in (0, 1)], fps=30, options=SHARP))
    for name, value in slow.items():
        assert fast[name] == pytest.approx(value, rel=0.1, abs=0.02), name


def test_flat_black_and_tiny_pictures_say_what_they_can() -> None:
    black = fine(np.zeros((360, 640), np.uint8))
    tiny = fine(np.full((SMALLEST - 1, 640), 90, np.uint8))
    assert np.isnan(black).all() and np.isnan(tiny).all()
    flat = dict(zip(Fine.columns, fine(np.full((360, 640), 90, np.uint8)), strict=True))
    assert np.isnan([flat["detail_x"], flat["detail_y"], flat["blocks"]]).all()
    assert flat["noise"] == flat["combs"] == 0
    white = dict(zip(Fine.columns, fine(np.full((360, 640), 255, np.uint8)), strict=True))
    assert np.isnan(white["noise"])


@given(st.integers(SMALLEST, 400), st.integers(SMALLEST, 400), st.integers(0, 99), st.booleans())
def test_any_shape_of_picture_is_measured(height: int, width: int, seed: int, smooth: bool) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    found = dict(zip(Fine.columns, fine(cv2.GaussianBlur(picture, (0, 0), 4) if smooth else picture), strict=True))
    assert 0 <= found["combs"] <= 1 and found["noise"] >= 0 and found["blocks"] >= 0
    assert all(np.isnan(found[name]) or 0 < found[name] <= 1 for name in ("detail_x", "detail_y"))


def test_an_empty_block_gives_no_rows() -> None:
    empty = Fine()(Frames(np.empty(0), np.empty(0, np.int32), np.empty((0, 180, 320), np.uint8), True))
    assert len(empty) == 0
