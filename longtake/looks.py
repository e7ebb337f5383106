"""What a model is shown of a clip: frames by their times, one by one or as a grid, as JPEG files, or a small video."""

import hashlib
import math
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from longtake.captions import Look
from longtake.places import Place
from longtake.video import SmallVideo, read_frames

VERSION = 1
"""Raised when the same look gives other pictures: answers about the old ones are then asked for anew."""
JPEG_QUALITY = 90

Picture = NDArray[np.uint8]
"""RGB, shape (height, width, 3)."""


def take_looks(
    path: str | Place,
    looks: Sequence[Look],
    *,
    start_s: float,
    first_timestamp_s: float,
    seekable: bool,
    on_progress: Callable[[float], None] = lambda _: None,
) -> list[list[bytes]]:
    """Return the files of each look, from one pass over the file, in which the clip begins at `start_s`.

    They are JPEG files, or one mp4 file. Frames are decoded once however many looks share them, and those of a video
    are not held. Raises `VideoError`.
    """
    showing: dict[float, list[Look]] = {}
    for look in dict.fromkeys(looks):
        for time in look.times:
            showing.setdefault(time, []).append(look)
    times = sorted(showing)
    frames = read_frames(
        path,
        [start_s + time for time in times],
        long_side_px=max(look.cell_px for look in looks),
        first_timestamp_s=first_timestamp_s,
        seekable=seekable,
        on_progress=on_progress,
    )
    still: dict[float, Picture] = {}
    with tempfile.TemporaryDirectory(prefix="longtake-") as folder:
        videos = {look: _Video(look, Path(folder) / f"{i}.mp4") for i, look in enumerate(looks) if look.fps}
        for time, frame in zip(times, frames, strict=True):
            for look in showing[time]:
                if look.fps:
                    videos[look].add(time, frame)
                else:
                    still[time] = frame
    return [[videos[look].data] if look.fps else lay_out([still[time] for time in look.times], look) for look in looks]


class _Video:
    """The video of one look, in the making; its file is there only between its first frame and its last."""

    def __init__(self, look: Look, path: Path) -> None:
        self.look, self.path = look, path
        self.video: SmallVideo | None = None
        self.data = b""

    def add(self, time: float, frame: Picture) -> None:
        self.video = self.video or SmallVideo(self.path, self.look.fps)
        self.video.add(_shrink(frame, self.look.cell_px, unit_px=2))
        if time == self.look.times[-1]:
            self.video.close()
            self.data = self.path.read_bytes()
            self.path.unlink()
            self.video = None  # a long clip has many of them, each with an encoder


def lay_out(frames: Sequence[Picture], look: Look) -> list[bytes]:
    """Return frames as one JPEG each, or all in one grid: row by row in order of time, on white."""
    cells = [_shrink(frame, look.cell_px) for frame in frames]
    return [_jpeg(grid(cells, look.columns, look.border_px))] if look.columns else [_jpeg(cell) for cell in cells]


def grid(cells: Sequence[Picture], columns: int, border_px: int) -> Picture:
    """Return pictures of one size side by side, so many in a row, with a white border around each."""
    height, width = cells[0].shape[:2]
    rows = math.ceil(len(cells) / columns)
    high, wide = (border_px + rows * (height + border_px), border_px + columns * (width + border_px))
    whole = np.full((high, wide, 3), 255, np.uint8)
    for number, cell in enumerate(cells):
        row, column = divmod(number, columns)
        top, left = border_px + row * (height + border_px), border_px + column * (width + border_px)
        # Where a video changes its size midway, all cells take the size of the first.
        fitted = cell if cell.shape == cells[0].shape else cv2.resize(cell, (width, height))
        whole[top : top + height, left : left + width] = fitted
    return whole


def hash_of(images: Sequence[bytes]) -> str:
    """Return 16 hex digits that name exactly these pictures in this order."""
    digest = hashlib.blake2b(digest_size=8)
    for image in images:
        digest.update(len(image).to_bytes(8, "big") + image)
    return digest.hexdigest()


def _shrink(picture: Picture, long_side_px: int, *, unit_px: int = 1) -> Picture:
    """Return a picture no longer than that, its sides multiples of `unit_px`."""
    height, width = picture.shape[:2]
    factor = min(1.0, long_side_px / max(height, width))
    size = (_side(width * factor, unit_px), _side(height * factor, unit_px))
    if size == (width, height):
        return picture
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _side(length_px: float, unit_px: int) -> int:
    return max(unit_px, round(length_px) // unit_px * unit_px)


def _jpeg(picture: Picture) -> bytes:
    bgr = np.ascontiguousarray(picture[..., ::-1])
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
