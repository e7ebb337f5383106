"""Rules and the funnel: what is kept, what is not, and why."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longtake.errors import UsageError
from longtake.select import COMPARISONS, Rule, funnel, parse_rule, select

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
RULES = st.builds(Rule, st.sampled_from(["a", "b.c"]), st.sampled_from(sorted(COMPARISONS)), NUMBERS)


def test_a_rule_says_what_it_means() -> None:
    assert parse_rule(" motion.mean>=.05 ") == Rule("motion.mean", ">=", 0.05)
    assert str(parse_rule("duration_s >= 10")) == "duration_s >= 10"


@pytest.mark.parametrize(
    "text", ["", "motion.mean", "motion.mean >= fast", "10 <= duration_s", "a >= 1; drop", "a >= 1 b"]
)
def test_what_is_no_rule_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"score comparison number"):
        parse_rule(text)


@pytest.mark.parametrize("number", ["1e400", "-1e400"])
def test_a_number_that_no_rule_can_be_stored_with_is_refused(number: str) -> None:
    with pytest.raises(UsageError, match=f"{number} is too large"):
        parse_rule(f"duration_s >= {number}")


@pytest.mark.parametrize("number", ["2276807975", "1234567.5", "0.1234567890123", "1e+300", "0.077"])
def test_a_number_is_stored_whole(number: str) -> None:
    assert str(parse_rule(f"copies.group == {number}")) == f"copies.group == {number}"


def test_nothing_left_is_no_less_than_nothing() -> None:
    durations = np.array([0.1, 0.2, 0.3])
    rows = funnel(select({"a": durations}, [parse_rule("a < 0.3"), parse_rule("a > 1")]), durations)
    assert (rows[-1].clips, str(rows[-1].seconds)) == (0, "0.0")


@given(st.builds(Rule, st.just("x.y"), st.sampled_from(sorted(COMPARISONS)), st.integers(-1000, 1000).map(float)))
def test_a_rule_survives_its_text(rule: Rule) -> None:
    assert parse_rule(str(rule)) == rule


def test_the_first_rule_that_fails_says_no() -> None:
    scores = {"duration_s": np.array([20.0, 5.0, 20.0, 5.0]), "motion.mean": np.array([1.0, 1.0, 0.0, 0.0])}
    chosen = select(scores, [parse_rule("duration_s >= 10"), parse_rule("motion.mean > 0.5")])
    assert chosen.kept.tolist() == [True, False, False, False]
    assert chosen.reasons() == [None, "duration_s >= 10", "motion.mean > 0.5", "duration_s >= 10"]


@pytest.mark.parametrize("comparison", sorted(COMPARISONS))
def test_what_was_not_measured_is_not_kept_and_says_so(comparison: str) -> None:
    chosen = select({"a": np.array([np.nan])}, [Rule("a", comparison, 1.0)])
    assert not chosen.kept.any()
    assert chosen.reasons() == [f"a {comparison} 1 (not measured)"]


def test_what_is_measured_later_takes_nothing_till_then() -> None:
    scores = {"late": np.array([np.nan, 0.0, 1.0, np.nan]), "a": np.array([1.0, 1.0, 1.0, 0.0])}
    rules = [parse_rule("late <= 0"), parse_rule("a > 0")]
    chosen = select(scores, rules, {"late": np.isnan(scores["late"])})
    assert chosen.reasons() == [None, None, "late <= 0", "a > 0"]
    assert [row.not_asked for row in funnel(chosen, np.ones(4))] == [0, 2, 0]
    assert select(scores, rules).reasons() == [
        "late <= 0 (not measured)",
        None,
        "late <= 0",
        "late <= 0 (not measured)",
    ]


def test_an_unknown_score_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"did you mean 'motion.mean'"):
        select({"motion.mean": np.array([1.0])}, [parse_rule("motoin.mean > 0")])


@given(st.lists(st.tuples(NUMBERS | st.just(float("nan")), NUMBERS), max_size=30), st.lists(RULES, max_size=4))
def test_the_funnel_loses_no_clip(values: list[tuple[float, float]], rules: list[Rule]) -> None:
    columns = np.array(values, float).reshape(-1, 2)
    scores = {"a": columns[:, 0], "b.c": columns[:, 1]}
    durations = np.arange(1.0, len(values) + 1)
    chosen = select(scores, rules)
    rows = funnel(chosen, durations)
    assert rows[0].clips == len(values) and len(rows) == len(rules) + 1
    for before, after in itertools.pairwise(rows):
        assert before.clips == after.clips + after.rejected
        assert before.seconds == pytest.approx(after.seconds + after.rejected_s)
    assert rows[-1].clips == chosen.kept.sum()
    expected = np.ones(len(values), bool)
    for rule in rules:
        expected &= COMPARISONS[rule.comparison](scores[rule.score], rule.number) & ~np.isnan(scores[rule.score])
    assert chosen.kept.tolist() == expected.tolist()


COPIES = {
    "height": np.array([720.0, 360.0, 1080.0, 480.0, 240.0]),
    "rank": np.array([2.0, 3.0, 1.0, 1.0, 1.0]),
}
GROUPS = {"rank": np.array([7.0, 7.0, 7.0, np.nan, np.nan])}


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        (["rank <= 1"], [2, 3, 4]),
        (["height <= 720", "rank <= 1"], [0, 3, 4]),
        (["rank <= 1", "height <= 720"], [3, 4]),
        (["height <= 360", "rank <= 1"], [1, 4]),
        (["height <= 720", "rank <= 2"], [0, 1, 3, 4]),
        (["rank > 1"], [0, 1]),
    ],
)
def test_a_rank_counts_among_what_the_rules_before_keep(rules: list[str], kept: list[int]) -> None:
    chosen = select(COPIES, [parse_rule(text) for text in rules], groups=GROUPS)
    assert np.flatnonzero(chosen.kept).tolist() == kept


def test_a_rank_that_was_not_measured_says_so() -> None:
    ranks = {"rank": np.array([np.nan, 2.0])}
    chosen = select(ranks, [parse_rule("rank <= 1")], groups={"rank": np.array([np.nan, 5.0])})
    assert chosen.reasons() == ["rank <= 1 (not measured)", None]


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=30))
def test_no_group_vanishes_by_its_rank(clips: list[tuple[int, bool]]) -> None:
    groups = np.array([group for group, _ in clips], float)
    good = np.array([good for _, good in clips], float)
    ranks = np.array([1 + groups[:i].tolist().count(group) for i, group in enumerate(groups)], float)
    rules = [parse_rule("good >= 1"), parse_rule("rank <= 1")]
    kept = select({"good": good, "rank": ranks}, rules, groups={"rank": groups}).kept
    assert sorted(groups[kept].tolist()) == sorted(set(groups[good > 0].tolist()))
