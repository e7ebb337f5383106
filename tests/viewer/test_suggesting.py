"""A threshold is suggested where judgements follow a score, and not where they follow nothing."""

import numpy as np
import pytest

from longtake.select import Rule
from longtake.viewer.suggesting import FEWEST, Labels, f1, suggest


def labels(good, kept, rules, scores, weights=None):
    holds = [rule.holds(scores[rule.score]) for rule in rules]
    return Labels(good, np.ones(len(good)) if weights is None else weights, kept, holds)


@pytest.fixture
def scores():
    rng = np.random.default_rng(1)
    return {"motion.mean": rng.random(200), "look.luma": rng.random(200), "look.border": rng.random(200)}


def test_a_rule_that_is_too_strict_is_loosened_to_where_judges_put_it(scores):
    good = scores["motion.mean"] > 0.35
    rules = [Rule("motion.mean", ">=", 0.7)]
    best = suggest(labels(good, rules[0].holds(scores["motion.mean"]), rules, scores), rules, scores)[0]
    assert best.replaces == 0
    assert (best.rule.score, best.rule.comparison) == ("motion.mean", ">=")
    assert best.rule.number == pytest.approx(0.35, abs=0.02)
    assert best.f1 > 0.97


@pytest.mark.parametrize("comparison", [">=", "<="])
def test_a_missing_rule_is_added(scores, comparison):
    truth = Rule("look.luma", comparison, 0.5)
    good = truth.holds(scores["look.luma"])
    rules = [Rule("motion.mean", ">=", 0.0)]
    best = suggest(labels(good, np.ones(200, bool), rules, scores), rules, scores)[0]
    assert (best.replaces, best.rule.score, best.rule.comparison) == (None, "look.luma", comparison)
    assert best.rule.number == pytest.approx(0.5, abs=0.03)


def test_the_number_is_short():
    values = {"a.b": np.concatenate([np.linspace(0.1, 0.2, 40), np.linspace(0.31, 0.9, 40)])}
    good = values["a.b"] > 0.25
    best = suggest(labels(good, np.ones(80, bool), [], values), [], values)[0]
    assert str(best.rule) == "a.b >= 0.3"


def test_judgements_that_follow_nothing_suggest_nothing(scores):
    for seed in range(10, 18):
        good = np.random.default_rng(seed).random(200) > 0.3
        assert suggest(labels(good, np.ones(200, bool), [], scores), [], scores) == []


def test_few_labels_suggest_nothing(scores):
    few = {key: values[: FEWEST - 1] for key, values in scores.items()}
    good = few["motion.mean"] > 0.5
    assert suggest(labels(good, np.ones(FEWEST - 1, bool), [], few), [], few) == []
    scores["motion.mean"][:] = 1.0
    assert suggest(labels(np.ones(200, bool), np.ones(200, bool), [], scores), [], scores) == []


def test_clips_weigh_as_many_as_they_stand_for():
    good = np.array([True, True, False, False])
    kept = np.array([True, False, True, False])
    assert f1(good, np.array([1.0, 1, 1, 1]), kept) == pytest.approx(0.5)
    # Hits 9, kept 10, good 10.
    assert f1(good, np.array([9.0, 1, 1, 1]), kept) == pytest.approx(0.9)
    assert f1(good, np.zeros(4), kept) == 0.0


def test_scores_not_measured_are_no_obstacle(scores):
    scores["look.luma"][::3] = np.nan
    good = scores["motion.mean"] > 0.5
    rules = [Rule("motion.mean", ">=", 0.9)]
    found = suggest(labels(good, rules[0].holds(scores["motion.mean"]), rules, scores), rules, scores)
    assert found[0].rule.score == "motion.mean"
