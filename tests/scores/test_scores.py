import warnings

import numpy as np
import pytest

from longtake.records import Series
from longtake.scores.camera import camera
from longtake.scores.colour import colour
from longtake.scores.content import content
from longtake.scores.fine import fine
from longtake.scores.look import look
from longtake.scores.motion import motion
from longtake.scores.things import things
from longtake.signals.colour import Colour
from longtake.signals.content import Content
from longtake.signals.fine import Fine
from longtake.signals.look import Look
from longtake.signals.motion import Motion

STEPS = [
    (motion, Motion),
    (camera, Motion),
    (things, Motion),
    (look, Look),
    (content, Content),
    (colour, Colour),
    (fine, Fine),
]


def series_of(columns: tuple[str, ...], **values: list[float]) -> Series:
    """A series with a row each half second; columns that aren't given are NaN."""
    count = len(next(iter(values.values())))
    table = np.full((count, len(columns)), np.nan, np.float32)
    for name, column in values.items():
        table[:, columns.index(name)] = column
    return Series(columns, np.arange(count) / 2, np.arange(count, dtype=np.int32) * 12, table)


@pytest.mark.parametrize(("score", "signal"), STEPS)
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_what_was_not_measured_is_none(score, signal, rows: int) -> None:
    blank = Series(
        signal.columns, np.arange(float(rows)), np.arange(rows, dtype=np.int32),
        np.full((rows, len(signal.columns)), np.nan, np.float32),
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = score(blank)
    assert scores
    assert set(scores.values()) == {None}


@pytest.mark.parametrize(("score", "signal"), STEPS)
def test_every_part_is_told_in_the_docstring(score, signal) -> None:
    rows = Series(signal.columns, np.arange(4.0), np.arange(4, dtype=np.int32), np.ones((4, len(signal.columns)), "f4"))
    scores = score(rows)
    assert all(type(value) is float for value in scores.values())
    told = [line.split(":")[0].strip() for line in score.__doc__.splitlines() if ":" in line]
    assert set(scores) <= set(told)
    columns = [line.split(":")[0].strip() for line in signal.__doc__.splitlines() if ":" in line]
    assert set(signal.columns) <= set(columns)


def test_motion_over_time() -> None:
    rows = series_of(Motion.columns, mean=[0.0, 0.005, *np.full(8, 0.2), *np.full(10, 0.4), float("nan")])
    scores = motion(rows)
    assert scores["mean"] == pytest.approx((0.005 + 1.6 + 4) / 20)
    assert scores["median"] == pytest.approx(0.3, abs=0.11)
    assert scores["still"] == pytest.approx(0.1)
    assert scores["p10"] < scores["median"] < scores["p90"] + 1e-6
    assert scores["p90"] == pytest.approx(0.4)


def test_look_takes_medians_and_the_area_behind_borders() -> None:
    rows = series_of(
        Look.columns,
        luma=[0.2, 0.5, 0.6],
        spread=[0.1, 0.2, 0.9],
        sharpness=[float("nan"), 0.1, 0.2],
        border_top=[float("nan"), 0.1, 0.1],
        border_bottom=[float("nan"), 0.1, 0.1],
        border_left=[float("nan"), 0.25, 0.25],
        border_right=[float("nan"), 0.25, 0.25],
    )
    told = look(rows)
    medians = {name: told[name] for name in ("luma", "spread", "sharpness", "border")}
    assert medians == pytest.approx({"luma": 0.5, "spread": 0.2, "sharpness": 0.15, "border": 1 - 0.8 * 0.5})


def test_content_leaves_out_the_change_that_led_into_the_clip() -> None:
    rows = series_of(Content.columns, score=[90.0, 4.0, 7.0, float("nan")])
    assert content(rows) == {"max": 7.0}
    assert content(rows.between(0, 0.5)) == {"max": None}
