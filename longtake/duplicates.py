"""Whether two clips are copies of the same footage: pictures that are alike and go up and down together in time.

Arithmetic on the rows of the signal `thumbnail`, no pixel and no store. Pictures that are merely alike are not enough:
two moments before a static camera, or two takes of one place, are. Copies change together at some shift in time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from longtake.records import Series
from longtake.similarity import Floats, unit

EVIDENCE = "thumbnail"
"""The signal that tells copies from what only looks like them."""
GROUP, SIZE, RANK = "copies.group", "copies.size", "copies.rank"
"""What is known of a clip once copies were looked for."""
HZ = 8.0
"""Rows per second on which two clips are laid over each other."""
FLAT = 2.0
"""Gray levels: a picture whose cells differ less (standard deviation) has a contrast of so much."""
SHORTEST_S = 2.0
"""What two clips share must be so long at least: anything agrees by chance for long enough a moment."""
ALIKE = 0.8
"""Cosine of the pictures of copies, contrast taken out: crops by a tenth of one side give 0.87 to 0.97."""
SLACK, PER_UNLIKE = 0.05, 4.0
"""By how much the correlation of changes may miss 1, and how much more for each part by which the cosine of the
pictures does. A crop spoils both; where the pictures are the same, so are all changes, or it is another moment."""
TRUSTED_S = 6.0
"""What two clips share must be so long for `together` to be enough: in shorter ones the correlation may miss 1 by less,
in proportion, for what sways or nods agrees with itself for seconds. Set when two of the held-out shots did."""
GRAIN = 0.012
"""Root mean square change that coding makes, as part of the contrast; beside it, changes as small tell little.

These were set on 27 single shots of real footage, and judged on others, by `benchmarks/copies.py`."""
STILL = 0.004
"""Root mean square change in time, as part of the contrast, below which a clip shows no movement at all."""
SAME = 0.9995
"""Cosine of the pictures of two clips without movement, above which they are one picture."""


PART_S = 4.0
"""A clip is looked for by vectors of parts so long, and longer ones where it hardly changes."""
HARDLY = 0.95
"""Cosine of a part with the stretch before it above which the two are one."""


@dataclass(frozen=True, slots=True)
class Copies:
    """How copies of the same footage are found among the clips of a set, and which of them is the best."""

    signal: str = "signature"
    """Whose vectors say which clips are worth comparing."""
    alike: float = 0.9
    """Cosine of these vectors from which on two clips are compared."""
    together: float = 0.6
    """How much two clips must change together in time, as a correlation, to be copies: more where they share < 6 s."""
    part: float = 0.5
    """Part of the shorter clip that both must show."""
    best: str = "height, duration_s"
    """The scores that the best of a group has most of, the first first; of those with a minus, least. Some may be
    multiplied: `height * fine.resolution` are the lines that a picture really shows. Where the recipe has the score
    `borders`, black ones don't count as height."""

    @property
    def scores(self) -> list[tuple[tuple[str, ...], bool]]:
        """What `best` goes by: scores to be multiplied, mostly one, and whether less is better."""
        marks = [mark.strip() for mark in self.best.split(",")]
        return [
            (tuple(name.strip() for name in mark.removeprefix("-").split("*")), mark.startswith("-"))
            for mark in marks
            if mark
        ]


@dataclass(frozen=True, slots=True)
class Match:
    """How two clips agree at the shift in time where they agree best."""

    shift_s: float
    """Time of the first clip at which the second begins; negative where it begins earlier."""
    shared_s: float
    """Length of what both show."""
    alike: float
    """Cosine of their pictures, -1 to 1."""
    together: float
    """Correlation of their changes in time, -1 to 1."""
    moving: float
    """How much the one that changes less does, as part of the contrast, 0 and up."""

    def is_copy(self, together: float) -> bool:
        """Return whether it is the same footage, given how much they must change together to be."""
        if self.moving < STILL:
            return self.alike >= SAME
        most = (1 - together) * min(1.0, self.shared_s / TRUSTED_S)
        missing = min(most, SLACK + PER_UNLIKE * (1 - self.alike) + (GRAIN / self.moving) ** 2)
        return self.alike >= ALIKE and self.together >= 1 - missing


def pictures(series: Series, start_s: float, end_s: float) -> Floats:
    """Return the cells of a clip 8 times per second from its start, mean taken out and contrast 1: shape (n, 36)."""
    inside = series.between(start_s, end_s)
    if len(inside.times) < 2:
        return np.empty((0, len(series.columns)), np.float32)
    at = inside.times[0] + np.arange(int((inside.times[-1] - inside.times[0]) * HZ + 0.01) + 1) / HZ
    after = np.clip(np.searchsorted(inside.times, at), 1, len(inside.times) - 1)
    before = after - 1
    part = ((at - inside.times[before]) / (inside.times[after] - inside.times[before]))[:, None]
    cells = inside.values[before] * (1 - part) + inside.values[after] * part
    cells -= cells.mean(axis=1, keepdims=True)
    contrast = np.maximum(cells.std(axis=1, keepdims=True), FLAT) * np.sqrt(cells.shape[1])
    return np.asarray(cells / contrast, np.float32)


def match(some: Floats, others: Floats, *, part: float) -> Match | None:
    """Return how two clips, as `pictures` gives them, agree best; None where either is too short to tell.

    They are tried at every shift at which both show at least `part` of the shorter one, and 2 s.
    """
    n, m = len(some), len(others)
    least = max(round(SHORTEST_S * HZ), int(np.ceil(part * min(n, m))))
    if min(n, m) < least:
        return None
    shifts = np.arange(least - m, n - least + 1)
    first, stop = np.maximum(shifts, 0), np.minimum(shifts + m, n)
    shared = (stop - first).astype(np.float64)
    products = _products(some, others)[shifts + m - 1]
    sums, squares = _running(some)
    other_sums, other_squares = _running(others)
    mine, yours = sums[stop] - sums[first], other_sums[stop - shifts] - other_sums[first - shifts]
    my_square = squares[stop] - squares[first]
    your_square = other_squares[stop - shifts] - other_squares[first - shifts]
    alike = products / np.sqrt(np.maximum(my_square * your_square, 1e-12))
    # Of what changes: sums of products less the product of the means.
    my_change = np.maximum(my_square - (mine**2).sum(1) / shared, 0)
    your_change = np.maximum(your_square - (yours**2).sum(1) / shared, 0)
    common = products - (mine * yours).sum(1) / shared
    together = common / np.sqrt(np.maximum(my_change * your_change, 1e-12))
    best = int(np.argmax(alike + together))
    moving = float(np.sqrt(min(my_change[best], your_change[best]) / shared[best]))
    return Match(
        shift_s=float(shifts[best] / HZ),
        shared_s=float(shared[best] / HZ),
        alike=min(float(alike[best]), 1.0),
        together=min(float(together[best]), 1.0),
        moving=moving,
    )


def _products(some: Floats, others: Floats) -> NDArray[np.float64]:
    """Return the sum of the products of all pictures that meet at each shift, from 1 - m to n - 1."""
    n, m = len(some), len(others)
    size = 1 << (n + m - 2).bit_length()
    mine, yours = some.astype(np.float64), others[::-1].astype(np.float64)
    spectrum = np.fft.rfft(mine, size, axis=0) * np.fft.rfft(yours, size, axis=0)
    return np.asarray(np.fft.irfft(spectrum.sum(axis=1), size)[: n + m - 1], np.float64)


def _running(pictures: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sums of the first k pictures, shape (n + 1, columns), and of their squares, shape (n + 1,)."""
    wide = np.concatenate([np.zeros((1, pictures.shape[1])), pictures])
    return np.cumsum(wide, axis=0), np.cumsum((wide**2).sum(axis=1))


def parts(series: Series, start_s: float, end_s: float) -> tuple[list[tuple[float, float]], Floats]:
    """Return stretches of a clip between which it changes, and the mean vector of each, of length 1, shape (n, d).

    Stretches without a row that tells anything are left out, so that there may be none.
    """
    inside = series.between(start_s, end_s)
    rows = unit(inside.values)
    told = ~np.isnan(rows).any(axis=1)
    times, rows = inside.times[told], rows[told].astype(np.float64)
    count = max(1, round((end_s - start_s) / PART_S))
    edges = np.linspace(start_s, end_s, count + 1)
    spans: list[tuple[float, float]] = []
    sums: list[NDArray[np.float64]] = []
    for first, stop, begin, end in zip(
        np.searchsorted(times, edges[:-1]), np.searchsorted(times, edges[1:]), edges[:-1], edges[1:], strict=True
    ):
        if first == stop:
            continue
        piece = rows[first:stop].sum(axis=0)
        if sums and piece @ sums[-1] >= HARDLY * np.linalg.norm(piece) * np.linalg.norm(sums[-1]):
            spans[-1] = (spans[-1][0], float(end))
            sums[-1] += piece
        else:
            spans.append((float(begin), float(end)))
            sums.append(piece)
    return spans, unit(np.array(sums, np.float32).reshape(-1, rows.shape[1]))


class Joined:
    """Things that pairs join into groups, whatever the order of the pairs."""

    def __init__(self, count: int) -> None:
        self.above = list(range(count))

    def find(self, thing: int) -> int:
        """Return the least thing of its group."""
        while self.above[thing] != thing:
            self.above[thing] = self.above[self.above[thing]]
            thing = self.above[thing]
        return thing

    def join(self, one: int, other: int) -> None:
        """Make one group of two."""
        low, high = sorted((self.find(one), self.find(other)))
        self.above[high] = low

    def least(self) -> NDArray[np.intp]:
        """Return the least thing of the group of each."""
        return np.array([self.find(thing) for thing in range(len(self.above))], np.intp)
