"""What follows from a video's signals by arithmetic: transitions and shots, votes on them, clips and their scores."""

import reprlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from longtake.errors import VideoError
from longtake.recipe import Recipe
from longtake.records import Clip, Series, Shot, Transition, Video, Vote, Votes
from longtake.sections import Use
from longtake.shots import shots_between, widened
from longtake.sources.placing import rows_about

ROUNDING_S = 1e-6
"""By so much a clip's end may miss the video's."""
FRAMES = "frames"
"""The series without columns that holds the time of every frame; the scan always gives it."""


@dataclass(frozen=True, slots=True)
class Derived:
    """What follows from a video's signals by arithmetic."""

    shots: list[Shot]
    transitions: list[Transition]
    votes: dict[str, list[Vote]]
    """Voter -> its vote on each transition; of voters that ask no model."""
    clips: list[Clip]


Asked = Mapping[str, Mapping[tuple[int, int], bool | None]]
"""What models voted: voter -> the milliseconds a transition starts and ends at -> vote."""


def derive(
    recipe: Recipe,
    video: Video,
    series: Mapping[str, Series],
    asked: Asked = MappingProxyType({}),
    listed: Sequence[Mapping[str, Any]] = (),
    missed: Collection[str] = (),
) -> Derived:
    """Find a video's shots, let voters vote on its transitions, and make and score its clips.

    `listed` are the rows that lists have of it, `missed` the signals that did not see every frame.
    """
    transitions = find_transitions(recipe.shots, series)
    times = series[FRAMES].times
    if recipe.shots.signal and recipe.shots.signal in missed:
        transitions = widened(transitions, series[recipe.shots.signal].frames, times)
    shots = shots_between(transitions, times, video.duration_s)
    votes: dict[str, list[Vote]] = {
        label: use.step.call(series[use.signal], shots, **use.parameters)
        for label, use in recipe.voters.items()
        if use.signal
    }
    offers: dict[str, Callable[[], Any]] = {
        "series": lambda: series[recipe.clips.signal or ""],
        "votes": lambda: Votes(tuple(recipe.voters), _cast(transitions, votes, asked)),
        "listed": lambda: listed,
    }
    more = [offers[name]() for name in recipe.clips.step.wants[3:]]
    spans = list(recipe.clips.step.call(shots, times, video.duration_s, *more, **recipe.clips.parameters))
    _check_spans(recipe.clips, spans, len(times), video.duration_s)
    clips = [_clip(recipe, video, span, series, transitions, listed) for span in spans]
    return Derived(shots, transitions, votes, clips)


def _cast(
    transitions: Sequence[Transition], votes: Mapping[str, Sequence[Vote]], asked: Asked
) -> tuple[dict[str, bool | None], ...]:
    """Return for each transition what every voter said of it."""
    return tuple(
        {voter: said.get(milliseconds(transition)) for voter, said in asked.items()}
        | {voter: given[number].joins for voter, given in votes.items()}
        for number, transition in enumerate(transitions)
    )


def milliseconds(transition: Transition) -> tuple[int, int]:
    """Return when a transition starts and ends: what it is known by among a video's transitions."""
    return round(transition.start_s * 1000), round(transition.end_s * 1000)


def find_transitions(use: Use, series: Mapping[str, Series]) -> list[Transition]:
    """Run a detector on the signal it reads."""
    assert use.signal is not None
    transitions: list[Transition] = use.step.call(series[use.signal], **use.parameters)
    return transitions


def _clip(
    recipe: Recipe,
    video: Video,
    span: Shot,
    series: Mapping[str, Series],
    transitions: Sequence[Transition],
    listed: Sequence[Mapping[str, Any]],
) -> Clip:
    scores: dict[str, float | None] = {}
    for label, use in recipe.scores.items():
        inside: Any
        if use.step.listed:
            inside = rows_about(listed, span.start_s, span.end_s, video_s=video.duration_s, fps=video.fps)
        else:
            inside = series[use.signal or ""].between(span.start_s, span.end_s)
        scores |= {f"{label}.{part}": value for part, value in _numbers(use, recipe.score(use, inside)).items()}
    name = clip_id(video.id, span)
    joined = tuple(t for t in transitions if span.start_frame < t.start_frame and t.end_frame < span.end_frame)
    frames = (int(span.start_frame), int(span.end_frame))
    return Clip(name, video.id, span.start_s, span.end_s, *frames, scores, joined)


def _check_spans(use: Use, spans: Sequence[Shot], frames: int, video_s: float) -> None:
    """Raise `VideoError` where a way to make clips gave what can't be one: anybody may have written it."""
    taken = set()
    for span in spans:
        inside = 0 <= span.start_s <= span.end_s <= video_s + ROUNDING_S
        if not (inside and 0 <= span.start_frame < span.end_frame <= frames):
            within = f"frames 0 to {frames} and 0 to {video_s:g} s"
            raise VideoError("error", f"the clips step {use.step.name!r} gave {span}, which is no span within {within}")
        if (name := clip_id("", span)) in taken:
            raise VideoError("error", f"the clips step {use.step.name!r} gave {span} more than once")
        taken.add(name)


def _numbers(use: Use, said: Any) -> dict[str, float | None]:
    """Return what a score said as numbers. Raises `VideoError` where it isn't: anybody may have written it."""
    try:
        return {part: None if value is None else float(+value) for part, value in said.items()}  # + takes no text
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        returned = reprlib.repr(said)
        raise VideoError(
            "error", f"the score step {use.step.name!r} returned {returned}; write named numbers, or None"
        ) from error


def clip_id(video_id: str, span: Shot) -> str:
    """Name a clip after its video and its span in milliseconds: the same span has the same id in any recipe."""
    return f"{video_id}_{round(span.start_s * 1000):08d}_{round(span.end_s * 1000):08d}"
