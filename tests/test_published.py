"""Files as others published them: read with their faults, and counted by what is wrong with them."""

import gzip
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from longtake.errors import UsageError
from longtake.published import Lines, check_spans, read_captions, read_scenes, read_similarity, read_spans

FIGURE = {
    "video": "UkQzZimp7Qs.mp4",
    "duration": 533.8,
    "start_sec": 36.64,
    "end_sec": 38.64,
    "neg_start_sec": 32.68,
    "neg_end_sec": 533.8,
    "caption": "a man sits at a desk",
    "start_scene": 6,
    "end_scene": 6,
    "neg_start_scene": 3,
    "neg_end_scene": None,
}
"""A record in the published form, with the numbers that the spec works through."""


def write(path: Path, rows: list[Any], *, packed: bool = False) -> Path:
    text = "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    return path


def test_a_record_is_read_as_it_says(tmp_path: Path) -> None:
    [record] = read_spans(Lines(write(tmp_path / "a.jsonl", [FIGURE | {"source": "hd", "views": 3}])))
    span = record.span
    assert record.line == 1 and record.more == {"source": "hd", "views": 3}
    assert (span.video, span.caption) == (FIGURE["video"], FIGURE["caption"])
    assert (span.start_s, span.end_s, span.neg_start_s, span.neg_end_s) == (36.64, 38.64, 32.68, 533.8)
    assert (span.start_scene, span.end_scene, span.neg_start_scene, span.neg_end_scene) == (6, 6, 3, None)
    assert span.duration_s == 533.8


@pytest.mark.parametrize("packed", [False, True])
def test_the_released_set_may_lack_scenes_and_duration(tmp_path: Path, packed: bool) -> None:
    bare = {name: value for name, value in FIGURE.items() if "scene" not in name and name != "duration"}
    path = write(tmp_path / "train.jsonl.gz", [bare, bare | {"start_scene": None}], packed=packed)
    records = list(read_spans(Lines(path)))
    assert len(records) == 2
    assert all(r.span.start_scene is None and r.span.duration_s is None for r in records)


def test_lines_that_cannot_be_read_are_named_and_cost_nothing_else(tmp_path: Path) -> None:
    without = {name: value for name, value in FIGURE.items() if name != "neg_end_sec"}
    whole = json.dumps(FIGURE)
    path = write(
        tmp_path / "a.jsonl",
        [
            *(FIGURE, "\n", "   \n", whole[:40] + "\n", without, FIGURE | {"start_sec": None}, "[1, 2]\n"),
            *(FIGURE, FIGURE | {"caption": 3}, whole[:-9]),
        ],
    )
    lines = Lines(path)
    assert [record.line for record in read_spans(lines)] == [1, 8]
    assert lines.blank == 2
    assert [bad.line for bad in lines.bad] == [4, 5, 6, 7, 9, 10]
    problems = [bad.problem for bad in lines.bad]
    assert "half written" in problems[0] and problems[1] == "'neg_end_sec' is missing" and "caption = 3" in problems[4]


@pytest.mark.parametrize("name", ["start_sec", "neg_end_sec", "duration", "end_scene"])
def test_a_number_that_no_float_holds_is_a_bad_line(tmp_path: Path, name: str) -> None:
    checked = check_spans(write(tmp_path / "a.jsonl", [FIGURE | {name: 10**400}, FIGURE]))
    assert checked.records == 1 and [bad.line for bad in checked.bad_lines] == [1]


@pytest.mark.parametrize("value", [0.7, float("inf"), float("nan"), -0.5, "soon", [1]])
def test_the_number_of_a_scene_is_a_whole_one(tmp_path: Path, value: Any) -> None:
    lines = Lines(write(tmp_path / "a.jsonl", [FIGURE | {"start_scene": value}, FIGURE | {"start_scene": 5.0}]))
    assert [record.span.start_scene for record in read_spans(lines)] == [5]
    assert [bad.line for bad in lines.bad] == [1]


def test_times_that_are_no_numbers_break_the_record_and_nothing_else(tmp_path: Path) -> None:
    wrong = [float("inf"), float("nan"), -float("inf"), 1e308]
    rows = [FIGURE | {name: value} for value in wrong for name in ("start_sec", "end_sec", "neg_start_sec", "duration")]
    checked = check_spans(write(tmp_path / "a.jsonl", [*rows, FIGURE | {"start_sec": 0.0, "end_sec": 30.0}]))
    assert checked.records == len(rows) + 1 and not checked.bad_lines
    assert next(one.records for one in checked.broken if one.invariant == "no span") >= 9


def test_files_on_the_way_with_such_numbers_lose_that_line_alone(tmp_path: Path) -> None:
    scenes = [_scenes("a", 1) | {"scenes": [[0, bad]]} for bad in (10**400, float("inf"), float("nan"))]
    lines = Lines(write(tmp_path / "s.jsonl", [*scenes, _scenes("b", 1)]))
    assert [name for name, _ in read_scenes(lines)] == ["b"] and len(lines.bad) == 3
    alike = {"video_fname": "a", "similarity_matrix": [[10**400]]}
    lines = Lines(write(tmp_path / "m.jsonl", [alike, alike | {"similarity_matrix": [[1]]}]))
    assert len(list(read_similarity(lines))) == len(lines.bad) == 1
    said = {"video_fname": "a", "start_sec": 10**400, "end_sec": 2, "caption": "A dog."}
    lines = Lines(write(tmp_path / "c.jsonl", [said, said | {"start_sec": 1}, said | {"clip_sim": 10**400}]))
    assert len(list(read_captions(lines))) == 1 and len(lines.bad) == 2


def test_a_packed_file_that_is_cut_off_gives_what_is_there(tmp_path: Path) -> None:
    rng = random.Random(1)
    rows = [FIGURE | {"caption": f"{rng.random()}"} for _ in range(2000)]
    path = write(tmp_path / "a.jsonl.gz", rows, packed=True)
    path.write_bytes(path.read_bytes()[:-2000])
    lines = Lines(path)
    assert 100 < len(list(read_spans(lines))) < 2000
    assert "cut off" in lines.bad[-1].problem
    with pytest.raises(UsageError, match="is no file"):
        list(Lines(tmp_path / "nothing.jsonl"))


def test_internvids_own_records_and_files_on_the_way_are_read(tmp_path: Path) -> None:
    rows = [
        {"YoutubeID": "a-_b", "Start_timestamp": "01:00:02.005", "End_timestamp": "01:00:04.500", "Caption": "A dog."},
        {"video_fname": "a.mp4", "start_sec": 1.0, "end_sec": 2, "captions": ["One.", "Two."]},
        {"video_fname": "a.mp4", "start_sec": 3.0, "end_sec": 4, "captions": []},
        {"video_fname": "a.mp4", "start_sec": 5.0, "end_sec": 6, "caption": "Three.", "clip_sim": 0.25},
        {"YoutubeID": "x", "Start_timestamp": "soon", "End_timestamp": "00:00:01.0", "Caption": "?"},
        {"YoutubeID": "x"},
    ]
    lines = Lines(write(tmp_path / "a.jsonl", rows))
    found = [(one.video, one.start_s, one.end_s, one.caption, one.score) for one in read_captions(lines)]
    assert found == [
        ("a-_b", 3602.005, 3604.5, "A dog.", None),
        ("a.mp4", 1.0, 2.0, "One.", None),
        ("a.mp4", 1.0, 2.0, "Two.", None),
        ("a.mp4", 5.0, 6.0, "Three.", 0.25),
    ]
    assert [bad.line for bad in lines.bad] == [5, 6]


def test_scenes_and_similarities_are_read_and_shapes_that_are_none_are_named(tmp_path: Path) -> None:
    scenes = Lines(
        write(
            tmp_path / "s.jsonl",
            [_scenes("a.mp4", 3), {"video_fname": "b", "scenes": []}, _scenes(5, 0) | {"scenes": [[1]]}],
        )
    )
    assert list(read_scenes(scenes)) == [("a.mp4", [(0.0, 5.0), (5.0, 10.0), (10.0, 15.0)]), ("b", [])]
    assert [bad.line for bad in scenes.bad] == [3]
    rows = [
        {"video_fname": "a.mp4", "similarity_matrix": [[1.0, None], [None, 1.0]]},
        '{"video_fname": "b.mp4", "similarity_matrix": [[1.0, NaN], [NaN, 1.0]]}\n',
        {"video_fname": "c.mp4", "similarity_matrix": []},
        {"video_fname": "d.mp4", "similarity_matrix": [[1.0, 0.5]]},
        {"video_fname": "e.mp4", "similarity_matrix": [[1.0, 0.5], [1.0]]},
    ]
    lines = Lines(write(tmp_path / "m.jsonl", rows))
    found = dict(read_similarity(lines))
    assert np.isnan(found["a.mp4"]).tolist() == np.isnan(found["b.mp4"]).tolist() == [[False, True], [True, False]]
    assert found["c.mp4"].shape == (0, 0) and [bad.line for bad in lines.bad] == [4, 5]


def _scenes(video: Any, count: int) -> dict[str, Any]:
    return {"video_fname": video, "scenes": [[5.0 * i, 5.0 * i + 5.0] for i in range(count)]}


def _record(
    video: str, scene: int, left: int | None, right: int | None, caption: str, *, scenes: int
) -> dict[str, Any]:
    """Return a record of one scene of 5 s; the negative span reaches to scenes `left` and `right`, or to the ends."""
    return {
        "video": f"{video}.mp4",
        "duration": scenes * 5.0,
        "start_sec": scene * 5.0,
        "end_sec": scene * 5.0 + 5.0,
        "neg_start_sec": 0.0 if left is None else left * 5.0 + 5.0,
        "neg_end_sec": scenes * 5.0 if right is None else right * 5.0,
        "caption": caption,
        "start_scene": scene,
        "end_scene": scene,
        "neg_start_scene": left,
        "neg_end_scene": right,
    }


@pytest.fixture
def example(tmp_path: Path) -> list[Path]:
    """Return a made-up published set with the original's known faults: spans, scenes, similarities.

    good: four scenes that differ, two records. faults: six scenes; a negative span that is the positive; two captions
    of one positive; a similar scene inside; an end before its start. long: 130 scenes of which 100 were compared; one
    record reaches over those never looked at, one stops before them.
    """
    spans = [
        _record("good", 1, None, None, "a red car", scenes=4),
        _record("good", 2, None, None, "a blue boat", scenes=4),
        _record("faults", 1, 0, 2, "a dog", scenes=6),
        _record("faults", 3, None, 5, "a cat", scenes=6),
        _record("faults", 3, None, 5, "a tiger", scenes=6),
        _record("faults", 4, 1, None, "a horse", scenes=6),
        _record("faults", 2, None, 5, "a cow", scenes=6) | {"end_sec": 9.0},
        "\n",
        '{"video": "faults.mp4", "durati\n',
        "\n",
        _record("long", 50, None, None, "a bird", scenes=130),
        _record("long", 20, None, 100, "a fish", scenes=130),
        _record("unknown", 1, None, None, "a bee", scenes=4),
    ]
    apart = np.eye(6)
    apart[4, 2] = apart[2, 4] = 0.93
    matrices = [("good", np.eye(4)), ("faults", apart), ("long", np.eye(100))]
    alike = [{"video_fname": f"{name}.mp4", "similarity_matrix": matrix.tolist()} for name, matrix in matrices]
    return [
        write(tmp_path / "final_dataset.jsonl", spans),
        write(
            tmp_path / "scenes-merged.jsonl",
            [_scenes("good.mp4", 4), _scenes("faults.mp4", 6), _scenes("long.mp4", 130)],
        ),
        write(tmp_path / "scenes_merged_similarity.jsonl", alike),
    ]


def test_what_is_broken_is_counted_with_examples(example: list[Path]) -> None:
    checked = check_spans(*example)
    assert (checked.records, checked.videos, checked.sound) == (10, 4, 4)
    assert {one.invariant: one.records for one in checked.broken} == {
        "no span": 1,
        "outside negative": 0,
        "outside video": 0,
        "no context": 1,
        "shared positive": 2,
        "repeated caption": 0,
        "scene numbers": 0,
        "similar inside": 1,
        "never compared": 1,
    }
    examples = {one.invariant: [record.line for record in one.examples] for one in checked.broken}
    assert examples["no context"] == [3] and examples["shared positive"] == [4, 5]
    assert examples["similar inside"] == [6] and examples["never compared"] == [11]
    assert checked.not_tested == () and checked.blank == 2
    assert [(bad.line, bad.path) for bad in checked.bad_lines] == [(9, example[0])]
    assert checked.without_scenes == checked.without_similarity == 1
    assert all(one.meaning for one in checked.broken)


def test_without_scenes_the_rest_is_tested(example: list[Path]) -> None:
    checked = check_spans(example[0])
    assert checked.not_tested == ("scene numbers", "similar inside", "never compared")
    assert {one.invariant: one.records for one in checked.broken if one.records} == {
        "no span": 1,
        "no context": 1,
        "shared positive": 2,
    }
    assert check_spans(example[0], example[1]).not_tested == ("similar inside",)
    with pytest.raises(UsageError, match="give the file of scenes"):
        check_spans(example[0], similarity=example[2])


def test_only_the_first_examples_are_kept(tmp_path: Path) -> None:
    rows = [_record("v", 1, None, None, f"caption {n}", scenes=3) for n in range(40)]
    checked = check_spans(write(tmp_path / "a.jsonl", rows))
    [shared] = [one for one in checked.broken if one.invariant == "shared positive"]
    assert shared.records == 40 and [record.line for record in shared.examples] == [1, 2, 3]
    assert checked.sound == 0


def test_a_similarity_threshold_can_be_given(example: list[Path]) -> None:
    checked = check_spans(*example, similar_above=0.95)
    assert next(one.records for one in checked.broken if one.invariant == "similar inside") == 0


def test_a_matrix_of_more_scenes_than_there_are_is_not_used(tmp_path: Path, example: list[Path]) -> None:
    big = write(tmp_path / "big.jsonl", [{"video_fname": "good.mp4", "similarity_matrix": np.ones((9, 9)).tolist()}])
    checked = check_spans(example[0], example[1], big)
    assert checked.without_similarity == 10
    assert next(one.records for one in checked.broken if one.invariant == "similar inside") == 0


def test_a_video_without_a_cut_has_no_scenes_as_published_and_is_not_taken_for_tested(tmp_path: Path) -> None:
    """The scripts write an empty row of scenes and an empty matrix for it."""
    spans = write(tmp_path / "a.jsonl", [_record(name, 1, None, None, "x", scenes=3) for name in ("cut", "whole")])
    scenes = write(tmp_path / "s.jsonl", [_scenes("cut.mp4", 3), _scenes("whole.mp4", 0)])
    matrices = [("cut.mp4", np.eye(3).tolist()), ("whole.mp4", [])]
    alike = [{"video_fname": name, "similarity_matrix": matrix} for name, matrix in matrices]
    checked = check_spans(spans, scenes, write(tmp_path / "m.jsonl", alike))
    assert (checked.records, checked.without_scenes, checked.without_similarity) == (2, 1, 1)
    empty = write(tmp_path / "e.jsonl", [alike[1] | {"video_fname": "cut.mp4"}])
    assert check_spans(spans, scenes, empty).without_similarity == 2


def test_videos_are_the_same_with_and_without_their_ending(tmp_path: Path) -> None:
    """The downloader's ids and the scripts' file names."""
    spans = write(tmp_path / "a.jsonl", [_record("v.1", 1, None, None, "x", scenes=3)])
    checked = check_spans(spans, write(tmp_path / "s.jsonl", [_scenes("v.1", 3)]))
    assert checked.without_scenes == 0
