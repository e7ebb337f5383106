"""Copies of a shot as people make them, and other moments of it: what `copies.py` judges.

A shot is re-encoded, resized, cropped, slowed down, brightened, branded, put between black bars, begun later, or
several of these at once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from longtake.duplicates import EVIDENCE
from longtake.records import Series
from longtake.signals.signature import Signature
from longtake.signals.thumbnail import Thumbnail
from longtake.video import scan

Pictures = Sequence[NDArray[np.uint8]]
SEEN_S = 20.0
"""So much of a shot is looked at."""
BARS = 0.12
"""Height of each bar above and below: a film of 2.35:1 in 16:9. As wide beside it: 4:3 in 16:9."""


@dataclass(frozen=True)
class Film:
    """What the signals gave of a video."""

    series: dict[str, Series]
    duration_s: float


@dataclass(frozen=True)
class Altered:
    """A copy to be made."""

    name: str
    pictures: Pictures
    fps: float
    codec: str
    options: dict[str, str]


def see(path: Path) -> Film:
    """Scan a video for the two signals that copies are found by."""
    found = scan(path, {"signature": Signature(), EVIDENCE: Thumbnail()})
    return Film(found.series, found.video.duration_s)


def decode(path: Path) -> tuple[Pictures, float]:
    """Return the pictures of a shot, of at most 30 per second, and their rate."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        fps = float(stream.average_rate or 25)
        shown = (frame for frame in container.decode(stream) if frame.time < SEEN_S)
        frames = [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in shown]
    return (frames[::2], fps / 2) if fps > 40 else (frames, fps)


def altered(shot: Pictures, fps: float) -> Iterator[Altered]:
    """Go through the copies of a shot; those that would be too short to tell are left out."""
    for name, pictures, rate, codec, options in _altered(shot, fps):
        if len(pictures) >= 2.5 * rate:
            yield Altered(name, pictures, rate, codec, options)


def _altered(shot: Pictures, fps: float) -> Iterator[tuple[str, Pictures, float, str, dict[str, str]]]:
    n = len(shot)
    half = [np.asarray(cv2.resize(one, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8) for one in shot]
    brighter = (255 * (np.arange(256) / 255) ** (1 / 1.3)).astype(np.uint8)
    darker = (np.arange(256) * 0.8).astype(np.uint8)
    yield "crf 18", shot, fps, "libx264", _x264(18)
    yield "crf 35", shot, fps, "libx264", _x264(35)
    yield "HEVC", shot, fps, "libx265", {"crf": "30", "preset": "ultrafast", "x265-params": "log-level=none:pools=1"}
    yield "half the size", half, fps, "libx264", _x264(26)
    yield "5 % cropped", _cropped(shot, 0.05), fps, "libx264", _x264(23)
    yield "10 % cropped", _cropped(shot, 0.1), fps, "libx264", _x264(23)
    yield "10 % cropped below", [one[: round(one.shape[0] * 0.9)] for one in shot], fps, "libx264", _x264(23)
    yield "0.83 s later", shot[round(0.83 * fps) :], fps, "libx264", _x264(28)
    yield "2 s later", shot[round(2 * fps) :], fps, "libx264", _x264(23)
    yield "the middle 60 %", shot[n // 5 : n * 4 // 5], fps, "libx264", _x264(26)
    yield "rate times 0.6", [shot[round(i / 0.6)] for i in range(int(n * 0.6))], fps * 0.6, "libx264", _x264(23)
    yield "rate times 1.25", [shot[int(i / 1.25)] for i in range(int(n * 1.25))], fps * 1.25, "libx264", _x264(23)
    yield "gamma 1.3", [brighter[one] for one in shot], fps, "libx264", _x264(23)
    yield "a fifth darker", [darker[one] for one in shot], fps, "libx264", _x264(28)
    yield "a logo", [_branded(one) for one in shot], fps, "libx264", _x264(23)
    yield "letterboxed", _barred(shot, BARS, 0), fps, "libx264", _x264(23)
    yield "pillarboxed", _barred(shot, 0, BARS), fps, "libx264", _x264(23)
    yield "letterboxed, smaller, brighter", _barred([brighter[one] for one in half], BARS, 0), fps, "libx264", _x264(28)
    several = [brighter[one] for one in _cropped(half, 0.06)][round(1.3 * fps) :]
    yield "several at once", several, fps, "libx264", _x264(30)


def _x264(crf: int) -> dict[str, str]:
    return {"crf": str(crf), "preset": "veryfast"}


def _cropped(shot: Pictures, share: float) -> Pictures:
    height, width = shot[0].shape[:2]
    y, x = round(height * share / 2), round(width * share / 2)
    return [one[y : height - y, x : width - x] for one in shot]


def _barred(shot: Pictures, above: float, beside: float) -> Pictures:
    """Return pictures with black bars at both ends, each of such a share of the new height and width."""
    height, width = shot[0].shape[:2]
    y, x = round(height * above / (1 - 2 * above)), round(width * beside / (1 - 2 * beside))
    return [np.pad(one, ((y, y), (x, x), (0, 0))) for one in shot]


def _branded(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    picture = picture.copy()
    height, width = picture.shape[:2]
    picture[height // 20 : height // 8, -width // 6 : -width // 20] = 250
    return picture


def write(path: Path, copy: Altered) -> None:
    """Encode a copy."""
    height, width = (side // 2 * 2 for side in copy.pictures[0].shape[:2])
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(
            copy.codec, rate=Fraction(copy.fps).limit_denominator(1001), options=copy.options
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 1
        for picture in copy.pictures:
            shown = np.ascontiguousarray(picture[:height, :width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        container.mux(stream.encode())
