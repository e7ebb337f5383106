"""Which one threshold, set otherwise or added, would bring a choice of clips closest to what judges said.

Closeness is F1: the harmonic mean of precision and recall. A threshold that was found on some labels looks better on
them than it is, so each is found on four fifths of the labels and counted on the fifth, five times over; only what is
better even so is suggested.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from longtake.select import Rule

FEWEST = 30
"""Labels; with fewer, nothing is suggested."""
FEWEST_OF_A_KIND = 5
"""Of these, so many that are worth keeping and so many that are not."""
FOLDS = 5
BETTER = 0.02
"""F1 must rise by so much on labels it was not found on."""
MOST = 5
RULE_DIGITS = 6
"""A rule's text has no more."""

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Labels:
    """Clips that were judged: all arrays have shape (n,)."""

    good: Mask
    weights: Floats
    """For how many clips of the set each stands."""
    kept: Mask
    """By the present rules."""
    holds: Sequence[Mask]
    """For each rule, where it holds."""

    @property
    def enough(self) -> bool:
        """Whether anything can be said."""
        good = int(self.good.sum())
        return len(self.good) >= FEWEST and min(good, len(self.good) - good) >= FEWEST_OF_A_KIND


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One rule, in place of another or beside all."""

    rule: Rule
    replaces: int | None
    """The index of the rule whose place it takes."""
    f1: float
    """On labels that it was not found on, 0 to 1."""


def f1(good: Mask, weights: Floats, kept: Mask) -> float:
    """Return the F1 of keeping some clips, 0 to 1."""
    hits, chosen, wanted = (float(weights[mask].sum()) for mask in (good & kept, kept, good))
    return 2 * hits / (chosen + wanted) if chosen + wanted else 0.0


def suggest(labels: Labels, rules: Sequence[Rule], scores: Mapping[str, Floats]) -> list[Suggestion]:
    """Return the best few changes of one threshold, the best first; none where there are too few labels."""
    if not labels.enough:
        return []
    now = f1(labels.good, labels.weights, labels.kept)
    folds = np.random.default_rng(0).permutation(len(labels.good)) % FOLDS
    found = []
    for key, comparison, replaces in _changes(rules, scores):
        others = labels.kept
        if replaces is not None:
            rest = [held for index, held in enumerate(labels.holds) if index != replaces]
            others = np.logical_and.reduce([np.ones(len(labels.good), bool), *rest])
        values = scores[key]
        number = _best(values, comparison, others, labels.good, labels.weights)
        if number is None:
            continue
        kept = np.zeros(len(values), bool)
        for fold in range(FOLDS):
            train, test = folds != fold, folds == fold
            part = _best(values[train], comparison, others[train], labels.good[train], labels.weights[train])
            kept[test] = others[test] if part is None else others[test] & _rule(key, comparison, part, values[test])
        held_out = f1(labels.good, labels.weights, kept)
        if held_out >= now + BETTER:
            found.append(Suggestion(Rule(key, comparison, number), replaces, held_out))
    return sorted(found, key=lambda one: -one.f1)[:MOST]


def _changes(
    rules: Sequence[Rule], scores: Mapping[str, Floats]
) -> Iterator[tuple[str, Literal[">=", "<="], int | None]]:
    """Yield what can be changed: each rule that is a threshold, and for each score a new one from below or above."""
    for index, rule in enumerate(rules):
        if rule.score in scores and rule.comparison[0] in "<>":
            yield rule.score, ">=" if rule.comparison[0] == ">" else "<=", index
    for key in scores:
        ruled = {rule.comparison[0] for rule in rules if rule.score == key}
        if ">" not in ruled:
            yield key, ">=", None
        if "<" not in ruled:
            yield key, "<=", None


def _rule(key: str, comparison: str, number: float, values: Floats) -> Mask:
    return Rule(key, comparison, number).holds(values)


def _best(values: Floats, comparison: str, others: Mask, good: Mask, weights: Floats) -> float | None:
    """Return the threshold with the highest F1 among clips that all other rules keep; None where none takes any."""
    inside = others & ~np.isnan(values)
    order = np.argsort(values[inside] if comparison == "<=" else -values[inside], kind="stable")
    ranked, weight, is_good = values[inside][order], weights[inside][order], good[inside][order]
    ends = np.flatnonzero(ranked[1:] != ranked[:-1])
    if not len(ends):
        return None
    hits, chosen = np.cumsum(weight * is_good)[ends], np.cumsum(weight)[ends]
    place = ends[np.argmax(2 * hits / (chosen + weights[good].sum()))]
    return _short(float(ranked[place]), float(ranked[place + 1]))


def _short(inside: float, outside: float) -> float:
    """Return a number with few digits that parts two: `inside` or beyond it, and not as far as `outside`."""
    middle = (inside + outside) / 2
    for digits in range(1, RULE_DIGITS + 1):
        number = float(f"{middle:.{digits}g}")
        if min(inside, outside) <= number <= max(inside, outside) and number != outside:
            return number
    return inside
