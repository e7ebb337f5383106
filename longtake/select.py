"""Rules over scores: which clips are kept, which rule said no, and the funnel. Pure arithmetic on columns."""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from longtake.errors import UsageError
from longtake.steps import nearest

Column = NDArray[np.float64]

COMPARISONS: dict[str, Callable[[Column, float], NDArray[np.bool_]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}
RULE = re.compile(r"\s*([A-Za-z_][\w.]*)\s*(>=|<=|==|!=|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*")

KEPT = -1


@dataclass(frozen=True, slots=True)
class Rule:
    """`score comparison number`: a clip stays where it holds. The text is also a valid SQL filter on the clips."""

    score: str
    comparison: str
    number: float

    def __str__(self) -> str:
        number = f"{self.number:g}"  # as people write it, where that says all
        exact = number if float(number) == self.number else repr(self.number).removesuffix(".0")
        return f"{self.score} {self.comparison} {exact}"

    def holds(self, values: Column) -> NDArray[np.bool_]:
        """Return where it holds, shape (n,); never where a value is NaN, that is, not measured."""
        held: NDArray[np.bool_] = COMPARISONS[self.comparison](values, self.number) & ~np.isnan(values)
        return held


@dataclass(frozen=True, slots=True)
class Selection:
    """What the rules said of n clips."""

    rules: tuple[Rule, ...]
    said_no: NDArray[np.int16]
    """Shape (n,): the index of the first rule that did not hold, `KEPT` where all held."""
    unmeasured: NDArray[np.bool_]
    """Shape (n,): whether that rule's score was not measured, so that it could not hold."""
    unasked: NDArray[np.int64]
    """Shape (number of rules,): of how many clips a rule said nothing, for its score is still to come."""

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Shape (n,)."""
        kept: NDArray[np.bool_] = self.said_no == KEPT
        return kept

    def reasons(self) -> list[str | None]:
        """Return for each clip None where it is kept, else the rule that said no."""
        words = [f"{rule}{more}" for more in ("", " (not measured)") for rule in self.rules]
        places = np.where(self.unmeasured, self.said_no.astype(np.int64) + len(self.rules), self.said_no)
        found: list[str | None] = np.array([*words, None], object)[places].tolist()  # the last one is that of KEPT
        return found


def parse_rule(text: str) -> Rule:
    """Read `motion.mean >= 0.05`. Raises `UsageError`."""
    match = RULE.fullmatch(text)
    if not match:
        raise UsageError(f"{text!r} is no rule; write: score comparison number, as in 'motion.mean >= 0.05'")
    rule = Rule(match[1], match[2], float(match[3]))
    if not math.isfinite(rule.number):
        raise UsageError(f"{text!r}: {match[3]} is too large a number for a rule")
    return rule


def select(
    scores: Mapping[str, Column],
    rules: Sequence[Rule],
    waits: Mapping[str, NDArray[np.bool_]] | None = None,
    groups: Mapping[str, Column] | None = None,
) -> Selection:
    """Apply rules in order to clips whose scores are columns of shape (n,), NaN where not measured.

    A clip is kept where every rule holds. A score that was not measured can't hold a rule, and the reason says so;
    only where a score `waits`, for it is still to be measured or asked for, its rules say nothing. A score that is a
    rank within `groups` (score -> the group of every clip) is counted anew among the clips that the rules before keep.
    Raises `UsageError` for a rule about a score that no clip has, naming the nearest.
    """
    for rule in rules:
        if rule.score not in scores:
            raise UsageError(f"no score {rule.score!r} for rule '{rule}'{nearest(rule.score, scores)}")
    n = len(next(iter(scores.values()))) if scores else 0
    said_no = np.full(n, KEPT, np.int16)
    unmeasured = np.zeros(n, bool)
    unasked = np.zeros(len(rules), np.int64)
    for index, rule in enumerate(rules):
        values = scores[rule.score]
        if groups and rule.score in groups:
            values = ranks_among(values, groups[rule.score], said_no == KEPT)
        fails = (said_no == KEPT) & ~rule.holds(values)
        if waits and rule.score in waits:
            unasked[index] = int((fails & waits[rule.score]).sum())
            fails &= ~waits[rule.score]
        said_no[fails] = index
        unmeasured[fails] = np.isnan(values[fails])
    return Selection(tuple(rules), said_no, unmeasured, unasked)


def ranks_among(ranks: Column, groups: Column, chosen: NDArray[np.bool_]) -> Column:
    """Return ranks within groups, counted from 1 among the chosen clips alone; those of other clips stay.

    A clip without a group, or a rank, (NaN) keeps what it has.
    """
    counted = ranks.copy()
    inside = np.flatnonzero(chosen & ~np.isnan(groups) & ~np.isnan(ranks))
    order = inside[np.lexsort((ranks[inside], groups[inside]))]
    _, first, sizes = np.unique(groups[order], return_index=True, return_counts=True)
    counted[order] = np.arange(len(order)) - np.repeat(first, sizes) + 1
    return counted


@dataclass(frozen=True, slots=True)
class FunnelRow:
    """How many clips, and seconds of them, are left after one rule, and what it took away."""

    rule: Rule | None
    """None for the first row: all clips."""
    clips: int
    seconds: float
    rejected: int
    rejected_s: float
    not_measured: int
    """How many of the rejected had no such score."""
    not_asked: int = 0
    """Of how many clips the rule said nothing, for its score is still to come."""


def funnel(selection: Selection, durations_s: Column) -> list[FunnelRow]:
    """Return one row for all clips, then one for each rule in order. The order of the clips makes no difference."""
    rows = [FunnelRow(None, len(durations_s), math.fsum(durations_s), 0, 0.0, 0)]
    for index, rule in enumerate(selection.rules):
        out = selection.said_no == index
        rejected, rejected_s = int(out.sum()), math.fsum(durations_s[out])
        missing = int((out & selection.unmeasured).sum())
        before = rows[-1]
        rows.append(
            FunnelRow(
                rule,
                before.clips - rejected,
                max(0.0, before.seconds - rejected_s),  # rounding leaves a little less than nothing
                rejected,
                rejected_s,
                missing,
                int(selection.unasked[index]),
            )
        )
    return rows
