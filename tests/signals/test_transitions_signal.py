from functools import partial

import cv2
import numpy as np
import pictures
import pytest
from media import dissolve, pan, write_video

from longtake import find_shots
from longtake.signals.transitions import Transitions

measure = partial(pictures.measure, make=Transitions)


def film(fps: float, duration_s: float = 24, cut_s: float = 8, turn_s: tuple[float, float] = (15, 16)) -> tuple:
    """Three slow pans, joined by a cut and a dissolve, as pictures of 48x26, and their times."""
    at_s = np.arange(round(fps * duration_s)) / fps
    part = np.clip((at_s - turn_s[0]) / (turn_s[1] - turn_s[0]), 0, 1)
    shown = np.zeros((len(at_s), 26, 48, 3))
    for seed, share in ((1, at_s < cut_s), (2, (at_s >= cut_s) * (1 - part)), (3, part)):
        seen = np.flatnonzero(share)
        shot = pan(len(seen), seed=seed, speed=0.05, times=at_s[seen])
        small = np.stack([cv2.resize(p, (48, 26), interpolation=cv2.INTER_AREA) for p in shot])
        shown[seen] += share[seen, None, None, None] * small
    return shown, at_s


def test_rows_do_not_depend_on_blocks():
    shown, at_s = film(30)
    whole = measure(shown, at_s)
    assert len(whole) == len(at_s) > 512
    for block in (1, 7, 500):
        parts = measure(shown, at_s, block=block)
        np.testing.assert_array_equal(parts.times, at_s)
        np.testing.assert_array_equal(parts.frames, np.arange(len(at_s)))
        np.testing.assert_allclose(parts.values, whole.values, atol=1e-3)


@pytest.mark.parametrize("n", [0, 1, 2, 40])
@pytest.mark.parametrize("fps", [25, 120])
def test_every_frame_has_a_row(n, fps):
    at_s = np.arange(n) / fps
    series = measure(np.full((n, 26, 48, 3), 90), at_s)
    np.testing.assert_array_equal(series.times, at_s)
    assert np.isfinite(series.values).all()
    assert (series.values[:, 0] == 0).all()
    assert ((series.values >= 0) & (series.values <= 1)).all()


def test_change_is_the_root_mean_square_distance_to_the_frame_before():
    shown = np.zeros((3, 26, 48, 3))
    shown[1], shown[2, :13] = 10, 30
    series = measure(shown, np.arange(3) / 25)
    np.testing.assert_allclose(series.column("change"), [0, 10, np.sqrt((20**2 + 10**2) / 2)], rtol=1e-5)


def test_spread_is_next_to_nothing_for_plain_pictures_whatever_their_colour():
    shown = np.random.default_rng(0).integers(0, 256, (6, 26, 48, 3))
    shown[2], shown[3], shown[4] = 0, (200, 30, 90), 255
    spread = measure(shown, np.arange(6) / 25).column("spread")
    np.testing.assert_array_equal(spread[2:5], 0)
    np.testing.assert_allclose(spread[[0, 1, 5]], 256 / 12**0.5, rtol=0.05)


def inset(height: int, width: int) -> np.ndarray:
    """Six still pictures, of which the last three show something else in a rectangle."""
    rng = np.random.default_rng(0)
    shown = rng.integers(0, 256, (26, 48, 3))[None].repeat(6, axis=0)
    shown[3:, 4 : 4 + height, 6 : 6 + width] = (shown[0, 4 : 4 + height, 6 : 6 + width] + 128) % 256
    return shown


def test_boxed_tells_an_inset_and_bars_from_what_changes_here_and_there():
    def boxed(shown):
        return measure(shown, np.arange(6) / 25).column("boxed")

    np.testing.assert_array_equal(boxed(inset(8, 14)), [0, 0, 0, 1, 0, 0])
    bars = inset(0, 0)
    bars[3:, :3] = bars[3:, -3:] = 0
    assert boxed(bars)[3] > 0.9
    strewn = inset(0, 0)
    strewn[3:][:, np.random.default_rng(1).random((26, 48)) < 0.2] = 0
    assert 0 < boxed(strewn)[3] < 0.5
    assert boxed(inset(22, 40))[3] == 0  # more than half of the picture


def test_pictures_are_alike_in_another_light_and_with_something_moving_and_not_in_another_shot():
    shown, _ = film(25)
    shot, other = shown[[0]].repeat(40, axis=0), shown[[-1]].repeat(40, axis=0)
    for i, picture in enumerate(shot):
        picture[8:18, i : i + 6] = 200  # something passes
    for light in (0.4 * shot + 20, 255 - 0.5 * (255 - shot)):
        columns = measure(np.concatenate([shot[:20], light[20:]]), np.arange(40) / 12.5)
        assert columns.column("alike_04")[5:].min() > 0.6
        assert columns.column("alike_16")[20:].min() > 0.6
    columns = measure(np.concatenate([shot[:20], other[20:]]), np.arange(40) / 12.5)
    assert columns.column("alike_04")[20:24].max() < 0.4
    assert columns.column("alike_16")[20:39].max() < 0.4
    assert (columns.column("alike_16")[:20] == 0).all()
    assert (columns.column("alike_32") == 0).all()


@pytest.mark.parametrize("fps", [24, 25, 30, 50, 60, 120])
def test_a_cut_is_likely_at_its_own_frame_alone_at_any_frame_rate(fps):
    shown, at_s = film(fps, duration_s=10, cut_s=4, turn_s=(7, 8))
    cut = measure(shown, at_s).column("cut")
    assert np.flatnonzero(cut > 0.5).tolist() == [4 * fps]


@pytest.mark.parametrize(
    ("fps", "gaps"), [(24, (2,)), (25, (1, 2)), (30, (2, 2, 1)), (30, (1, 1, 1, 1, 2, 2, 2, 2))], ids=str
)
def test_frames_left_out_as_encoders_have_them_make_no_cut_and_hide_none(fps, gaps):
    shown, at_s = film(fps, duration_s=12, cut_s=4, turn_s=(8, 9))
    steps = np.append(0, np.cumsum(np.tile(gaps, len(at_s))))
    seen = steps[steps < len(at_s)]
    series = measure(shown[seen], at_s[seen])
    [cut] = np.flatnonzero(series.column("cut") > 0.5).tolist()
    assert seen[cut - 1] < 4 * fps <= seen[cut]
    likely = series.column("dissolve")
    assert likely[(at_s[seen] > 8.25) & (at_s[seen] < 8.75)].min() > 0.5
    assert likely[(at_s[seen] < 7.6) | (at_s[seen] > 9.4)].max() < 0.5


@pytest.mark.parametrize("drawings", [5, 6, 8, 12])
def test_pictures_that_are_repeated_make_no_cut_and_hide_none(drawings):
    """A pan that is drawn so many times in a second, in a file of 24 frames per second, and a cut at 8 s.

    That it is jerky shows when it has been for a moment.
    """
    shown, at_s = film(24)
    pans = [cv2.resize(p, (48, 26), interpolation=cv2.INTER_AREA) for p in pan(192, seed=1, speed=1, times=at_s[:192])]
    shown[:192] = pans
    drawn = shown[np.searchsorted(at_s, np.floor(at_s * drawings + 1e-6) / drawings - 1e-6)].round()
    coded = drawn + (np.random.default_rng(0).random(drawn.shape) < 0.05)
    likely = measure(np.clip(coded, 0, 255), at_s).column("cut")
    assert [i for i in np.flatnonzero(likely[:288] > 0.5) if at_s[i] > 0.6] == [192]


def test_a_dissolve_is_likely_while_it_lasts():
    shown, at_s = film(25)
    likely = measure(shown, at_s).column("dissolve")
    assert likely[(at_s > 15.2) & (at_s < 15.8)].min() > 0.5
    assert likely[(at_s < 14.7) | (at_s > 16.3)].max() < 0.5


def test_frame_rate_and_size_do_not_change_the_answer(tmp_path):
    paths = []
    for fps, size in ((24, (426, 240)), (60, (426, 240)), (24, (1280, 720))):
        old, new, third = (list(pan(2 * fps, seed=seed, speed=0.1, fps=fps, size=size)) for seed in (1, 2, 3))
        path = tmp_path / f"{fps}_{size[0]}.mp4"
        write_video(path, [*old, *dissolve(new, third, fps)], fps=fps)
        paths.append(path)
    found = find_shots(paths)
    assert [len(one["transitions"]) for one in found] == [2, 2, 2]
    for one in found:
        for mine, first in zip(one["transitions"], found[0]["transitions"], strict=True):
            assert mine["kind"] == first["kind"]
            assert mine["start_s"] == pytest.approx(first["start_s"], abs=2.5 / 24)
            assert mine["end_s"] == pytest.approx(first["end_s"], abs=2.5 / 24)
