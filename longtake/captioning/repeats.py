"""The same text on many clips: a fault that no look at one caption can find. LVD-2M shipped one some 4,000 times."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from longtake.captioning.subjects import Doubts
from longtake.schemas import SCHEMAS
from longtake.sections import Use
from longtake.store import Store, one_of

CLIPS = 3
"""On so many clips a text is a repeat; two neighbours may well look the same."""
WORDS = 12
"""Shorter texts may be true of many clips."""
PROBLEM = "the same text was given for other clips; say what this clip alone shows"
BUILT = "it was made of a text that is set aside"


def find_repeats(store: Store, uses: Sequence[Use]) -> Doubts:
    """Return the questions whose answers stand, word for word, on `CLIPS` clips or more, and aren't set aside yet."""
    rows = _repeated(store, uses)
    wanted = store.read("answers", ["key", "question", "number"], one_of("key", rows["answer"].to_pylist()))
    asked = {row["key"]: (row["question"], row["number"]) for row in wanted.to_pylist()}
    doubts: dict[tuple[str, str], dict[tuple[str, int], str]] = {}
    for row in rows.to_pylist():
        if row["answer"] in asked:
            doubts.setdefault((row["clip_id"], row["step"]), {})[asked[row["answer"]]] = PROBLEM
    return doubts


def set_repeats_aside(store: Store, uses: Sequence[Use]) -> int:
    """Set aside the captions that still repeat, and what was made of them; return how many."""
    repeated: dict[tuple[str, str], set[str]] = {}
    for row in _repeated(store, uses).to_pylist():
        repeated.setdefault((row["clip_id"], row["step"]), set()).add(row["text"])
    count = 0
    for label in {step for _, step in repeated}:
        clips = sorted(clip for clip, step in repeated if step == label)
        rows = store.read("captions", where=f"{one_of('clip_id', clips)} AND step = '{label}'").to_pylist()
        prompts = _prompts(store, rows)
        for clip in clips:
            good = [row for row in rows if row["clip_id"] == clip and not row["problems"]]
            count += _set_aside(good, repeated[clip, label], prompts)
        store.delete("captions", "clip_id", clips, also=f"step = '{label}'")
        store.append("captions", rows, SCHEMAS["captions"])
    return count


def _prompts(store: Store, rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Return the prompts of the answers that captions were made of, by key."""
    found = store.read("answers", ["key", "prompt"], one_of("key", {row["answer"] for row in rows if row["answer"]}))
    return {row["key"]: row["prompt"] for row in found.to_pylist()}


def _set_aside(good: Sequence[dict[str, Any]], texts: set[str], prompts: Mapping[str, str]) -> int:
    """Set aside the captions of one clip that have these texts, and those whose prompts told one of them."""
    for row in good:
        row["problems"] = [PROBLEM] if row["text"] in texts else []
    aside = [row for row in good if row["problems"]]
    for below in aside:  # grows as it goes: a third text may be made of the second
        for row in good:
            if not row["problems"] and below["text"] in prompts.get(row["answer"], ""):
                row["problems"] = [BUILT]
                aside.append(row)
    return len(aside)


def _repeated(store: Store, uses: Sequence[Use]) -> pa.Table:
    """Return the captions of models whose text stands on too many clips."""
    asking = [use.label for use in uses if use.step.asks]
    columns = ["clip_id", "step", "text", "problems", "answer"]
    rows = store.read("captions", columns, one_of("step", asking))
    texts = pc.utf8_lower(pc.utf8_trim_whitespace(rows["text"]))
    rows = rows.append_column("plain", texts).filter(pc.greater_equal(pc.count_substring(texts, " "), WORDS - 1))
    # A text set aside for another reason still counts: whoever gave it gave it too often.
    counts = rows.group_by("plain").aggregate([("clip_id", "count_distinct")])
    often = counts.filter(pc.greater_equal(counts["clip_id_count_distinct"], CLIPS))["plain"]
    good = pc.equal(pc.list_value_length(rows["problems"]), 0)
    return rows.filter(pc.and_(pc.is_in(rows["plain"], often), good))
