"""A small silent video made of pictures, for models that take video; files with exact times are `encode.py`'s."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from longtake.video.encode import REPEATABLE

OPTIONS = {"crf": "23", "preset": "veryfast", **REPEATABLE}
FINEST_RATE = 1000
"""Denominator that a frame rate has at most."""


class SmallVideo:
    """One mp4 file being written picture by picture: H.264, 4:2:0, no sound. Equal pictures give equal files."""

    def __init__(self, path: Path, fps: float) -> None:
        self.rate = Fraction(fps).limit_denominator(FINEST_RATE)
        # The index at the front, for servers that read what they are sent as a stream.
        self.file = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self.stream: VideoStream | None = None
        self.pictures = 0

    def add(self, picture: NDArray[np.uint8]) -> None:
        """Encode the next picture: RGB, shape (height, width, 3), even sides; all take the size of the first."""
        if self.stream is None:
            self.stream = self._open(picture)
        frame = VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.duration, frame.time_base = self.pictures, 1, 1 / self.rate
        self.file.mux(self.stream.encode(frame))
        self.pictures += 1

    def close(self) -> None:
        """Write what the encoder still holds, and the index; there must be a picture."""
        assert self.stream is not None
        self.file.mux(self.stream.encode(None))
        self.file.close()

    def _open(self, picture: NDArray[np.uint8]) -> VideoStream:
        stream = self.file.add_stream("libx264", rate=self.rate, options=OPTIONS)
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = 1 / self.rate
        stream.codec_context.thread_count = 1
        return stream
