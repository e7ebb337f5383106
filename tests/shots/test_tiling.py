"""Shots and transitions tile a video, and takes lie inside their shots, clear of transitions."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from longtake.clips.takes import takes
from longtake.records import Shot, Transition
from longtake.shots import shots_between


@st.composite
def videos(draw: st.DrawFn) -> tuple[list[Transition], np.ndarray, float]:
    """Frame times, uneven ones too, and sorted transitions that don't overlap."""
    steps = draw(st.lists(st.floats(0.001, 2.0), min_size=1, max_size=60))
    times = np.concatenate([[0.0], np.cumsum(steps)])
    bounds = sorted(draw(st.sets(st.integers(1, len(times) - 1), max_size=min(8, len(times) - 1))))
    transitions = []
    while bounds:
        start = bounds.pop(0)
        end = bounds.pop(0) if bounds and draw(st.booleans()) else start
        kind = "cut" if start == end else "dissolve"
        transitions.append(Transition(kind, times[start], times[end], start, end, 1.0))
    return transitions, times, float(times[-1] + 0.04)


@given(videos())
def test_shots_and_transitions_tile_the_video(video: tuple[list[Transition], np.ndarray, float]) -> None:
    transitions, times, end_s = video
    shots = shots_between(transitions, times, end_s)
    frames = [0] * len(times)
    position = 0.0
    for shot, transition in zip(shots, [*transitions, None], strict=True):
        assert shot.start_s == position
        position = shot.end_s
        for frame in range(shot.start_frame, shot.end_frame):
            frames[frame] += 1
        if transition:
            assert transition.start_s == position
            position = transition.end_s
            for frame in range(transition.start_frame, transition.end_frame):
                frames[frame] += 1
    assert position == end_s
    assert frames == [1] * len(times)


@given(videos(), st.floats(0, 1))
def test_takes_lie_inside_their_shots(video: tuple[list[Transition], np.ndarray, float], trim_s: float) -> None:
    transitions, times, end_s = video
    shots = shots_between(transitions, times, end_s)
    clips = takes(shots, times, end_s, trim_s=trim_s)
    for clip in clips:
        inside = [s for s in shots if s.start_frame <= clip.start_frame and clip.end_frame <= s.end_frame]
        assert len(inside) == 1
        assert clip.start_frame < clip.end_frame
        assert clip.start_s == times[clip.start_frame]
        assert clip.end_s == (end_s if clip.end_frame == len(times) else times[clip.end_frame])
        shot = inside[0]
        assert shot.start_frame == 0 or clip.start_s >= shot.start_s + trim_s - 1e-6
        assert shot.end_frame == len(times) or clip.end_s <= shot.end_s - trim_s + 1e-6
    assert clips == sorted(clips, key=lambda clip: clip.start_s)


def test_a_take_is_trimmed_at_transitions_and_nowhere_else() -> None:
    times = np.arange(300) / 25
    cut = Transition("cut", times[100], times[100], 100, 100, 1.0)
    first, second = takes(shots_between([cut], times, 12.0), times, 12.0, trim_s=0.2)
    assert (first.start_frame, first.end_frame) == (0, 95)
    assert (second.start_frame, second.end_frame) == (105, 300)


def test_a_shot_shorter_than_the_trim_gives_no_clip() -> None:
    times = np.arange(100) / 25
    shots = [Shot(0.0, 2.0, 0, 50), Shot(2.0, 2.08, 50, 52), Shot(2.08, 4.0, 52, 100)]
    assert len(takes(shots, times, 4.0, trim_s=0.1)) == 2
