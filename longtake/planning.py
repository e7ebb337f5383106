"""What a run has to do: which of the videos named are new, changed, done, or failed before."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from longtake.errors import FAILURE_KINDS, UsageError, VideoError
from longtake.jobs import FRAMES
from longtake.recipe import Recipe
from longtake.schemas import SCHEMAS
from longtake.sources.files import Found
from longtake.steps import fingerprint, nearest
from longtake.store import Store
from longtake.video import declared_duration_s, video_id
from longtake.watch import Plan

ANY_WORK = "any"
WORK_KINDS = ("crash", "timeout", "error")
"""Failures that may be the recipe's doing: another recipe tries again. The others are the file's own."""
FRAMES_KEY = fingerprint([FRAMES, 1])
SAMPLED_HEADERS = 40
REMOVED = "removed.txt"
"""The set's list of videos that were removed for good: a line each, the hash at the end of its id."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that the sources name."""

    path: Path
    bytes: int = 0
    modified_ns: int = 0
    id: str = ""
    """Empty where the file can't be read: the worker says why."""


@dataclass(frozen=True, slots=True)
class Work:
    """What there is to do, and what is known already."""

    plan: Plan
    todo: list[Candidate]
    rows: dict[str, dict[str, Any]]
    """Rows of `videos` by id."""
    stored: dict[str, set[str]]
    """Keys of the signals in the store, by video id."""
    keys: dict[str, str]
    """Keys of the signals that the recipe needs, by label."""


def plan_work(store: Store, recipe: Recipe, found: Found, workers: int, retry_failed: Sequence[str]) -> Work:
    """Compare the videos that the sources hold with what the set holds."""
    rows = {row["id"]: row for row in store.read("videos").to_pylist()}
    candidates = _identify(found.videos, rows)
    named = _once_each(candidates)
    removed = removed_before(store.folder)
    unique = [c for c in named if hash_of(c.id) not in removed]
    undone = [c for c in unique if c.id not in rows or rows[c.id]["made_by"] != recipe.key]
    failed = _failed_before(store, recipe, retry_failed)
    todo = [c for c in undone if (str(c.path), c.bytes, c.modified_ns) not in failed]
    stored = _stored_signals(store, rows)
    keys = {label: use.key for label, use in recipe.signals.items()} | {FRAMES: FRAMES_KEY}
    scan = [c for c in todo if not stored.get(c.id, set()).issuperset(keys.values())]
    scan_ids = {c.path for c in scan}
    derive = [c for c in todo if c.path not in scan_ids]
    plan = Plan(
        recipe=recipe,
        folder=str(store.folder),
        workers=workers,
        videos=len(unique),
        copies=len(candidates) - len(named),
        removed=len(named) - len(unique),
        others=found.others,
        done_before=len(unique) - len(undone),
        failed_before=len(undone) - len(todo),
        to_scan=len(scan),
        to_derive=len(derive),
        to_scan_s=_estimate_s(scan, rows),
    )
    return Work(plan, scan + derive, rows, stored, keys)


def mark_revoted(store: Store, video_ids: Iterable[str]) -> None:
    """Note, before it happens, that votes of some videos change, so that their clips are made anew."""
    schema = pa.schema([SCHEMAS["videos"].field(name) for name in ("id", "revoted")])
    store.update("videos", "id", [{"id": name, "revoted": True} for name in sorted(video_ids)], schema)


def plan_revoted(store: Store, recipe: Recipe, before: Work) -> Work:
    """Return what is left after votes have changed: clips to be made anew, without a decode, in all of the set."""
    rows = {row["id"]: row for row in store.read("videos").to_pylist()}
    revoted = [row for row in rows.values() if row["revoted"] and row["made_by"] == recipe.key]
    # Where a file was replaced, two videos have one path; they can't travel together.
    todo = {row["path"]: Candidate(Path(row["path"]), row["bytes"], row["modified_ns"], row["id"]) for row in revoted}
    plan = replace(before.plan, to_scan=0, to_derive=len(todo), to_scan_s=0.0)
    return Work(plan, list(todo.values()), rows, _stored_signals(store, rows) if todo else {}, before.keys)


def hash_of(name: str) -> str:
    """Return the part of a video's id that names its content, without the name of a file."""
    return name.rpartition("-")[2]


def removed_before(folder: Path) -> set[str]:
    """Return the contents that a set must not take in again."""
    path = folder / REMOVED
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return {hash_of(line.strip()) for line in lines if line.strip() and not line.startswith("#")}


def removed_among(store: Store, paths: Sequence[Path]) -> list[Path]:
    """Return the files that hold videos which were removed for good."""
    removed = removed_before(store.folder)
    rows = {row["id"]: row for row in store.read("videos").to_pylist()}
    return [candidate.path for candidate in _identify(paths, rows) if hash_of(candidate.id) in removed]


def check_kinds(kinds: Sequence[str]) -> None:
    """Raise `UsageError` for a failure kind that doesn't exist."""
    for kind in kinds:
        if kind != "all" and kind not in FAILURE_KINDS:
            raise UsageError(f"no failure kind {kind!r}{nearest(kind, ['all', *FAILURE_KINDS])}")


def _identify(paths: Sequence[Path], rows: Mapping[str, Mapping[str, Any]]) -> list[Candidate]:
    """Name every file; one that is unchanged since it was scanned isn't read for it."""
    seen = {(row["path"], row["bytes"], row["modified_ns"]): row["id"] for row in rows.values()}

    def identify(path: Path) -> Candidate:
        try:
            status = path.stat()
            facts = (str(path), status.st_size, status.st_mtime_ns)
            return Candidate(path, status.st_size, status.st_mtime_ns, seen.get(facts) or video_id(path))
        except OSError:
            return Candidate(path)  # the worker opens it again and says what is wrong

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(identify, paths))


def _once_each(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the first of all files that hold the same video; empty files are each a failure of their own."""
    first: dict[str, Candidate] = {}
    for candidate in candidates:
        first.setdefault(candidate.id if candidate.id and candidate.bytes else str(candidate.path), candidate)
    return list(first.values())


def _failed_before(store: Store, recipe: Recipe, retry: Sequence[str]) -> set[tuple[str, int, int]]:
    """Return the files whose scan failed, unchanged since; those to be retried left out."""
    return {
        (row["item"], row["bytes"], row["modified_ns"])
        for row in store.read("failures").to_pylist()
        if row["step"] == "scan"
        and row["work"] in (ANY_WORK, recipe.key)
        and row["kind"] not in retry
        and "all" not in retry
    }


def _stored_signals(store: Store, rows: Mapping[str, Any]) -> dict[str, set[str]]:
    """Return which signals each video has, and drop those of videos whose scan was never finished."""
    table = store.read("signals", ["video_id", "key"])
    stored: dict[str, set[str]] = {}
    for owner, key in zip(table["video_id"].to_pylist(), table["key"].to_pylist(), strict=True):
        stored.setdefault(owner, set()).add(key)
    store.delete("signals", "video_id", [owner for owner in stored if owner not in rows])
    return {owner: keys for owner, keys in stored.items() if owner in rows}


def _estimate_s(scan: Sequence[Candidate], rows: Mapping[str, Mapping[str, Any]]) -> float:
    """Return about how many seconds of video there are to decode, from the headers of a sample."""
    sample = scan[:: max(1, len(scan) // SAMPLED_HEADERS)]
    lengths = [_length_s(candidate, rows) for candidate in sample]
    return sum(lengths) / len(lengths) * len(scan) if lengths else 0.0


def _length_s(candidate: Candidate, rows: Mapping[str, Mapping[str, Any]]) -> float:
    if candidate.id in rows:
        return float(rows[candidate.id]["duration_s"])
    try:
        return declared_duration_s(candidate.path) or 0.0
    except VideoError:
        return 0.0  # the scan will say what is wrong with it
