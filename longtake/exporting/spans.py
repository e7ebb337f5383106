"""The spans of a set on their way to a format of grounding: all videos in order, a few in memory at a time."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from longtake.corpus import SetCorpus, by_video
from longtake.errors import SetError, UsageError
from longtake.exporting.clips import gone_if_refused
from longtake.exporting.folder import Exported, as_it_was, finish, unfinished
from longtake.exporting.splits import first_of_kin, parse_split, split_of
from longtake.exports import Grounded
from longtake.grounding import Timeline
from longtake.opening import is_good
from longtake.recipe import resolve
from longtake.settings import read_recipe
from longtake.spanning import are_fresh
from longtake.steps import Step, fingerprint
from longtake.store import Store, one_of
from longtake.watch import Progress, Watch

VIDEOS_AT_ONCE = 16
TELL_S = 0.5


def export_spans(
    store: Store, step: Step, parameters: Mapping[str, Any], to: Path, split: str, watch: Watch
) -> Exported:
    """Write the spans of a set to a new folder; see `export_set`.

    A format that has a parameter `similarity` is told what the pictures of each video look like; one whose third
    parameter is named `rejected` may ask for the rows of a video that are no good records. One that can't hold every
    span, or was asked not to, returns how many it left out, by split.
    """
    shares = parse_split(split)
    _check_spans(store)
    videos = store.read("videos", ["id", "path", "made_by"]).sort_by("id")
    options: dict[str, Any] = {"where": [], "split": split, "parameters": parameters, "size": None}
    kin = first_of_kin(store) if split else {}
    held = [videos.to_pylist(), store.version("captions"), store.version("spans"), *([kin] if kin else [])]
    key = fingerprint([step.name, step.version, options, held])
    if there := as_it_was(to, key):
        return there
    partial = unfinished(to, key)
    names = videos["id"].to_pylist()
    reader = _Reader(store, names, shares, kin, pictures="similarity" in parameters, watch=watch)
    more = [reader.rejected] if "rejected" in step.wants else []
    with gone_if_refused(partial):
        left_out: Mapping[str, int] = step.call(reader.videos(), partial, *more, **parameters) or {}
        splits = {name: count - left_out.get(name, 0) for name, count in reader.splits.items()}
        if not any(splits.values()):
            count = sum(left_out.values())
            raise UsageError(f"{step.name} leaves out all {count:,} spans; longtake steps {step.name} says which")
    done = Exported(
        to,
        step.name,
        clips=0,
        bytes=0,
        splits=splits,
        without_file=0,
        too_short=0,
        without_caption=0,
        was_there=False,
        spans=sum(splits.values()),
        left_out=sum(left_out.values()),
    )
    everything = bool(more)  # such a format tells of scenes and captions without a span too
    finish(store, done, key, options, partial, names if everything else reader.with_spans, kin)
    return done


def _check_spans(store: Store) -> None:
    """Raise `SetError` where a set has no span that could go out."""
    rows = store.read("spans", ["rejected_by"])["rejected_by"]
    if not len(rows):
        raise SetError(f"{store.folder} has no spans; longtake ground {store.folder} makes them of its captions")
    if not rows.null_count:
        raise SetError(f"{store.folder} has {len(rows):,} captions, none of them good spans; longtake ground says why")
    if not are_fresh(store):
        raise SetError(
            f"clips or captions of {store.folder} have changed since its spans were made; make them anew with: "
            f"longtake ground {store.folder}"
        )


class _Reader:
    """Hands videos to a format one by one, and counts their spans."""

    def __init__(
        self,
        store: Store,
        names: Sequence[str],
        shares: Sequence[tuple[str, float]],
        kin: Mapping[str, str],
        *,
        pictures: bool,
        watch: Watch,
    ) -> None:
        self.store, self.names, self.shares, self.kin, self.watch = store, names, shares, kin, watch
        recipe = resolve(read_recipe(store.folder)) if pictures else None
        self.corpus = SetCorpus(store, recipe) if recipe and recipe.grounding else None
        self.splits: dict[str, int] = {}
        self.with_spans: list[str] = []
        self._rejected: dict[str, list[dict[str, Any]]] = {}
        self.done = 0
        self.begun = self.told_at = time.monotonic()

    def videos(self) -> Iterator[Grounded]:
        """Read the videos with all that belongs to them."""
        for start in range(0, len(self.names), VIDEOS_AT_ONCE):
            for found in self._read(self.names[start : start + VIDEOS_AT_ONCE]):
                if found.spans:
                    self.with_spans.append(found.video["id"])
                    self.splits[found.split] = self.splits.get(found.split, 0) + len(found.spans)
                self.done += 1
                yield found
                self._tell()

    def rejected(self, video: Grounded) -> Sequence[Mapping[str, Any]]:
        """Return the spans that are no good records of the video that was handed out last."""
        return self._rejected.get(video.video["id"], [])

    def _read(self, names: Sequence[str]) -> Iterator[Grounded]:
        mine = one_of("video_id", names)
        videos = {row["id"]: row for row in self.store.read("videos", where=one_of("id", names)).to_pylist()}
        captions = self.store.read("captions", where=mine)
        tables = {
            "shots": self.store.read("shots", where=mine),
            "clips": self.store.read("clips", where=mine),
            "captions": captions.filter(is_good(captions)),
            "spans": self.store.read("spans", where=mine),
        }
        rows = {table: by_video(found) for table, found in tables.items()}
        timelines = self._timelines(names)
        for name in names:
            own = {table: found.get(name, []) for table, found in rows.items()}
            own["shots"].sort(key=lambda row: row["start_s"])
            own["clips"].sort(key=lambda row: row["start_s"])
            own["captions"].sort(key=lambda row: (row["clip_id"], row["step"], row["kind"], row["number"]))
            own["spans"].sort(key=lambda row: (row["start_s"], row["end_s"], row["step"], row["kind"], row["number"]))
            spans = own.pop("spans")
            good = [row for row in spans if row["rejected_by"] is None]
            self._rejected = {name: [row for row in spans if row["rejected_by"] is not None]}
            split = split_of(name, self.shares, self.kin)
            yield Grounded(videos[name], split, **own, spans=good, timeline=timelines.get(name))

    def _timelines(self, names: Sequence[str]) -> dict[str, Timeline]:
        if self.corpus is None:
            return {}
        return {timeline.video_id: timeline for timeline, _ in self.corpus.read(names)}

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self.told_at >= TELL_S or self.done == len(self.names):
            self.told_at = now
            words = f"{sum(self.splits.values()):,} spans"
            self.watch(Progress("export", self.done, len(self.names), 0, 0.0, 0.0, now - self.begun, words))
