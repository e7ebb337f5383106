"""Taking videos out of a set for good: rows, files, old versions, and a list that keeps them out of later runs.

What lies outside the set folder stays as it is: the videos themselves, exports (those known are named), batch files,
backups. Files are deleted, not overwritten: what the disk keeps of a deleted file is its own affair.
"""

import difflib
import json
import re
import shlex
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from longtake.captioning.answers import Answers
from longtake.duplicates import GROUP
from longtake.errors import SetError, UsageError
from longtake.listing import holds
from longtake.lock import Lock
from longtake.places import Place, Remote, place, remove, set_folder, write_whole
from longtake.planning import REMOVED, hash_of, removed_before
from longtake.report import write_report
from longtake.schemas import SCHEMAS
from longtake.sources.files import absolute
from longtake.steps import find
from longtake.store import Store, one_of
from longtake.video import video_id

PENDING = ".removing.json"
"""What a removal is at, from before its first change to after its last: the next one goes on with it."""
OWNED = (
    *("answers", "captions", "choices", "clips", "judgements", "samples"),
    *("shots", "signals", "spans", "texts", "vectors", "votes"),
)
"""Tables with rows about a video, besides `videos` itself."""
HEAD = (
    "# Videos removed from this set for good, by their content; a run leaves them out. Delete a line to let one in.\n"
)


@dataclass(frozen=True, slots=True)
class Holder:
    """An export that holds clips of a removed video."""

    folder: str
    format: str
    command: str
    """What makes it anew, once its folder is gone."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What was taken out of a set."""

    folder: Place
    videos: list[str]
    """Ids, sorted; also those that a killed removal left."""
    clips: int
    captions: int
    files: int
    """Clip files."""
    copies: list[str]
    """Ids of videos that stay and show some of the same footage: the next run may keep that of another of them."""
    exports: list[Holder]


@dataclass(slots=True)
class _Targets:
    """What is to go."""

    hashes: set[str] = field(default_factory=set)
    """The last part of video ids, which names their content."""
    ids: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)


def remove_videos(folder: str | Place, names: Sequence[str]) -> Removed:
    """Remove videos, named by id or path, and all that was made of them; whatever file holds the same video goes too.

    Nothing of them is left in the set folder but ten hex digits of a hash of their content, in `removed.txt`. The same
    call after a kill goes on. Raises `UsageError` for an unknown video, before anything is removed, and `SetError`.
    """
    folder = set_folder(folder)
    store = Store(folder)
    has_recipe = (folder / "recipe.toml").is_file()
    if not has_recipe and not store.has("videos"):
        raise SetError(f"{folder} is no set: it has no recipe.toml")
    with Lock(folder) as lock:
        store = Store(folder, lock)
        targets = _find(store, names)
        write_whole(
            folder / PENDING, json.dumps({name: sorted(some) for name, some in asdict(targets).items()}).encode()
        )
        block(folder, targets.hashes)
        copies = _copies(store, targets.ids)
        counts = _delete_rows(store, targets)
        files = _delete_files(folder, targets.hashes)
        store.purge()
        if has_recipe:
            write_report(folder)
        (folder / PENDING).unlink()
        exports = [_holder(folder, row) for row in _holding(store, targets.hashes)]
    return Removed(folder, sorted(targets.ids), counts["clips"], counts["captions"], files, copies, exports)


def _find(store: Store, names: Sequence[str]) -> _Targets:
    """Return what the names stand for, together with what a killed removal still has to do."""
    targets = _Targets()
    left = store.folder / PENDING
    if left.is_file():
        targets = _Targets(**{name: set(some) for name, some in json.loads(left.read_text(encoding="utf-8")).items()})
    videos = store.read("videos", ["id", "path"]).to_pylist()
    # A killed scan may have left signals of a video that isn't in `videos`.
    ids = {row["id"] for row in videos} | set(store.read("signals", ["video_id"])["video_id"].to_pylist())
    failed = set(store.read("failures", ["item"], "step = 'scan'")["item"].to_pylist())
    known = {hash_of(name) for name in ids} | targets.hashes | removed_before(store.folder)
    for name in names:
        path = place(name)
        path = absolute(path.expanduser()) if isinstance(path, Path) else path
        hashes = {hash_of(name)} | {hash_of(row["id"]) for row in videos if row["path"] in (name, str(path))}
        hashes &= known
        paths = {str(path)} & (failed | targets.paths)
        if not hashes and path.is_file():  # a file that was moved since, or never could be scanned
            content = _content(path)
            hashes = {content} if content in known or paths else set()
        if not hashes and not paths:
            raise UsageError(f"no video {name!r} in {store.folder}{_nearest(name, ids)}")
        targets.hashes |= hashes
        targets.paths |= paths
    targets.ids |= {name for name in ids if hash_of(name) in targets.hashes}
    targets.paths |= {row["path"] for row in videos if row["id"] in targets.ids}
    return targets


def _content(path: Place) -> str:
    try:
        return hash_of(video_id(path))
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error}") from error


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else "; name it by id or path, as the report lists them"


def _copies(store: Store, ids: Collection[str]) -> list[str]:
    """Return the other videos with copies of clips of these, sorted."""
    if GROUP.partition(".")[0] not in store.columns("clips").names:
        return []
    rows = store.read("clips", ["video_id", GROUP])
    rows = rows.filter(rows[GROUP].is_valid())
    pairs = list(zip(rows["video_id"].to_pylist(), rows[GROUP].to_pylist(), strict=True))
    groups = {group for video, group in pairs if video in ids}
    return sorted({video for video, group in pairs if group in groups} - set(ids))


def block(folder: Place, hashes: Collection[str]) -> None:
    """Add contents to the list that runs leave out."""
    path = folder / REMOVED
    before = path.read_text(encoding="utf-8") if path.is_file() else HEAD
    lines = "".join(f"{content}\n" for content in sorted(set(hashes) - removed_before(folder)))
    if lines:
        write_whole(path, (before + ("" if before.endswith("\n") else "\n") + lines).encode())


def _delete_rows(store: Store, targets: _Targets) -> dict[str, int]:
    """Delete the rows about some videos, and return how many of each table; those of `videos` last."""
    with Answers(store):
        pass  # folds what a killed run left in the journal, and removes it
    counts = {}
    mine = one_of("video_id", sorted(targets.ids))
    for table in OWNED:
        counts[table] = store.read(table, ["video_id"], mine).num_rows
        if counts[table]:
            store.delete(table, "video_id", sorted(targets.ids))
    for path in map(Path, sorted(targets.paths)):
        folders = store.read("listed", ["folder"], one_of("video", [path.stem]))["folder"].to_pylist()
        holding = [folder for folder in sorted(set(folders)) if holds(Path(folder), path)]
        store.delete("listed", "video", [path.stem], also=one_of("folder", holding))
    items = store.read("failures", ["item"])["item"].to_pylist()
    gone = {item for item in items if item in targets.paths or item.rsplit("_", 2)[0] in targets.ids}
    store.delete("failures", "item", sorted(gone))
    _forget_names(store, targets.ids)
    store.delete("videos", "id", sorted(targets.ids))
    return counts


def _forget_names(store: Store, ids: Collection[str]) -> None:
    """Leave, of the videos that an export holds, only the hash where a video is removed: who holds it stays known."""
    changed = []
    for row in store.read("exports", ["folder", "video_ids"]).to_pylist():
        if set(ids).intersection(row["video_ids"]):
            names = [hash_of(name) if name in ids else name for name in row["video_ids"]]
            changed.append({"folder": row["folder"], "video_ids": names})
    schema = pa.schema([SCHEMAS["exports"].field(name) for name in ("folder", "video_ids")])
    store.update("exports", "folder", changed, schema)


def _delete_files(folder: Place, hashes: Collection[str]) -> int:
    """Delete clip files with their folders, posters and previews; return how many clip files."""
    removed = 0
    if isinstance(folder, Remote):
        clips = [path for path in (folder / "clips").walk() if hash_of(path.parent.name) in hashes]
        removed = sum(path.suffix == ".mp4" for path in clips)
        remove(clips)
    else:
        for owned in (folder / "clips").glob("*"):
            if hash_of(owned.name) in hashes:
                removed += sum(not path.name.startswith(".") for path in owned.glob("*.mp4"))
                shutil.rmtree(owned)  # the folder's name is the video's: nothing in it stays, whoever put it there
    one = "|".join(sorted(hashes))
    # Sheets of pictures, as `holiday-3f9c2a1b04-0.jpg`, and the viewer's, as `play/3f9c2a1b04-00000000-00004000-1.mp4`.
    sheet = re.compile(rf".+-({one})-\d+\.(jpg|tmp)|\.?({one})-\d+-\d+-\d+(\.\d+\.tmp)?\.mp4")
    previews = folder / "previews"
    sheets = previews.walk() if isinstance(previews, Remote) else previews.rglob("*")
    remove([path for path in sheets if sheet.fullmatch(path.name)])
    return removed


def _holding(store: Store, hashes: Collection[str]) -> list[dict[str, Any]]:
    """Return the rows of the exports that hold removed videos, but for those whose folder is gone.

    Where the folder above it is gone too, it may lie on a disk that isn't there now.
    """
    rows = store.read("exports").to_pylist()
    there = [row for row in rows if Path(row["folder"]).exists() or not Path(row["folder"]).parent.exists()]
    return [row for row in there if any(hash_of(name) in hashes for name in row["video_ids"])]


def _holder(folder: Place, row: Mapping[str, Any]) -> Holder:
    """Say how an export is made anew."""
    options = json.loads(row["options"])
    words = ["longtake", "export", str(folder), row["format"], "--to", row["folder"]]
    for rule in options["where"]:
        words += ["--where", rule]
    words += ["--split", options["split"]] if options["split"] else []
    size = options["size"]
    if size:
        shape = f"{size['width'] or ''}x{size['height'] or ''}"
        frames = f"{size['frames']}n" + ("+1" if size["plus_one"] else "")
        words += ["--size", shape] if shape != "x" else []
        words += ["--fps", f"{size['fps']:g}"] if size["fps"] else []
        words += ["--frames", frames] if frames != "1n" else []
        words += ["--sides", str(size["sides"])]
    words += ["--copy"] if options.get("copy") else []
    usual = _defaults(row["format"])
    for name, value in options["parameters"].items():
        if name not in usual or value != usual[name]:
            words += ["-s", f"{name}={json.dumps(value, ensure_ascii=False)}"]
    return Holder(row["folder"], row["format"], shlex.join(words))


def _defaults(format_name: str) -> Mapping[str, Any]:
    """Return the parameters of a format as they are where nobody sets them; none for one that is no longer here."""
    try:
        return find("exports", format_name).defaults
    except UsageError:
        return {}
