"""Evidence of gradual transitions for the change signal: how much a stretch looks like a dissolve or a wipe."""

import cv2
import numpy as np

from longtake.signals._cells import CELLS, COLUMNS, PLACE, ROWS, Bytes, Floats, Rows, Times, brightness

Stretch = tuple[Rows, Rows, Rows]
"""Stretches of samples, by index: first and last, shape (m,), and about the quarters between, shape (3, m)."""


HZ = 15.0
"""Samples per second: half a second, a short dissolve, spans seven."""
REACHES = (3, 4, 5, 7, 10, 14, 20)
"""Half-lengths of the stretches tried as transitions, in samples: 0.4 to 2.7 s in all."""
WIPE_REACH, UNLIKE_REACH = 4, 7
"""A shorter wipe could not be told from a whip pan. The other is that of the column `unlike`."""
ASIDE = (0, 5, 10, 15)
"""So far outside, in samples, the sides must still be unlike: what passed the lens is gone a second later."""
AROUND, BATCH = REACHES[-1] + ASIDE[-1], 64
NOISE = 100.0
"""Squared levels of difference taken for noise where two pictures are compared: 10 of 255."""
MOTION = {"dissolve": (0.15, 0, 0.1), "wipe": (0.5, 3, 0.5)}
"""By kind: evidence too little to ask if it is motion, cells that motion covers, and the
gain that moving may bring without being motion."""
FLASH_SAMPLES, FLASH_LEVELS = 2, 20
"""A flash lasts up to so many samples, and changes the picture by at least so many levels of 255."""
PARTS_DOWN, PARTS_ACROSS = ((4, 13), (11, 20)), (0, 12, 24)
"""Where the parts of a 48x26 picture lie that are looked for elsewhere."""
SHIFT = (6,)
SPAN_COLUMNS = ("unlike", "dissolve", "dissolve_s", "wipe", "wipe_s")


class Spans:
    """Samples against samples up to 2.3 s away; keeps `AROUND` samples on both sides of the next to measure."""

    def __init__(self) -> None:
        self.pixels = np.empty((0, 3 * CELLS), np.float32)
        self.luma = np.empty((0, CELLS), np.uint8)
        self.fine = np.empty((0, 2 * ROWS, 2 * COLUMNS), np.uint8)
        self.times: Times = np.empty(0)
        self.dots = np.empty((0, 0), np.float32)
        self.next = 0
        self.held: tuple[Floats, Bytes, Times] | None = None
        self.released = 0

    def __call__(self, pixels: Floats, fine: Bytes, times: Times, *, last: bool) -> Floats:
        """Take samples, and their pictures in gray; return the rows that can be measured by now.

        Shape (m, len(SPAN_COLUMNS)). A flash is replaced by the sample before it, for which the next two must be
        known: these are held back, behind the last one released.
        """
        if self.held is not None:
            old_pixels, old_fine, old_times = self.held
            pixels, fine = np.concatenate([old_pixels, pixels]), np.concatenate([old_fine, fine])
            times = np.concatenate([old_times, times])
        stand_ins = flash_stand_ins(pixels)
        pixels, fine = pixels[stand_ins], fine[stand_ins]
        stop = len(times) if last else max(self.released, len(times) - FLASH_SAMPLES)
        start, keep = self.released, max(stop - 1, 0)
        self.held, self.released = (pixels[keep:], fine[keep:], times[keep:]), stop - keep
        return self.take(pixels[start:stop], fine[start:stop], times[start:stop], last=last)

    def take(self, pixels: Floats, fine: Bytes, times: Times, *, last: bool) -> Floats:
        """Take samples without flashes; return the rows that can be measured by now."""
        old = len(self.times)
        self.pixels = np.concatenate([self.pixels, pixels])
        self.luma = np.concatenate([self.luma, (brightness(pixels)[:, PLACE] + 128.5).astype(np.uint8)])
        self.fine = np.concatenate([self.fine, fine])
        self.times = np.concatenate([self.times, times])
        # The mean products of all pairs: all distances follow from those.
        dots = pixels @ self.pixels.T / (3 * CELLS)
        self.dots = np.block([[self.dots, dots[:, :old].T], [dots]])
        stop = len(self.times) if last else len(self.times) - AROUND
        if stop - self.next < (1 if last else BATCH):
            return np.empty((0, len(SPAN_COLUMNS)), np.float32)
        rows = self.measure(np.arange(self.next, stop))
        drop = max(0, stop - AROUND - 1)
        self.pixels, self.luma, self.times = self.pixels[drop:], self.luma[drop:], self.times[drop:]
        self.fine = self.fine[drop:]
        self.dots, self.next = self.dots[drop:, drop:], stop - drop
        return rows

    def measure(self, at: Rows) -> Floats:
        """Return the rows of samples `at`, with the evidence of each kind at the length that gives most.

        Both kinds start from how unlike the sides are, and subtract what does not fit. A dissolve is
        `old + a (new - old)`, a rising from 0 to 1: subtracts the residual, 0.7 of a's errors at the quarters, and 1.5
        of the burst above 0.2, as it is not sudden (greatest steps of cells over the lengths of their paths). In a
        wipe each cell is old or new, and a is the share of new ones: subtracts 0.5 of a's errors and 0.7 of the misfit
        of cells. The weights are those of a linear discriminant of transitions from motion, rounded. Of both, `motion`
        takes away what motion explains.
        """
        rows = np.zeros((len(at), len(SPAN_COLUMNS)), np.float32)
        likeness, end = self.likeness(), len(self.times) - 1
        steps = np.asarray(cv2.absdiff(self.luma, self.luma[np.maximum(np.arange(end + 1) - 1, 0)]), np.uint8)
        paths = np.cumsum(_means(steps))
        tried: dict[str, list[tuple[Floats | Times, Times]]] = {"dissolve": [], "wipe": []}
        for reach in REACHES:
            first, last = np.maximum(at - reach, 0), np.minimum(at + reach, end)
            shifts = np.array([-1, 0, 1])[:, None] * ((reach + 1) // 2)
            stretch = first, last, np.clip(at + shifts, 0, end)
            unlike = 1 - self.alike(likeness, stretch)
            if reach == UNLIKE_REACH:
                rows[:, 0] = unlike
            error, residual, factor = self.blend(stretch)
            # The greatest of the steps to each of the samples from first + 1 to last, for every cell.
            greatest = cv2.dilate(steps, np.ones((2 * reach, 1), np.uint8), anchor=(0, reach - 1))[at]
            burst = _means(greatest) / (paths[last] - paths[first] + 2)
            half_s = (self.times[last] - self.times[first]) / 2 * factor
            outside = np.where((at >= reach) & (at + reach <= end), 0, np.inf)
            tried["dissolve"].append((unlike - 0.7 * error - residual - 1.5 * (burst - 0.2) - outside, half_s))
            if reach >= WIPE_REACH:
                tried["wipe"].append((unlike - 0.5 * error - 0.7 * self.misfit(stretch) - outside, half_s))
        for kind, lengths in tried.items():
            column = SPAN_COLUMNS.index(kind)
            rows[:, column : column + 2] = self.best(kind, at, *(np.stack(part) for part in zip(*lengths, strict=True)))
        return rows

    def best(self, kind: str, at: Rows, evidence: Floats | Times, half_s: Times) -> Floats:
        """Return the greatest evidence over all lengths and the half-length that gives it, less what motion explains.

        `evidence` and `half_s` have shape (lengths, m); the result has shape (m, 2), at least -1.
        """
        most = evidence.argmax(0)
        column = np.arange(len(at))
        rows = np.stack([np.maximum(evidence[most, column], -1), half_s[most, column]], axis=1)
        for i in np.flatnonzero(rows[:, 0] > MOTION[kind][0]).tolist():
            rows[i, 0] = -1
            for length in np.argsort(-evidence[:, i]).tolist():
                # Motion only takes away: what is less before can't be more after.
                if evidence[length, i] <= rows[i, 0]:
                    break
                left = evidence[length, i] - self.motion(kind, int(at[i]), float(half_s[length, i]))
                if left > rows[i, 0]:
                    rows[i] = left, half_s[length, i]
        return np.asarray(rows, np.float32)

    def motion(self, kind: str, at: int, half_s: float) -> float:
        """Return what is to be subtracted from evidence because motion explains the stretch as well."""
        _, least, free = MOTION[kind]
        fits, gains = self.moved(at, half_s, least), self.gain(at, half_s)
        return 2 * max(0.0, fits - 0.75) + 2 * max(0.0, gains - free)

    def gain(self, at: int, half_s: float) -> float:
        """Return how much better parts of the picture fit when moved, in the middle of a stretch; at most 2.

        Compares the samples an eighth of the stretch before and after its middle. Motion carries a part elsewhere, so
        that it fits better there; what dissolves stays where it is. As a difference of correlations, the median over
        six parts of the picture.
        """
        reach = max(1, round(half_s * HZ / 4))
        before, after = self.fine[max(at - reach, 0)], self.fine[min(at + reach, len(self.times) - 1)]
        gains = []
        for top, bottom in PARTS_DOWN:
            for left in PARTS_ACROSS:
                part = np.ascontiguousarray(before[top:bottom, left : left + COLUMNS])
                if part.std() < 2:  # what is flat fits everywhere
                    continue
                low, high = max(top - SHIFT[0], 0), bottom + SHIFT[0]
                fits = cv2.matchTemplate(after[low:high], part, cv2.TM_CCOEFF_NORMED)
                gains.append(float(fits.max() - fits[top - low, left]))
        return float(np.median(gains)) if gains else 0.0

    def moved(self, at: int, half_s: float, least: int) -> float:
        """Return how well parts of a sample fit in those half a length before and after, `least` cells aside or more.

        As a correlation: motion of the camera nears 1, half of a dissolve 0.7, as the other half is another shot.
        A fast pan shows one part before and another after; in a wipe they would fit where they are.
        """
        reach = max(2, round(half_s * HZ))
        picture = self.luma[at].reshape(ROWS, COLUMNS)[2:11]
        ends = self.luma[[max(at - reach, 0), min(at + reach, len(self.times) - 1)]].reshape(2, ROWS, COLUMNS)
        best = np.zeros(2, np.float32)
        for left in (0, 6, 12):
            part = np.ascontiguousarray(picture[:, left : left + 12])
            if part.std() > 2:  # what is flat fits everywhere
                fits = np.stack([cv2.matchTemplate(end, part, cv2.TM_CCOEFF_NORMED).max(0) for end in ends])
                fits[:, np.abs(np.arange(fits.shape[1]) - left) < least] = 0
                best = np.maximum(best, fits.max(1))
        return float(best.min())

    def likeness(self) -> Floats:
        """Return the correlations of all pairs of samples, shape (k, k); about 0 where there is no contrast."""
        products = self.dots - np.multiply.outer(self.pixels.mean(1), self.pixels.mean(1))
        spread = np.sqrt(np.maximum(np.diagonal(products), 0)) + 1
        return np.asarray(products / (spread[:, None] * spread))

    def alike(self, likeness: Floats, stretch: Stretch) -> Floats:
        """Return the greatest likeness, at least 0, of a picture before to one after."""
        before = np.maximum(stretch[0][:, None, None] - np.array(ASIDE)[:, None], 0)
        after = np.minimum(stretch[1][:, None, None] + np.array(ASIDE), len(self.times) - 1)
        return np.asarray(np.maximum(likeness[before, after].max((1, 2)), 0))

    def blend(self, stretch: Stretch) -> tuple[Floats, Floats, Floats]:
        """Fit `first + a (last - first)` at the quarters; return the sum of a's errors, the residual relative to the
        distance of the ends, at most 2, and by what factor, 0.5 to 1.25, a goes from 0 to 1 on a longer stretch.
        """
        dots, (first, last, mid) = self.dots, stretch
        start = dots[first, first]
        apart = dots[last, last] + start - 2 * dots[first, last] + NOISE
        to_mid = dots[mid, first] - start
        along = dots[mid, last] - dots[first, last] - to_mid
        a = along / apart
        left = dots[mid, mid] - start - 2 * to_mid - a * along - a * a * NOISE
        residual = np.sqrt(np.clip((left / apart).mean(0), 0, 4))
        shares = (mid - first) / np.maximum(last - first, 1)
        error = np.minimum(np.abs(a - shares), 1).sum(0)
        return error, residual, np.clip((shares[2] - shares[0]) / np.maximum(a[2] - a[0], 0.1), 0.5, 1.25)

    def misfit(self, stretch: Stretch) -> Floats:
        """Return how far cells between are from the nearer end, over how far apart the ends are, at most 2."""
        first, last = self.luma[stretch[0]], self.luma[stretch[1]]
        near = (_means(cv2.min(cv2.absdiff(mid, first), cv2.absdiff(mid, last))) for mid in self.luma[stretch[2]])
        return np.minimum(sum(near) / 3 / (_means(cv2.absdiff(first, last)) + 2), 2)


def flash_stand_ins(pixels: Floats) -> Rows:
    """Return for each sample which one stands for it: itself, or for a flash the one before.

    A flash is a sudden change, of one or two samples, after which the picture is what it was before.
    """
    stand_ins = np.arange(len(pixels))
    steps = pixels[1:] - pixels[:-1]
    squares = np.einsum("ij,ij->i", steps, steps) / (3 * CELLS)
    for k in (np.flatnonzero(squares > FLASH_LEVELS**2) + 1).tolist():
        before = stand_ins[k - 1]
        for width in range(1, FLASH_SAMPLES + 1):
            if k + width < len(pixels) and stand_ins[k] == k:
                apart = pixels[k + width] - pixels[before]
                if float(apart @ apart) / (3 * CELLS) < 0.2 * squares[k - 1]:
                    stand_ins[k : k + width] = before
    return stand_ins


def _means(values: cv2.typing.MatLike) -> Floats:
    """Return the mean of each row of bytes, shape (n,)."""
    return np.asarray(cv2.reduce(values, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F)[:, 0], np.float32)
