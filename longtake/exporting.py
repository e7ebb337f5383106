"""A set on its way to a format: which clips go out, into which split, and never a half export taken for a whole one."""

import hashlib
import inspect
import json
import shutil
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tomli_w

from longtake import __version__
from longtake.errors import SetError, UsageError
from longtake.exports import About, Placed, Row
from longtake.opening import rows_of
from longtake.recipe import read_settings
from longtake.select import parse_rule
from longtake.selecting import choose
from longtake.steps import Step, check_installed, check_parameters, find, fingerprint, nearest
from longtake.store import Store, write_table
from longtake.video import Refit, refit
from longtake.watch import Progress, Watch

TELL_S = 0.5
MANIFEST = "export.json"


@dataclass(frozen=True, slots=True)
class Exported:
    """An export as it lies there."""

    folder: Path
    format: str
    clips: int
    bytes: int
    """Of clip files."""
    splits: dict[str, int]
    """Clips in each."""
    without_file: int
    """Kept clips left out because the set has no file of them."""
    too_short: int
    """Kept clips left out because they have fewer frames than are asked for."""
    without_caption: int
    """Clips that went out without the caption asked for."""
    was_there: bool
    """Whether just this export was made before."""


def export_set(
    folder: str | Path,
    format: str,  # noqa: A002  # the user's word
    to: str | Path,
    *,
    where: Sequence[str] = (),
    split: str = "",
    settings: Sequence[str] = (),
    size: Refit | None = None,
    copy: bool = False,
    watch: Watch = lambda _: None,
) -> Exported:
    """Write the kept clips of a set in a format to a new folder.

    `where` are further rules that clips must hold; `split` is written `train:0.98,val:0.02`, by source video;
    `settings` are the format's parameters, `size` how files are cropped, scaled and re-timed on the way; otherwise
    they are linked where the disk allows it, or copied. The folder gets its name only when it is whole; the same call
    after a kill uses the files that are there. Raises `UsageError`, `SetError`.
    """
    folder, to = Path(folder), Path(to)
    if not (folder / "recipe.toml").is_file():
        raise SetError(f"{folder} is no set: it has no recipe.toml")
    step = find("exports", format)
    check_installed(step)
    parameters = check_parameters(step, read_settings(settings))
    store = Store(folder)
    shares = parse_split(split)
    clips, without_file, too_short = _choose(store, where, size)
    kind = str(parameters.get("caption") or "")
    options = {"where": list(where), "split": split, "parameters": parameters, "size": asdict(size) if size else None}
    held = [clips["id"].to_pylist(), clips["file_key"].to_pylist(), store.version("captions")]
    key = fingerprint([step.name, step.version, options, held])
    if to.exists() and any(to.iterdir()):
        return _as_it_was(to, key)
    partial = _partial(to, key)
    writer = _Writer(store, partial, shares, size, copy, kind, clips, watch)
    step.call(writer.rows(), partial, writer.place, *_wanted(step, store, where), **parameters)
    if kind and writer.without_caption == writer.count:
        known = sorted(set(store.read("captions", ["kind"])["kind"].to_pylist()))
        raise UsageError(f"no clip has a caption of kind {kind!r}{nearest(kind, known)}")
    left_out = {"without_file": without_file, "too_short": too_short, "without_caption": writer.without_caption}
    done = Exported(to, format, writer.count, writer.bytes, writer.splits, **left_out, was_there=False)
    _finish(store, done, key, options, partial, sorted(set(clips["video_id"].to_pylist())))
    return done


def parse_split(text: str) -> list[tuple[str, float]]:
    """Return splits and where each ends on [0, 1]: `train:0.98,val:0.02`; without any, all is `train`."""
    shares: list[tuple[str, float]] = []
    for part in (text or "train:1").split(","):
        name, _, share = part.partition(":")
        try:
            shares.append((name.strip(), float(share)))
        except ValueError:
            raise UsageError(f"split {part!r}: write NAME:SHARE, as in train:0.98,val:0.02") from None
        if not name.strip().isidentifier() or not 0 < shares[-1][1] <= 1:
            raise UsageError(f"split {part!r}: a name of letters and a share above 0, as in train:0.98,val:0.02")
    total = sum(share for _, share in shares)
    if abs(total - 1) > 1e-6 or len({name for name, _ in shares}) < len(shares):
        raise UsageError(f"split {text!r}: the shares must add up to 1 and the names differ; they add up to {total:g}")
    ends = np.cumsum([share for _, share in shares]).tolist()
    return [(name, end) for (name, _), end in zip(shares, ends, strict=True)]


def split_of(video_id: str, shares: Sequence[tuple[str, float]]) -> str:
    """Return the split of a video: by a hash of its id alone, so that it is the same in every export of every set."""
    place = int.from_bytes(hashlib.blake2b(video_id.encode(), digest_size=8).digest(), "big") / 2**64
    return next((name for name, end in shares if place < end), shares[-1][0])


def _choose(store: Store, where: Sequence[str], size: Refit | None) -> tuple[pa.Table, int, int]:
    """Return the clips that go out, in the order of their videos; how many have no file, and how many are too short."""
    clips = store.read("clips", where="kept").sort_by([("video_id", "ascending"), ("start_s", "ascending")])
    if where:
        clips = clips.filter(pa.array(choose(clips, [parse_rule(text) for text in where])[0].kept))
        if not clips.num_rows:
            raise SetError(f"no kept clip of {store.folder} holds {' and '.join(where)}")
    found = clips.filter(clips["file"].is_valid())
    if not found.num_rows:
        raise SetError(
            f"{store.folder} has no kept clip with a file; longtake run writes them (recipe section [files])"
        )
    without_file = clips.num_rows - found.num_rows
    if size is None:
        return found, without_file, 0
    rate = pa.scalar(size.fps) if size.fps else found["fps"]
    frames = pc.ceil(pc.multiply(found["duration_s"], rate))
    fits = found.filter(pc.greater_equal(frames, size.frames + size.plus_one))
    if not fits.num_rows:
        raise SetError(f"no kept clip has {size.frames + size.plus_one} frames; ask for fewer or a higher --fps")
    return fits, without_file, found.num_rows - fits.num_rows


def _wanted(step: Step, store: Store, where: Sequence[str]) -> list[Any]:
    """Return what an exporter wants beyond rows, folder and place, by the names of its further parameters."""
    offers: dict[str, Callable[[], Any]] = {"about": lambda: _about(store, where), "write_table": lambda: write_table}
    parameters = list(inspect.signature(step.call).parameters.values())
    return [offers[p.name]() for p in parameters[3:] if p.kind is not p.KEYWORD_ONLY]


def _about(store: Store, where: Sequence[str]) -> About:
    """Return what a card tells of the set; the funnel ends with the rules of this export."""
    recipe = tomllib.loads((store.folder / "recipe.toml").read_text(encoding="utf-8"))
    rules = [parse_rule(text) for text in (*recipe["select"]["keep"], *where)]
    _, rows = choose(store.read("clips"), rules, judges=recipe.get("judges", {}))
    funnel = [{"rule": str(row.rule) if row.rule else None, "clips": row.clips, "seconds": row.seconds} for row in rows]
    for settings in recipe.get("models", {}).values():
        settings.pop("url", None)  # where a model was reached is nobody else's business
    return About(store.folder.resolve().name, tomli_w.dumps(recipe), funnel, f"longtake {__version__}")


def _as_it_was(to: Path, key: str) -> Exported:
    """Return what an export says of itself, if it is just this one."""
    path = to / MANIFEST
    said = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if said.get("key") != key:
        raise UsageError(f"{to} is there already and isn't this export; name another folder or remove it")
    names = ("format", "clips", "bytes", "splits", "without_file", "too_short", "without_caption")
    return Exported(to, **{name: said[name] for name in names}, was_there=True)


def _partial(to: Path, key: str) -> Path:
    """Return the folder for the unfinished export: gone on with where it is of the same one."""
    partial = to.with_name(to.name + ".partial")
    mark = partial / ".key"
    if partial.exists() and not (mark.is_file() and mark.read_text() == key):
        shutil.rmtree(partial)
    partial.mkdir(parents=True, exist_ok=True)
    mark.write_text(key)
    return partial


class _Writer:
    """Hands rows to a format one by one, puts their files, and counts."""

    def __init__(
        self,
        store: Store,
        folder: Path,
        shares: Sequence[tuple[str, float]],
        size: Refit | None,
        copy: bool,
        kind: str,
        clips: pa.Table,
        watch: Watch,
    ) -> None:
        self.store, self.folder, self.shares, self.size, self.copy = store, folder, shares, size, copy
        self.kind, self.clips, self.watch = kind, clips, watch
        self.count = self.bytes = self.without_caption = 0
        self.splits: dict[str, int] = {}
        self.begun = self.told_at = time.monotonic()

    def rows(self) -> Iterator[Row]:
        """Read the clips with their videos and good captions, a few at a time."""
        for found in rows_of(self.store, self.clips):
            row = replace(found, split=split_of(found.video["id"], self.shares))
            self.count += 1
            self.splits[row.split] = self.splits.get(row.split, 0) + 1
            self.without_caption += not row.text(self.kind)
            yield row
            self._tell()

    def place(self, row: Row, path: str) -> Placed:
        """Put a clip's file into the export; one that is there from before a kill is whole, and kept."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        clip = row.clip
        if self.size is not None:
            placed = Placed(target, *refit(row.file, target, self.size))
        else:
            if not target.exists():
                _link(row.file, target, copy=self.copy)
            frames = clip["end_frame"] - clip["start_frame"]
            size = (clip["file_width"], clip["file_height"])
            placed = Placed(target, target.stat().st_size, *size, clip["fps"], frames, clip["duration_s"])
        self.bytes += placed.bytes
        return placed

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self.told_at >= TELL_S or self.count == self.clips.num_rows:
            self.told_at = now
            words = f"{self.bytes / 1e6:,.0f} MB"
            self.watch(Progress("export", self.count, self.clips.num_rows, 0, 0.0, 0.0, now - self.begun, words))


def _link(source: Path, target: Path, *, copy: bool) -> None:
    """Link a file, or copy it whole or not at all where that is asked for or another disk lies between."""
    if not copy:
        try:
            target.hardlink_to(source)
            return
        except OSError:
            pass  # another disk, or one without links
    temporary = target.with_name(f".{target.name}.tmp")
    shutil.copyfile(source, temporary)
    temporary.replace(target)


def _finish(
    store: Store, done: Exported, key: str, options: Mapping[str, Any], partial: Path, video_ids: Sequence[str]
) -> None:
    """Write what the export is, give it its name, and note it in the set, so that `remove` knows who holds a video."""
    facts = asdict(done) | {"folder": None, "key": key, "options": options, "longtake": __version__}
    made = {name: value for name, value in facts.items() if name not in ("folder", "was_there")}
    (partial / MANIFEST).write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    (partial / ".key").unlink()
    if done.folder.exists():
        done.folder.rmdir()
    partial.replace(done.folder)
    folder = str(done.folder.resolve())
    row = {
        "folder": folder,
        "format": done.format,
        "key": key,
        "options": json.dumps(options, sort_keys=True),
        "clips": done.clips,
        "made": datetime.now(UTC),
        "video_ids": list(video_ids),
    }
    store.delete("exports", "folder", [folder])
    store.append("exports", [row])
