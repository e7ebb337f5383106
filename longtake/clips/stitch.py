"""Shots joined where voters say that a transition parts nothing: MiraData's stitching."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from longtake.clips.takes import takes
from longtake.errors import UsageError
from longtake.records import Range, Shot, Votes

VERSION = 1

Rule = tuple[tuple[str, ...], ...]
"""Groups of voters: one group has to agree as a whole."""


def stitch(
    shots: Sequence[Shot],
    times: NDArray[np.float64],
    end_s: float,
    votes: Votes,
    *,
    join: str = "model_a and model_b or colour and shape",
    trim_s: Annotated[float, Range(least=0)] = 0.1,
    most_s: Annotated[float, Range(least=0)] = 0.0,
) -> list[Shot]:
    """Neighbouring shots that voters join as one clip, trimmed where it meets a transition (arXiv 2407.06358).

    join: the labels of voters with `and` and `or` between them; `and` binds tighter. Two neighbours are joined where
        it holds; a voter that has not voted, or could not tell, has not said yes.
    trim_s: seconds taken off at a transition that stays outside, as for `takes`. Those inside a clip stay as they are
        and are listed with it, so that it can be split again. An outermost shot too short to be a take on its own is
        left out, lest a clip begin or end amid a transition.
    most_s: no further shot is joined where the shots together would last longer than so many seconds; 0: no limit. A
        single longer shot stays whole.
    """
    rule = parse_join(join, votes.voters)
    runs = [[shot] for shot in shots[:1]]
    for shot, said in zip(shots[1:], votes.cast, strict=True):
        too_long = 0 < most_s < shot.end_s - runs[-1][0].start_s - 1e-9
        if holds(rule, said) and not too_long:
            runs[-1].append(shot)
        else:
            runs.append([shot])
    joined = []
    for run in runs:
        lasting = [shot for shot in run if takes([shot], times, end_s, trim_s=trim_s)]
        if lasting:
            first, last = lasting[0], lasting[-1]
            joined.append(Shot(first.start_s, last.end_s, first.start_frame, last.end_frame))
    return takes(joined, times, end_s, trim_s=trim_s)


def holds(rule: Rule, said: Mapping[str, bool | None]) -> bool:
    """Return whether all voters of any one group said yes."""
    return any(all(said.get(voter) is True for voter in group) for group in rule)


def parse_join(text: str, voters: Sequence[str]) -> Rule:
    """Read `a and b or c and d`. Raises `UsageError`, also for a label that is no voter."""
    words = text.split()
    labels, between = words[::2], words[1::2]
    if not words or len(words) % 2 == 0 or {*between} - {"and", "or"} or {"and", "or"} & {*labels}:
        raise UsageError(f"join = {text!r} is no rule; write voters with 'and' or 'or' between them: 'a and b or c'")
    for label in labels:
        if label not in voters:
            there = f"there is {', '.join(voters)}" if voters else "the recipe has none"
            raise UsageError(f"join = {text!r}: no voter {label!r}; {there}; name it in [voters.{label}]")
    groups = [[labels[0]]]
    for word, label in zip(between, labels[1:], strict=True):
        if word == "and":
            groups[-1].append(label)
        else:
            groups.append([label])
    return tuple(tuple(group) for group in groups)
