import numpy as np
import pytest
from pictures import dissolve, fade, measure, scene, times, wipe

from longtake.records import Series


def peak(series: Series, column: str) -> tuple[float, float]:
    """The greatest value of a column, and the time it is at."""
    row = int(np.nanargmax(series.column(column)))
    return float(series.column(column)[row]), float(series.times[row])


def film(fps: float) -> tuple[np.ndarray, np.ndarray]:
    at_s = times(fps, 12)
    shown = dissolve(scene(1, at_s), scene(2, at_s), at_s, 3, 4)
    return np.where((at_s >= 8)[:, None, None, None], scene(3, at_s), shown), at_s


def test_rows_do_not_depend_on_blocks():
    shown, at_s = film(30)
    whole = measure(shown, at_s)
    for block in (1, 7, 500):
        parts = measure(shown, at_s, block=block)
        np.testing.assert_array_equal(parts.times, at_s)
        np.testing.assert_array_equal(parts.frames, np.arange(len(at_s)))
        np.testing.assert_allclose(parts.values, whole.values, atol=2e-3)


@pytest.mark.parametrize("n", [0, 1, 2, 40])
def test_every_frame_has_a_row(n):
    series = measure(scene(1, times(25, n / 25)), times(25, n / 25))
    assert len(series) == n
    assert not np.isnan(series.values[:, :6]).any()


def test_a_still_changes_less_than_a_pan_and_a_pan_less_than_a_cut():
    at_s = times(25, 4)
    still, pan = (measure(scene(1, at_s, speed=speed), at_s) for speed in (0, 0.3))
    assert still.column("change").max() == 0
    assert 1 < np.median(pan.column("change")) < 20
    shown, at_s = film(25)
    cut = measure(shown, at_s)
    assert cut.column("lasting").argmax() == 8 * 25
    assert cut.column("lasting").max() > 30


def test_a_flash_and_a_passing_object_do_not_last():
    at_s = times(25, 6)
    flash = scene(1, at_s)
    flash[50:52] = 250
    flash[100:110, :, 10:40] = 20
    series = measure(flash, at_s)
    assert series.column("change")[[50, 52, 100, 110]].min() > 40
    assert series.column("lasting").max() < 15


def test_inset_pictures_and_subtitles_leave_the_middle():
    at_s = times(25, 4)
    shown = scene(1, at_s)
    shown[50:, :5, 36:] = 250
    shown[50:, 23:, 10:38] = 250
    series = measure(shown, at_s)
    assert series.column("change")[50] > 20
    assert series.column("change_mid")[50] < 5


def test_bars_that_appear_change_little():
    at_s = times(25, 4)
    shown = scene(1, at_s)
    shown[50:, :4] = shown[50:, 22:] = 0
    barred = measure(shown, at_s)
    shown[50:, :4] = shown[50:, 22:] = 255
    framed = measure(shown, at_s)
    assert barred.column("change")[50] < 0.5 * framed.column("change")[50]
    assert abs(barred.column("luma")[60] - barred.column("luma")[40]) < 8


def test_evidence_peaks_where_the_transition_is_and_tells_its_length():
    at_s = times(30, 10)
    for make, column in ((dissolve, "dissolve"), (wipe, "wipe")):
        for length_s in (0.5, 1.0, 2.0):
            series = measure(make(scene(1, at_s), scene(2, at_s), at_s, 5 - length_s / 2, 5 + length_s / 2), at_s)
            evidence, centre_s = peak(series, column)
            assert evidence > 0.75
            assert abs(centre_s - 5) < 0.15
            half_s = series.column(f"{column}_s")[round(30 * centre_s)]
            assert 0.35 * length_s < half_s < 0.75 * length_s


def test_a_ramp_stays_alike_and_a_fade_does_not():
    at_s = times(30, 6)
    dimmed = scene(1, at_s) * (1 - 0.9 * np.exp(-(((at_s - 3) / 0.5) ** 2)))[:, None, None, None]
    ramp = measure(dimmed, at_s)
    black = measure(fade(scene(1, at_s), scene(2, at_s), at_s, 2.5, 3.5), at_s)
    near = slice(80, 101)
    assert np.nanmax(ramp.column("unlike")[near]) < 0.2
    assert np.nanmax(black.column("unlike")[near]) > 0.5
    assert black.column("spread")[near].min() == 0


def test_frame_rate_does_not_matter():
    slow, fast = (measure(*film(fps)) for fps in (24, 60))
    assert peak(slow, "dissolve")[0] == pytest.approx(peak(fast, "dissolve")[0], abs=0.1)
    assert peak(slow, "lasting")[0] == pytest.approx(peak(fast, "lasting")[0], rel=0.1)
