import numpy as np
import pytest

from longtake.records import Series
from longtake.scores.raft import raft


def series(*values: float) -> Series:
    count = len(values)
    rows = np.array([[value, value / 260] for value in values], np.float32).reshape(-1, 2)
    return Series(("mean_px", "mean"), np.arange(count) / 2, np.arange(count, dtype=np.int32) * 12, rows)


def test_it_is_the_mean_over_all_pairs() -> None:
    assert raft(series(10, 20, 60, np.nan)) == {"mean_px": 30, "mean": pytest.approx(30 / 260)}


def test_a_pair_that_ends_beyond_the_clip_does_not_count() -> None:
    """As over a cut: the last row inside tells what moves after it."""
    video = series(10, 20, 500, 30, 40, np.nan)
    assert raft(video.between(0, 1.4))["mean_px"] == 15
    assert raft(video.between(1.5, 3))["mean_px"] == 35


def test_gaps_do_not_count() -> None:
    assert raft(series(10, np.nan, 20, 90))["mean_px"] == 15


@pytest.mark.parametrize("values", [(), (5,), (np.nan, np.nan, 5)])
def test_without_a_pair_nothing_is_said(values: tuple[float, ...]) -> None:
    assert raft(series(*values)) == {"mean_px": None, "mean": None}
