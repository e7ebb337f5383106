"""Which promises records of a published kind break."""

from dataclasses import replace

import numpy as np
import pytest
from timelines import random_video

from longtake.grounding._broken import INVARIANTS, Published, broken
from longtake.grounding.internvid_g import internvid_g

SCENES = ((0.0, 10.0), (10.0, 14.0), (14.0, 30.0), (30.0, 40.0))
SIMILARITY = np.full((4, 4), 0.3)
SIMILARITY[0, 3] = SIMILARITY[3, 0] = 0.9
SOUND = Published("a.mp4", 10, 14, 0, 40, "a man rides", 40, 1, 1)


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
            for record in records:
                names.update(broken(record, records, scenes, similarity))
    assert found[True] == set()
    assert {"no context", "shared positive", "repeated caption", "scene numbers", "never compared"} <= found[False]
    assert found[False] <= set(INVARIANTS)
