"""Every good record is sound when it is read as published, though its times are rounded on the way out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from timelines import angles, random_video, sentence, timeline, unit

from longtake.exports import Grounded
from longtake.exports.internvid_g import internvid_g as write
from longtake.grounding import Sentence, Timeline
from longtake.grounding.internvid_g import NO_CONTEXT, internvid_g
from longtake.published import Checked, check_spans
from longtake.records import Span


def checked(folder: Path, videos: Sequence[tuple[Timeline, list[Sentence]]], **parameters: object) -> Checked:
    """Ground videos, write the good records as the export does, and check its files; one of them is there always."""
    sound = exactly(4.0, 4.0, 8.0)
    videos = [*videos, (sound, [sentence(0, 4.0, 8.0)])]
    grounded = [
        Grounded(
            {"id": str(number), "path": f"{number}.mp4", "duration_s": video.duration_s},
            "train",
            [],
            [],
            [],
            [{name: getattr(span, name) for name in Span.__slots__} for span in spans if span.rejected_by is None],
            video,
        )
        for number, (video, spans) in enumerate(internvid_g(videos, **parameters))
    ]
    write(grounded, folder, lambda _: [], instructions=False)
    names = ("final_dataset", "scenes-merged", "scenes_merged_similarity")
    found = check_spans(*(folder / "train" / f"{name}.jsonl" for name in names))
    assert found.records == sum(len(video.spans) for video in grounded)
    return found


def faults(found: Checked) -> dict[str, int]:
    assert found.sound == found.records or any(one.records for one in found.broken)
    return {one.invariant: one.records for one in found.broken if one.records}


def exactly(*lengths: float) -> Timeline:
    """Scenes of these lengths, added up as floats are, of which none looks like another."""
    return timeline(unit(np.eye(len(lengths))), np.cumsum([0.0, *lengths]))


@pytest.mark.parametrize("texts", [True, False])
def test_records_of_many_structures_are_sound(tmp_path: Path, texts: bool) -> None:
    rng = np.random.default_rng(7)
    videos = [random_video(rng, most_scenes=12, texts=texts) for _ in range(1500)]
    if texts:
        videos = [(video, [by_words(one) for one in said]) for video, said in videos]
    found = checked(tmp_path, videos, quantile=0.0)
    assert faults(found) == {}
    assert found.records > 400


def by_words(one: Sentence) -> Sentence:
    """The same sentence always has the same vector."""
    assert one.vector is not None
    vector = unit(np.random.default_rng(list(one.text.encode())).normal(size=len(one.vector)))
    return sentence(int(one.clip_id[4:]), one.start_s, one.end_s, one.text, vector)


def test_what_has_joined_one_record_is_in_no_negative_span_of_the_same_caption(tmp_path: Path) -> None:
    """The third scene fits the caption better than the fourth, whose caption it is, and less than the first."""
    frames = np.repeat(angles(5, 90, 20, 30, 180)[:, None], 3, axis=1)
    video = timeline(angles(0, 90, 180, 185, 270), (0, 4, 20, 24, 28, 60), frames=frames)
    said = [sentence(0, 0, 4, "a man rides", angles(0)[0]), sentence(1, 24, 28, "a man rides", angles(0)[0])]
    found = checked(tmp_path, [(video, said)], quantile=0.0)
    assert faults(found) == {}
    assert found.records == 3


@pytest.mark.parametrize(
    "lengths",
    [
        pytest.param((1.0, 3.0, 3.0 + 1e-14), id="1e-14 s more than it must be"),
        pytest.param((1.0004, 3.0003, 3.0006), id="what rounding to the millisecond takes away"),
        pytest.param((2.0006, 4.0, 2.0006), id="half of it on both sides"),
    ],
)
def test_context_that_a_rounding_takes_away_is_none(tmp_path: Path, lengths: tuple[float, ...]) -> None:
    video = exactly(*lengths)
    edges = [*video.starts_s.tolist(), video.duration_s]
    said = [sentence(number, edges[number], edges[number + 1]) for number in range(3)]
    assert faults(checked(tmp_path, [(video, said)], least_s=0.0, shift_s=0.0)) == {}


@given(st.floats(0, 3600), st.floats(0.5, 9), st.floats(-0.005, 0.005), st.booleans())
def test_so_it_is_wherever_the_edge_lies(tmp_path_factory, before_s: float, length_s: float, more_s: float, half: bool):
    after_s = (length_s / 2 if half else length_s) + more_s
    video = exactly(after_s if half else before_s + 0.01, length_s, after_s)
    said = [sentence(0, float(video.starts_s[1]), float(video.ends_s[1]))]
    blocked = video if half else timeline(video.shots[[0, 1, 2, 1]], [*video.starts_s, video.duration_s, 9e3])
    assert faults(checked(tmp_path_factory.mktemp("out"), [(blocked, said)])) == {}


def test_context_of_some_milliseconds_more_than_it_must_be_is_enough() -> None:
    for more_s, wrong in ((0.002, NO_CONTEXT), (0.004, None)):
        video = exactly(1.0, 3.0, 3.0 + more_s)
        ((_, (span,)),) = internvid_g([(video, [sentence(0, 1.0, 4.0)])])
        assert span.rejected_by == wrong


def test_a_scene_that_rounding_lifts_onto_the_threshold_bars(tmp_path: Path) -> None:
    """Similarities go out with six decimals."""
    cosine = 0.7999998
    video = timeline([(1.0, 0.0), (cosine, (1 - cosine**2) ** 0.5), (0.0, -1.0)], (0, 4, 12, 20))
    assert faults(checked(tmp_path, [(video, [sentence(0, 0, 4), sentence(1, 4, 12)])])) == {}


def test_parts_that_are_let_in_are_seen_by_the_check(tmp_path: Path) -> None:
    """It knows looks alone."""
    video = timeline(angles(0, 30, 200), (0, 4, 8, 20))
    said = [sentence(0, 4.0 * i, 4.0 * i + 4, f"caption {i}", angles((-5, 35)[i])[0]) for i in range(2)]
    assert faults(checked(tmp_path / "in", [(video, said)], part_margin=0.1, quantile=0.0)) == {"similar inside": 2}
    assert faults(checked(tmp_path / "out", [(video, said)], quantile=0.0)) == {}
