"""The kept clips of a set on their way to a format: which of them, their files, and what else an exporter is given."""

import hashlib
import inspect
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import tomli_w

from longtake import __version__
from longtake.errors import SetError, UsageError
from longtake.exporting.folder import Exported, as_it_was, finish, unfinished
from longtake.exporting.splits import first_of_kin, parse_split, split_of
from longtake.exports import About, Placed, Row, chosen
from longtake.opening import is_good, rows_of
from longtake.places import Place
from longtake.select import parse_rule
from longtake.selecting import choose
from longtake.settings import read_recipe
from longtake.steps import Step, fingerprint, nearest
from longtake.store import Store, score_columns, write_table
from longtake.video import Refit, refit
from longtake.watch import Progress, Watch

TELL_S = 0.5
AT_ONCE_BYTES = 1 << 22
ROWS_AT_ONCE = 10_000
KIND_OF_COLUMN = re.compile(r"(?:^|[,=])\s*caption:([^,]+)")
"""In a map of columns: the kind of caption that one of them has."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What of a set is asked for, and in what form."""

    where: tuple[str, ...]
    split: str
    size: Refit | None
    copy: bool


def export_clips(
    store: Store, step: Step, parameters: Mapping[str, Any], to: Path, choice: Choice, watch: Watch
) -> Exported:
    """Write the kept clips of a set to a new folder; see `export_set`."""
    shares = parse_split(choice.split)
    clips, without_file, too_short = _choose(store, choice.where, choice.size)
    _check_captions(store, step, parameters, clips["id"])
    size = asdict(choice.size) if choice.size else None
    options = {
        "where": list(choice.where),
        "split": choice.split,
        "parameters": parameters,
        "size": size,
        "copy": choice.copy and choice.size is None,
    }
    kin = first_of_kin(store) if choice.split else {}
    more = _wanted(step, store, choice, clips)
    told = [[one.recipe_toml, one.funnel] for one in more if isinstance(one, About)]
    key = fingerprint([step.name, step.version, options, _content(store, clips), told, *([kin] if kin else [])])
    if there := as_it_was(to, key):
        return there
    _check_files(store, clips)
    partial = unfinished(to, key)
    writer = Writer(store, partial, shares, kin, choice, parameters, clips, watch)
    with gone_if_refused(partial):
        step.call(writer.rows(), partial, writer.place, *more, **parameters)
    done = Exported(
        to,
        step.name,
        writer.count,
        writer.bytes,
        writer.splits,
        without_file,
        too_short,
        writer.without_caption,
        was_there=False,
        mixed=writer.mixed,
    )
    finish(store, done, key, options, partial, sorted(set(clips["video_id"].to_pylist())), kin)
    return done


def _choose(store: Store, where: Sequence[str], size: Refit | None) -> tuple[pa.Table, int, int]:
    """Return the clips that go out, in the order of their videos; how many have no file, and how many are too short."""
    order = [(name, "ascending") for name in ("video_id", "start_s", "id")]
    clips = store.read("clips", where="kept").sort_by(order)
    if where:
        clips = clips.filter(pa.array(choose(clips, [parse_rule(text) for text in where], later=())[0].kept))
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
    frames = pc.subtract(found["end_frame"], found["start_frame"])
    if size.fps:
        frames = pc.ceil(pc.multiply(found["duration_s"], pa.scalar(size.fps)))
    fits = found.filter(pc.greater_equal(frames, size.frames + size.plus_one))
    if not fits.num_rows:
        raise SetError(f"no kept clip has {size.frames + size.plus_one} frames; ask for fewer or a higher --fps")
    return fits, without_file, found.num_rows - fits.num_rows


def _content(store: Store, clips: pa.Table) -> list[Any]:
    """Return what names all that goes out with some clips: numbers, files, videos, captions."""
    names = hashlib.blake2b(digest_size=8)
    for name, values in sorted(score_columns(clips).items()):
        names.update(name.encode() + values.tobytes())
    for name in ("id", "file_key", "file_audio"):
        names.update(repr(clips[name].to_pylist()).encode())
    videos = store.read("videos", ["id", "path", "container"]).sort_by("id")
    videos = videos.filter(pc.is_in(videos["id"], pc.unique(clips["video_id"])))
    return [names.hexdigest(), fingerprint(videos.to_pylist()), store.version("captions")]


def _check_files(store: Store, clips: pa.Table) -> None:
    """Raise `SetError` for a file that is gone; on an object store it would take a request each to know."""
    folder = store.folder
    gone = [name for name in clips["file"].to_pylist() if isinstance(folder, Path) and not (folder / name).is_file()]
    if gone:
        more = f", as are {len(gone) - 1:,} more" if gone[1:] else ""
        raise SetError(f"{folder / gone[0]} is gone{more}; longtake run writes it again")


def _check_captions(store: Store, step: Step, parameters: Mapping[str, Any], clip_ids: pa.ChunkedArray) -> None:
    """Raise `UsageError` for a kind of caption, or a captioner, that was asked for and of which no clip has one."""
    asked = [str(parameters.get("caption") or ""), *KIND_OF_COLUMN.findall(str(parameters.get("columns") or ""))]
    missing = [("of kind", kind.strip()) for kind in asked if kind.strip()]
    if parameters.get("captioner") != step.defaults.get("captioner"):
        missing.append(("by", str(parameters["captioner"])))
    known: dict[str, set[str]] = {"of kind": set(), "by": set()}
    for batch in store.stream("captions", ["clip_id", "step", "kind", "problems"], ROWS_AT_ONCE):
        if not missing:  # mostly the first rows have it
            return
        found = batch.filter(pc.and_(is_good(batch), pc.is_in(batch["clip_id"], clip_ids.combine_chunks())))
        for label, kind in set(zip(found["step"].to_pylist(), found["kind"].to_pylist(), strict=True)):
            known["of kind"] |= {kind, f"{label}.{kind}"}
            known["by"].add(label)
        missing = [(how, name) for how, name in missing if known[how].isdisjoint(map(str.strip, name.split(",")))]
    for how, name in missing:
        raise UsageError(f"no clip has a caption {how} {name!r}{nearest(name, known[how])}")


@contextmanager
def gone_if_refused(partial: Path) -> Iterator[None]:
    """Remove an unfinished export that its format refuses: the same call would be refused again."""
    try:
        yield
    except UsageError:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _wanted(step: Step, store: Store, choice: Choice, clips: pa.Table) -> list[Any]:
    """Return what an exporter wants beyond rows, folder and place, by the names of its further parameters."""
    offers: dict[str, Callable[[], Any]] = {
        "about": lambda: _about(store, choice.where),
        "write_table": lambda: write_table,
        "sizes": lambda: _sizes(clips) if choice.size is None else (),
    }
    parameters = list(inspect.signature(step.call).parameters.values())
    return [offers[p.name]() for p in parameters[3:] if p.kind is not p.KEYWORD_ONLY]


def _sizes(clips: pa.Table) -> Iterable[tuple[str, int, int, int]]:
    """Yield id, width, height and frames of the clips' files."""
    names = ["id", "file_width", "file_height", "start_frame", "end_frame"]
    for batch in clips.select(names).to_batches(ROWS_AT_ONCE):
        for row in batch.to_pylist():
            yield row["id"], row["file_width"], row["file_height"], row["end_frame"] - row["start_frame"]


def _about(store: Store, where: Sequence[str]) -> About:
    """Return what a card tells of the set; the funnel ends with the rules of this export."""
    recipe = read_recipe(store.folder)
    rules = [parse_rule(text) for text in (*recipe["select"]["keep"], *where)]
    _, rows = choose(store.read("clips"), rules, judges=recipe.get("judges", {}))
    funnel = [{"rule": str(row.rule) if row.rule else None, "clips": row.clips, "seconds": row.seconds} for row in rows]
    for settings in recipe.get("models", {}).values():
        settings.pop("url", None)  # where a model was reached is nobody else's business
    return About(store.folder.resolve().name, tomli_w.dumps(recipe), funnel, f"longtake {__version__}")


class Writer:
    """Hands rows to a format one by one, puts their files, and counts."""

    def __init__(
        self,
        store: Store,
        folder: Path,
        shares: Sequence[tuple[str, float]],
        kin: Mapping[str, str],
        choice: Choice,
        parameters: Mapping[str, Any],
        clips: pa.Table,
        watch: Watch,
    ) -> None:
        self.store, self.folder, self.size, self.copy = store, folder, choice.size, choice.copy
        self.shares, self.kin = shares, kin
        self.clips, self.watch = clips, watch
        self.kind, self.captioner = (str(parameters.get(name) or "") for name in ("caption", "captioner"))
        self.count = self.bytes = self.without_caption = 0
        self.splits: dict[str, int] = {}
        self.models: dict[str, Counter[str]] = {}
        """Who wrote the captions of each kind."""
        self.begun = self.told_at = time.monotonic()

    def rows(self) -> Iterator[Row]:
        """Read the clips with their videos and good captions, a few at a time."""
        for found in rows_of(self.store, self.clips):
            row = replace(found, split=split_of(found.video["id"], self.shares, self.kin))
            self.count += 1
            self.splits[row.split] = self.splits.get(row.split, 0) + 1
            self._count_captions(row)
            yield row
            self._tell()

    @property
    def mixed(self) -> dict[str, dict[str, int]]:
        """The captions that several models wrote, as `Exported` has them."""
        return {kind: dict(models) for kind, models in self.models.items() if len(models) > 1}

    def _count_captions(self, row: Row) -> None:
        if self.captioner:  # a format with a column for each of its kinds
            parts = [caption for caption in row.captions if caption["step"] == self.captioner]
        else:
            parts = list(chosen(row.captions, self.kind))
        self.without_caption += not any(part["text"] for part in parts)
        for part in parts:
            self.models.setdefault(f"{part['step']}.{part['kind']}", Counter())[str(part["model"])] += 1

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
            words += "".join(f", captions {kind} by {', '.join(sorted(by))}" for kind, by in self.mixed.items())
            self.watch(Progress("export", self.count, self.clips.num_rows, 0, 0.0, 0.0, now - self.begun, words))


def _link(source: Place, target: Path, *, copy: bool) -> None:
    """Link a file, or copy it whole or not at all where that is asked for or another disk lies between."""
    if isinstance(source, Path) and not copy:
        try:
            target.hardlink_to(source)
            return
        except OSError:
            pass  # another disk, or one without links
    temporary = target.with_name(f".{target.name}.tmp")
    if isinstance(source, Path):
        shutil.copyfile(source, temporary)
    else:
        with source.open() as there, temporary.open("wb") as here:
            shutil.copyfileobj(there, here, AT_ONCE_BYTES)
    temporary.replace(target)
