"""Copies of footage, by arithmetic: what changes together is one stretch of footage, what only looks alike is not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longtake.duplicates import HZ, Copies, Joined, Match, match, parts, pictures
from longtake.records import Series

TOGETHER = Copies().together
CELLS = 36


def series(values: np.ndarray, hz: float = HZ, start_s: float = 0.0) -> Series:
    rows = np.asarray(values, np.float32)
    columns = tuple(f"c{i}" for i in range(rows.shape[1]))
    return Series(columns, start_s + np.arange(len(rows)) / hz, np.arange(len(rows), dtype=np.int32), rows)


def place(seed: int) -> np.ndarray:
    """The cells of a place, as long as nothing moves in it."""
    return np.random.default_rng(seed).uniform(40, 200, CELLS)


def action(seed: int, duration_s: float, strength: float = 12.0, hz: float = HZ) -> np.ndarray:
    """What moves: every cell on a smooth way of its own, shape (n, 36)."""
    rng = np.random.default_rng(seed)
    at_s = np.arange(round(duration_s * hz)) / hz
    waves = [rng.uniform(0.5, 1, CELLS) * np.sin(2 * np.pi * (f * at_s[:, None] + rng.random(CELLS))) for f in
             rng.uniform(0.1, 1.0, 6)]  # fmt: skip
    return strength * np.sum(waves, axis=0) / 2


def shown(values: np.ndarray, hz: float = HZ):
    return pictures(series(values, hz), 0.0, len(values) / hz)


def compare(some: np.ndarray, others: np.ndarray, part: float = 0.5):
    return match(shown(some), shown(others), part=part)


@given(st.integers(0, 10**6), st.integers(-40, 40), st.floats(0.6, 1.4), st.floats(-20, 20))
@settings(max_examples=60, deadline=None)
def test_a_copy_is_found_at_its_shift_whatever_its_brightness(seed: int, shift: int, gain: float, more: float) -> None:
    film = place(seed) + action(seed, 20)
    some, others = film[40:120], film[40 + shift : 120 + shift]
    found = compare(some, others * gain + more)
    assert found is not None
    assert found.is_copy(TOGETHER)
    assert found.shift_s == pytest.approx(shift / HZ)
    assert found.shared_s == (80 - abs(shift)) / HZ
    back = compare(others * gain + more, some)
    assert back is not None
    assert back.shift_s == -found.shift_s
    assert (back.alike, back.together, back.moving) == pytest.approx((found.alike, found.together, found.moving))


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_another_take_of_one_place_is_no_copy(seed: int) -> None:
    here = place(seed)
    found = compare(here + action(seed + 1, 8), here + action(seed + 2, 8))
    assert found is not None
    assert found.alike > 0.9
    assert not found.is_copy(TOGETHER)


def test_what_stands_still_is_a_copy_only_where_it_is_the_same_picture() -> None:
    rng = np.random.default_rng(1)
    grain = [rng.normal(0, 0.1, (64, CELLS)) for _ in range(2)]
    here = place(7)
    later = here + rng.normal(0, 3, CELLS)  # minutes later the light has changed a little
    assert compare(here + grain[0], here + grain[1]).is_copy(TOGETHER)
    assert not compare(here + grain[0], later + grain[1]).is_copy(TOGETHER)


def test_a_still_picture_is_no_copy_of_one_before_which_something_moves() -> None:
    here = place(3)
    found = compare(here + action(5, 8), np.repeat(here[None], 64, axis=0))
    assert not found.is_copy(TOGETHER)


def test_the_less_two_clips_share_the_more_they_must_change_together() -> None:
    def agree(shared_s: float) -> bool:
        return Match(shift_s=0, shared_s=shared_s, alike=0.9, together=0.7, moving=0.2).is_copy(TOGETHER)

    assert [agree(shared_s) for shared_s in (2, 3, 4, 5, 6, 20)] == [False, False, False, True, True, True]


def test_another_frame_rate_is_still_a_copy() -> None:
    film = action(2, 10, hz=120) + place(2)
    found = match(shown(film[::15], 8), shown(film[::20], 6), part=0.5)
    assert found.is_copy(TOGETHER)
    assert abs(found.shift_s) <= 1 / HZ


def test_one_that_holds_the_other_is_a_copy_and_one_that_shares_little_is_not() -> None:
    film = place(4) + action(4, 60)
    assert compare(film, film[200:280]).is_copy(TOGETHER)
    apart = compare(film[:240], film[200:440])
    assert apart is None or not apart.is_copy(TOGETHER)
    assert compare(film[:240], film[200:440], part=0.1).is_copy(TOGETHER)


@pytest.mark.parametrize("rows", [0, 1, 2, 15])
def test_what_is_too_short_to_tell_is_no_copy(rows: int) -> None:
    film = place(1) + action(1, 10)
    assert compare(film[:rows], film) is None


def test_a_clip_that_hardly_changes_is_one_part_and_a_pan_is_several() -> None:
    rng = np.random.default_rng(0)
    here, there = rng.normal(size=(2, 8))
    still = series(np.repeat(here[None], 80, axis=0), 2)
    assert parts(still, 0, 40)[0] == [(0, 40)]
    way = np.linspace(0, 1, 80)[:, None]
    spans, vectors = parts(series(here * (1 - way) + there * way, 2), 0, 40)
    assert 2 < len(spans) <= 10
    assert spans[0][0] == 0
    assert spans[-1][1] == 40
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_rows_that_tell_nothing_make_no_vector() -> None:
    spans, vectors = parts(series(np.full((20, 8), np.nan), 2), 0, 10)
    assert spans == []
    assert vectors.shape == (0, 8)


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=20), st.randoms())
def test_groups_are_the_same_in_any_order(pairs: list[tuple[int, int]], order) -> None:
    mixed = [pair if order.random() < 0.5 else pair[::-1] for pair in pairs]
    order.shuffle(mixed)
    found = []
    for some in (pairs, mixed):
        joined = Joined(12)
        for pair in some:
            joined.join(*pair)
        found.append(joined.least().tolist())
    assert found[0] == found[1]
    assert all(least <= i and found[0][least] == least for i, least in enumerate(found[0]))
    assert all(found[0][one] == found[0][other] for one, other in pairs)
