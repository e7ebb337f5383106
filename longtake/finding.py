"""Only the transitions and shots of some videos, without a set: the work behind `longtake shots`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from longtake.engines import Item
from longtake.engines.local import run_items
from longtake.recipe import Recipe, resolve


def find_shots(
    videos: Sequence[str | Path],
    *,
    detector: str = "transitions",
    settings: Mapping[str, Any] | None = None,
    workers: int = 1,
    on_progress: Callable[[dict[str, float]], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Return for each video `video, duration_s, fps, transitions, shots`, or `video, failure` with kind and message.

    `settings` are the detector's parameters. A transition has `kind, start_s, end_s, start_frame, end_frame,
    confidence`: `start_frame` is the first frame no longer purely of the old shot, `end_frame` the first purely of the
    new one, so a cut has both equal. A shot has the same four bounds. Raises `UsageError` for an unknown detector.
    """
    recipe: Recipe = resolve({"shots": {"step": detector, **(settings or {})}})
    plain = recipe.as_dict()
    threads = max(1, workers // max(1, len(videos)))
    items = [Item(str(k), {"path": str(v), "recipe": plain, "threads": threads}) for k, v in enumerate(videos)]
    found: dict[str, dict[str, Any]] = {}
    for outcome in run_items(
        "longtake.jobs:list_shots", items, workers=min(workers, len(items)), on_progress=on_progress
    ):
        head = {"video": outcome.item.payload["path"]}
        if outcome.failure:
            kind, message = outcome.failure
            found[outcome.item.name] = {**head, "failure": {"kind": kind, "message": message}}
        else:
            found[outcome.item.name] = {**head, **outcome.result}
    return [found[item.name] for item in items]
