"""How well predicted transitions agree with the true ones: shares, errors, long takes and calibration.

Numbers only: no video is opened and nothing printed. What finds what is decided in `_match.py`. All sums are pooled
over the videos of a set. A share of nothing is None, but for precision and recall, which are 1 where nothing was
predicted or nothing was to be found.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from _match import TOLERANCE, Matching, Prediction, match_in_order, match_nearest, touches
from truth import CUTS, TAKE_S, Span, Truth

from longtake.purity import wilson

NEAR = 3
"""Frames by which a false positive may lie beside the distractor it is put down to."""
BINS = 10


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """The share itself, None of nothing."""
        return self.part / self.whole if self.whole else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of Wilson (1927) for the share in all that might have been drawn; [0, 1] of nothing."""
        return wilson(self.part, self.whole)


@dataclass(frozen=True, slots=True)
class Agreement:
    """What one way to match says over all videos."""

    found: int
    """True positives."""
    wrong: int
    """False positives."""
    missed: int
    """False negatives."""
    recall_by_kind: dict[str, Share]
    """By the true kind: found, of all true ones."""
    named_by_kind: dict[str, Share]
    """By the true kind: called what they are, of those found by a prediction that names a kind."""
    precision_by_kind: dict[str, Share]
    """By the predicted kind: those that find a transition of any kind, of all but the duplicates."""

    @property
    def precision(self) -> float:
        """Found, of all that was predicted."""
        return self.found / (self.found + self.wrong) if self.found + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Found, of all that was to be found."""
        return self.found / (self.found + self.missed) if self.found + self.missed else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


@dataclass(frozen=True, slots=True)
class Bin:
    """The predictions whose confidence is at least `low` and below `high`."""

    low: float
    high: float
    count: int
    confidence: float
    """Their mean."""
    true: float
    """The share of them that is no false positive by the exact way to match."""


@dataclass(frozen=True, slots=True)
class Result:
    """All that is measured of a detector on a set."""

    exact: Agreement
    shotbench: Agreement
    duplicates: int
    ignored: int
    """Predictions in ranges that count neither way."""
    false_positives: dict[str, int]
    """By the kind of distractor they are put down to, or `plain`."""
    distractors: dict[str, int]
    """How many there are of each kind."""
    cut_offset_frames: float | None
    """Mean of predicted minus true place of the cuts found; negative is early."""
    start_error_frames: float | None
    """Mean distance of predicted and true first mixed frame, over the gradual transitions found."""
    end_error_frames: float | None
    """The same for the last mixed frame."""
    gradual_found: int
    takes_kept: Share
    """Long takes without a prediction inside, of the true ones."""
    purity: Share
    """Reported takes of `TAKE_S` and more that hold no true transition, of all reported ones."""
    covered_s: float
    """Seconds of true long takes that lie in reported takes of `TAKE_S` and more, pure or not."""
    long_takes_s: float
    reliability: tuple[Bin, ...]
    """The bins of equal width over [0, 1] that hold a prediction."""
    calibration_error: float | None
    """Expected calibration error: the bins' mean distance of confidence and share that is true, by their counts."""
    without_prediction: tuple[str, ...]
    """Videos of which nothing was said, which counts as no transition."""


@dataclass(frozen=True, slots=True)
class _Judged:
    truth: Truth
    kept: Sequence[Prediction]
    ignored: int
    exact: Matching
    in_order: Matching

    def is_wrong(self, at: int) -> bool:
        """Whether the prediction at a position is a false positive by the exact way to match."""
        return at not in self.exact.duplicates and at not in self.exact.pairs.values()


def evaluate(truths: Iterable[Truth], predictions: Mapping[str, Iterable[Prediction]]) -> Result:
    """Compare what was predicted for each video, by name, with what is true."""
    known = {name: sorted(of_one, key=_place) for name, of_one in predictions.items()}
    judged = [_judge(truth, known.get(truth.name, [])) for truth in truths]
    bins = _reliability(judged)
    count = sum(one.count for one in bins)
    cuts = [
        (one.first_frame + one.last_frame) / 2 - true.first_frame for true, one in _found(judged) if true.kind in CUTS
    ]
    gradual = [(true, one) for true, one in _found(judged) if true.kind not in CUTS]
    takes = [(one.truth, first, last) for one in judged for first, last in one.truth.long_takes]
    return Result(
        exact=_agreement([(one, one.exact) for one in judged]),
        shotbench=_agreement([(one, one.in_order) for one in judged]),
        duplicates=sum(len(one.exact.duplicates) for one in judged),
        ignored=sum(one.ignored for one in judged),
        false_positives=_counts(
            _blame(one.truth, what) for one in judged for at, what in enumerate(one.kept) if one.is_wrong(at)
        ),
        distractors=_counts(distractor.kind for one in judged for distractor in one.truth.distractors),
        cut_offset_frames=_mean(cuts),
        start_error_frames=_mean([abs(one.first_frame - true.first_frame) for true, one in gradual]),
        end_error_frames=_mean([abs(one.last_frame - true.last_frame) for true, one in gradual]),
        gradual_found=len(gradual),
        takes_kept=_share(_is_whole(one, *take) for one in judged for take in one.truth.long_takes),
        purity=_share(_is_pure(one.truth, *take) for one in judged for take in _reported(one)),
        covered_s=sum(_covered_s(one, *take) for one in judged for take in one.truth.long_takes),
        long_takes_s=sum(truth.seconds(first, last + 1) for truth, first, last in takes),
        reliability=tuple(bins),
        calibration_error=sum(one.count * abs(one.confidence - one.true) for one in bins) / count if count else None,
        without_prediction=tuple(one.truth.name for one in judged if one.truth.name not in known),
    )


def _place(one: Prediction) -> tuple[int, int]:
    return one.first_frame, one.last_frame


def _judge(truth: Truth, predictions: Sequence[Prediction]) -> _Judged:
    """Drop what lies in an ignored range and in no transition, and match the rest both ways."""
    transitions = truth.transitions
    kept = [
        one
        for one in predictions
        if not any(touches(one, first, last, TOLERANCE) for first, last in truth.ignore)
        or any(touches(one, true.first_frame, true.last_frame, TOLERANCE) for true in transitions)
    ]
    nearest, in_order = (match(transitions, kept, TOLERANCE) for match in (match_nearest, match_in_order))
    return _Judged(truth, kept, len(predictions) - len(kept), nearest, in_order)


def _found(judged: Iterable[_Judged]) -> list[tuple[Span, Prediction]]:
    return [(one.truth.transitions[i], one.kept[j]) for one in judged for i, j in one.exact.pairs.items()]


def _agreement(judged: Sequence[tuple[_Judged, Matching]]) -> Agreement:
    true: list[tuple[str, bool]] = []
    said: list[tuple[str, bool]] = []
    named: list[tuple[str, bool]] = []
    for one, matching in judged:
        taken = set(matching.pairs.values())
        true += [(span.kind, i in matching.pairs) for i, span in enumerate(one.truth.transitions)]
        said += [(what.kind, j in taken) for j, what in enumerate(one.kept) if j not in matching.duplicates]
        for i, j in matching.pairs.items():
            kind = one.truth.transitions[i].kind
            if one.kept[j].kind:
                named.append((kind, _is_called(kind, one.kept[j].kind)))
    return Agreement(
        found=sum(found for _, found in true),
        wrong=sum(not right for _, right in said),
        missed=sum(not found for _, found in true),
        recall_by_kind=_by_kind(true),
        named_by_kind=_by_kind(named),
        precision_by_kind=_by_kind([(kind, right) for kind, right in said if kind]),
    )


def _is_called(kind: str, name: str) -> bool:
    """Whether a detector's name for a kind is right: a jump cut is a cut, and `gradual` all that is none."""
    if kind == "gradual":
        return name != "cut"
    return name == {"jumpcut": "cut", "fade_black": "fade", "fade_white": "fade"}.get(kind, kind)


def _by_kind(cases: Iterable[tuple[str, bool]]) -> dict[str, Share]:
    cases = list(cases)
    return {kind: _share(good for other, good in cases if other == kind) for kind in sorted({k for k, _ in cases})}


def _share(cases: Iterable[bool]) -> Share:
    cases = list(cases)
    return Share(sum(cases), len(cases))


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _counts(kinds: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(kinds).items()))


def _blame(truth: Truth, wrong: Prediction) -> str:
    """Return the kind of distractor a false positive lies in; a shake, which may last long, only where no other."""
    near = {one.kind for one in truth.distractors if touches(wrong, one.first_frame, one.last_frame, NEAR)}
    return min(near, key=lambda kind: (kind == "shake", kind), default="plain")


def _reported(one: _Judged) -> list[tuple[int, int]]:
    """Return where the reported takes of `TAKE_S` and more start, and the frame that the next transition starts at."""
    frames = one.truth.frames
    bounds = [(0, 0), *map(_place, one.kept), (frames, frames)]
    takes = [(before[1], after[0]) for before, after in pairwise(bounds)]
    return [(start, end) for start, end in takes if (end - start) / one.truth.fps >= TAKE_S]


def _is_pure(truth: Truth, start: int, end: int) -> bool:
    return not any(
        true.first_frame > start + TOLERANCE and true.last_frame < end - TOLERANCE for true in truth.transitions
    )


def _is_whole(one: _Judged, first: int, last: int) -> bool:
    return not any(cut.first_frame > first + TOLERANCE and cut.last_frame < last - TOLERANCE for cut in one.kept)


def _covered_s(one: _Judged, first: int, last: int) -> float:
    both = [(max(first, start), min(last + 1, end)) for start, end in _reported(one)]
    return sum(one.truth.seconds(start, end) for start, end in both if start < end)


def _reliability(judged: Iterable[_Judged]) -> list[Bin]:
    filled: dict[int, list[tuple[float, bool]]] = {}
    for one in judged:
        for at, what in enumerate(one.kept):
            if what.confidence is not None:
                number = min(int(what.confidence * BINS), BINS - 1)
                filled.setdefault(number, []).append((what.confidence, not one.is_wrong(at)))
    return [
        Bin(
            low=number / BINS,
            high=(number + 1) / BINS,
            count=len(cases),
            confidence=sum(confidence for confidence, _ in cases) / len(cases),
            true=sum(true for _, true in cases) / len(cases),
        )
        for number, cases in sorted(filled.items())
    ]
