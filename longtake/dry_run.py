"""A run that only says what it would do, and what it, or a far larger one, would cost. Nothing is written."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from longtake.ask.prices import price
from longtake.costs import Assumed, Costs, Forecast, between, forecast, read_assumed, table
from longtake.engines import connect, default_workers
from longtake.errors import UsageError, VideoError
from longtake.from_lists import fetched_beside, is_fetched_first, not_fetched
from longtake.places import Place, set_folder
from longtake.planning import plan_work
from longtake.recipe import Recipe, load, names
from longtake.shards import read_shard
from longtake.sources.files import Found, find_videos
from longtake.store import Store
from longtake.trial import try_out
from longtake.video import declared_pixels
from longtake.watch import Plan

SAMPLED = 10
"""Videos whose headers tell how large pictures are."""
NO_SET = "none named"


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a run would do."""

    recipe: Recipe
    plan: Plan | None
    """None where no source was named."""
    forecast: Forecast
    costs_from: str
    """Where the costs come from, in words."""


def dry_run(
    recipe: str | Recipe,
    sources: Sequence[str | Path] = (),
    to: str | Place | None = None,
    *,
    assume: Sequence[str] = (),
    measure: int = 0,
    shard: str = "",
    settings: Sequence[str] = (),
    workers: int | None = None,
) -> DryRun:
    """Plan a run, and say what it would cost: by the table that comes with the package, or by a trial of some videos.

    `assume` has texts such as `videos=2e8`, which go before what the sources say; `measure` so many videos of the
    sources are run through the recipe, in a folder that is gone afterwards. Raises `UsageError`.
    """
    recipe = recipe if isinstance(recipe, Recipe) else load(recipe, settings)
    workers = workers or default_workers()
    known: dict[str, float] = {"cores": workers}
    plan = None
    found = Found([], 0)
    if sources:
        found = _find(sources, to, shard)
        store = Store(set_folder(to) if to is not None else Path(NO_SET))
        with connect(workers=workers) as engine:
            plan = plan_work(store, recipe, found, engine, ()).plan
        known |= {"videos": plan.to_scan, "minutes": plan.to_scan_s / 60 / max(1, plan.to_scan)}
        known |= _heights(found.videos)
    assumed = _priced(read_assumed(assume, known), recipe)
    if measure:
        if not found.videos:
            raise UsageError("--measure runs the recipe on some of your videos: name sources")
        some = _evenly(found.videos, measure)
        costs, words = (
            try_out(recipe, some, workers).costs(),
            f"measured on {len(some)} of these videos, on this machine",
        )
    else:
        costs, words = _known_costs(recipe, assumed)
    return DryRun(recipe, plan, forecast(costs, assumed), words)


def _find(sources: Sequence[str | Path], to: str | Place | None, shard: str) -> Found:
    part = read_shard(shard)
    here = [source for source in sources if not is_fetched_first(source)]
    lists = [source for source in sources if source not in here]
    if lists:
        lacks = not_fetched(lists, to, part)
        if lacks is not None:
            raise UsageError(
                f"{lacks}: its videos are not here yet, and a dry run fetches none; say how many there are and how "
                "long: --assume videos=NUMBER --assume minutes=NUMBER"
            )
        here.append(fetched_beside(str(to)))
    return find_videos(here, part)


def _evenly(videos: Sequence[Place], most: int) -> list[Place]:
    return list(videos[:: math.ceil(len(videos) / most)])[:most]


def _heights(videos: Sequence[Place]) -> dict[str, float]:
    """Return the height of 16:9 pictures that have as many pixels as those of a sample, on average."""
    pixels = []
    for video in _evenly(videos, SAMPLED):
        try:
            pixels.append(declared_pixels(video))
        except VideoError:
            continue  # the scan will say what is wrong with it
    return {"height": math.sqrt(sum(pixels) / len(pixels) * 9 / 16)} if pixels else {}


def _priced(assumed: Assumed, recipe: Recipe) -> Assumed:
    """Return assumptions with the prices of the recipe's model, where those are known and no others were given."""
    for use in recipe.captions.values():
        settings = recipe.settings_of(use)
        known = price(settings, settings.model) if settings else None
        if known:
            return replace(
                assumed,
                prompt_usd=known.prompt if assumed.prompt_usd is None else assumed.prompt_usd,
                completion_usd=known.completion if assumed.completion_usd is None else assumed.completion_usd,
            )
    return assumed


def _known_costs(recipe: Recipe, assumed: Assumed) -> tuple[Costs, str]:
    known = table()
    if recipe.name not in known["recipes"]:
        have = ", ".join(known["recipes"])
        raise UsageError(
            f"nobody knows what the recipe {recipe.name} costs (known are {have}); name some videos and add --measure 5"
        )
    words = f"measured on {known['machine']}, {known['date']} (longtake {known['versions']['longtake']})"
    if recipe.name not in names() or load(recipe.name).key != recipe.key:
        words += "; yours differs from the recipe that was measured: --measure 5 says by how much"
    return between(known["recipes"][recipe.name], assumed.pixels), words
