"""Rows of `fine` over time; what pictures give is in `tests/signals/test_fine.py`."""

import numpy as np
import pytest

from longtake.records import Series
from longtake.scores.fine import fine
from longtake.signals.fine import Fine


def series_of(**values: list[float]) -> Series:
    count = len(next(iter(values.values())))
    table = np.full((count, len(Fine.columns)), np.nan, np.float32)
    for name, column in values.items():
        table[:, Fine.columns.index(name)] = column
    return Series(Fine.columns, np.arange(count) / 0.7, np.arange(count, dtype=np.int32) * 43, table)


def test_one_direction_stands_for_both_where_the_other_has_no_edges() -> None:
    told = fine(series_of(detail_x=[0.9, np.nan, 0.4, np.nan], detail_y=[0.4, 0.6, np.nan, np.nan]))
    assert told["resolution"] == pytest.approx(np.median([0.6, 0.6, 0.4]))
    assert told["noise"] is told["combs"] is told["combed"] is None


def test_a_few_sharp_frames_show_that_nothing_was_enlarged() -> None:
    told = fine(series_of(detail_x=[0.3] * 7 + [0.9] * 3, detail_y=[0.3] * 7 + [0.9] * 3))
    assert told["resolution"] == pytest.approx(0.3) and told["finest"] == pytest.approx(0.9)


def test_combs_over_time() -> None:
    told = fine(series_of(combs=[0.0, 0.002, 0.3, 0.1, np.nan], noise=[0.01, 0.02, 0.03, np.nan, np.nan]))
    assert told["combs"] == pytest.approx(0.402 / 4) and told["combed"] == 0.5
    assert told["noise"] == pytest.approx(0.02)
