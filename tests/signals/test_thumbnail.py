"""The signal that tells copies: brightness of places, whatever the size and the rate of what is shown."""

import cv2
import numpy as np
import pytest
from media import pan, write_video
from pictures import measure, scene, times

from longtake.signals.thumbnail import HEIGHT, SIDE, WIDTH, Thumbnail, bars, shares
from longtake.video import scan


def test_cells_share_out_every_pixel_once() -> None:
    for pixels in (WIDTH, HEIGHT):
        for bar in (0, 3, 6):
            found = shares(pixels, bar)
            np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
            np.testing.assert_allclose(found.sum(axis=0)[bar : pixels - bar], SIDE / (pixels - 2 * bar), rtol=1e-6)
            assert not found[:, :bar].any() and not found[:, pixels - bar :].any()


def test_a_cell_is_the_brightness_of_its_place() -> None:
    shown = np.zeros((1, 26, 48, 3))
    shown[:, :, :8] = (255, 0, 0)
    shown[:, :, 40:] = 200
    cells = measure(shown, np.zeros(1), make=Thumbnail).values.reshape(SIDE, SIDE)
    np.testing.assert_allclose(cells[:, 0], 255 * 0.299, rtol=1e-5)
    np.testing.assert_allclose(cells[:, 1:5], 0)
    np.testing.assert_allclose(cells[:, 5], 200, rtol=1e-5)


def test_blocks_make_no_difference() -> None:
    at_s = times(8, 5)
    one, other = (measure(scene(3, at_s), at_s, block=block, make=Thumbnail) for block in (7, 64))
    np.testing.assert_array_equal(one.values, other.values)


def test_size_and_frame_rate_change_little(tmp_path) -> None:
    shown = list(pan(180, seed=5, speed=0.3, fps=60, size=(640, 360)))
    first = write_video(tmp_path / "a.mp4", [cv2.resize(one, (320, 180)) for one in shown[::3]], fps=20)
    other = write_video(tmp_path / "b.mp4", shown, fps=60)
    cells = [scan(path, {"cells": Thumbnail()}).series["cells"] for path in (first, other)]
    assert [len(one.times) for one in cells] == [24, 24]
    apart = np.abs(cells[0].values - cells[1].values)
    assert apart.mean() < 2
    assert cells[0].values.std(axis=1).min() > 5
    assert pytest.approx(cells[0].times, abs=0.02) == cells[1].times


# Black bars

SIZE = (480, 260)


def seen(shown: list[np.ndarray], **how) -> np.ndarray:
    """The cells of large pictures, 8 per second."""
    small = [cv2.resize(one, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA) for one in shown]
    return measure(np.array(small), times(8, len(small) / 8), make=Thumbnail, **how).values


def barred(shown: list[np.ndarray], above: int, beside: int) -> list[np.ndarray]:
    """The same pictures, smaller, between black bars of so many pixels."""
    width, height = SIZE[0] - 2 * beside, SIZE[1] - 2 * above
    smaller = [cv2.resize(one, (width, height), interpolation=cv2.INTER_AREA) for one in shown]
    return [np.pad(one, ((above, above), (beside, beside), (0, 0))) for one in smaller]


@pytest.fixture(scope="module")
def film() -> list[np.ndarray]:
    """Twelve seconds of a pan."""
    return list(pan(96, seed=3, speed=0.2, fps=8, size=SIZE))


@pytest.mark.parametrize(("above", "beside"), [(30, 0), (33, 0), (35, 0), (0, 60), (0, 164), (37, 63)])
def test_a_picture_is_seen_inside_its_bars(film, above: int, beside: int) -> None:
    plain, inside = seen(film), seen(barred(film, above, beside))
    assert np.abs(inside - plain).mean() < 0.15 * plain.std()
    assert np.corrcoef(inside.ravel(), plain.ravel())[0, 1] > 0.97


def test_bars_are_told_to_parts_of_a_pixel(film) -> None:
    small = [cv2.resize(one, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA) for one in barred(film, 35, 64)]
    found = bars(np.array(small, np.float32).mean(axis=-1))
    assert np.abs(np.median(found, axis=0) - (3.5, 6.4)).max() <= 0.5


def test_a_logo_a_subtitle_and_a_dark_moment_move_no_bar(film) -> None:
    shown = barred(film, 40, 60)
    spoiled = [one.copy() for one in shown]
    for one in spoiled:
        one[45:60, 440:470] = 255
    for one in spoiled[20:32]:
        one[235:250, 100:380] = 220
    for one in spoiled[50:60]:
        one[:] = 0
    for one in spoiled[60:64]:
        one[:110] = 0
        one[150:] = 0
    clear = np.r_[0:50, 64:96]
    np.testing.assert_allclose(seen(spoiled)[clear], seen(shown)[clear], atol=1e-3)


def test_bars_that_come_and_go_from_frame_to_frame_leave_the_series_whole(film) -> None:
    shown = barred(film, 40, 0)
    flickering = [one.copy() for one in shown]
    for one in flickering[::3]:
        one[:40] = 60
    steady, found = seen(shown), seen(flickering)
    np.testing.assert_allclose(found, steady, atol=1e-3)


def test_bars_end_at_the_cut_to_a_picture_without(film) -> None:
    plain, inside = seen(film), seen(barred(film, 40, 0))
    joined = seen([*film[:48], *barred(film, 40, 0)[48:]], block=7)
    np.testing.assert_array_equal(joined[:48], plain[:48])
    np.testing.assert_array_equal(joined[48:], inside[48:])


def test_black_above_alone_is_a_part_of_the_picture(film) -> None:
    night = [one.copy() for one in film]
    for one in night:
        one[:60] = 0
    assert not bars(np.array(night, np.float32)[..., 0]).any()
    assert seen(night)[:, :SIDE].max() < 1


def test_black_pictures_alone_are_black() -> None:
    assert not seen([np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * 70).any()


def test_bars_go_on_through_blocks_of_any_size(film) -> None:
    shown = [*film[:30], *barred(film, 40, 0)[30:]]
    one, other = (seen(shown, block=block) for block in (5, 64))
    np.testing.assert_allclose(one, other, rtol=1e-5)
