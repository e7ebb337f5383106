"""Lists beside fetched videos: what they say of clips joins the set, for clips, scores and captions to go by."""

import hashlib
import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from longtake.errors import UsageError
from longtake.places import Place
from longtake.planning import removed_among, removed_before
from longtake.recipe import Recipe
from longtake.schemas import SCHEMAS
from longtake.sources import BadRow, Listed
from longtake.sources.files import LIST, VIDEOS, Found
from longtake.sources.lists import read_list
from longtake.sources.pieces import FILE as PARTS
from longtake.sources.pieces import in_part, read_parts
from longtake.steps import fingerprint, nearest
from longtake.store import Store, one_of
from longtake.video import video_id
from longtake.watch import Progress, Watch

ROWS_AT_ONCE = 10_000
QUIET_S = 1.0
"""Reading that takes no longer than this isn't told of."""
TOLD = 5
"""Videos that no row names, of which the file is told."""


def take_lists(store: Store, recipe: Recipe, found: Found, watch: Watch = lambda _: None) -> None:
    """Put what lists say into the table `listed`, in place of what it had of the same folders, where that has changed.

    Clips, scores and captions of the folders' videos are then made anew, from what is stored. Rows of videos that were
    removed for good stay out. Raises `UsageError` for a list that can't be read, before anything is changed, and for
    scores that no list has.
    """
    if not found.lists or not uses_lists(recipe):
        return
    removed = _removed(store, found)
    known: dict[str, dict[str, Any]] = json.loads(store.key("listed") or "{}").get("folders", {})
    facts = {str(folder): _facts(folder, removed) for folder in found.lists}
    changed = [folder for folder in found.lists if known.get(str(folder), {}).get("facts") != facts[str(folder)]]
    if changed:
        for folder in changed:
            read_list(folder / LIST)
        # In this order: after a kill in between the key still differs, and all of it is done again.
        videos = store.read("videos", ["id", "path"]).to_pylist()
        theirs = [row["id"] for row in videos if any(holds(folder, Path(row["path"])) for folder in changed)]
        schema = pa.schema([SCHEMAS["videos"].field(name) for name in ("id", "made_by")])
        store.update("videos", "id", [{"id": name, "made_by": None} for name in theirs], schema)
        labels = {"listed", *(use.label for use in recipe.captions.values() if use.step.listed)}
        store.delete("captions", "step", sorted(labels), also=one_of("video_id", theirs))
        reading = _Reading(watch, {_place(path) for path in found.videos if path.parent.parent in changed})
        store.replace("listed", _batches(store, changed, removed, reading), _key(known))
        for folder in changed:
            known[str(folder)] = {"facts": facts[str(folder)], "scores": sorted(reading.scores.get(str(folder), ()))}
        store.set_key("listed", _key(known))
        reading.end()
    _check_scores(recipe, {name for one in known.values() for name in one["scores"]})


def uses_lists(recipe: Recipe) -> bool:
    """Return whether any step of a recipe goes by lists."""
    uses = [recipe.clips, *recipe.scores.values(), *recipe.captions.values()]
    return any(use.step.listed for use in uses)


def rows_for(store: Store, paths: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return what lists say of the clips of some videos, by the videos' paths, in the order of the lists.

    Lists of other fetched folders count where these hold the same video, after the list of its own.
    """
    found: dict[str, list[dict[str, Any]]] = {path: [] for path in paths}
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in store.read("listed", where=one_of("video", sorted({Path(path).stem for path in paths}))).to_pylist():
        rows.setdefault(row["video"], []).append(row)
    for path, own in found.items():
        about = rows.get(Path(path).stem, [])
        folders = {folder for folder in {row["folder"] for row in about} if holds(Path(folder), Path(path))}
        home = str(Path(path).parent.parent)
        own += [row for row in about if row["folder"] in folders]
        own.sort(key=lambda row: (row["folder"] != home, row["folder"], row["row"]))
    return found


def holds(folder: Path, path: Path) -> bool:
    """Return whether a fetched folder holds a video: this file, or one of its name and content."""
    if path.parent.parent == folder:
        return True
    own = folder / VIDEOS / path.name
    try:
        return own.stat().st_size == path.stat().st_size and video_id(own) == video_id(path)
    except OSError:
        return False  # one of them isn't there


def _place(path: Place) -> tuple[str, str]:
    """Return the folder and the name by which lists know a fetched file."""
    return str(path.parent.parent), path.stem


def _removed(store: Store, found: Found) -> set[tuple[str, str]]:
    """Return the files of fetched folders that hold videos removed for good."""
    if not removed_before(store.folder):
        return set()
    return {_place(path) for path in removed_among(store, found.videos)}


def _key(known: Mapping[str, Any]) -> str:
    return json.dumps({"folders": known}, sort_keys=True)


def _facts(folder: Path, removed: Collection[tuple[str, str]]) -> list[Any]:
    status = (folder / LIST).stat()
    facts = [status.st_size, status.st_mtime_ns, fingerprint(sorted(name for of, name in removed if of == str(folder)))]
    if (folder / PARTS).is_file():
        with (folder / PARTS).open("rb") as file:
            facts.append(hashlib.file_digest(file, "sha256").hexdigest())
    return facts


@dataclass(slots=True)
class _Reading:
    """What is seen and told while lists are read."""

    watch: Watch
    unnamed: set[tuple[str, str]]
    """Videos that are on the disk, and that no row has named so far."""
    scores: dict[str, set[str]] = field(default_factory=dict)
    """Names of the scores that each folder's list has."""
    rows: int = 0
    began: float = field(default_factory=time.monotonic)

    def see(self, folder: Path, listed: Listed) -> None:
        """Look at a row."""
        self.unnamed.discard((str(folder), listed.video))
        self.scores.setdefault(str(folder), set()).update(listed.scores)
        self.rows += 1
        if self.rows % ROWS_AT_ONCE == 0:
            self._tell(0, "")

    def end(self) -> None:
        """Tell how many rows there were, and which videos none of them names."""
        names = sorted(name for _, name in self.unnamed)
        more = ", ..." if len(names) > TOLD else ""
        said = f"{len(names)} videos are named by no row, and give no clips: {', '.join(names[:TOLD])}{more}"
        self._tell(self.rows, said if names else "")

    def _tell(self, total: int, words: str) -> None:
        elapsed_s = time.monotonic() - self.began
        if words or elapsed_s > QUIET_S:
            self.watch(Progress("list", self.rows, total, 0, 0.0, 0.0, elapsed_s, words))


def _check_scores(recipe: Recipe, known: Collection[str]) -> None:
    """Raise `UsageError` where a recipe asks for a score that no list of the set has."""
    for use in recipe.scores.values():
        asked = str(use.parameters.get("names", "")) if use.step.listed else ""
        for name in filter(None, map(str.strip, asked.split(","))):
            if name not in known:
                near = nearest(name, known) if known else "; none has scores"
                raise UsageError(f"scores.{use.label}.names: no list here has {name!r}{near}")


def _batches(
    store: Store, folders: Sequence[Path], removed: Collection[tuple[str, str]], reading: _Reading
) -> Iterator[pa.RecordBatch]:
    """Yield the rows there are of other folders, then those of some folders' lists as they are now."""
    if store.has("listed"):
        yield from store.read("listed", where=f"NOT {one_of('folder', map(str, folders))}").to_batches()
    rows: list[dict[str, Any]] = []
    for folder in folders:
        parts = read_parts(folder)
        for number, listed in enumerate(read_list(folder / LIST), 1):
            if isinstance(listed, BadRow):
                raise UsageError(f"{folder / LIST}, row {listed.row}: {listed.problem}; longtake fetch writes it anew")
            listed = in_part(listed, parts.get(listed.video, ()))
            reading.see(folder, listed)
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
