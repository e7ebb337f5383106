"""How likely every frame is part of a transition, and of which kind: a small network that looks at tiny pictures."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from longtake.records import Series
from longtake.signals._network import HEIGHT, REACH, WIDTH, Bytes, Floats, Network
from longtake.video.scan import Frames, Tap, join

VERSION = 4
WEIGHTS = Path(__file__).with_name("transitions.npz")
APART_S = 0.03
"""The network sees frames at least so far apart: all of 30 per second, half of 60. It learned from 10 to 30."""
Times = NDArray[np.float64]
STEP, PART = 1024, 16
"""Pictures decided at once, and pictures looked at together, which stay in the processor's cache."""


class Transitions:
    """Probabilities of transitions at every frame, by a network of 190,000 weights over pictures of 48x26.

    change: root mean square distance to the frame before, 0 to 255. The only column that depends on the frame rate.
    cut: probability that a cut is here, 0 to 1: that this is the first frame of the new shot. Of frames closer than
        0.03 s the one that changes most has it, and the others have 0.
    dissolve: probability that the frame is within a dissolve, 0 to 1. Frames closer than 0.03 s have the same.
    fade: the same for a fade through black, white or another plain colour.
    wipe: the same for a wipe, push or slide.
    spread: standard deviation of the picture in the channel where it is greatest, 0 to 128: next to 0 for a plain one.

    The network, what it learned from, and how, are in `training/`. It compares pictures in time at several distances
    as TransNet V2 does (Soucek and Lokoc, 2020), at a fraction of its size.
    """

    columns = ("change", "cut", "dissolve", "fade", "wipe", "spread")
    tap = Tap((WIDTH, HEIGHT), "rgb24")

    def __init__(self) -> None:
        self.network = _network()
        self.waiting = _Waiting()
        self.seen: list[tuple[Floats, Floats, Times]] = []
        """Features, mean colours and times of consecutive pictures, in parts."""
        self.count = 0
        """Pictures in those parts."""
        self.before: Floats | None = None
        self.decided = 0
        """Pictures at the front that are decided, and kept for those after them to be compared with."""

    def __call__(self, frames: Frames) -> Series:
        """Measure one block; rows come up to 40 s later than their frames."""
        shown = self.waiting.add(frames)
        self._look(frames.pixels[shown], frames.times[shown])
        parts = []
        while self.count - self.decided >= STEP + REACH:
            parts.append(self._rows(STEP))
        left = self.count - self.decided
        if frames.last and left:
            parts.append(self._rows(left))
        return join(self.columns, parts)

    def _look(self, pictures: Bytes, times: Times) -> None:
        for start in range(0, len(pictures), PART):
            part = slice(start, start + PART)
            features, cells, self.before = self.network.see(pictures[part], self.before)
            self.seen.append((features, cells, times[part]))
        self.count += len(pictures)

    def _rows(self, n: int) -> Series:
        """Decide the next n pictures, and return the rows of their frames."""
        features, cells, times = (np.concatenate(parts) for parts in zip(*self.seen, strict=True))
        stop = self.decided + n
        ahead = stop + REACH
        likely = self.network.decide(features[:ahead], cells[:ahead], times[:ahead])[self.decided : stop, 1:]
        drop = max(0, stop - REACH)
        self.seen = [(features[drop:], cells[drop:], times[drop:])]
        self.count, self.decided = self.count - drop, stop - drop
        return self.waiting.take(likely, self.columns)


class _Waiting:
    """The frames whose rows are to come, each with the picture that stands for it: its own, or the next one."""

    def __init__(self) -> None:
        self.times = np.empty(0)
        self.frames = np.empty(0, np.int32)
        self.change = np.empty(0, np.float32)
        self.spread = np.empty(0, np.float32)
        self.picture = np.empty(0, np.intp)
        self.pictures = 0
        """How many of the pictures that the network is shown are still to be answered."""
        self.shown_s = -np.inf
        self.last: Bytes | None = None

    def add(self, frames: Frames) -> list[int]:
        """Take a block; return which of its frames the network is to see."""
        shown, picture = [], []
        for i, time in enumerate(frames.times.tolist()):
            picture.append(self.pictures)
            if time - self.shown_s >= APART_S - 5e-4:  # containers round times to milliseconds
                self.shown_s = time
                self.pictures += 1
                shown.append(i)
        self.times = np.concatenate([self.times, frames.times])
        self.frames = np.concatenate([self.frames, frames.numbers])
        self.change = np.concatenate([self.change, self._changes(frames.pixels)])
        self.spread = np.concatenate([self.spread, _spreads(frames.pixels)])
        self.picture = np.concatenate([self.picture, np.array(picture, np.intp)])
        return shown

    def _changes(self, pixels: Bytes) -> Floats:
        if not len(pixels):
            return np.empty(0, np.float32)
        before = np.concatenate([pixels[:1] if self.last is None else self.last, pixels[:-1]])
        self.last = pixels[-1:].copy()
        apart = np.asarray(cv2.absdiff(pixels, before)).reshape(len(pixels), -1)
        return np.array([cv2.norm(row, cv2.NORM_L2) for row in apart], np.float32) / np.float32(apart.shape[1] ** 0.5)

    def take(self, likely: Floats, columns: tuple[str, ...]) -> Series:
        """Return the rows of the frames that the next pictures stand for; with the last ones, all frames left."""
        n, n_pictures = len(self.times), len(likely)
        if n_pictures == self.pictures:
            self.picture = np.minimum(self.picture, max(n_pictures - 1, 0))
        else:
            n = int(np.searchsorted(self.picture, n_pictures))
        picture, change = self.picture[:n], self.change[:n]
        values = np.column_stack([change, likely[picture], self.spread[:n]])
        # Within each picture's frames the cut is where the change is greatest.
        order = np.lexsort((-np.arange(n), change, picture))
        greatest = order[np.append(picture[order][1:] != picture[order][:-1], n > 0)]
        cut = np.zeros(n, np.float32)
        cut[greatest] = values[greatest, 1]
        values[:, 1] = cut
        rows = Series(columns, self.times[:n], self.frames[:n], values.astype(np.float32))
        self.times, self.frames, self.change = self.times[n:], self.frames[n:], self.change[n:]
        self.spread = self.spread[n:]
        self.picture, self.pictures = self.picture[n:] - n_pictures, self.pictures - n_pictures
        return rows


def _spreads(pixels: Bytes) -> Floats:
    return np.array([cv2.meanStdDev(picture)[1].max() for picture in pixels], np.float32)


@cache
def _network() -> Network:
    return Network(WEIGHTS)
