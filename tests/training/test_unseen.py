"""The judge of weights on made sequences: it must know good weights from none."""

import sys
from pathlib import Path

import numpy as np
import pytest
from media import pan

TRAINING = Path(__file__).parents[2] / "training"


@pytest.fixture(scope="module", autouse=True)
def modules():
    """Scripts import each other by name."""
    folders = [str(TRAINING), str(TRAINING.parent / "benchmarks")]
    sys.path[:0] = folders
    yield
    for folder in folders:
        sys.path.remove(folder)


def test_spans_are_what_labels_say_and_what_lies_at_an_end_counts_neither_way():
    from labels import CUT, DISSOLVE, FADE, IGNORE, NONE
    from truth import Span
    from unseen import spans

    labels = np.array([FADE, NONE, CUT, NONE, DISSOLVE, DISSOLVE, NONE, IGNORE, NONE, FADE])
    true, unsure = spans(labels)
    assert true == [Span("cut", 2, 2), Span("dissolve", 4, 5)]
    assert unsure == [(0, 0), (7, 7), (9, 9)]


def test_the_shipped_weights_find_cuts_that_weights_of_nothing_miss():
    import cv2
    from labels import CUT, NONE
    from unseen import judge

    from longtake.signals._network import Network
    from longtake.signals.transitions import WEIGHTS

    shots = [[cv2.resize(p, (48, 26)) for p in pan(60, seed=seed, speed=0.1, fps=25)] for seed in (1, 2, 3)]
    pictures = np.stack([picture for shot in shots for picture in shot]).astype(np.uint8)
    labels = np.where(np.isin(np.arange(180), (60, 120)), CUT, NONE)
    made = [(pictures, labels, np.arange(180, dtype=np.float32) / 25)]
    network, nothing = Network(WEIGHTS), Network(WEIGHTS)
    nothing.weights = {name: np.zeros_like(values) for name, values in nothing.weights.items()}
    assert judge(network, made) == "F1 1.0000, precision 1.0000, recall 1.0000; cut 2/2; 0 false"
    assert judge(nothing, made).startswith("F1 0.0000") and "cut 0/2" in judge(nothing, made)
