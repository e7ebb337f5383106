from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longtake.moves import BLIP_S, Move, find_jolts, find_moves, shake_of, tile
from longtake.records import Series
from longtake.signals.motion import Motion
from longtake.video import scan

COLUMNS = ("shift_x", "shift_y", "zoom", "roll")


def motion(*rows: tuple[float, float, float, float], times: list[float] | None = None) -> Series:
    """Rows of (shift_x, shift_y, zoom, roll), two per second."""
    table = np.full((len(rows), len(Motion.columns)), np.nan, np.float32)
    for row, values in enumerate(rows):
        for name, value in zip(COLUMNS, values, strict=True):
            table[row, Motion.columns.index(name)] = value
    at = np.arange(len(rows)) / 2 if times is None else np.array(times)
    return Series(Motion.columns, at, np.arange(len(rows), dtype=np.int32), table)


STILL = (0.001, -0.002, 0.0, 0.1)
UNKNOWN = (np.nan,) * 4
ONE_WAY = {
    "static": STILL,
    "pan right": (-0.1, 0.01, 0.0, 0.0),
    "pan left": (0.1, 0.02, 0.01, 0.0),
    "tilt down": (0.0, -0.1, 0.0, 0.0),
    "tilt up": (0.02, 0.1, 0.0, 0.0),
    "zoom in": (0.01, 0.0, 0.1, 0.0),
    "zoom out": (0.0, 0.01, -0.1, 0.0),
    "roll anticlockwise": (0.0, 0.0, 0.0, 10.0),
    "roll clockwise": (0.01, 0.0, 0.0, -10.0),
    "moving": (0.1, 0.09, 0.0, 0.0),  # aslant
    "unknown": UNKNOWN,
}


@pytest.mark.parametrize(("kind", "row"), ONE_WAY.items())
def test_one_way_is_one_move(kind: str, row: tuple[float, float, float, float]) -> None:
    (move,) = find_moves(motion(*[row] * 8), 4.0)
    assert (move.kind, move.start_s, move.end_s) == (kind, 0.0, 4.0)


@pytest.mark.parametrize(
    ("kind", "speed"),
    [("pan right", 0.1), ("tilt up", 0.1), ("zoom in", np.expm1(0.1)), ("zoom out", -np.expm1(-0.1)),
     ("roll clockwise", 10.0), ("moving", np.hypot(0.1, 0.09)), ("unknown", 0.0)],
)  # fmt: skip
def test_speeds_are_in_the_unit_of_the_move(kind: str, speed: float) -> None:
    (move,) = find_moves(motion(*[ONE_WAY[kind]] * 8), 4.0)
    assert move.speed == pytest.approx(speed, rel=1e-5)


def test_moves_follow_each_other() -> None:
    moves = find_moves(motion(*[STILL] * 8, *[ONE_WAY["pan right"]] * 10, *[UNKNOWN] * 8), 13.0)
    assert [move.kind for move in moves] == ["static", "pan right", "unknown"]
    assert moves[0].end_s == pytest.approx(4, abs=0.8)
    assert moves[1].end_s == pytest.approx(9, abs=0.8)


def test_a_hand_that_shakes_has_no_direction() -> None:
    sway = [(0.1, 0.0, 0.0, 0.0), (-0.1, 0.02, 0.0, 0.0)] * 8
    assert [move.kind for move in find_moves(motion(*sway), 8.0)] == ["handheld"]
    tremble = [(0.01, 0.0, 0.0, 0.0), (-0.01, 0.01, 0.0, 0.0)] * 8
    assert [move.kind for move in find_moves(motion(*tremble), 8.0)] == ["static"]


def test_several_ways_at_once_are_no_shake() -> None:
    spiral = (0.1, 0.0, 0.2, 11.0)
    assert [move.kind for move in find_moves(motion(*[spiral] * 8), 4.0)] == ["moving"]


@given(st.integers(0, 2**32 - 1))
def test_shake_is_handheld_and_a_pan_shows_through_it(seed: int) -> None:
    """A direction that chance gives for a moment is none; a real one is as strong as the shake."""
    jitter = np.random.default_rng(seed).normal(0, 0.1, (40, 2))
    kinds = {"handheld": 0.0, "pan right": 0.0}
    for kind, right in (("handheld", 0.0), ("pan right", 0.4)):
        rows = [(x - right, y, 0.0, 0.0) for x, y in jitter.tolist()]
        kinds[kind] = sum(move.duration_s for move in find_moves(motion(*rows), 20.0) if move.kind == kind) / 20
    assert kinds["handheld"] > 0.6
    assert kinds["pan right"] > 0.6


def test_jolts_are_what_is_off_the_line() -> None:
    even = motion(*[(0.02 * i, 0.0, 0.0, 0.0) for i in range(10)])
    np.testing.assert_allclose(find_jolts(even)[1:-1], 0, atol=1e-9)
    assert np.isnan(find_jolts(even)[[0, -1]]).all()
    rng = np.random.default_rng(0)
    chance = motion(*[(x, y, 0.0, 0.0) for x, y in rng.normal(0, 0.1, (4000, 2)).tolist()])
    assert np.nanmean(find_jolts(chance)) == pytest.approx(2 * 0.1**2, rel=0.1)
    assert shake_of(find_jolts(chance)) == pytest.approx(0.1 * np.sqrt(2), rel=0.05)
    assert np.isnan(find_jolts(motion(STILL, STILL, STILL, times=[0.0, 2.0, 4.0]))).all()
    assert shake_of(find_jolts(motion())) == 0


def test_a_row_that_was_not_measured_is_passed_over() -> None:
    pans = [ONE_WAY["pan left"]] * 4
    assert [move.kind for move in find_moves(motion(*pans, UNKNOWN, *pans), 4.5)] == ["pan left"]


def test_without_rows_there_are_no_moves() -> None:
    assert find_moves(motion(), 3.0) == ()


def test_blips_join_the_longer_neighbour() -> None:
    times = np.arange(20) / 2
    words = ["a"] * 8 + ["b"] + ["c"] * 11
    assert [(span.word, span.end_s) for span in tile(times, words, 10.0)] == [("a", 3.75), ("c", 10.0)]
    words = ["a"] * 12 + ["b"] + ["a"] * 7
    assert [span.word for span in tile(times, words, 10.0)] == ["a"]
    assert [span.word for span in tile(times[:2], ["a", "b"], 0.9)] == ["b"]


RATES = st.floats(-0.3, 0.3) | st.just(float("nan"))


@given(
    steps=st.lists(st.floats(0.01, 3), max_size=40),
    more_s=st.floats(0.01, 3),
    data=st.data(),
)
def test_moves_tile_the_clip(steps: list[float], more_s: float, data: st.DataObject) -> None:
    times = np.cumsum(steps).tolist()
    duration_s = (times[-1] if times else 0.0) + more_s
    rows = [tuple(data.draw(st.tuples(RATES, RATES, RATES, RATES))) for _ in times]
    series = motion(*rows, times=times)
    moves = find_moves(series, duration_s)
    assert moves == find_moves(series, duration_s)
    assert bool(moves) == bool(times)
    if moves:
        assert moves[0].start_s == 0
        assert moves[-1].end_s == duration_s
        assert all(one.end_s == other.start_s and one.kind != other.kind for one, other in pairwise(moves))
        assert all(move.duration_s >= min(BLIP_S, duration_s) - 1e-9 and move.speed >= 0 for move in moves)


@pytest.mark.parametrize(("name", "kind"), [("still", "static"), ("slow_pan", "pan right"), ("fast_pan", "pan right")])
def test_moves_of_real_files(media, name: str, kind: str) -> None:
    seen = scan(media[name], {"motion": Motion()})
    (move,) = find_moves(seen.series["motion"], seen.video.duration_s)
    assert isinstance(move, Move)
    assert move.kind == kind
    assert move.speed == pytest.approx({"still": 0, "slow_pan": 0.1, "fast_pan": 1}[name], rel=0.1)
