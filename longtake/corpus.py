"""The videos of a set as grounding sees them: rows of scenes with vectors, and captions with their places in time."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from longtake.errors import SetError
from longtake.exports import chosen
from longtake.grounding import Sentence, Timeline
from longtake.opening import is_good
from longtake.recipe import Recipe
from longtake.records import Series
from longtake.sections import Use
from longtake.similarity import frame_vectors, mean_vectors
from longtake.steps import fingerprint
from longtake.store import Store, one_of

GAP_S = 5.0
"""Two clips further apart than this have something between them; less is the transition, and both get half of it."""
INSTANT_S = 1e-3
"""Stretches shorter than this come from rounding."""
PASSING_S = 0.5
"""A shot shorter than this may fall between two rows of a signal, and doesn't make its whole scene unknown."""
VIDEOS_AT_ONCE = 256
SERIES_AT_ONCE = 8


def signal_of(recipe: Recipe, use: Use) -> Use:
    """Return the signal whose vectors grounding goes by."""
    assert use.signal is not None
    return recipe.signals[use.signal]


class SetCorpus:
    """The videos of a set that have captions, read a few at a time: a `Corpus`."""

    def __init__(self, store: Store, recipe: Recipe) -> None:
        assert recipe.grounding is not None
        self.store = store
        self.kind = recipe.grounding.caption or ""
        signal = signal_of(recipe, recipe.grounding)
        self.signal_key = signal.key
        self.has_texts = signal.step.embed_texts is not None
        kept = store.read("clips", ["id", "video_id"], "kept")
        self.kept = set(kept["id"].to_pylist())
        captioned = set(pc.unique(store.read("captions", ["video_id"])["video_id"]).to_pylist())
        captioned.intersection_update(kept["video_id"].to_pylist())
        scanned = store.read("signals", ["video_id"], one_of("key", [self.signal_key]))["video_id"].to_pylist()
        self.videos = sorted(captioned.intersection(scanned))
        self.unscanned = len(captioned) - len(self.videos)
        """Videos with captions that were never scanned for the signal."""

    def __len__(self) -> int:
        return len(self.videos)

    def __iter__(self) -> Iterator[tuple[Timeline, list[Sentence]]]:
        yield from self.read(self.videos)

    def read(self, video_ids: Sequence[str]) -> Iterator[tuple[Timeline, list[Sentence]]]:
        """Go through some videos as scenes, with their captions; one never scanned for the signal is left out."""
        for start in range(0, len(video_ids), VIDEOS_AT_ONCE):
            yield from self._read(video_ids[start : start + VIDEOS_AT_ONCE])

    def _read(self, video_ids: Sequence[str]) -> Iterator[tuple[Timeline, list[Sentence]]]:
        mine = one_of("video_id", video_ids)
        columns = ["id", "duration_s"]
        videos = {row["id"]: row for row in self.store.read("videos", columns, one_of("id", video_ids)).to_pylist()}
        spans = ["video_id", "start_s", "end_s"]
        clips = by_video(self.store.read("clips", ["id", *spans], mine))
        shots = by_video(self.store.read("shots", spans, mine))
        captions = self.captions(video_ids)
        vectors = self._vectors(video_ids) if self.has_texts else {}
        for video_id, found in self._series(video_ids):
            if video_id not in clips:
                continue
            own = sorted(clips[video_id], key=lambda clip: clip["start_s"])
            said = captions.get(video_id, {})
            duration_s = videos[video_id]["duration_s"]
            bounds = clip_bounds(own, duration_s)
            texts = [said.get(clip["id"], []) for clip in own]
            places = [[stretch(c, b, t) for t in some] for c, b, some in zip(own, bounds, texts, strict=True)]
            edges = scene_edges(bounds, places, duration_s)
            timeline = timeline_of(video_id, duration_s, edges, shots[video_id], found)
            yield (
                timeline,
                [
                    self._sentence(one, place, vectors)
                    for some, at in zip(texts, places, strict=True)
                    for one, place in zip(some, at, strict=True)
                ],
            )

    def _series(self, video_ids: Sequence[str]) -> Iterator[tuple[str, Series]]:
        """Read what the signal gave of some videos, few at a time: it may be much."""
        for start in range(0, len(video_ids), SERIES_AT_ONCE):
            some = video_ids[start : start + SERIES_AT_ONCE]
            series = self.store.signals_of(some, [self.signal_key])
            for video_id in some:
                if self.signal_key in series[video_id]:
                    yield video_id, Series(**series[video_id][self.signal_key])

    def captions(self, video_ids: Sequence[str]) -> dict[str, dict[str, list[Mapping[str, Any]]]]:
        """Return the captions to be placed: video id -> clip id -> captions."""
        columns = ["clip_id", "video_id", "step", "kind", "number", "start_s", "end_s", "text", "problems"]
        table = self.store.read("captions", columns, one_of("video_id", video_ids))
        by_clip: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for row in table.filter(is_good(table)).to_pylist():
            if row["clip_id"] in self.kept:
                by_clip.setdefault((row["video_id"], row["clip_id"]), []).append(row)
        found: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
        for (video_id, clip_id), rows in by_clip.items():
            found.setdefault(video_id, {})[clip_id] = chosen(rows, self.kind)
        return found

    def text_key(self, text: str) -> str:
        """Return the name of a text's vector."""
        return fingerprint([text, self.signal_key])

    def _vectors(self, video_ids: Sequence[str]) -> dict[str, Any]:
        table = self.store.read("texts", ["key", "vector"], one_of("video_id", video_ids))
        return {
            key: vector.values.to_numpy().astype(np.float32)
            for key, vector in zip(table["key"].to_pylist(), table["vector"], strict=True)
        }

    def _sentence(self, said: Mapping[str, Any], place: tuple[float, float], vectors: Mapping[str, Any]) -> Sentence:
        named = (said["clip_id"], said["step"], said["kind"], said["number"], said["text"])
        return Sentence(*named, *place, vectors.get(self.text_key(said["text"])))


def by_video(rows: pa.Table) -> dict[str, list[dict[str, Any]]]:
    """Return rows by the video they are about."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows.to_pylist():
        found.setdefault(row["video_id"], []).append(row)
    return found


def clip_bounds(clips: Sequence[Mapping[str, Any]], duration_s: float) -> list[tuple[float, float]]:
    """Return where each clip's scene starts and ends: neighbours meet in the middle of what parts them.

    Only a stretch longer than `GAP_S` belongs to neither. `clips` are in order. Raises `SetError` where they overlap.
    """
    bounds = [(clip["start_s"], clip["end_s"]) for clip in clips]
    for (_, end_s), (start_s, _) in itertools.pairwise(bounds):
        if start_s < end_s - INSTANT_S:
            raise SetError(f"clips overlap at {start_s:g} s of {clips[0]['video_id']}: no spans can be made of such")
    outer = [(0.0, 0.0), *bounds, (duration_s, duration_s)]
    meet = [
        (end_s, start_s) if start_s - end_s > GAP_S else ((end_s + start_s) / 2,) * 2
        for (_, end_s), (start_s, _) in itertools.pairwise(outer)
    ]
    meet[0] = (0.0, meet[0][1] if meet[0][1] > GAP_S else 0.0)
    meet[-1] = (meet[-1][0] if duration_s - meet[-1][0] > GAP_S else duration_s, duration_s)
    return [(before[1], after[0]) for before, after in itertools.pairwise(meet)]


def scene_edges(
    bounds: Sequence[tuple[float, float]], stretches: Sequence[Sequence[tuple[float, float]]], duration_s: float
) -> list[tuple[float, float]]:
    """Return the spans of the scenes that tile a video: the bounds of its clips, cut where captions of a clip part.

    `stretches` are those of each clip's captions, in seconds of the video. What lies between clips is a scene too.
    """
    edges: list[tuple[float, float]] = []
    before_s = 0.0
    for (start_s, end_s), parts in zip(bounds, stretches, strict=True):
        if start_s - before_s > INSTANT_S:
            edges.append((before_s, start_s))
        inner = sorted({time for part in parts for time in part if start_s + INSTANT_S < time < end_s - INSTANT_S})
        edges += itertools.pairwise([start_s, *inner, end_s])
        before_s = end_s
    if duration_s - before_s > INSTANT_S:
        edges.append((before_s, duration_s))
    return edges


def stretch(clip: Mapping[str, Any], bounds: tuple[float, float], caption: Mapping[str, Any]) -> tuple[float, float]:
    """Return the stretch of the video that a caption is about; one that begins or ends with its clip does so here."""
    whole = caption["end_s"] > clip["end_s"] - clip["start_s"] - INSTANT_S
    start_s = bounds[0] if caption["start_s"] < INSTANT_S else clip["start_s"] + caption["start_s"]
    return start_s, bounds[1] if whole else clip["start_s"] + caption["end_s"]


def timeline_of(
    video_id: str,
    duration_s: float,
    edges: Sequence[tuple[float, float]],
    shots: Sequence[Mapping[str, Any]],
    series: Series,
) -> Timeline:
    """Return a video as a row of scenes: each with a vector for every shot that has a part in it."""
    bounds = np.array(edges, np.float64).reshape(-1, 2)
    shot_spans = np.array([(shot["start_s"], shot["end_s"]) for shot in shots], np.float64).reshape(-1, 2)
    shot_spans = shot_spans[np.argsort(shot_spans[:, 0])]
    # Cutting both rows at each other's edges gives the parts; one that no shot covers stands for its scene alone.
    first = np.searchsorted(shot_spans[:, 1], bounds[:, 0], side="right")
    stop = np.searchsorted(shot_spans[:, 0], bounds[:, 1], side="left")
    parts: list[tuple[int, float, float]] = []
    for scene, (start_s, end_s) in enumerate(bounds):
        inside = np.clip(shot_spans[first[scene] : stop[scene]], start_s, end_s)
        inside = inside[inside[:, 1] - inside[:, 0] > INSTANT_S]
        parts += [(scene, a, b) for a, b in inside] or [(scene, start_s, end_s)]
    owners = np.array([scene for scene, _, _ in parts], np.int32)
    spans = np.array([(a, b) for _, a, b in parts], np.float64).reshape(-1, 2)
    vectors = mean_vectors(frame_vectors(series, spans[:, 0], spans[:, 1]))
    seen = ~np.isnan(vectors).any(axis=1)
    passing = spans[:, 1] - spans[:, 0] < PASSING_S
    said = seen | ~(passing & np.isin(owners, owners[seen]))
    return Timeline(
        video_id=video_id,
        duration_s=duration_s,
        starts_s=bounds[:, 0],
        ends_s=bounds[:, 1],
        shots=vectors[said],
        scene_of=owners[said],
        shots_at=spans[said],
        frames=frame_vectors(series, bounds[:, 0], bounds[:, 1]),
    )
