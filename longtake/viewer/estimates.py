"""How good a choice of clips is, from some that people judged: precision and recall, with 95 % intervals.

Pure arithmetic on strata: parts of the set in which clips were drawn at random, each with what judges said of some. A
stratum's share of good clips has Wilson's interval; sums of strata get theirs from those by MOVER (G. Y. Zou, A.
Donner, Construction of confidence limits about effect measures, Statistics in Medicine 27, 2008). With one stratum
that is Wilson's interval itself. Recall is found the other way round, as by Fieller: it holds those shares t for which
(1 - t) * good kept - t * good rejected may be zero.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from longtake.purity import wilson

HALVINGS = 60


@dataclass(frozen=True, slots=True)
class Stratum:
    """A part of the set, and what judges said of clips drawn from it at random."""

    kept: bool
    """Whether the present rules keep its clips."""
    clips: int
    judged: int
    good: int
    """How many of the judged ones are worth keeping."""

    @property
    def share(self) -> float:
        """The part of its clips worth keeping, 0 to 1; a half where nothing was judged."""
        return self.good / self.judged if self.judged else 0.5

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of that part."""
        return wilson(self.good, self.judged)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share that was estimated."""

    value: float | None
    """0 to 1; None where nothing was judged that could say."""
    low: float
    high: float
    n: int
    """Of so many judged clips."""


def precision(strata: Sequence[Stratum]) -> Estimate:
    """Return which share of the kept clips judges would keep."""
    kept = _merged([stratum for stratum in strata if stratum.kept])
    n = sum(stratum.judged for stratum in kept)
    clips = sum(stratum.clips for stratum in kept)
    if not n:
        return Estimate(None, 0.0, 1.0, 0)
    value, low, high = _sum([(stratum.clips / clips, stratum) for stratum in kept])
    return Estimate(value, max(0.0, low), min(1.0, high), n)


def recall(strata: Sequence[Stratum]) -> Estimate:
    """Return which share of all clips that judges would keep is kept."""
    sides = [_merged([stratum for stratum in strata if stratum.kept is kept]) for kept in (True, False)]
    n = sum(stratum.judged for side in sides for stratum in side)
    if not any(sides):
        return Estimate(None, 0.0, 1.0, 0)
    kept, rejected = ([(float(stratum.clips), stratum) for stratum in side] for side in sides)

    def limits(t: float) -> tuple[float, float, float]:
        return _sum([((1 - t) * size, one) for size, one in kept] + [(-t * size, one) for size, one in rejected])

    good_kept, good_rejected = (_sum(side)[0] for side in (kept, rejected))
    known = all(stratum.judged for side in sides for stratum in side) and good_kept + good_rejected > 0
    low = _root(lambda t: limits(t)[1])
    high = _root(lambda t: limits(t)[2])
    return Estimate(good_kept / (good_kept + good_rejected) if known else None, low, high, n)


def _merged(strata: Sequence[Stratum]) -> list[Stratum]:
    """Return strata that hold clips, those of which none was judged as part of another one.

    Such are the few clips that a rule, changed by a little, takes from one side to the other.
    """
    judged = [stratum for stratum in strata if stratum.judged]
    unseen = sum(stratum.clips for stratum in strata if not stratum.judged)
    if not judged:
        return [Stratum(strata[0].kept, unseen, 0, 0)] if unseen else []
    first, *others = sorted(judged, key=lambda stratum: -stratum.judged)
    return [Stratum(first.kept, first.clips + unseen, first.judged, first.good), *others]


def _sum(parts: Sequence[tuple[float, Stratum]]) -> tuple[float, float, float]:
    """Return the sum of weighted shares and its 95 % limits; a weight may be negative."""
    value = below = above = 0.0
    for weight, stratum in parts:
        share, (low, high) = stratum.share, stratum.interval
        value += weight * share
        down, up = weight * (share - low), weight * (high - share)
        below += (down if weight > 0 else up) ** 2
        above += (up if weight > 0 else down) ** 2
    return value, value - below**0.5, value + above**0.5


def _root(limit: Callable[[float], float]) -> float:
    """Return where a limit that falls from 0 to 1 crosses zero; the end it stays beyond where it doesn't."""
    low, high = 0.0, 1.0
    if limit(low) <= 0:
        return 0.0
    if limit(high) >= 0:
        return 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if limit(middle) > 0 else (low, middle)
    return (low + high) / 2
