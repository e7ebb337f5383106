"""What the report shows of captions: those of the clips on the page, and counts over all kept clips."""

import math
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from longtake.errors import UsageError
from longtake.models import DEFAULT_MODEL
from longtake.recipe import resolve
from longtake.store import Tables, one_of

KINDS = (
    *("rewritten", "refined", "raw"),
    *("short", "dense", "main_object", "background", "camera", "style"),
    "measured",
)
"""The order in which a captioner's kinds stand, the quickest to read first; others follow them."""
BEST = ("rewritten", "refined", "dense", "short", "measured")
"""The kinds that a clip's one line is taken from, the best first."""
TEXT_CHARS = 2000
LINE_CHARS = 300
NAME_CHARS = 200
"""Longest model name, and longest reason, for both may come from a server."""
CAPTIONS_A_CLIP = 100
SET_ASIDE_SHOWN = 100
MODELS_SHOWN = 20
BINS = 24
EXAMPLE_URL = "http://localhost:8000/v1"


def summarize(store: Tables, recipe: Mapping[str, Any], name: str, kept_ids: pa.ChunkedArray) -> dict[str, Any]:
    """Return counts over the captions of kept clips, all answers of models, and which captioners wait for a model.

    `recipe` is the set's recipe as its file has it, `name` that of its folder.
    """
    every = store.read("captions", ["clip_id", "step", "kind", "number", "text", "problems"])
    rows = every.filter(pc.is_in(every["clip_id"], kept_ids.combine_chunks()))
    good = np.asarray(pc.equal(pc.list_value_length(rows["problems"]), 0))
    aside = rows.filter(pa.array(~good))
    order = list(recipe.get("captions", {}))
    return {
        "count": rows.num_rows,
        "of_other_clips": every.num_rows - rows.num_rows,
        "clips": pc.count_distinct(rows["clip_id"].filter(pa.array(good))).as_py(),
        "kinds": lengths(rows, good, order),
        "set_aside": [_set_aside(row) for row in aside.slice(0, SET_ASIDE_SHOWN).to_pylist()],
        "set_aside_total": aside.num_rows,
        "answers": _answers(store),
        "waiting": _waiting(recipe, name),
    }


def captions_of(store: Tables, clip_ids: Iterable[str], order: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return all captions of some clips by the clips' ids: step by step in this order, kind by kind, in order of time.

    Long texts are cut; captions that were set aside are among them.
    """
    columns = ["clip_id", "step", "kind", "number", "start_s", "end_s", "text", "problems", "model", "frames_s"]
    found: dict[str, list[dict[str, Any]]] = {clip_id: [] for clip_id in clip_ids}
    rows = store.read("captions", columns, one_of("clip_id", found)).to_pylist()
    for row in sorted(rows, key=lambda row: (*_place(row["step"], row["kind"], order), row["number"])):
        found[row["clip_id"]].append(
            {
                **{name: row[name] for name in ("step", "kind", "start_s", "end_s")},
                "text": cut(row["text"], TEXT_CHARS),
                "problems": [cut(problem, NAME_CHARS) for problem in row["problems"]],
                "model": cut(row["model"], NAME_CHARS) if row["model"] else None,
                "frames": len(row["frames_s"]),
            }
        )
    return found


def shown(captions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a clip on the page says: its one line, its captions, and how many more it has."""
    return {
        "line": best_line(captions),
        "captions": list(captions[:CAPTIONS_A_CLIP]),
        "captions_left_out": max(0, len(captions) - CAPTIONS_A_CLIP),
    }


def best_line(captions: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the text that tells most in one line, of a model before a measured one; None where nothing can be used.

    A raw caption is about a part of the clip, unless it is the only one: then it stands in where a model said no more.
    """
    whole = sum(one["kind"] == "raw" for one in captions) == 1
    kinds = (*BEST, "raw") if whole else BEST
    usable = [one for one in captions if not one["problems"] and one["kind"] in kinds]
    best = min(usable, key=lambda one: (one["model"] is None, kinds.index(one["kind"])), default=None)
    return cut(best["text"], LINE_CHARS) if best else None


def cut(text: str, most: int) -> str:
    """Return a text of at most so many characters; what is cut off is an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _place(step: str, kind: str, order: Sequence[str]) -> tuple[int, str, int, str]:
    """Return a sort key: steps in the recipe's order, kinds in ours, unknown ones by name after them."""
    at = order.index(step) if step in order else len(order)
    return at, step, KINDS.index(kind) if kind in KINDS else len(KINDS), kind


def lengths(rows: pa.Table, good: NDArray[np.bool_], order: Sequence[str]) -> list[dict[str, Any]]:
    """Return for each kind of each captioner how many captions there are, and how many words they have."""
    words = np.asarray(pc.count_substring_regex(rows["text"], r"\S+"), np.int64)
    pairs = rows.group_by(["step", "kind"]).aggregate([]).to_pylist()
    found = []
    for step, kind in sorted(((row["step"], row["kind"]) for row in pairs), key=lambda of: _place(of[0], of[1], order)):
        here = np.asarray(pc.and_(pc.equal(rows["step"], step), pc.equal(rows["kind"], kind)))
        used, others = words[here & good], words[here & ~good]
        edges = _edges(words[here])
        found.append(
            {
                "step": step,
                "kind": kind,
                "count": len(used) + len(others),
                "set_aside": len(others),
                "mean_words": float(used.mean()) if len(used) else None,
                "edges": edges.tolist(),
                # The histogram's two parts are named as those of the scores.
                "kept": np.histogram(np.minimum(used, edges[-1] - 1), edges)[0].tolist(),
                "rejected": np.histogram(np.minimum(others, edges[-1] - 1), edges)[0].tolist(),
            }
        )
    return found


def _edges(words: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return edges of equally many whole numbers that hold 99 % of the counts; what lies beyond is in the last bin."""
    width = max(1, math.ceil((float(np.quantile(words, 0.99)) + 1) / BINS))
    return np.arange(BINS + 1) * width


def _set_aside(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("step", "kind")},
        "clip": row["clip_id"],
        "problems": [cut(problem, NAME_CHARS) for problem in row["problems"]],
        "text": cut(row["text"], LINE_CHARS),
    }


def _answers(store: Tables) -> list[dict[str, Any]]:
    """Return what models answered and what it cost, one row a model, most answers first."""
    table = store.read("answers", ["model", "prompt_tokens", "completion_tokens", "cost_usd"])
    sums = table.group_by("model").aggregate(
        [
            *((name, "sum") for name in ("prompt_tokens", "completion_tokens", "cost_usd")),
            ("cost_usd", "count"),
            ([], "count_all"),
        ]
    )
    rows = sorted(sums.to_pylist(), key=lambda row: (-row["count_all"], row["model"] or ""))
    return [
        {
            "model": cut(row["model"] or "", NAME_CHARS),
            "count": row["count_all"],
            "prompt_tokens": row["prompt_tokens_sum"],
            "completion_tokens": row["completion_tokens_sum"],
            "cost_usd": row["cost_usd_sum"],
            "unpriced": row["count_all"] - row["cost_usd_count"],
        }
        for row in rows[:MODELS_SHOWN]
    ]


def _waiting(recipe: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """Return the captioners that wait for a model and the command that gives them one; None where none waits."""
    uses = []
    for label, given in recipe.get("captions", {}).items():
        # Steps of one's own, or what they need, may not be there where the set is looked at.
        with suppress(UsageError):
            asked = resolve({"models": recipe.get("models", {}), "captions": {label: given}})
            uses += [use for use in asked.captions.values() if asked.waits(use)]
    if not uses:
        return None
    models: Collection[str | None] = dict.fromkeys(use.model for use in uses)
    options = [
        f"--url {EXAMPLE_URL}" if model == DEFAULT_MODEL else f"-s models.{model}.url={EXAMPLE_URL}" for model in models
    ]
    command = " ".join(["longtake caption", shlex.quote(name), *options])
    return {"steps": [use.label for use in uses], "command": command}
