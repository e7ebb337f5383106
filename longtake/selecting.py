"""Rules applied to the clips of a set: what they would keep, and storing it."""

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa

from longtake.select import FunnelRow, Rule, Selection, funnel, select
from longtake.store import Store, score_columns


def apply_rules(store: Store, rules: Sequence[Rule], *, later: Collection[str] = ()) -> tuple[list[FunnelRow], int]:
    """Select among all clips of a set and store what changed; return the funnel and the number kept.

    `later` names scores that are measured on kept clips only: until then their rules take nothing away.
    """
    clips = store.read("clips")
    selection, rows = choose(clips, rules, later)
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


def choose(clips: pa.Table, rules: Sequence[Rule], later: Collection[str] = ()) -> tuple[Selection, list[FunnelRow]]:
    """Apply rules to a clips table without storing anything."""
    columns = score_columns(clips)
    if clips.num_rows == 0:  # a set without a clip has no scores either, and that is no mistake in a rule
        columns |= {rule.score: np.empty(0) for rule in rules}
    selection = select(columns, rules, later)
    return selection, funnel(selection, columns["duration_s"])
