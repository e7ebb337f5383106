"""Clips page by page: filtered, sorted and searched on the server, whatever their number."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any, Literal

import numpy as np
from starlette.routing import Route

from longtake.errors import UsageError
from longtake.report.captions import best_line, captions_of
from longtake.report.data import preview
from longtake.select import parse_rule
from longtake.store import Store, one_of
from longtake.viewer.asking import MissingError, post
from longtake.viewer.columns import PLACE, Floats, Mask, Recent, Rows
from longtake.viewer.notes import Judgements, Notes
from longtake.viewer.playing import plays
from longtake.viewer.shelf import Chosen, Shelf

PAGE = 200
FOUND_KEPT = 16
ALIKE = 500
"""So many clips are found for one."""
FACTS = ("id", "video_id", "start_s", "end_s", "file")
VIDEO_FACTS = (
    *("id", "path", "container", "codec", "pixel_format", "audio_codec"),
    *("damage", "seekable", "previews"),
)


@dataclass(frozen=True, slots=True)
class ClipsAsked:
    """Which clips, in which order, and which of them."""

    rules: list[str]
    show: Literal["kept", "rejected", "all"] = "kept"
    by: str | None = None
    """Only those that this rule rejected."""
    where: tuple[str, ...] = ()
    """More rules, which only choose what is shown."""
    words: str | None = None
    like: str | None = None
    video: str | None = None
    judged: str | None = None
    """`yes`, `no`, `keep`, `reject`, or a flag."""
    judge: str | None = None
    """Whose judgements; None: the last of anyone."""
    sort: str | None = None
    """None: how well they fit what is looked for, else their place."""
    descending: bool = False
    offset: int = 0
    limit: int = 60


@dataclass(frozen=True, slots=True)
class Found:
    """All clips that fit, in order."""

    rows: Rows
    seconds: float
    likeness: Floats | None = None
    """Shape (number of rows,), 0 to 1."""


def routes(shelf: Shelf, notes: Notes) -> list[Route]:
    """Return what answers with clips."""
    kept = Recent(FOUND_KEPT)

    def clips(asked: ClipsAsked) -> dict[str, Any]:
        begun = time.perf_counter()
        if asked.offset < 0 or not 1 <= asked.limit <= PAGE:
            raise UsageError(f"offset: 0 or more; limit: 1 to {PAGE}")
        chosen = shelf.chosen(asked.rules)
        plain = replace(asked, offset=0, limit=1)
        tables = [
            *(["captions"] if asked.words else []),
            *(["vectors"] if asked.like else []),
            *(["judgements"] if asked.judged else []),
        ]
        name = (chosen.clips.version, *map(shelf.store.version, tables), repr(astuple(plain)))
        said = notes.judgements()  # after its version: what is kept under that is never older
        found = kept.get(name, lambda: _find(shelf, chosen, said, plain))
        rows = found.rows[asked.offset : asked.offset + asked.limit]
        records = records_of(shelf, chosen, rows, said, judge=asked.judge, also=[asked.sort, *_scores(asked.where)])
        if found.likeness is not None:
            alike = found.likeness[asked.offset : asked.offset + asked.limit].tolist()
            records = [{**record, "likeness": value} for record, value in zip(records, alike, strict=True)]
        elapsed_ms = 1000 * (time.perf_counter() - begun)
        return {"total": len(found.rows), "seconds": found.seconds, "clips": records, "elapsed_ms": elapsed_ms}

    return [post("/api/clips", ClipsAsked, clips)]


def _find(shelf: Shelf, chosen: Chosen, said: Judgements, asked: ClipsAsked) -> Found:
    """Return all clips that fit, sorted."""
    clips = chosen.clips
    mask = _shown(chosen, asked)
    for text in asked.where:
        rule = parse_rule(text)
        mask = mask & rule.holds(clips.column(rule.score))
    if asked.video is not None:
        mask = mask & clips.of_video(asked.video)
    if asked.judged is not None:
        mask = mask & _judged(chosen, said, asked.judged, asked.judge)
    worth: Floats | None = None
    if asked.words is not None and asked.words.strip():
        worth = _fitting(shelf.store, chosen, asked.words)
        mask = mask & (worth > 0)
    if asked.like is not None:
        worth = _alike(shelf.store, chosen, asked.like)
        mask = mask & ~np.isnan(worth)
    if asked.sort is None and worth is not None:
        place = clips.order(PLACE)
        rows = place[mask[place]]
        rows = rows[np.argsort(-worth[rows], kind="stable")]
    else:
        order = clips.order(asked.sort or PLACE, descending=asked.descending)
        rows = order[mask[order]]
    likeness = worth[rows] if worth is not None and asked.like is not None else None
    return Found(rows, float(clips.column("duration_s")[rows].sum()), likeness)


def _shown(chosen: Chosen, asked: ClipsAsked) -> Mask:
    selection = chosen.selection
    if asked.by is not None:
        names = {**dict(zip(asked.rules, range(len(asked.rules)), strict=True)), **_places(chosen.reasons)}
        if asked.by not in names:
            raise UsageError(f"by: {asked.by!r} is none of the rules")
        rejected: Mask = selection.said_no == names[asked.by]
        return rejected
    if asked.show == "all":
        return np.ones(chosen.clips.count, bool)
    return selection.kept if asked.show == "kept" else ~selection.kept


def _places(texts: Sequence[str]) -> dict[str, int]:
    return {text: place for place, text in reversed(list(enumerate(texts)))}


def _scores(rules: Sequence[str]) -> list[str]:
    return [parse_rule(text).score for text in rules]


def _judged(chosen: Chosen, said: Judgements, wanted: str, judge: str | None) -> Mask:
    """Return which clips were judged, or how, or what flag they have."""
    tests: dict[str, Callable[[Mapping[str, Any]], bool]] = {
        "yes": lambda one: True,
        "no": lambda one: True,
        "keep": lambda one: one["keep"] is True,
        "reject": lambda one: one["keep"] is False,
    }
    test = tests.get(wanted) or (lambda one: wanted in one["flags"])
    fitting = [clip for clip in said if (one := last_said(said, clip, judge)) and test(one)]
    mask = np.zeros(chosen.clips.count, bool)
    mask[chosen.clips.with_ids(fitting)] = True
    return ~mask if wanted == "no" else mask


def last_said(said: Judgements, clip: str, judge: str | None) -> Mapping[str, Any] | None:
    """Return what one judge said of a clip, or the last of anyone."""
    judges = said.get(clip, {})
    if judge:
        return judges.get(judge)
    return list(judges.values())[-1] if judges else None


def _fitting(store: Store, chosen: Chosen, words: str) -> Floats:
    """Return how well a caption of each clip fits the words, 0 where none has them all."""
    found = store.search("captions", words, ["clip_id"])
    best = found.group_by("clip_id").aggregate([("_score", "max")])
    return chosen.clips.spread(best["clip_id"], best["_score_max"].to_numpy(), missing=0.0)


def _alike(store: Store, chosen: Chosen, clip_id: str) -> Floats:
    """Return how alike each clip's pictures are to those of one, 0 to 1; NaN for all that are not among the nearest."""
    own = store.read("vectors", ["vector"], one_of("clip_id", [clip_id]))
    if not len(chosen.clips.with_ids([clip_id])):
        raise MissingError(f"the set has no clip {clip_id!r}")
    if not own.num_rows:
        raise UsageError(f"no pictures of clip {clip_id!r} were kept, so nothing can be likened to it")
    vectors = np.stack(own["vector"].to_numpy(zero_copy_only=False)).astype(np.float32)
    found = store.nearest("vectors", vectors, ALIKE)
    best = found.group_by("clip_id").aggregate([("cosine", "max")])
    return np.clip(chosen.clips.spread(best["clip_id"], best["cosine_max"].to_numpy(), missing=np.nan), 0.0, 1.0)


def records_of(
    shelf: Shelf, chosen: Chosen, rows: Rows, said: Judgements, *, judge: str | None, also: Sequence[str | None] = ()
) -> list[dict[str, Any]]:
    """Return what a page shows of some clips."""
    clips = chosen.clips
    facts = clips.take(rows, FACTS)
    videos = {row["id"]: row for row in _videos(shelf.store, {fact["video_id"] for fact in facts})}
    captions = captions_of(shelf.store, [fact["id"] for fact in facts], list(shelf.recipe().get("captions", {})))
    keys = dict.fromkeys([*(rule.score for rule in chosen.rules), *(key for key in also if key)])
    columns = {key: clips.column(key) for key in keys if key in clips.keys}
    found = []
    for row, fact in zip(rows.tolist(), facts, strict=True):
        said_no = int(chosen.selection.said_no[row])
        rule = chosen.rules[said_no].score if said_no >= 0 else None
        video = videos.get(fact["video_id"], {})
        judgement = last_said(said, fact["id"], judge)
        found.append(
            {
                **{name: fact[name] for name in ("id", "video_id", "start_s", "end_s")},
                "name": video.get("path", fact["video_id"]).rpartition("/")[2],
                "kept": said_no < 0,
                "rejected_by": chosen.reason(row),
                "rejected_value": float(columns[rule][row]) if rule in columns else None,
                "scores": {key: float(values[row]) for key, values in columns.items()},
                "line": best_line(captions[fact["id"]]),
                "file": fact["file"] is not None,
                # Whether a browser plays what there is; anything else is made for it first.
                "plays": fact["file"] is not None or (bool(video) and plays(video)),
                "sheet": preview(video.get("previews")),
                "judgement": judgement and {name: judgement[name] for name in ("keep", "flags", "note")},
            }
        )
    return found


def _videos(store: Store, ids: set[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = store.read("videos", VIDEO_FACTS, one_of("id", sorted(ids))).to_pylist()
    return rows
