"""The write phase of a run: a file for every kept clip, none for the others, and a second look at every file."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from longtake.clip_facts import FILE_FACTS
from longtake.engines import Engine, Item, Outcome, stop_where_unwritable
from longtake.measuring import COMMIT_ITEMS, COMMIT_S, FILE_COLUMNS, VERIFY_COLUMNS, video_fields
from longtake.places import Place, Remote, remove
from longtake.planning import PASSING
from longtake.recipe import Recipe
from longtake.schemas import SCHEMAS
from longtake.scores.borders import SIDES
from longtake.steps import fingerprint
from longtake.store import Store
from longtake.watch import Progress, Watch

WRITER_VERSION = 1
VERIFIER_VERSION = 1
OURS = re.compile(r"\.?.+_\d{8,}_\d{8,}(\.mp4|\.jpg|\.tmp\.mp4|\.jpg\.tmp)")
"""Names of clip files, posters and their unfinished forms; anything else in the folder is the user's."""
SPAN = ("id", "start_s", "end_s", "start_frame", "end_frame")

Clip = dict[str, Any]
"""A row of `clips`."""


def _schema(columns: Iterable[str]) -> pa.Schema:
    return pa.schema([SCHEMAS["clips"].field(name) for name in ("id", *columns)])


WRITTEN = {"write": _schema([*FILE_COLUMNS, *VERIFY_COLUMNS]), "verify": _schema(VERIFY_COLUMNS)}
"""What each task of the phase sets in `clips`."""


@dataclass
class Written:
    """What the phase did."""

    written: int = 0
    failed: int = 0
    verified: int = 0
    """Files that were there and only looked at."""
    removed: int = 0
    """Files of clips that are no longer kept."""
    elapsed_s: float = 0.0


def work_keys(recipe: Recipe) -> tuple[str, str]:
    """Return the names of exactly this work: writing a file, and looking at a file so written."""
    assert recipe.files is not None and recipe.shots.signal is not None
    how = asdict(recipe.files)
    if recipe.files.copy:
        del how["copy"]  # a file that was encoded whole before there was a choice is what was asked for, too
    write_key = fingerprint([WRITER_VERSION, how, *(["cropped"] if recipe.crop else [])])
    signal = recipe.signals[recipe.shots.signal]
    return write_key, fingerprint([VERIFIER_VERSION, write_key, recipe.shots.key, signal.key])


def forget_other_looks(store: Store, recipe: Recipe) -> None:
    """Take back what another detector found, or this one in files written otherwise, so that no rule goes by it."""
    key = work_keys(recipe)[1]
    if "file_verify_key" not in store.columns("clips").names:
        return  # a set of before there were such looks
    others = store.read("clips", ["id"], f"file_verify_key != '{key}'").to_pylist()
    store.update("clips", "id", others, WRITTEN["verify"])


def write_clips(store: Store, recipe: Recipe, engine: Engine, retry_failed: Sequence[str], watch: Watch) -> Written:
    """Write the files of kept clips that have none, look at those not looked at, remove those no longer kept."""
    write_key, verify_key = work_keys(recipe)
    work = verify_key if recipe.verify else write_key
    written = Written(removed=sweep(store))
    # Where no video was measured with it, the score is no column yet.
    crop = [name for name in store.columns("clips").names if name == recipe.crop]
    columns = [*SPAN, "transitions_at", "video_id", "file", "file_key", "file_verify_key", *crop]
    kept = store.read("clips", columns, "kept").to_pylist()
    failed = {
        row["item"]
        for row in store.read("failures").to_pylist()
        if row["step"] == "write"
        and row["work"] == work
        and row["kind"] not in (*PASSING, "missing", *retry_failed)  # a video may be back where it was, or elsewhere
        and "all" not in retry_failed
    }
    keys = {c["id"]: _file_key(write_key, _borders(c, recipe)) for c in kept}
    is_there = _looking(store)
    there = {c["id"] for c in kept if c["file_key"] == keys[c["id"]] and is_there(c["file"])}
    unseen = [c for c in kept if c["id"] in there and recipe.verify and c["file_verify_key"] != verify_key]
    begun = time.monotonic()
    looks = _Phase("verify", store, recipe, unseen, watch).run(engine)
    # A file that can't be looked at is not what was written: it is written again.
    todo = [c for c in kept if (c["id"] not in there or c["id"] in looks.failed) and c["id"] not in failed]
    files = _Phase("write", store, recipe, todo, watch).run(engine)
    written.verified, written.written, written.failed = looks.done, files.done, len(files.failed)
    written.elapsed_s = time.monotonic() - begun
    return written


def sweep(store: Store) -> int:
    """Remove unfinished files of a killed run and the files of clips no longer kept; return how many of the latter."""
    kept = set(store.read("clips", ["id"], "kept")["id"].to_pylist())
    left = [path for path in _files(store) if OURS.fullmatch(path.name) and path.name.partition(".")[0] not in kept]
    removed = sum(path.suffix == ".mp4" and not path.name.startswith(".") for path in left)
    remove(left)
    if isinstance(store.folder, Path):
        for folder in (store.folder / "clips").glob("*"):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
    gone = store.read("clips", ["id"], "file IS NOT NULL AND (NOT kept OR kept IS NULL)").to_pylist()
    store.update("clips", "id", gone, _schema(FILE_COLUMNS))
    if "file_verify_key" in store.columns("clips").names:
        looked = store.read("clips", ["id", "rejected_by"], "file_verify_key IS NOT NULL AND NOT kept").to_pylist()
        # Of a file that went for another reason nothing stays: what a set holds hangs on no earlier choice.
        others = [row for row in looked if (row.pop("rejected_by") or "").partition(" ")[0] not in FILE_FACTS]
        store.update("clips", "id", others, WRITTEN["verify"])
    return removed


def _files(store: Store) -> Iterator[Place]:
    """Give the files of clips that there are."""
    clips = store.folder / "clips"
    return (
        (path for path in clips.walk() if path.parent.parent == clips)
        if isinstance(clips, Remote)
        else clips.glob("*/*")
    )


def _looking(store: Store) -> Callable[[str], bool]:
    """Return what tells whether a clip file is there; an object store is asked once for all, not once for each."""
    folder = store.folder
    if isinstance(folder, Path):
        return lambda name: (folder / name).is_file()
    names = {str(path) for path in _files(store)}
    return lambda name: str(folder / name) in names


def _borders(clip: Clip, recipe: Recipe) -> dict[str, int] | None:
    """Return how many lines at each side a clip's file is written without; None for a whole one."""
    scores = (clip.get(recipe.crop) if recipe.crop else None) or {}
    lines = {side: round(scores[side]) for side in SIDES if scores.get(side) is not None}
    return lines if any(lines.values()) else None


def _file_key(write_key: str, borders: Mapping[str, int] | None) -> str:
    """Name the work that made one file: other borders make another."""
    return fingerprint([write_key, borders]) if borders else write_key


class _Phase:
    """Hands clips to one task of the workers and commits what comes back in small batches."""

    def __init__(
        self, task: Literal["write", "verify"], store: Store, recipe: Recipe, todo: Sequence[Clip], watch: Watch
    ) -> None:
        self.task, self.store, self.recipe, self.todo, self.watch = task, store, recipe, todo, watch
        self.write_key, self.verify_key = work_keys(recipe)
        self.total_s = sum(clip["end_s"] - clip["start_s"] for clip in todo)
        self.done = 0
        self.failed: set[str] = set()
        self.reached_s = 0.0
        self.begun = self.committed_at = time.monotonic()
        self.batch: list[Outcome] = []
        self.has_failed: set[str] = set()

    def run(self, engine: Engine) -> "_Phase":
        """Do all there is to do and return itself, with what was done and what failed."""
        if not self.todo:
            return self
        self.has_failed = set(self.store.read("failures", ["item"], "step = 'write'")["item"].to_pylist())
        outcomes = engine.run_items(
            f"longtake.jobs:{self.task}",
            self._items(),
            at_most=len(self.todo),
            on_progress=lambda _: self._tell(),
        )
        try:
            for outcome in outcomes:
                stop_where_unwritable(outcome, self.store.folder)
                self.batch.append(outcome)
                clip = outcome.item.payload["clip"]
                self.reached_s += clip["end_s"] - clip["start_s"]
                if outcome.failure:
                    self.failed.add(clip["id"])
                else:
                    self.done += 1
                if len(self.batch) >= COMMIT_ITEMS or time.monotonic() - self.committed_at >= COMMIT_S:
                    self._commit()
        finally:
            outcomes.close()
            self._commit()
        return self

    def _items(self) -> Iterable[Item]:
        videos = {row["id"]: row for row in self.store.read("videos").to_pylist()}
        recipe = self.recipe.as_dict()
        label = self.recipe.shots.signal
        detector = {"shots": recipe["shots"], "signals": {label: recipe["signals"][label]}}
        for clip in self.todo:
            row = videos[clip["video_id"]]
            payload = {
                "video": video_fields(row),
                "modified_ns": row["modified_ns"],
                "clip": {name: clip[name] for name in (*SPAN, "transitions_at", "file")},
                "set": str(self.store.folder),
                "files": asdict(self.recipe.files) if self.recipe.files else {},
                "detector": detector if self.recipe.verify else None,
                "borders": _borders(clip, self.recipe),
            }
            yield Item(clip["id"], payload)

    def _tell(self) -> None:
        failed, elapsed_s = len(self.failed), time.monotonic() - self.begun
        done = self.done + failed
        self.watch(Progress(self.task, done, len(self.todo), failed, self.reached_s, self.total_s, elapsed_s))

    def _commit(self) -> None:
        batch, self.batch = self.batch, []  # not twice where it fails half-way
        keys = {"file_verify_key": self.verify_key} if self.recipe.verify else {}
        good = [{**outcome.result, **keys} for outcome in batch if not outcome.failure]
        if self.task == "write":
            borders = {outcome.item.name: outcome.item.payload["borders"] for outcome in batch}
            good = [{**row, "file_key": _file_key(self.write_key, borders[row["id"]])} for row in good]
            again = self.has_failed.intersection(o.item.name for o in batch)
            self.store.delete("failures", "item", again, also="step = 'write'")  # not that a judge failed on the clip
            self.store.append("failures", [self._failure_row(o.item, o.failure) for o in batch if o.failure])
        self.store.update("clips", "id", good, WRITTEN[self.task])
        self.committed_at = time.monotonic()

    def _failure_row(self, item: Item, failure: tuple[str, str]) -> dict[str, Any]:
        work = self.verify_key if self.recipe.verify else self.write_key
        return {"item": item.name, "step": "write", "kind": failure[0], "message": failure[1], "work": work}
