"""How likely every frame is part of a transition, and of which kind: a small network that looks at tiny pictures."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from longtake.records import Series
from longtake.signals._likeness import SLIGHT, SUDDEN, Likeness, boxed
from longtake.signals._network import HEIGHT, REACH, WIDTH, Bytes, Floats, Network
from longtake.video.scan import Frames, Tap, join

VERSION = 5
WEIGHTS = Path(__file__).with_name("transitions.npz")
APART_S = 0.03
"""The network sees frames at least so far apart: all of 30 per second, half of 60. It learned from 10 to 30."""
SAME, REPEATS_S = 0.4, 0.2
"""What differs by no more, in levels of 255, is a repeated picture. Where motion is jerky, as in an animation or by a
slow camera, the network is shown one only after so long, or it would take the next new picture for a cut."""
JERKY_S = 1.0
"""Motion is jerky where pictures are repeated twice, and something else follows, within so long."""
PLAIN = 2.5
"""Plain pictures have no greater spread, and are shown all: in a fade it is they that are seen."""
Times = NDArray[np.float64]
STEP, PART = 1024, 16
"""Pictures decided at once, and pictures looked at together, which stay in the processor's cache."""


class Transitions:
    """Probabilities of transitions at every frame, by a network of 190,000 weights over pictures of 48x26.

    change: root mean square distance to the frame before, 0 to 255. It and `boxed` alone depend on the frame rate.
    spread: standard deviation of the picture in the channel where it is greatest, 0 to 128: next to 0 for a plain one.
    boxed: how well a rectangle, or bars, are where the picture changed at once, 0 to 1; 0 where it did not, or in more
        than half of it.
    cut: probability that a cut is here, 0 to 1: that this is the first frame of the new shot. Of frames closer than
        0.03 s the one that changes most has it, and the others have 0.
    dissolve: probability that the frame is within a dissolve, 0 to 1. Frames closer than 0.03 s have the same.
    fade: the same for a fade through black, white or another plain colour.
    wipe: the same for a wipe, push or slide.
    alike_04: likeness of the picture's edges to those 0.4 s before, -1 to 1; 0 where there are none. Frames closer
        than 0.03 s have the same.
    alike_08: the same to those 0.8 s before.
    alike_16: the same to those 1.6 s before.
    alike_32: the same to those 3.2 s before.

    The network, what it learned from, and how, are in `training/`. It compares pictures in time at several distances
    as TransNet V2 does (Soucek and Lokoc, 2020), at a fraction of its size.
    """

    columns = (
        *("change", "spread", "boxed"),
        *("cut", "dissolve", "fade", "wipe"),
        *("alike_04", "alike_08", "alike_16", "alike_32"),
    )
    tap = Tap((WIDTH, HEIGHT), "rgb24")

    def __init__(self) -> None:
        self.network = _network()
        self.waiting = _Waiting()
        self.likeness = Likeness()
        self.seen: list[tuple[Floats, Floats, Floats, Times]] = []
        """Features, mean colours, likeness to earlier ones and times of consecutive pictures, in parts."""
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
        alike = self.likeness(pictures, times)
        for start in range(0, len(pictures), PART):
            part = slice(start, start + PART)
            features, cells, self.before = self.network.see(pictures[part], self.before)
            self.seen.append((features, cells, alike[part], times[part]))
        self.count += len(pictures)

    def _rows(self, n: int) -> Series:
        """Decide the next n pictures, and return the rows of their frames."""
        features, cells, alike, times = (np.concatenate(parts) for parts in zip(*self.seen, strict=True))
        stop = self.decided + n
        ahead = stop + REACH
        likely = self.network.decide(features[:ahead], cells[:ahead], times[:ahead])[:, 1:]
        told = np.hstack([likely[self.decided : stop], alike[self.decided : stop]])
        drop = max(0, stop - REACH)
        self.seen = [(features[drop:], cells[drop:], alike[drop:], times[drop:])]
        self.count, self.decided = self.count - drop, stop - drop
        return self.waiting.take(told, self.columns)


class _Waiting:
    """The frames whose rows are to come, each with the picture that stands for it: its own, or the next one."""

    def __init__(self) -> None:
        self.times = np.empty(0)
        self.frames = np.empty(0, np.int32)
        self.looks = np.empty((0, 3), np.float32)
        """Of each frame, what is seen of it alone and beside the one before: change, spread, boxed."""
        self.picture = np.empty(0, np.intp)
        self.pictures = 0
        """How many of the pictures that the network is shown are still to be answered."""
        self.shown_s = -np.inf
        self.shown: Bytes | None = None
        """The last of them."""
        self.repeated = False
        """Whether the last frame was the same."""
        self.moved_s = -np.inf, -np.inf
        """When, the last two times, something else followed repeated pictures."""
        self.last: Bytes | None = None
        self.changed = 0.0
        """By how much the last picture changed."""

    def add(self, frames: Frames) -> list[int]:
        """Take a block; return which of its frames the network is to see."""
        shown, picture, looks = [], [], self._looks(frames.pixels)
        for i, (time, pixels) in enumerate(zip(frames.times.tolist(), frames.pixels, strict=True)):
            picture.append(self.pictures)
            apart_s = time - self.shown_s + 5e-4  # containers round times to milliseconds
            same = _distance(pixels, self.shown) <= SAME
            if self.repeated and not same:
                self.moved_s = self.moved_s[1], time
            self.repeated = same
            jerky = time - self.moved_s[0] <= JERKY_S and looks[i, 1] > PLAIN
            if apart_s >= REPEATS_S or (apart_s >= APART_S and not (same and jerky)):
                self.shown_s, self.shown = time, pixels
                self.pictures += 1
                shown.append(i)
        self.shown = None if self.shown is None else self.shown.copy()  # the block is valid during the call alone
        self.times = np.concatenate([self.times, frames.times])
        self.frames = np.concatenate([self.frames, frames.numbers])
        self.looks = np.concatenate([self.looks, looks])
        self.picture = np.concatenate([self.picture, np.array(picture, np.intp)])
        return shown

    def _looks(self, pixels: Bytes) -> Floats:
        looks = np.zeros((len(pixels), 3), np.float32)
        for look, picture in zip(looks, pixels, strict=True):
            before = picture if self.last is None else self.last
            change = _distance(picture, before)
            shape = boxed(before, picture) if change > max(SLIGHT, SUDDEN * self.changed) else 0.0
            look[:] = change, cv2.meanStdDev(picture)[1].max(), shape
            self.last, self.changed = picture, change
        self.last = None if self.last is None else self.last.copy()
        return looks

    def take(self, told: Floats, columns: tuple[str, ...]) -> Series:
        """Return the rows of the frames that the next pictures stand for; with the last ones, all frames left.

        Of each picture the probabilities and likenesses are told, shape (n, 8).
        """
        n, n_pictures = len(self.times), len(told)
        if n_pictures == self.pictures:
            self.picture = np.minimum(self.picture, max(n_pictures - 1, 0))
        else:
            n = int(np.searchsorted(self.picture, n_pictures))
        picture, looks = self.picture[:n], self.looks[:n]
        values = np.hstack([looks, told[picture]])
        # Within each picture's frames the cut is where the change is greatest.
        order = np.lexsort((-np.arange(n), looks[:, 0], picture))
        greatest = order[np.append(picture[order][1:] != picture[order][:-1], n > 0)]
        cut = np.zeros(n, np.float32)
        cut[greatest] = told[picture[greatest], 0]
        values[:, columns.index("cut")] = cut
        rows = Series(columns, self.times[:n], self.frames[:n], values)
        self.times, self.frames, self.looks = self.times[n:], self.frames[n:], self.looks[n:]
        self.picture, self.pictures = self.picture[n:] - n_pictures, self.pictures - n_pictures
        return rows


def _distance(a: Bytes, b: Bytes | None) -> float:
    """Return the root mean square distance of two pictures, 0 to 255; infinite to none."""
    return np.inf if b is None else float(cv2.norm(a, b, cv2.NORM_L2)) / a.size**0.5


@cache
def _network() -> Network:
    return Network(WEIGHTS)
