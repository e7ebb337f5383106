from fractions import Fraction
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from longtake.records import Series
from longtake.shots.adaptive import adaptive
from longtake.shots.content import content, merge_flashes
from longtake.signals.content import Content
from longtake.video.scan import Frames

FPS = 25


def series_of(scores: Any, times: Any = None, frames: Any = None) -> Series:
    count = len(scores)
    times = np.arange(count) / FPS if times is None else np.asarray(times, float)
    frames = np.arange(count) if frames is None else frames
    return Series(("score",), times, np.asarray(frames, np.int32), np.asarray(scores, np.float32).reshape(-1, 1))


def timecode(ms: int) -> Any:
    """A frame's presentation time, as the library's own video readers give it."""
    common = pytest.importorskip("scenedetect.common")
    return common.FrameTimecode(common.Timecode(ms, Fraction(1, 1000)), fps=Fraction(FPS))


def library_cuts(detector: Any, frames: Any, times_ms: Any) -> list[float]:
    cuts = [detector.process_frame(timecode(ms), frame) for ms, frame in zip(times_ms, frames, strict=True)]
    return [cut.seconds for found in cuts for cut in found]


def clock(steps_ms: list[int]) -> list[int]:
    return [0, *np.cumsum(steps_ms)[:-1].tolist()]


# Long calm stretches and dense bursts, at a steady and at a varying frame rate.
runs = st.one_of(st.tuples(st.just(False), st.integers(1, 30)), st.tuples(st.just(True), st.integers(1, 4)))
patterns = st.lists(runs, min_size=1, max_size=24).map(
    lambda chosen: [above for above, length in chosen for _ in range(length)]
)
rates = st.one_of(st.just([40]), st.lists(st.integers(1, 200), min_size=1, max_size=7))


@given(patterns, rates, st.sampled_from([0, 40, 120, 200, 600, 1000]))
def test_flashes_merge_as_in_the_library(above: list[bool], rate: list[int], min_ms: int) -> None:
    flash = pytest.importorskip("scenedetect.detector").FlashFilter
    times_ms = clock([rate[i % len(rate)] for i in range(len(above))])
    theirs = flash(mode=flash.Mode.MERGE, length=min_ms / 1000)
    found = [theirs.filter(timecode(ms), is_above) for ms, is_above in zip(times_ms, above, strict=True)]
    expected = [cut.seconds for cuts in found for cut in cuts]
    times = np.array(times_ms) / 1000
    assert times[merge_flashes(times, np.array(above), min_ms / 1000)].tolist() == expected


@given(
    st.lists(st.integers(0, 120), max_size=60),
    rates,
    st.sampled_from([1.5, 3.0, 5.0]),
    st.sampled_from([0.0, 15.0]),
    st.integers(1, 3),
    st.sampled_from([0, 120, 600]),
)
def test_adaptive_equals_the_library(
    halves: list[int], rate: list[int], threshold: float, min_score: float, width: int, min_ms: int
) -> None:
    library = pytest.importorskip("scenedetect")

    class Scored(library.AdaptiveDetector):
        """The library's detector, shown scores where it expects frames."""

        def _calculate_frame_score(self, _: Any, score: float) -> float:
            return score

    scores = [half / 2 if half % 3 else 0.0 for half in halves]
    times_ms = clock([rate[i % len(rate)] for i in range(len(scores))]) if scores else []
    detector = Scored(
        adaptive_threshold=threshold, min_content_val=min_score, window_width=width, min_scene_len=min_ms / 1000
    )
    ours = adaptive(
        series_of(scores, np.array(times_ms) / 1000),
        adaptive_threshold=threshold,
        min_content_val=min_score,
        window_width=width,
        min_shot_s=min_ms / 1000,
    )
    assert [cut.start_s for cut in ours] == library_cuts(detector, scores, times_ms)


def edited(lengths: list[int], seed: int) -> NDArray[np.uint8]:
    """A film of pans over different pictures, of so many frames each."""
    rng = np.random.default_rng(seed)
    frames = []
    for length in lengths:
        picture = cv2.resize(rng.integers(0, 256, (6, 20, 3), dtype=np.uint8), (400, 90), interpolation=cv2.INTER_CUBIC)
        frames += [picture[:, 2 * i : 2 * i + 160] for i in range(length)]
    return np.stack(frames)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("threshold", [12.0, 27.0])
def test_cuts_of_a_film_equal_the_library(seed: int, threshold: float) -> None:
    library = pytest.importorskip("scenedetect")
    lengths = np.random.default_rng(seed).choice([2, 5, 9, 16, 30, 50], 12).tolist()
    film = edited(lengths, seed)
    numbers = np.arange(len(film), dtype=np.int32)
    series = Content()(Frames(numbers / FPS, numbers, film, True))
    bgr = [np.ascontiguousarray(frame[..., ::-1]) for frame in film]
    times_ms = (numbers * 40).tolist()

    theirs = library_cuts(library.ContentDetector(threshold=threshold, min_scene_len=0.6), bgr, times_ms)
    assert [cut.start_s for cut in content(series, threshold=threshold)] == theirs
    assert theirs
    theirs = library_cuts(library.AdaptiveDetector(min_scene_len=0.6), bgr, times_ms)
    assert [cut.start_s for cut in adaptive(series)] == theirs


def test_hard_cuts_are_found_and_a_still_has_none() -> None:
    film = edited([40, 30, 50], seed=7)
    numbers = np.arange(len(film), dtype=np.int32)
    series = Content()(Frames(numbers / FPS, numbers, film, True))
    for cuts in (content(series), adaptive(series)):
        assert [(cut.kind, cut.start_frame, cut.end_frame) for cut in cuts] == [("cut", 40, 40), ("cut", 70, 70)]
        assert [cut.start_s for cut in cuts] == [cut.end_s for cut in cuts] == [40 / FPS, 70 / FPS]
    still = series_of(np.zeros(100))
    assert content(still) == adaptive(still) == []
    assert content(series_of([])) == adaptive(series_of([])) == []


def test_a_flash_merges_into_the_last_of_its_cuts() -> None:
    scores = np.zeros(200)
    scores[[50, 60, 75, 90, 150]] = 60
    assert [cut.start_frame for cut in content(series_of(scores))] == [50, 90, 150]
    assert [cut.start_frame for cut in content(series_of(scores), min_shot_s=0)] == [50, 60, 75, 90, 150]


def test_fifteen_frames_are_enough_wherever_they_begin() -> None:
    # 0.64 - 0.04 is less than 0.6 in binary.
    for first in range(15, 60):
        scores = np.zeros(100)
        scores[[first, first + 15]] = 60
        assert [cut.start_frame for cut in content(series_of(scores))] == [first, first + 15]


def test_confidence_rises_with_the_score() -> None:
    scores = np.zeros(200)
    heights = [27, 28, 40, 80, 200]
    scores[[30, 60, 90, 120, 150]] = heights
    confidences = [cut.confidence for cut in content(series_of(scores))]
    assert confidences[0] == 0.5
    assert confidences == sorted(set(confidences))
    assert confidences[-1] <= 1
    # In the middle of a rising noise floor, the ratio is what counts.
    found = adaptive(series_of(scores + np.linspace(1, 8, 200)))
    assert all(0.5 <= cut.confidence <= 1 for cut in found)
    assert len(found) == 5


def test_sparse_rows_give_the_later_rows_frame() -> None:
    series = series_of([0, 3, 60, 2], times=[0, 2, 4, 6], frames=[0, 50, 100, 150])
    assert [(cut.start_frame, cut.start_s) for cut in content(series, threshold=50)] == [(100, 4.0)]
