"""Lists beside fetched videos: what they say of clips joins the set, for clips, scores and captions to go by."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from longtake.errors import UsageError
from longtake.planning import removed_among, removed_before
from longtake.recipe import Recipe
from longtake.schemas import SCHEMAS
from longtake.sources import BadRow, Listed
from longtake.sources.files import LIST, Found
from longtake.sources.lists import read_list
from longtake.steps import fingerprint
from longtake.store import Store, one_of

ROWS_AT_ONCE = 10_000


def take_lists(store: Store, recipe: Recipe, found: Found) -> None:
    """Put what lists say into the table `listed`, in place of what it had of the same folders, where that has changed.

    Clips, scores and captions of the folders' videos are then made anew, from what is stored. Rows of videos that were
    removed for good stay out. Raises `UsageError` for a list that can't be read, before anything is changed.
    """
    if not found.lists or not uses_lists(recipe):
        return
    removed = _removed(store, found)
    known: dict[str, list[Any]] = json.loads(store.key("listed") or "{}")
    facts = {str(folder): _facts(folder, removed) for folder in found.lists}
    changed = [folder for folder in found.lists if known.get(str(folder)) != facts[str(folder)]]
    if not changed:
        return
    for folder in changed:
        read_list(folder / LIST)
    # In this order: after a kill in between the key still differs, and all of it is done again.
    videos = store.read("videos", ["id", "path"]).to_pylist()
    theirs = [row["id"] for row in videos if Path(row["path"]).parent.parent in changed]
    schema = pa.schema([SCHEMAS["videos"].field(name) for name in ("id", "made_by")])
    store.update("videos", "id", [{"id": name, "made_by": None} for name in theirs], schema)
    labels = {"listed", *(use.label for use in recipe.captions.values() if use.step.listed)}
    store.delete("captions", "step", sorted(labels), also=one_of("video_id", theirs))
    key = json.dumps({**known, **facts}, sort_keys=True)
    store.replace("listed", _batches(store, changed, removed), key)


def uses_lists(recipe: Recipe) -> bool:
    """Return whether any step of a recipe goes by lists."""
    uses = [recipe.clips, *recipe.scores.values(), *recipe.captions.values()]
    return any(use.step.listed for use in uses)


def rows_for(store: Store, paths: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return what lists say of the clips of some videos, by the videos' paths, in the order of the lists."""
    found: dict[str, list[dict[str, Any]]] = {path: [] for path in paths}
    where = one_of("video", sorted({Path(path).stem for path in paths}))
    rows = store.read("listed", where=where).to_pylist()
    for path, own in found.items():
        own += [row for row in rows if (row["folder"], row["video"]) == _place(Path(path))]
        own.sort(key=lambda row: row["row"])
    return found


def _place(path: Path) -> tuple[str, str]:
    """Return the folder and the name by which lists know a fetched file."""
    return str(path.parent.parent), path.stem


def _removed(store: Store, found: Found) -> set[tuple[str, str]]:
    """Return the files of fetched folders that hold videos removed for good."""
    if not removed_before(store.folder):
        return set()
    return {_place(path) for path in removed_among(store, found.videos)}


def _facts(folder: Path, removed: Collection[tuple[str, str]]) -> list[Any]:
    status = (folder / LIST).stat()
    return [status.st_size, status.st_mtime_ns, fingerprint(sorted(name for of, name in removed if of == str(folder)))]


def _batches(store: Store, folders: Sequence[Path], removed: Collection[tuple[str, str]]) -> Iterator[pa.RecordBatch]:
    """Yield the rows there are of other folders, then those of some folders' lists as they are now."""
    if store.has("listed"):
        yield from store.read("listed", where=f"NOT {one_of('folder', map(str, folders))}").to_batches()
    rows: list[dict[str, Any]] = []
    for folder in folders:
        for number, listed in enumerate(read_list(folder / LIST), 1):
            if isinstance(listed, BadRow):
                raise UsageError(f"{folder / LIST}, row {listed.row}: {listed.problem}; longtake fetch writes it anew")
            if (str(folder), listed.video) not in removed:
                rows.append(_row(folder, number, listed))
            if len(rows) >= ROWS_AT_ONCE:
                yield pa.RecordBatch.from_pylist(rows, schema=SCHEMAS["listed"])
                rows = []
    if rows:
        yield pa.RecordBatch.from_pylist(rows, schema=SCHEMAS["listed"])


def _row(folder: Path, number: int, listed: Listed) -> dict[str, Any]:
    plain = {name: getattr(listed, name) for name in ("dataset", "video", "clip", "url", "start_s", "end_s")}
    return {
        "folder": str(folder),
        "row": number,
        **plain,
        "captions": [asdict(caption) for caption in listed.captions],
        "scores": _pairs(listed.scores),
        "fields": _pairs(listed.fields),
    }


def _pairs(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in values.items()]
