"""What models voted on transitions: which stretch of a video a vote is about, and whether it still holds."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from longtake.deriving import clip_id
from longtake.recipe import Recipe
from longtake.records import Shot
from longtake.sections import Use


def asking_voters(recipe: Recipe) -> list[Use]:
    """Return the voters that ask a model."""
    return [use for use in recipe.voters.values() if use.step.asks]


def stretch_id(video_id: str, start_s: float, end_s: float) -> str:
    """Name a stretch, two neighbouring shots with the transition between them, as a clip of that span would be."""
    return clip_id(video_id, Shot(start_s, end_s, 0, 0))


def vote_work(key: str, video_id: str, stretch: str) -> str:
    """Return the `work` of a model's vote, which says all that it depends on: the voter's work, and the stretch."""
    return key + stretch.removeprefix(video_id)


def work_of(vote: Mapping[str, Any]) -> str:
    """Return the key of the voter's work in a row of `votes`."""
    return str(vote["work"]).partition("_")[0]


def stretch_of(vote: Mapping[str, Any]) -> str:
    """Return the id of the stretch that a row of `votes` is about."""
    return f"{vote['video_id']}_{str(vote['work']).partition('_')[2]}"


def by_voter(votes: Iterable[Mapping[str, Any]]) -> dict[str, dict[tuple[int, int], bool | None]]:
    """Return rows of `votes` as a job takes them."""
    said: dict[str, dict[tuple[int, int], bool | None]] = {}
    for row in votes:
        when = round(row["start_s"] * 1000), round(row["end_s"] * 1000)
        said.setdefault(row["voter"], {})[when] = row["joins"]
    return said


def numbers_of(result: Mapping[str, Any]) -> dict[str, int]:
    """Return the stretches of a video in order: id -> number of the first shot."""
    name = result["video"]["id"]
    pairs = itertools.pairwise(result["shots"])
    return {stretch_id(name, before["start_s"], after["end_s"]): k for k, (before, after) in enumerate(pairs)}
