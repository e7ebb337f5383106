"""What the command line is written with: where it goes to, and how lengths and counts are said."""

import sys

from rich.console import Console

PLAIN_WIDTH = 110


def console(*, stderr: bool = False) -> Console:
    """Return where to write: lines are never wrapped, so that they can be copied and searched."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, soft_wrap=True, width=None if stream.isatty() else PLAIN_WIDTH)


def length(seconds: float) -> str:
    """Return a duration for people: `7.5 s`, `3 min 20 s`, `2 h 05 min`."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60:,} h {minutes % 60:02d} min"


def count(number: int, what: str) -> str:
    """Return `1 clip`, `2 clips`."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def money(dollars: float) -> str:
    """Return `$12.30`, or with more digits what is under a dollar: `$0.0042`."""
    return f"${dollars:,.2f}" if dollars >= 1 else f"${dollars:.4f}"
