"""Transitions found among some frames of a video cover all frames that may belong to them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from longtake.records import Transition
from longtake.shots import shots_between, widened


@st.composite
def videos(draw):
    """Return which frames were seen, when all are, and transitions between seen frames, in order and apart."""
    n = draw(st.integers(2, 60))
    seen = np.array([0, *sorted(draw(st.sets(st.integers(1, n - 1), min_size=1)))], np.int32)
    times = np.cumsum(draw(st.lists(st.integers(1, 90), min_size=n, max_size=n))) / 1000
    rows = sorted(draw(st.sets(st.integers(1, len(seen) - 1), max_size=8)))
    spans, after = [], 0
    for row in rows:
        stop = draw(st.integers(row, min(row + 3, len(seen) - 1)))
        if row >= after:
            spans.append((row, stop))
            after = stop + 1
    return seen, times, [_between(times, int(seen[a]), int(seen[b])) for a, b in spans]


def _between(times, start, end):
    return Transition("cut" if start == end else "fade", float(times[start]), float(times[end]), start, end, 0.9)


@given(videos())
def test_what_was_not_seen_before_a_transition_belongs_to_it(video):
    seen, times, found = video
    for wide, narrow in zip(widened(found, seen, times), found, strict=True):
        last_old = seen[np.searchsorted(seen, narrow.start_frame) - 1]
        assert wide.start_frame == last_old + 1
        assert wide.start_s == times[wide.start_frame]
        assert (wide.end_frame, wide.end_s) == (narrow.end_frame, narrow.end_s)


@given(videos())
def test_shots_and_transitions_still_tile_the_video(video):
    seen, times, found = video
    wide = widened(found, seen, times)
    shots = shots_between(wide, times, float(times[-1]) + 0.04)
    bounds = [shots[0].start_frame]
    for shot, ending in zip(shots, [*wide, None], strict=True):
        bounds += [shot.end_frame, *([ending.end_frame] if ending else [])]
    assert bounds == sorted(bounds)
    assert bounds[-1] == len(times)


@given(videos())
def test_where_all_frames_were_seen_nothing_changes(video):
    _, times, found = video
    assert widened(found, np.arange(len(times), dtype=np.int32), times) == found
