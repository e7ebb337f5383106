"""What a run has to do: which of the videos named are new, changed, done, or failed before."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from longtake.deriving import FRAMES
from longtake.engines import Engine
from longtake.errors import FAILURE_KINDS, UsageError
from longtake.places import Place, Remote, place, text_of
from longtake.recipe import Recipe
from longtake.schemas import SCHEMAS
from longtake.sources.files import Found
from longtake.steps import fingerprint, nearest
from longtake.store import Store, one_of
from longtake.video import declared_duration_s, video_id
from longtake.watch import Plan

ANY_WORK = "any"
PASSING = ("unreachable", "changed", "no_answer")
"""Failures that say nothing of what was tried: every run tries again."""
WORK_KINDS = ("crash", "timeout", "error")
"""Failures that may be the recipe's doing: another recipe tries again. The others are the file's own."""
FRAMES_KEY = fingerprint([FRAMES, 1])
MISSED = "-fast"
"""The end of a stored signal's key where it wanted every frame, and a fast scan left some out."""
SAMPLED_HEADERS = 40
FEWEST_BYTES = 100
"""A second of video takes more; a header that claims a longer one is wrong."""
ASKED_AT_ONCE = 10_000
REMOVED = "removed.txt"
"""The set's list of videos that were removed for good: a line each, the hash at the end of its id."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that the sources name."""

    path: Place
    bytes: int = 0
    modified_ns: int = 0
    id: str = ""
    """Empty where the file can't be read: the worker says why."""

    @property
    def name(self) -> str:
        """The path as tables hold it."""
        return text_of(self.path)


@dataclass(frozen=True, slots=True)
class Work:
    """What there is to do, and what is known already."""

    plan: Plan
    todo: list[Candidate]
    known: set[str]
    """Ids of the videos to do that the set has."""
    stored: dict[str, set[str]]
    """Keys of the signals in the store, by video id; of these."""
    keys: dict[str, str]
    """Keys of the signals that the recipe needs, by label."""
    moved: list[Candidate] = field(default_factory=list)
    """Videos that the set has, under names where they aren't any more, or where another is by now."""


def plan_work(store: Store, recipe: Recipe, found: Found, engine: Engine, retry_failed: Sequence[str]) -> Work:
    """Compare the videos that the sources hold with what the set holds."""
    candidates = _identify(found.videos, _seen(store))
    named = _once_each(candidates)
    removed = removed_before(store.folder)
    unique = [c for c in named if hash_of(c.id) not in removed]
    made = {name: (key, path) for name, key, path in _columns(store, ("id", "made_by", "path"))}
    undone = [c for c in unique if c.id not in made or made[c.id][0] != recipe.key]
    lying = {c.name: c.id for c in candidates}
    moved = [
        c
        for c in unique
        if c.id in made
        and (before := made[c.id][1]) != c.name
        and (lying.get(before, c.id) != c.id or not _is_there(before))
    ]
    failed = _failed_before(store, recipe, retry_failed)
    todo = [c for c in undone if (c.name, c.bytes, c.modified_ns) not in failed]
    known = {c.id for c in todo if c.id in made}
    stored = _stored_signals(store, recipe, known)
    keys = {label: use.key for label, use in recipe.signals.items()} | {FRAMES: FRAMES_KEY}
    scan = [c for c in todo if not stored.get(c.id, set()).issuperset(keys.values())]
    scan_ids = {c.path for c in scan}
    derive = [c for c in todo if c.path not in scan_ids]
    plan = Plan(
        recipe=recipe,
        folder=str(store.folder),
        workers=engine.workers,
        engine=engine.words,
        videos=len(unique),
        copies=len(candidates) - len(named),
        removed=len(named) - len(unique),
        others=found.others,
        done_before=len(unique) - len(undone),
        failed_before=len(undone) - len(todo),
        to_scan=len(scan),
        to_derive=len(derive),
        to_scan_s=_estimate_s(store, scan, known),
    )
    return Work(plan, scan + derive, known, stored, keys, moved)


def _is_there(path: str) -> bool:
    try:
        return place(path).is_file()
    except OSError:
        return False  # it may be; nobody here can read it


def note_moved(store: Store, moved: Sequence[Candidate]) -> None:
    """Note where videos are now, so that their clips can be written, shown and looked at."""
    schema = pa.schema([SCHEMAS["videos"].field(name) for name in ("id", "path", "modified_ns")])
    rows = [{"id": c.id, "path": c.name, "modified_ns": c.modified_ns} for c in moved]
    store.update("videos", "id", rows, schema)


def mark_revoted(store: Store, video_ids: Iterable[str]) -> None:
    """Note, before it happens, that votes of some videos change, so that their clips are made anew."""
    schema = pa.schema([SCHEMAS["videos"].field(name) for name in ("id", "revoted")])
    store.update("videos", "id", [{"id": name, "revoted": True} for name in sorted(video_ids)], schema)


def plan_revoted(store: Store, recipe: Recipe, before: Work) -> Work:
    """Return what is left after votes have changed: clips to be made anew, without a decode, in all of the set."""
    columns = ["id", "path", "bytes", "modified_ns"]
    revoted = store.read("videos", columns, f"revoted AND made_by = '{recipe.key}'").to_pylist()
    # Where a file was replaced, two videos have one path; they can't travel together.
    todo = {row["path"]: Candidate(place(row["path"]), row["bytes"], row["modified_ns"], row["id"]) for row in revoted}
    plan = replace(before.plan, to_scan=0, to_derive=len(todo), to_scan_s=0.0)
    known = {candidate.id for candidate in todo.values()}
    return Work(plan, list(todo.values()), known, _stored_signals(store, recipe, known), before.keys)


def hash_of(name: str) -> str:
    """Return the part of a video's id that names its content, without the name of a file."""
    return name.rpartition("-")[2]


def removed_before(folder: Place) -> set[str]:
    """Return the contents that a set must not take in again."""
    path = folder / REMOVED
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return {hash_of(line.strip()) for line in lines if line.strip() and not line.startswith("#")}


def removed_among(store: Store, paths: Sequence[Place]) -> list[Place]:
    """Return the files that hold videos which were removed for good."""
    removed = removed_before(store.folder)
    return [candidate.path for candidate in _identify(paths, _seen(store)) if hash_of(candidate.id) in removed]


def check_kinds(kinds: Sequence[str]) -> None:
    """Raise `UsageError` for a failure kind that doesn't exist."""
    for kind in kinds:
        if kind != "all" and kind not in FAILURE_KINDS:
            raise UsageError(f"no failure kind {kind!r}{nearest(kind, ['all', *FAILURE_KINDS])}")


def _columns(store: Store, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Go through a few columns of `videos`: all of them would be too much of a million."""
    for batch in store.stream("videos", names):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


Seen = Mapping[tuple[str, int, int], str]
"""The path, size and time of files as they were when they were scanned -> the id of the video."""


def _seen(store: Store) -> Seen:
    return {
        (path, size, time): name for name, path, size, time in _columns(store, ("id", "path", "bytes", "modified_ns"))
    }


def _identify(paths: Sequence[Place], seen: Seen) -> list[Candidate]:
    """Name every file; one that is unchanged since it was scanned isn't read for it."""

    def identify(path: Place) -> Candidate:
        try:
            if not isinstance(path, Remote) and not path.is_file():
                return Candidate(path)  # a pipe would be waited for, and a device never ends
            status = path.stat()
            facts = (str(path), status.st_size, status.st_mtime_ns)
            return Candidate(path, status.st_size, status.st_mtime_ns, seen.get(facts) or video_id(path))
        except OSError:
            return Candidate(path)  # the worker opens it again and says what is wrong

    # What is far away is waited for more than it is worked on.
    with ThreadPoolExecutor(32 if any(isinstance(path, Remote) for path in paths) else 8) as pool:
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
        and row["kind"] not in (*PASSING, *retry)
        and "all" not in retry
    }


def drop_unfinished(store: Store) -> None:
    """Drop the signals of videos whose scan was never finished."""
    lost = sorted(store.distinct("signals", "video_id") - store.distinct("videos", "id"))
    for start in range(0, len(lost), ASKED_AT_ONCE):
        store.delete("signals", "video_id", lost[start : start + ASKED_AT_ONCE])


def drop_gone(store: Store, found: Found) -> None:
    """Drop failures of what was in the folders searched and is gone, renamed, or a folder that can be read by now."""
    named = {text_of(path) for path in found.videos}
    tops = tuple(f"{text_of(top)}/" for top in found.searched)
    items = store.read("failures", ["item"], "step = 'scan'")["item"].to_pylist() if tops else []
    gone = [item for item in items if item.startswith(tops) and item not in named and not _is_kept(Path(item))]
    store.delete("failures", "item", gone)


def _is_kept(path: Path) -> bool:
    """Return whether there is something of this name, of another part of the sources perhaps."""
    try:
        return path.is_symlink() or (path.exists() and not path.is_dir())
    except OSError:
        return True


def _stored_signals(store: Store, recipe: Recipe, known: Collection[str]) -> dict[str, set[str]]:
    """Return which signals some videos of the set have that serve the recipe."""
    stored: dict[str, set[str]] = {}
    ids = sorted(known)
    for start in range(0, len(ids), ASKED_AT_ONCE):
        table = store.read("signals", ["video_id", "key"], one_of("video_id", ids[start : start + ASKED_AT_ONCE]))
        for owner, key in zip(table["video_id"].to_pylist(), table["key"].to_pylist(), strict=True):
            stored.setdefault(owner, set()).add(key.removesuffix(MISSED) if recipe.fast else key)
    return stored


def _estimate_s(store: Store, scan: Sequence[Candidate], known: Collection[str]) -> float:
    """Return about how many seconds of video there are to decode, from the headers of a sample."""
    sample = scan[:: max(1, len(scan) // SAMPLED_HEADERS)]
    there = one_of("id", [candidate.id for candidate in sample if candidate.id in known])
    rows = store.read("videos", ["id", "duration_s"], there).to_pylist() if known else []
    scanned = {row["id"]: float(row["duration_s"]) for row in rows}
    lengths = [_length_s(candidate, scanned) for candidate in sample]
    return sum(lengths) / len(lengths) * len(scan) if lengths else 0.0


def _length_s(candidate: Candidate, scanned: Mapping[str, float]) -> float:
    if candidate.id in scanned:
        return scanned[candidate.id]
    try:
        declared_s = declared_duration_s(candidate.path) or 0.0
    except Exception:  # a header may hold anything: the scan, in a process of its own, says what is wrong with it
        return 0.0
    return min(declared_s, candidate.bytes / FEWEST_BYTES)
