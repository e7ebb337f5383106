from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from footage import FOOTAGE
from hypothesis import given, settings
from hypothesis import strategies as st
from media import SIZE, pan, texture, write_video
from numpy.typing import NDArray

from longtake.records import Series
from longtake.signals.signature import Signature, colours, oklab, shapes, square
from longtake.similarity import frame_vectors, mean_vectors
from longtake.video import scan
from longtake.video.scan import Frames, fit_size

Picture = NDArray[np.uint8]

COLOUR, SHAPE = (
    [i for i, name in enumerate(Signature.columns) if name.startswith(group)] for group in ("colour", "shape")
)
ALL = [*COLOUR, *SHAPE]
SINGLES = FOOTAGE / "dev" / "singles"


def view(*pictures: Picture) -> Series:
    """Let the signal see pictures of one size as its tap would."""
    size = fit_size(64, pictures[0].shape[1::-1])
    small = np.stack([cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures])
    n = len(pictures)
    return Signature()(Frames(np.arange(n) / 2, np.arange(n, dtype=np.int32) * 12, small, True))


def cosine(one: Picture, other: Picture, columns: list[int] = ALL) -> float:
    a, b = (view(picture).values[0, columns] for picture in (one, other))
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def scene(seed: int, width: int = 640, height: int = 360) -> Picture:
    """A place: a ground with a horizon, and plain things of some colours standing on it."""
    rng = np.random.default_rng(seed)
    picture = np.empty((height, width, 3), np.uint8)
    horizon = int(height * rng.uniform(0.25, 0.75))
    picture[:horizon], picture[horizon:] = rng.integers(20, 236, (2, 3))
    for _ in range(7):
        x, y = rng.integers(0, (width, height))
        w, h = rng.integers((width // 16, height // 12), (width // 3, height // 2))
        colour = rng.integers(10, 246, 3).tolist()
        if rng.random() < 0.5:
            cv2.ellipse(picture, (int(x), int(y)), (int(w) // 2, int(h) // 2), rng.uniform(0, 180), 0, 360, colour, -1)
        else:
            cv2.rectangle(picture, (int(x), int(y)), (int(x + w), int(y + h)), colour, -1)
    grain = texture(width, height, seed).astype(np.int16) - 128
    return np.clip(picture + grain // 6, 0, 255).astype(np.uint8)


def rows_of(path: Path) -> Series:
    return scan(path, {"signature": Signature()}).series["signature"]


@pytest.mark.parametrize("columns", [ALL, COLOUR, SHAPE], ids=["all", "colour", "shape"])
@pytest.mark.parametrize("size", [(1920, 1080), (320, 180), (128, 72), (64, 36)])
def test_size_does_not_matter(size: tuple[int, int], columns: list[int]) -> None:
    for seed in range(5):
        resized = cv2.resize(scene(seed), size, interpolation=cv2.INTER_AREA)
        assert cosine(scene(seed), resized, columns) > 0.97


def test_coding_and_frame_rate_do_not_matter(tmp_path: Path) -> None:
    shown = scene(1)
    for fps, crf in ((12, 18), (50, 36)):
        write_video(tmp_path / f"{fps}.mp4", [shown] * fps * 2, fps=fps, options={"crf": str(crf)})
    fine, coarse = (rows_of(tmp_path / f"{fps}.mp4") for fps in (12, 50))
    np.testing.assert_allclose(fine.times, [0, 0.5, 1, 1.5], atol=0.06)
    np.testing.assert_allclose(coarse.times, [0, 0.5, 1, 1.5], atol=0.06)
    assert (fine.values * coarse.values).sum(axis=1).min() > 0.97


@pytest.mark.parametrize("sides", [(45, 45, 0, 0), (0, 0, 80, 80), (30, 30, 60, 60)])
def test_black_bars_do_not_matter(sides: tuple[int, ...]) -> None:
    top, bottom, left, right = sides
    for seed in range(5):
        barred = np.pad(scene(seed), ((top, bottom), (left, right), (0, 0)))
        assert cosine(scene(seed), barred) > 0.97


def test_black_on_one_side_is_part_of_the_picture() -> None:
    dark = np.pad(scene(2), ((0, 0), (200, 0), (0, 0)))
    small = cv2.resize(dark, fit_size(64, dark.shape[1::-1]), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(square(small), cv2.resize(small, (32, 32), interpolation=cv2.INTER_AREA))


def test_a_pan_within_a_scene_stays_alike_and_another_scene_is_not() -> None:
    wide = [scene(seed, 900) for seed in range(8)]
    panned = [cosine(picture[:, :640], picture[:, 100:740]) for picture in wide]
    others = [cosine(one[:, :640], other[:, :640]) for one, other in combinations(wide, 2)]
    assert min(panned) > 0.8
    assert min(panned) > max(others)
    # They are drawn alike, so now and then two of them are.
    assert np.mean(np.array(others) < 0.8) > 0.95


def test_zoom_exposure_and_something_that_moves_stay_alike() -> None:
    for seed in range(8):
        picture = scene(seed)
        zoomed, brighter, passed = picture[36:-36, 64:-64], picture.copy(), picture.copy()
        brighter[:] = np.clip(picture * 1.25, 0, 255)
        cv2.circle(passed, (400, 200), 50, (150, 110, 90), -1)
        for other in (zoomed, brighter, passed):
            assert cosine(picture, np.ascontiguousarray(other)) > 0.8


def test_new_colours_change_the_colours_and_hardly_the_shape() -> None:
    for seed in range(8):
        lab = cv2.cvtColor(scene(seed), cv2.COLOR_RGB2LAB)
        # The same lightness, every hue turned by a right angle and moved away from what it was.
        lab[..., 1], lab[..., 2] = np.clip(lab[..., 2].astype(int) - 25, 0, 255), 255 - lab[..., 1]
        recoloured = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
        assert cosine(scene(seed), recoloured, SHAPE) > 0.9
        assert cosine(scene(seed), recoloured, COLOUR) < 0.8


def test_new_places_for_the_same_colours_change_the_shape_and_hardly_the_colours() -> None:
    found = []
    for seed in range(8):
        tiles = [np.split(row, 8, axis=1) for row in np.split(scene(seed), 6)]
        order = np.random.default_rng(seed).permutation(48)
        mixed = np.vstack([np.hstack([tiles[k // 8][k % 8] for k in order[i : i + 8]]) for i in range(0, 48, 8)])
        found.append([cosine(scene(seed), mixed, columns) for columns in (COLOUR, SHAPE)])
    colour, shape = np.array(found).T
    assert (colour > 0.85).all()
    assert (shape < colour - 0.1).all()
    assert np.median(shape) < 0.8


@pytest.mark.parametrize("level", [0, 16, 128, 255])
def test_a_flat_tone_is_like_nothing(level: int) -> None:
    noise = np.random.default_rng(0).integers(-1, 2, (360, 640, 3))
    flat = np.clip(level + noise, 0, 255).astype(np.uint8)
    series = view(flat, scene(0), flat, flat, flat)
    assert np.isnan(series.values[[0, 2, 3, 4]]).all()
    vectors = mean_vectors(frame_vectors(series, [0.0, 1.0], [1.0, 2.5]))
    np.testing.assert_allclose(vectors[0], series.values[1], atol=1e-6)
    assert np.isnan(vectors[1]).all()


def test_rows_have_length_one_half_of_it_in_each_group() -> None:
    values = view(*(scene(seed) for seed in range(6))).values
    for columns in (COLOUR, SHAPE):
        np.testing.assert_allclose(np.square(values[:, columns]).sum(axis=1), 0.5, atol=1e-5)
    colour, shape = (cosine(scene(0), scene(1), columns) for columns in (COLOUR, SHAPE))
    assert cosine(scene(0), scene(1)) == pytest.approx((colour + shape) / 2, abs=1e-5)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), height=st.integers(1, 64), width=st.integers(1, 64), contrast=st.integers(1, 255)
)
def test_every_picture_gives_a_vector_or_none(seed: int, height: int, width: int, contrast: int) -> None:
    pictures = np.random.default_rng(seed).integers(0, contrast + 1, (2, height, width, 3)).astype(np.uint8)
    values = Signature()(Frames(np.arange(2.0), np.arange(2, dtype=np.int32), pictures, True)).values
    for row in values:
        assert np.isnan(row).all() or np.linalg.norm(row) == pytest.approx(1, abs=1e-4)


def test_rows_do_not_depend_on_blocks() -> None:
    pictures = [scene(seed) for seed in range(5)]
    whole = view(*pictures)
    assert whole.columns == Signature.columns
    assert whole.frames.tolist() == [0, 12, 24, 36, 48]
    for row, picture in enumerate(pictures):
        np.testing.assert_allclose(view(picture).values[0], whole.values[row], atol=1e-5)
    empty = Signature()(Frames(np.empty(0), np.empty(0, np.int32), np.empty((0, 36, 64, 3), np.uint8), True))
    assert empty.values.shape == (0, len(Signature.columns))


def test_what_is_known_of_colours_and_shapes() -> None:
    red, blue = np.zeros((2, 32, 32, 3), np.uint8)
    red[..., 0], blue[..., 2] = 200, 200
    left, right = np.hstack([red[:, :16], blue[:, :16]]), np.hstack([blue[:, :16], red[:, :16]])
    known = colours(oklab(np.stack([left, right, red])))
    np.testing.assert_allclose(known[0, :196], known[1, :196], atol=1e-6)
    assert known[0, :196] @ known[2, :196] == pytest.approx(np.sqrt(0.5), abs=0.01)
    ramp = np.tile(np.linspace(0, 1, 32, dtype=np.float32), (32, 1))
    rightward, leftward, downward = shapes(np.stack([ramp, ramp[:, ::-1], ramp.T])).reshape(3, 16, 12)
    assert (rightward.argmax(axis=1) == 0).all()
    assert (downward.argmax(axis=1) == 3).all()
    assert (leftward.argmax(axis=1) == 6).all()


def test_a_moving_video_is_one_scene_and_a_cut_parts_two(tmp_path: Path, media) -> None:
    path = tmp_path / "pan.mp4"
    write_video(path, pan(72, seed=3, speed=0.1, size=SIZE))
    series = rows_of(path)
    assert len(series) == 6
    assert (series.values @ series.values.T).min() > 0.8
    series = rows_of(media["cut"])
    old, new = mean_vectors(frame_vectors(series, [0.0, 2.0], [2.0, 4.0]))
    assert old @ new < 0.8


@pytest.mark.skipif(not SINGLES.is_dir(), reason="no footage here")
def test_real_shots_are_told_apart() -> None:
    paths = sorted(SINGLES.iterdir())[::4]
    ends, own = [], []
    for path in paths:
        series = rows_of(path)
        last = float(series.times[-1]) + 0.5
        one, other = mean_vectors(frame_vectors(series, [0.0, last - 2], [1.5, last]))
        ends.append(one)
        own.append(float(one @ other))
    strangers = (np.stack(ends) @ np.stack(ends).T)[np.triu_indices(len(paths), 1)]
    assert np.median(own) > 0.9
    assert np.mean(np.array(own) > 0.8) > 0.9
    assert np.mean(strangers > 0.8) < 0.03
