"""Vectors of stretches: which rows stand for one, what their mean is, and what is said where nothing was measured."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longtake.records import Series
from longtake.similarity import any_above, cosines, frame_vectors, mean_vectors, pair_cosines, row_vectors, unit


def series(times: list[float], values: object) -> Series:
    frames = np.arange(len(times), dtype=np.int32)
    return Series(("a", "b"), np.array(times, np.float64), frames, np.asarray(values, np.float32))


@st.composite
def signals(draw: st.DrawFn) -> tuple[Series, list[float], list[float]]:
    """Rows at uneven times, each a direction of its own so that it is known again, and some stretches."""
    steps = draw(st.lists(st.integers(1, 900), max_size=30))
    times = (np.cumsum(steps) / 256).tolist()
    angles = np.arange(len(times)) / 40
    stretches = draw(st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 4000)), max_size=8))
    starts = [start / 256 for start, _ in stretches]
    return (
        series(times, np.stack([np.cos(angles), np.sin(angles)], 1)),
        starts,
        [start + length / 256 for start, (_, length) in zip(starts, stretches, strict=True)],
    )


@given(signals())
def test_rows_are_those_inside_nearest_to_the_quarter_points(made: tuple[Series, list[float], list[float]]) -> None:
    some, starts, ends = made
    found = frame_vectors(some, starts, ends)
    assert found.shape == (len(starts), 3, 2)
    for start, end, vectors in zip(starts, ends, found, strict=True):
        inside = [row for row, time in enumerate(some.times.tolist()) if start <= time < end]
        for quarter, vector in enumerate(vectors, 1):
            point = start + (end - start) * quarter / 4
            if inside:
                best = min(inside, key=lambda row: abs(some.times[row] - point))
                assert vector == pytest.approx(some.values[best], abs=1e-6)
            else:
                assert np.isnan(vector).all()


def test_a_row_at_the_end_of_a_stretch_belongs_to_the_next_one() -> None:
    some = series([0.0, 1.0, 2.0], [[1, 0], [0, 1], [1, 1]])
    first, second = frame_vectors(some, [0.0, 1.0], [1.0, 2.0])
    assert first.tolist() == [[1, 0]] * 3
    assert second.tolist() == [[0, 1]] * 3


def test_a_mean_is_of_those_that_were_measured() -> None:
    nan = math.nan
    some = series([0.25, 0.5, 0.75, 1.5], [[2, 0], [nan, 1], [0, 0.1], [0, 0]])
    vectors = mean_vectors(frame_vectors(some, [0, 1, 2], [1, 2, 3]))
    assert vectors[0] == pytest.approx([math.sqrt(0.5)] * 2)  # a bright frame counts no more than a dark one
    assert np.isnan(vectors[1:]).all()
    assert np.isnan(mean_vectors(np.array([[[1, 0], [-1, 0]]], np.float32))).all()


@pytest.mark.parametrize("scale", [1e-30, 1e-6, 1.0, 1e30])
def test_length_is_one_whatever_it_was(scale: float) -> None:
    assert unit(np.array([[3, 4]], np.float32) * np.float32(scale)) == pytest.approx(np.array([[0.6, 0.8]]))


@pytest.mark.parametrize("bad", [0, math.nan, math.inf])
def test_what_has_no_direction_is_nan_as_a_whole(bad: float) -> None:
    assert np.isnan(unit(np.array([[bad, bad]], np.float32))).all()
    if bad:
        assert np.isnan(unit(np.array([[1, bad], [bad, 1]], np.float32))).all()


def test_rows_that_are_not_there_are_nan() -> None:
    found = row_vectors(np.array([[2, 0], [0, 2]], np.float32), np.array([[0, 1, 9]]), np.array([[True, True, False]]))
    assert found[0, :2].tolist() == [[1, 0], [0, 1]]
    assert np.isnan(found[0, 2]).all()


vectors = st.lists(st.tuples(*[st.integers(-3, 3)] * 3), max_size=12).map(
    lambda rows: unit(np.array(rows, np.float32).reshape(-1, 3))
)


@given(vectors, vectors)
def test_all_ways_to_compare_agree(some: np.ndarray, others: np.ndarray) -> None:
    whole = cosines(some, others)
    n = min(len(some), len(others))
    assert whole.shape == (len(some), len(others))
    assert np.isnan(whole).tolist() == (np.isnan(some[:, :1]) | np.isnan(others[:, 0])).tolist()
    assert (np.abs(whole[~np.isnan(whole)]) <= 1).all()
    assert pair_cosines(some[:n], others[:n]) == pytest.approx(np.diag(whole)[:n], abs=1e-6, nan_ok=True)
    for number, other in enumerate(others):
        for above in (-0.9, 0.1, 0.85):
            assert any_above(some, other, above) == bool((whole[:, number] > above).any())


@pytest.mark.parametrize("place", [0, 255, 256, 511, 512, 599])
def test_one_alike_among_many_is_found_wherever_it_stands(place: int) -> None:
    some = np.tile(np.array([0, 1], np.float32), (600, 1))
    some[place] = 1, 0
    assert any_above(some, np.array([1, 0], np.float32), 0.9)
    assert not any_above(some, np.array([-1, 0], np.float32), 0.9)
