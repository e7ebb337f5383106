"""Levels of a set: what each holds, from where, and the rules that make it."""

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from longtake.levels import Levels
from longtake.show.words import console, length

SOURCES = 12
"""Folders that are listed by name."""


def levels(done: Levels) -> None:
    """Print what levels of a set hold, and the rules that make them."""
    out = console()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("", "asked", "kept", "clips", "length", "videos", "best of each score"):
        table.add_column(name, justify="right" if name else "left")
    table.add_row("pool", "", "", f"{done.clips:,}", length(done.seconds), f"{done.videos:,}", "")
    for number, level in enumerate(done.levels, 1):
        shares = f"{level.share:.1%}", f"{level.clips / done.clips:.1%}"
        sizes = f"{level.clips:,}", length(level.seconds), f"{level.videos:,}"
        table.add_row(f"level {number}", *shares, *sizes, f"{level.top:.1%}")
    out.print(table)
    out.print()
    for number, level in enumerate(done.levels, 1):
        out.print(escape(f"level {number}:  the set's rules and {', '.join(map(str, level.rules))}"))
    if len(done.sources) > 1:
        out.print()
        out.print(_sources_table(done))
    out.print()
    for sentence in done.words():
        out.print(escape(sentence))
    if done.files:
        out.print(Text(f"Rules in  {done.files[0].parent}"))
        out.print(Text(f"Try       longtake select {done.folder} --rules {done.files[-1]}"))
    else:
        out.print("Nothing was written; --to FOLDER writes the rules.")


def _sources_table(done: Levels) -> Table:
    """Return how many clips of each part come from the largest folders of videos."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("clips from", "pool", *(f"level {number}" for number in range(1, len(done.levels) + 1))):
        table.add_column(name, justify="left" if name == "clips from" else "right")
    rows = list(done.sources.items())
    for name, clips in rows[:SOURCES]:
        table.add_row(Text(name), *(f"{number:,}" for number in clips))
    if rest := rows[SOURCES:]:
        total = (sum(numbers) for numbers in zip(*(clips for _, clips in rest), strict=True))
        table.add_row(f"{len(rest):,} more", *(f"{number:,}" for number in total))
    return table
