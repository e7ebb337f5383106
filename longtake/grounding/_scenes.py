"""A video's scenes as numbers: which of them a caption is about, and where time is missing between them."""

import numpy as np
from numpy.typing import NDArray

from longtake.grounding import Seconds, Timeline

INSTANT_S = 0.01
"""What times may be off by rounding; more than this between two scenes is a gap."""


def locate(timeline: Timeline, start_s: float, end_s: float, shift_s: float) -> tuple[int, int] | None:
    """Return the first and the last scene of a stretch whose edges fall on theirs within `shift_s`; None else."""
    first = _nearest(timeline.starts_s, start_s, shift_s)
    last = _nearest(timeline.ends_s, end_s, shift_s)
    return (first, last) if first is not None and last is not None and first <= last else None


def _nearest(edges: Seconds, time_s: float, shift_s: float) -> int | None:
    if not len(edges):
        return None
    after = int(np.searchsorted(edges, time_s))
    best = min((i for i in (after - 1, after) if 0 <= i < len(edges)), key=lambda i: abs(float(edges[i]) - time_s))
    return best if abs(float(edges[best]) - time_s) <= shift_s else None


def touched(timeline: Timeline, start_s: float, end_s: float) -> tuple[int, int]:
    """Return the first and the last scene a stretch has a part in, or those next to it where it has none."""
    first = int(np.searchsorted(timeline.ends_s, start_s, side="right"))
    last = int(np.searchsorted(timeline.starts_s, end_s, side="left")) - 1
    most = max(len(timeline.starts_s) - 1, 0)
    first = min(first, most)
    return first, min(max(last, first), most)


def gaps(timeline: Timeline) -> NDArray[np.bool_]:
    """Return before which scenes time is missing, shape (n + 1,); the last is the end of the video."""
    ends = np.concatenate([[0.0], timeline.ends_s])
    starts = np.concatenate([timeline.starts_s, [timeline.duration_s]])
    return np.asarray(starts - ends > INSTANT_S, np.bool_)
