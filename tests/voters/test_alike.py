"""The voter that compares both sides of a transition: which frames it takes, and when it can't tell."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longtake.errors import UsageError
from longtake.records import Series, Shot, Vote
from longtake.voters.alike import alike

FPS = 25
COLUMNS = ("colour_00", "colour_01", "shape_00", "shape_01")


def shots_of(*edges: int) -> list[Shot]:
    """Make shots of so many frames at 25 per second, from edge to edge."""
    return [Shot(a / FPS, b / FPS, a, b) for a, b in pairwise(edges)]


def seen(rows: dict[int, list[float]], columns: tuple[str, ...] = COLUMNS) -> Series:
    """Make a signal from: frame number -> values."""
    frames = np.array(sorted(rows), np.int32)
    values = np.array([rows[frame] for frame in frames.tolist()], np.float32).reshape(len(frames), len(columns))
    return Series(columns, frames / FPS, frames, values)


RED, BLUE = [1.0, 0.0], [0.0, 1.0]
ROUND, SQUARE = [1.0, 0.0], [0.0, 1.0]
BACK = [-1.0, 0.0]


@pytest.mark.parametrize(
    ("columns", "joins", "score"),
    [("", False, 0.5), ("colour", True, 1.0), ("shape", False, 0.0), ("shape_", False, 0.0)],
)
def test_columns_choose_what_is_compared(columns: str, joins: bool, score: float) -> None:
    before, after = [*RED, *ROUND], [*RED, *SQUARE]
    some = seen({frame: before if frame < 100 else after for frame in range(0, 200, 12)})
    (vote,) = alike(some, shots_of(0, 100, 200), columns=columns)
    assert vote == Vote(joins, pytest.approx(score))


def test_the_threshold_itself_joins() -> None:
    some = seen({0: [1, 0], 12: [1, 0], 36: [0.6, 0.8]}, ("a", "b"))
    shots = shots_of(0, 24, 50)
    (vote,) = alike(some, shots)
    assert vote.score == pytest.approx(0.6)
    assert alike(some, shots, threshold=vote.score)[0].joins is True
    assert alike(some, shots, threshold=math.nextafter(vote.score, 1))[0].joins is False


def test_frames_beside_the_transition_and_far_from_it_do_not_count() -> None:
    """A cut found two frames late or early, a dissolve, and what the shots show elsewhere leave no trace."""
    near = dict.fromkeys([*range(75, 98), *range(112, 136)], RED)  # a second, but for two frames at the dissolve
    shots = [Shot(0, 4.0, 0, 100), Shot(4.4, 12.0, 110, 300)]
    (vote,) = alike(seen(near, ("a", "b")), shots)
    assert vote == Vote(True, pytest.approx(1))
    beside = dict.fromkeys([98, 99, *range(100, 110)], BLUE) | dict.fromkeys([110, 111], BACK)
    far = dict.fromkeys([*range(0, 75), *range(136, 300)], BLUE)
    assert alike(seen(near | beside | far, ("a", "b")), shots) == [vote]
    sparse = {90: RED, 120: RED}
    assert alike(seen(sparse | far, ("a", "b")), shots) == [vote]


def test_the_three_nearest_are_taken() -> None:
    rows = dict.fromkeys((80, 84), BLUE) | dict.fromkeys((88, 92, 96), RED)
    rows |= dict.fromkeys((104, 108, 112), RED) | dict.fromkeys((116, 120), BLUE)
    assert alike(seen(rows, ("a", "b")), shots_of(0, 100, 200)) == [Vote(True, pytest.approx(1))]


def test_a_short_shot_is_told_by_what_it_has() -> None:
    some = seen({0: RED, 24: RED, 50: RED, 80: BLUE}, ("a", "b"))
    first, second = alike(some, shots_of(0, 45, 55, 100))
    assert (first.joins, second.joins) == (True, False)


@pytest.mark.parametrize("empty", [{}, {0: RED}, {0: RED, 60: [math.nan, 0]}, {0: RED, 60: [0, 0]}, {0: RED, 51: RED}])
def test_a_side_without_a_measured_row_gives_no_vote(empty: dict[int, list[float]]) -> None:
    assert alike(seen({**empty, 200: RED}, ("a", "b")), shots_of(0, 50, 250)) == [Vote(None, None)]


def test_a_bright_frame_weighs_no_more_than_a_dark_one() -> None:
    some = seen({40: [100, 0], 45: [0, 0.1], 60: [1, 1]}, ("a", "b"))
    assert alike(some, shots_of(0, 50, 100))[0].score == pytest.approx(1)


def test_a_video_of_one_shot_has_nothing_to_vote_on() -> None:
    assert alike(seen({0: RED}, ("a", "b")), shots_of(0, 50)) == []


def test_columns_that_are_not_there_are_refused() -> None:
    with pytest.raises(UsageError, match=r"columns = 'color'.*colour_00"):
        alike(seen({}), shots_of(0, 50), columns="color")


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.sampled_from([0.1, 0.5, 1.0, 3.0]))
def test_a_plain_account_of_it_says_the_same(seed: int, step: int, side_s: float) -> None:
    rng = np.random.default_rng(seed)
    shots = shots_of(0, *np.cumsum(rng.integers(1, 60, 6)).tolist())
    rows = {frame: rng.integers(-2, 3, 2).astype(float).tolist() for frame in range(0, 360, step)}
    votes = alike(seen(rows, ("a", "b")), shots, side_s=side_s)

    def mean(frames: list[int]) -> np.ndarray:
        good = [np.array(rows[frame]) / np.linalg.norm(rows[frame]) for frame in frames if any(rows[frame])]
        return np.sum(good, axis=0) if good else np.zeros(2)

    for one, other, vote in zip(shots[:-1], shots[1:], votes, strict=True):
        clear = [[f for f in sorted(rows) if s.start_frame + 2 <= f < s.end_frame - 2] for s in (one, other)]
        before = mean([f for f in clear[0] if f / FPS >= one.end_s - side_s][-3:])
        after = mean([f for f in clear[1] if f / FPS <= other.start_s + side_s][:3])
        product = np.linalg.norm(before) * np.linalg.norm(after)
        if product < 1e-6:
            assert vote == Vote(None)  # nothing measured, or directions that cancel out
        else:
            assert vote.score == pytest.approx(before @ after / product, abs=1e-5)
            assert vote.joins is (vote.score >= 0.8)
