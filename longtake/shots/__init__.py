"""Signals in, transitions out: each file holds one detector. The shots are what lies between."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from longtake.records import Shot, Transition


def shots_between(transitions: Sequence[Transition], times: NDArray[np.float64], end_s: float) -> list[Shot]:
    """Return the shots of a video with frames at `times` that ends at `end_s`.

    Shots and transitions tile it: the first shot starts at 0, each next one where a transition ends, the last one
    ends at `end_s`. Transitions are sorted and don't overlap.
    """
    starts = [(0.0, 0)] + [(t.end_s, t.end_frame) for t in transitions]
    ends = [(t.start_s, t.start_frame) for t in transitions] + [(end_s, len(times))]
    return [Shot(start_s, stop_s, start, stop) for (start_s, start), (stop_s, stop) in zip(starts, ends, strict=True)]
