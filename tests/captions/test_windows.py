from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longtake.captions import Look
from longtake.captions._windows import MOST_FPS, Window, equal_windows, evidence, seconds, segments, shown, unnamed
from longtake.errors import UsageError
from longtake.facts import Facts
from longtake.moves import Move

DURATIONS = st.floats(0.04, 20_000)
LENGTHS = st.floats(0.5, 300)


def edges(windows: list[Window]) -> list[float]:
    assert [window.number for window in windows] == list(range(len(windows)))
    assert {window.count for window in windows} == {len(windows)}
    assert all(before.end_s == after.start_s for before, after in pairwise(windows))
    return [windows[0].start_s, *(window.end_s for window in windows)]


@pytest.mark.parametrize(
    ("duration_s", "expected"),
    [
        (65, [0, 30, 47.5, 65]),
        (12, [0, 12]),
        (30, [0, 30]),
        (35, [0, 17.5, 35]),
        (39.9, [0, 19.95, 39.9]),
        (40, [0, 30, 40]),
        (60, [0, 30, 60]),
        (90, [0, 30, 60, 90]),
        (75, [0, 30, 60, 75]),
    ],
)
def test_a_short_tail_shares_with_the_last_segment(duration_s: float, expected: list[float]) -> None:
    assert edges(segments(duration_s, segment_s=30)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("duration_s", "expected"),
    [
        (119.9, [0, 119.9]),
        (120, [0, 120]),
        (121, [0, 60.5, 121]),
        (360, [0, 120, 240, 360]),
        (500, [*range(0, 501, 100)]),
    ],
)
def test_equal_windows_are_as_few_as_can_be(duration_s: float, expected: list[float]) -> None:
    assert edges(equal_windows(duration_s, window_s=120)) == pytest.approx(expected)


@pytest.mark.parametrize("noise", [1e-9, -1e-9])
def test_what_floats_leave_over_is_no_part(noise: float) -> None:
    assert len(segments(60 + noise, segment_s=30)) == 2
    assert len(equal_windows(240 + noise, window_s=120)) == 2


@given(DURATIONS, LENGTHS)
def test_segments_tile_the_clip(duration_s: float, segment_s: float) -> None:
    windows = segments(duration_s, segment_s=segment_s)
    bounds = edges(windows)
    assert bounds[0] == 0
    assert bounds[-1] == duration_s
    lengths = [window.end_s - window.start_s for window in windows]
    assert all(0 < length <= segment_s + 1e-5 for length in lengths)
    assert all(length >= min(segment_s / 2, 10) - 1e-5 for length in lengths) or len(lengths) == 1
    assert all(length == pytest.approx(segment_s) for length in lengths[:-2])


@given(DURATIONS, LENGTHS)
def test_equal_windows_tile_the_clip(duration_s: float, window_s: float) -> None:
    windows = equal_windows(duration_s, window_s=window_s)
    bounds = edges(windows)
    assert bounds[0] == 0
    assert bounds[-1] == duration_s
    lengths = [window.end_s - window.start_s for window in windows]
    assert all(0 < length <= window_s + 1e-5 for length in lengths)
    assert max(lengths) - min(lengths) < 1e-6
    assert (len(windows) - 1) * window_s <= duration_s


@given(DURATIONS, LENGTHS, st.integers(1, 40))
def test_frames_lie_inside_their_window_in_order(duration_s: float, segment_s: float, frames: int) -> None:
    windows = segments(duration_s, segment_s=segment_s)
    times = [time for window in windows for time in window.look(frames, columns=2, cell_px=448).times]
    assert len(times) == frames * len(windows)
    assert all(before < after for before, after in pairwise(times))
    for window in windows:
        look = window.look(frames, columns=2, cell_px=448)
        assert window.start_s < look.times[0]
        assert look.times[-1] < window.end_s
        middle = (look.times[0] + look.times[-1]) / 2
        assert middle == pytest.approx((window.start_s + window.end_s) / 2)


def test_six_frames_are_the_centres_of_six_parts() -> None:
    look = Window(0, 1, 0.0, 12.0).look(6, columns=2, cell_px=448)
    assert look == Look((1, 3, 5, 7, 9, 11), 2, 448)


@given(DURATIONS, LENGTHS, st.floats(0.01, MOST_FPS))
def test_a_video_runs_evenly_from_its_windows_start_to_its_end(duration_s: float, segment_s: float, fps: float) -> None:
    for window in segments(duration_s, segment_s=segment_s)[:3]:
        look = window.video_look(fps=fps, cell_px=448)
        assert (look.fps, look.columns, look.cell_px) == (fps, 0, 448)
        assert look.times[0] == window.start_s
        assert look.times[-1] < window.end_s
        assert window.end_s - look.times[-1] <= 1 / fps + 2e-6, "nothing is left out at the end"
        steps = [after - before for before, after in pairwise(look.times)]
        assert steps == pytest.approx([1 / fps] * len(steps), abs=1e-9)


def test_half_seconds_of_three_seconds_are_six_frames() -> None:
    assert Window(1, 2, 3.0, 6.0).video_look(fps=2.0, cell_px=320) == Look((3, 3.5, 4, 4.5, 5, 5.5), 0, 320, fps=2.0)


@pytest.mark.parametrize("fps", [0.0, -2.0, 8.1, float("nan"), float("inf")])
def test_a_rate_out_of_range_is_refused(fps: float) -> None:
    with pytest.raises(UsageError, match="video_fps"):
        Window(0, 1, 0, 10).video_look(fps=fps, cell_px=448)


@pytest.mark.parametrize("length", [0, -30, float("nan")])
def test_a_length_of_nothing_is_refused(length: float) -> None:
    with pytest.raises(UsageError, match="above 0"):
        segments(10, segment_s=length)
    with pytest.raises(UsageError, match="above 0"):
        equal_windows(10, window_s=length)
    with pytest.raises(UsageError, match="at least one"):
        Window(0, 1, 0, 10).look(0, columns=2, cell_px=448)


@pytest.mark.parametrize(("columns", "cell_px"), [(-1, 448), (2, 0), (2, -5), (2, 15)])
def test_a_grid_that_can_t_be_is_refused(columns: int, cell_px: int) -> None:
    window = Window(0, 1, 0.0, 10.0)
    with pytest.raises(UsageError):
        window.look(6, columns=columns, cell_px=cell_px)
    if cell_px != 448:
        with pytest.raises(UsageError):
            window.video_look(fps=2.0, cell_px=cell_px)


def test_a_prompt_tells_the_part_and_the_layout() -> None:
    whole = Window(0, 1, 0.0, 12.34)
    words = shown(whole, whole.look(6, columns=2, cell_px=448), duration_s=12.34)
    assert "12.3 s" in words
    assert "6 frames" in words
    assert "2 side by side" in words
    assert "white borders" in words
    assert "part" not in words
    middle = segments(65, segment_s=30)[1]
    words = shown(middle, middle.look(6, columns=2, cell_px=448), duration_s=65)
    assert "part 2 of 3, from 30 s to 47.5 s" in words
    assert "65 s" in words


def test_single_pictures_are_told_apart_from_a_grid() -> None:
    whole = Window(0, 1, 0.0, 10.0)
    assert "6 pictures" in shown(whole, whole.look(6, columns=0, cell_px=448), duration_s=10)
    assert "grid" not in shown(whole, whole.look(6, columns=0, cell_px=448), duration_s=10)
    assert "the middle" in shown(whole, whole.look(1, columns=2, cell_px=448), duration_s=10)


def test_a_video_is_told_as_one_and_its_part_named() -> None:
    whole = Window(0, 1, 0.0, 12.34)
    look = whole.video_look(fps=2.0, cell_px=448)
    assert shown(whole, look, duration_s=12.34) == "You see a video of 12.3 s."
    middle = segments(65, segment_s=30)[1]
    words = shown(middle, middle.video_look(fps=2.0, cell_px=448), duration_s=65)
    assert "part 2 of 3 of a video, from 30 s to 47.5 s of its 65 s" in words
    assert not any(word in words + unnamed(look) for word in ("grid", "picture", "panel"))


def test_what_was_measured_is_evidence() -> None:
    assert "pans left throughout" in evidence(Facts(9.0, (Move("pan left", 0.0, 9.0, 0.3),), (), (), ()))
    assert evidence(None) == ""
    assert evidence(Facts(9.0, (Move("unknown", 0.0, 9.0, 0.0),), (), (), ())) == ""


def test_times_are_short_however_long_the_clip_is() -> None:
    assert [seconds(time) for time in (0, 17.5, 30.04, 12345.67)] == ["0 s", "17.5 s", "30 s", "12345.7 s"]
