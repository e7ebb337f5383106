"""From captions to spans: each file holds one way to ground captions in their videos.

A way to ground is a function `(corpus, ...)`: it may go through all videos more than once, for what is good enough may
depend on all of them, and yields the spans of one video after the other. It knows vectors and times, no pixels and no
models, so it can be run again with other numbers at any time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Seconds = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Timeline:
    """One video as a row of scenes, and what their pictures look like."""

    video_id: str
    duration_s: float
    starts_s: Seconds
    """Shape (n,): where each scene starts. Scenes are in order and don't overlap; they tile the video."""
    ends_s: Seconds
    """Shape (n,)."""
    shots: Floats
    """Shape (u, d): a vector of length 1 for each shot of each scene; NaN where nothing was measured of it. One under
    half a second of which nothing was measured is left out where its scene has others."""
    scene_of: NDArray[np.int32]
    """Shape (u,): the scene each of those belongs to, ascending; every scene has at least one."""
    frames: Floats
    """Shape (n, 3, d): vectors of length 1 of three frames of each scene; NaN where nothing was measured of it."""
    shots_at: Seconds
    """Shape (u, 2): where each row of `shots` starts and ends, inside its scene."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A caption of a stretch of a video."""

    clip_id: str
    step: str
    """The captioner's label."""
    kind: str
    number: int
    text: str
    start_s: float
    """Seconds of the video, as the end; they fall on edges of scenes, up to a rounding of times."""
    end_s: float
    vector: Floats | None = None
    """Shape (d,), of length 1, in the space of the frames; None where the signal has no place for texts."""


class Corpus(Protocol):
    """All videos of a set with their captions, read as one goes through them, any number of times.

    One whose signal has no place for texts may say so with `has_texts = False`, and is gone through once less.
    """

    def __iter__(self) -> Iterator[tuple[Timeline, Sequence[Sentence]]]:
        """Go through the videos, in an order that stays."""
        ...
