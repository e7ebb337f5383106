"""Rules applied to the clips of a set: what they would keep, and storing it."""

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa

from longtake.duplicates import GROUP, RANK
from longtake.select import FunnelRow, Rule, Selection, funnel, select
from longtake.store import Store, score_columns


def apply_rules(
    store: Store, rules: Sequence[Rule], *, later: Collection[str] = (), judges: Collection[str] = ()
) -> tuple[list[FunnelRow], int]:
    """Select among all clips of a set and store what changed; return the funnel and the number kept.

    `later` names scores that are measured on kept clips only: until then their rules take nothing away. `judges` are
    the labels of scores that a model gives: their rules take nothing away from a clip that no model was asked about.
    """
    clips = store.read("clips")
    selection, rows = choose(clips, rules, later=later, judges=judges)
    kept, reasons = selection.kept.tolist(), selection.reasons()
    before = zip(clips["kept"].to_pylist(), clips["rejected_by"].to_pylist(), strict=True)
    changed = [
        {"id": clip_id, "kept": now, "rejected_by": why}
        for clip_id, now, why, was in zip(clips["id"].to_pylist(), kept, reasons, before, strict=True)
        if (now, why) != was
    ]
    schema = pa.schema([("id", pa.string()), ("kept", pa.bool_()), ("rejected_by", pa.string())])
    store.update("clips", "id", changed, schema)
    return rows, sum(kept)


def choose(
    clips: pa.Table, rules: Sequence[Rule], *, later: Collection[str] = (), judges: Collection[str] = ()
) -> tuple[Selection, list[FunnelRow]]:
    """Apply rules to a clips table without storing anything; `later` and `judges` as for `apply_rules`.

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
