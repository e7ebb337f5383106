"""The phase of a run that finds copies: clips of the set that show the same footage, in groups, each with a best one.

It opens no video. Vectors of a signal say which clips are worth comparing, by a search in the store; the rows of the
signal `thumbnail` say which of those are copies. It is done anew for the whole set whenever something it goes by has
changed, and gives the same in whatever order videos came.
"""

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from longtake.duplicates import EVIDENCE, GROUP, RANK, SIZE, Copies, Joined, match, parts, pictures
from longtake.recipe import Recipe
from longtake.records import Series
from longtake.schemas import SCHEMAS, score_schema
from longtake.similarity import Floats
from longtake.steps import fingerprint
from longtake.store import Store, one_of, score_columns
from longtake.watch import Progress, Watch

VERSION = 2
VIDEOS_AT_ONCE = 32
QUERIES_AT_ONCE = 1024
NEIGHBOURS = 32
"""Parts that are looked at for each part of a clip: the most alike ones."""
TELL_S = 0.5
SCHEMA = score_schema(pa.schema([("id", pa.string())]), (GROUP, SIZE, RANK))

Spans = Sequence[tuple[float, float]]
SPAN = {"start_s", "end_s"}
HEIGHTS = ("height", "borders.top", "borders.bottom")
"""What says how many lines a clip really shows."""


@dataclass
class Grouped:
    """What the phase found in the set."""

    clips: int = 0
    """Those that were looked for."""
    compared: int = 0
    """Pairs of clips; 0 where nothing had changed."""
    groups: int = 0
    copies: int = 0
    """Clips that are in a group and not the best of it."""
    unscanned: int = 0
    """Clips of videos that were never scanned for the signals; nobody knows whether they are copies."""
    elapsed_s: float = 0.0


def group_copies(store: Store, recipe: Recipe, watch: Watch) -> Grouped | None:
    """Make `copies` of all clips what the set and the recipe say; None, and no groups, where it looks for no copies."""
    known = score_columns(store.columns("clips").empty_table())
    if recipe.copies is None:
        if RANK in known:
            grouped = store.read("clips", ["id", GROUP, SIZE, RANK], f"{RANK} IS NOT NULL")
            _update(store, grouped["id"].to_pylist(), score_columns(grouped), np.full((grouped.num_rows, 3), np.nan))
        if store.count("vectors"):
            store.replace("vectors", [], "")
        return None
    begun = time.monotonic()
    asked = {*HEIGHTS, GROUP, SIZE, RANK, *(score for scores, _ in recipe.copies.scores for score in scores)}
    clips = store.read("clips", ["id", "video_id", "start_s", "end_s", *sorted(asked.intersection(known) - SPAN)])
    clips = clips.sort_by([("video_id", "ascending"), ("id", "ascending")])
    columns = score_columns(clips)
    ids = clips["id"].to_pylist()
    keys = [recipe.signals[label].key for label in (recipe.copies.signal, EVIDENCE)]
    scanned = _scanned(store, keys)
    seen = np.array([video_id in scanned for video_id in clips["video_id"].to_pylist()], np.bool_)
    marks = [
        np.prod([_measured(score, columns, len(ids)) for score in scores], axis=0) for scores, _ in recipe.copies.scores
    ]
    work = _work(recipe.copies, keys, zip(ids, seen.tolist(), *(mark.tolist() for mark in marks), strict=True))
    ranks = columns.get(RANK, np.full(len(ids), np.nan))
    done = Grouped(clips=int(seen.sum()), unscanned=int((~seen).sum()))
    if store.key("vectors") != work or not np.array_equal(np.isnan(ranks), ~seen):
        finder = _Finder(store, recipe.copies, keys, clips.filter(pa.array(seen)), watch)
        found = np.full((len(ids), 3), np.nan)
        found[seen] = numbers(
            finder.joined.least(),
            [ids[i] for i in np.flatnonzero(seen)],
            best_first([mark[seen] for mark in marks], [lower for _, lower in recipe.copies.scores]),
        )
        done.compared = finder.compared
        _update(store, ids, columns, found)
        store.set_key("vectors", work)  # last: a kill before it is as if nothing had been done
        columns = {GROUP: found[:, 0], RANK: found[:, 2]}
    done.groups = len(np.unique(columns[GROUP][~np.isnan(columns[GROUP])]))
    done.copies = int((columns[RANK] > 1).sum())
    done.elapsed_s = time.monotonic() - begun
    return done


def _scanned(store: Store, keys: Sequence[str]) -> set[str]:
    """Return the videos that have all of some signals."""
    rows = store.read("signals", ["video_id", "key"], one_of("key", keys))
    having: dict[str, set[str]] = {}
    for video_id, key in zip(rows["video_id"].to_pylist(), rows["key"].to_pylist(), strict=True):
        having.setdefault(video_id, set()).add(key)
    return {video_id for video_id, there in having.items() if there.issuperset(keys)}


def _measured(score: str, columns: Mapping[str, NDArray[np.float64]], count: int) -> NDArray[np.float64]:
    """Return a score of all clips. Of the height, only what is inside black borders, where the recipe measures them."""
    found = columns.get(score, np.full(count, np.nan))
    borders = [columns[side] for side in ("borders.top", "borders.bottom") if score == "height" and side in columns]
    return np.asarray(found - np.sum([np.nan_to_num(pixels) for pixels in borders], axis=0), np.float64)


def _work(copies: Copies, keys: Sequence[str], clips: Iterable[tuple[Any, ...]]) -> str:
    """Return what names all that groups are made of. A clip's id names its video and span."""
    rows = hashlib.blake2b(digest_size=8)
    for clip in clips:
        rows.update(repr(clip).encode())
    return f"{fingerprint([VERSION, asdict(copies), list(keys)])}:{rows.hexdigest()}"


def best_first(marks: Sequence[NDArray[np.float64]], lower: Sequence[bool]) -> NDArray[np.intp]:
    """Return clips from best to worst: by the first mark, then the next.

    What was not measured comes last, and of clips that are as good the first one given is better.
    """
    n = len(marks[0]) if marks else 0
    turned = [mark if less else -mark for mark, less in zip(marks, lower, strict=True)]
    by_mark = [np.where(np.isnan(mark), np.inf, mark) for mark in turned]
    return np.lexsort([np.arange(n), *reversed(by_mark)])


def numbers(least: NDArray[np.intp], ids: Sequence[str], order: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the group, its size, and the rank in it of n clips, shape (n, 3), from the least of each one's group.

    A group's number comes from the first of its ids: it stays as long as that clip does.
    """
    sizes = np.bincount(least, minlength=len(ids))[least] if len(ids) else np.empty(0, np.intp)
    found = np.column_stack([np.full(len(ids), np.nan), sizes, np.ones(len(ids))])
    taken: set[int] = set()
    for first in np.flatnonzero((least == np.arange(len(ids))) & (sizes > 1)).tolist():
        number = int.from_bytes(hashlib.blake2b(ids[first].encode(), digest_size=4).digest())
        while number in taken:
            number += 1
        taken.add(number)
        found[first, 0] = number
    found[:, 0] = found[least, 0]
    seen: dict[int, int] = {}
    for clip in order.tolist():
        if sizes[clip] > 1:
            seen[least[clip]] = found[clip, 2] = seen.get(least[clip], 0) + 1
    return found


def _update(
    store: Store, ids: Sequence[str], before: Mapping[str, NDArray[np.float64]], now: NDArray[np.float64]
) -> None:
    """Store what has changed."""
    nothing = np.full(len(ids), np.nan)
    there = np.column_stack([before.get(key, nothing) for key in (GROUP, SIZE, RANK)])
    changed = np.flatnonzero(~((there == now) | (np.isnan(there) & np.isnan(now))).all(axis=1)).tolist()
    names = [key.partition(".")[2] for key in (GROUP, SIZE, RANK)]
    values = [dict(zip(names, (None if np.isnan(x) else x for x in row), strict=True)) for row in now.tolist()]
    store.update("clips", "id", [{"id": ids[i], "copies": values[i]} for i in changed], SCHEMA)


class _Finder:
    """Goes through the clips of a set, sorted by video, and joins those that are copies."""

    def __init__(self, store: Store, copies: Copies, keys: Sequence[str], clips: pa.Table, watch: Watch) -> None:
        self.store, self.copies, self.watch = store, copies, watch
        self.signal, self.evidence = keys
        self.ids = clips["id"].to_pylist()
        self.place = {clip_id: i for i, clip_id in enumerate(self.ids)}
        self.videos = clips["video_id"].to_pylist()
        self.spans = list(zip(clips["start_s"].to_pylist(), clips["end_s"].to_pylist(), strict=True))
        self.joined = Joined(len(self.ids))
        self.compared = 0
        self.begun = self.told_at = time.monotonic()
        self._write_vectors()
        self._compare(self._pairs())

    def _tell(self, done: int, total: int, words: str) -> None:
        now = time.monotonic()
        if now - self.told_at >= TELL_S or done == total:
            self.told_at = now
            self.watch(Progress("copies", done, total, 0, 0.0, 0.0, now - self.begun, words))

    def _write_vectors(self) -> None:
        """Put vectors of all clips in their table, with a key that nobody takes for what it is made of."""
        batches = self._batches()
        first = next(batches, None)
        if first is None:
            self.store.replace("vectors", [], "")
            return

        def rows() -> Iterator[pa.RecordBatch]:
            yield first
            yield from batches

        self.store.replace("vectors", rows(), "", first.schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for some in _runs(self.videos, VIDEOS_AT_ONCE):
            series = self.store.signals_of(sorted({self.videos[i] for i in some}), [self.signal])
            names: list[int] = []
            spans: list[tuple[float, float]] = []
            vectors: list[Floats] = []
            for i in some:
                found = parts(Series(**series[self.videos[i]][self.signal]), *self.spans[i])
                names += [i] * len(found[0])
                spans += found[0]
                vectors.append(found[1])
            if names:
                yield self._batch(names, spans, np.concatenate(vectors))
            self._tell(some[-1] + 1, len(self.ids), "vectors")

    def _batch(self, clips: Sequence[int], spans: Spans, vectors: Floats) -> pa.RecordBatch:
        wide = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel(), pa.float32()), vectors.shape[1])
        schema = SCHEMAS["vectors"]
        schema = schema.set(schema.get_field_index("vector"), pa.field("vector", wide.type))
        owners = ([self.ids[i] for i in clips], [self.videos[i] for i in clips])
        times = zip(*spans, strict=True)
        return pa.record_batch([*(pa.array(column) for column in (*owners, *map(list, times))), wide], schema=schema)

    def _pairs(self) -> list[tuple[int, int]]:
        """Return the pairs of clips that are alike enough to be compared, each once; those that hang together at once.

        So a video is read about once: many clips of one place make many pairs.
        """
        rows = self.store.read("vectors", ["clip_id", "vector"])
        owners = np.array([self.place[name] for name in rows["clip_id"].to_pylist()], np.int64)
        n = len(self.ids)
        codes: set[int] = set()
        for start in range(0, len(owners), QUERIES_AT_ONCE):
            some = rows["vector"].slice(start, QUERIES_AT_ONCE).combine_chunks()
            vectors = some.flatten().to_numpy().reshape(len(some), -1)
            found = self.store.nearest("vectors", vectors, NEIGHBOURS, self.copies.alike)
            others = np.array([self.place[name] for name in found["clip_id"].to_pylist()], np.int64)
            mine = owners[start + found["query"].to_numpy()]
            pairs = np.minimum(mine, others) * n + np.maximum(mine, others)
            codes.update(pairs[mine != others].tolist())
            self._tell(min(start + QUERIES_AT_ONCE, len(owners)), len(owners), "searched")
        pairs = [divmod(code, n) for code in sorted(codes)]
        near = Joined(n)
        for pair in pairs:
            near.join(*pair)
        return sorted(pairs, key=lambda pair: near.find(pair[0]))

    def _compare(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Join the pairs that are copies, with a few videos in memory at a time."""
        done = 0
        while done < len(pairs):
            videos: set[str] = set()
            stop = done
            while stop < len(pairs) and (stop == done or len(videos) < VIDEOS_AT_ONCE):
                videos.update(self.videos[i] for i in pairs[stop])
                stop += 1
            self._compare_some(pairs[done:stop], sorted(videos))
            done = stop
            self._tell(done, len(pairs), "pairs compared")

    def _compare_some(self, pairs: Sequence[tuple[int, int]], videos: Sequence[str]) -> None:
        stored = self.store.signals_of(videos, [self.evidence])
        series = {name: Series(**one[self.evidence]) for name, one in stored.items()}
        seen: dict[int, Floats] = {}
        for pair in pairs:
            one, other = pair
            if self.joined.find(one) == self.joined.find(other):
                continue
            for i in pair:
                if i not in seen:
                    seen[i] = pictures(series[self.videos[i]], *self.spans[i])
            found = match(seen[one], seen[other], part=self.copies.part)
            self.compared += 1
            if found and found.is_copy(self.copies.together):
                self.joined.join(one, other)


def _runs(videos: Sequence[str], at_once: int) -> Iterator[range]:
    """Go through clips that are sorted by video, those of so many videos at a time."""
    start, seen = 0, 0
    for i in range(len(videos)):
        if i == start or videos[i] != videos[i - 1]:
            seen += 1
        if seen > at_once:
            yield range(start, i)
            start, seen = i, 1
    if videos:
        yield range(start, len(videos))
