"""TransNetV2's published rule as arithmetic on the signal `transnetv2`: a transition where frames are marked."""

from typing import Annotated

import numpy as np

from longtake.records import Range, Series, Transition, TransitionKind

VERSION = 1
SIGNAL = "transnetv2"
CUT_FRAMES = 2
"""So many marked frames in a row are at most a cut; the network itself doesn't tell kinds."""


def transnetv2(series: Series, *, threshold: Annotated[float, Range(above=0, most=1)] = 0.5) -> list[Transition]:
    """Return the transitions of a video: where TransNetV2 marks frames, their `single` above `threshold`.

    The network marks the last frame before a cut, so the new shot begins with the frame after it. Frames marked in a
    row make one transition, as in the published `predictions_to_scenes`: the first of them is the last frame of the
    old shot, the frame after the last of them the first of the new one. Up to two are called a cut, at the surer one,
    and more a dissolve, whatever it is. Of a gradual transition the network marks the middle alone: the frames around
    that are still mixed stay in the shots.

    `confidence` is the greatest `single` among the frames. A mark on the last frame alone begins no shot, and where
    every frame is marked there is none. Marks up to the end of the video leave its last frame as a shot.
    """
    single = series.column("single")
    last = len(series) - 1
    edges = np.flatnonzero(np.diff(np.concatenate([[False], single > threshold, [False]])))
    found: list[Transition] = []
    for first, stop in edges.reshape(-1, 2).tolist():
        if first == last or stop - first == len(series):
            continue
        surest = first + int(single[first:stop].argmax())
        start, end = (surest + 1, surest + 1) if stop - first <= CUT_FRAMES else (first + 1, stop)
        found.append(_transition(series, min(start, last), min(end, last), float(single[surest])))
    return found


def _transition(series: Series, start: int, end: int, confidence: float) -> Transition:
    """Return the transition from row `start` to row `end`."""
    times, frames = series.times, series.frames
    kind: TransitionKind = "cut" if start == end else "dissolve"
    return Transition(kind, float(times[start]), float(times[end]), int(frames[start]), int(frames[end]), confidence)
