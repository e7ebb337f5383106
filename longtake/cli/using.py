"""Commands on a set that is there."""

import json
from collections.abc import Sequence

import click

from longtake.cli.group import (
    main,
)


@main.command()
@click.argument("set_folder", metavar="SET")
@click.option(
    "--keep", multiple=True, metavar="RULE", help="'motion.mean >= 0.1'; replaces the set's rules. Repeat it."
)
@click.option("--rules", metavar="FILE", help="Rules of a file, as `longtake levels` writes them; --keep adds to them.")
@click.option("--save", is_flag=True, help="Make these the set's rules; `run` then writes or removes clip files.")
def select(set_folder: str, keep: Sequence[str], rules: str | None, save: bool) -> None:
    """Try other rules on a set.

    Prints the funnel; no video is opened, and nothing is changed without --save.

    \b
    longtake select my-set --keep 'duration_s >= 8' --keep 'motion.mean >= 0.1'
    longtake select my-set --rules levels/level-2.toml --save
    """
    from longtake.select_set import read_rules, select_set
    from longtake.show.funnels import selection as show_selection

    show_selection(select_set(set_folder, [*(read_rules(rules) if rules else []), *keep], save=save))


@main.command()
@click.argument("set_folder", metavar="SET")
@click.option(
    "--share",
    "shares",
    multiple=True,
    type=float,
    metavar="PART",
    help="Part of the kept clips, as 0.118. Repeat it; MiraData's four by default.",
)
@click.option(
    "--by",
    multiple=True,
    metavar="SCORE",
    help="A score to go by, as motion.mean, or -look.border where less is better. Repeat it.",
)
@click.option("--to", metavar="FOLDER", help="Write a file of rules for each level there; a new folder.")
def levels(set_folder: str, shares: Sequence[float], by: Sequence[str], to: str | None) -> None:
    """Find rules for smaller and better parts of a set.

    Each level lies inside the one before: all scores that it goes by are cut at the same quantile, which is found so
    that the share of the kept clips is reached. No video is opened, and the set is not changed: `longtake select` tries
    a level's rules, and makes them the set's with --save.

    \b
    longtake levels my-set
    longtake levels my-set --share 0.4 --share 0.1 --by motion.mean --by=-look.border --to levels
    """
    from longtake.levels import make_levels
    from longtake.show.shares import levels as show_levels

    show_levels(make_levels(set_folder, shares, by, to=to))


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
    from longtake.exporting import export_set
    from longtake.show.live import Live
    from longtake.show.results import exported as show_exported
    from longtake.video.refit import parse_refit

    with Live() as live:
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
    show_exported(done)


@main.command()
@click.argument("set_folder", metavar="SET")
def report(set_folder: str) -> None:
    """Write SET/report.html again."""
    from longtake.report import write_report

    click.echo(f"{write_report(set_folder)}")


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
    from longtake.removing import remove_videos
    from longtake.show.results import removed as show_removed

    show_removed(remove_videos(set_folder, videos))
