"""What can become of videos that are to be fetched, and the errors that say so."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from longtake.errors import LongtakeError

State = Literal[
    "wanted",  # not asked for yet, or not to the end
    "done",  # on this disk, whole and readable
    "gone",  # removed, or never there: 404, 410, "video unavailable"
    "private",  # there, and not for us: 401, 403, "private video"
    "age",  # only for those who have shown their age
    "geo",  # not from this country
    "bot_check",  # the host wants to know that we are no machine
    "throttled",  # too many requests, again and again: 429, 503
    "network",  # no way there, or it broke off again and again
    "no_format",  # nothing there that could be fetched as a video
    "bad_file",  # came, and is no video that can be read
    "too_large",  # larger than one file may be
    "refused",  # an address that this machine must not ask
    "other",  # anything else
]
STATES: tuple[State, ...] = get_args(State)
FAILED: tuple[State, ...] = tuple(state for state in STATES if state not in ("wanted", "done"))
AGAIN: tuple[State, ...] = ("wanted", "throttled", "network")
"""What the next call asks for by itself; anything else that failed is asked for again only by name."""


def printable(text: str) -> str:
    """Return what a stranger said as one line that does nothing to a terminal."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)


class FetchError(LongtakeError):
    """A video didn't come; `state` says why in one word."""

    def __init__(
        self, state: State, message: str, *, retry_after_s: float | None = None, refusal: bool | None = None
    ) -> None:
        message = printable(message)
        super().__init__(message)
        self.state = state
        self.message = message
        self.retry_after_s = retry_after_s
        """Seconds of peace that the host asks for, where it names them."""
        self.refusal = state in ("bot_check", "throttled", "network") if refusal is None else refusal
        """Whether it says something about the host as a whole; it is left alone after some of these in a row."""


class StoppedError(LongtakeError):
    """The run ends here, by Ctrl-C or before the disk is full. What has come so far is kept for the next one."""


class DirectError(LongtakeError):
    """What a page shows is one plain file, parts of which can be asked for: nothing was fetched."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        super().__init__("a plain file")
        self.url = url
        self.headers = headers
        """With which the page's site wants to be asked for it."""


@dataclass(frozen=True, slots=True)
class Got:
    """A file that came, not yet looked into."""

    path: Path
    whole: bool = True
    """Whether all of it is known to be here; False where nobody said how much it would be."""
    cut: bool = False
    """Whether only those of its pieces are here in which wanted spans lie, between its first and its last."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a folder holds of its lists, and what the last call brought."""

    folder: Path
    counts: Mapping[State, int]
    """Videos of the shard by state; states without any are left out."""
    reasons: Mapping[State, str] = field(default_factory=dict)
    """Why one of the videos of a state is in it, in words."""
    hosts: Mapping[str, str] = field(default_factory=dict)
    """Hosts that this call stopped asking, with the reason; their videos stay wanted."""
    stopped: str = ""
    """Why the call ended before its end; empty where it didn't."""
    came: int = 0
    """Videos that came in this call."""
    came_bytes: int = 0
    """All that came over the network in this call."""
    rows: int = 0
    """Of all lists that were fetched into the folder."""
    bad_rows: int = 0
    """Those that name nothing that could be used."""
    problems: tuple[str, ...] = ()
    """Of some of them, in words."""
    notes: tuple[str, ...] = ()
    """How lists of this call were read where nobody said it, and what of earlier ones is left out."""
    elapsed_s: float = 0.0

    @property
    def failed(self) -> int:
        """Videos that didn't come."""
        return sum(count for state, count in self.counts.items() if state in FAILED)

    @property
    def lacks(self) -> bool:
        """Whether anything that lists name is missing: a video, or what a row says."""
        return bool(self.stopped or self.hosts or self.bad_rows or self.counts.keys() - {"done"})
