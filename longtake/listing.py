"""Lists beside fetched videos: what they say of clips joins the set, for clips, scores and captions to go by."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from longtake.recipe import Recipe
from longtake.schemas import SCHEMAS
from longtake.sources import Listed
from longtake.sources.files import LIST
from longtake.sources.lists import read_list
from longtake.steps import fingerprint
from longtake.store import Store, one_of

ROWS_AT_ONCE = 10_000


def take_lists(store: Store, recipe: Recipe, folders: Sequence[Path]) -> None:
    """Put what lists say into the table `listed`, in place of what was there, where they are others or have changed.

    Clips, scores and captions that go by lists are then made anew, from what is stored.
    """
    if not folders or not uses_lists(recipe):
        return
    files = [(str(folder), *_facts(folder / LIST)) for folder in folders]
    key = fingerprint(files)
    if store.key("listed") == key:
        return
    # In this order: after a kill in between the key still differs, and all of it is done again.
    made = store.read("videos", ["id"])["id"].to_pylist()
    schema = pa.schema([SCHEMAS["videos"].field(name) for name in ("id", "made_by")])
    store.update("videos", "id", [{"id": name, "made_by": None} for name in made], schema)
    for use in recipe.captions.values():
        if use.step.listed:
            store.delete("captions", "step", [use.label])
    store.replace("listed", _batches(folders), key)


def uses_lists(recipe: Recipe) -> bool:
    """Return whether any step of a recipe goes by lists."""
    uses = [recipe.clips, *recipe.scores.values(), *recipe.captions.values()]
    return any(use.step.listed for use in uses)


def rows_for(store: Store, paths: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return what lists say of the clips of some videos, by the videos' paths, in the order of the lists."""
    found: dict[str, list[dict[str, Any]]] = {path: [] for path in paths}
    places = {(str(Path(path).parent.parent), Path(path).stem): path for path in paths}
    where = one_of("video", sorted({name for _, name in places}))
    for row in store.read("listed", where=where).to_pylist():
        path = places.get((row["folder"], row["video"]))
        if path is not None:
            found[path].append(row)
    for rows in found.values():
        rows.sort(key=lambda row: row["row"])
    return found


def _facts(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _batches(folders: Sequence[Path]) -> Iterator[pa.RecordBatch]:
    rows: list[dict[str, Any]] = []
    for folder in folders:
        for number, listed in enumerate(read_list(folder / LIST), 1):
            if isinstance(listed, Listed):  # a row that fetching could not read is in its own records
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
