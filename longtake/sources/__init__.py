"""Where videos come from: files and folders of this machine, and the lists that published datasets ship.

A list names clips of videos that are elsewhere, with captions and scores of them. Each file in `lists/` reads the lists
of one dataset, or of one plain form, and gives a `Listed` for every row, or a `BadRow` for one that can't be read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ListedCaption:
    """A caption that a list gives of a clip."""

    kind: str
    """One of our kinds where it is one: `raw`, `refined`, `rewritten`, `short`, `dense`, `main_object`, ..."""
    text: str
    start_s: float = 0.0
    """Seconds of the clip, as the end."""
    end_s: float | None = None
    """None: to the end of the clip."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A clip as a list names it."""

    dataset: str
    """Which form the list has: `lvd2m`, `miradata`, `internvid_g`, ..., `plain`."""
    video: str
    """The source video's own id in the list, or made of its address: equal for all clips of one video. A safe file
    name: letters, digits, `-`, `_` and `.`, not beginning with `.` or `-`, at most 100 characters."""
    url: str
    """Where to get the video: `http(s)://`, or an object on a store; empty where the list doesn't say."""
    start_s: float | None = None
    """Seconds of the source video; None: from its start."""
    end_s: float | None = None
    """None: to its end."""
    clip: str = ""
    """The list's own id of the clip."""
    captions: tuple[ListedCaption, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    """Keys as in the list, turned into identifiers: letters, digits and `_`."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """All else that the row says, as text."""
    row: int = 0
    """Of the list, from 1 on, the header not counted."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that names nothing that could be used."""

    path: Path
    row: int
    problem: str
    """In words, with what is wrong and what would be right."""
