"""The set that is looked at: its tables as they are now, its recipe, and what rules choose of it."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from longtake.duplicates import GROUP
from longtake.errors import UsageError
from longtake.places import Place
from longtake.select import FunnelRow, Rule, Selection, parse_rule, select
from longtake.select_set import check_judged
from longtake.selecting import choose
from longtake.settings import read_recipe
from longtake.steps import fingerprint
from longtake.store import Store
from longtake.viewer.columns import Clips, Recent

CHOICES_KEPT = 12
STAMPED = ("videos", "clips", "captions", "spans", "shots", "votes", "failures", "vectors")
"""Tables whose change makes a page out of date. What is judged on the page itself is no such change."""


class RuleError(UsageError):
    """One of several rules is wrong."""

    def __init__(self, index: int, message: str) -> None:
        super().__init__(message)
        self.index = index


@dataclass(frozen=True, slots=True)
class Chosen:
    """What some rules say of all clips."""

    clips: Clips
    rules: tuple[Rule, ...]
    selection: Selection
    funnel: list[FunnelRow]
    reasons: tuple[str, ...]
    """The rules as text."""

    def reason(self, row: int) -> str | None:
        """Return which rule said no to a clip, as it is stored and printed; None for a kept one."""
        index = int(self.selection.said_no[row])
        missing = " (not measured)" if self.selection.unmeasured[row] else ""
        return None if index < 0 else self.reasons[index] + missing


class Shelf:
    """A set folder, opened to be looked at while a run may go on beside."""

    def __init__(self, folder: Place) -> None:
        self.folder = folder
        self.store = Store(folder)
        self.recipe()  # says where there is no set
        self._clips: Clips | None = None
        self._lock = threading.Lock()
        self._chosen = Recent(CHOICES_KEPT)

    def recipe(self) -> dict[str, Any]:
        """Return the set's recipe as it is now."""
        return read_recipe(self.folder)

    def rules(self) -> list[str]:
        """Return the set's own rules."""
        rules: list[str] = self.recipe()["select"]["keep"]
        return rules

    def clips(self) -> Clips:
        """Return the clips as they are now."""
        with self._lock:
            if self._clips is None or self._clips.version != self.store.version("clips"):
                self._clips = Clips(self.store)
            return self._clips

    def stamp(self) -> str:
        """Return what changes whenever there is something new to look at."""
        return fingerprint([self.rules(), *(self.store.version(table) for table in STAMPED)])

    def chosen(self, rules: Sequence[str]) -> Chosen:
        """Apply rules exactly as `longtake select` does. Raises `RuleError` for the first that is wrong."""
        clips, recipe = self.clips(), self.recipe()
        judges = recipe.get("judges", {})
        name = (clips.version, tuple(rules), fingerprint(judges))
        return self._chosen.get(name, lambda: _choose(clips, rules, judges))


def _choose(clips: Clips, texts: Sequence[str], judges: Mapping[str, Any]) -> Chosen:
    rules = []
    for index, text in enumerate(texts):
        try:
            rules.append(_checked(clips, text, judges))
        except UsageError as error:
            raise RuleError(index, str(error)) from error
    table = pa.table(
        {
            "duration_s": clips.column("duration_s"),
            "judge_key": clips.read("judge_key") if judges else pa.nulls(clips.count, pa.string()),
            **{key: clips.column(key) for key in _needed(clips, rules)},
        }
    )
    selection, funnel = choose(table, rules, judges=judges)
    return Chosen(clips, tuple(rules), selection, funnel, tuple(str(rule) for rule in rules))


def _checked(clips: Clips, text: str, judges: Mapping[str, Any]) -> Rule:
    """Return a rule that is about a score the set has, or is asked for."""
    rule = parse_rule(text)
    check_judged(judges, [text])
    if clips.count and rule.score.partition(".")[0] not in judges:
        select(dict.fromkeys(clips.keys, np.empty(0)), [rule])  # names the nearest of all
    return rule


def _needed(clips: Clips, rules: Sequence[Rule]) -> set[str]:
    """Return the columns that `choose` goes by, beside those of every clip."""
    needed = {rule.score for rule in rules} - {"duration_s"}
    copies = GROUP.partition(".")[0]
    if any(score.partition(".")[0] == copies for score in needed):
        needed.add(GROUP)
    return needed & set(clips.keys)
