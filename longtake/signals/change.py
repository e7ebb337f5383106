"""How much the picture changes from frame to frame, and how much a stretch of it looks like a dissolve or a wipe.

Two looks at tiny pictures: every frame against its near neighbours, which tells cuts from flashes, and 15 samples per
second against samples up to 2.3 s away, which tells gradual transitions from motion. Deciding is left to shots.
"""

from typing import Annotated

import numpy as np

from longtake.records import Range, Series
from longtake.signals._cells import CELLS, COLUMNS, LUMA, MIDDLE, ROWS, Floats, Rows, Times, brightness, reduce
from longtake.signals._gradual import HZ, SPAN_COLUMNS, Spans
from longtake.video.scan import Frames, Tap

VERSION = 2

STEP_COLUMNS = ("luma", "spread", "change", "change_mid", "lasting", "lasting_mid")


class Change:
    """Change of the picture, and evidence of gradual transitions, at every frame; black bars are left out.

    luma: mean brightness, 0 to 255.
    spread: standard deviation of brightness over the picture, 0 to 128.
    change: root mean square distance to the frame before, 0 to 255. The only column that depends on the frame rate.
    change_mid: the same in the middle of the picture, which subtitles and inset pictures leave alone.
    lasting: least of `change` and of distances further across, up to `flash_s` on both sides or `passing_s` on one, 0
        to 255: small for a flash, and for what passes the lens.
    lasting_mid: the same in the middle of the picture.
    unlike: 0 where half a second to 1.5 s before and after there is the same picture, if brighter or darker, to 1 where
        nothing is alike. This column and those below are measured 15 times per second, and NaN at other frames.
    dissolve: evidence that a dissolve is centred here, -1 to 1.3.
    dissolve_s: half its length in seconds.
    wipe: evidence that a wipe is centred here, -1 to 1.
    wipe_s: half its length in seconds.

    Nothing depends on the size of the picture. The formulas are at `longtake.signals._gradual.Spans.measure`.
    """

    columns = STEP_COLUMNS + SPAN_COLUMNS
    tap = Tap((2 * COLUMNS, 2 * ROWS), "rgb24")

    def __init__(
        self, *, flash_s: Annotated[float, Range(least=0)] = 0.13, passing_s: Annotated[float, Range(least=0)] = 0.5
    ) -> None:
        self.steps = _Steps(flash_s, passing_s)
        self.spans = Spans()
        self.slot = -1.0
        self.times: Times = np.empty(0)
        self.frames = np.empty(0, np.int32)
        self.sampled = np.empty(0, np.bool_)
        self.step_rows = np.empty((0, len(STEP_COLUMNS)), np.float32)
        self.span_rows = np.empty((0, len(SPAN_COLUMNS)), np.float32)

    def __call__(self, frames: Frames) -> Series:
        """Measure one block; rows come up to 7 s later than their frames."""
        pixels = reduce(frames.pixels)
        # Sampled are the first frames on or after k / HZ; half a millisecond forgives containers that round times.
        slots = np.append(self.slot, np.floor((frames.times + 5e-4) * HZ))
        sampled, self.slot = slots[1:] > slots[:-1], slots[-1]
        self.times = np.concatenate([self.times, frames.times])
        self.frames = np.concatenate([self.frames, frames.numbers])
        self.sampled = np.concatenate([self.sampled, sampled])
        self.step_rows = np.concatenate([self.step_rows, self.steps(pixels, frames.times, last=frames.last)])
        gray = (frames.pixels[sampled] @ LUMA).astype(np.uint8)
        span_rows = self.spans(pixels[sampled], gray, frames.times[sampled], last=frames.last)
        self.span_rows = np.concatenate([self.span_rows, span_rows])
        complete = int(np.searchsorted(np.cumsum(self.sampled), len(self.span_rows), side="right"))
        n = min(complete, len(self.step_rows))
        spans, at = np.full((n, len(SPAN_COLUMNS)), np.nan, np.float32), np.flatnonzero(self.sampled[:n])
        spans[at] = self.span_rows[: len(at)]
        rows = Series(self.columns, self.times[:n], self.frames[:n], np.hstack([self.step_rows[:n], spans]))
        self.times, self.frames, self.sampled = self.times[n:], self.frames[n:], self.sampled[n:]
        self.step_rows, self.span_rows = self.step_rows[n:], self.span_rows[len(at) :]
        return rows


class _Steps:
    """Every frame against those just before and after; keeps the frames within a second of the next to measure."""

    def __init__(self, flash_s: float, passing_s: float) -> None:
        self.across = ((flash_s / 2, flash_s / 2), (flash_s, flash_s), (passing_s, 0.0), (0.0, passing_s))
        self.near_s = 2 * max(flash_s, passing_s)  # the frame nearest to a time may be as far on its other side
        self.pixels = np.empty((0, 3 * CELLS), np.float32)
        self.times: Times = np.empty(0)
        self.next = 0

    def __call__(self, pixels: Floats, times: Times, *, last: bool) -> Floats:
        """Take frames; return the rows that can be measured by now, shape (m, len(STEP_COLUMNS))."""
        self.pixels = np.concatenate([self.pixels, pixels])
        self.times = np.concatenate([self.times, times])
        stop = len(self.times)
        if not last and stop:
            stop = max(self.next, int(np.searchsorted(self.times, self.times[-1] - self.near_s)))
        rows = self.measure(np.arange(self.next, stop))
        drop = int(np.searchsorted(self.times[:stop], self.times[stop - 1] - self.near_s)) if stop else 0
        self.pixels, self.times, self.next = self.pixels[drop:], self.times[drop:], stop - drop
        return rows

    def measure(self, at: Rows) -> Floats:
        """Return the rows of frames `at`."""
        before, luma = np.maximum(at - 1, 0), brightness(self.pixels[at])
        change = lasting = self.distances(before, at)
        for back_s, ahead_s in self.across:
            back = np.minimum(self.nearest(self.times[before] - back_s), before)
            ahead = np.maximum(self.nearest(self.times[at] + ahead_s), at)
            lasting = np.minimum(lasting, self.distances(back, ahead))
        return np.column_stack([luma.mean(1) + 128, luma.std(1), change, lasting])

    def distances(self, a: Rows, b: Rows) -> Floats:
        """Return the root mean square distances of frames `a` and `b`, whole and middle, shape (n, 2)."""
        apart = self.pixels[a] - self.pixels[b]
        squares = [np.einsum("ij,ij->i", part, part) / part.shape[1] for part in (apart, apart[:, : 3 * MIDDLE])]
        return np.asarray(np.sqrt(np.stack(squares, axis=1)))

    def nearest(self, times: Times) -> Rows:
        """Return the frames nearest to `times`."""
        return np.searchsorted((self.times[1:] + self.times[:-1]) / 2, times)
