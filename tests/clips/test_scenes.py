"""Scenes: which shots are joined, by an account of the original's rules of its own, and that scenes tile the video."""

import math
import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longtake.clips.scenes import scenes
from longtake.records import Series, Shot, Transition
from longtake.running import run
from longtake.shots import shots_between
from longtake.store import Store

FPS = 25
Vector = tuple[float, ...]
Video = tuple[list[Shot], np.ndarray, float]

NONE: Vector = (math.nan, math.nan)
"""Of a shot that nothing was measured of."""


def video(*edges: int) -> Video:
    """Make shots between cuts at these frames, from 0 to the last, with frame times and end, at 25 per second."""
    shots = [Shot(a / FPS, b / FPS, a, b) for a, b in pairwise((0, *edges))]
    return shots, np.arange(edges[-1]) / FPS, edges[-1] / FPS


def shown(shots: list[Shot], *vectors: Vector) -> Series:
    """Make a signal that sees the same in every frame of a shot."""
    rows = np.repeat(np.array(vectors, np.float32), [shot.end_frame - shot.start_frame for shot in shots], axis=0)
    frames = np.arange(len(rows), dtype=np.int32)
    return Series(tuple(f"c{number}" for number in range(rows.shape[1])), frames / FPS, frames, rows)


def at(*degrees: float) -> list[Vector]:
    """Make vectors in a plane: two of them are as alike as the cosine of the angle between them."""
    return [(math.cos(math.radians(angle)), math.sin(math.radians(angle))) for angle in degrees]


def edges(found: list[Shot]) -> list[int]:
    """Return the frames at which scenes end."""
    return [scene.end_frame for scene in found]


# The rules of the original


def cosine(one: Vector, other: Vector) -> float:
    lengths = math.hypot(*one) * math.hypot(*other)
    return sum(a * b for a, b in zip(one, other, strict=True)) / lengths if lengths else math.nan


def original(vectors: list[Vector], rule: str, above: float) -> list[list[int]]:
    """Return the shots of each scene, joined as the original's formulas say, in plain numbers."""
    spans = [[0]]
    for number in range(1, len(vectors)):
        candidates = spans[-1] if rule == "union" else [number - 1]
        if any(cosine(vectors[number], vectors[other]) > above for other in candidates):
            spans[-1].append(number)
        else:
            spans.append([number])
    return spans


digits = st.integers(-2, 2).map(float)


@given(
    st.lists(st.tuples(digits, digits, digits), min_size=1, max_size=40),
    st.sampled_from(["last", "union"]),
    st.sampled_from([-0.3, 0.21, 0.51, 0.78, 0.85, 0.955]),  # no cosine of such vectors comes near
    st.integers(0, 999),
)
def test_joined_as_the_original_joins(vectors: list[Vector], rule: str, above: float, seed: int) -> None:
    lengths = random.Random(seed)
    ends = np.cumsum([lengths.randint(13, 40) for _ in vectors]).tolist()
    made = video(*ends)
    found = scenes(*made, shown(made[0], *vectors), rule=rule, similar_above=above)
    assert edges(found) == [ends[span[-1]] for span in original(vectors, rule, above)]


def test_last_may_drift_and_union_looks_back() -> None:
    made = video(50, 100, 150)
    drift = shown(made[0], *at(0, 25, 50))
    assert edges(scenes(*made, drift, rule="last")) == edges(scenes(*made, drift, rule="union")) == [150]
    turn = shown(made[0], *at(0, 25, -25))
    assert edges(scenes(*made, turn, rule="last")) == [100, 150]
    assert edges(scenes(*made, turn, rule="union")) == [150]


def test_as_alike_as_the_threshold_is_not_enough() -> None:
    made = video(50, 100)
    same = shown(made[0], (1.0, 0.0), (1.0, 0.0))
    assert len(scenes(*made, same, similar_above=1.0)) == 2
    assert len(scenes(*made, same, similar_above=0.999)) == 1


@pytest.mark.parametrize("rule", ["last", "union"])
def test_what_looks_alike_is_not_joined_over_what_lies_between(rule: str) -> None:
    made = video(50, 100, 150)
    assert edges(scenes(*made, shown(made[0], *at(0, 90, 0)), rule=rule)) == [50, 100, 150]


def test_nothing_measured_is_like_nothing() -> None:
    made = video(50, 100, 150)
    assert edges(scenes(*made, shown(made[0], NONE, NONE, (1.0, 0.0)), similar_above=-1)) == [50, 100, 150]


# Short shots


@pytest.mark.parametrize(
    ("angles", "ends"),
    [((0, 10, 80), [56, 106]), ((0, 70, 80), [50, 106]), ((0, 130, 300), [56, 106])],
    ids=["like the one before", "like the one after", "less unlike the one before"],
)
def test_a_short_shot_joins_the_neighbour_it_looks_more_like(angles: tuple[float, ...], ends: list[int]) -> None:
    made = video(50, 56, 106)
    assert edges(scenes(*made, shown(made[0], *at(*angles)), similar_above=0.9999)) == ends


def test_what_is_known_goes_before_what_is_longer() -> None:
    made = video(50, 56, 300)
    assert edges(scenes(*made, shown(made[0], *at(0, 60), NONE))) == [56, 300]


def test_a_short_shot_is_compared_with_the_shot_beside_it_not_with_all_that_it_is_part_of() -> None:
    made = video(50, 56, 62, 112)
    assert edges(scenes(*made, shown(made[0], *at(0, 5, 100, 85)))) == [56, 112]


@pytest.mark.parametrize(
    ("cuts", "ends"), [((50, 56, 106), [56, 106]), ((50, 56, 107), [50, 107]), ((6, 50), [50]), ((44, 50), [50])]
)
def test_a_short_shot_that_nothing_is_known_of_joins_the_longer_or_the_previous(
    cuts: tuple[int, ...], ends: list[int]
) -> None:
    made = video(*cuts)
    looks = [NONE if shot.end_frame - shot.start_frame == 6 else (1.0, float(shot.start_frame)) for shot in made[0]]
    assert edges(scenes(*made, shown(made[0], *looks))) == ends


def test_a_long_shot_does_not_take_all_short_ones_that_nothing_is_known_of() -> None:
    """A montage: shots of 0.2 s that are seldom measured make up pieces of 0.5 s and more, which are."""
    ends = [*range(250, 300, 5), 301]
    made = video(*ends, 500)
    frames = np.arange(0, 500, 12, dtype=np.int32)
    frames = frames[~((frames >= 245) & (frames < 270))]
    series = Series(("a", "b"), frames / FPS, frames, np.where(frames[:, None] < 250, [[1, 0]], [[0, 1]]).astype("f4"))
    found = scenes(*made, series)
    assert found[0].end_frame == 250
    assert all(scene.end_s - scene.start_s >= 0.5 for scene in found)


def test_a_glimpse_hardly_changes_what_its_neighbour_looks_like() -> None:
    """The frames at the quarter points of both together count."""
    made = video(100, 106, 206)
    assert edges(scenes(*made, shown(made[0], *at(0, 60, 15)), similar_above=0.95)) == [206]


@pytest.mark.parametrize("cuts", [(6,), (2, 6), (2, 4, 6)])
def test_a_video_shorter_than_the_least_is_one_scene(cuts: tuple[int, ...]) -> None:
    made = video(*cuts)
    assert scenes(*made, shown(made[0], *[NONE] * len(cuts))) == [Shot(0.0, 6 / FPS, 0, 6)]


# How long scenes grow


def test_a_scene_does_not_grow_beyond_the_most() -> None:
    made = video(50, 100, 300, 350, 400)  # 2, 2, 8, 2, 2 s
    alike = shown(made[0], *at(0, 0, 0, 0, 0))
    assert edges(scenes(*made, alike)) == [400]
    assert edges(scenes(*made, alike, most_s=4)) == [100, 300, 400]
    assert edges(scenes(*made, alike, most_s=10)) == [100, 350, 400]
    assert edges(scenes(*made, alike, most_s=12)) == [300, 400]


def test_a_short_shot_joins_the_neighbour_that_has_room_or_stays() -> None:
    made = video(100, 106, 156)  # 4, 0.24, 2 s
    series = shown(made[0], *at(0, 0, 90))
    assert edges(scenes(*made, series, most_s=4)) == [100, 156]
    assert edges(scenes(*made, series, most_s=2)) == [100, 106, 156]


# Tiling, in any video


@st.composite
def made_up(draw: st.DrawFn) -> tuple[list[Shot], np.ndarray, float, Series]:
    """Draw uneven frame times, cuts and gradual transitions, and a signal that sees some of the frames."""
    steps = draw(st.lists(st.integers(1, 60), min_size=1, max_size=80))
    times = np.concatenate([[0], np.cumsum(steps)]) / 64
    bounds = sorted(draw(st.sets(st.integers(1, len(times) - 1), max_size=min(24, len(times) - 1))))
    transitions = []
    while bounds:
        start = bounds.pop(0)
        end = bounds.pop(0) if bounds and draw(st.booleans()) else start
        transitions.append(Transition("dissolve", times[start], times[end], start, end, 1.0))
    end_s = float(times[-1] + 0.0625)
    frames = np.array(sorted(draw(st.sets(st.integers(0, len(times) - 1)))), np.int32)
    values = draw(st.lists(st.tuples(digits, digits), min_size=len(frames), max_size=len(frames)))
    series = Series(("a", "b"), times[frames], frames, np.array(values, np.float32).reshape(-1, 2))
    return shots_between(transitions, times, end_s), times, end_s, series


@given(
    made_up(),
    st.sampled_from(["last", "union"]),
    st.floats(-1, 1),
    st.sampled_from([0.0, 0.5, 2.0]),
    st.sampled_from([0.0, 1.0, 8.0]),
)
def test_scenes_tile_the_video(
    made: tuple[list[Shot], np.ndarray, float, Series], rule: str, above: float, least_s: float, most_s: float
) -> None:
    shots, times, end_s, series = made
    found = scenes(shots, times, end_s, series, rule=rule, similar_above=above, least_s=least_s, most_s=most_s)
    assert (found[0].start_s, found[0].start_frame) == (0.0, 0)
    assert (found[-1].end_s, found[-1].end_frame) == (end_s, len(times))
    for one, other in pairwise(found):
        assert (one.end_s, one.end_frame) == (other.start_s, other.start_frame)
        assert other.start_s == times[other.start_frame]
    middles = {(one.end_frame + other.start_frame) // 2 for one, other in pairwise(shots)}
    assert {scene.start_frame for scene in found[1:]} <= middles
    for scene in found:
        length_s = scene.end_s - scene.start_s
        one_shot = not any(scene.start_frame < middle < scene.end_frame for middle in middles)
        assert scene.start_frame < scene.end_frame
        assert not most_s or length_s <= most_s or one_shot
        assert most_s or length_s >= least_s or len(found) == 1


def test_a_boundary_lies_in_the_middle_of_a_fade() -> None:
    times = np.cumsum([0.0, *[0.04] * 99, *[0.1] * 100])  # the frame rate falls after four seconds
    fade = Transition("fade", times[90], times[111], 90, 111, 0.9)
    frames = np.arange(200, dtype=np.int32)
    values = np.where(frames[:, None] < 90, [[1, 0]], [[0, 1]]).astype(np.float32)
    made = (shots_between([fade], times, 14.0), times, 14.0)
    middle_s = float(times[100])
    assert scenes(*made, Series(("a", "b"), times, frames, values)) == [
        Shot(0.0, middle_s, 0, 100),
        Shot(middle_s, 14.0, 100, 200),
    ]


def test_frames_of_a_fade_say_nothing_of_its_shots() -> None:
    made = ([Shot(0.0, 2.0, 0, 50), Shot(6.0, 8.0, 150, 200)], np.arange(200) / FPS, 8.0)
    frames = np.arange(200, dtype=np.int32)
    inside = (frames >= 50) & (frames < 150)
    values = np.where(inside[:, None], [[0, 1]], [[1, 0]]).astype(np.float32)
    assert edges(scenes(*made, Series(("a", "b"), frames / FPS, frames, values))) == [200]


def test_there_may_be_thousands() -> None:
    """No cap of 100; and in a scene of thousands of shots `union` finds the one far back that the newest looks like."""
    n = 4000
    made = video(*range(25, 25 * n + 1, 25))
    apart = shown(made[0], *at(*(90 * (number % 2) for number in range(n))))
    assert len(scenes(*made, apart)) == len(scenes(*made, apart, rule="union")) == n
    back = shown(made[0], *at(0, *[25] * (n - 2), -25))
    assert edges(scenes(*made, back)) == [25 * (n - 1), 25 * n]
    assert edges(scenes(*made, back, rule="union")) == [25 * n]


# In a run

RECIPE = """
[signals.signature]
step = "scene_steps:Tones"

[clips]
step = "scenes"
"""


def test_a_run_makes_scenes_of_a_film(film: Path, steps: Path) -> None:
    """Warm, warm, cold, dissolve, warm: the first two shots are one scene; the dissolve belongs half to each side."""
    (steps / "scenes.toml").write_text(RECIPE)
    done = run(str(steps / "scenes.toml"), [film], steps / "set", workers=1)
    assert not done.failures
    rows = sorted(Store(steps / "set").read("clips").to_pylist(), key=lambda row: row["start_s"])
    assert [(row["start_frame"], row["end_frame"]) for row in rows[:1]] == [(0, 144)]
    middle = rows[1]["end_frame"]
    assert abs(middle - 240) <= 3
    assert [(row["start_frame"], row["end_frame"]) for row in rows] == [(0, 144), (144, middle), (middle, 336)]
    assert [row["start_s"] for row in rows] == pytest.approx([0, 6, middle / 24], abs=1e-3)
    assert rows[-1]["end_s"] == pytest.approx(14)
    assert [row["transitions"] for row in rows] == [1, 0, 0]
    (cut,) = rows[0]["transitions_at"]
    assert (cut["kind"], cut["start_frame"], cut["end_frame"]) == ("cut", 72, 72)
    assert cut["start_s"] == pytest.approx(3.0, abs=1e-3)


def test_other_thresholds_need_no_second_scan(film: Path, steps: Path) -> None:
    (steps / "scenes.toml").write_text(RECIPE)
    run(str(steps / "scenes.toml"), [film], steps / "set", workers=1)
    done = run(str(steps / "scenes.toml"), [film], steps / "set", workers=1, settings=["clips.similar_above=1.0"])
    assert done.measured.scanned_s == 0
    assert len(Store(steps / "set").read("clips").to_pylist()) == 4
