"""What fetching brought, and what became of the rest."""

import shlex

from rich.markup import escape
from rich.text import Text

from longtake.fetching import Fetched
from longtake.show.words import console, count

PROBLEMS_SHOWN = 5


def fetched(done: Fetched, *, to_go_on: bool = True) -> None:
    """Print what a folder holds of its lists, and why it lacks the rest; and what to type next, if somebody is to."""
    out = console()
    here = done.counts.get("done", 0)
    total = sum(done.counts.values())
    out.print(
        f"[bold]{here:,} of {count(total, 'video')} here[/], {done.came:,} came now, {done.came_bytes / 1e6:,.1f} MB."
    )
    for state, number in done.counts.items():
        if state != "done":
            why = f": {done.reasons[state]}" if state in done.reasons else ""
            out.print(Text(f"  {number:,} {state.replace('_', ' ')}{why}"))
    for note in done.notes:
        out.print(Text(note))
    if done.bad_rows:
        out.print(f"{count(done.bad_rows, 'row')} of {done.rows:,} could not be used:")
        for problem in done.problems[:PROBLEMS_SHOWN]:
            out.print(Text(f"  {problem}"))
    for host, why in done.hosts.items():
        out.print(Text(f"No longer asked: {host}: {why}", "red"))
    if done.stopped:
        out.print(Text(f"Stopped: {done.stopped}.", "red"))
    if done.lacks and not to_go_on:
        folder = shlex.quote(str(done.folder))
        out.print(
            escape(
                f"To fetch otherwise (--retry-failed, --cookies, --allow-private, ...): longtake fetch --to {folder}"
            )
        )
    if here and to_go_on:
        out.print(escape(f"\nVideos in {done.folder / 'videos'}"))
        out.print(escape(f"Try       longtake run listed {shlex.quote(str(done.folder))} --to SET"))
