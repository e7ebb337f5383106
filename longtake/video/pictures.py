"""Pictures of frames at the sizes that signals want to see, each made once a frame, and for less where less will do."""

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import DTypeLike, NDArray

Plane = NDArray[np.unsignedinteger]

FORMATS: dict[str, DTypeLike] = {"yuv420p": np.uint8, "yuvj420p": np.uint8, "yuv420p10le": np.uint16}
"""Pixel formats whose planes are averaged here; frames of all others are scaled as they are."""
SPARE = 3
"""How many times as wide and high as the picture a frame stays when it is halved: then nobody sees that it was."""
LUMA_IS_GRAY = (2, 5, 6)
"""Colour spaces (AVCOL_SPC: unspecified, BT.470BG, SMPTE 170M) of which the scaler takes the first plane for gray; of
others it makes RGB first."""
ROWS = 6
"""Rows of a frame, evenly spread, that are enough for one of the picture: memory is what the others cost."""


class Picture:
    """One size and pixel format: scales each frame at most once, however many taps want it."""

    def __init__(self, size: tuple[int, int], pixels: str, rotation: int) -> None:
        self.stored_size = size[::-1] if rotation % 180 else size
        self.format = pixels
        self.turns = rotation // 90
        self.shape = (size[1], size[0]) if pixels == "gray" else (size[1], size[0], 3)
        self.scaler = VideoReformatter()
        self.number = -1
        self.picture: NDArray[np.uint8] = np.empty(0, np.uint8)
        self.halves: _Halves | None = None

    def of(self, number: int, frame: VideoFrame) -> NDArray[np.uint8]:
        """Return the frame of this number as a picture; valid until the next one."""
        if number != self.number:
            width, height = self.stored_size
            scaled = self.scaler.reformat(
                self._smaller(frame), width, height, self.format, interpolation=Interpolation.AREA, threads=1
            )
            self.picture = np.asarray(scaled.to_ndarray(), np.uint8)
            if self.turns:
                self.picture = np.rot90(self.picture, self.turns)
            self.number = number
        return self.picture

    def _smaller(self, frame: VideoFrame) -> VideoFrame:
        """Return the frame at a fraction of its size, where that is quickly made and enough for the picture."""
        kind = (frame.width, frame.height, frame.format.name)
        if self.halves is None or self.halves.kind != kind:
            self.halves = _Halves(kind, self.stored_size, gray=self.format == "gray")
        # The scaler sees to the two fields of an interlaced frame one by one.
        return frame if frame.interlaced_frame else self.halves.of(frame)


class _Halves:
    """Frames of one kind, halved as often as a picture's size allows; the frames that hold them are used again."""

    def __init__(self, kind: tuple[int, int, str], size: tuple[int, int], *, gray: bool) -> None:
        self.kind = kind
        self.gray = gray
        width, height, pixels = kind
        self.dtype = FORMATS.get(pixels, np.uint8)
        self.every = max(1, height // (ROWS * size[1]))
        sizes = [(width, height // self.every // 2 * 2 if self.every > 1 else height)]
        while pixels in FORMATS and sizes[-1][0] % 2 == sizes[-1][1] % 2 == 0:
            sizes.append((sizes[-1][0] // 2, sizes[-1][1] // 2))
        # Gray may come out at the picture's very size; colour not, for it is stored at half the size.
        while len(sizes) > 1 and not (_spare(sizes[-1], size) or (gray and sizes[-1] == size)):
            sizes.pop()
        self.frames = [VideoFrame(*smaller, pixels) for smaller in sizes[1:]]
        self.planes = [_planes(frame, self.dtype) for frame in self.frames]

    def of(self, frame: VideoFrame) -> VideoFrame:
        """Return a frame at a fraction of its size, valid until the next one; the frame itself where none will do."""
        if not self.frames:
            return frame
        large = [plane[self.every // 2 :: self.every] for plane in _planes(frame, self.dtype)]
        if self.gray and frame.colorspace in LUMA_IS_GRAY:
            del large[1:]
        for small in self.planes:
            for plane, half in zip(large, small, strict=False):
                _halve(plane, half)
            large = small[: len(large)]
        last = self.frames[-1]
        last.colorspace, last.color_range = frame.colorspace, frame.color_range
        return last


def _spare(have: tuple[int, int], want: tuple[int, int]) -> bool:
    return have[0] >= SPARE * want[0] and have[1] >= SPARE * want[1]


def _planes(frame: VideoFrame, dtype: DTypeLike) -> list[Plane]:
    """Return the pixels of each plane, not copied."""
    return [
        np.frombuffer(memoryview(plane), dtype).reshape(plane.height, -1)[:, : plane.width] for plane in frame.planes
    ]


def _halve(large: Plane, half: Plane) -> None:
    """Write the means of squares of two by two pixels; for an odd last row or column, one of its two pixels."""
    rows, columns = half.shape
    height, width = min(rows, large.shape[0] // 2), min(columns, large.shape[1] // 2)
    squares = large[: 2 * height, : 2 * width]
    cv2.resize(squares, (width, height), dst=half[:height, :width], interpolation=cv2.INTER_AREA)
    if height < rows:
        half[height:, :width] = large[2 * height : 2 * height + 1, : 2 * width : 2]
    if width < columns:
        half[:, width:] = large[: 2 * rows : 2, 2 * width : 2 * width + 1]
