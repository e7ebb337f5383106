"""PySceneDetect's `content_val`: how much the colours of a frame differ from those of the frame before."""

from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray

from longtake.records import Range, Series
from longtake.video.scan import Frames, Tap

VERSION = 1


class Content:
    """Change of colour from the frame before, from 0 (equal) to 230, measured in 8-bit HSV.

    score: the mean of |dH|, |dS| and |dV| over all pixels, hue in 0..179 and the others in 0..255; 0 for the first
        frame. A hue difference is not taken around the circle: red against red may count 179. 27 and more is the
        usual mark of a cut.

    With `hz` frames are compared that far apart; without, every frame is compared with its neighbour. The formula
    is `ContentDetector`'s of PySceneDetect 0.7 with its default weights: equal frames give equal scores. That library
    shrinks frames less smoothly, so on equal files its scores are some 2 to 7 per cent higher.
    """

    columns = ("score",)

    def __init__(self, *, hz: Annotated[float | None, Range(above=0)] = None) -> None:
        self.tap = Tap(256, "rgb24", hz)
        self.before: NDArray[np.uint8] | None = None

    def __call__(self, frames: Frames) -> Series:
        """Measure one block."""
        scores = np.zeros((len(frames.times), 1), np.float32)
        for row, picture in enumerate(frames.pixels):
            hsv = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2HSV), np.uint8)
            if self.before is not None:
                scores[row, 0] = difference(self.before, hsv)
            self.before = hsv
        return Series(self.columns, frames.times.copy(), frames.numbers.copy(), scores)


def difference(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> float:
    """Return the mean absolute difference of two HSV pictures, hue, saturation and value counting the same."""
    return cv2.norm(before, after, cv2.NORM_L1) / before.size
