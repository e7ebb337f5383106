import importlib
import subprocess
import sys
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from longtake.records import Series
from longtake.signals import transnetv2
from longtake.signals.transnetv2 import NEEDS, Transnetv2, load_network
from longtake.video.scan import Frames, join

Pictures = NDArray[np.uint8]
LENGTHS = [1, 2, 24, 25, 26, 49, 50, 51, 74, 75, 76, 99, 100, 101, 150, 163]


def film(count: int, seed: int = 0) -> Pictures:
    """Pans over different pictures, a new one every 20 to 40 frames, as the network's size shows them."""
    rng = np.random.default_rng(seed)
    frames: list[Any] = []
    while len(frames) < count:
        wide = cv2.resize(rng.integers(0, 256, (5, 18, 3), dtype=np.uint8), (130, 27), interpolation=cv2.INTER_CUBIC)
        frames += [wide[:, 2 * i : 2 * i + 48] for i in range(rng.integers(20, 41))]
    return np.stack(frames)[:count]


def feed(signal: Transnetv2, pictures: Pictures, block: int, *, apart: bool = False) -> Series:
    """Show a signal pictures in blocks, in one buffer that is overwritten after each call, as a scan does.

    With `apart` the last block is an empty one.
    """
    parts = []
    buffer = np.empty((block, *pictures.shape[1:]), np.uint8)
    stop = len(pictures) + apart
    for start in range(0, max(stop, 1), block):
        numbers = np.arange(start, min(start + block, len(pictures)), dtype=np.int32)
        buffer[: len(numbers)] = pictures[start : start + block]
        parts.append(signal(Frames(numbers / 25, numbers, buffer[: len(numbers)], start + block >= stop)))
        assert len(signal.pixels) <= block + 100, "memory grows with the video"
        buffer[:] = 99
        numbers[:] = -1
    return join(signal.columns, parts)


class Recorder:
    """Stands in for the network: says of each frame how red it is, and keeps the windows it was shown."""

    def __init__(self) -> None:
        self.windows: list[Pictures] = []

    def __call__(self, pixels: Pictures) -> NDArray[np.float32]:
        self.windows.append(pixels.copy())
        red = pixels[..., 0].mean((1, 2)) / 255
        return np.stack([red, np.full(len(red), len(self.windows))], 1).astype(np.float32)


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    made = Recorder()
    monkeypatch.setattr(transnetv2, "load_network", lambda: made)
    return made


@pytest.mark.parametrize("count", LENGTHS)
@pytest.mark.parametrize("block", [1, 7, 64, 500])
def test_windows_are_the_published_ones_whatever_the_blocks(recorder: Recorder, count: int, block: int) -> None:
    pictures = film(count)
    series = feed(Transnetv2(), pictures, block, apart=count % block == 0)

    after = 25 + (50 - count % 50) % 50
    padded = np.concatenate([pictures[:1].repeat(25, 0), pictures, pictures[-1:].repeat(after, 0)])
    expected = [padded[start : start + 100] for start in range(0, count, 50)]
    assert len(recorder.windows) == len(expected)
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(recorder.windows, expected, strict=True))

    assert series.frames.tolist() == list(range(count))
    np.testing.assert_array_equal(series.times, np.arange(count) / 25)
    np.testing.assert_allclose(series.column("single"), pictures[..., 0].mean((1, 2)) / 255, rtol=1e-5)
    assert series.column("many").tolist() == [1 + i // 50 for i in range(count)]


def test_nothing_seen_gives_no_rows(recorder: Recorder) -> None:
    series = feed(Transnetv2(), film(1)[:0], 64)
    assert len(series) == 0 and series.values.shape == (0, 2)
    assert not recorder.windows


def test_rows_come_as_soon_as_their_window_is_full(recorder: Recorder) -> None:
    signal = Transnetv2()
    numbers = np.arange(75, dtype=np.int32)
    rows = [
        len(signal(Frames(numbers[i : i + 1] / 25, numbers[i : i + 1], film(75)[i : i + 1], False))) for i in numbers
    ]
    assert rows == [0] * 74 + [50]


def test_finding_the_step_loads_no_torch() -> None:
    code = "import sys; from longtake.steps import find; find('signals', 'transnetv2'); print('torch' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert told == "False"


@pytest.fixture(scope="module")
def model() -> Any:
    for module in NEEDS:
        pytest.importorskip(module)
    return load_network().model


@pytest.mark.parametrize(("count", "block"), [(1, 64), (100, 64), (126, 7)])
def test_numbers_equal_the_packages_own(model: Any, count: int, block: int) -> None:
    torch = importlib.import_module("torch")
    pictures = film(count, seed=count)
    with torch.inference_mode():
        heads = model.predict_frames(torch.from_numpy(pictures).to(model.device), quiet=True)
    theirs = np.stack([head.cpu().numpy() for head in heads], 1)
    series = feed(Transnetv2(), pictures, block)
    np.testing.assert_allclose(series.values, theirs, atol=1e-4, rtol=0)
    assert series.values.min() >= 0
    assert series.values.max() <= 1


def test_the_last_frame_before_a_cut_stands_out(model: Any) -> None:
    pictures = np.concatenate([film(40, seed=3)[:18].repeat(3, 0), film(40, seed=4)[:18].repeat(3, 0)])
    single = feed(Transnetv2(), pictures, 64).column("single")
    assert single.argmax() == 53
    assert single[53] > 0.5
    assert np.delete(single, 53).max() < 0.5
