"""The default way, case by case: what bars a negative span, what joins a positive, and what is rejected for what."""

import numpy as np
import pytest
from timelines import angles, sentence, timeline, unit

from longtake.grounding import Sentence, Timeline
from longtake.grounding.internvid_g import NO_CONTEXT, UNSEEN, WEAK, internvid_g
from longtake.records import Similar, Span

APART = (0, 90, 180, 270)
"""Looks of which none is like another."""
EDGES = (0.0, 4.0, 8.0, 12.0, 16.0)


def spans(video: Timeline, said: list[Sentence], **parameters: object) -> list[Span]:
    ((_, found),) = internvid_g([(video, said)], **parameters)
    return found


def negative(span: Span) -> tuple[float, float, str, str]:
    return span.neg_start_s, span.neg_end_s, span.left, span.right


def test_a_video_of_one_scene_has_no_context():
    (span,) = spans(timeline(angles(0), (0, 5)), [sentence(0, 0, 5)])
    assert span.rejected_by == NO_CONTEXT
    assert negative(span) == (0, 5, "video", "video")


def test_part_of_a_long_video_has_all_of_it_around():
    (span,) = spans(timeline(angles(*APART), EDGES), [sentence(0, 4, 8)])
    assert span.rejected_by is None
    assert negative(span) == (0, 16, "video", "video")
    assert span.places == ("beginning", "middle", "throughout")
    assert (span.score, span.rival, span.similar) == (None, None, ())


def test_a_video_without_captions_gives_none():
    assert spans(timeline(angles(0), (0, 5)), []) == []


def test_nothing_measured_rejects_all():
    video = timeline(np.full((3, 2), np.nan), (0, 4, 8, 12))
    found = spans(video, [sentence(0, 0, 4), sentence(1, 4, 12, vector=angles(0)[0])])
    assert [span.rejected_by for span in found] == [UNSEEN, UNSEEN]
    assert [span.score for span in found] == [None, None]


def test_a_scene_with_an_unmeasured_shot_bars_and_makes_no_positive():
    looks = angles(0, 90, 120, 180)
    looks[2] = np.nan
    video = timeline(looks, (0, 4, 8, 12), scene_of=(0, 1, 1, 2))
    found = spans(video, [sentence(0, 0, 4), sentence(1, 4, 8), sentence(2, 8, 12)])
    assert [span.rejected_by for span in found] == [NO_CONTEXT, UNSEEN, NO_CONTEXT]
    assert negative(found[0]) == (0, 4, "video", "unseen")
    assert found[0].neg_end_scene == 1


def test_the_most_alike_shots_of_two_scenes_count():
    video = timeline(angles(0, 90, 180, 5), (0, 4, 8, 12), scene_of=(0, 1, 2, 2))
    (span,) = spans(video, [sentence(0, 0, 4)])
    assert negative(span) == (0, 8, "video", "similar")
    assert span.similar == (Similar(8, 12, pytest.approx(np.cos(np.deg2rad(5)), abs=1e-6)),)


def test_missing_time_bars():
    starts, ends = np.array([0.0, 4, 8.5, 12.5]), np.array([4.0, 8, 12.5, 16])
    looks = angles(*APART)
    frames = np.repeat(looks[:, None], 3, axis=1)
    spans_s = np.stack([starts, ends], axis=1)
    video = Timeline("video", 20.0, starts, ends, looks, np.arange(4, dtype=np.int32), frames, spans_s)
    first, last = spans(video, [sentence(0, 0, 4), sentence(1, 8.5, 12.5)])
    assert negative(first) == (0, 8, "video", "unseen")
    assert negative(last) == (8.5, 16, "unseen", "unseen")
    assert (first.neg_end_scene, last.neg_start_scene, last.neg_end_scene) == (None, None, None)


def test_what_the_caption_fits_as_well_bars():
    """The last scene looks otherwise, yet the caption fits it better than its own."""
    video = timeline(angles(*APART), EDGES)
    (span,) = spans(video, [sentence(0, 0, 4, vector=angles(-50)[0])], quantile=0.0)
    assert negative(span) == (0, 12, "video", "caption")
    assert span.score == pytest.approx(np.cos(np.deg2rad(50)))
    assert span.rival == pytest.approx(np.cos(np.deg2rad(130)))
    (wide,) = spans(video, [sentence(0, 0, 4, vector=angles(-40)[0])], quantile=0.0)
    assert negative(wide) == (0, 16, "video", "video")
    assert wide.rival == pytest.approx(np.cos(np.deg2rad(50)))


def test_the_margin_is_by_how_much_the_caption_must_fit_its_own_better():
    video, said = timeline(angles(*APART), EDGES), [sentence(0, 0, 4, vector=angles(-40)[0])]
    lead = np.cos(np.deg2rad(40)) - np.cos(np.deg2rad(50))
    assert spans(video, said, quantile=0.0, margin=lead - 0.01)[0].right == "video"
    assert spans(video, said, quantile=0.0, margin=lead + 0.01)[0].right == "caption"


def test_a_scene_that_the_caption_fits_exactly_as_well_bars():
    """The last scene has the very frames of the first, but other shots: a rounding is no lead."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        frames = unit(rng.normal(size=(5, 3, 512)))
        frames[4] = frames[0]
        video = timeline(unit(rng.normal(size=(5, 512))), range(6), frames=frames)
        (span,) = spans(video, [sentence(0, 0, 1, vector=unit(frames[0].mean(axis=0)))])
        assert negative(span) == (0, 4, "video", "caption")


def test_a_scene_without_measured_frames_bars_what_goes_by_them():
    frames = np.repeat(angles(*APART)[:, None], 3, axis=1)
    frames[2] = np.nan
    video = timeline(angles(*APART), EDGES, frames=frames)
    assert negative(spans(video, [sentence(0, 0, 4, vector=angles(0)[0])])[0]) == (0, 8, "video", "unseen")
    assert negative(spans(video, [sentence(0, 0, 4)])[0]) == (0, 16, "video", "video")
    assert spans(video, [sentence(0, 8, 12, vector=angles(0)[0])])[0].rejected_by == UNSEEN


@pytest.mark.parametrize(
    ("text", "vector", "bars"),
    [
        ("A man rides, a horse!", None, True),
        ("a horse a man rides", None, True),
        ("a man rides a dog", None, False),
        ("a man rides a dog", 195, True),
        ("a man rides a dog", 230, False),
        ("a man rides a horse", 230, True),
    ],
)
def test_a_scene_whose_caption_says_the_same_bars(text, vector, bars):
    """By words where there are no vectors, else by those; the same words always do. The caption fits no scene well."""
    video = timeline(angles(0, 20, 60, 100), EDGES, frames=np.repeat(angles(0, 350, 10, 350)[:, None], 3, axis=1))
    own = None if vector is None else angles(180)[0]
    other = None if vector is None else angles(vector)[0]
    said = [sentence(0, 8, 12, "a man rides a horse", own), sentence(1, 0, 4, text, other)]
    found = spans(video, said, quantile=0.0, margin=-1.0)
    assert found[0].left == ("caption" if bars else "video")


def test_a_neighbour_that_looks_alike_joins_where_the_caption_fits_it_as_well():
    video = timeline(angles(0, 10, 90, 180), EDGES)
    (fits,) = spans(video, [sentence(0, 0, 4, vector=angles(8)[0])], quantile=0.0)
    assert (fits.start_s, fits.end_s, fits.end_scene) == (0, 8, 1)
    (fits_less,) = spans(video, [sentence(0, 0, 4, vector=angles(2)[0])], quantile=0.0)
    assert (fits_less.start_s, fits_less.end_s, fits_less.right) == (0, 4, "similar")
    (unknown,) = spans(video, [sentence(0, 0, 4)])
    assert (unknown.start_s, unknown.end_s, unknown.right) == (0, 4, "similar")


def test_a_neighbour_with_its_own_caption_joins_only_where_that_says_the_same():
    video = timeline(angles(0, 10, 90, 180), EDGES)
    same = [sentence(0, 0, 4, "a man rides"), sentence(1, 4, 8, "A man rides.")]
    assert [(span.start_s, span.end_s) for span in spans(video, same)] == [(0, 8), (0, 8)]
    other = [sentence(0, 0, 4, "a man rides", angles(8)[0]), sentence(1, 4, 8, "a woman sings", angles(120)[0])]
    assert spans(video, other, quantile=0.0)[0].end_s == 4


def test_growth_goes_by_the_captioned_stretch_and_does_not_drift():
    """Each scene is like the next; the third is not like the first."""
    video = timeline(angles(0, 30, 60, 180), (0, 2, 4, 6, 12))
    said = [sentence(i, 2 * i, 2 * i + 2, "a man rides") for i in range(3)]
    found = spans(video, said)
    assert [(span.start_scene, span.end_scene) for span in found] == [(0, 1), (0, 2), (1, 2)]
    assert [span.right for span in found] == ["similar", "video", "video"]


def test_captions_that_fit_least_of_the_whole_set_are_rejected_and_still_bar():
    """Four captions in two videos; the better half of all four stays, wherever they are."""
    video = timeline(angles(0, 90, 180, 0), EDGES)
    weak = [sentence(0, 0, 4, "one", angles(70)[0]), sentence(1, 8, 12, "two", angles(100)[0])]
    strong = [sentence(0, 4, 8, "one", angles(92)[0]), sentence(1, 12, 16, "two", angles(3)[0])]
    (_, first), (_, second) = internvid_g([(video, weak), (video, strong)])
    assert [span.rejected_by for span in first] == [WEAK, WEAK]
    assert [span.rejected_by for span in second] == [None, None]
    assert [span.score for span in second] == pytest.approx(np.cos(np.deg2rad([2, 3])))
    assert second[1].neg_start_s == 4  # the first scene, without a caption, bars
    assert [one.start_s for one in second[1].similar] == [0]


def test_an_absolute_score_can_be_asked_for():
    video = timeline(angles(*APART), EDGES)
    said = [sentence(0, 0, 4, vector=angles(20)[0]), sentence(1, 4, 8, vector=angles(90)[0])]
    found = spans(video, said, quantile=0.0, least_score=0.95)
    assert [span.rejected_by for span in found] == [WEAK, None]
    assert [span.rejected_by for span in spans(video, said, quantile=0.0)] == [None, None]


def test_frames_are_pooled_by_the_best_or_the_mean():
    frames = np.stack([angles(0, 60, np.nan), angles(90, 90, 90), angles(180, 180, 180)])
    video = timeline(angles(0, 90, 180), (0, 4, 8, 12), frames=frames)
    said = [sentence(0, 0, 4, vector=angles(0)[0])]
    assert spans(video, said, pool="max")[0].score == pytest.approx(1)
    assert spans(video, said, pool="mean")[0].score == pytest.approx(0.75)


def test_no_more_similar_scenes_are_named_than_asked_for():
    degrees = (0, 90, 20, 90, 5, 90, 30, 90, 10)
    video = timeline(angles(*degrees), np.arange(10.0))
    (all_of_them,) = spans(video, [sentence(0, 0, 1)])
    assert [one.start_s for one in all_of_them.similar] == [2, 4, 6, 8]
    (two,) = spans(video, [sentence(0, 0, 1)], most_similar=2)
    assert [one.start_s for one in two.similar] == [4, 8]
    assert spans(video, [sentence(0, 0, 1)], most_similar=0)[0].similar == all_of_them.similar


def test_neither_the_order_of_captions_nor_blocks_make_a_difference():
    """More scenes and captions than fit one block, taken in order and anyhow."""
    rng = np.random.default_rng(3)
    edges = np.cumsum(np.append(0, rng.uniform(1, 5, 200)))
    vectors = angles(*rng.uniform(0, 360, 200))
    video = timeline(angles(*rng.uniform(0, 360, 200)), edges)
    said = [sentence(i, edges[i], edges[i + 1], vector=vectors[i]) for i in range(200)]
    shuffled = rng.permutation(200)
    found = spans(video, said)
    again = spans(video, [said[i] for i in shuffled])
    for position, number in enumerate(shuffled):
        assert negative(again[position]) == negative(found[number])
        assert again[position].rejected_by == found[number].rejected_by


def test_videos_whose_captions_have_no_vectors_leave_the_filter_of_the_others_as_it_is():
    """Wherever they stand in the set; so do sentences without one beside others with one."""
    video = timeline(angles(*APART), EDGES)
    bare = (video, [sentence(0, 0, 4), sentence(1, 4, 8)])
    scored = (video, [sentence(0, 0, 4, vector=angles(30)[0]), sentence(1, 4, 8), sentence(2, 8, 12)])
    strong = (video, [sentence(0, 0, 4, vector=angles(3)[0])])
    for videos in ([bare, scored, strong], [scored, strong, bare], [scored, bare, strong]):
        found = [[span.rejected_by for span in some] for _, some in internvid_g(videos)]
        expected = {id(bare): [None, None], id(scored): [WEAK, None, None], id(strong): [None]}
        assert found == [expected[id(one)] for one in videos]


PARTS = (0.0, 4.0, 8.0, 12.0, 24.0)
"""Three parts of one clip, of which the first two look alike, and a clip that is none of it."""


def parts(*told: float) -> tuple[Timeline, list[Sentence]]:
    """The captions of the parts lie at angles to what their frames show."""
    video = timeline(angles(0, 30, 90, 200), PARTS)
    said = [sentence(0, 4.0 * i, 4.0 * i + 4, f"caption number {i}", angles(told[i])[0]) for i in range(3)]
    return video, said


def test_parts_of_a_clip_bar_each_other_by_their_looks_unless_told_otherwise():
    assert [negative(span)[:2] for span in spans(*parts(-5, 35, 90), quantile=0.0)] == [(0, 4), (4, 24), (0, 24)]
    found = spans(*parts(-5, 35, 90), quantile=0.0, part_margin=0.1)
    assert [negative(span) for span in found] == [(0, 24, "video", "video")] * 3
    assert [span.rejected_by for span in found] == [None] * 3
    assert [[one.start_s for one in span.similar] for span in found] == [[4], [0], []], "they are still named"


def test_the_caption_has_to_beat_the_other_part_by_that_much():
    """The first caption fits its own part by a cosine of 1, the second by 0.87: it leads by 0.13."""
    for part_margin, reach in ((0.13, 24), (0.14, 4)):
        assert spans(*parts(0, 35, 90), quantile=0.0, part_margin=part_margin)[0].neg_end_s == reach


def test_only_parts_of_its_own_clip_are_let_in():
    video, said = parts(-5, 35, 90)
    other = sentence(1, 4, 8, said[1].text, said[1].vector)
    assert spans(video, [said[0], other, said[2]], quantile=0.0, part_margin=0.1)[0].neg_end_s == 4


def test_without_scores_parts_bar_by_looks():
    video, said = parts(-5, 35, 90)
    bare = [sentence(0, one.start_s, one.end_s, one.text) for one in said]
    assert [span.neg_end_s for span in spans(video, bare, part_margin=0.1)] == [4, 24, 24]
