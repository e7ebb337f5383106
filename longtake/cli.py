"""The command line: each command parses, calls the library function behind it, and prints."""

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
workers_option = click.option("--workers", type=click.IntRange(1), help="Worker processes; one a core by default.")


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
@settings_option
@workers_option
@click.option(
    "--retry-failed", multiple=True, metavar="KIND", help="Try failures of a kind again; `all` for every one."
)
def run(
    recipe: str,
    sources: Sequence[str],
    to: str,
    settings: Sequence[str],
    workers: int | None,
    retry_failed: Sequence[str],
) -> None:
    """Make a set of long takes from videos.

    Scans each video once, finds its shots, makes, scores and selects clips, writes the kept ones and a report.

    RECIPE is a name (see `longtake recipes`) or a .toml file; SOURCES are video files and folders. The same
    command again goes on where it stopped and does only what is missing.

    \b
    longtake run lvd2m ~/films --to my-set
    """
    from longtake import show
    from longtake.running import run as run_recipe

    with show.Live() as live:
        result = run_recipe(
            recipe, sources, to, settings=settings, workers=workers, retry_failed=retry_failed, watch=live
        )
    show.result(result)
    if result.failed:
        sys.exit(EXIT_SOME_FAILED if result.funnel[0].clips else EXIT_NOTHING)


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
