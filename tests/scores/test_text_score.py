import numpy as np
import pytest

from longtake.records import Series
from longtake.scores.text import LOGO, TEXT, text
from longtake.signals.text import Text

NAN = float("nan")


def series(*rows: tuple[float, ...]) -> Series:
    n = len(rows)
    values = np.array(rows, np.float32).reshape(n, len(Text.columns))
    return Series(Text.columns, np.arange(float(n)), np.arange(n, dtype=np.int32), values)


def row(*, top: float = 0, middle: float = 0, bottom: float = 0, doubt: float = 0, logo: float = NAN, at=(NAN, NAN)):
    return (top + middle + bottom, top, middle, bottom, doubt, logo, *at)


def test_text_over_time() -> None:
    found = text(series(row(), row(bottom=0.04), row(bottom=0.02, top=0.02), row(doubt=0.01)))
    assert found["area"] == pytest.approx(0.02)
    assert found["max"] == pytest.approx(0.04)
    assert found["time"] == 0.5
    assert (found["top"], found["middle"], found["bottom"]) == pytest.approx((0.005, 0, 0.015))
    assert found["doubt"] == pytest.approx(0.01)


def test_a_speck_is_no_text() -> None:
    assert text(series(row(top=TEXT / 2)))["time"] == 0
    assert text(series(row(top=TEXT * 1.1)))["time"] == 1


def test_a_logo_over_time() -> None:
    there = row(logo=0.01, at=(0.9, 0.1))
    found = text(series(row(), there, there, row(logo=0)))
    assert found["logo"] == pytest.approx(0.01)
    assert found["logo_time"] == pytest.approx(2 / 3)
    assert (found["logo_x"], found["logo_y"]) == pytest.approx((0.9, 0.1))


def test_no_logo_is_not_the_same_as_not_known() -> None:
    none, unknown = text(series(row(logo=0), row(logo=LOGO / 2, at=(0.5, 0.5)))), text(series(row(), row()))
    assert (none["logo_time"], none["logo_x"]) == (0, None)
    assert unknown["logo"] is unknown["logo_time"] is unknown["logo_x"] is None
    assert unknown["area"] == 0


def test_of_no_rows_nothing_is_known_by_the_same_names() -> None:
    nothing = text(series())
    assert set(nothing) == set(text(series(row())))
    assert set(nothing.values()) == {None}
