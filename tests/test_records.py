"""The plain data: series check their shapes, and are cut by time."""

import pickle
from dataclasses import FrozenInstanceError
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longtake.errors import FAILURE_KINDS, LongtakeError, VideoError
from longtake.records import Clip, Series


def series(times):
    times = np.array(times, np.float64)
    frames = np.arange(len(times), dtype=np.int32)
    return Series(("number", "twice"), times, frames, np.stack([frames, 2 * frames], 1).astype(np.float32))


def test_a_column_by_name():
    assert series([0, 1, 2]).column("twice").tolist() == [0, 2, 4]
    with pytest.raises(ValueError, match="not in"):
        series([0]).column("thrice")


@pytest.mark.parametrize(
    ("times", "frames", "values"),
    [(2, 3, (3, 2)), (3, 2, (3, 2)), (3, 3, (2, 2)), (3, 3, (3, 1)), (3, 3, (3,)), (0, 0, (0,))],
)
def test_shapes_that_disagree_are_refused(times, frames, values):
    with pytest.raises(ValueError, match="a series of 2 columns"):
        Series(("a", "b"), np.zeros(times), np.zeros(frames, np.int32), np.zeros(values, np.float32))


def test_between_is_half_open():
    part = series([0, 0.5, 1, 1.5]).between(0.5, 1.5)
    assert part.times.tolist() == [0.5, 1]
    assert part.frames.tolist() == [1, 2]
    assert part.column("twice").tolist() == [2, 4]
    assert part.columns == ("number", "twice")


def test_between_of_nothing_is_empty():
    assert len(series([]).between(0, 10)) == 0
    assert len(series([0, 1]).between(2, 9)) == 0
    assert len(series([0, 1]).between(0.5, 0.5)) == 0


@given(st.sets(st.floats(0, 100), max_size=30), st.lists(st.floats(-1, 101), min_size=1, max_size=5))
def test_spans_that_tile_share_all_rows_out(times, bounds):
    whole = series(sorted(times))
    edges = [-2, *sorted(bounds), 102]
    parts = [whole.between(a, b) for a, b in pairwise(edges)]
    assert np.concatenate([part.frames for part in parts]).tolist() == whole.frames.tolist()


def test_records_are_frozen():
    clip = Clip("a-1", "a", 1.5, 4.0, 36, 96)
    assert clip.duration_s == 2.5
    assert clip.scores == {}
    with pytest.raises(FrozenInstanceError):
        clip.start_s = 0


@pytest.mark.parametrize("kind", FAILURE_KINDS)
def test_a_video_error_survives_the_way_between_processes(kind):
    error = pickle.loads(pickle.dumps(VideoError(kind, "a.mp4: try another")))
    assert (error.kind, error.message, str(error)) == (kind, "a.mp4: try another", "a.mp4: try another")
    assert isinstance(error, LongtakeError)
