"""Which promises records of a published kind break."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from timelines import random_video

from longtake.grounding._broken import INVARIANTS, Known, Published
from longtake.grounding.internvid_g import internvid_g

SCENES = ((0.0, 10.0), (10.0, 14.0), (14.0, 30.0), (30.0, 40.0))
SIMILARITY = np.full((4, 4), 0.3)
SIMILARITY[0, 3] = SIMILARITY[3, 0] = 0.9
SOUND = Published("a.mp4", 10, 14, 0, 40, "a man rides", 40, 1, 1)


def broken(record: Published, of_video=(), scenes=(), similarity=None, **threshold: float) -> tuple[str, ...]:
    return Known(of_video, scenes, similarity).broken(record, **threshold)


def test_a_sound_record_breaks_nothing():
    assert broken(SOUND) == ()
    assert broken(SOUND, [SOUND, replace(SOUND, start_s=30, end_s=35, caption="a dog")], SCENES, SIMILARITY) == ()
    bare = Published("a.mp4", 10, 14, 0, 40, "a man rides")
    assert broken(bare, [bare], SCENES, SIMILARITY) == ()


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"end_s": 10}, ["no span"]),
        ({"neg_end_s": float("nan")}, ["no span"]),
        ({"neg_start_s": 12}, ["outside negative", "scene numbers"]),
        ({"neg_end_s": 41}, ["outside video", "never compared"]),
        ({"duration_s": 39.9}, ["outside video"]),
        ({"neg_start_s": 10, "neg_end_s": 14}, ["no context"]),
        ({"start_scene": 0}, ["scene numbers"]),
        ({"end_scene": 4}, ["scene numbers"]),
        ({"neg_start_s": 10, "neg_start_scene": 0}, []),
        ({"neg_start_s": 9, "neg_start_scene": 0}, ["scene numbers"]),
        ({"start_s": 9.8, "end_s": 14.2}, []),
        ({"start_s": 0, "end_s": 9, "start_scene": 0, "end_scene": 0}, ["scene numbers", "similar inside"]),
        ({"start_s": 0, "end_s": 10, "start_scene": 0, "end_scene": 0}, ["similar inside"]),
        ({"start_s": 0, "end_s": 10, "neg_end_s": 30, "start_scene": 0, "end_scene": 0, "neg_end_scene": 3}, []),
    ],
)
def test_each_fault_has_its_name(changes, names):
    record = replace(SOUND, **changes)
    if changes.get("neg_start_s") == 12:
        record = replace(record, neg_start_scene=0)
    assert list(broken(record, [record], SCENES, SIMILARITY)) == names


def test_scenes_never_compared():
    assert broken(SOUND, (), SCENES, SIMILARITY[:3, :3]) == ("never compared",)
    assert broken(replace(SOUND, neg_end_s=30), (), SCENES, SIMILARITY[:3, :3]) == ()
    unknown = SIMILARITY.copy()
    unknown[2] = unknown[:, 2] = np.nan
    assert broken(SOUND, (), SCENES, unknown) == ("never compared",)
    assert broken(SOUND, (), SCENES[:2] + SCENES[3:]) == ("never compared",)
    assert broken(SOUND, (), SCENES[:3]) == ("never compared",)


def test_other_records_of_the_video():
    shared = replace(SOUND, caption="a dog")
    assert broken(SOUND, [SOUND, shared]) == ("shared positive",)
    assert broken(SOUND, [SOUND, replace(shared, end_s=12)]) == ()
    repeated = replace(SOUND, start_s=20, end_s=25, caption="A man rides.")
    assert broken(SOUND, [SOUND, repeated]) == ("repeated caption",)
    assert broken(replace(SOUND, neg_end_s=19), [repeated]) == ()


def alike(some: float, other: float) -> bool:
    return abs(some - other) <= 0.01


def repeats(record: Published, other: Published) -> bool:
    """The other lies in the negative span beside the positive, by more than a rounding."""
    sides = ((record.neg_start_s, record.start_s), (record.end_s, record.neg_end_s))
    return max(min(other.end_s, end) - max(other.start_s, start) for start, end in sides) > 0.01


TIMES = st.integers(0, 60).map(lambda number: number * 0.004)
"""Closer together than what counts as a rounding, and never just as far."""
CAPTIONS = st.sampled_from(["a man", "A man.", "man a", "a dog", ""])
RECORDS = st.builds(Published, st.just("v"), TIMES, TIMES, TIMES, TIMES, CAPTIONS)


@given(st.lists(RECORDS, max_size=12))
def test_pairs_are_found_as_by_comparing_all_with_all(records: list[Published]):
    known = Known(records)
    said = [re.findall(r"\w+", record.caption.lower()) for record in records]
    for record, own in zip(records, said, strict=True):
        if record.end_s <= record.start_s:
            continue
        others = list(zip(records, said, strict=True))
        shared = [o for o, words in others if words != own and alike(o.start_s, record.start_s)]
        expected = {
            "shared positive": any(alike(other.end_s, record.end_s) for other in shared),
            "repeated caption": any(repeats(record, other) for other, words in others if words == own),
        }
        assert {name: name in known.broken(record) for name in expected} == expected


def test_a_video_of_very_many_records_is_compared_once_each():
    """Each caption is read twice: once for all, and once for its own record."""
    captions = [Counted(f"caption {number}") for number in range(300)]
    records = [replace(SOUND, caption=caption, start_s=10 + i / 1000) for i, caption in enumerate(captions)]
    known = Known(records)
    for record in records:
        assert known.broken(record) == ("shared positive",)
    assert max(caption.read for caption in captions) <= 4


class Counted(str):
    """A text that knows how often it was looked into."""

    read = 0

    def casefold(self) -> str:
        self.read += 1
        return super().casefold()


@pytest.mark.parametrize("huge", [float("inf"), 1e308, -1e308, float("nan")])
def test_numbers_beyond_all_videos_break_promises_and_nothing_else(huge: float):
    records = [replace(SOUND, end_s=huge), replace(SOUND, start_s=-abs(huge)), replace(SOUND, neg_end_s=huge)]
    known = Known([SOUND, *records], SCENES, SIMILARITY)
    assert set(known.broken(SOUND)) <= {"repeated caption"}
    assert all(known.broken(record) for record in records)


def test_the_threshold_counts_as_similar():
    first = replace(SOUND, start_s=0, end_s=10, start_scene=0, end_scene=0)
    assert broken(first, (), SCENES, SIMILARITY, similar_above=0.9) == ("similar inside",)
    assert broken(first, (), SCENES, SIMILARITY, similar_above=0.91) == ()


def test_the_default_way_breaks_nothing_and_the_published_way_much():
    found: dict[bool, set[str]] = {True: set(), False: set()}
    for seed in range(600):
        video, said = random_video(np.random.default_rng(seed), texts=False)
        n = len(video.starts_s)
        cosines = np.nan_to_num(video.shots @ video.shots.T, nan=-np.inf)
        similarity = np.full((n, n), -np.inf)
        np.maximum.at(similarity, (video.scene_of[:, None], video.scene_of[None]), cosines)
        unknown = np.isin(np.arange(n), video.scene_of[np.isnan(video.shots).any(axis=1)])
        similarity[unknown] = similarity[:, unknown] = np.nan
        scenes = list(zip(video.starts_s.tolist(), video.ends_s.tolist(), strict=True))
        for strict, names in found.items():
            ((_, spans),) = internvid_g([(video, said)], strict=strict)
            records = [
                Published(
                    "video",
                    span.start_s,
                    span.end_s,
                    span.neg_start_s,
                    span.neg_end_s,
                    span.text,
                    video.duration_s,
                    span.start_scene,
                    span.end_scene,
                    span.neg_start_scene,
                    span.neg_end_scene,
                )
                for span in spans
                if span.rejected_by is None
            ]
            known = Known(records, scenes, similarity)
            for record in records:
                names.update(known.broken(record))
    assert found[True] == set()
    assert {"no context", "shared positive", "repeated caption", "scene numbers", "never compared"} <= found[False]
    assert found[False] <= set(INVARIANTS)
