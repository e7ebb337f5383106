"""Commands that say what there is."""

import sys
from collections.abc import Sequence

import click

from longtake.cli.group import EXIT_NOTHING, EXIT_SOME_FAILED, main, workers_option


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
    from longtake.engines import default_workers
    from longtake.finding import find_shots
    from longtake.settings import read_settings
    from longtake.show.lists import shots as show_shots
    from longtake.sources.files import find_videos

    paths = [str(path) for path in find_videos(videos).videos]
    found = find_shots(paths, detector=detector, settings=read_settings(settings), workers=workers or default_workers())
    show_shots(found, as_json=as_json)
    failed = sum("failure" in video for video in found)
    if failed:
        sys.exit(EXIT_NOTHING if failed == len(found) else EXIT_SOME_FAILED)


@main.command()
@click.argument("name", required=False)
def recipes(name: str | None) -> None:
    """List the recipes, or print one in full."""
    from longtake.show.lists import recipes as show_recipes

    show_recipes(name)


@main.command()
@click.argument("name", required=False)
def steps(name: str | None) -> None:
    """List the steps, or explain one."""
    from longtake.show.lists import steps as show_steps

    show_steps(name)


@main.command()
@click.argument("set_folder", metavar="SET")
@click.option("--with", "other", metavar="OTHER", help="Another set of the same videos, to compare it with.")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Any that is free by default.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Others can reach another; the address then has a token."
)
@click.option("--no-open", is_flag=True, help="Only print the address.")
def view(set_folder: str, other: str | None, port: int, host: str, no_open: bool) -> None:
    """Look at a set in the browser.

    Shows its clips, captions and scores, lets rules be tried, and clips be judged. Ends with Ctrl-C. A run may be at
    work on the set. What it answers stays on this machine unless --host says otherwise; over ssh, forward its port.

    \b
    longtake view my-set
    longtake view my-set --with my-other-set --port 8000 --no-open
    """
    from longtake.viewer import view as view_set

    view_set(set_folder, other=other, host=host, port=port, ready=click.echo, browser=not no_open)


@main.command()
@click.argument("file")
@click.option("--scenes", metavar="FILE", help="scenes-merged.jsonl, for what goes by scenes.")
@click.option("--similarity", metavar="FILE", help="scenes_merged_similarity.jsonl, for what goes by looks.")
@click.option("--similar-above", default=0.8, show_default=True, help="Scenes as alike as that count as the same.")
def check(file: str, scenes: str | None, similarity: str | None, similar_above: float) -> None:
    """Check spans that were published.

    FILE is a final_dataset.jsonl of InternVid-G, or the released train.jsonl or test.jsonl, packed with gzip or not; or
    one that `longtake export SET internvid_g` wrote. Says how many records break which of the things that make a span
    right, and of which nothing can be told.

    \b
    longtake check train.jsonl --scenes scenes-merged.jsonl --similarity scenes_merged_similarity.jsonl
    """
    from longtake.published import check_spans
    from longtake.show.spans import checked as show_checked

    show_checked(check_spans(file, scenes, similarity, similar_above=similar_above))


@main.command(name="hash")
@click.argument("set_folder", metavar="SET")
@click.argument("other", metavar="[OTHER]", required=False)
def hash_(set_folder: str, other: str | None) -> None:
    """Print a hash of what a set holds, and one of each of its tables.

    Equal sets have equal hashes: the same videos and recipe give the same on any number of workers, in any order. Times
    of day and the folders that videos and set lie in count for nothing, and neither do the logs `runs` and `exports`.
    With OTHER, says which tables differ, and ends with status 1 where one does.

    \b
    longtake hash my-set
    longtake hash my-set copy-of-my-set
    """
    from longtake.hashing import hash_set
    from longtake.show.checks import hashes as show_hashes

    found = hash_set(set_folder)
    against = hash_set(other) if other else None
    show_hashes(found, against)
    if against and against.whole != found.whole:
        sys.exit(EXIT_NOTHING)


@main.command()
@click.argument("folder", default=".")
def doctor(folder: str) -> None:
    """Say what this machine can do.

    Looks at codecs, cores, memory, the disk that FOLDER is on, and the GPU.
    """
    from longtake.doctor import doctor as look
    from longtake.show.checks import findings as show_findings

    findings = look(folder)
    show_findings(findings)
    if not all(finding.ok for finding in findings):
        sys.exit(EXIT_NOTHING)
