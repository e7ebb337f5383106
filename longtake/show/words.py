"""What the command line is written with: where it goes to, and how lengths and counts are said."""

import re
import sys
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

PLAIN_WIDTH = 110
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What would move a terminal's cursor, colour it, rename its window, or turn text around, and bytes of file names that
are no text; not tabs and new lines."""


def harmless(text: str) -> str:
    """Return text that only shows as text: names of files and answers of models may hold codes for terminals."""
    return _CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)


class _Console(Console):
    """One that sends no codes to the terminal but its own."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Turn what is printed into pieces of text."""
        for piece in super().render(renderable, options):
            yield piece if piece.control else Segment(harmless(piece.text), piece.style)


def console(*, stderr: bool = False) -> Console:
    """Return where to write: lines are never wrapped, so that they can be copied and searched."""
    stream = sys.stderr if stderr else sys.stdout
    return _Console(stderr=stderr, highlight=False, soft_wrap=True, width=None if stream.isatty() else PLAIN_WIDTH)


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
