"""The span phase of a run: captions' texts become vectors, and captions become spans with negatives around them.

It opens no video, and asks no model twice: vectors of pictures are a signal, those of texts the table `texts`. What is
left is arithmetic over the whole set, done anew whenever something it goes by has changed.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from longtake.corpus import SetCorpus, signal_of
from longtake.engines import Engine, Item
from longtake.grounding import Timeline
from longtake.measuring import prepare
from longtake.recipe import Recipe
from longtake.records import Span
from longtake.schemas import SCHEMAS
from longtake.sections import Use
from longtake.steps import fingerprint
from longtake.store import Store
from longtake.watch import Progress, Watch

VERSION = 1
TEXTS_AT_ONCE = 256
COMMIT_S = 5.0
SPANS_AT_ONCE = 4096
MADE_OF = {
    "shots": ["video_id", "start_s", "end_s"],
    "clips": ["id", "start_s", "end_s", "kept"],
    "captions": ["clip_id", "step", "kind", "number", "start_s", "end_s", "text", "problems"],
}
"""The tables and columns that spans follow from."""


@dataclass
class Spanned:
    """What the phase did, and what the set has."""

    videos: int = 0
    """With captions."""
    spans: int = 0
    """Good records."""
    rejected: dict[str, int] = field(default_factory=dict)
    """Captions that made none, by the reason."""
    embedded: int = 0
    """Texts that were turned into vectors."""
    scored: bool = False
    """Whether the signal has a place for texts, so that captions could be weighed against pictures."""
    signal: str = ""
    unscanned: int = 0
    """Videos with captions that were never scanned for the signal, and have no spans."""
    was_there: bool = False
    """Whether nothing had changed."""
    stopped: str = ""
    """Why nothing could be done; empty where it could."""
    elapsed_s: float = 0.0


def ground_captions(store: Store, recipe: Recipe, engine: Engine, watch: Watch) -> Spanned | None:
    """Make the set's spans what its captions and the recipe say; None, and no spans, where the recipe makes none."""
    use = recipe.grounding
    if use is None:
        if store.read("spans", ["video_id"]).num_rows:
            store.replace("spans", [], "")
        return None
    begun = time.monotonic()
    corpus = SetCorpus(store, recipe)
    done = Spanned(scored=corpus.has_texts, signal=use.signal or "", unscanned=corpus.unscanned)
    done.embedded, done.stopped = _embed_texts(store, recipe, corpus, engine, watch)
    if done.stopped:
        return done
    work = fingerprint([VERSION, use.key, signal_of(recipe, use).key])
    done.was_there = store.key("spans").startswith(f"{work}:") and are_fresh(store)
    if not done.was_there:
        store.replace("spans", _batches(use, corpus, watch), f"{work}:{_versions(store)}:{_contents(store)}")
    rows = store.read("spans", ["video_id", "rejected_by"])
    reasons = Counter(rows["rejected_by"].to_pylist())
    done.videos = len(pc.unique(rows["video_id"]))
    done.spans = reasons.pop(None, 0)
    done.rejected = dict(reasons.most_common())
    done.elapsed_s = time.monotonic() - begun
    return done


def are_fresh(store: Store) -> bool:
    """Return whether the set's spans are those of its clips and captions as they are now."""
    key = store.key("spans")
    if not key:
        return True  # nobody noted what they were made of
    _, versions, contents = key.split(":")
    # Tidying a table makes another version of it with the same content.
    return versions == _versions(store) or contents == _contents(store)


def _versions(store: Store) -> str:
    return fingerprint([store.version(table) for table in MADE_OF])


def _contents(store: Store) -> str:
    """Return what names the rows that spans are made of, in whatever order they lie."""
    total = 0
    for table, columns in MADE_OF.items():
        rows = store.read(table, columns)
        for row in zip(*(rows[column].to_pylist() for column in columns), strict=True):
            total += int.from_bytes(hashlib.blake2b(repr((table, row)).encode(), digest_size=8).digest())
    return f"{total % 2**64:016x}"


def _embed_texts(store: Store, recipe: Recipe, corpus: SetCorpus, engine: Engine, watch: Watch) -> tuple[int, str]:
    """Turn the texts that have no vector yet into vectors; return how many, and why it had to stop."""
    assert recipe.grounding is not None
    signal = signal_of(recipe, recipe.grounding)
    if not corpus.has_texts:
        return 0, ""
    lacking = _lacking(store, corpus)
    texts = list(lacking)
    items = [
        Item(str(start), {"step": signal.step.name, "parameters": signal.parameters, "texts": some})
        for start in range(0, len(texts), TEXTS_AT_ONCE)
        if (some := texts[start : start + TEXTS_AT_ONCE])
    ]
    if not items:
        return 0, ""
    prepare([signal], engine, watch)
    rows: list[dict[str, Any]] = []
    done = 0
    begun = committed_at = time.monotonic()
    outcomes = engine.run_items("longtake.jobs:embed_texts", items, at_most=len(items), gpu=signal.step.uses_gpu)
    try:
        for outcome in outcomes:
            if outcome.failure:
                return done, f"texts can't be turned into vectors: {outcome.failure[1]}"
            for text, vector in zip(outcome.item.payload["texts"], outcome.result, strict=True):
                found = {"key": corpus.text_key(text), "vector": vector.astype(np.float16)}
                rows += [{**found, "video_id": video_id} for video_id in lacking[text]]
            done += len(outcome.result)
            if time.monotonic() - committed_at >= COMMIT_S:
                store.append("texts", rows)
                rows, committed_at = [], time.monotonic()
            watch(Progress("texts", done, len(texts), 0, 0.0, 0.0, time.monotonic() - begun))
    finally:
        outcomes.close()
        store.append("texts", rows)
    return done, ""


def _lacking(store: Store, corpus: SetCorpus) -> dict[str, list[str]]:
    """Return the texts without a vector, each with the videos that have it as a caption.

    Every video has vectors of its own, so that they go with it when it is removed.
    """
    rows = store.read("texts", ["video_id", "key"])
    there = set(zip(rows["video_id"].to_pylist(), rows["key"].to_pylist(), strict=True))
    lacking: dict[str, list[str]] = {}
    for start in range(0, len(corpus.videos), TEXTS_AT_ONCE):
        for video_id, clips in corpus.captions(corpus.videos[start : start + TEXTS_AT_ONCE]).items():
            for text in dict.fromkeys(one["text"] for captions in clips.values() for one in captions):
                if (video_id, corpus.text_key(text)) not in there:
                    lacking.setdefault(text, []).append(video_id)
    return lacking


def _batches(use: Use, corpus: SetCorpus, watch: Watch) -> Iterator[pa.RecordBatch]:
    """Ground all captions and yield the rows of `spans`."""
    begun = time.monotonic()
    rows: list[dict[str, Any]] = []
    grounded: Iterable[tuple[Timeline, list[Span]]] = use.step.call(corpus, **use.parameters)
    for done, (timeline, spans) in enumerate(grounded, 1):
        rows += [{"video_id": timeline.video_id, **asdict(span)} for span in spans]
        watch(Progress("ground", done, len(corpus), 0, 0.0, 0.0, time.monotonic() - begun))
        if len(rows) >= SPANS_AT_ONCE:
            yield pa.RecordBatch.from_pylist(rows, schema=SCHEMAS["spans"])
            rows = []
    if rows:
        yield pa.RecordBatch.from_pylist(rows, schema=SCHEMAS["spans"])
