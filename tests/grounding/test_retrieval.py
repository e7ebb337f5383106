"""How often captions find their own places, against chance and a single frame."""

import math
from dataclasses import replace

import numpy as np
import pytest
from timelines import angles, sentence, timeline

from longtake.grounding import Floats, Timeline
from longtake.grounding._retrieval import evaluate, retrieve
from longtake.grounding.internvid_g import internvid_g
from longtake.records import Span

EDGES = (0.0, 4.0, 8.0, 12.0, 16.0)


def grounded(vector: Floats, *, frames: np.ndarray | None = None) -> tuple[Timeline, Span]:
    """Four scenes that don't look alike; the caption is the second's."""
    video = timeline(angles(0, 90, 180, 270), EDGES, frames=frames)
    ((_, (span,)),) = internvid_g([(video, [sentence(0, 4, 8)])])
    return video, span


def test_a_caption_finds_its_scene():
    video, span = grounded(angles(80)[0])
    found = retrieve(video, span, angles(80)[0])
    assert (found.start_s, found.end_s, found.iou) == (4, 8, 1)
    missed = retrieve(video, span, angles(170)[0])
    assert (missed.start_s, missed.end_s, missed.iou) == (8, 12, 0)


def test_only_scenes_of_the_negative_span_are_chosen_from():
    video, span = grounded(angles(80)[0])
    narrow = replace(span, neg_end_s=8.0)
    assert retrieve(video, narrow, angles(170)[0]).start_s == 4
    assert evaluate([(video, narrow, angles(80)[0])]).scenes == 2


def test_recall_and_chance():
    video, span = grounded(angles(80)[0])
    found = evaluate([(video, span, angles(80)[0]), (video, span, angles(170)[0])])
    assert (found.spans, found.unmeasured, found.scenes) == (2, 0, 4)
    assert (found.retrieved.recall_05, found.retrieved.recall_07, found.retrieved.mean_iou) == (0.5, 0.5, 0.5)
    assert (found.random.recall_05, found.random.recall_07, found.random.mean_iou) == (0.25, 0.25, 0.25)


def test_a_positive_of_two_scenes_is_found_in_part():
    video, span = grounded(angles(80)[0])
    two = replace(span, end_s=10.0)  # four seconds of its six
    found = evaluate([(video, two, angles(80)[0])])
    assert found.retrieved.recall_05 == 1
    assert found.retrieved.recall_07 == 0
    assert found.retrieved.mean_iou == pytest.approx(4 / 6)
    assert found.random.recall_05 == 0.25
    assert found.random.mean_iou == pytest.approx((4 / 6 + 2 / 8) / 4)


def test_middle_frames_alone_may_miss_it():
    frames = np.repeat(angles(0, 90, 180, 270)[:, None], 3, axis=1)
    frames[1] = angles(90, 300, 300)
    video, span = grounded(angles(80)[0], frames=frames)
    found = evaluate([(video, span, angles(80)[0])])
    assert found.retrieved.recall_05 == 1
    assert found.middle_frame.recall_05 == 0


def test_what_was_not_measured_is_counted_apart():
    video, span = grounded(angles(80)[0])
    video.frames[2] = np.nan
    found = evaluate([(video, span, angles(80)[0]), (video, span, None)])
    assert (found.spans, found.unmeasured) == (0, 2)
    assert math.isnan(found.retrieved.recall_05)
    assert math.isnan(found.scenes)
