"""Captions for a set that is there: more captioners, another model, an estimate, or the way through batch files."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longtake.captioning.batches import Exported, Imported, export_requests, import_results
from longtake.captioning.estimating import estimate
from longtake.captioning.phase import Asked, Terms, caption_clips
from longtake.engines import connect
from longtake.errors import UsageError
from longtake.lock import Lock
from longtake.places import Place, here, set_folder, write_whole
from longtake.planning import check_kinds
from longtake.recipe import Recipe, resolve
from longtake.report import write_report
from longtake.settings import RECIPE, merge, read_recipe, read_settings
from longtake.spanning import Spanned, ground_captions
from longtake.store import Store
from longtake.watch import Estimate, Watch


@dataclass(frozen=True, slots=True)
class CaptionedSet:
    """What `caption` did or would do."""

    folder: Place
    estimate: Estimate
    """What was left to ask before anything was asked."""
    imported: Imported | None = None
    exported: Exported | None = None
    asked: Asked | None = None
    """None for an estimate."""
    spanned: Spanned | None = None
    """None too where the set's recipe makes no spans."""


def caption_set(
    folder: str | Place,
    *,
    steps: Sequence[str] = (),
    settings: Sequence[str] = (),
    workers: int | None = None,
    retry_failed: Sequence[str] = (),
    budget_usd: float | None = None,
    dry_run: bool = False,
    requests_to: str | Path | None = None,
    results_from: Sequence[str | Path] = (),
    engine: str = "local",
    address: str | None = None,
    watch: Watch = lambda _: None,
) -> CaptionedSet:
    """Give the kept clips of a set the captions of its recipe, with `steps` added to it and `settings` changed.

    `dry_run` only estimates. `results_from` names files of batch results to read first; `requests_to` a new folder for
    files of requests. With either of them no model is asked: captions are made of the answers that are there. Raises
    `UsageError`, `SetError`.
    """
    folder = set_folder(folder)
    data = read_recipe(folder)
    check_kinds(retry_failed)
    asks = requests_to is None and not results_from
    if retry_failed and not asks:
        raise UsageError("--retry-failed asks a server; batch files hold whatever has no answer yet")
    if budget_usd is not None and not asks:
        raise UsageError("--budget is for asking a server; what batch files cost is up to whoever answers them")
    recipe = _with(data, steps, settings)
    with Lock(folder) as lock:
        store = Store(folder, lock)
        _check_signals(store, recipe, steps, settings)
        imported = import_results(store, recipe, [Path(name) for name in results_from]) if results_from else None
        expected = estimate(store, recipe, list(recipe.captions.values()), retry_failed)
        watch(expected)
        if dry_run:
            return CaptionedSet(folder, expected, imported)
        with connect(engine, workers=workers, address=address) as machines:
            machines.check([folder])
            write_whole(folder / RECIPE, recipe.to_toml().encode())
            exported = None
            if requests_to is not None:
                exported = export_requests(store, recipe, here(requests_to, "files of requests"), machines)
            asked = caption_clips(store, recipe, Terms(machines, retry_failed, budget_usd, asks), watch)
            store.compact()
            spanned = ground_captions(store, recipe, machines, watch)
        write_report(folder)
        return CaptionedSet(folder, expected, imported, exported, asked, spanned)


def _with(data: dict[str, Any], steps: Sequence[str], settings: Sequence[str]) -> Recipe:
    """Return a set's recipe with captioners added and settings laid over it."""
    captions = data.setdefault("captions", {})
    if not isinstance(captions, dict):
        raise UsageError("[captions] holds one table a step, as in [captions.lvd2m]")
    for step in steps:
        label = _label_of(step)
        if captions.setdefault(label, {"step": step}).get("step", label) != step:
            other = captions[label]["step"]
            raise UsageError(
                f"the captioner {label} is {other} here; add {step} with -s captions.OTHER_LABEL.step={step}"
            )
    merge(data, read_settings(settings))
    if not data["captions"]:
        raise UsageError("the set's recipe names no captioner; add one with --step (see: longtake steps)")
    return resolve(data)


def _label_of(step: str) -> str:
    """Return the label under which a captioner is added by its name."""
    return step.rpartition(":")[2]


def _check_signals(store: Store, recipe: Recipe, steps: Sequence[str], settings: Sequence[str]) -> None:
    """Raise `UsageError` where captioners are told of signals that the set's videos have never been scanned for."""
    wanted = {recipe.signals[label].key: label for use in recipe.captions.values() for label in use.step.signals}
    there = set(store.read("signals", ["key"])["key"].to_pylist())
    lacking = sorted(label for key, label in wanted.items() if key not in there)
    if lacking and store.read("videos", ["id"]).num_rows:
        given = [f"captions.{_label_of(step)}.step={step}" for step in steps] + list(settings)
        options = [word for setting in given for word in ("-s", setting)]
        places = [str(store.folder / RECIPE), "VIDEOS", "--to", str(store.folder)]
        command = shlex.join(["longtake", "run", *places, *options])
        raise UsageError(
            f"the set was made without the signals {', '.join(lacking)}, which captions are told of; to measure them, "
            f"and nothing else anew: {command}"
        )
