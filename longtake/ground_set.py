"""Spans for a set that is there: with other numbers, from other captions, by another signal; and how good they are."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow.compute as pc

from longtake.corpus import SetCorpus, by_video, signal_of
from longtake.engines import connect
from longtake.errors import UsageError
from longtake.grounding import Floats, Timeline
from longtake.grounding._retrieval import Evaluation, evaluate
from longtake.lock import Lock
from longtake.opening import is_good
from longtake.places import Place, set_folder, write_whole
from longtake.recipe import Recipe, resolve
from longtake.records import Similar, Span
from longtake.report import write_report
from longtake.settings import RECIPE, merge, read_recipe, read_settings
from longtake.spanning import Spanned, ground_captions
from longtake.steps import nearest
from longtake.store import Store
from longtake.watch import Watch


@dataclass(frozen=True, slots=True)
class GroundedSet:
    """What `ground` did."""

    folder: Place
    captions: str
    """The kind of captions that were placed; empty: the best of each clip."""
    signal: str
    spanned: Spanned
    evaluation: Evaluation | None
    """How often a caption finds its positive; None where nobody asked."""


def ground_set(
    folder: str | Place,
    *,
    caption: str | None = None,
    settings: Sequence[str] = (),
    evaluated: bool = False,
    workers: int | None = None,
    engine: str = "local",
    address: str | None = None,
    watch: Watch = lambda _: None,
) -> GroundedSet:
    """Make the spans of a set anew: `settings` are parameters of the grounding step, and `step` and `signal`.

    What is given becomes part of the set's recipe. No video is opened. Raises `UsageError`, `SetError`.
    """
    folder = set_folder(folder)
    data = read_recipe(folder)
    merge(data, {"grounding": read_settings(settings) | ({} if caption is None else {"caption": caption})})
    recipe = resolve(data)
    assert recipe.grounding is not None
    with Lock(folder) as lock:
        store = Store(folder, lock)
        _check_captions(store, recipe.grounding.caption or "")
        _check_signal(store, recipe, settings)
        with connect(engine, workers=workers, address=address) as machines:
            machines.check([])
            spanned = ground_captions(store, recipe, machines, watch)
        assert spanned is not None
        write_whole(folder / RECIPE, recipe.to_toml().encode())
        write_report(folder)
        found = evaluate(_pairs(store, recipe) if spanned.scored else ()) if evaluated else None
    return GroundedSet(
        folder, recipe.grounding.caption or "", signal_of(recipe, recipe.grounding).label, spanned, found
    )


def _check_captions(store: Store, wanted: str) -> None:
    """Raise `UsageError` where the kept clips have no caption of a kind that is asked for."""
    rows = store.read("captions", ["clip_id", "step", "kind", "problems"])
    kept = store.read("clips", ["id"], "kept")["id"]
    good = rows.filter(is_good(rows)).filter(pc.is_in(rows.filter(is_good(rows))["clip_id"], kept.combine_chunks()))
    if not good.num_rows:
        raise UsageError(
            f"no kept clip of {store.folder} has a caption, of which spans are made; "
            f"longtake caption {store.folder} makes some"
        )
    known = {kind for row in good.to_pylist() for kind in (row["kind"], f"{row['step']}.{row['kind']}")}
    kinds = [kind.strip() for kind in wanted.split(",")] if wanted else []
    if kinds and not known.intersection(kinds):
        raise UsageError(f"no kept clip has a caption of kind {kinds[0]!r}{nearest(kinds[0], known)}")


def _check_signal(store: Store, recipe: Recipe, settings: Sequence[str]) -> None:
    """Raise `UsageError` where the set's videos have never been scanned for the signal."""
    assert recipe.grounding is not None
    signal = signal_of(recipe, recipe.grounding)
    if signal.key in store.read("signals", ["key"])["key"].to_pylist():
        return
    options = [word for setting in settings for word in ("-s", f"grounding.{setting}")]
    places = [str(store.folder / RECIPE), "VIDEOS", "--to", str(store.folder)]
    command = shlex.join(["longtake", "run", *places, *(options or ["-s", f"grounding.signal={signal.label}"])])
    raise UsageError(
        f"the set was made without the signal {signal.label}, which spans go by; to measure it, and nothing else anew: "
        f"{command}"
    )


def _pairs(store: Store, recipe: Recipe) -> Iterator[tuple[Timeline, Span, Floats | None]]:
    """Yield the good records with their videos and the vectors of their captions."""
    corpus = SetCorpus(store, recipe)
    spans = by_video(store.read("spans", where="rejected_by IS NULL"))
    for timeline, sentences in corpus.read(sorted(spans)):
        vectors = {(one.clip_id, one.step, one.kind, one.number): one.vector for one in sentences}
        for row in spans.pop(timeline.video_id):
            del row["video_id"]
            row["similar"] = tuple(Similar(**similar) for similar in row["similar"])
            span = Span(**{**row, "places": tuple(row["places"])})
            yield timeline, span, vectors[span.clip_id, span.step, span.kind, span.number]
