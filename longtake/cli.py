"""The command line: each command parses, calls the library function behind it, and prints."""

import json
import sys
from collections.abc import Sequence

import click

from longtake import __version__

EXIT_NOTHING = 1
EXIT_SOME_FAILED = 3
EXIT_INTERRUPTED = 130

settings_option = click.option(
    "-s", "settings", multiple=True, metavar="KEY=VALUE", help="Set a parameter of the recipe: -s clips.trim_s=0.2"
)
url_option = click.option(
    "--url",
    metavar="URL",
    help="Where the model is: an OpenAI-compatible server, as http://localhost:8000/v1, or `local`.",
)
model_option = click.option(
    "--model", metavar="NAME", help="Its name there; the first that the server lists by default."
)
budget_option = click.option(
    "--budget", type=click.FloatRange(0), metavar="USD", help="Stop asking before it is spent."
)
workers_option = click.option("--workers", type=click.IntRange(1), help="Worker processes; one a core by default.")
retry_option = click.option(
    "--retry-failed", multiple=True, metavar="KIND", help="Try failures of a kind again; `all` for every one."
)


class Main(click.Group):
    """Turns errors that are meant for the user into one line and exit status 1."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command."""
        from longtake.errors import LongtakeError

        try:
            return super().invoke(ctx)
        except LongtakeError as error:
            click.echo(f"longtake: {error}", err=True)
            ctx.exit(EXIT_NOTHING)
        except KeyboardInterrupt:
            click.echo("\nStopped. What was finished is in the set; the same command goes on.", err=True)
            ctx.exit(EXIT_INTERRUPTED)


@click.group(cls=Main, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="longtake")
def main() -> None:
    """Raw videos in, training-ready long takes out.

    \b
    Start with:  longtake run lvd2m VIDEOS --to SET     then open SET/report.html
    """


@main.command()
@click.argument("recipe")
@click.argument("sources", nargs=-1, required=True)
@click.option("--to", required=True, metavar="SET", help="The set folder; made if it isn't there, else gone on with.")
@url_option
@model_option
@budget_option
@settings_option
@workers_option
@retry_option
def run(
    recipe: str,
    sources: Sequence[str],
    to: str,
    url: str | None,
    model: str | None,
    budget: float | None,
    settings: Sequence[str],
    workers: int | None,
    retry_failed: Sequence[str],
) -> None:
    """Make a set of long takes from videos.

    Scans each video once, finds its shots, makes, scores and selects clips, writes and captions the kept ones, and
    writes a report. Captions that need a model are left for `longtake caption` where none is named.

    RECIPE is a name (see `longtake recipes`) or a .toml file; SOURCES are video files and folders. The same
    command again goes on where it stopped and does only what is missing.

    \b
    longtake run lvd2m ~/films --to my-set
    """
    from longtake import show
    from longtake.running import run as run_recipe

    with show.Live() as live:
        result = run_recipe(
            recipe,
            sources,
            to,
            settings=[*_model_settings(url, model), *settings],
            workers=workers,
            retry_failed=retry_failed,
            budget_usd=budget,
            watch=live,
        )
    show.result(result)
    if result.failed or result.judged.stopped or result.captioned.stopped:
        sys.exit(EXIT_SOME_FAILED if result.funnel[0].clips else EXIT_NOTHING)


def _model_settings(url: str | None, model: str | None) -> list[str]:
    """Return what --url and --model set."""
    given = (("url", url), ("model", model))
    return [
        f"models.default.{name}={json.dumps(value, ensure_ascii=False)}" for name, value in given if value is not None
    ]


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
@click.option("--results-from", multiple=True, metavar="FILE", help="Take answers from a batch's results. Repeat it.")
@settings_option
@workers_option
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
    retry_failed: Sequence[str],
) -> None:
    """Caption the kept clips of a set.

    Asks what is missing and nothing twice: every answer is kept as it arrives, also through kill -9. What is given here
    becomes part of the set's recipe. An API key is read from the environment variable LONGTAKE_API_KEY.

    \b
    longtake caption my-set --url http://localhost:8000/v1 --dry-run
    longtake caption my-set --step miradata --url http://localhost:8000/v1 --model Qwen/Qwen3-VL-8B-Instruct
    """
    from longtake import show
    from longtake.caption_set import caption_set

    with show.Live() as live:
        result = caption_set(
            set_folder,
            steps=steps,
            settings=[*_model_settings(url, model), *settings],
            workers=workers,
            retry_failed=retry_failed,
            budget_usd=budget,
            dry_run=dry_run,
            requests_to=requests_to,
            results_from=results_from,
            watch=live,
        )
    show.captions(result)
    if result.asked and (result.asked.failed or result.asked.stopped):
        sys.exit(EXIT_SOME_FAILED)


@main.command()
@click.argument("videos", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--detector", default="transitions", show_default=True, help="See `longtake steps`.")
@click.option("-s", "settings", multiple=True, metavar="KEY=VALUE", help="A parameter of the detector.")
@workers_option
def shots(videos: Sequence[str], as_json: bool, detector: str, settings: Sequence[str], workers: int | None) -> None:
    """Print the transitions and shots of videos.

    \b
    longtake shots film.mp4
    longtake shots --json --detector content -s threshold=30 *.mp4
    """
    from longtake import show
    from longtake.finding import find_shots
    from longtake.recipe import read_settings
    from longtake.running import default_workers
    from longtake.sources.files import find_videos

    paths = [str(path) for path in find_videos(videos).videos]
    found = find_shots(paths, detector=detector, settings=read_settings(settings), workers=workers or default_workers())
    show.shots(found, as_json=as_json)
    failed = sum("failure" in video for video in found)
    if failed:
        sys.exit(EXIT_NOTHING if failed == len(found) else EXIT_SOME_FAILED)


@main.command()
@click.argument("set_folder", metavar="SET")
@click.option(
    "--keep", multiple=True, metavar="RULE", help="'motion.mean >= 0.1'; replaces the set's rules. Repeat it."
)
@click.option("--save", is_flag=True, help="Make these the set's rules; `run` then writes or removes clip files.")
def select(set_folder: str, keep: Sequence[str], save: bool) -> None:
    """Try other rules on a set.

    Prints the funnel; no video is opened, and nothing is changed without --save.

    \b
    longtake select my-set --keep 'duration_s >= 8' --keep 'motion.mean >= 0.1'
    """
    from longtake import show
    from longtake.running import select_set

    show.selection(select_set(set_folder, keep, save=save))


@main.command()
@click.argument("set_folder", metavar="SET")
@click.argument("format_", metavar="FORMAT")
@click.option("--to", required=True, metavar="FOLDER", help="A new folder.")
@click.option(
    "--where", multiple=True, metavar="RULE", help="Only clips that hold it, as 'look.luma > 0.2'. Repeat it."
)
@click.option("--split", default="", metavar="SPLIT", help="train:0.98,val:0.02; by source video. All is train else.")
@click.option("--caption", default="", metavar="KIND", help="refined, lvd2m.raw, ...; the best a clip has by default.")
@click.option("--size", default="", metavar="WxH", help="Crop and scale the files: 512x512, 832x480.")
@click.option("--fps", default=0.0, type=click.FloatRange(0), help="Give the files this frame rate.")
@click.option("--frames", default="", metavar="N", help="Cut them to such a number of frames: 4n+1, 8n+1.")
@click.option("--sides", default=2, type=click.IntRange(2), help="Cut their sides to a multiple of so many pixels.")
@click.option("--copy", is_flag=True, help="Copy files that could be linked.")
@click.option("-s", "settings", multiple=True, metavar="KEY=VALUE", help="A parameter of the format.")
def export(
    set_folder: str,
    format_: str,
    to: str,
    where: Sequence[str],
    split: str,
    caption: str,
    size: str,
    fps: float,
    frames: str,
    sides: int,
    copy: bool,
    settings: Sequence[str],
) -> None:
    """Write a set in a format people train on.

    `longtake steps` lists the formats, `longtake steps FORMAT` explains one. Files are linked, or copied to another
    disk, and encoded anew only where a size, rate or number of frames is asked for.

    \b
    longtake export my-set videofolder --to my-dataset --split train:0.98,val:0.02
    longtake export my-set musubi --to my-dataset --fps 16 --frames 4n+1 --size 832x480
    """
    from longtake import show
    from longtake.exporting import export_set
    from longtake.video.refit import parse_refit

    with show.Live() as live:
        done = export_set(
            set_folder,
            format_,
            to,
            where=where,
            split=split,
            settings=[*([f"caption={json.dumps(caption, ensure_ascii=False)}"] if caption else []), *settings],
            size=parse_refit(size, fps, frames, sides),
            copy=copy,
            watch=live,
        )
    show.exported(done)


@main.command()
@click.argument("set_folder", metavar="SET")
def report(set_folder: str) -> None:
    """Write SET/report.html again."""
    from longtake.report import write_report

    click.echo(f"{write_report(set_folder)}")


@main.command()
@click.argument("name", required=False)
def recipes(name: str | None) -> None:
    """List the recipes, or print one in full."""
    from longtake import show

    show.recipes(name)


@main.command()
@click.argument("name", required=False)
def steps(name: str | None) -> None:
    """List the steps, or explain one."""
    from longtake import show

    show.steps(name)


@main.command()
@click.argument("set_folder", metavar="SET")
@click.argument("videos", metavar="VIDEO", nargs=-1, required=True)
def remove(set_folder: str, videos: Sequence[str]) -> None:
    """Remove videos from a set for good.

    VIDEO is a video's id or path. Its rows in all tables, its clips, captions, answers and previews go, old versions of
    the tables too. A hash of its content is kept in SET/removed.txt, so that later runs leave it out under any name.

    The video file itself is not touched, nor are exports: those that hold its clips are listed with the command that
    makes them anew.

    \b
    longtake remove my-set holiday-3f9c2a1b04
    """
    from longtake import show
    from longtake.removing import remove_videos

    show.removed(remove_videos(set_folder, videos))


@main.command()
@click.argument("folder", default=".")
def doctor(folder: str) -> None:
    """Say what this machine can do.

    Looks at codecs, cores, memory, the disk that FOLDER is on, and the GPU.
    """
    from longtake import show
    from longtake.doctor import doctor as look

    findings = look(folder)
    show.findings(findings)
    if not all(finding.ok for finding in findings):
        sys.exit(EXIT_NOTHING)
