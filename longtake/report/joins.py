"""What the report shows of clips that were joined from shots: the transitions inside them, and the votes on each."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from longtake.store import Tables, one_of

JOINS_SHOWN = 40

Moment = tuple[str, int, int]
"""A video's id, and the milliseconds a transition starts and ends at: what its votes are known by."""


def joins_of(store: Tables, clips: pa.Table) -> dict[str, dict[str, Any]]:
    """Return for the clips that were joined, by their ids, how many transitions each holds, and the first of them.

    Times are seconds of the clip.
    """
    fields = ["id", "video_id", "start_s", "transitions_at"]
    there = pc.fill_null(pc.greater(pc.list_value_length(clips["transitions_at"]), 0), False)
    rows = clips.select(fields).filter(there).to_pylist()
    moments = {
        _moment(row["video_id"], transition) for row in rows for transition in row["transitions_at"][:JOINS_SHOWN]
    }
    votes = _votes(store, moments)
    return {
        row["id"]: {
            "joins": len(row["transitions_at"]),
            "joined": [
                {
                    "start_s": transition["start_s"] - row["start_s"],
                    "end_s": transition["end_s"] - row["start_s"],
                    "kind": transition["kind"],
                    "votes": votes.get(_moment(row["video_id"], transition), []),
                }
                for transition in row["transitions_at"][:JOINS_SHOWN]
            ],
        }
        for row in rows
    }


def _moment(video_id: str, span: Mapping[str, Any]) -> Moment:
    return video_id, round(span["start_s"] * 1000), round(span["end_s"] * 1000)


def _votes(store: Tables, moments: set[Moment]) -> dict[Moment, list[dict[str, Any]]]:
    """Return who voted what on some transitions."""
    names = ["voter", "joins", "score", "model"]
    rows = store.read("votes", ["video_id", "start_s", "end_s", *names], one_of("video_id", {m[0] for m in moments}))
    found: dict[Moment, list[dict[str, Any]]] = {}
    for row in rows.to_pylist():
        moment = _moment(row["video_id"], row)
        if moment in moments:
            found.setdefault(moment, []).append({name: row[name] for name in names})
    return found
