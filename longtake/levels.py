"""Levels of a set: smaller and smaller parts of its kept clips, by rules on scores that tighten together.

What is measured here are shares; what comes out are rules with numbers in them, which hold for any set.
"""

import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import tomli_w
from numpy.typing import NDArray

from longtake.errors import UsageError
from longtake.places import Place, here, is_remote, place, set_folder, write_whole
from longtake.select import Column, Rule, parse_rule
from longtake.selecting import choose
from longtake.settings import read_recipe
from longtake.steps import nearest
from longtake.store import Store, score_columns

SHARES = (0.419, 0.118, 0.053, 0.011)
"""330 K, 93 K, 42 K and 9 K of MiraData's 788 K clips (arXiv 2407.06358)."""
BY = ("motion.mean", "look.sharpness")
"""What levels go by where nothing is named, as far as a set has it."""
FAR = 0.005
"""Part of the pool by which a level may miss its share without a word."""
DIGITS = 6
"""Significant digits of a threshold: as many as the text of a rule holds."""
_FLOOR = Context(prec=DIGITS, rounding=ROUND_FLOOR)


@dataclass(frozen=True, slots=True)
class Aspect:
    """A score that levels go by."""

    score: str
    lower: bool
    """Whether less of it is better."""

    def __str__(self) -> str:
        return f"{'-' if self.lower else ''}{self.score}"

    def rule(self, threshold: float) -> Rule:
        """Return the rule that a clip is at least so good."""
        return Rule(self.score, "<=" if self.lower else ">=", threshold)


@dataclass(frozen=True, slots=True)
class Level:
    """One part of the pool, inside the one before."""

    share: float
    """The part of the pool's clips that was asked for."""
    top: float
    """Its clips are among this part of those measured, in every score."""
    rules: tuple[Rule, ...]
    """What is asked beyond the set's own rules, a rule for each score."""
    clips: int
    seconds: float
    videos: int
    equals: tuple[str, int]
    """The score of which most clips have the value where the level could be larger or smaller, and how many those are;
    values that a rule's text can't tell apart count as one."""

    def why(self) -> str:
        """Return why no more clips are kept, and no fewer."""
        score, clips = self.equals
        if clips > 1:
            return f"{clips:,} clips have the same {score}, and no rule parts them"
        return f"no threshold on {'all scores together' if len(self.rules) > 1 else score} comes nearer"


@dataclass(frozen=True, slots=True)
class Levels:
    """The levels of a set."""

    folder: Place
    by: tuple[Aspect, ...]
    clips: int
    """Clips of the pool, that is, those that the set's own rules keep."""
    seconds: float
    videos: int
    measured: int
    """How many clips of the pool have all of the scores; no level keeps another."""
    not_measured: dict[str, int]
    """Score -> how many clips of the pool lack it; scores that none lacks are left out."""
    levels: tuple[Level, ...]
    sources: dict[str, tuple[int, ...]]
    """Folder of source videos -> clips in the pool and in each level; folders are named from where they part."""
    files: tuple[Path, ...]
    """Rule files written: of the pool, then of each level."""
    elapsed_s: float

    def words(self) -> list[str]:
        """Return what is to be known about the numbers as sentences; none where all is as asked."""
        said = [
            f"{missing:,} of {self.clips:,} clips have no {score} and are in no level."
            for score, missing in self.not_measured.items()
        ]
        for number, level in enumerate(self.levels, 1):
            wanted = max(1, round(level.share * self.clips))
            if wanted > self.measured:
                said.append(f"Level {number} can't reach its share: only {self.measured:,} clips have all scores.")
            elif abs(level.clips - wanted) > FAR * self.clips:
                said.append(f"Level {number} is off its share: {level.why()}.")
        for number, (before, level) in enumerate(pairwise(self.levels), 2):
            if level.clips == before.clips:
                said.append(f"Level {number} holds the same clips as level {number - 1}.")
        return said


def make_levels(
    folder: str | Place, shares: Sequence[float] = (), by: Sequence[str] = (), *, to: str | Path | None = None
) -> Levels:
    """Find rules that keep shares of a set's kept clips, each level inside the one before; change nothing in the set.

    `shares` are parts of the pool's clips, MiraData's where none are given; `by` names scores, with a `-` before those
    of which less is better. With `to` the rules are written into that folder, a file for each level, for `select`.
    Raises `SetError` where there is no set, `UsageError` for what can't be done.
    """
    begun = time.perf_counter()
    folder = set_folder(folder)
    store = Store(folder)
    rules, clips = _pool(folder, store)
    scores = score_columns(clips)
    aspects = read_aspects(by, scores)
    columns = [scores[aspect.score] for aspect in aspects]
    videos = clips["video_id"].combine_chunks().dictionary_encode()
    video_of = videos.indices.to_numpy()
    levels, kept = [], [np.ones(clips.num_rows, bool)]
    for cut in tighten(columns, [aspect.lower for aspect in aspects], wanted_shares(shares)):
        added = tuple(aspect.rule(number) for aspect, number in zip(aspects, cut.thresholds, strict=True))
        inside = np.logical_and.reduce([rule.holds(scores[rule.score]) for rule in added])
        seconds = math.fsum(scores["duration_s"][inside])
        kept.append(inside)
        most = max(range(len(aspects)), key=cut.equals.__getitem__)
        equals = (aspects[most].score, cut.equals[most])
        videos_in = len(np.unique(video_of[inside]))
        levels.append(Level(cut.share, cut.top, added, int(inside.sum()), seconds, videos_in, equals))
    lacking = {aspect.score: int(np.isnan(column).sum()) for aspect, column in zip(aspects, columns, strict=True)}
    return Levels(
        folder,
        tuple(aspects),
        clips.num_rows,
        math.fsum(scores["duration_s"]),
        len(videos.dictionary),
        measured=int((~np.isnan(columns)).all(axis=0).sum()),
        not_measured={score: number for score, number in lacking.items() if number},
        levels=tuple(levels),
        sources=_sources(store, videos.dictionary.to_pylist(), video_of, kept),
        files=_write(here(to, "files of rules"), rules, clips.num_rows, levels) if to is not None else (),
        elapsed_s=time.perf_counter() - begun,
    )


def _pool(folder: Place, store: Store) -> tuple[list[Rule], pa.Table]:
    """Return a set's own rules, and the clips they keep."""
    recipe = read_recipe(folder)
    rules = [parse_rule(text) for text in recipe["select"]["keep"]]
    clips = store.read("clips", [name for name in store.columns("clips").names if not name.endswith("_at")])
    kept = choose(clips, rules, judges=recipe.get("judges", {}))[0].kept
    if not kept.any():
        raise UsageError(f"{folder}: the set's rules keep no clip, so there is nothing to take shares of")
    return rules, clips.filter(pa.array(kept))


def wanted_shares(shares: Sequence[float]) -> list[float]:
    """Return shares from the largest to the smallest, each once; MiraData's for none. Raises `UsageError`."""
    for share in shares:
        if not 0 < share <= 1:
            raise UsageError(f"a share is a part of the clips above 0 and up to 1, as 0.118, not {share:g}")
    return sorted(set(shares or SHARES), reverse=True)


def read_aspects(by: Sequence[str], scores: Mapping[str, Column]) -> list[Aspect]:
    """Return what `motion.mean` and `-look.border` name, the set's part of `BY` for none. Raises `UsageError`."""
    given = by or [score for score in BY if score in scores]
    if not given:
        raise UsageError(f"the set has neither {' nor '.join(BY)}; name scores of it with --by")
    aspects = [Aspect(text.strip().removeprefix("-"), text.strip().startswith("-")) for text in given]
    for number, aspect in enumerate(aspects):
        if aspect.score not in scores:
            raise UsageError(f"no score {aspect.score!r}{nearest(aspect.score, scores)}")
        if aspect.score in {before.score for before in aspects[:number]}:
            raise UsageError(f"{aspect.score!r} is named twice")
    return aspects


@dataclass(frozen=True, slots=True)
class Cut:
    """Where scores are cut for one share."""

    share: float
    top: float
    """The part of the measured clips, the same in every score, that those kept are among."""
    thresholds: tuple[float, ...]
    equals: tuple[int, ...]
    """How many clips have the value at the threshold, or at the next one, in each score."""


def tighten(columns: Sequence[Column], lower: Sequence[bool], shares: Sequence[float]) -> list[Cut]:
    """Find, for each share, the thresholds at one common quantile that keep nearest to that part of n clips.

    `columns` are scores of shape (n,), NaN where not measured, and `lower` says of which less is better. Thresholds are
    rounded outwards to `DIGITS` digits. A smaller share never has a looser threshold, so what it keeps lies inside.

    Where many clips share one value, no threshold may keep just as many as asked for; the nearest is taken, and the
    larger of two as near, but never none at all. Raises `UsageError` where no clip has all the scores.
    """
    signs = [-1.0 if less else 1.0 for less in lower]
    measured: NDArray[np.bool_] = ~np.any(np.isnan(columns), axis=0)
    if not measured.any():
        raise UsageError("no kept clip has all of the scores that levels are to go by")
    better = [sign * column[measured] for sign, column in zip(signs, columns, strict=True)]
    orders = [np.sort(column) for column in better]
    # A clip holds the thresholds at place i of all orders where, in each, the last of its equals stands at i or later.
    places = [np.searchsorted(order, column, side="right") - 1 for order, column in zip(orders, better, strict=True)]
    weakest = np.sort(np.min(places, axis=0))
    cuts = []
    for share in shares:
        place, loose = _place(weakest, max(1, round(share * len(measured))))
        numbers = [float(order[place]) for order in orders]
        firsts = [int(np.searchsorted(order, number)) for order, number in zip(orders, numbers, strict=True)]
        thresholds = tuple(_outwards(number, sign) for number, sign in zip(numbers, signs, strict=True))
        equals = tuple(max(_equals(order, at) for at in (place, loose)) for order in orders)
        cuts.append(Cut(share, 1 - min(firsts) / len(weakest), thresholds, equals))
    return cuts


def _equals(order: Column, place: int) -> int:
    """Return how many of n ascending values are the one at a place, or so near that a rule's text is the same."""
    text = _FLOOR.plus(Decimal(float(order[place])))
    low = np.searchsorted(order, float(text), side="left")
    high = np.searchsorted(order, float(_FLOOR.next_plus(text)), side="left")
    return int(max(high, np.searchsorted(order, order[place], side="right")) - low)


def _place(weakest: NDArray[np.int64], wanted: int) -> tuple[int, int]:
    """Return the place that nearest to `wanted` clips reach, and the last that so many do, given each clip's last."""
    n = len(weakest)
    loose = int(weakest[max(0, n - wanted)])
    more = n - int(np.searchsorted(weakest, loose))
    fewer = n - int(np.searchsorted(weakest, loose, side="right"))
    return int(weakest[n - fewer]) if fewer and wanted - fewer < more - wanted else loose, loose


def _outwards(number: float, sign: float) -> float:
    """Return a signed number without its sign, rounded so that what held still holds, to what a rule's text can say."""
    return sign * float(_FLOOR.plus(Decimal(number))) + 0.0  # no -0


def _sources(
    store: Store, ids: Sequence[str], video_of: NDArray[np.int32], kept: Sequence[NDArray[np.bool_]]
) -> dict[str, tuple[int, ...]]:
    """Return for each folder of videos how many clips of each part come from it, the largest first."""
    table = store.read("videos", ["id", "path"])
    paths = dict(zip(table["id"].to_pylist(), table["path"].to_pylist(), strict=True))
    folders = [str(place(paths[name]).parent) for name in ids]
    mixed = len({is_remote(folder) for folder in folders}) > 1  # no folder is above both
    above = "" if mixed else os.path.commonpath(folders)
    names, folder_of_video = np.unique(folders, return_inverse=True)
    folder_of = folder_of_video[video_of]
    counts = [np.bincount(folder_of[part], minlength=len(names)) for part in kept]
    shown = [os.path.relpath(name, above) if above else name for name in names.tolist()]
    found = {name: tuple(int(c[i]) for c in counts) for i, name in enumerate(shown)}
    return dict(sorted(found.items(), key=lambda item: (-item[1][0], item[0])))


def _write(folder: Path, pool_rules: Sequence[Rule], pool: int, levels: Sequence[Level]) -> tuple[Path, ...]:
    """Write a rules file for the pool and for each level."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there and not empty; name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    files = [("pool", f"All {pool:,} clips that levels were made of.", list(pool_rules))] if pool_rules else []
    for number, level in enumerate(levels, 1):
        about = f"{level.clips:,} of {pool:,} clips, {level.clips / pool:.1%}; {level.share:.1%} were asked for."
        files.append((f"level-{number}", about, [*pool_rules, *level.rules]))
    for name, about, rules in files:
        text = tomli_w.dumps({"about": about, "keep": [str(rule) for rule in rules]})
        write_whole(folder / f"{name}.toml", text.encode())
    return tuple(folder / f"{name}.toml" for name, _, _ in files)
