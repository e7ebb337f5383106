"""What judgements tell of rules: precision, recall, thresholds that would do better, and which captions people prefer.

Where a sample was drawn, only its clips count: others were looked at for a reason. Where several judged a clip, it is
good if more would keep it than not; what they are divided on counts for neither.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np

from longtake.clip_facts import CLIP_FACTS
from longtake.errors import UsageError
from longtake.select import Rule
from longtake.viewer.columns import Clips, Mask, Rows
from longtake.viewer.estimates import Stratum, precision, recall
from longtake.viewer.notes import Judgements, Notes
from longtake.viewer.shelf import Chosen, RuleError, Shelf
from longtake.viewer.suggesting import Labels, f1, suggest

NEXT = 50
"""Clips of the sample that a page is told to go on with."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """The clips that count: rows of the table, whether each is worth keeping, and which rules drew the sample."""

    rows: Rows
    good: Mask
    drawn_by: tuple[str, ...] | None
    """None: they are no sample."""


def count(shelf: Shelf, notes: Notes, rules: Sequence[str], judge: str | None) -> dict[str, Any]:
    """Return how far judging is, for one judge if one is named, and what it says of some rules."""
    chosen, said, sample = shelf.chosen(rules), notes.judgements(), notes.sample()
    labelled = _labelled(chosen.clips, said, sample.clip_ids, sample.rules)
    strata = [stratum for stratum, _ in _strata(shelf, chosen, labelled)]
    # Marks and notes are no verdict yet: who only left those is shown the clip again.
    done = {
        clip
        for clip, judges in said.items()
        if any(one["keep"] is not None for name, one in judges.items() if judge in (None, "", name))
    }
    # Clips may have been made anew since, or removed: those are not there to be judged.
    there = {row["id"] for row in chosen.clips.take(chosen.clips.with_ids(sample.clip_ids), ["id"])}
    drawn = [clip for clip in sample.clip_ids if clip in there]
    left = [clip for clip in drawn if clip not in done]
    return {
        "judged": len(said),
        "judges": sorted({name for judges in said.values() for name in judges}),
        "at_random": labelled.drawn_by is not None,
        "labels": len(labelled.rows),
        "sample": {
            "size": len(drawn),
            "done": len(drawn) - len(left),
            "next": left[:NEXT],
        },
        "precision": asdict(precision(strata)),
        "recall": asdict(recall(strata)),
        "flags": _flags(said),
        "suggestions": _suggestions(shelf, chosen, labelled),
        "choices": _choices(notes),
    }


def _labelled(clips: Clips, said: Judgements, drawn: Sequence[str], drawn_by: tuple[str, ...]) -> Labelled:
    verdicts = {clip: verdict for clip, judges in said.items() if (verdict := _verdict(judges)) is not None}
    rows = clips.with_ids([clip for clip in drawn or verdicts if clip in verdicts])
    good = np.array([verdicts[row["id"]] for row in clips.take(rows, ["id"])], bool)
    return Labelled(rows, good, drawn_by if drawn else None)


def _verdict(judges: Mapping[str, Mapping[str, Any]]) -> bool | None:
    """Return whether more judges would keep a clip than not; None where as many would."""
    votes = sum((said["keep"] is True) - (said["keep"] is False) for said in judges.values())
    return None if votes == 0 else votes > 0


def _strata(shelf: Shelf, chosen: Chosen, labelled: Labelled) -> list[tuple[Stratum, Mask]]:
    """Return what rules keep and reject, each apart by what the sample's rules did: in each clips were drawn alike."""
    now = chosen.selection.kept
    then = now
    if labelled.drawn_by is not None:
        try:
            then = shelf.chosen(labelled.drawn_by).selection.kept
        except RuleError as error:
            raise UsageError(f"the rules the sample was drawn by fit the set no more, draw another: {error}") from error
    found = []
    for kept, before in product((True, False), repeat=2):
        inside = (now == kept) & (then == before)
        judged = inside[labelled.rows]
        stratum = Stratum(kept, int(inside.sum()), int(judged.sum()), int(labelled.good[judged].sum()))
        found.append((stratum, inside))
    return found


def _suggestions(shelf: Shelf, chosen: Chosen, labelled: Labelled) -> list[dict[str, Any]]:
    """Return changes of one threshold that would bring the rules closer to the judgements."""
    clips, rows = chosen.clips, labelled.rows
    kept = chosen.selection.kept[rows]
    weights = np.zeros(len(rows))
    for stratum, inside in _strata(shelf, chosen, labelled):
        weights[inside[rows]] = stratum.clips / max(1, stratum.judged)
    # A rule that says nothing yet of a clip, for its score is still to come, holds where the clip is kept.
    holds = [
        kept | rule.holds(clips.column(rule.score)[rows]) if rule.score in clips.keys else np.ones(len(rows), bool)
        for rule in chosen.rules
    ]
    labels = Labels(labelled.good, weights, kept, holds)
    scores = {key: clips.column(key)[rows] for key in _tried(clips)} if labels.enough else {}
    found = []
    for one in suggest(labels, chosen.rules, scores):
        after = shelf.chosen([str(rule) for rule in _changed(chosen.rules, one.rule, one.replaces)])
        strata = [stratum for stratum, _ in _strata(shelf, after, labelled)]
        found.append(
            {
                **{name: getattr(one.rule, name) for name in ("score", "comparison", "number")},
                "replaces": None if one.replaces is None else chosen.reasons[one.replaces],
                "precision": precision(strata).value,
                "recall": recall(strata).value,
                "f1": one.f1,
                "f1_now": f1(labels.good, weights, kept),
                "kept": after.funnel[-1].clips,
                "kept_change": after.funnel[-1].clips - chosen.funnel[-1].clips,
            }
        )
    return found


def _changed(rules: Sequence[Rule], rule: Rule, replaces: int | None) -> list[Rule]:
    """Return rules with one put in another's place, or after all."""
    if replaces is None:
        return [*rules, rule]
    return [rule if index == replaces else one for index, one in enumerate(rules)]


def _tried(clips: Clips) -> list[str]:
    """Return the scores that a threshold may be suggested for."""
    facts = [key for key in CLIP_FACTS if key in clips.keys]
    return [*facts, *(key for key in clips.keys if "." in key and not key.startswith("copies."))]


def _flags(said: Judgements) -> dict[str, int]:
    """Return of how many clips somebody said what, the most frequent first."""
    every = (flag for judges in said.values() for flag in {flag for one in judges.values() for flag in one["flags"]})
    return dict(Counter(every).most_common())


def _choices(notes: Notes) -> list[dict[str, Any]]:
    """Return for each pair of captions how often which was found better."""
    pairs: dict[tuple[str, str], Counter[str | None]] = {}
    for row in notes.choices():
        first, second = sorted((row["first"], row["second"]))
        pairs.setdefault((first, second), Counter())[row["chosen"]] += 1
    return [
        {
            "first": first,
            "second": second,
            "n": counts.total(),
            "first_better": counts[first],
            "second_better": counts[second],
            "neither": counts[None],
        }
        for (first, second), counts in sorted(pairs.items())
    ]
