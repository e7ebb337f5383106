"""With `strict=False` spans are those of the published script, faults and all; by default the faults are gone."""

from dataclasses import asdict

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from timelines import angles, random_video, sentence, timeline

from longtake.grounding import Sentence, Timeline
from longtake.grounding.internvid_g import LONG, NO_CONTEXT, NOWHERE, SHARED, internvid_g
from longtake.records import Span


def spans(video: Timeline, said: list[Sentence], **parameters: object) -> list[Span]:
    ((_, found),) = internvid_g([(video, said)], **parameters)
    return found


def as_published(video: Timeline, said: list[Sentence], **parameters: object) -> list[Span]:
    return spans(video, said, strict=False, quantile=0.0, **parameters)


def expected(video: Timeline, said: list[Sentence], **parameters: object) -> list[dict | None]:
    n = len(video.starts_s)
    shots = [video.shots[video.scene_of == scene].astype(float).tolist() for scene in range(n)]
    most = parameters.get("most_scenes", 100)
    matrix = reference.similarity_matrix(shots[:most])
    scenes = list(zip(video.starts_s.tolist(), video.ends_s.tolist(), strict=True))
    return [reference.record(one.start_s, one.end_s, scenes, matrix, video.duration_s, **parameters) for one in said]


def assert_equal(found: list[Span], wanted: list[dict | None]) -> None:
    assert len(found) == len(wanted)
    for span, record in zip(found, wanted, strict=True):
        if record is None:
            assert span.rejected_by
        else:
            assert not span.rejected_by
            assert {key: asdict(span)[key] for key in record} == record


@given(st.integers(0, 2**32), st.booleans(), st.sampled_from([0.0, 0.8, 0.5]), st.sampled_from([100, 4]))
def test_every_record_is_that_of_the_formulas(seed, texts, same, most_scenes):
    video, said = random_video(np.random.default_rng(seed), texts=texts, whole=True)
    found = as_published(video, said, similar_above=same, most_scenes=most_scenes)
    assert_equal(found, expected(video, said, same=same, most_scenes=most_scenes))


def test_so_are_those_of_many_videos():
    kept = grown = bounded = 0
    for seed in range(400):
        video, said = random_video(np.random.default_rng(seed), whole=True)
        found = as_published(video, said)
        assert_equal(found, expected(video, said))
        kept += sum(span.rejected_by is None for span in found)
        grown += sum(span.start_s < span.caption_start_s - 0.3 for span in found)
        bounded += sum(span.left == "similar" for span in found)
    assert min(kept, grown, bounded) > 50  # of all that can happen enough did


def test_scenes_after_the_first_hundred_are_not_compared():
    rng = np.random.default_rng(1)
    edges = np.round(np.cumsum(np.append(0, rng.uniform(1, 3, 130))), 3)
    video = timeline(angles(*rng.choice(np.arange(0, 360, 7), 130)), edges)
    said = [sentence(i, edges[i], edges[i + 1]) for i in range(130)]
    found = as_published(video, said, most_scenes=100)
    assert_equal(found, expected(video, said))
    assert [span.neg_end_s for span in found if span.right == "video"].count(video.duration_s) > 0


@pytest.mark.parametrize("cosine", [0.8, 0.801, 0.799])
def test_on_the_threshold_a_scene_neither_joins_nor_differs(cosine):
    """The script grows over what is more alike than 0.8 and lets pass what is less: 0.8 itself is a bar."""
    looks = [(1.0, 0.0), (cosine, (1 - cosine**2) ** 0.5), (-1.0, 0.0)]
    video = timeline(looks, (0, 3, 6, 9))
    (span,) = as_published(video, [sentence(0, 0, 3)])
    assert_equal([span], expected(video, [sentence(0, 0, 3)]))
    assert span.neg_end_s == {0.8: 3, 0.801: 9, 0.799: 9}[cosine]
    assert span.end_s == {0.8: 3, 0.801: 6, 0.799: 3}[cosine]


def test_lengths_and_shifts_on_their_limits():
    video = timeline(angles(0, 90, 180, 270), (0, 10, 10.5, 20.5, 30))
    places = [(0, 10), (0, 10.001), (10, 10.5), (10, 10.499), (0.25, 10.25), (0.26, 10.2)]
    said = [sentence(i, *place) for i, place in enumerate(places)]
    found = as_published(video, said)
    assert_equal(found, expected(video, said))
    assert [span.rejected_by is None for span in found] == [True, False, True, False, True, False]


def test_the_worked_figure():
    """A segment 36.64-38.64 of a video of 533.8 s, for which 28.80-32.68 is the one similar scene."""
    edges = (0, 9.2, 20.0, 28.8, 32.68, 34.5, 36.64, 38.64, 41.0, 300.0, 533.8)
    looks = angles(90, 200, 150, 10, 120, 250, 0, 80, 170, 260)
    said = [sentence(0, 36.64, 38.64)]
    for span in (*as_published(timeline(looks, edges), said), *spans(timeline(looks, edges), said)):
        assert (span.start_s, span.end_s, span.neg_start_s, span.neg_end_s) == (36.64, 38.64, 32.68, 533.8)
        assert (span.start_scene, span.end_scene, span.neg_start_scene, span.neg_end_scene) == (6, 6, 3, None)
        assert (span.left, span.right, span.rejected_by) == ("similar", "video", None)
        assert [(one.start_s, one.end_s) for one in span.similar] == [(28.8, 32.68)]


def test_defect_7_the_negative_reaches_over_scenes_never_compared():
    video = timeline(angles(0, 120, 240, 0), (0, 4, 8, 12, 16))
    said = [sentence(0, 0, 4)]
    (loose,), (strict,) = as_published(video, said, most_scenes=3), spans(video, said, most_scenes=3)
    assert (loose.neg_end_s, loose.right) == (16, "video")
    assert (strict.neg_end_s, strict.right, strict.neg_end_scene) == (12, "unseen", 3)


@pytest.mark.parametrize(
    "degrees",
    [pytest.param((0, 0, 0), id="all alike"), pytest.param((0, 36, 72, 108, 144), id="a chain of neighbours")],
)
def test_defect_9_the_negative_is_the_positive(degrees):
    edges = np.arange(len(degrees) + 1) * 3.0
    middle = len(degrees) // 2
    said = [sentence(0, 3.0 * middle, 3.0 * middle + 3)]
    (loose,) = as_published(timeline(angles(*degrees), edges), said)
    assert loose.rejected_by is None
    assert (loose.neg_start_s, loose.neg_end_s) == (loose.start_s, loose.end_s)
    (strict,) = spans(timeline(angles(*degrees), edges), said)
    assert strict.rejected_by == NO_CONTEXT
    assert strict.places == ("throughout",)


def test_defect_10_two_captions_have_one_positive():
    """Neighbours with a similarity of 0.82: alike, though not enough to have been joined before."""
    video = timeline(angles(0, 35, 180, 180), (0, 4, 8, 12, 16))
    said = [sentence(0, 0, 4, "a man speaks"), sentence(1, 4, 8, "a woman listens")]
    loose = as_published(video, said)
    assert [(span.start_s, span.end_s, span.rejected_by) for span in loose] == [(0, 8, None)] * 2
    strict = spans(video, said)
    assert [(span.start_s, span.end_s) for span in strict] == [(0, 4), (4, 8)]
    assert [(span.left, span.right) for span in strict] == [("video", "similar"), ("similar", "video")]
    assert strict[0].rejected_by == NO_CONTEXT  # there is nothing on its left, and on its right its like
    assert strict[1].rejected_by is None


def test_one_positive_with_two_captions_keeps_the_better():
    video = timeline(angles(0, 90, 180), (0, 4, 8, 12))
    said = [sentence(0, 4, 8, "a man", angles(80)[0]), sentence(1, 4, 8, "a dog", angles(89)[0])]
    assert [span.rejected_by for span in spans(video, said, quantile=0.0)] == [SHARED, None]
    assert [span.rejected_by for span in spans(video, said[::-1], quantile=0.0)] == [None, SHARED]
    equals = [sentence(0, 4, 8, "a man"), sentence(1, 4, 8, "a dog")]
    assert [span.rejected_by for span in spans(video, equals)] == [None, SHARED]


def test_defect_12_a_caption_on_no_scene_takes_the_first_to_the_last():
    """After the last scene starts nothing is left to start with, and the first is taken."""
    video = timeline(angles(0, 90, 180, 270), (0, 3, 6, 9, 14))
    said = [sentence(0, 10, 14)]
    (loose,) = as_published(video, said)
    assert (loose.start_scene, loose.end_scene, loose.rejected_by) == (0, 3, None)
    assert (loose.start_s, loose.end_s) == (10, 14)
    (strict,) = spans(video, said)
    assert strict.rejected_by == NOWHERE
    assert (strict.start_scene, strict.end_scene) == (3, 3)


def test_a_limit_of_0_lets_long_positives_pass():
    video = timeline(angles(0, 90), (0, 60, 180))
    said = [sentence(0, 0, 60)]
    assert [spans(video, said)[0].rejected_by, as_published(video, said)[0].rejected_by] == [LONG, LONG]
    assert spans(video, said, most_s=0.0)[0].rejected_by is None
    assert as_published(video, said, most_s=0.0)[0].rejected_by is None
