"""Leaving frames out of a sequence, as a fast scan does: those that no other frame of a file refers to.

Which these are is the encoder's choice: mostly every second one, in patterns that change with what is seen.
"""

import numpy as np
from labels import CUT, IGNORE, NONE, Labels, Random
from numpy.typing import NDArray

PER_S = {24: 0.3, 25: 0.25, 29.97: 0.1, 30: 0.2, 50: 0.05, 60: 0.1}
"""Frame rates of files that frames are left out of, and how frequent they are."""
SLOW = 40
"""Files of more frames per second are seen at half their rate where none is left out."""
APART_S = 0.1
"""Frames seen are at most so far apart."""

Indices = NDArray[np.intp]


def gaps(n: int, fps: float, random: Random) -> Indices:
    """Return n distances in frames, each from one frame that is seen to the next."""
    usual = 2 if random.random() < 0.85 else 3
    kind = random.choice(["single", "runs", "turns", "any"], p=[0.5, 0.3, 0.1, 0.1])
    if kind == "single":  # now and then one frame more
        out = np.where(random.random(n) < random.uniform(0, 0.3), 1, usual)
    elif kind == "runs":  # passages where all frames are seen
        turns = random.random(n) < 1 / random.uniform(4, 40)
        out = np.where((np.cumsum(turns) + random.integers(2)) % 2 == 0, 1, usual)
    elif kind == "turns":
        out = np.where((np.arange(n) + np.cumsum(random.random(n) < 0.05)) % 2 == 0, 1, 2)
    else:
        out = random.integers(1, 4, n)
    if fps > SLOW:  # one frame more is too near to be seen, but the next one is further away
        out = np.where(out == usual, usual, usual + 1)
    return np.minimum(out, int(APART_S * fps))


def thinned(labels: Labels, fps: float, gaps: Indices, random: Random) -> tuple[Indices, Labels]:
    """Return which of a sequence's frames are seen, and their labels."""
    seen = np.zeros(len(labels), np.bool_)
    seen[np.cumsum(gaps) - gaps[0]] = True
    cuts = np.flatnonzero((labels == CUT) | (labels == IGNORE))
    if fps < SLOW and random.random() < 0.6:  # the encoder saw cuts, and began anew
        seen[cuts] = seen[np.maximum(cuts - 1, 0)] = True
    kept = np.flatnonzero(seen)
    out = labels[kept]
    # A cut whose frame is left out is first seen at the next one.
    for kind in (IGNORE, CUT):
        lost = np.flatnonzero((labels == kind) & ~seen)
        at = np.searchsorted(kept, lost)
        at = at[at < len(kept)]
        free = (out[at] == NONE) | (out[at] == IGNORE)
        out[at[free]] = kind
    return kept, out
