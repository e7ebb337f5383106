"""What the set is, what rules leave of it, its scores as bars; and rules saved, or taken along as a recipe."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow.compute as pc
import tomli_w
from starlette.responses import Response
from starlette.routing import Route

from longtake import __version__
from longtake.clip_facts import CLIP_FACTS, COPY_FACTS, FILE_FACTS
from longtake.errors import UsageError
from longtake.report.data import NOUNS, funnel_row, meaning
from longtake.report.histograms import Threshold
from longtake.select_set import select_set
from longtake.settings import RECIPE
from longtake.viewer.asking import get, post
from longtake.viewer.bars import BINS, Bars
from longtake.viewer.columns import Clips
from longtake.viewer.notes import Notes
from longtake.viewer.shelf import Shelf

MOST_BINS = 400


@dataclass(frozen=True, slots=True)
class Asked:
    """Rules."""

    rules: list[str]


@dataclass(frozen=True, slots=True)
class BarsAsked:
    """Which histograms, of what rules leave."""

    rules: list[str]
    keys: list[str]
    bins: int = BINS


@dataclass(frozen=True, slots=True)
class RecipeAsked:
    """Rules, and what a recipe with them is to be called."""

    rules: list[str]
    name: str = field(default="")


def routes(shelf: Shelf, notes: Notes, other: Shelf | None) -> list[Route]:
    """Return what answers about the set as a whole."""
    bars = Bars()

    def selected(asked: Asked) -> dict[str, Any]:
        begun = time.perf_counter()
        rows = shelf.chosen(asked.rules).funnel
        return {
            "funnel": [funnel_row(row) for row in rows],
            "kept": rows[-1].clips,
            "kept_s": rows[-1].seconds,
            "elapsed_ms": 1000 * (time.perf_counter() - begun),
        }

    def histograms(asked: BarsAsked) -> list[dict[str, Any]]:
        if not 1 <= asked.bins <= MOST_BINS:
            raise UsageError(f"bins: 1 to {MOST_BINS}, not {asked.bins}")
        chosen, recipe = shelf.chosen(asked.rules), shelf.recipe()
        found = []
        for key in dict.fromkeys(asked.keys):
            if key not in chosen.clips.keys and key.partition(".")[0] in recipe.get("judges", {}):
                continue  # nobody was asked yet
            lines = [Threshold(str(rule), rule.number, rule.comparison) for rule in chosen.rules if rule.score == key]
            said = dict(zip(("unit", "about"), meaning(recipe, key), strict=True))
            drawn = bars.draw(chosen.clips, key, chosen.selection.kept, lines, asked.bins)
            if drawn:
                found.append({"key": key, **said, **drawn})
        return found

    return [
        get("/api/set", lambda _: _about(shelf, notes, other)),
        get("/api/stamp", lambda _: {"stamp": shelf.stamp()}),
        post("/api/select", Asked, selected),
        post("/api/histograms", BarsAsked, histograms),
        post("/api/recipe", RecipeAsked, lambda asked: _recipe(shelf, asked)),
        post("/api/save", Asked, lambda asked: _save(shelf, asked.rules)),
    ]


def _about(shelf: Shelf, notes: Notes, other: Shelf | None) -> dict[str, Any]:
    recipe, store, clips = shelf.recipe(), shelf.store, shelf.clips()
    chosen = shelf.chosen(shelf.rules())
    videos = store.read("videos", ["duration_s"])
    judged = notes.judgements()
    captions = store.read("captions", ["step", "kind"]).group_by(["step", "kind"]).aggregate([([], "count_all")])
    return {
        "name": shelf.folder.resolve().name,
        "folder": str(shelf.folder.resolve()),
        "version": __version__,
        "noun": NOUNS.get(recipe.get("clips", {}).get("step", "takes"), "clip"),
        "recipe": {
            **{name: recipe.get(name, "") for name in ("name", "about", "source")},
            "rules": list(chosen.reasons),
            "toml": (shelf.folder / RECIPE).read_text(encoding="utf-8"),
        },
        "totals": {
            "videos": videos.num_rows,
            "video_s": pc.sum(videos["duration_s"]).as_py() or 0.0,
            "shots": store.count("shots"),
            "clips": clips.count,
            "clip_s": chosen.funnel[0].seconds,
            "kept": chosen.funnel[-1].clips,
            "kept_s": chosen.funnel[-1].seconds,
            "failed": store.count("failures"),
            "file_bytes": int(np.nansum(clips.column("file_bytes"))),
        },
        "scores": _scores(recipe, clips),
        "captions": [
            {"step": row["step"], "kind": row["kind"], "count": row["count_all"]} for row in captions.to_pylist()
        ],
        "has": {
            "search": captions.num_rows > 0,
            "like": store.has("vectors"),
            "spans": store.count("spans") > 0,
            "listed": store.count("listed") > 0,
            "copies": any(key.startswith("copies.") for key in clips.keys),
            "other": other is not None,
        },
        "judged": {
            "clips": len(judged),
            "judges": sorted({judge for said in judged.values() for judge in said}),
        },
        "stamp": shelf.stamp(),
    }


def _scores(recipe: Mapping[str, Any], clips: Clips) -> list[dict[str, str]]:
    """Return what rules can ask about, facts first."""
    facts = [key for key in (*CLIP_FACTS, *FILE_FACTS, *COPY_FACTS) if key in clips.keys]
    keys = dict.fromkeys([*facts, *(key for key in clips.keys if "." in key)])
    return [{"key": key, **dict(zip(("unit", "about"), meaning(recipe, key), strict=True))} for key in keys]


def _with(shelf: Shelf, rules: Sequence[str]) -> dict[str, Any]:
    """Return the set's recipe with other rules."""
    recipe = shelf.recipe()
    recipe["select"] = {**recipe.get("select", {}), "keep": list(shelf.chosen(rules).reasons)}
    return recipe


def _recipe(shelf: Shelf, asked: RecipeAsked) -> Response:
    """Return a recipe that makes such a set of other videos."""
    name = asked.name.strip() or shelf.recipe().get("name", "recipe")
    text = tomli_w.dumps({**_with(shelf, asked.rules), "name": name})
    file = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "recipe"
    return Response(
        text, media_type="application/toml", headers={"Content-Disposition": f'attachment; filename="{file}.toml"'}
    )


def _save(shelf: Shelf, rules: Sequence[str]) -> dict[str, Any]:
    """Make rules the set's own, as `longtake select SET --keep ... --save` does."""
    if not rules:
        raise UsageError("name at least one rule; 'duration_s > 0' keeps every clip")
    shelf.chosen(rules)  # says which rule is wrong
    choice = select_set(shelf.folder, rules, save=True)
    return {
        "kept": choice.funnel[-1].clips,
        "before": choice.before,
        "without_file": choice.without_file,
        "stamp": shelf.stamp(),
    }
