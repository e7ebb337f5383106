"""Every shot as one clip, trimmed clear of its transitions: the long take."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from longtake.records import Range, Shot

VERSION = 1


def takes(
    shots: Sequence[Shot], times: NDArray[np.float64], end_s: float, *, trim_s: Annotated[float, Range(least=0)] = 0.1
) -> list[Shot]:
    """Each shot as one clip, trimmed on both sides where it meets a transition.

    trim_s: seconds taken off at a transition, so that one placed a frame or two off leaves no trace. The start and
    end of the video are not trimmed. A shot with nothing left gives no clip; a short one does, and rules reject it.
    """
    clips = []
    for shot in shots:
        start = shot.start_frame
        if start > 0:
            start = int(np.searchsorted(times, shot.start_s + trim_s - 1e-9))
        stop = shot.end_frame
        if stop < len(times):
            stop = int(np.searchsorted(times, shot.end_s - trim_s + 1e-9, side="right")) - 1
        if start < stop:
            stop_s = end_s if stop == len(times) else float(times[stop])
            clips.append(Shot(float(times[start]), stop_s, start, stop))
    return clips
