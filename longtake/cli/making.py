"""Commands that make a set, or more of one."""

import json
import sys
from collections.abc import Sequence

import click

from longtake.cli.group import (
    EXIT_NOTHING,
    EXIT_SOME_FAILED,
    address_option,
    budget_option,
    engine_option,
    main,
    model_option,
    retry_option,
    settings_option,
    shard_option,
    url_option,
    workers_option,
)
from longtake.importing import imported_for_good


@main.command()
@click.argument("recipe")
@click.argument("sources", nargs=-1)
@click.option("--to", metavar="SET", help="The set folder; made if it isn't there, else gone on with.")
@click.option("--dry-run", "dry", is_flag=True, help="Only say what there is to do, and about what it costs.")
@click.option(
    "--assume",
    multiple=True,
    metavar="NAME=NUMBER",
    help="For --dry-run: videos, minutes (of each), height, cores, kept (share of the time), kept_clip_s, "
    "core_hour_usd, tb_month_usd, prompt_usd and completion_usd (of a million tokens). Repeat it.",
)
@click.option(
    "--measure", type=click.IntRange(1), metavar="N", help="For --dry-run: try the recipe on so many of the videos."
)
@click.option("--map", "mapping", multiple=True, metavar="NAME=COLUMN", help="Columns of a list, as for `fetch`.")
@click.option("--spans", is_flag=True, help="Of a list's videos fetch only the spans that it names; see `fetch`.")
@url_option
@model_option
@budget_option
@shard_option
@settings_option
@workers_option
@engine_option
@address_option
@retry_option
def run(
    recipe: str,
    sources: Sequence[str],
    to: str | None,
    dry: bool,
    assume: Sequence[str],
    measure: int | None,
    mapping: Sequence[str],
    spans: bool,
    url: str | None,
    model: str | None,
    budget: float | None,
    shard: str,
    settings: Sequence[str],
    workers: int | None,
    engine: str,
    address: str | None,
    retry_failed: Sequence[str],
) -> None:
    """Make a set of long takes from videos.

    Scans each video once, finds its shots, makes, scores and selects clips, writes and captions the kept ones, and
    writes a report. Captions that need a model are left for `longtake caption` where none is named.

    RECIPE is a name (see `longtake recipes`) or a .toml file; SOURCES are video files and folders, or lists and
    addresses of videos, which are fetched into SET.fetched first (in another size or manner: `longtake fetch LIST --to
    SET.fetched` before). The same command again goes on where it stopped and does only what is missing.

    \b
    longtake run lvd2m ~/films --to my-set
    longtake run listed miradata.csv --to my-set
    longtake run lvd2m --dry-run --assume videos=2e8 --assume minutes=0.2 --assume cores=10000
    """
    with imported_for_good():
        from longtake.fetching import Manner
        from longtake.from_lists import bring_lists
        from longtake.places import set_folder
        from longtake.recipe import load
        from longtake.running import run as run_recipe
        from longtake.settings import read_mapping
        from longtake.show.fetching import fetched as show_fetched
        from longtake.show.live import Live
        from longtake.show.results import result as show_result
        from longtake.standing import check_folder

    loaded = load(recipe, [*_model_settings(url, model), *settings])
    if dry:
        from longtake.dry_run import dry_run
        from longtake.show.forecast import forecast as show_forecast

        show_forecast(dry_run(loaded, sources, to, assume=assume, measure=measure or 0, shard=shard, workers=workers))
        return
    if not sources or to is None:
        raise click.UsageError("name SOURCES and --to SET; only --dry-run does without them")
    if assume or measure:
        raise click.UsageError("--assume and --measure are for --dry-run")
    check_folder(set_folder(to))  # before hours of fetching
    with Live() as live:
        brought = bring_lists(
            sources,
            to,
            mapping=read_mapping(mapping),
            shard=shard,
            retry_failed=retry_failed,
            manner=Manner(spans=spans),
            watch=live,
        )
    if brought.fetched:
        show_fetched(brought.fetched, to_go_on=False)
        if not brought.fetched.counts.get("done") and not shard:  # a shard of a short list may have no video
            sys.exit(EXIT_NOTHING)
    with Live() as live:
        result = run_recipe(
            loaded,
            brought.sources,
            to,
            workers=workers,
            engine=engine,
            address=address,
            retry_failed=brought.retry_failed,
            budget_usd=budget,
            shard=shard,
            watch=live,
        )
    show_result(result)
    phases = (result.voted, result.judged, result.captioned, result.spanned)
    if result.failed or (brought.fetched and brought.fetched.lacks) or any(phase.stopped for phase in phases if phase):
        sys.exit(EXIT_SOME_FAILED if result.funnel[0].clips else EXIT_NOTHING)


@main.command()
@click.argument("set_folder", metavar="SET")
@click.option(
    "--step", "steps", multiple=True, metavar="NAME", help="Add a captioner; see `longtake steps`. Repeat it."
)
@url_option
@model_option
@click.option("--dry-run", is_flag=True, help="Only say what would be asked, and about what it costs.")
@budget_option
@click.option("--requests-to", metavar="FOLDER", help="Write the requests as batch files instead of sending them.")
@click.option(
    "--results-from",
    multiple=True,
    metavar="FILE",
    help="Take answers from a batch's results; no server is asked. Repeat it.",
)
@settings_option
@workers_option
@engine_option
@address_option
@retry_option
def caption(
    set_folder: str,
    steps: Sequence[str],
    url: str | None,
    model: str | None,
    dry_run: bool,
    budget: float | None,
    requests_to: str | None,
    results_from: Sequence[str],
    settings: Sequence[str],
    workers: int | None,
    engine: str,
    address: str | None,
    retry_failed: Sequence[str],
) -> None:
    """Caption the kept clips of a set.

    Asks what is missing and nothing twice: every answer is kept as it arrives, also through kill -9. What is given here
    becomes part of the set's recipe. An API key is read from the environment variable LONGTAKE_API_KEY.

    \b
    longtake caption my-set --url http://localhost:8000/v1 --dry-run
    longtake caption my-set --step miradata --url http://localhost:8000/v1 --model Qwen/Qwen3-VL-8B-Instruct
    """
    from longtake.caption_set import caption_set
    from longtake.show.live import Live
    from longtake.show.results import captions as show_captions

    with Live() as live:
        result = caption_set(
            set_folder,
            steps=steps,
            settings=[*_model_settings(url, model), *settings],
            workers=workers,
            engine=engine,
            address=address,
            retry_failed=retry_failed,
            budget_usd=budget,
            dry_run=dry_run,
            requests_to=requests_to,
            results_from=results_from,
            watch=live,
        )
    show_captions(result)
    if result.asked and (result.asked.failed or result.asked.stopped or (result.spanned and result.spanned.stopped)):
        sys.exit(EXIT_SOME_FAILED)


@main.command()
@click.argument("set_folder", metavar="SET")
@click.option(
    "--caption", metavar="KIND", help="Place captions of this kind: short, lvd2m.raw; else the best there is."
)
@click.option("--evaluate", "evaluated", is_flag=True, help="Say how often a caption finds its positive.")
@click.option("-s", "settings", multiple=True, metavar="KEY=VALUE", help="A parameter, as similar_above=0.75.")
@workers_option
@engine_option
@address_option
def ground(
    set_folder: str,
    caption: str | None,
    evaluated: bool,
    settings: Sequence[str],
    workers: int | None,
    engine: str,
    address: str | None,
) -> None:
    """Place the captions of a set in time.

    Each caption gets a span where it holds, and around it a negative span where it holds nowhere else. No video is
    opened. What is given here becomes part of the set's recipe; see `longtake steps internvid_g`.

    \b
    longtake ground my-set -s similar_above=0.75
    longtake ground my-set --evaluate
    """
    from longtake.ground_set import ground_set
    from longtake.show.live import Live
    from longtake.show.spans import grounded as show_grounded

    with Live() as live:
        done = ground_set(
            set_folder,
            caption=caption,
            settings=settings,
            evaluated=evaluated,
            workers=workers,
            engine=engine,
            address=address,
            watch=live,
        )
    show_grounded(done)
    if done.spanned.stopped:
        sys.exit(EXIT_SOME_FAILED)


@main.command()
@click.argument("sets", metavar="SET...", nargs=-1, required=True)
@click.option("--to", required=True, metavar="SET", help="The set to join them into; made if it isn't there.")
@click.option("--move", is_flag=True, help="Move clip files and previews instead of linking or copying them.")
@workers_option
def merge(sets: Sequence[str], to: str, move: bool, workers: int | None) -> None:
    """Join sets of one recipe, as `run --shard` makes them.

    All tables are joined; a video that several sets have is taken once, and one that was removed from any of them stays
    removed. Copies, rules, spans and the report are then worked out over the whole. No video is opened. The same
    command again goes on where it stopped.

    \b
    longtake merge part-1 part-2 part-3 --to my-set
    """
    from longtake.merging import merge_sets
    from longtake.show.live import Live
    from longtake.show.merging import merged as show_merged

    with Live() as live:
        done = merge_sets(sets, to, move=move, workers=workers, watch=live)
    show_merged(done)


def _model_settings(url: str | None, model: str | None) -> list[str]:
    """Return what --url and --model set."""
    given = (("url", url), ("model", model))
    return [
        f"models.default.{name}={json.dumps(value, ensure_ascii=False)}" for name, value in given if value is not None
    ]
