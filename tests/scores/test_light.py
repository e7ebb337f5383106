"""Too dark and too bright, whatever a few frames do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from longtake.recipe import resolve
from longtake.records import Series
from longtake.scores.light import light
from longtake.signals.look import Look
from longtake.video.scan import Frames

TOO_DARK, TOO_BRIGHT = 20 / 255, 235 / 255


def series_of(luma: list[float] | np.ndarray) -> Series:
    values = np.full((len(luma), len(Look.columns)), np.nan, np.float32)
    values[:, Look.columns.index("luma")] = luma
    return Series(Look.columns, np.arange(len(luma)) / 2, np.arange(len(luma), dtype=np.int32), values)


def test_a_fifth_of_the_frames_on_either_side_is_left_out() -> None:
    scores = light(series_of([0.0, 0.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.9]))
    assert scores == pytest.approx({"brightest80": (7 * 0.5 + 0.9) / 8, "darkest80": 6 * 0.5 / 8})


def test_night_is_too_dark_and_a_few_black_frames_are_not() -> None:
    night = [0.05] * 81 + [0.5] * 9
    fades = [0.0] * 18 + [0.3] * 72
    assert light(series_of(night))["brightest80"] > TOO_DARK, "a tenth of lit frames is enough to see something"
    assert light(series_of([0.05] * 90))["brightest80"] < TOO_DARK
    assert light(series_of(fades))["brightest80"] == pytest.approx(0.3)


def test_fog_is_too_bright_and_a_few_flashes_are_not() -> None:
    assert light(series_of([0.95] * 90))["darkest80"] > TOO_BRIGHT
    assert light(series_of([1.0] * 18 + [0.6] * 72))["darkest80"] == pytest.approx(0.6)


@pytest.mark.parametrize(("gray", "dark", "bright"), [(8, True, False), (128, False, False), (250, False, True)])
def test_pictures_through_the_signal(gray: int, dark: bool, bright: bool) -> None:
    pixels = np.full((6, 180, 320), gray, np.uint8)
    scores = light(Look()(Frames(np.arange(6) / 2, np.arange(6, dtype=np.int32), pixels, last=True)))
    assert (scores["brightest80"] < TOO_DARK, scores["darkest80"] > TOO_BRIGHT) == (dark, bright)


@given(arrays(np.float32, st.integers(1, 40), elements=st.floats(0, 1, width=32)))
def test_the_two_lie_about_the_mean(luma: np.ndarray) -> None:
    scores = light(series_of(luma))
    mean = float(luma.astype(np.float64).mean())
    assert 0 <= scores["darkest80"] <= mean + 1e-9 and mean - 1e-9 <= scores["brightest80"] <= 1
    twice_as_often = light(series_of(np.repeat(luma, 10)))
    assert light(series_of(np.repeat(luma, 5))) == pytest.approx(twice_as_often), "the rate of frames is no matter"


def test_frames_without_a_measure_do_not_count() -> None:
    assert light(series_of([np.nan, 0.4, np.nan])) == pytest.approx({"brightest80": 0.4, "darkest80": 0.4})
    assert set(light(series_of([np.nan])).values()) == set(light(series_of([])).values()) == {None}


def test_rules_can_ask_for_it() -> None:
    recipe = resolve({"scores": {"light": {}}, "select": {"keep": ["light.brightest80 >= 0.0784"]}})
    assert recipe.scores["light"].signal == "look"
