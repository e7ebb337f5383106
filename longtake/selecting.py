"""Rules applied to the clips of a set: what they would keep, and storing it.

Of the clips only those columns are read that rules ask of: a set may have ten million.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from longtake.clip_facts import FILE_FACTS
from longtake.duplicates import GROUP, RANK
from longtake.errors import UsageError
from longtake.schemas import SCHEMAS
from longtake.select import Column, FunnelRow, Rule, Selection, funnel, select
from longtake.steps import nearest
from longtake.store import Snapshot, Store, Tables, score_columns

REWRITTEN_FROM = 50_000
"""So many changed rows are no more looked up one by one, which writes all their columns anew."""


def apply_rules(store: Store, rules: Sequence[Rule], *, judges: Collection[str] = ()) -> tuple[list[FunnelRow], int]:
    """Select among all clips of a set and store what changed; return the funnel and the number kept.

    Rules about files take nothing away from a clip whose file was not looked at. `judges` are the labels of scores that
    a model gives: their rules take nothing away from a clip that no model was asked about.
    """
    clips = clips_for(store, rules, judges, also=("id", "kept", "rejected_by"))
    selection, rows = choose(clips, rules, judges=judges)
    now = pa.table(
        {"id": clips["id"], "kept": pa.array(selection.kept), "rejected_by": pa.array(selection.reasons(), pa.string())}
    )
    changed = pc.or_(_differ(now["kept"], clips["kept"]), _differ(now["rejected_by"], clips["rejected_by"]))
    if int(pc.sum(changed).as_py() or 0) >= REWRITTEN_FROM:
        store.rewrite("clips", now.drop_columns(["id"]))
    elif pc.any(changed).as_py():
        store.update_columns("clips", "id", now.filter(changed))
    return rows, int(selection.kept.sum())


class Numbers(Mapping[str, Column]):
    """All numbers of a set's clips by their keys, each read when it is asked for: together they may be gigabytes."""

    def __init__(self, store: Tables) -> None:
        self._table = Snapshot(store, "clips")
        self._keys = tuple(_known(self._table.schema))

    def __getitem__(self, key: str) -> Column:
        if key not in self._keys:
            raise KeyError(key)
        return score_columns(self._table.read([key]))[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def clips_for(
    store: Tables, rules: Sequence[Rule], judges: Collection[str] = (), also: Collection[str] = ()
) -> pa.Table:
    """Return all clips of a set with the columns that rules ask of, and some `also`: what `choose` takes.

    Raises `UsageError` for a rule about a score that no clip has, naming the nearest.
    """
    known = _known(store.columns("clips"))
    asked = dict.fromkeys(["duration_s", *(rule.score for rule in rules)])
    if any(rule.score == RANK for rule in rules):
        asked[GROUP] = None
    if store.count("clips"):
        for rule in rules:
            if rule.score not in known and rule.score.partition(".")[0] not in judges:
                raise UsageError(f"no score {rule.score!r} for rule '{rule}'{nearest(rule.score, known)}")
    columns = [*(key for key in asked if key in known), "judge_key", *also]
    return store.read("clips", list(dict.fromkeys(columns)))


def _known(there: pa.Schema) -> Mapping[str, Column]:
    """Return the keys of all numbers of clips: what the version which wrote the table did not know is null."""
    lacking = [field for field in SCHEMAS["clips"] if field.name not in there.names]
    return score_columns(pa.schema([*there, *lacking]).empty_table())


def _differ(now: pa.ChunkedArray, before: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return where two columns aren't the same; null is the same as null alone."""
    return pc.fill_null(pc.not_equal(now, before), pc.xor(now.is_valid(), before.is_valid()))


def choose(
    clips: pa.Table, rules: Sequence[Rule], *, later: Collection[str] = tuple(FILE_FACTS), judges: Collection[str] = ()
) -> tuple[Selection, list[FunnelRow]]:
    """Apply rules to a clips table without storing anything; `judges` as for `apply_rules`.

    `later` names scores that are measured on kept clips only: until then their rules take nothing away.

    A clip's rank among its copies is its rank among those that the rules before keep: a group never loses its best to
    one rule and all others to the next.
    """
    columns = score_columns(clips)
    if clips.num_rows == 0:  # a set without a clip has no scores either, and that is no mistake in a rule
        columns |= {rule.score: np.empty(0) for rule in rules}
    waits = {score: np.isnan(columns[score]) for score in later if score in columns}
    asked = clips["judge_key"].is_valid().to_numpy()
    for rule in rules:
        if rule.score.partition(".")[0] in judges:
            columns.setdefault(rule.score, np.full(clips.num_rows, np.nan))
            waits[rule.score] = ~asked
    groups = {RANK: columns[GROUP]} if GROUP in columns and clips.num_rows else {}
    selection = select(columns, rules, waits, groups)
    return selection, funnel(selection, columns["duration_s"])
