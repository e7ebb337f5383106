"""What the page is told of one clip and of one video is what the set's tables have, and small enough to draw."""

import itertools
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from filmed import CUT, CUT_S, DURATION_S, FPS
from hypothesis import given
from hypothesis import strategies as st
from looking import served

from longtake.schemas import SCHEMAS, score_schema
from longtake.settings import read_recipe
from longtake.store import Store
from longtake.viewer.curves import PARTS, POINTS, Measured, reduced, rounded
from longtake.viewer.details import SPANS_SHOWN


def clips_of(folder: Path, film: str) -> list[dict]:
    """The clips of a film in order of time, as stored."""
    rows = Store(folder).read("clips").to_pylist()
    return sorted((row for row in rows if row["id"].startswith(f"{film}-")), key=lambda row: row["start_s"])


# Clips


def test_a_clip_is_told_as_it_is_stored(filmed, shown):
    row = clips_of(filmed.folder, "plain")[1]
    told = shown.get(f"api/clips/{row['id']}")
    for name in ("id", "video_id", "start_s", "end_s", "start_frame", "end_frame", "fps", "width", "height", "kept"):
        assert told[name] == row[name]
    assert told["name"] == "plain.mp4"
    assert Path(told["path"]) == filmed.films / "plain.mp4"
    assert told["codec"] == "h264"
    assert told["file"] is True
    assert told["made_by"]["recipe"] == "small"


def test_every_score_has_its_meaning_and_what_rules_say_of_it(filmed, shown):
    row = clips_of(filmed.folder, "plain")[0]
    rules = ["motion.mean >= 0", "duration_s >= 5", "look.luma < 0"]
    told = shown.get(f"api/clips/{row['id']}", rules=json.dumps(rules))
    scores = {score["key"]: score for score in told["scores"]}
    assert scores["motion.mean"]["value"] == pytest.approx(row["motion"]["mean"])
    assert "speed" in scores["motion.mean"]["about"]
    assert scores["duration_s"]["unit"] == "s"
    assert [scores[key]["rules"] for key in ("motion.mean", "duration_s", "look.luma")] == [
        [{"rule": "motion.mean >= 0", "holds": True}],
        [{"rule": "duration_s >= 5", "holds": False}],
        [{"rule": "look.luma < 0", "holds": False}],
    ]
    assert told["rejected_by"] == "duration_s >= 5"
    # Those that rules ask for come first.
    assert [score["key"] for score in told["scores"]][:3] == ["motion.mean", "duration_s", "look.luma"]


def test_a_score_whose_step_is_not_installed_is_shown_without_meaning(own_set):
    recipe = own_set / "recipe.toml"
    text = recipe.read_text()
    recipe.write_text(text.replace('[scores.motion]\nstep = "motion"', '[scores.motion]\nstep = "somebodys"'))
    assert "somebodys" in recipe.read_text()
    row = clips_of(own_set, "plain")[0]
    with served(own_set) as asker:
        scores = {score["key"]: score for score in asker.get(f"api/clips/{row['id']}")["scores"]}
        listed = {score["key"]: score for score in asker.get("api/set")["scores"]}
        drawn = asker.post("api/histograms", rules=[], keys=["motion.mean"])
    assert scores["motion.mean"]["value"] == pytest.approx(row["motion"]["mean"])
    assert scores["motion.mean"]["about"] == listed["motion.mean"]["about"] == drawn[0]["about"] == ""
    assert "brightness" in scores["look.luma"]["about"]


def test_a_clip_says_of_other_rules_what_they_would_do(filmed, shown):
    row = clips_of(filmed.folder, "plain")[0]
    assert not row["kept"]
    assert shown.get(f"api/clips/{row['id']}", rules="[]")["kept"]


def test_neighbours_are_those_of_the_same_video_in_time(filmed, shown):
    for film in ("plain", "parts", "ten"):
        ids = [row["id"] for row in clips_of(filmed.folder, film)]
        told = [shown.get(f"api/clips/{clip_id}")["neighbours"] for clip_id in ids]
        assert [one["previous"] for one in told] == [None, *ids[:-1]]
        assert [one["next"] for one in told] == [*ids[1:], None]


def test_captions_come_with_the_answer_they_are_from(own_set):
    clip = clips_of(own_set, "plain")[1]
    store = Store(own_set)
    common = {"clip_id": clip["id"], "video_id": clip["video_id"], "step": "lvd2m"}
    asked = {"prompt": "What is to be seen?", "prompt_tokens": 70, "completion_tokens": 9, "cost_usd": 0.01}
    store.append("answers", [{**common, "key": "k1", "question": "raw", "model": "m", **asked}])
    caption = {**common, "start_s": 0.0, "end_s": 6.0, "model": "m", "answer": "k1"}
    store.append(
        "captions",
        [
            {**caption, "kind": "raw", "number": 0, "text": "<b>A man", "problems": [], "frames_s": [0.5, 1.5]},
            {**caption, "kind": "refined", "number": 0, "text": "", "problems": ["is empty"], "frames_s": []},
        ],
    )
    with served(own_set) as asker:
        told = asker.get(f"api/clips/{clip['id']}")["captions"]
    raw, refined = (next(one for one in told if one["kind"] == kind) for kind in ("raw", "refined"))
    assert (raw["text"], raw["prompt"], raw["frames_s"]) == ("<b>A man", "What is to be seen?", [0.5, 1.5])
    assert raw["tokens"] == {"prompt": 70, "completion": 9}
    assert raw["cost_usd"] == 0.01
    assert refined["problems"] == ["is empty"]
    measured = [one for one in told if one["step"] == "measured"]
    assert measured
    assert all(one["model"] is one["prompt"] is None for one in measured)


def test_joined_transitions_and_their_votes_are_in_seconds_of_the_clip(own_set):
    clip = clips_of(own_set, "plain")[1]
    store = Store(own_set)
    edge = {"start_s": clip["start_s"] + 2.0, "end_s": clip["start_s"] + 2.5, "start_frame": 144, "end_frame": 156}
    joined = {"kind": "dissolve", **edge, "confidence": 0.7}
    schema = SCHEMAS["clips"]
    fields = [schema.field(name) for name in ("id", "transitions", "transitions_at")]
    store.update("clips", "id", [{"id": clip["id"], "transitions": 1, "transitions_at": [joined]}], pa.schema(fields))
    common = {"video_id": clip["video_id"], "number": 0, "start_s": edge["start_s"], "end_s": edge["end_s"]}
    others = {"video_id": clip["video_id"], "number": 1, "start_s": 1.0, "end_s": 1.0}
    store.append("votes", [{**common, "voter": "colour", "joins": True, "score": 0.9}, {**others, "voter": "colour"}])
    with served(own_set) as asker:
        told = asker.get(f"api/clips/{clip['id']}")
    assert [(one["kind"], one["start_s"], one["end_s"]) for one in told["joined"]] == [
        ("dissolve", pytest.approx(2.0), pytest.approx(2.5))
    ]
    assert [(one["voter"], one["joins"], one["start_s"]) for one in told["votes"]] == [
        ("colour", True, pytest.approx(2.0))
    ]


def test_copies_are_named(own_set):
    store = Store(own_set)
    clips = [clips_of(own_set, film)[0] for film in ("plain", "parts", "ten")]
    schema = score_schema([], ["copies.group", "copies.size", "copies.rank"])
    schema = schema.insert(0, SCHEMAS["clips"].field("id"))
    rows = [{"id": clip["id"], "copies": {"group": 7, "size": 2, "rank": 2 - i}} for i, clip in enumerate(clips[:2])]
    store.update("clips", "id", [*rows, {"id": clips[2]["id"], "copies": {"size": 1, "rank": 1}}], schema)
    with served(own_set) as asker:
        told = [asker.get(f"api/clips/{clip['id']}")["copies"] for clip in clips]
    assert told == [
        {"group": 7, "size": 2, "rank": 2, "others": [clips[1]["id"]]},
        {"group": 7, "size": 2, "rank": 1, "others": [clips[0]["id"]]},
        None,
    ]


def test_rows_of_lists_are_those_about_the_clip(filmed, own_set):
    clips = clips_of(own_set, "plain")
    common = {"folder": str(filmed.films.parent), "dataset": "d", "video": "plain", "url": "u"}
    spans = [("a", 0.0, CUT_S + 0.1), ("b", CUT_S, None)]
    rows = [
        {**common, "row": i, "clip": name, "start_s": start_s, "end_s": end_s, "scores": [{"name": "s", "value": 1.0}]}
        for i, (name, start_s, end_s) in enumerate(spans)
    ]
    Store(own_set).append("listed", rows)
    with served(own_set) as asker:
        told = [asker.get(f"api/clips/{clip['id']}")["listed"] for clip in clips]
    assert [[(row["clip"], row["scores"]) for row in rows] for rows in told] == [
        [("a", {"s": 1.0})],
        [("b", {"s": 1.0})],
    ]


@pytest.mark.parametrize("path", ["api/clips/nobody", "api/videos/nobody", "api/videos/nobody/curves"])
def test_what_is_not_there_is_said_in_words(shown, path):
    assert "nobody" in shown.get(path, status=404)["error"]


@pytest.mark.parametrize("name", ["' OR '1'='1", "..%2F..%2Fetc", "a'b\"c", "%00", "\u2028<script>"])
def test_names_are_only_looked_up(shown, name):
    for kind in ("clips", "videos"):
        assert shown.get(f"api/{kind}/{name}", status=404)["error"]


# Videos


def test_a_video_is_told_with_its_shots_and_clips(filmed, shown):
    clips = clips_of(filmed.folder, "plain")
    told = shown.get(f"api/videos/{clips[0]['video_id']}")
    assert [[pytest.approx(t) for t in shot] for shot in ([0, CUT_S], [CUT_S, DURATION_S])] == told["shots"]
    assert [(one["kind"], one["start_frame"]) for one in told["transitions"]] == [("cut", CUT)]
    assert [(one["id"], one["kept"], one["rejected_by"]) for one in told["clips"]] == [
        (row["id"], row["kept"], row["rejected_by"]) for row in clips
    ]
    assert told["sheet"]["count"] == DURATION_S / 2


def test_curves_say_what_was_measured(filmed, shown):
    """The first curve is the detector's own, and largest at the cut; the pans are 0.1 and 0.3 heights per second."""
    told = shown.get(f"api/videos/{clips_of(filmed.folder, 'plain')[0]['video_id']}")
    detector = told["curves"][0]
    assert (detector["label"], detector["column"]) == ("content", "score")
    assert detector["times"][int(np.argmax(detector["high"]))] == pytest.approx(CUT_S, abs=1 / FPS)
    curves = {(one["label"], one["column"]): one for one in told["curves"]}
    camera = curves["motion", "camera_x"]
    times, speeds = np.array(camera["times"]), np.array(camera["high"], float)
    assert np.median(speeds[times < CUT_S - 0.5]) == pytest.approx(-0.1, abs=0.02)
    assert np.median(speeds[times > CUT_S + 0.5]) == pytest.approx(-0.3, abs=0.05)
    assert camera["unit"] == "heights/s"
    assert all(one["about"] for one in told["curves"])
    assert not any(one["label"] == "signature" for one in told["curves"])


def test_a_part_of_a_curve_has_all_its_rows(filmed, shown):
    video_id = clips_of(filmed.folder, "plain")[0]["video_id"]
    curves = shown.get(f"api/videos/{video_id}/curves", start_s="3.5", end_s="4.5")
    assert len(curves[0]["times"]) == FPS
    assert curves[0]["times"][0] == pytest.approx(3.5)
    assert "seconds" in shown.get(f"api/videos/{video_id}/curves", status=400, start_s="nan")["error"]


def test_moves_lie_in_shots_and_say_what_the_camera_does(filmed, shown):
    moves = shown.get(f"api/videos/{clips_of(filmed.folder, 'plain')[0]['video_id']}")["moves"]
    assert {move["kind"] for move in moves} == {"pan right"}
    assert [move["start_s"] for move in moves] == [0.0, pytest.approx(CUT_S)]
    assert [move["speed"] for move in moves] == [pytest.approx(0.1, abs=0.02), pytest.approx(0.3, abs=0.03)]


def test_scenes_are_most_like_themselves(filmed, shown):
    clips = clips_of(filmed.folder, "plain")
    found = shown.get(f"api/videos/{clips[0]['video_id']}")["similarity"]
    assert found["edges"] == [clip["start_s"] for clip in clips] + [clips[-1]["end_s"]]
    matrix = np.array(found["matrix"])
    assert np.allclose(np.diag(matrix), 1, atol=1e-3)
    assert np.allclose(matrix, matrix.T)
    assert matrix[0, 1] < 0.9


def test_spans_are_in_order_of_time_and_of_many_good_ones_stay(own_set):
    clip = clips_of(own_set, "plain")[0]
    common = {"clip_id": clip["id"], "video_id": clip["video_id"], "step": "measured", "kind": "measured"}
    rows = [
        {**common, "number": i, "text": str(i), "start_s": float(-i), "rejected_by": "short" if i % 2 else None}
        for i in range(3 * SPANS_SHOWN)
    ]
    Store(own_set).append("spans", rows)
    with served(own_set) as asker:
        told = asker.get(f"api/videos/{clip['video_id']}")["spans"]
    assert len(told) == SPANS_SHOWN
    assert not any(span["rejected_by"] for span in told)
    assert [span["start_s"] for span in told] == sorted(span["start_s"] for span in told)


def test_of_very_many_scenes_neighbours_are_compared_as_one(filmed, shown):
    recipe = read_recipe(filmed.folder)
    measured = Measured(Store(filmed.folder), recipe, clips_of(filmed.folder, "plain")[0]["video_id"])
    edges = np.linspace(0, DURATION_S, 3 * PARTS + 8)
    found = measured.similarity(list(itertools.pairwise(edges.tolist())))
    assert len(found["matrix"]) == len(found["edges"]) - 1 == PARTS
    assert found["edges"][0] == 0
    assert found["edges"][-1] == pytest.approx(DURATION_S)
    assert set(found["edges"]) <= set(edges.tolist())


def test_a_signal_that_lacks_a_column_is_drawn_without_it(own_set):
    """As one that an older version measured."""
    store, video_id = Store(own_set), clips_of(own_set, "plain")[0]["video_id"]
    times = np.arange(5.0)
    series = {"columns": ("luma",), "times": times, "frames": times.astype(np.int32), "values": times[:, None]}
    named = {"key": "old", "label": "look", "step": "look", "version": 0, "parameters": {}}
    store.add_signals([{"video_id": video_id, **named, "series": series}])
    with served(own_set) as asker:
        curves = asker.get(f"api/videos/{video_id}")["curves"]
    assert [(one["column"], one["high"]) for one in curves if one["label"] == "look"] == [("luma", times.tolist())]


def test_a_column_measured_at_some_frames_only_is_one_line(own_set):
    """As evidence of gradual transitions, 15 times per second; where nothing was measured for long there is a gap."""
    store, video_id = Store(own_set), clips_of(own_set, "plain")[0]["video_id"]
    times = np.arange(60) / 30
    values = np.where(np.arange(60) % 2, np.nan, 1.0)
    values[20:40] = np.nan
    series = {"columns": ("luma",), "times": times, "frames": np.arange(60, dtype=np.int32), "values": values[:, None]}
    named = {"key": "new", "label": "look", "step": "look", "version": 9, "parameters": {}}
    store.add_signals([{"video_id": video_id, **named, "series": series}])
    with served(own_set) as asker:
        (curve,) = (one for one in asker.get(f"api/videos/{video_id}")["curves"] if one["label"] == "look")
    measured = [high for high, time in zip(curve["high"], curve["times"], strict=True) if not 0.61 < time < 1.33]
    assert measured[:-1] == [1.0] * 20
    assert None in curve["high"][10:30]


# Curves


@given(st.lists(st.floats(-1e6, 1e6, width=32) | st.just(np.nan), max_size=3000))
def test_a_reduced_curve_keeps_the_least_and_the_largest(values):
    values = np.array(values, np.float32)
    times = np.arange(len(values)) / 24
    curve = reduced(times, values)
    assert len(curve["times"]) == len(curve["low"]) == len(curve["high"]) == min(len(values), POINTS)
    assert curve["times"] == sorted(curve["times"])
    low, high = np.array(curve["low"]), np.array(curve["high"])
    known = values[~np.isnan(values)].astype(np.float64)
    if len(known):
        near = 1e-3 * max(abs(known).max(), 1e-9)
        assert np.nanmin(low) == pytest.approx(known.min(), abs=near)
        assert np.nanmax(high) == pytest.approx(known.max(), abs=near)
        assert np.all((low <= high) | np.isnan(low))
    else:
        assert np.isnan(low).all()


@pytest.mark.parametrize("count", [1, POINTS, POINTS + 1, 108_000])
def test_one_peak_is_not_lost(count):
    for peak in {0, count // 3, count - 1}:
        values = np.zeros(count, np.float32)
        values[peak] = 1
        curve = reduced(np.arange(count) / 30, values)
        assert len(curve["times"]) == min(count, POINTS)
        assert curve["high"].count(1.0) == 1
        at = curve["times"][curve["high"].index(1.0)]
        assert abs(at - peak / 30) <= count / POINTS / 30


@given(st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=20))
def test_rounding_leaves_four_digits(values):
    values = np.array(values)
    most = np.abs(values).max()
    assert np.all(np.abs(rounded(values) - values) <= 1e-3 * most)
