"""The plots that papers print of such sets: how long clips and captions are, which words they use, how cameras move.

Of a large set they are drawn from a part of it, spread evenly.
"""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from starlette.requests import Request
from starlette.routing import Route

from longtake.moves import find_moves
from longtake.records import Series
from longtake.report.captions import lengths
from longtake.report.histograms import histogram
from longtake.store import Snapshot, Store, one_of
from longtake.viewer.asking import get, rules_in
from longtake.viewer.columns import PLACE, Recent
from longtake.viewer.shelf import Chosen, Shelf

CAPTIONS = 40_000
"""So many are read."""
CLIPS = 200
"""So many are asked how the camera moves."""
WORDS = 80
"""Of each kind of captions."""
DURATION_BINS = 40
_STOP_WORDS = (
    "a about above across after again all along also an and another any appear appears are around as at away back be "
    "been before behind being below beside between both but by can do does down during each either else even ever for "
    "from further had has have having he her here hers him his how i if in inside into is it its itself just like may "
    "me more most much my near next no not now of off on once one only onto or other others our out outside over own "
    "same seem seems she since so some such than that the their them then there these they this those through to "
    "together too toward towards two under until up upon very was we were what when where which while who whose why "
    "will with within without would you your"
)
STOP_WORDS = frozenset(_STOP_WORDS.split())


def routes(shelf: Shelf) -> list[Route]:
    """Return what answers with plots."""
    kept = Recent(8)

    def plots(request: Request) -> dict[str, Any]:
        chosen = shelf.chosen(rules_in(request, shelf.rules))
        versions = [shelf.store.version(table) for table in ("captions", "signals")]
        name = (chosen.clips.version, chosen.reasons, *versions)
        return kept.get(name, lambda: _plots(shelf, chosen))

    return [get("/api/plots", plots)]


def _plots(shelf: Shelf, chosen: Chosen) -> dict[str, Any]:
    recipe = shelf.recipe()
    kept = chosen.selection.kept
    durations = histogram(
        "duration_s",
        chosen.clips.column("duration_s"),
        kept,
        unit="s",
        about="length of the clip",
        bins=DURATION_BINS,
    )
    return {
        "durations": durations,
        **_captions(shelf.store, chosen, list(recipe.get("captions", {}))),
        "moves": _moves(shelf.store, chosen),
    }


def _captions(store: Store, chosen: Chosen, order: list[str]) -> dict[str, Any]:
    """Return how many words the kept clips' captions have, and which, kind by kind."""
    table = Snapshot(store, "captions")
    some = np.unique(np.linspace(0, table.rows - 1, min(table.rows, CAPTIONS)).astype(np.int64))
    columns = ["clip_id", "step", "kind", "text", "problems"]
    rows = table.take(some.tolist(), columns) if len(some) else table.read(columns)
    mask = np.zeros(chosen.clips.count, bool)
    mask[chosen.clips.with_ids(rows["clip_id"].combine_chunks().unique())] = True
    kept_ids = [row["id"] for row in chosen.clips.take(np.flatnonzero(mask & chosen.selection.kept), ["id"])]
    rows = rows.filter(pc.is_in(rows["clip_id"], pa.array(kept_ids, pa.string())))
    good = np.asarray(pc.equal(pc.fill_null(pc.list_value_length(rows["problems"]), 0), 0))
    kinds = lengths(rows, good, order)
    used = rows.filter(pa.array(good))
    return {
        "captions": {"read": len(some), "of": table.rows},
        "words": kinds,
        "clouds": [{"step": one["step"], "kind": one["kind"], "words": _frequent(used, one)} for one in kinds],
    }


def _frequent(captions: pa.Table, kind: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the most frequent words of one kind of captions, those that every text is full of left out."""
    here = pc.and_(pc.equal(captions["step"], kind["step"]), pc.equal(captions["kind"], kind["kind"]))
    texts = pc.utf8_lower(captions["text"].filter(here))
    words = pc.list_flatten(pc.split_pattern_regex(texts, r"[^\p{L}\p{N}'’-]+"))
    counts = words.value_counts().to_pylist() if len(words) else []
    named = [one for one in counts if len(one["values"]) > 1 and one["values"] not in STOP_WORDS]
    named.sort(key=lambda one: (-one["counts"], one["values"]))
    return [{"word": one["values"], "n": one["counts"]} for one in named[:WORDS]]


def _moves(store: Store, chosen: Chosen) -> dict[str, Any] | None:
    """Return which share of the time of kept clips the camera does what; None where motion wasn't measured."""
    place = chosen.clips.order(PLACE)
    kept = place[chosen.selection.kept[place]]
    some = kept[np.unique(np.linspace(0, len(kept) - 1, min(len(kept), CLIPS)).astype(np.int64))]
    clips = chosen.clips.take(some, ["video_id", "start_s", "end_s"])
    seconds: dict[str, float] = {}
    for video_id, own in groupby(clips, key=lambda clip: str(clip["video_id"])):
        motion = _motion(store, video_id)
        if motion is None:
            continue
        for clip in own:
            rows = motion.between(clip["start_s"], clip["end_s"])
            from_start = Series(rows.columns, rows.times - clip["start_s"], rows.frames, rows.values)
            for move in find_moves(from_start, clip["end_s"] - clip["start_s"]):
                seconds[move.kind] = seconds.get(move.kind, 0.0) + move.duration_s
    total = sum(seconds.values())
    if not total:
        return None
    kinds = sorted(seconds.items(), key=lambda item: -item[1])
    return {
        "clips": len(some),
        "of": len(kept),
        "seconds": total,
        "kinds": [{"kind": kind, "share": length / total} for kind, length in kinds],
    }


def _motion(store: Store, video_id: str) -> Series | None:
    """Return the `motion` signal of a video, the last that was measured where there are several."""
    where = f"{one_of('video_id', [video_id])} AND step = 'motion'"
    keys = store.read("signals", ["key"], where)["key"].to_pylist()
    if not keys:
        return None
    return Series(**store.signals_of([video_id], keys[-1:])[video_id][keys[-1]])
