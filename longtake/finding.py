"""Only the transitions and shots of some videos, without a set: the work behind `longtake shots`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from longtake.engines import Item, check_workers
from longtake.engines.local import run_items
from longtake.places import Place, Remote, place
from longtake.recipe import Recipe, resolve
from longtake.sources.files import find_videos


def find_shots(
    videos: str | Place | Sequence[str | Place],
    *,
    detector: str = "transitions",
    settings: Mapping[str, Any] | None = None,
    workers: int = 1,
    on_progress: Callable[[dict[str, float]], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Return for each video `video, duration_s, fps, transitions, shots`, or `video, failure` with kind and message.

    `videos` are files and folders, or one; of a folder, all that it holds. `settings` are the detector's parameters. A
    transition has `kind, start_s, end_s, start_frame, end_frame, confidence`: `start_frame` is the first frame no
    longer purely of the old shot, `end_frame` the first purely of the new one, so a cut has both equal. A shot has the
    same four bounds. Raises `UsageError` for an unknown detector, a parameter out of its range, or a folder without
    videos.
    """
    check_workers(workers)
    recipe: Recipe = resolve({"shots": {"step": detector, **(settings or {})}})
    plain = recipe.as_dict()
    given = [videos] if isinstance(videos, str | PurePath | Remote) else videos
    paths = [path for one in given for path in _files(one)]
    threads = max(1, workers // max(1, len(paths)))
    items = [Item(str(k), {"path": path, "recipe": plain, "threads": threads}) for k, path in enumerate(paths)]
    found: dict[str, dict[str, Any]] = {}
    for outcome in run_items(
        "longtake.jobs:list_shots", items, workers=max(1, min(workers, len(items))), on_progress=on_progress
    ):
        head = {"video": outcome.item.payload["path"]}
        if outcome.failure:
            kind, message = outcome.failure
            found[outcome.item.name] = {**head, "failure": {"kind": kind, "message": message}}
        else:
            found[outcome.item.name] = {**head, **outcome.result}
    return [found[item.name] for item in items]


def _files(video: str | Place) -> list[str]:
    """Return the videos of a folder, or the one that is named, there or not."""
    path = place(video)
    folder = isinstance(path, Path) and path.expanduser().is_dir()
    return [str(one) for one in find_videos([path]).videos] if folder else [str(video)]
