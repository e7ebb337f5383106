"""What the report shows of a set, read from its tables and kept small however large the set is."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from longtake import __version__
from longtake.clip_facts import CLIP_FACTS, COPY_FACTS, FILE_FACTS
from longtake.errors import UsageError
from longtake.places import Place
from longtake.purity import COLUMNS, SecondLook, second_look
from longtake.report import spans
from longtake.report.captions import captions_of, shown, summarize
from longtake.report.histograms import Threshold, histogram
from longtake.report.joins import joins_of
from longtake.select import FunnelRow, Rule, Selection, parse_rule
from longtake.selecting import Numbers, choose, clips_for
from longtake.settings import RECIPE, read_recipe
from longtake.steps import Kind, find
from longtake.store import Snapshot, Tables, one_of, score_columns

VIDEOS_SHOWN = 200
CLIPS_SHOWN = 300
FAILURES_SHOWN = 500
BINS = 40
CLIP_COLUMNS = (*COLUMNS, "id", "video_id", "start_s", "end_s", "file_bytes")
"""What is read of all clips, besides what rules ask of; scores one after the other, the rest of those shown alone."""

NOUNS = {"takes": "take", "scenes": "scene"}
"""What the clips are that a way to make them gives; others give clips."""


def collect(folder: Place) -> dict[str, Any]:
    """Return everything on the page as plain data."""
    store = Tables(folder).pinned()  # a run may be at work: what is read one after the other must fit together
    recipe = read_recipe(folder)
    rules = [parse_rule(text) for text in recipe["select"]["keep"]]
    clips = clips_for(store, rules, recipe.get("judges", {}), also=CLIP_COLUMNS)
    columns = Numbers(store)
    selection, rows = choose(clips, rules, judges=recipe.get("judges", {}))
    # Not the stored choice: while a run is at work, that is still to come for its latest clips.
    clips = clips.append_column("kept", pa.array(selection.kept))
    captions = summarize(store, recipe, folder.resolve().name, clips["id"].filter(pa.array(selection.kept)))
    videos = store.read("videos", ["id", "path", "duration_s"]).sort_by("path")
    # What the second look found, or a caption set aside, is rare and worth a look: never left out for other clips.
    listed = pc.is_in(clips["id"], pa.array([row["clip"] for row in captions["set_aside"]], pa.string()))
    placed = spans.sample(store, videos) if "grounding" in recipe else []
    listed = pc.or_(listed, pc.is_in(clips["id"], pa.array([row["clip_id"] for row in placed], pa.string())))
    found = ((columns["file_transitions"] > 0) | np.asarray(listed)) & selection.kept
    also = {row["video_id"] for row in placed}
    shown_videos = _choose_videos(videos, clips, selection.kept, found, also)
    index = {video_id: i for i, video_id in enumerate(shown_videos["id"].to_pylist())}
    shown_videos = store.read("videos", where=one_of("id", index)).sort_by("path")
    sample, sizes = _sample(store, clips, columns, selection, index, found)
    ids = [clip["id"] for clip in sample]
    said = captions_of(store, ids, list(recipe.get("captions", {})))
    joins = joins_of(store, store.read("clips", ["id", "video_id", "start_s", "transitions_at"], one_of("id", ids)))
    grounded = spans.summarize(store, recipe, folder.resolve().name)
    failures = store.read("failures", ["item", "step", "kind", "message"])
    return {
        "name": folder.resolve().name,
        "version": __version__,
        "written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "noun": NOUNS.get(recipe.get("clips", {}).get("step", "takes"), "clip"),
        "recipe": {
            **{name: recipe.get(name, "") for name in ("name", "about", "source")},
            "rules": [str(rule) for rule in rules],
            "toml": (folder / RECIPE).read_text(encoding="utf-8"),
        },
        "not_run": recipe.get("not_run", []),
        "totals": _totals(store, videos, clips, rows, failures.num_rows),
        "funnel": [funnel_row(row) for row in rows],
        "second_look": _second_look(second_look(clips)),
        "histograms": _histograms(recipe, columns, selection.kept, rules),
        "videos": _videos(store, shown_videos, clips),
        "clips": [
            {**clip, **joins.get(clip["id"], {"joins": 0, "joined": []}), **shown(said[clip["id"]])} for clip in sample
        ],
        "clips_shown": sizes,
        "captions": captions,
        "spans": grounded and {**grounded, "films": spans.films(placed, index)},
        "failures": failures.slice(0, FAILURES_SHOWN).to_pylist(),
        "failures_total": failures.num_rows,
    }


def _totals(store: Tables, videos: pa.Table, clips: pa.Table, rows: Sequence[FunnelRow], failed: int) -> dict[str, Any]:
    runs = store.read("runs", ["video_s", "scan_s"])
    scanned_s, spent_s = (pc.sum(runs[name]).as_py() or 0.0 for name in ("video_s", "scan_s"))
    shots = store.count("shots")
    return {
        "videos": videos.num_rows,
        "video_s": pc.sum(videos["duration_s"]).as_py() or 0.0,
        "shots": shots,
        "clips": clips.num_rows,
        "clip_s": rows[0].seconds,
        "joined": pc.sum(pc.greater(pc.fill_null(clips["transitions"], 0), 0)).as_py() or 0,
        "kept": rows[-1].clips,
        "kept_s": rows[-1].seconds,
        "failed": failed,
        "file_bytes": pc.sum(clips["file_bytes"]).as_py() or 0,
        "scan_video_h_per_h": scanned_s / spent_s if spent_s else None,
    }


def _second_look(look: SecondLook) -> dict[str, Any]:
    return {"files": look.every.files, "clean": look.every.clean, "words": look.words()}


def funnel_row(row: FunnelRow) -> dict[str, Any]:
    """Return a row of the funnel as plain data."""
    return {
        "label": str(row.rule) if row.rule else "clips found",
        "rule": str(row.rule) if row.rule else None,
        "clips": row.clips,
        "seconds": row.seconds,
        "rejected": row.rejected,
        "rejected_s": row.rejected_s,
        "not_measured": row.not_measured,
        "not_asked": row.not_asked,
    }


def _histograms(
    recipe: Mapping[str, Any],
    columns: Mapping[str, NDArray[np.float64]],
    kept: NDArray[np.bool_],
    rules: Sequence[Rule],
) -> list[dict[str, Any]]:
    """Return a histogram for the duration, each score a rule names, then every other score."""
    asked = dict.fromkeys(["duration_s", *(rule.score for rule in rules)])
    keys = [*asked, *(key for key in columns if "." in key and key not in asked)]
    found = []
    for key in keys:
        unit, about = meaning(recipe, key)
        thresholds = [Threshold(str(rule), rule.number, rule.comparison) for rule in rules if rule.score == key]
        values = columns.get(key, np.full(len(kept), np.nan))
        found.append(histogram(key, values, kept, unit=unit, about=about, bins=BINS, thresholds=thresholds))
    return [one for one in found if one]


def meaning(recipe: Mapping[str, Any], key: str) -> tuple[str, str]:
    """Return the unit and meaning of a score: of a fact from the catalogue, of a part from its step's own words.

    Nothing is known of a third party's that isn't installed here; its numbers are shown all the same.
    """
    facts = CLIP_FACTS | FILE_FACTS | COPY_FACTS
    if key in facts:
        return facts[key]
    label, _, part = key.partition(".")
    kinds: tuple[Kind, ...] = ("scores", "judges")
    for kind in kinds:
        use = recipe.get(kind, {}).get(label)
        if use is not None:
            try:
                return "", find(kind, use["step"]).meaning(part)
            except UsageError:
                break
    return "", ""


def _choose_videos(
    videos: pa.Table, clips: pa.Table, kept: NDArray[np.bool_], found: NDArray[np.bool_], also: Collection[str]
) -> pa.Table:
    """Return all videos, or of many an even choice, half of them such that a clip was kept from, `found` ones first.

    Those whose ids are in `also` are among them.
    """
    if videos.num_rows <= VIDEOS_SHOWN:
        return videos

    def having(chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which videos have a chosen clip."""
        owners = clips["video_id"].filter(pa.array(chosen)).combine_chunks().unique()
        return np.asarray(pc.is_in(videos["id"], owners).to_numpy(zero_copy_only=False), np.bool_)

    has, first = having(kept), having(found)
    halves = [_first_some(np.flatnonzero(part), VIDEOS_SHOWN // 2, first) for part in (has, ~has)]
    must = np.flatnonzero(pc.is_in(videos["id"], pa.array(list(also), pa.string())).to_numpy(zero_copy_only=False))
    return videos.take(np.unique(np.concatenate([*halves, must])))


def _first_some(rows: NDArray[np.int64], most: int, first: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return at most so many of the rows in their order: those that are `first`, then others, each spread evenly."""
    is_first = first[rows]
    taken = _evenly(np.flatnonzero(is_first), most)
    others = _evenly(np.flatnonzero(~is_first), most - len(taken))
    return np.asarray(rows[np.sort(np.concatenate([taken, others]))])


def _evenly(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return at most so many of the rows, spread evenly."""
    return np.asarray(rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(int))])


def _sample(
    store: Tables,
    clips: pa.Table,
    columns: Mapping[str, NDArray[np.float64]],
    selection: Selection,
    index: Mapping[str, int],
    first: NDArray[np.bool_],
) -> tuple[list[dict[str, Any]], dict[str, list[int]]]:
    """Return some kept and some rejected clips, spread evenly over the set, and how many of how many they are.

    Of the kept ones those that are `first` come before others, should there be too many.
    """
    inside = np.flatnonzero(pc.is_in(clips["video_id"], pa.array(list(index), pa.string())).to_numpy())
    owners = clips["video_id"].take(pa.array(inside)).to_numpy(zero_copy_only=False)
    order = inside[np.lexsort([clips["start_s"].to_numpy()[inside], owners])]
    kept = order[selection.kept[order]]
    rejected = order[~selection.kept[order]]
    reasons, ruled = selection.reasons(), score_columns(clips)
    scores = [key for key in columns if "." in key]
    labels = list(dict.fromkeys(key.partition(".")[0] for key in scores))
    table = Snapshot(store, "clips")
    found = []
    shown = {}
    fields = ["id", "video_id", "start_s", "end_s", "file", "file_transitions_at"]
    for name, rows in (("kept", kept), ("rejected", rejected)):
        some = _first_some(rows, CLIPS_SHOWN, first)
        total = int(selection.kept.sum())
        shown[name] = [len(some), total if name == "kept" else clips.num_rows - total]
        facts = table.take(some.tolist(), fields).to_pylist()
        measured = score_columns(table.take(some.tolist(), labels))
        for place, (row, fact) in enumerate(zip(some.tolist(), facts, strict=True)):
            said_no = selection.said_no[row]
            score = selection.rules[said_no].score if said_no >= 0 else ""
            value = ruled[score][row] if score in ruled else None
            found.append(
                {
                    "id": fact["id"],
                    "video": index[fact["video_id"]],
                    "start_s": fact["start_s"],
                    "end_s": fact["end_s"],
                    "kept": name == "kept",
                    "rejected_by": reasons[row],
                    "rejected_value": _number(value),
                    "scores": {key: _number(measured[key][place]) for key in scores},
                    "file": fact["file"],
                    "found": _found(fact["file_transitions_at"]),
                }
            )
    return found, shown


def _found(transitions: Sequence[Mapping[str, Any]] | None) -> list[list[Any]] | None:
    """Return what a second look found in a clip's file: start in seconds, end, kind, confidence; None without one."""
    if transitions is None:
        return None
    return [[t["start_s"], t["end_s"], t["kind"], t["confidence"]] for t in transitions]


def _number(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else float(value)


def _videos(store: Tables, videos: pa.Table, clips: pa.Table) -> list[dict[str, Any]]:
    """Return the first videos with their transitions and takes."""
    rows = videos.to_pylist()
    if not rows:
        return []
    endings: dict[str, list[Any]] = {row["id"]: [] for row in rows}
    for shot in store.read("shots", ["video_id", "ends_in"], one_of("video_id", endings)).to_pylist():
        endings[shot["video_id"]].append(shot["ends_in"])
    takes: dict[str, list[Any]] = {row["id"]: [] for row in rows}
    inside = clips.filter(pc.is_in(clips["video_id"], pa.array(list(takes))))
    for clip in inside.select(["id", "video_id", "start_s", "end_s", "kept"]).to_pylist():
        takes[clip["video_id"]].append(clip)
    return [
        {
            **{name: row[name] for name in ("id", "path", "duration_s", "width", "height", "fps", "codec", "damage")},
            "shots": len(endings[row["id"]]),
            "kept": sum(clip["kept"] for clip in takes[row["id"]]),
            "transitions": [[e["start_s"], e["end_s"], e["kind"]] for e in endings[row["id"]] if e],
            "takes": [
                [clip["start_s"], clip["end_s"], "kept" if clip["kept"] else "rejected", clip["id"]]
                for clip in takes[row["id"]]
            ],
            "preview": preview(row["previews"]),
        }
        for row in rows
    ]


def preview(sheets: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a video's sheets of small pictures as the page has them."""
    if sheets is None:
        return None
    tile = [sheets["tile_width"], sheets["tile_height"]]
    return {"tile": tile, **{name: sheets[name] for name in ("files", "columns", "rows", "every_s", "count")}}
