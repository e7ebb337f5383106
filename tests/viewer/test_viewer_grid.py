"""Clips page by page are those that `longtake select` would keep, in the order asked for."""

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from looking import served

from longtake.schemas import SCHEMAS, score_schema
from longtake.select import parse_rule
from longtake.select_set import select_set
from longtake.selecting import choose
from longtake.store import Store, score_columns

RULES = ["duration_s >= 10", "content.max < 0.9", "motion.mean >= 0.077"]
KEYS = ("duration_s", "motion.mean", "look.luma", "content.max", "start_s")

a_rule = st.builds(
    "{} {} {:g}".format,
    st.sampled_from(KEYS),
    st.sampled_from([">=", "<=", ">", "<", "==", "!="]),
    st.floats(0, 30).map(lambda number: float(f"{number:.3g}")),
)


def whole(asker, **asked):
    """All clips of a question, page by page."""
    found = []
    while True:
        page = asker.post("api/clips", **asked, offset=len(found), limit=200)
        found += page["clips"]
        if len(found) >= page["total"]:
            assert len(found) == page["total"]
            return found


@settings(max_examples=8)
@given(st.lists(a_rule, max_size=5))
def test_rules_say_what_select_says(made, asker, rules):
    clips = Store(made).read("clips")
    selection, rows = choose(clips, [parse_rule(text) for text in rules])
    answer = asker.post("api/select", rules=rules)
    assert [row["clips"] for row in answer["funnel"]] == [row.clips for row in rows]
    assert [row["rejected_s"] for row in answer["funnel"]] == [row.rejected_s for row in rows]
    assert [row["not_measured"] for row in answer["funnel"]] == [row.not_measured for row in rows]
    shown = {clip["id"]: clip["rejected_by"] for clip in whole(asker, rules=rules, show="all")}
    assert shown == dict(zip(clips["id"].to_pylist(), selection.reasons(), strict=True))


def test_the_command_counts_the_same(made, asker):
    choice = select_set(made, RULES)
    answer = asker.post("api/select", rules=RULES)
    assert answer["kept"] == choice.funnel[-1].clips > 0
    assert answer["kept_s"] == choice.funnel[-1].seconds


def test_kept_and_rejected_clips_are_all_clips_once_each(made, asker):
    sides = [whole(asker, rules=RULES, show=show) for show in ("kept", "rejected", "all")]
    kept, rejected, every = ([clip["id"] for clip in side] for side in sides)
    assert sorted(kept + rejected) == sorted(every) == sorted(Store(made).read("clips", ["id"])["id"].to_pylist())
    assert all(clip["kept"] and clip["rejected_by"] is None for clip in sides[0])
    assert not any(clip["kept"] for clip in sides[1])


def test_what_a_rule_rejected_is_shown_with_the_number(asker):
    found = whole(asker, rules=RULES, by="content.max < 0.9")
    assert found
    for clip in found:
        assert clip["rejected_by"].startswith("content.max < 0.9")
        assert clip["rejected_value"] == clip["scores"]["content.max"] >= 0.9
    counted = asker.post("api/select", rules=RULES)["funnel"][2]["rejected"]
    assert len(found) == counted


@pytest.mark.parametrize("descending", [False, True])
def test_sorted_by_a_score_those_without_one_come_last(asker, descending):
    found = whole(asker, rules=[], sort="look.luma", descending=descending)
    values = [clip["scores"]["look.luma"] for clip in found]
    there = [value for value in values if value is not None]
    assert values[: len(there)] == sorted(there, reverse=descending)
    assert 0 < values.count(None) == len(values) - len(there)


def test_place_is_video_by_video_in_order_of_time(asker):
    found = whole(asker, rules=RULES)
    places = [(clip["name"], clip["start_s"]) for clip in found]
    assert places == sorted(places)
    assert places[::-1] == [(c["name"], c["start_s"]) for c in whole(asker, rules=RULES, sort="place", descending=True)]


def test_a_random_order_is_the_same_for_a_seed(asker):
    first, again, other = ([c["id"] for c in whole(asker, rules=RULES, sort=f"random:{seed}")] for seed in (1, 1, 2))
    assert first == again != other
    assert sorted(first) == sorted(other)


def test_where_narrows_what_is_shown_and_not_what_is_kept(made, asker):
    values = score_columns(Store(made).read("clips"))
    found = whole(asker, rules=RULES, show="rejected", where=["look.luma < 0.2"])
    _, rows = choose(Store(made).read("clips"), [parse_rule(text) for text in RULES])
    assert 0 < len(found) < values["look.luma"].size - rows[-1].clips
    assert all(clip["scores"]["look.luma"] < 0.2 and not clip["kept"] for clip in found)


def test_one_video_alone(asker):
    some = asker.post("api/clips", rules=RULES)["clips"][0]
    found = whole(asker, rules=[], show="all", video=some["video_id"])
    assert {clip["video_id"] for clip in found} == {some["video_id"]}
    assert len(found) == 50
    assert whole(asker, rules=[], video="nobody") == []


def test_words_find_the_captions_that_have_them_all(made, asker):
    captions = Store(made).read("captions", ["clip_id", "text"]).to_pylist()
    wanted = {c["clip_id"] for c in captions if {"harbour", "sails"} <= set(c["text"].split())}
    found = whole(asker, rules=[], words="Sails HARBOUR")
    assert {clip["id"] for clip in found} == wanted
    assert 0 < len(wanted) < len(captions)
    # The one that says both most often comes before one that says each once.
    times = {c["clip_id"]: len(re.findall(r"\b(?:sails|harbour)\b", c["text"])) for c in captions}
    assert times[found[0]["id"]] > times[found[-1]["id"]]
    assert whole(asker, rules=[], words="xylophone") == []
    assert len(whole(asker, rules=[], words="  ")) == len(captions)


def test_a_search_sees_captions_written_after_its_index(own):
    store = Store(own)
    clip = store.read("clips", ["id", "video_id"]).to_pylist()[3]
    with served(own) as asker:
        assert asker.post("api/clips", rules=[], words="narwhal")["total"] == 0
        row = {"clip_id": clip["id"], "video_id": clip["video_id"], "step": "lvd2m", "kind": "raw", "number": 0}
        store.append("captions", [{**row, "text": "A narwhal!", "problems": [], "frames_s": []}])
        found = asker.post("api/clips", rules=[], words="narwhals")["clips"]
    assert [one["id"] for one in found] == [clip["id"]]


def test_more_like_this_are_the_nearest(own, rng):
    store = Store(own)
    clips = store.read("clips", ["id", "video_id"]).to_pylist()
    vectors = rng.normal(size=(len(clips), 16)).astype(np.float32)
    vectors[40:45] = vectors[40] + rng.normal(size=(5, 16)).astype(np.float32) * 0.05
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = [
        {"clip_id": clip["id"], "video_id": clip["video_id"], "start_s": 0.0, "end_s": 1.0, "vector": vector}
        for clip, vector in zip(clips, vectors.tolist(), strict=True)
    ]
    store.append("vectors", rows, vectors_of(16))
    cosines = {clip["id"]: float(vectors[40] @ vector) for clip, vector in zip(clips, vectors, strict=True)}
    with served(own) as asker:
        assert asker.get("api/set")["has"]["like"]
        found = asker.post("api/clips", rules=[], like=clips[40]["id"], limit=5)["clips"]
        asker.post("api/clips", 404, rules=[], like="nobody")
    assert {clip["id"] for clip in found} == {clip["id"] for clip in clips[40:45]}
    assert [clip["likeness"] for clip in found] == pytest.approx(sorted(cosines.values())[:-6:-1], abs=1e-5)


def vectors_of(size):
    schema = SCHEMAS["vectors"]
    place = schema.get_field_index("vector")
    return schema.set(place, pa.field("vector", pa.list_(pa.float32(), size)))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"rules": ["duration_s >= 10", "motion.men > 1"]}, "did you mean 'motion.mean'"),
        ({"rules": ["duration_s >= 10", "long please"]}, "is no rule"),
    ],
)
@pytest.mark.parametrize("path", ["api/select", "api/clips"])
def test_a_wrong_rule_is_named(asker, path, asked, words):
    answer = asker.post(path, 400, **asked)
    assert words in answer["error"]
    assert answer["rule"] == 1


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"offset": -1}, "offset"),
        ({"sort": "luma"}, "look.luma"),
        ({"sort": "random:x"}, "random:7"),
        ({"show": "some"}, "show"),
        ({"wher": []}, "where"),
        ({"by": "fps > 1"}, "none of the rules"),
        ({"where": ["luma > 1"]}, "look.luma"),
        ({"limit": "many"}, "limit"),
    ],
)
def test_what_cannot_be_asked_is_said(asker, asked, words):
    assert words in asker.post("api/clips", 400, **{"rules": RULES, **asked})["error"]


def test_rules_about_copies_go_by_the_ranks_that_are_left(own):
    """The best copy is rejected by the rule before, so that the second takes its place."""
    store = Store(own)
    rows = store.read("clips", ["id"]).to_pylist()
    schema = score_schema([], ["copies.group", "copies.size", "copies.rank"])
    schema = schema.insert(0, store.columns("clips").field("id"))
    groups = [
        {"id": row["id"], "copies": {"group": number // 3, "size": 3, "rank": number % 3 + 1}}
        for number, row in enumerate(rows)
    ]
    store.update("clips", "id", groups, schema)
    rules = ["duration_s >= 8", "copies.rank <= 1"]
    with served(own) as asker:
        answer = asker.post("api/select", rules=rules)
        assert asker.get("api/set")["has"]["copies"]
    choice = select_set(own, rules)
    assert [row["clips"] for row in answer["funnel"]] == [row.clips for row in choice.funnel]
    lengths = score_columns(store.read("clips"))["duration_s"]
    assert answer["kept"] == len({number // 3 for number in np.flatnonzero(lengths >= 8)})
