"""The command group, what its commands share, and how errors end them."""

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
shard_option = click.option(
    "--shard",
    default="",
    metavar="3/16",
    help="Only the third of sixteen parts of the videos, by a hash of their names.",
)
budget_option = click.option(
    "--budget", type=click.FloatRange(0), metavar="USD", help="Stop asking before it is spent."
)
workers_option = click.option("--workers", type=click.IntRange(1), help="Worker processes; one a core by default.")
engine_option = click.option(
    "--engine", type=click.Choice(["local", "ray"]), default="local", help="Where the work runs: here, or on a cluster."
)
address_option = click.option(
    "--address", metavar="ADDRESS", help="The Ray cluster: `auto`, HOST:PORT, ray://HOST:PORT; without, Ray runs here."
)
retry_option = click.option(
    "--retry-failed", multiple=True, metavar="KIND", help="Try failures of a kind again; `all` for every one."
)

_GOES_ON = "What was finished is in the set; the same command goes on."
_LEFT = {
    "fetch": "What was fetched is in the folder; the same command goes on.",
    "run": _GOES_ON,
    "caption": _GOES_ON,
    "ground": _GOES_ON,
    "merge": _GOES_ON,
    "export": "The same command goes on.",
    "remove": "The same command goes on.",
}
"""What a command leaves when it is stopped; others leave nothing."""


class Main(click.Group):
    """Turns errors that are meant for the user into one line and exit status 1."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command."""
        from longtake.errors import LongtakeError, refused

        try:
            return super().invoke(ctx)
        except (LongtakeError, OSError) as error:
            from longtake.show.words import harmless

            words = str(error)
            if not isinstance(error, LongtakeError):
                problem = refused(error)
                if not problem:
                    raise
                where = f"{error.filename}: " if error.filename else ""
                words = f"{where}{problem}, and the same command goes on"
            click.echo(f"longtake: {harmless(words)}", err=True)
            ctx.exit(EXIT_NOTHING)
        except KeyboardInterrupt:
            click.echo(f"\nStopped. {_LEFT.get(ctx.invoked_subcommand or '', '')}".rstrip(), err=True)
            ctx.exit(EXIT_INTERRUPTED)


@click.group(cls=Main, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="longtake")
def main() -> None:
    """Raw videos in, training-ready long takes out.

    \b
    Start with:  longtake run lvd2m VIDEOS --to SET     then open SET/report.html
    """
