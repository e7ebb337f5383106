"""The write phase of a run: a file for every kept clip, none for the others."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from longtake.engines import Item, Outcome
from longtake.engines.local import run_items
from longtake.measuring import COMMIT_ITEMS, COMMIT_S, FILE_COLUMNS, video_fields
from longtake.schemas import SCHEMAS
from longtake.steps import fingerprint
from longtake.store import Store
from longtake.video import Quality
from longtake.watch import Progress, Watch

WRITER_VERSION = 1
OURS = re.compile(r"\.?.+_\d{8,}_\d{8,}(\.mp4|\.jpg|\.tmp\.mp4|\.jpg\.tmp)")
"""Names of clip files, posters and their unfinished forms; anything else in the folder is the user's."""
FILE_SCHEMA = pa.schema([SCHEMAS["clips"].field(name) for name in ("id", *FILE_COLUMNS)])


@dataclass
class Written:
    """What the phase did."""

    written: int = 0
    failed: int = 0
    removed: int = 0
    """Files of clips that are no longer kept."""
    elapsed_s: float = 0.0


def write_clips(store: Store, quality: Quality, workers: int, retry_failed: Sequence[str], watch: Watch) -> Written:
    """Write the files of kept clips that have none, and remove those of clips no longer kept."""
    key = fingerprint([WRITER_VERSION, asdict(quality)])
    columns = ["id", "video_id", "start_s", "end_s", "start_frame", "end_frame", "kept", *FILE_COLUMNS]
    clips = store.read("clips", columns).to_pylist()
    kept = [clip for clip in clips if clip["kept"]]
    failed = {
        row["item"]
        for row in store.read("failures").to_pylist()
        if row["step"] == "write"
        and row["work"] == key
        and row["kind"] not in retry_failed
        and "all" not in retry_failed
    }
    todo = [
        clip
        for clip in kept
        if (clip["file_key"] != key or not (store.folder / clip["file"]).is_file()) and clip["id"] not in failed
    ]
    written = Written(removed=_sweep(store, clips))
    if todo:
        _Phase(store, quality, key, todo, watch, written).work(workers)
    return written


def _sweep(store: Store, clips: Sequence[Mapping[str, Any]]) -> int:
    """Remove unfinished files of a killed run and the files of clips no longer kept; return how many of the latter."""
    kept = {clip["id"] for clip in clips if clip["kept"]}
    removed = 0
    for path in (store.folder / "clips").glob("*/*"):
        if OURS.fullmatch(path.name) and path.name.partition(".")[0] not in kept:
            removed += path.suffix == ".mp4" and not path.name.startswith(".")
            path.unlink()
    for folder in (store.folder / "clips").glob("*"):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    gone = [{"id": c["id"]} for c in clips if c["file"] and c["id"] not in kept]
    store.update("clips", "id", gone, FILE_SCHEMA)
    return removed


class _Phase:
    """Hands clips to the engine and commits what comes back in small batches."""

    def __init__(
        self, store: Store, quality: Quality, key: str, todo: list[dict[str, Any]], watch: Watch, written: Written
    ) -> None:
        self.store, self.quality, self.key, self.todo = store, quality, key, todo
        self.watch, self.written = watch, written
        self.videos = {row["id"]: video_fields(row) for row in store.read("videos").to_pylist()}
        self.has_failed = set(store.read("failures", ["item"])["item"].to_pylist())
        self.total_s = sum(clip["end_s"] - clip["start_s"] for clip in todo)
        self.reached_s = 0.0
        self.begun = self.committed_at = time.monotonic()
        self.batch: list[Outcome] = []

    def work(self, workers: int) -> None:
        items = (
            Item(
                clip["id"],
                {
                    "video": self.videos[clip["video_id"]],
                    "clip": {k: clip[k] for k in ("id", "start_s", "end_s", "start_frame", "end_frame")},
                    "set": str(self.store.folder),
                    "files": asdict(self.quality),
                },
            )
            for clip in self.todo
        )
        outcomes = run_items(
            "longtake.jobs:write", items, workers=min(workers, len(self.todo)), on_progress=lambda _: self._tell()
        )
        try:
            for outcome in outcomes:
                self.batch.append(outcome)
                clip = outcome.item.payload["clip"]
                self.reached_s += clip["end_s"] - clip["start_s"]
                if outcome.failure:
                    self.written.failed += 1
                else:
                    self.written.written += 1
                if len(self.batch) >= COMMIT_ITEMS or time.monotonic() - self.committed_at >= COMMIT_S:
                    self._commit()
        finally:
            outcomes.close()
            self._commit()
        self.written.elapsed_s = time.monotonic() - self.begun

    def _tell(self) -> None:
        written = self.written
        done = written.written + written.failed
        elapsed_s = time.monotonic() - self.begun
        self.watch(Progress("write", done, len(self.todo), written.failed, self.reached_s, self.total_s, elapsed_s))

    def _commit(self) -> None:
        good = [{**o.result, "file_key": self.key} for o in self.batch if not o.failure]
        bad = [
            {"item": o.item.name, "step": "write", "kind": o.failure[0], "message": o.failure[1], "work": self.key}
            for o in self.batch
            if o.failure
        ]
        self.store.delete("failures", "item", self.has_failed.intersection(o.item.name for o in self.batch))
        self.store.append("failures", bad)
        self.store.update("clips", "id", good, FILE_SCHEMA)
        self.batch = []
        self.committed_at = time.monotonic()
