"""Precision and recall from judged clips: right where they can be counted by hand, and sure as often as they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longtake.purity import wilson
from longtake.viewer.estimates import Stratum, precision, recall

counts = st.integers(0, 60).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))
a_stratum = st.builds(
    lambda kept, more, judged: Stratum(kept, judged[0] + more, *judged), st.booleans(), st.integers(0, 5000), counts
)
strata = st.lists(a_stratum, max_size=5)


def test_one_stratum_has_wilsons_interval():
    found = precision([Stratum(True, 900, 40, 31), Stratum(False, 5000, 20, 1)])
    assert found.value == 31 / 40
    assert (found.low, found.high) == pytest.approx(wilson(31, 40))
    assert found.n == 40


def test_recall_weighs_each_side_by_its_size():
    # 900 kept, three quarters of them good; 9,000 rejected, one in twenty of them good: 675 of 1125.
    found = recall([Stratum(True, 900, 40, 30), Stratum(False, 9000, 60, 3)])
    assert found.value == pytest.approx(675 / 1125)
    assert found.low < 0.6 < found.high
    assert found.n == 100


def test_no_good_clip_among_few_rejected_says_little_of_many():
    few = recall([Stratum(True, 900, 40, 30), Stratum(False, 100_000, 10, 0)])
    many = recall([Stratum(True, 900, 40, 30), Stratum(False, 100_000, 4000, 0)])
    assert few.value == many.value == 1.0
    assert few.low < 0.1 < 0.8 < many.low


@pytest.mark.parametrize(
    "strata",
    [[], [Stratum(True, 5, 0, 0), Stratum(False, 9, 0, 0)], [Stratum(True, 5, 3, 0), Stratum(False, 9, 4, 0)]],
)
def test_what_nobody_can_know_has_no_value(strata):
    assert recall(strata).value is None
    assert recall(strata).low <= 0.05
    assert recall(strata).high == 1.0


def test_nothing_judged_is_no_precision():
    found = precision([Stratum(True, 5, 0, 0), Stratum(False, 9, 4, 2)])
    assert (found.value, found.low, found.high, found.n) == (None, 0.0, 1.0, 0)


def test_a_few_clips_nobody_judged_count_with_the_others_of_their_side():
    whole = [Stratum(True, 800, 40, 30), Stratum(False, 9000, 60, 3)]
    split = [Stratum(True, 790, 40, 30), Stratum(True, 10, 0, 0), Stratum(False, 9000, 60, 3)]
    assert precision(split) == precision(whole)
    assert recall(split) == recall(whole)


@given(strata)
def test_intervals_hold_the_value_and_stay_between_0_and_1(strata):
    for found in (precision(strata), recall(strata)):
        assert 0.0 <= found.low <= found.high <= 1.0
        if found.value is not None:
            assert found.low - 1e-9 <= found.value <= found.high + 1e-9


@given(strata)
def test_more_judgements_of_the_same_kind_make_surer(strata):
    doubled = [Stratum(s.kept, 2 * s.clips, 2 * s.judged, 2 * s.good) for s in strata]
    for measure in (precision, recall):
        before, after = measure(strata), measure(doubled)
        assert after.high - after.low <= before.high - before.low + 1e-9


@pytest.mark.parametrize(
    ("sizes", "shares", "judged"),
    [
        ((2000, 8000), (0.8, 0.1), (60, 60)),
        ((5000, 500), (0.5, 0.5), (100, 40)),
        ((1000, 1000, 300, 200), (0.9, 0.2, 0.4, 0.6), (50, 50, 12, 9)),
    ],
)
def test_the_truth_is_inside_about_as_often_as_promised(sizes, shares, judged):
    rng = np.random.default_rng(3)
    kept = [True, False, True, False][: len(sizes)]
    good = np.array(sizes) * shares
    truth = good[kept].sum() / np.array(sizes)[kept].sum(), good[kept].sum() / good.sum()
    inside = np.zeros(2)
    for _ in range(400):
        drawn = rng.binomial(judged, shares).tolist()
        strata = [Stratum(*one) for one in zip(kept, sizes, judged, drawn, strict=True)]
        found = precision(strata), recall(strata)
        inside += [one.low <= value <= one.high for one, value in zip(found, truth, strict=True)]
    assert (inside / 400 > 0.92).all()
