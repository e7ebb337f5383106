"""Small sound videos of many kinds, made on the spot: what `inputs.py` mutates. Their truth is what a plain scan sees.

Each is some 30 frames of a moving texture with a cut in the middle, at most 160 x 96.
"""

import os
import struct
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
FRAMES = 30
SIZE = (128, 80)
HZ = 48_000


def pictures(size: tuple[int, int] = SIZE, frames: int = FRAMES) -> Iterator[Picture]:
    """Yield a pan over one texture, then over another."""
    rng = np.random.default_rng(size[0])
    wide = []
    for _ in range(2):
        small = rng.integers(0, 255, (max(2, size[1] // 8), max(4, size[0] // 4), 3), np.uint8)
        larger = (size[0] * 2 + frames, size[1])
        wide.append(np.asarray(cv2.resize(small, larger, interpolation=cv2.INTER_CUBIC), np.uint8))
    for i in range(frames):
        yield np.ascontiguousarray(wide[i * 2 // frames][:, i : i + size[0]])


def write(
    path: Path,
    codec: str,
    *,
    size: tuple[int, int] = SIZE,
    frames: int = FRAMES,
    rate: int = 25,
    pixels: str = "yuv420p",
    options: Mapping[str, str] | None = None,
    container: Mapping[str, str] | None = None,
    form: str | None = None,
    audio: str | None = None,
    streams: int = 1,
    tick: Fraction | None = None,
    at: Callable[[int], int] = lambda i: i,
) -> Path:
    """Write a video; frame `i` shows at `at(i)` ticks."""
    tick = tick or Fraction(1, rate)
    with av.open(str(path), "w", format=form, container_options=dict(container or {})) as file:
        videos = []
        for number in range(streams):
            video: Any = file.add_stream(codec, rate=rate, options=dict(options or {}))
            video.width, video.height, video.pix_fmt = size[0] - 16 * number, size[1], pixels
            video.codec_context.time_base = tick
            videos.append(video)
        sound: Any = file.add_stream(audio, rate=HZ) if audio else None
        if sound:
            sound.layout = "mono"
        for i, picture in enumerate(pictures(size, frames)):
            for video in videos:
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(video.width, video.height, pixels)
                frame.pts, frame.time_base = at(i), tick
                file.mux(video.encode(frame))
            if sound:
                _beep(file, sound, i, rate)
        for stream in [*videos, *([sound] if sound else [])]:
            file.mux(stream.encode(None))
    return path


def _beep(file: Any, sound: Any, i: int, rate: int) -> None:
    start, stop = i * HZ // rate, (i + 1) * HZ // rate
    wave = np.sin(np.arange(start, stop) / 20).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
    frame.pts, frame.time_base, frame.sample_rate = start, Fraction(1, HZ), HZ
    for ready in av.AudioResampler(format=sound.format, layout="mono", rate=HZ).resample(frame):
        file.mux(sound.encode(ready))


def turn(path: Path) -> None:
    """Make players turn an mp4 file's first stream by 90 degrees; see `set_rotation` in tests/media.py."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    one = 1 << 16
    struct.pack_into(">9i", data, at, 0, -one, 0, one, 0, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


X264 = {"preset": "ultrafast", "crf": "28", "g": "8", "x264-params": "asm=avx2"}
X264_B = {"preset": "superfast", "crf": "28", "g": "12", "bf": "3", "x264-params": "asm=avx2"}
X265 = {"preset": "ultrafast", "crf": "30", "x265-params": "log-level=none:pools=none:frame-threads=1"}
VPX = {"deadline": "realtime", "cpu-used": "8", "g": "10"}
SVT = {"preset": "12", "svtav1-params": "lp=1"}
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
NTSC_TICK = Fraction(1, 90_000)

Seed = tuple[str, str, dict[str, Any]]
"""File name, codec, and how it is written."""
SEEDS: list[Seed] = [
    ("plain.mp4", "libx264", {"options": X264, "audio": "aac"}),
    ("reordered.mp4", "libx264", {"options": X264_B, "container": {"movflags": "+faststart"}}),
    ("fragments.mp4", "libx264", {"options": X264, "container": FRAGMENTS, "audio": "aac"}),
    ("edited.mp4", "libx264", {"options": X264_B, "at": lambda i: i + 40, "audio": "aac"}),
    ("turned.mp4", "libx264", {"options": X264}),
    ("variable.mp4", "libx264", {"options": X264, "tick": NTSC_TICK, "at": lambda i: i * 3000 + i * i * 90}),
    ("ten_bit.mp4", "libx265", {"options": X265, "pixels": "yuv420p10le"}),
    ("hevc.mov", "libx265", {"options": X265}),
    ("prores.mov", "prores_ks", {"pixels": "yuv422p10le"}),
    ("motion_jpeg.mov", "mjpeg", {"pixels": "yuvj420p"}),
    ("h264.mkv", "libx264", {"options": X264_B, "audio": "libmp3lame"}),
    ("two_streams.mkv", "libx264", {"options": X264, "streams": 2, "audio": "flac"}),
    ("ffv1.mkv", "ffv1", {"pixels": "yuv420p10le", "size": (64, 48)}),
    ("av1.mkv", "libsvtav1", {"options": SVT}),
    ("vp8.webm", "libvpx", {"options": VPX}),
    ("vp9.webm", "libvpx-vp9", {"options": VPX, "audio": "libopus"}),
    ("vp8.ogv", "libvpx", {"options": VPX, "form": "ogg"}),
    ("mpeg4.avi", "mpeg4", {"audio": "libmp3lame"}),
    ("motion_jpeg.avi", "mjpeg", {"pixels": "yuvj420p"}),
    ("mpeg2.ts", "mpeg2video", {"options": {"g": "6"}, "audio": "mp2"}),
    ("h264.ts", "libx264", {"options": X264_B, "audio": "aac"}),
    ("interlaced.mpg", "mpeg2video", {"options": {"flags": "+ildct+ilme", "g": "8"}}),
    ("h264.flv", "libx264", {"options": X264, "audio": "aac"}),
    ("spark.flv", "flv", {}),
    ("wmv2.wmv", "wmv2", {}),
    ("picture.gif", "gif", {"pixels": "rgb8", "size": (64, 48)}),
    ("raw.h264", "libx264", {"options": X264, "form": "h264"}),
    ("raw.hevc", "libx265", {"options": X265, "form": "hevc"}),
    ("raw.obu", "libsvtav1", {"options": SVT, "form": "obu"}),
    ("vp9.ivf", "libvpx-vp9", {"options": VPX}),
    ("h263.3gp", "h263", {"size": (128, 96)}),
    ("frames.y4m", "rawvideo", {"form": "yuv4mpegpipe", "size": (32, 24)}),
    ("mpeg2.mxf", "mpeg2video", {"options": {"g": "6"}}),
]


def make_way() -> None:
    """Take this process out of the real-time class, where SVT-AV1 puts it: its workers would make all others wait."""
    for thread in Path("/proc/self/task").iterdir():
        os.sched_setscheduler(int(thread.name), os.SCHED_OTHER, os.sched_param(0))


def make_seeds(folder: Path) -> dict[str, bytes]:
    """Return all seeds by name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, codec, how in SEEDS:
        path = folder / name
        write(path, codec, **how)
        if name.startswith("turned"):
            turn(path)
    make_way()
    return {name: (folder / name).read_bytes() for name, _, _ in SEEDS}
