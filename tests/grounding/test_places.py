"""Places of a positive in a crop: what the context allows, how often each is drawn, and the bounds of crops."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longtake.grounding._places import crop, draw_place, places

CLOSE = 1e-9


@pytest.mark.parametrize(
    ("negative", "allowed"),
    [
        ((10, 12), ("throughout",)),
        ((10, 14), ("throughout",)),
        ((10, 14.1), ("beginning", "throughout")),
        ((7.9, 12), ("end", "throughout")),
        ((9, 13.1), ("throughout",)),
        ((8.9, 13.1), ("middle", "throughout")),
        ((0, 20), ("beginning", "end", "middle", "throughout")),
    ],
)
def test_a_place_takes_room(negative, allowed):
    assert places(10, 12, *negative) == allowed


@given(
    st.floats(0, 1e4),
    st.floats(0.01, 1e3),
    st.one_of(st.just(0.0), st.floats(0, 1e4)),
    st.one_of(st.just(0.0), st.floats(0, 1e4)),
    st.integers(2, 32),
    st.data(),
)
def test_crops_keep_all_their_bounds(before, length, start_s, after, frames, data):
    """`before` and `after` are what the negative span has beside the positive, in seconds."""
    least_frames = data.draw(st.integers(1, frames // 2))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    start_s += before
    end_s = start_s + length
    negative = (start_s - before, end_s + after)
    for place in places(start_s, end_s, *negative):
        from_s, to_s = crop(start_s, end_s, *negative, place, rng, frames=frames, least_frames=least_frames)
        assert negative[0] <= from_s <= start_s
        assert end_s <= to_s <= negative[1]
        slack = CLOSE * to_s
        middle = (from_s + to_s) / 2
        assert (end_s - start_s) * frames >= least_frames * (to_s - from_s) - slack * frames
        length = end_s - start_s
        if place == "beginning":
            assert end_s <= middle + slack
        elif place == "end":
            assert middle - slack <= start_s
        elif place == "middle":
            assert start_s - slack <= middle <= end_s + slack
            assert min(start_s - from_s, to_s - end_s) >= length / 2 - slack
        else:
            assert max(start_s - from_s, to_s - end_s) <= length / 2 + slack


def test_crops_reach_everywhere_they_may():
    rng = np.random.default_rng(0)
    drawn = np.array([crop(100, 104, 0, 200, "beginning", rng) for _ in range(4000)])
    assert drawn[:, 0].min() < 82
    assert drawn[:, 0].max() > 99
    assert drawn[:, 1].min() < 109
    assert drawn[:, 1].max() > 142
    middle = np.array([crop(100, 104, 0, 200, "middle", rng) for _ in range(4000)]).mean(axis=1)
    assert middle.min() < 100.3
    assert middle.max() > 103.7


def test_the_same_seed_draws_the_same():
    drawn = [crop(5, 7, 0, 20, "middle", np.random.default_rng(8)) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != crop(5, 7, 0, 20, "middle", np.random.default_rng(9))


def test_places_are_drawn_by_their_weights():
    rng = np.random.default_rng(0)
    drawn = Counter(draw_place(("beginning", "middle", "throughout"), rng) for _ in range(4300))
    assert drawn["beginning"] == pytest.approx(2000, abs=120)
    assert drawn["middle"] == pytest.approx(2000, abs=120)
    assert drawn["throughout"] == pytest.approx(300, abs=60)


def test_what_cannot_be_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="no room for end"):
        crop(0, 2, 0, 10, "end", rng)
    with pytest.raises(ValueError, match="at least 7 of 12 frames"):
        crop(5, 6, 0, 10, "end", rng, least_frames=7)
