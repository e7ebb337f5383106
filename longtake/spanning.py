"""The span phase of a run: captions' texts become vectors, and captions become spans with negatives around them.

It opens no video, and asks no model twice: vectors of pictures are a signal, those of texts the table `texts`. What is
left is arithmetic over the whole set, done anew whenever something it goes by has changed.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from longtake.corpus import SetCorpus, signal_of
from longtake.engines import Item
from longtake.engines.local import run_items
from longtake.grounding import Timeline
from longtake.measuring import prepare
from longtake.recipe import Recipe, Use
from longtake.records import Span
from longtake.schemas import SCHEMAS
from longtake.steps import fingerprint
from longtake.store import Store
from longtake.watch import Progress, Watch

VERSION = 1
TEXTS_AT_ONCE = 256
COMMIT_S = 5.0
SPANS_AT_ONCE = 4096
MADE_OF = ("videos", "shots", "clips", "captions")


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
    was_there: bool = False
    """Whether nothing had changed."""
    stopped: str = ""
    """Why nothing could be done; empty where it could."""
    elapsed_s: float = 0.0


def ground_captions(store: Store, recipe: Recipe, workers: int, watch: Watch) -> Spanned | None:
    """Make the set's spans what its captions and the recipe say; None where the recipe makes none."""
    use = recipe.grounding
    if use is None:
        return None
    begun = time.monotonic()
    done = Spanned(scored=signal_of(recipe, use).step.embed_texts is not None)
    corpus = SetCorpus(store, recipe)
    done.embedded, done.stopped = _embed_texts(store, recipe, corpus, workers, watch)
    if done.stopped:
        return done
    versions = {table: store.version(table) for table in MADE_OF}
    key = fingerprint([VERSION, use.key, signal_of(recipe, use).key, versions])
    done.was_there = store.key("spans") == key
    if not done.was_there:
        store.replace("spans", _batches(use, corpus, watch), key)
    rows = store.read("spans", ["video_id", "rejected_by"])
    reasons = Counter(rows["rejected_by"].to_pylist())
    done.videos = len(pc.unique(rows["video_id"]))
    done.spans = reasons.pop(None, 0)
    done.rejected = dict(reasons.most_common())
    done.elapsed_s = time.monotonic() - begun
    return done


def _embed_texts(store: Store, recipe: Recipe, corpus: SetCorpus, workers: int, watch: Watch) -> tuple[int, str]:
    """Turn the texts that have no vector yet into vectors; return how many, and why it had to stop."""
    assert recipe.grounding is not None
    signal = signal_of(recipe, recipe.grounding)
    if not corpus.has_texts:
        return 0, ""
    there = set(store.read("texts", ["key"])["key"].to_pylist())
    lacking = list(_lacking(corpus, there))
    items = [
        Item(str(start), {"step": signal.step.name, "parameters": signal.parameters, "texts": [t for _, _, t in some]})
        for start in range(0, len(lacking), TEXTS_AT_ONCE)
        if (some := lacking[start : start + TEXTS_AT_ONCE])
    ]
    if not items:
        return 0, ""
    prepare(signal, watch)
    rows: list[dict[str, Any]] = []
    done = 0
    begun = committed_at = time.monotonic()
    outcomes = run_items("longtake.jobs:embed_texts", items, workers=min(workers, len(items)))
    try:
        for outcome in outcomes:
            if outcome.failure:
                return done, f"texts can't be turned into vectors: {outcome.failure[1]}"
            start = int(outcome.item.name)
            for (key, video_id, _), vector in zip(lacking[start:], outcome.result, strict=False):
                rows.append({"key": key, "video_id": video_id, "vector": vector.astype(np.float16)})
            done += len(outcome.result)
            if time.monotonic() - committed_at >= COMMIT_S:
                store.append("texts", rows)
                rows, committed_at = [], time.monotonic()
            watch(Progress("texts", done, len(lacking), 0, 0.0, 0.0, time.monotonic() - begun))
    finally:
        outcomes.close()
        store.append("texts", rows)
    return done, ""


def _lacking(corpus: SetCorpus, there: set[str]) -> Iterator[tuple[str, str, str]]:
    """Yield key, video id and text of every caption without a vector, each key once."""
    for start in range(0, len(corpus.videos), TEXTS_AT_ONCE):
        for video_id, clips in corpus.captions(corpus.videos[start : start + TEXTS_AT_ONCE]).items():
            for caption in (one for captions in clips.values() for one in captions):
                key = corpus.text_key(caption["text"])
                if key not in there:
                    there.add(key)
                    yield key, video_id, caption["text"]


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
