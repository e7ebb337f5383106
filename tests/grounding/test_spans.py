"""What holds for every good record of the default way, on videos of any structure."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from timelines import random_video

from longtake.grounding import Sentence, Timeline
from longtake.grounding.internvid_g import (
    LONG,
    NO_CONTEXT,
    NOWHERE,
    SHARED,
    SHORT,
    UNSEEN,
    WEAK,
    internvid_g,
)
from longtake.records import Span

CLOSE = 1e-4


def spans(video: Timeline, said: Sequence[Sentence], **parameters: object) -> list[Span]:
    ((_, found),) = internvid_g([(video, said)], **parameters)
    return found


def same(one: Sentence, other: Sentence, least: float = 0.9) -> bool:
    some, others = (set(re.findall(r"\w+", s.text.lower())) for s in (one, other))
    if one.vector is not None and other.vector is not None and float(one.vector @ other.vector) >= least:
        return True
    near = one.vector is None and len(some & others) >= least * len(some | others)
    return some == others or near


class Truth:
    """All that spans go by, worked out the slow way."""

    def __init__(self, video: Timeline, said: Sequence[Sentence]) -> None:
        self.video, self.said = video, said
        n = len(video.starts_s)
        cosines = video.shots.astype(float) @ video.shots.astype(float).T
        self.measured = np.array([not np.isnan(video.shots[video.scene_of == i]).any() for i in range(n)])
        self.looks = np.full((n, n), -np.inf)
        np.maximum.at(self.looks, (video.scene_of[:, None], video.scene_of[None]), np.nan_to_num(cosines, nan=-2))

    def score(self, scene: int, vector: np.ndarray) -> float:
        return max(np.nan_to_num(self.video.frames[scene].astype(float) @ vector.astype(float), nan=-np.inf))

    def about(self, one: Sentence, least_s: float = 0.25) -> list[int]:
        """The scenes a caption has a part in, of some length."""
        video = self.video
        return [
            i
            for i in range(len(video.starts_s))
            if min(video.ends_s[i], one.end_s) - max(video.starts_s[i], one.start_s) > least_s
        ]

    def bars(self, scene: int, span: Span, one: Sentence, *, above: float = 0.8, margin: float = 0.0) -> set[str]:
        """Why a scene can't be in the negative span, as far as rounding lets tell."""
        found = set()
        if self.looks[span.start_scene : span.end_scene + 1, scene].max() >= above - CLOSE:
            found.add("similar")
        if not self.measured[scene]:
            found.add("unseen")
        if one.vector is not None:
            score = self.score(scene, one.vector)
            if score == -np.inf:
                found.add("unseen")
            if span.score is not None and score >= span.score - margin - CLOSE:
                found.add("caption")
        if any(scene in self.about(other, -0.26) and same(one, other) for other in self.said if other is not one):
            found.add("caption")
        return found


def check(
    video: Timeline,
    said: Sequence[Sentence],
    found: Sequence[Span],
    *,
    margin: float = 0.0,
    part_margin: float = 0.0,
) -> int:
    """Hold all spans to what they promise; return how many scenes were let in though they look like the positive."""
    let_in = 0
    truth = Truth(video, said)
    n, duration_s = len(video.starts_s), video.duration_s
    assert [(s.clip_id, s.number, s.text, s.caption_start_s, s.caption_end_s) for s in found] == [
        (one.clip_id, one.number, one.text, one.start_s, one.end_s) for one in said
    ]
    good = [(span, one) for span, one in zip(found, said, strict=True) if span.rejected_by is None]
    positives = [(span.start_s, span.end_s) for span, _ in good]
    assert len(set(positives)) == len(positives)
    for span, one in good:
        assert 0 <= span.neg_start_s <= span.start_s < span.end_s <= span.neg_end_s <= duration_s
        assert span.start_s == video.starts_s[span.start_scene]
        assert span.end_s == video.ends_s[span.end_scene]
        assert span.start_s - 0.25 <= one.start_s
        assert one.end_s <= span.end_s + 0.25
        assert one.end_s - one.start_s >= 0.5
        assert span.end_s - span.start_s <= 10
        assert {"beginning", "middle", "end"} & set(span.places)
        inside = [
            i
            for i in range(n)
            if video.ends_s[i] > span.neg_start_s + 0.01 and video.starts_s[i] < span.neg_end_s - 0.01
        ]
        assert inside == list(range(inside[0], inside[-1] + 1))
        assert all(video.starts_s[i + 1] - video.ends_s[i] < 0.011 for i in inside[:-1])
        assert all(truth.measured[i] for i in range(span.start_scene, span.end_scene + 1))
        others = [i for i in inside if not span.start_scene <= i <= span.end_scene]
        for scene in others:
            if truth.looks[span.start_scene : span.end_scene + 1, scene].max() >= 0.8 + CLOSE:
                let_in += 1
                assert part_margin > 0
                assert any(scene in truth.about(o, -0.26) for o in said if o.clip_id == one.clip_id)
                assert truth.score(scene, one.vector) <= span.score - part_margin + CLOSE
            assert truth.measured[scene]
            assert not any(scene in truth.about(o) and same(one, o) for o in said if o is not one)
        assert_grown(truth, span, one, margin)
        assert_rivals(truth, span, one, others, margin)
        assert_edges(truth, span, one, inside, margin)
        alike = [
            i
            for i in range(n)
            if not span.start_scene <= i <= span.end_scene
            and truth.looks[span.start_scene : span.end_scene + 1, i].max() >= 0.8
        ]
        assert [one.start_s for one in span.similar] == [video.starts_s[i] for i in alike]
    return let_in


def assert_grown(truth: Truth, span: Span, one: Sentence, margin: float) -> None:
    """What joined the captioned stretch looks like it, and the caption, or one that says the same, fits it."""
    video = truth.video
    middles = (video.starts_s + video.ends_s) / 2
    stretch = [i for i in range(len(middles)) if one.start_s < middles[i] < one.end_s]
    for scene in set(range(span.start_scene, span.end_scene + 1)) - set(stretch):
        if min(video.ends_s[scene], one.end_s) - max(video.starts_s[scene], one.start_s) > -0.26:
            continue  # too near an edge of the stretch to tell
        assert truth.looks[stretch, scene].max() >= 0.8 - CLOSE
        others = [o for o in truth.said if o is not one and scene in truth.about(o, -0.26)]
        fits = one.vector is not None and truth.score(scene, one.vector) > span.score - margin - CLOSE
        assert any(same(one, o) for o in others) or fits


def assert_rivals(truth: Truth, span: Span, one: Sentence, others: list[int], margin: float) -> None:
    if one.vector is None:
        assert (span.score, span.rival) == (None, None)
        return
    assert span.score is not None
    scores = [truth.score(scene, one.vector) for scene in others]
    assert span.rival == (pytest.approx(max(scores), abs=CLOSE) if scores else None)
    if span.rival is not None:
        assert span.rival < span.score - margin


def assert_edges(truth: Truth, span: Span, one: Sentence, inside: list[int], margin: float) -> None:
    """Each edge has the reason it says, so that the negative span could be no longer."""
    video = truth.video
    sides = (
        (span.left, span.neg_start_scene, span.neg_start_s, inside[0] - 1, 0.0),
        (span.right, span.neg_end_scene, span.neg_end_s, inside[-1] + 1, video.duration_s),
    )
    edges = [0.0, *video.starts_s, *video.ends_s, video.duration_s]
    for edge, named, at_s, scene, end_s in sides:
        if edge == "video":
            assert (named, at_s) == (None, end_s)
        elif named is None:  # time is missing there: no other scene nor the end of the video is near
            assert edge == "unseen"
            assert min(abs(at_s - other) for other in edges if other != at_s) > 0.01
        else:
            assert named == scene
            assert edge in truth.bars(scene, span, one, margin=margin)


@given(st.integers(0, 2**32), st.booleans(), st.sampled_from([0.0, 0.1]))
def test_good_records_hold_what_they_promise(seed, texts, margin):
    video, said = random_video(np.random.default_rng(seed), texts=texts, most_scenes=30)
    check(video, said, spans(video, said, quantile=0.0, margin=margin), margin=margin)


def test_what_looks_alike_is_let_in_only_where_it_is_told_apart_within_a_clip():
    """Of each three scenes on end the captions are of one clip."""
    rng = np.random.default_rng(4)
    let_in = 0
    for _ in range(1500):
        video, said = random_video(rng, most_scenes=9)
        clips = np.searchsorted(video.ends_s, [one.start_s + 0.3 for one in said]) // 3
        said = [replace(one, clip_id=f"clip{clip}") for one, clip in zip(said, clips, strict=True)]
        found = spans(video, said, quantile=0.0, part_margin=0.05)
        let_in += check(video, said, found, part_margin=0.05)
        assert check(video, said, spans(video, said, quantile=0.0)) == 0
    assert let_in > 60


def test_so_do_those_of_ten_thousand_structures():
    reasons: Counter[str | None] = Counter()
    edges: Counter[str] = Counter()
    rng = np.random.default_rng(0)
    for texts in (True, False):
        videos = [random_video(rng, most_scenes=7, texts=texts) for _ in range(5000)]
        for (video, found), (_, said) in zip(internvid_g(videos, quantile=0.2), videos, strict=True):
            check(video, said, found)
            reasons.update(span.rejected_by for span in found)
            edges.update(edge for span in found if span.rejected_by is None for edge in (span.left, span.right))
    assert set(reasons) == {None, SHORT, NOWHERE, UNSEEN, WEAK, LONG, NO_CONTEXT, SHARED}
    assert set(edges) == {"video", "similar", "caption", "unseen"}
    assert min(reasons.values()) > 300
    assert min(edges.values()) > 300
