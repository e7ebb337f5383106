"""A finished set in Python: its tables, its clips one by one, frames of them, and a PyTorch data set."""

import importlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from longtake.errors import UsageError
from longtake.exports import Row
from longtake.grounding._places import crop, draw_place
from longtake.places import Place, set_folder
from longtake.schemas import SCHEMAS
from longtake.settings import check_set
from longtake.steps import nearest
from longtake.store import Store, one_of, score_columns
from longtake.video import read_frames

if TYPE_CHECKING:
    from longtake.opening.windows import Windows

AT_ONCE = 256
_STORES_OWN = re.compile(r"^Invalid user input: |, /\S+:\d+:\d+$")
"""What the tables' library says around its message."""
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")
END_S = 0.002
"""A time so near the end of a clip still shows its last frame: containers round times."""


class Set:
    """A set folder, for reading."""

    def __init__(self, folder: str | Place) -> None:
        self.folder = set_folder(folder)
        check_set(self.folder)
        self._store = Store(self.folder)

    def __repr__(self) -> str:
        return f"Set({str(self.folder)!r})"

    def read(self, table: str, columns: Sequence[str] | None = None, where: str | None = None) -> pa.Table:
        """Return a table or some columns of it, as docs/set.md names them; `where` is a SQL filter.

        Raises `UsageError` for a table or column that there isn't, naming the nearest, and for what is no filter.
        """
        if table not in SCHEMAS:
            raise UsageError(f"no table {table!r}{nearest(table, SCHEMAS)}")
        columns = [columns] if isinstance(columns, str) else columns
        known = {*_names(self._store.columns(table)), *_names(SCHEMAS[table])}
        if columns is not None and not columns:
            raise UsageError("columns names none; leave it out for all of them")
        for name in columns or ():
            if name not in known:
                raise UsageError(f"no column {name!r} in {table}{nearest(name, known)}")
        if where is not None and not isinstance(where, str):
            raise UsageError(f"where = {where!r} is no filter; write SQL in a text, as 'kept AND motion.mean > 0.1'")
        if ";" in _QUOTED.sub("", where or ""):  # the tables' library drops what follows
            raise UsageError(f"where = {where!r} is no filter of {table}: write one condition, without ';'")
        try:
            return self._store.read(table, columns, where)
        except ValueError as error:
            if where is None:
                raise
            said = _STORES_OWN.sub("", str(error))
            raise UsageError(f"where = {where!r} is no filter of {table}: {said}") from error

    def clips(self, where: str | None = "kept", columns: Sequence[str] | None = None) -> pa.Table:
        """Return clips; scores by their keys, as `motion.mean`.

        A `where` takes the place of `kept`: with `motion.mean > 0.1` alone rejected clips come too; write `kept AND
        motion.mean > 0.1`, or None for all.
        """
        return self.read("clips", columns, where).flatten()

    def captions(self, where: str | None = None, *, set_aside: bool = False) -> pa.Table:
        """Return captions, their times in seconds of the clip; those that failed their checks only if asked for."""
        found = self.read("captions", where=where)
        return found if set_aside else found.filter(is_good(found))

    def spans(self, where: str | None = "rejected_by IS NULL") -> pa.Table:
        """Return where captions hold and, around that, where they don't: the good records, unless asked otherwise."""
        return self.read("spans", where=where)

    @staticmethod
    def crop(span: Mapping[str, Any], rng: np.random.Generator, *, frames: int = 12) -> tuple[str, float, float]:
        """Draw a crop of a span's video in which its caption holds once: its place there, start and end in seconds.

        As HawkEye trains on spans (arXiv 2403.10228): the positive at the beginning, in the middle, at the end, or
        throughout, and of `frames` equally spaced frames of the crop at least one in it.
        """
        place = draw_place(span["places"], rng)
        bounds = (span["start_s"], span["end_s"], span["neg_start_s"], span["neg_end_s"])
        return place, *crop(*bounds, place, rng, frames=frames)

    def videos(self, where: str | None = None) -> pa.Table:
        """Return the videos that the set was made from."""
        return self.read("videos", where=where)

    def to_pandas(self, where: str | None = "kept") -> Any:
        """Return clips, as `clips` does, as a pandas table. Raises `UsageError` where pandas isn't installed."""
        _installed("pandas")
        return self.clips(where).to_pandas()

    def to_polars(self, where: str | None = "kept") -> Any:
        """Return clips, as `clips` does, as a Polars table. Raises `UsageError` where Polars isn't installed."""
        return _installed("polars").from_arrow(self.clips(where))

    def rows(self, where: str | None = "kept") -> Iterator[Row]:
        """Go through the clips that have files, with their videos and good captions, a few in memory at a time.

        `where` takes the place of `kept`, as for `clips`.
        """
        clips = self._ordered(where)
        return rows_of(self._store, clips.filter(clips["file"].is_valid()))

    def frames(
        self, clip_id: str, start_s: float, frames: int, fps: float, size: tuple[int, int] | None = None
    ) -> NDArray[np.uint8]:
        """Return the frames displayed at `start_s + k / fps` seconds of a clip: RGB, (frames, height, width, 3).

        With a size, (width, height), they are cropped around the middle to its shape and scaled. They come from the
        clip's file, or where it has none from its video. Raises `UsageError` for a time outside the clip.
        """
        check_size(size)
        found = next(iter(rows_of(self._store, self.read("clips", where=one_of("id", [clip_id])))), None)
        if found is None:
            raise UsageError(f"{self.folder} has no clip {clip_id!r}")
        times = window(start_s, frames, fps)
        if not (times[0] >= 0 and times[-1] < found.clip["duration_s"]):  # nor NaN
            span = f"{times[0]:.3f} to {times[-1]:.3f} s"
            raise UsageError(f"{span} are not all in clip {clip_id}, which has {found.clip['duration_s']:.3f} s")
        return read_window(origin(found), times, size)

    def torch(
        self,
        *,
        frames: int = 16,
        fps: float = 8.0,
        size: tuple[int, int] = (256, 256),
        caption: str = "",
        where: str | None = None,
        seed: int = 0,
    ) -> "Windows":
        """Return a PyTorch data set that gives one random window of each clip; see `longtake.opening.windows`.

        `size` is (width, height), `caption` the kind of caption, the best there is where none is named. `where` narrows
        the kept clips, as it does in exports. Clips shorter than a window are left out. Raises `UsageError` where
        PyTorch isn't installed or no clip is left.
        """
        _installed("torch")
        from longtake.opening.windows import Windows

        kept = self._ordered("kept" if where is None else f"kept AND ({where})")
        return Windows(self._store, kept, frames, fps, size, caption, seed)

    def _ordered(self, where: str | None) -> pa.Table:
        """Return clips in an order that doesn't depend on who finished first."""
        return self.read("clips", where=where).sort_by([("video_id", "ascending"), ("start_s", "ascending")])


def _names(schema: pa.Schema) -> Iterator[str]:
    """Go through the names of columns, parts of nested ones as `motion.mean`."""
    for field in schema:
        yield field.name
        if pa.types.is_struct(field.type):
            yield from (f"{field.name}.{part.name}" for part in field.type)


def rows_of(store: Store, clips: pa.Table) -> Iterator[Row]:
    """Go through clips with their videos and good captions; all are of split `train`."""
    for start in range(0, clips.num_rows, AT_ONCE):
        part = clips.slice(start, AT_ONCE)
        plain = part.to_pylist()
        scores = {key: values.tolist() for key, values in score_columns(part).items() if "." in key}
        owners = sorted({row["video_id"] for row in plain})
        videos = {row["id"]: row for row in store.read("videos", where=one_of("id", owners)).to_pylist()}
        captions: dict[str, list[Mapping[str, Any]]] = {row["id"]: [] for row in plain}
        found = store.read("captions", where=one_of("clip_id", captions))
        for caption in found.filter(is_good(found)).to_pylist():
            captions[caption["clip_id"]].append(caption)
        for number, row in enumerate(plain):
            own = {key: None if math.isnan(values[number]) else values[number] for key, values in scores.items()}
            facts = {name: value for name, value in row.items() if not isinstance(value, dict)}
            texts = sorted(captions[row["id"]], key=lambda c: (c["step"], c["kind"], c["number"]))
            yield Row(facts | own, videos[row["video_id"]], texts, "train", store.folder / (row["file"] or ""))


def is_good(captions: pa.Table) -> pa.Array:
    """Return which captions are not set aside."""
    return pc.equal(pc.fill_null(pc.list_value_length(captions["problems"]), 0), 0)


def origin(row: Row) -> dict[str, Any]:
    """Return from where the frames of a clip are decoded: its file, or a span of its video."""
    clip, video = row.clip, row.video
    if clip["file"]:
        inside = {"path": str(row.file), "begins_s": 0.0, "first_timestamp_s": 0.0, "seekable": True}
    else:
        clock = {name: video[name] for name in ("path", "first_timestamp_s", "seekable")}
        inside = {**clock, "begins_s": clip["start_s"]}
    return {**inside, "duration_s": clip["duration_s"], "width": clip["width"], "height": clip["height"]}


def window(start_s: float, frames: int, fps: float) -> NDArray[np.float64]:
    """Return the times of so many frames from `start_s` on. Raises `UsageError`."""
    if frames < 1 or not 0 < fps < math.inf:
        raise UsageError(f"{frames} frames at {fps:g} a second: both must be above 0, as in frames=16, fps=8.0")
    return start_s + np.arange(frames) / fps


def check_size(size: tuple[int, int] | None) -> None:
    """Raise `UsageError` for a size that no picture has."""
    if size is not None and min(size) < 1:
        raise UsageError(f"size {size}: (width, height) in pixels, as in (256, 256)")


def read_window(
    where: Mapping[str, Any], times: NDArray[np.float64], size: tuple[int, int] | None
) -> NDArray[np.uint8]:
    """Return the frames of a clip at some of its times, shape (n, height, width, 3); `where` is its `origin`."""
    shown = max(where["width"], where["height"])
    factor = 1.0 if size is None else max(size[0] / where["width"], size[1] / where["height"])
    inside = np.minimum(times, max(0.0, where["duration_s"] - END_S))
    pictures = read_frames(
        where["path"],
        (inside + where["begins_s"]).tolist(),
        long_side_px=max(1, math.ceil(shown * factor - 1e-6)),
        first_timestamp_s=where["first_timestamp_s"],
        seekable=where["seekable"],
    )
    return np.stack([picture if size is None else _fitted(picture, size) for picture in pictures])


def _fitted(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Crop a picture around the middle to a shape, and scale it where it isn't of that size yet."""
    height, width = picture.shape[:2]
    shape = size[0] / size[1]
    # One that decoding made to measure is cropped only; a smaller one is enlarged here.
    whole = width >= size[0] and height >= size[1]
    wide, high = size if whole else (min(width, round(height * shape)), min(height, round(width / shape)))
    left, top = (width - wide) // 2, (height - high) // 2
    cropped = picture[top : top + max(1, high), left : left + max(1, wide)]
    return cropped if whole else np.asarray(cv2.resize(cropped, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def _installed(package: str) -> Any:
    """Import a package that longtake itself does without. Raises `UsageError`."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise UsageError(f"this needs {package}, which is not installed; type: pip install {package}") from error
