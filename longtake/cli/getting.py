"""The command that gets videos onto this disk."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from longtake.cli.group import EXIT_NOTHING, EXIT_SOME_FAILED, main


@main.command()
@click.argument("lists", metavar="[LIST]...", nargs=-1)
@click.option(
    "--to", required=True, metavar="FOLDER", help="Where videos go; made if it isn't there, else gone on with."
)
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="NAME=COLUMN",
    help="Which column is url, video (an id), clip, start, end (COLUMN@ms: milliseconds), span, caption, "
    "caption:KIND, score:NAME.",
)
@click.option("--size", default="720p", show_default=True, metavar="SIZE", help="Where a site offers several.")
@click.option("--spans", is_flag=True, help="Only the spans that lists name, where that can be exact.")
@click.option("--no-audio", is_flag=True, help="Leave the sound where a site sends it apart.")
@click.option("--workers", default=8, show_default=True, type=click.IntRange(1), help="Videos at a time.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="Videos begun a second at one host.")
@click.option(
    "--shard", default="", metavar="3/16", help="Only the third of sixteen parts, by a hash of the videos' ids."
)
@click.option("--retry-failed", multiple=True, metavar="STATE", help="Ask again for gone, private, ...; `all`.")
@click.option("--max-gb", type=click.FloatRange(0, min_open=True), help="Stop before FOLDER's videos hold more.")
@click.option("--cookies", type=click.Path(exists=True, dir_okay=False), help="A cookies file; it is only read.")
@click.option("--browser", metavar="NAME", help="Take the cookies of a browser: firefox, firefox:PROFILE.")
@click.option("--proxy", metavar="URL", help="http://, https:// or socks5://")
@click.option(
    "--extractor-args", multiple=True, metavar="SITE:NAME=VALUE", help="For yt-dlp: youtube:player_client=web"
)
@click.option("--allow-private", is_flag=True, help="Also ask hosts inside this machine and its network.")
def fetch(
    lists: Sequence[str],
    to: str,
    mapping: Sequence[str],
    size: str,
    spans: bool,
    no_audio: bool,
    workers: int,
    rate: float | None,
    shard: str,
    retry_failed: Sequence[str],
    max_gb: float | None,
    cookies: str | None,
    browser: str | None,
    proxy: str | None,
    extractor_args: Sequence[str],
    allow_private: bool,
) -> None:
    """Bring the videos that lists name onto this disk.

    LIST is what a published dataset ships (LVD-2M, MiraData, InternVid-G, Panda-70M, HD-VILA, ...), a file of ids or
    addresses (of pages, files, or objects on stores), or any CSV, JSON lines or Parquet with --map. Each video comes
    once, however many clips of it are named; the same command goes on where it stopped, also without LIST. What lists
    say of clips is kept in FOLDER/list.jsonl, and goes into a set with the recipe `listed`.

    \b
    longtake fetch lvd2m_youtube.csv --to videos
    longtake fetch mine.csv --map url=link,start=from,end=to,caption=text --to videos
    longtake run listed videos --to my-set
    """
    from longtake.fetching import Limits, Manner, fetch_list
    from longtake.settings import read_extractor_args, read_mapping
    from longtake.show.fetching import fetched as show_fetched
    from longtake.show.live import Live

    manner = Manner(
        size=size,
        spans=spans,
        audio=not no_audio,
        proxy=proxy,
        cookies=Path(cookies) if cookies else None,
        browser=browser,
        extractor_args=read_extractor_args(extractor_args),
        allow_private=allow_private,
    )
    limits = Limits(budget_bytes=round(max_gb * 1e9)) if max_gb else Limits()
    with Live() as live:
        done = fetch_list(
            lists,
            to,
            mapping=read_mapping(mapping),
            shard=shard,
            retry_failed=retry_failed,
            workers=workers,
            rate=rate,
            manner=manner,
            limits=limits,
            watch=live,
        )
    show_fetched(done)
    if not done.counts.get("done") and (done.counts or not shard):  # a shard of a short list may have no video
        sys.exit(EXIT_NOTHING)
    if done.lacks:
        sys.exit(EXIT_SOME_FAILED)
