"""A video as a row of scenes: what clips, captions and shots make of it."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longtake.corpus import GAP_S, INSTANT_S, clip_bounds, scene_edges, stretch, timeline_of
from longtake.errors import SetError
from longtake.records import Series


def clips_of(*spans: tuple[float, float]) -> list[dict[str, object]]:
    return [{"video_id": "v", "start_s": start, "end_s": end} for start, end in spans]


def test_neighbours_meet_in_the_middle_of_the_transition_between_them() -> None:
    assert clip_bounds(clips_of((0.0, 3.9), (4.3, 10.0)), 10.0) == [(0.0, 4.1), (4.1, 10.0)]


def test_a_trimmed_start_and_end_belong_to_the_first_and_last_clip() -> None:
    assert clip_bounds(clips_of((0.5, 4.0), (4.0, 9.0)), 10.0) == [(0.0, 4.0), (4.0, 10.0)]


def test_a_long_stretch_without_a_clip_is_nobodys() -> None:
    bounds = clip_bounds(clips_of((6.0, 10.0), (20.0, 30.0)), 50.0)
    assert bounds == [(6.0, 10.0), (20.0, 30.0)]
    assert scene_edges(bounds, [[], []], 50.0) == [(0.0, 6.0), (6.0, 10.0), (10.0, 20.0), (20.0, 30.0), (30.0, 50.0)]


def test_clips_that_overlap_make_no_scenes() -> None:
    with pytest.raises(SetError, match="overlap at 3 s"):
        clip_bounds(clips_of((0.0, 4.0), (3.0, 9.0)), 10.0)


def test_captions_of_parts_cut_a_scene_into_these_parts() -> None:
    [clip] = clips_of((0.5, 20.5))
    [bounds] = clip_bounds([clip], 21.0)
    captions = [{"start_s": 0.0, "end_s": 10.0}, {"start_s": 10.0, "end_s": 20.0}]
    places = [stretch(clip, bounds, caption) for caption in captions]
    assert places == [(0.0, 10.5), (10.5, 21.0)]
    assert scene_edges([bounds], [places], 21.0) == [(0.0, 10.5), (10.5, 21.0)]


@given(st.lists(st.tuples(st.floats(0, 12), st.floats(0.05, 30)), min_size=1, max_size=12), st.data())
def test_scenes_tile_the_video_whatever_the_clips_and_captions(
    parts: list[tuple[float, float]], data: st.DataObject
) -> None:
    spans, time = [], 0.0
    for gap, length in parts:
        spans.append((time + gap, time + gap + length))
        time += gap + length
    duration_s = time + data.draw(st.floats(0, 12))
    clips = clips_of(*spans)
    bounds = clip_bounds(clips, duration_s)
    for (start_s, end_s), (low, high) in zip(spans, bounds, strict=True):
        assert low - INSTANT_S <= start_s < end_s <= high + INSTANT_S
        assert start_s - low <= GAP_S
        assert high - end_s <= GAP_S
    counts = data.draw(st.lists(st.integers(0, 4), min_size=len(clips), max_size=len(clips)))
    places = []
    for clip, own, (start_s, end_s), count in zip(clips, bounds, spans, counts, strict=True):
        cuts = np.linspace(0, end_s - start_s, count + 1)
        places.append([stretch(clip, own, {"start_s": a, "end_s": b}) for a, b in itertools.pairwise(cuts)])
    edges = scene_edges(bounds, places, duration_s)
    assert edges[0][0] == 0.0
    assert edges[-1][1] == pytest.approx(duration_s, abs=INSTANT_S)
    assert all(a < b for a, b in edges)
    assert all(b == pytest.approx(c, abs=INSTANT_S) for (_, b), (c, _) in itertools.pairwise(edges))
    known = {round(time, 6) for edge in edges for time in edge}
    assert all(round(time, 6) in known for some in places for place in some for time in place)


def test_a_scene_has_a_vector_for_each_shot_that_has_a_part_in_it() -> None:
    times = np.arange(0, 12, 0.5)
    values = np.where(times[:, None] < 4, [1.0, 0.0], np.where(times[:, None] < 8, [0.0, 1.0], [1.0, 1.0]))
    series = Series(("a", "b"), times, np.arange(len(times), dtype=np.int32), values.astype(np.float32))
    shots = [{"start_s": a, "end_s": b} for a, b in ((0, 4), (4, 8), (8, 12))]
    timeline = timeline_of("v", 12.0, [(0.0, 8.0), (8.0, 10.0), (10.0, 12.0)], shots, series)
    assert timeline.scene_of.tolist() == [0, 0, 1, 2]
    assert timeline.shots == pytest.approx(np.array([[1, 0], [0, 1], [0.5**0.5] * 2, [0.5**0.5] * 2]), abs=1e-6)
    assert timeline.frames.shape == (3, 3, 2)


def test_what_was_never_measured_has_no_vector() -> None:
    series = Series(("a",), np.array([1.0]), np.array([1], np.int32), np.array([[2.0]], np.float32))
    shots = [{"start_s": 0.0, "end_s": 4.0}, {"start_s": 4.0, "end_s": 8.0}]
    timeline = timeline_of("v", 8.0, [(0.0, 4.0), (4.0, 8.0)], shots, series)
    assert timeline.shots[0].tolist() == [1.0]
    assert np.isnan(timeline.shots[1]).all()
    assert np.isnan(timeline.frames[1]).all()


def test_a_shot_between_two_measurements_is_left_out_where_its_scene_has_others() -> None:
    times = np.array([0.0, 0.5, 1.0, 1.5, 2.0])
    series = Series(("a",), times, np.arange(5, dtype=np.int32), np.ones((5, 1), np.float32))
    shots = [{"start_s": a, "end_s": b} for a, b in ((0.0, 1.1), (1.1, 1.4), (1.4, 2.5))]
    [whole] = [timeline_of("v", 2.5, [(0.0, 2.5)], shots, series)]
    assert len(whole.shots) == 2
    apart = timeline_of("v", 2.5, [(0.0, 1.1), (1.1, 1.4), (1.4, 2.5)], shots, series)
    assert np.isnan(apart.shots[1]).all()
    assert apart.scene_of.tolist() == [0, 1, 2]
