"""Packets of sudden size say where something new may begin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longtake.video.sudden import KEPT, Sudden

TICK_S = 0.001


def told(sizes, *, every_ms=80, keys=()):
    """Note packets of such sizes, one each `every_ms`, and return what is told of every tenth of a millisecond."""
    sudden = Sudden(TICK_S)
    for number, size in enumerate(sizes):
        sudden.add(number * every_ms, size, key=number in keys)
    return np.array([sudden(ms) for ms in range(0, len(sizes) * every_ms, 10)])


def test_frames_around_a_large_packet_and_the_one_before_it():
    near = np.flatnonzero(told([1000] * 20 + [2000] + [1000] * 20)) * 10
    # What is new came after the packet before, which stands 80 ms earlier.
    assert near.tolist() == list(range(1520 - 100, 1600 + 100 + 1, 10))


@pytest.mark.parametrize(
    "sizes",
    [
        [1000] * 40,
        [1000, 1300] * 20,
        list(range(1000, 5000, 100)),  # what grows is not sudden
        [1000, 4000, 1000, 1000] * 10,  # nor is what is large again and again
    ],
)
def test_nothing_begins_where_sizes_are_as_before(sizes):
    assert not told(sizes)[60:-60].any()


def test_key_frames_are_large_anyway_and_hide_nothing():
    assert not told([1000] * 20 + [9000] + [1000] * 20, keys=[20]).any()
    assert told([1000] * 18 + [9000, 1000, 2000] + [1000] * 20, keys=[18])[160]


@given(st.lists(st.integers(0, 10_000), max_size=60), st.integers(1, 8))
def test_sizes_alone_count_and_their_ratios(sizes, factor):
    assert told(sizes).tolist() == told([factor * size for size in sizes]).tolist()


def test_a_long_video_is_not_kept():
    sudden = Sudden(TICK_S)
    for number in range(5_000):
        sudden.add(40 * number, 3000 if number % 100 == 50 else 1000, key=False)
        if number >= 20:
            assert sudden(40 * (number - 20)) == (47 <= (number - 20) % 100 <= 52)
        assert max(len(sudden.shown), len(sudden.sizes), len(sudden.found)) <= KEPT
