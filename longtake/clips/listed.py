"""The spans that a list names, as clips: a published dataset, here."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from longtake.records import Shot

VERSION = 1
LISTED = True

ROUNDING_S = 1e-3
"""Lists round times: a frame that begins so little before a span is its first one."""


def listed(
    shots: Sequence[Shot], times: NDArray[np.float64], end_s: float, listed: Sequence[Mapping[str, Any]]
) -> list[Shot]:
    """Spans that the list of a fetched folder names of the video, each a clip once, however many rows name it.

    A clip has the frames whose times lie in the span. Without a span it is the whole video. A span that begins after
    the video's end gives no clip; one that reaches beyond it, as lists made for another copy do, ends with the video.
    """
    clips = {}
    for row in listed:
        start_s = row["start_s"] or 0.0
        stop_s = end_s if row["end_s"] is None else min(row["end_s"], end_s)
        start, stop = (int(np.searchsorted(times, at - ROUNDING_S)) for at in (start_s, stop_s))
        if stop_s >= end_s - ROUNDING_S:
            stop = len(times)
        if stop > start:
            ends_s = end_s if stop == len(times) else float(times[stop])
            clips[start, stop] = Shot(float(times[start]), ends_s, start, stop)
    return [clips[place] for place in sorted(clips)]
