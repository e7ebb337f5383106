import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from longtake.records import Series
from longtake.signals.content import Content
from longtake.video.scan import Frames, join

Pictures = NDArray[np.uint8]


def feed(signal: Content, pictures: Pictures, *, block: int = 64, fps: float = 25.0) -> Series:
    """Show a signal pictures in blocks, in one buffer that is overwritten after each call, as a scan does."""
    parts = []
    buffer = np.empty((block, *pictures.shape[1:]), np.uint8)
    for start in range(0, len(pictures) + 1, block):
        numbers = np.arange(start, min(start + block, len(pictures)), dtype=np.int32)
        buffer[: len(numbers)] = pictures[start : start + block]
        parts.append(signal(Frames(numbers / fps, numbers, buffer[: len(numbers)], start + block > len(pictures))))
        buffer[:] = 99
        numbers[:] = -1
    return join(signal.columns, parts)


def noise(count: int, height: int, width: int, seed: int) -> Pictures:
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def smooth(seed: int) -> Pictures:
    """One colourful picture without fine detail."""
    return cv2.resize(noise(1, 9, 16, seed)[0], (256, 144), interpolation=cv2.INTER_CUBIC)


@given(st.integers(0, 10_000), st.integers(1, 20), st.integers(1, 40), st.integers(1, 30))
def test_scores_equal_the_library(seed: int, count: int, height: int, width: int) -> None:
    library = pytest.importorskip("scenedetect")
    # Few levels of each colour, so that black, grays and pure hues occur besides mixed ones.
    pictures = noise(count, height, width, seed) // 51 * 51 if seed % 2 else noise(count, height, width, seed)
    detector = library.ContentDetector()
    theirs = []
    for number, picture in enumerate(pictures):
        detector.process_frame(library.FrameTimecode(number, 25.0), np.ascontiguousarray(picture[..., ::-1]))
        theirs.append(detector._frame_score)
    np.testing.assert_allclose(feed(Content(), pictures).column("score"), theirs, rtol=1e-4)


def test_hue_is_not_circular() -> None:
    reds = np.zeros((2, 4, 4, 3), np.uint8)
    reds[0] = (255, 0, 0)  # hue 0
    reds[1] = (255, 0, 8)  # hue 179: next to it on the circle
    assert feed(Content(), reds).column("score")[1] == pytest.approx(179 / 3)


@pytest.mark.parametrize("block", [1, 2, 7, 10])
def test_blocks_make_no_difference(block: int) -> None:
    pictures = noise(10, 18, 32, seed=1)
    one, many = feed(Content(), pictures), feed(Content(), pictures, block=block)
    np.testing.assert_array_equal(one.values, many.values)
    np.testing.assert_array_equal(one.times, many.times)
    assert one.frames.tolist() == many.frames.tolist() == list(range(10))


def test_a_cut_stands_out_and_a_still_does_not() -> None:
    pictures = np.stack([smooth(1)] * 12 + [smooth(2)] * 12)
    grain = np.random.default_rng(0).integers(-3, 4, pictures.shape)
    scores = feed(Content(), np.clip(pictures + grain, 0, 255).astype(np.uint8)).column("score")
    assert scores.argmax() == 12
    assert scores[12] > 27
    assert np.delete(scores, 12).max() < 10
    assert not feed(Content(), np.stack([smooth(1)] * 5)).column("score").any()


def test_rate_is_the_taps() -> None:
    assert Content().tap.hz is None
    assert Content(hz=0.5).tap.hz == 0.5
