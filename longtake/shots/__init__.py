"""Signals in, transitions out: each file holds one detector. The shots are what lies between."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from longtake.records import Shot, Transition


def widened(transitions: Sequence[Transition], seen: NDArray[np.int32], times: NDArray[np.float64]) -> list[Transition]:
    """Return transitions found among some frames of a video, `seen`, as they are known among all, which are at `times`.

    Frames that nobody saw may be of the old shot or of the new one: a transition begins after the last one that was
    seen to be of the old shot, and so a cut beside such frames has a width.
    """
    found: list[Transition] = []
    for one in transitions:
        row = int(np.searchsorted(seen, one.start_frame))
        start = max(int(seen[row - 1]) + 1 if row else 0, found[-1].end_frame if found else 0)
        found.append(replace(one, start_frame=start, start_s=float(times[start])))
    return found


def shots_between(transitions: Sequence[Transition], times: NDArray[np.float64], end_s: float) -> list[Shot]:
    """Return the shots of a video with frames at `times` that ends at `end_s`.

    Shots and transitions tile it: the first shot starts at 0, each next one where a transition ends, the last one
    ends at `end_s`. Transitions are sorted and don't overlap.
    """
    starts = [(0.0, 0)] + [(t.end_s, t.end_frame) for t in transitions]
    ends = [(t.start_s, t.start_frame) for t in transitions] + [(end_s, len(times))]
    return [Shot(start_s, stop_s, start, stop) for (start_s, start), (stop_s, stop) in zip(starts, ends, strict=True)]
