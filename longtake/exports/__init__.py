"""From a set to the formats people train on: each file holds one format.

An exporter is a function `(rows, folder, place, ...)`: it goes through the clips once, in order, puts their files where
the format wants them with `place`, and writes what else belongs there. It never holds all rows: sets may have millions.
Further parameters are filled by their names: `about` (`About`), `write_table` (a table of Lance's), `sizes` (id, width,
height and frames of each file, nothing where files are encoded anew).
What clips go out, into which split, and that a half-written export is never taken for a whole one, is `exporting`'s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from longtake.places import Remote

if TYPE_CHECKING:
    from longtake.grounding import Timeline

BEST = ("refined", "dense", "short", "rewritten", "raw", "measured")
"""Kinds of captions from which the caption of a clip is taken where none is asked for: the first that it has."""


@dataclass(frozen=True, slots=True)
class Row:
    """One clip on its way out."""

    clip: Mapping[str, Any]
    """Its row in `clips`; scores by their keys, as `motion.mean`, None where not measured."""
    video: Mapping[str, Any]
    """The row of its video."""
    captions: Sequence[Mapping[str, Any]]
    """Its captions that are not set aside, by captioner, kind and number; times in seconds of the clip."""
    split: str
    """`train`, or as `--split` names it; all clips of one video are in one split."""
    file: Path | Remote
    """The clip's file in the set."""

    @property
    def id(self) -> str:
        """The clip's id: letters, digits, `-` and `_` only, so that it is a safe file name and shard key."""
        return str(self.clip["id"])

    def parts(self, kind: str) -> list[Mapping[str, Any]]:
        """Return the captions of a kind (`raw`, or `lvd2m.raw` for those of one captioner) in order of time."""
        return of_kind(self.captions, kind)

    def text(self, kind: str = "") -> str:
        """Return the caption of a kind, or the best there is; parts of several spans are joined by a blank."""
        return " ".join(part["text"] for part in chosen(self.captions, kind))


def of_kind(captions: Sequence[Mapping[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    """Return the captions of a clip that are of a kind, by captioner and in order of time."""
    step, _, name = kind.rpartition(".")
    found = [c for c in captions if c["kind"] == name and (not step or c["step"] == step)]
    return sorted(found, key=lambda c: (c["step"], c["number"]))


def chosen(captions: Sequence[Mapping[str, Any]], kind: str = "") -> list[Mapping[str, Any]]:
    """Return the captions of one captioner that are of a kind, or of the best kind that a clip has.

    Several kinds, `refined, lvd2m.raw`, are wishes in order: the first that the clip has.
    """
    for name in [name.strip() for name in kind.split(",")] if kind else BEST:
        if parts := of_kind(captions, name):
            return [part for part in parts if part["step"] == parts[0]["step"]]
    return []


@dataclass(frozen=True, slots=True)
class Placed:
    """A clip's file as it lies in the export."""

    path: Path
    bytes: int
    width: int
    height: int
    fps: float
    frames: int
    duration_s: float


@dataclass(frozen=True, slots=True)
class About:
    """What an export's card tells of the set; for exporters whose fourth parameter is named `about`."""

    name: str
    recipe_toml: str
    """The recipe as the set was made by, in full."""
    funnel: Sequence[Mapping[str, Any]]
    """All clips first, then a row for each rule: `rule` (None, then its text), `clips` and `seconds` left."""
    made_with: str


class Place(Protocol):
    """Puts clip files into an export."""

    def __call__(self, row: Row, path: str) -> Placed:
        """Put a clip's file at a path relative to the export's folder; a file that is there already is kept."""
        ...


@dataclass(frozen=True, slots=True)
class Grounded:
    """One video on its way out, for formats of grounding: those whose first parameter is named `videos`.

    Such an exporter is a function `(videos, folder, ...)`. It places no clip files: its records name source videos.
    """

    video: Mapping[str, Any]
    """Its row in `videos`."""
    split: str
    shots: Sequence[Mapping[str, Any]]
    """Its rows in `shots`, in order."""
    clips: Sequence[Mapping[str, Any]]
    """All its rows in `clips`, kept or not, in order: the scenes, where the recipe makes scenes."""
    captions: Sequence[Mapping[str, Any]]
    """Captions of its clips that are not set aside; times in seconds of the clip."""
    spans: Sequence[Mapping[str, Any]]
    """Its rows in `spans` that are good records, in order of time."""
    timeline: "Timeline | None"
    """What its pictures look like, scene by scene; None where the set has no signal for that."""

    @property
    def name(self) -> str:
        """The video's file name with its extension, without folders."""
        return str(self.video["path"]).rpartition("/")[2]
