import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from wheel import pictures

from longtake.records import Series
from longtake.signals.colour import TERMS, Colour, name_colours
from longtake.video import scan
from longtake.video.scan import Frames, fit_size

Picture = NDArray[np.uint8]

SWATCHES = {
    "black": ["000000", "1c1c1c", "100800", "00000c"],
    "white": ["ffffff", "fffafa", "f0f8ff", "e8e8e8"],
    "grey": ["696969", "808080", "c0c0c0", "d3d3d3", "708090", "b4c4d0"],
    "red": ["ff0000", "8b0000", "800000", "dc143c", "b22222", "ff6347", "6e1423"],
    "orange": ["ffa500", "ff8c00", "ff7f50", "f08020"],
    "yellow": ["ffff00", "ffd700", "f0e68c", "fff59d", "e6d820"],
    "green": ["008000", "00ff00", "006400", "6b8e23", "90ee90", "2e8b57", "556b2f", "5a7a3a", "2a3a1a"],
    "blue": ["0000ff", "000080", "87ceeb", "add8e6", "4682b4", "4169e1", "00bfff", "3a5a6a", "00ffff"],
    "purple": ["800080", "8a2be2", "4b0082", "9370db", "dda0dd", "ff00ff"],
    "pink": ["ffc0cb", "ff69b4", "ff1493", "ffb6c1", "fa8072"],
    "brown": ["8b4513", "a0522d", "d2691e", "cd853f", "d2b48c", "c58c6c", "8d5524", "4a2c1a", "c2b280"],
}


def colour_of(swatch: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(swatch))


def view(*pictures: Picture) -> Series:
    """Let the signal see pictures of one size as its tap would."""
    size = fit_size(64, pictures[0].shape[1::-1])
    small = np.stack([cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures])
    n = len(pictures)
    return Colour()(Frames(np.arange(float(n)), np.arange(n, dtype=np.int32) * 24, small, True))


def shares_of(series: Series) -> NDArray[np.float32]:
    return series.values[:, : len(TERMS)]


def strength(picture: Picture) -> float:
    return float(view(picture).column("colourfulness")[0])


@pytest.mark.parametrize(("term", "swatch"), [(term, swatch) for term in TERMS for swatch in SWATCHES[term]])
def test_swatches_have_their_names(term: str, swatch: str) -> None:
    plain = np.full((90, 160, 3), colour_of(swatch), np.uint8)
    series = view(plain)
    named = dict(zip(TERMS, series.values[0].tolist(), strict=False))
    assert named == {**dict.fromkeys(TERMS, 0.0), term: 1.0}


def test_shares_are_those_of_the_area() -> None:
    picture = np.zeros((360, 640, 3), np.uint8)
    picture[:, :160] = 255, 0, 0
    picture[:180, 160:] = 0, 0, 255
    series = view(picture, picture[:, ::-1].copy())
    for row in series.values:
        shares = dict(zip(TERMS, row.tolist(), strict=False))
        assert shares["red"] == pytest.approx(1 / 4, abs=0.01)
        assert shares["blue"] == pytest.approx(3 / 8, abs=0.01)
        assert shares["black"] == pytest.approx(3 / 8, abs=0.01)
    np.testing.assert_allclose(shares_of(series).sum(axis=1), 1, atol=1e-6)


def test_every_colour_has_one_name_and_small_changes_rarely_another() -> None:
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (20_000, 3)).astype(np.float64)
    names = name_colours(colours)
    assert set(names.tolist()) == set(range(len(TERMS)))
    assert (names == name_colours(np.clip(colours + 4, 0, 255))).mean() > 0.93


@pytest.mark.parametrize("size", [(320, 180), (1280, 720), (90, 160)])
def test_size_does_not_matter(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    scene = cv2.resize(rng.integers(0, 256, (6, 8, 3), np.uint8), (1920, 1080), interpolation=cv2.INTER_NEAREST)
    resized = cv2.resize(scene, size, interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(shares_of(view(resized)), shares_of(view(scene)), atol=0.05)
    assert strength(resized) == pytest.approx(strength(scene), rel=0.05)


@pytest.mark.parametrize("name", ["still", "vfr"])
def test_a_row_each_second_of_a_file_whatever_its_rate(media, name: str) -> None:
    seen = scan(media[name], {"colour": Colour()})
    series = seen.series["colour"]
    assert len(series) == pytest.approx(seen.video.duration_s, abs=1)
    assert np.diff(series.times) == pytest.approx(1, abs=0.3)
    np.testing.assert_allclose(shares_of(series).sum(axis=1), 1, atol=1e-5)


def test_colourfulness_of_known_pictures() -> None:
    red, blue = np.full((90, 160, 3), (255, 0, 0), np.uint8), np.full((90, 160, 3), (0, 0, 255), np.uint8)
    assert strength(red) == pytest.approx(0.3 * np.hypot(255, 127.5), rel=1e-4)
    # Half red and half blue: the means of red - green and yellow - blue are 127.5 and -63.75.
    both = np.hstack([red[:, :80], blue[:, 80:]])
    assert strength(both) == pytest.approx(np.hypot(127.5, 191.25) + 0.3 * np.hypot(127.5, 63.75), rel=0.01)
    grey = np.repeat(np.random.default_rng(0).integers(0, 256, (90, 160, 1), np.uint8), 3, axis=2)
    assert strength(grey) == pytest.approx(0, abs=1e-3)
    assert np.isnan(strength(np.zeros((90, 160, 3), np.uint8)))


@pytest.mark.parametrize("name", ["bigbuckbunny", "bikes"])
def test_colourfulness_grows_with_the_saturation_of_footage(name: str) -> None:
    [picture] = pictures(name, first=40, count=1, pixels="rgb24")
    grey = picture.mean(axis=2, keepdims=True)
    found = [strength(np.clip(grey + part * (picture - grey), 0, 255).astype(np.uint8)) for part in (0, 0.3, 0.6, 1)]
    assert found[0] < 0.5
    assert found[1:] == sorted(found[1:]) and found[1] > 1
    assert found[2] == pytest.approx(0.6 * found[3], rel=0.1)


@pytest.mark.parametrize("name", ["bigbuckbunny", "bikes"])
def test_borders_and_size_do_not_make_it_less_colourful(name: str) -> None:
    [picture] = pictures(name, first=40, count=1, pixels="rgb24")
    boxed = cv2.copyMakeBorder(picture, 0, 0, 180, 180, cv2.BORDER_CONSTANT)
    half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    assert strength(boxed) == pytest.approx(strength(picture), rel=0.1)
    assert strength(half) == pytest.approx(strength(picture), rel=0.02)


def test_an_empty_block_gives_no_rows() -> None:
    empty = Colour()(Frames(np.empty(0), np.empty(0, np.int32), np.empty((0, 36, 64, 3), np.uint8), True))
    assert len(empty) == 0
