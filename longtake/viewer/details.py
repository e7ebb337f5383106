"""One clip, and one video: all that the set knows of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.routing import Route

from longtake.duplicates import GROUP
from longtake.errors import UsageError
from longtake.listing import rows_for
from longtake.planning import FRAMES_KEY
from longtake.records import Series
from longtake.report.captions import KINDS, NAME_CHARS, cut
from longtake.report.data import meaning, preview
from longtake.sources.placing import rows_about
from longtake.store import Store, one_of
from longtake.viewer.asking import MissingError, get, rules_in
from longtake.viewer.columns import Clips, Recent
from longtake.viewer.curves import Measured
from longtake.viewer.grid import last_said
from longtake.viewer.notes import Notes
from longtake.viewer.shelf import Chosen, Shelf

TEXT_CHARS = 20_000
"""Of a caption, or a prompt: models and lists may say anything."""
COPIES_SHOWN = 60
SPANS_SHOWN = 400
SAME_S = 1e-6
"""Times this close are one."""
VIDEOS_KEPT = 6
SPAN = ("start_s", "end_s", "start_frame", "end_frame")
CLIP = ("id", "video_id", *SPAN, "fps", "width", "height", "file", "judge_key", "file_transitions_at", "transitions_at")
ANSWER = ("key", "prompt", "prompt_tokens", "completion_tokens", "cost_usd")
VIDEO = ("id", "path", "duration_s", "fps", "width", "height", "codec", "damage")


def routes(shelf: Shelf, notes: Notes) -> list[Route]:
    """Return what answers about one clip or one video."""
    measured = Recent(VIDEOS_KEPT)

    def clip(request: Request) -> dict[str, Any]:
        chosen = shelf.chosen(rules_in(request, shelf.rules))
        return _clip(shelf, notes, chosen, request.path_params["clip_id"], request.query_params.get("judge"))

    def video(request: Request) -> dict[str, Any]:
        chosen, recipe = shelf.chosen(rules_in(request, shelf.rules)), shelf.recipe()
        video_id = request.path_params["video_id"]
        about = video_row(shelf.store, video_id)
        shots = shelf.store.read("shots", None, one_of("video_id", [video_id])).sort_by("number").to_pylist()
        own = _clips_of(chosen, video_id)
        scenes = recipe.get("clips", {}).get("step") == "scenes"
        parts = [(one["start_s"], one["end_s"]) for one in (own if scenes else shots)]

        def draw() -> dict[str, Any]:
            found = Measured(shelf.store, recipe, video_id)
            return {
                "curves": found.curves(0.0, np.inf),
                "moves": found.moves([(shot["start_s"], shot["end_s"]) for shot in shots]),
                "similarity": found.similarity(parts),
            }

        return {
            **{name: about[name] for name in VIDEO},
            "name": name_of(about["path"]),
            "sheet": preview(about["previews"]),
            "transitions": [shot["ends_in"] for shot in shots if shot["ends_in"]],
            "shots": [[shot["start_s"], shot["end_s"]] for shot in shots],
            "clips": own,
            "spans": _spans(shelf.store, video_id),
            **measured.get((video_id, shelf.stamp()), draw),
        }

    def curves(request: Request) -> list[dict[str, Any]]:
        video_id, asked = request.path_params["video_id"], request.query_params
        length_s = float(video_row(shelf.store, video_id)["duration_s"])
        start_s, end_s = number_in(asked, "start_s", 0.0), number_in(asked, "end_s", length_s)
        return Measured(shelf.store, shelf.recipe(), video_id).curves(start_s, end_s)

    return [
        get("/api/clips/{clip_id}", clip),
        get("/api/videos/{video_id}", video),
        get("/api/videos/{video_id}/curves", curves),
    ]


def name_of(path: str) -> str:
    """Return a file's name."""
    return path.rpartition("/")[2]


def number_in(query: Mapping[str, str], name: str, missing: float) -> float:
    """Return a number that a query names. Raises `UsageError`."""
    text = query.get(name)
    try:
        number = missing if text is None else float(text)
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise UsageError(f"{name}={text}: write a number of seconds, as in {name}=1.5")
    return number


def video_row(store: Store, video_id: str) -> dict[str, Any]:
    """Return a video's row. Raises `MissingError`."""
    rows: list[dict[str, Any]] = store.read("videos", None, one_of("id", [video_id])).to_pylist()
    if not rows:
        raise MissingError(f"the set has no video {video_id!r}")
    return rows[0]


def _clip(shelf: Shelf, notes: Notes, chosen: Chosen, clip_id: str, judge: str | None) -> dict[str, Any]:
    store, recipe, clips = shelf.store, shelf.recipe(), chosen.clips
    row = _row(clips, clip_id)
    labels = dict.fromkeys(key.partition(".")[0] for key in clips.keys)
    found = clips.take(np.array([row]), list(dict.fromkeys([*CLIP, *labels])))[0]
    about = video_row(store, found["video_id"])
    joined = [_from(one, found["start_s"]) for one in found["transitions_at"] or ()]
    judgement = last_said(notes.judgements(), clip_id, judge)
    return {
        **{name: found[name] for name in ("id", "video_id", *SPAN, "fps", "width", "height", "file_transitions_at")},
        **{name: about[name] for name in ("path", "codec")},
        "name": name_of(about["path"]),
        "kept": bool(chosen.selection.kept[row]),
        "rejected_by": chosen.reason(row),
        "scores": _scores(recipe, chosen, row, found),
        "captions": _captions(store, clip_id, list(recipe.get("captions", {}))),
        "joined": joined,
        "votes": _votes(store, found, joined),
        "listed": _listed(store, found, about),
        "copies": _copies(clips, found),
        "judgement": judgement and {name: judgement[name] for name in ("keep", "flags", "note")},
        "made_by": {"recipe": recipe.get("name", ""), "version": _version(store)},
        "neighbours": _neighbours(clips, row, found["video_id"]),
        "file": found["file"] is not None,
        "sheet": preview(about["previews"]),
        "frame_times": _frame_times(store, found) if about["variable_fps"] else None,
    }


def _frame_times(store: Store, clip: Mapping[str, Any]) -> list[float] | None:
    """Return when each frame of a clip is shown, in seconds of the clip; None where a set was made without."""
    times = store.signals_of([clip["video_id"]], [FRAMES_KEY]).get(clip["video_id"], {}).get(FRAMES_KEY)
    if times is None:
        return None
    inside = Series(**times).between(clip["start_s"] - SAME_S, clip["end_s"] - SAME_S).times - clip["start_s"]
    return [round(time, 4) for time in inside.tolist()]


def _row(clips: Clips, clip_id: str) -> int:
    rows = clips.with_ids([clip_id])
    if not len(rows):
        raise MissingError(f"the set has no clip {clip_id!r}")
    return int(rows[0])


def _from(span: Mapping[str, Any], start_s: float) -> dict[str, Any]:
    """Return a span of the video in seconds of the clip that starts there."""
    return {**span, "start_s": span["start_s"] - start_s, "end_s": span["end_s"] - start_s}


def _scores(recipe: Mapping[str, Any], chosen: Chosen, row: int, found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every number about a clip with what the rules say of it, those that rules ask for first."""
    asked = dict.fromkeys(rule.score for rule in chosen.rules)
    measured = [key for key in chosen.clips.keys if "." in key or key == "duration_s"]
    scores = []
    for key in dict.fromkeys([*asked, *measured]):
        label, _, part = key.partition(".")
        value = (found.get(label) or {}).get(part) if part else found[key]
        waits = label in recipe.get("judges", {}) and found["judge_key"] is None
        rules = [
            {"rule": str(rule), "holds": None if waits else _holds(chosen, row, index, value)}
            for index, rule in enumerate(chosen.rules)
            if rule.score == key
        ]
        unit, about = meaning(recipe, key)
        scores.append({"key": key, "value": value, "unit": unit, "about": about, "rules": rules})
    return scores


def _holds(chosen: Chosen, row: int, index: int, value: float | None) -> bool:
    """Return whether a rule holds for a clip: as the selection has it, up to the first that doesn't."""
    said_no = int(chosen.selection.said_no[row])
    if said_no < 0 or index <= said_no:
        return index != said_no
    return bool(chosen.rules[index].holds(np.array([np.nan if value is None else value]))[0])


def _captions(store: Store, clip_id: str, order: Sequence[str]) -> list[dict[str, Any]]:
    """Return all that was said of a clip, step by step, kind by kind, with the answer that it is from."""
    rows = store.read("captions", None, one_of("clip_id", [clip_id])).to_pylist()
    answers = {
        row["key"]: row
        for row in store.read("answers", ANSWER, one_of("clip_id", [clip_id]) if rows else "false").to_pylist()
    }
    found = []
    for row in sorted(rows, key=lambda row: (*_place(row, order), row["step"], row["kind"], row["number"])):
        answer = answers.get(row["answer"] or "", {})
        found.append(
            {
                **{name: row[name] for name in ("step", "kind", "number", "start_s", "end_s", "frames_s")},
                "text": cut(row["text"], TEXT_CHARS),
                "problems": [cut(problem, NAME_CHARS) for problem in row["problems"]],
                "model": row["model"] and cut(row["model"], NAME_CHARS),
                "prompt": answer.get("prompt") and cut(answer["prompt"], TEXT_CHARS),
                "tokens": answer and {"prompt": answer["prompt_tokens"], "completion": answer["completion_tokens"]},
                "cost_usd": answer.get("cost_usd"),
            }
        )
    return found


def _place(row: Mapping[str, Any], order: Sequence[str]) -> tuple[int, int]:
    """Return where a caption stands: captioners in the recipe's order, kinds in ours, others after them."""
    step, kind = row["step"], row["kind"]
    return (
        order.index(step) if step in order else len(order),
        KINDS.index(kind) if kind in KINDS else len(KINDS),
    )


def _votes(store: Store, clip: Mapping[str, Any], joined: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return who voted what on the transitions inside a clip, in seconds of the clip."""
    if not joined:
        return []
    names = ["voter", "joins", "score", "model", "start_s", "end_s"]
    rows = store.read("votes", names, one_of("video_id", [clip["video_id"]])).to_pylist()
    inside = {(round(1000 * one["start_s"]), round(1000 * one["end_s"])) for one in clip["transitions_at"]}
    return [
        _from(row, clip["start_s"])
        for row in rows
        if (round(1000 * row["start_s"]), round(1000 * row["end_s"])) in inside
    ]


def _listed(store: Store, clip: Mapping[str, Any], video: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of published lists that are about a clip."""
    rows = rows_for(store, [video["path"]])[video["path"]]
    about = rows_about(rows, clip["start_s"], clip["end_s"], video_s=video["duration_s"], fps=video["fps"])
    pairs = ("scores", "fields")
    return [
        {
            **{name: row[name] for name in ("dataset", "clip", "url", "start_s", "end_s", "captions")},
            **{name: {one["name"]: one["value"] for one in row[name] or ()} for name in pairs},
        }
        for row in about
    ]


def _copies(clips: Clips, found: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the copies of a clip's footage; None where there are none, or nobody looked."""
    own = found.get("copies") or {}
    if own.get("group") is None:
        return None
    rows = np.flatnonzero(clips.column(GROUP) == own["group"])
    others = [one["id"] for one in clips.take(rows[: COPIES_SHOWN + 1], ["id"]) if one["id"] != found["id"]]
    return {**{name: int(own[name]) for name in ("group", "size", "rank")}, "others": others[:COPIES_SHOWN]}


def _version(store: Store) -> str | None:
    """Return by which version of longtake the set was worked on last."""
    runs = store.read("runs", ["started", "version"]).sort_by("started")
    return runs["version"][-1].as_py() if runs.num_rows else None


def _neighbours(clips: Clips, row: int, video_id: str) -> dict[str, str | None]:
    """Return the clips before and after one in its video."""
    rows = np.flatnonzero(clips.of_video(video_id))
    rows = rows[np.argsort(clips.column("start_s")[rows], kind="stable")]
    at = int(np.flatnonzero(rows == row)[0])
    ids = [one["id"] for one in clips.take(rows[max(at - 1, 0) : at + 2], ["id"])]
    return {"previous": ids[0] if at else None, "next": ids[-1] if at + 1 < len(rows) else None}


def _clips_of(chosen: Chosen, video_id: str) -> list[dict[str, Any]]:
    """Return a video's clips in order of time, and what the rules say of each."""
    rows = np.flatnonzero(chosen.clips.of_video(video_id))
    rows = rows[np.argsort(chosen.clips.column("start_s")[rows], kind="stable")]
    return [
        {**clip, "kept": bool(chosen.selection.kept[row]), "rejected_by": chosen.reason(row)}
        for row, clip in zip(rows.tolist(), chosen.clips.take(rows, ["id", "start_s", "end_s"]), strict=True)
    ]


def _spans(store: Store, video_id: str) -> list[dict[str, Any]]:
    """Return the spans of a video in order of time; of very many, good ones first."""
    rows: list[dict[str, Any]] = store.read("spans", None, one_of("video_id", [video_id])).to_pylist()
    rows.sort(key=lambda row: (row["rejected_by"] is not None, row["start_s"]))
    return sorted(rows[:SPANS_SHOWN], key=lambda row: row["start_s"])
