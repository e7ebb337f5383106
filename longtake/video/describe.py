"""Putting together the record of a video: its id, sizes, rates and damage."""

import hashlib
import re
from contextlib import nullcontext
from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from longtake.errors import VideoError
from longtake.places import Place
from longtake.records import Video
from longtake.video.decode import Reader
from longtake.video.opening import Opened

SAMPLE_BYTES = 1 << 16


def video_id(path: Place, opened: Opened | None = None) -> str:
    """Name a video after its file and its content: `holiday-3f9c2a1b04`.

    The ten hex digits hash the size and three 64 KiB samples (start, middle, end), so a moved file keeps its id,
    a copy of the same name shares it, and a changed file is another video. Raises `OSError` where it can't be read.
    A file that is `opened` isn't opened for it.
    """
    size = path.stat().st_size
    digest = hashlib.blake2b(str(size).encode(), digest_size=5)
    with nullcontext(opened) if opened else path.open("rb", buffering=SAMPLE_BYTES) as file:
        for start in (0, max(0, size // 2 - SAMPLE_BYTES // 2), max(0, size - SAMPLE_BYTES)):
            file.seek(start)
            digest.update(file.read(SAMPLE_BYTES))
    stem = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:40].strip("-")
    return f"{stem or 'video'}-{digest.hexdigest()}"


def check_same(name: str, path: Place, size: int, modified_ns: int | None) -> None:
    """Raise `VideoError` where a path holds another video than the one of this id, size (bytes) and time.

    A look at size and time is enough for most; a file that only has another time is known by its content. What can't be
    looked at is told by who opens it.
    """
    try:
        status = path.stat()
        if (status.st_size, status.st_mtime_ns) == (size, modified_ns) or not path.is_file():
            return
        same = status.st_size == size and video_id(path).rpartition("-")[2] == name.rpartition("-")[2]
    except OSError:
        return
    if not same:
        raise VideoError(
            "changed",
            f"{path}: another file is there than the one that was scanned as {name}; put that one back, or take it out "
            f"of the set: longtake remove SET {name}",
        )


def no_frames(reader: Reader) -> VideoError:
    """Say why not one picture came out of a file that opened."""
    if reader.bad_packets or reader.cut_short:
        reason = reader.cut_short or f"{reader.bad_packets} corrupt packets"
        return VideoError("damaged", f"{reader.path}: opens, but nothing decodes ({reason}); get the file again")
    return VideoError("no_frames", f"{reader.path}: a video stream without a single frame")


def describe(reader: Reader, first: VideoFrame, *, times: NDArray[np.float64], end_s: float, first_s: float) -> Video:
    """Put together the record of a video whose first frame and frame times are known."""
    rotation = turned(first)
    width, height = shown_size(first, pixel_aspect(reader))
    fps, varies = frame_rate(times)
    sound = next(iter(reader.container.streams.audio), None)
    return Video(
        id=video_id(reader.path, reader.opened),
        path=str(reader.path),
        bytes=reader.path.stat().st_size,
        container=reader.container.format.name,
        codec=reader.context.codec.canonical_name,
        pixel_format=first.format.name,
        width=width,
        height=height,
        rotation=rotation,
        duration_s=end_s,
        frames=len(times),
        fps=fps or 1 / reader.timeline.step_s,
        variable_fps=varies,
        audio_codec=sound.codec_context.name if sound is not None and sound.codec_context else None,
        first_timestamp_s=first_s,
        seekable=not reader.repaired,
        damage=reader.damage(end_s),
    )


def frame_rate(times: NDArray[np.float64]) -> tuple[float, bool]:
    """Return the mean rate of frames at `times` (seconds), and whether it varies; see `Video.variable_fps`."""
    if len(times) < 2:
        return 0.0, False
    steps = np.diff(times)
    usual = float(np.median(steps))
    uneven = float(np.mean(np.abs(steps - usual) > max(0.1 * usual, 0.002)))
    return (len(times) - 1) / float(times[-1] - times[0]), uneven > 0.01


def pixel_aspect(reader: Reader) -> float:
    """Return the width of a pixel over its height; within 1 % of square counts as square (headers round)."""
    aspect = float(reader.stream.sample_aspect_ratio or reader.context.sample_aspect_ratio or Fraction(1))
    return aspect if aspect > 0 and abs(aspect - 1) > 0.01 else 1.0


def shown_size(frame: VideoFrame, pixel_aspect: float) -> tuple[int, int]:
    """Return (width, height) as shown: pixel aspect applied to the width, then turned upright."""
    wide = max(1, round(frame.width * pixel_aspect))
    return (frame.height, wide) if turned(frame) % 180 else (wide, frame.height)


def turned(frame: VideoFrame) -> int:
    """Return the degrees that a frame is turned by to be upright: 0, 90, 180 or 270, also where a file says 45."""
    return round(frame.rotation / 90) * 90 % 360
