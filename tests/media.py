"""Small video files for tests, made by PyAV from numpy pictures, each with a known truth.

`Media` makes a file when it is first asked for. The functions below it are for tests that need another one.
"""

import math
import os
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""RGB, shape (height, width, 3)."""

SIZE = (320, 180)
FPS = 24
AUDIO_HZ = 48_000
NTSC = Fraction(30_000, 1001)

SPEEDS = {"still": 0.0, "slow_pan": 0.1, "fast_pan": 1.0}
"""How fast these videos move, in picture heights per second."""

FLASHES_S = (2.0, 5.0, 8.0, 11.0, 13.0)
"""When `with_sound` shows one white frame and beeps for as long."""

NUMBERED_FRAMES = 390
NUMBERED_START_S = float(42 / NTSC)

TAKES_S = (14.0, 4.0, 12.0)
"""The takes of `long_takes`; a cut follows the first one, a dissolve of one second the next."""

TRUTH: dict[str, dict[str, list[dict[str, Any]]]] = {
    **{name: {"transitions": []} for name in ("still", "slow_pan", "fast_pan", "flash")},
    **{name: {"transitions": []} for name in ("vfr", "tall", "with_sound", "numbered")},
    "cut": {"transitions": [{"kind": "cut", "start_frame": 48, "end_frame": 48}]},
    "dissolve": {"transitions": [{"kind": "dissolve", "start_frame": 48, "end_frame": 60}]},
    "fade": {"transitions": [{"kind": "fade", "start_frame": 48, "end_frame": 76}]},
    "long_takes": {
        "transitions": [
            {"kind": "cut", "start_frame": 336, "end_frame": 336},
            {"kind": "dissolve", "start_frame": 432, "end_frame": 456},
        ]
    },
}
"""The transitions of each video, their frames counted as in `longtake.records.Transition`."""


# Pictures and how they move


def texture(width: int, height: int, seed: int) -> Picture:
    """Draw a detailed, smooth, colourful random picture: noise at several scales, each finer one weaker."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    for cell, weight in ((96, 1.0), (40, 0.8), (16, 0.6), (7, 0.35)):
        noise = rng.random((height // cell + 2, width // cell + 2, 3), np.float32) - 0.5
        picture += weight * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    tint = rng.uniform(80, 175, 3)
    return np.clip(tint + 110 * picture, 12, 243).astype(np.uint8)


def pan(
    frames: int, *, seed: int, speed: float, fps: float = FPS, size: tuple[int, int] = SIZE, times: Any = None
) -> Iterator[Picture]:
    """Move a window to the right over a texture, at `speed` picture heights per second."""
    width, height = size
    at_s = np.arange(frames) / fps if times is None else np.asarray(times)
    offsets = at_s * speed * height
    scale = height / SIZE[1]
    wide = texture(SIZE[0] + math.ceil(offsets[-1] / scale) + 2, SIZE[1], seed)
    picture = cv2.resize(wide, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC) if scale != 1 else wide
    for offset in offsets:
        yield cv2.getRectSubPix(picture, size, (offset + (width - 1) / 2, (height - 1) / 2))


def mix(old: Picture, new: Picture, part: float) -> Picture:
    """Return a picture that is `part` new."""
    return cv2.addWeighted(old, 1 - part, new, part, 0)


def dissolve(old: Sequence[Picture], new: Sequence[Picture], frames: int) -> list[Picture]:
    """Join two shots by so many mixed frames, all of them neither purely old nor purely new."""
    weights = (np.arange(frames) + 1) / (frames + 1)
    mixed = [mix(a, b, w) for a, b, w in zip(old[-frames:], new[:frames], weights, strict=True)]
    return [*old[:-frames], *mixed, *new[frames:]]


def fade_through_black(old: Sequence[Picture], new: Sequence[Picture], frames: int, black: int) -> list[Picture]:
    """Join two shots: the old one darkens over so many frames, then black ones, then the new one brightens."""
    nothing = np.zeros_like(old[0])
    weights = (np.arange(frames) + 1) / (frames + 1)
    darker = [mix(a, nothing, w) for a, w in zip(old[-frames:], weights, strict=True)]
    brighter = [mix(nothing, a, w) for a, w in zip(new[:frames], weights, strict=True)]
    return [*old[:-frames], *darker, *([nothing] * black), *brighter, *new[frames:]]


# Frame numbers that survive encoding and scaling: 16 black or white blocks in two rows at the top of the picture

BLOCKS = (8, 2)
BLOCKS_HEIGHT = 1 / 3
"""Part of the picture's height that they take."""


def check_bits(number: int) -> int:
    """Return the six bits that stand beside a number, so that a picture without a number isn't read as one."""
    return (number * 37 + 11) % 64


def write_number(picture: Picture, number: int) -> Picture:
    """Return a copy of a picture that carries a number below 1024."""
    bits = number << 6 | check_bits(number)
    picture = picture.copy()
    for i, block in enumerate(blocks(picture)):
        block[:] = 235 if bits >> i & 1 else 16
    return picture


def read_number(picture: Picture) -> int:
    """Read the number that a picture carries, whatever its size. Raises `ValueError` where there is none."""
    bits = 0
    for i, block in enumerate(blocks(picture)):
        height, width = block.shape[:2]
        middle = block[height // 4 : math.ceil(height * 3 / 4), width // 4 : math.ceil(width * 3 / 4)]
        light = float(middle.mean())
        if 85 < light < 170:
            raise ValueError(f"block {i} is neither black nor white: {light:.0f}")
        bits |= (light > 128) << i
    if bits & 63 != check_bits(bits >> 6):
        raise ValueError(f"no number: {bits:016b}")
    return bits >> 6


def blocks(picture: Picture) -> Iterator[Picture]:
    height, width = picture.shape[:2]
    ys = np.linspace(0, height * BLOCKS_HEIGHT, BLOCKS[1] + 1).round().astype(int)
    xs = np.linspace(0, width, BLOCKS[0] + 1).round().astype(int)
    for top, bottom in pairwise(ys):
        for left, right in pairwise(xs):
            yield picture[top:bottom, left:right]


# Sound that says when it is


def beeps(duration_s: float, at_s: Sequence[float], length_s: float) -> NDArray[np.float32]:
    """Return mono samples: 1 kHz tones at those times, silence between."""
    samples = np.zeros(round(duration_s * AUDIO_HZ), np.float32)
    tone = 0.8 * np.sin(2 * np.pi * 1000 * np.arange(round(length_s * AUDIO_HZ)) / AUDIO_HZ)
    for start_s in at_s:
        start = round(start_s * AUDIO_HZ)
        samples[start : start + len(tone)] = tone[: len(samples) - start]
    return samples


def read_beeps(path: Path) -> list[float]:
    """Return when tones begin, in the file's own seconds."""
    loud_at: list[float] = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            samples = np.atleast_2d(frame.to_ndarray().astype(np.float32))
            if not frame.format.is_planar:
                samples = samples.reshape(-1, frame.layout.nb_channels).T
            loud = np.flatnonzero(np.abs(samples).max(axis=0) > 0.3)
            loud_at += (float(frame.pts * frame.time_base) + loud / frame.sample_rate).tolist()
    return [b for a, b in pairwise([-1.0, *loud_at]) if b - a > 0.1]


def read_flashes(path: Path) -> list[float]:
    """Return when white frames show, in the file's own seconds."""
    return [time for time, picture in read_frames(path) if picture.mean() > 230]


def read_frames(path: Path) -> Iterator[tuple[float, Picture]]:
    """Decode a file plainly: each frame as stored, with the file's own time."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield float(frame.pts * frame.time_base), frame.to_ndarray(format="rgb24")


# Files


def _make_way() -> None:
    """Take this process out of the real-time class, where SVT-AV1 puts root's: all others would wait for its tests."""
    for thread in Path("/proc/self/task").glob("*"):
        os.sched_setscheduler(int(thread.name), os.SCHED_OTHER, os.sched_param(0))


def write_video(
    path: Path,
    frames: Iterable[Picture],
    *,
    fps: Fraction | int = FPS,
    times: Sequence[float] | None = None,
    start_s: float = 0.0,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    options: Mapping[str, str] | None = None,
    container_options: Mapping[str, str] | None = None,
    audio: NDArray[np.float32] | None = None,
    rotation: int = 0,
) -> Path:
    """Write RGB pictures as a video whose format the path's suffix names.

    Frame i shows at `start_s + i / fps`, or at `start_s + times[i]`, where the last one stays as long as the one
    before. `audio` is mono, float, at `AUDIO_HZ`, and begins at `start_s`. `rotation` says by how many degrees
    (counter-clockwise, mp4 only) a player turns the stored pictures.
    """
    tick_s = 1 / Fraction(fps) if times is None else Fraction(1, 90_000)
    options = {"preset": "superfast", "crf": "20"} | dict(options or {}) if codec == "libx264" else dict(options or {})
    with av.open(str(path), "w", container_options=dict(container_options or {})) as container:
        video = container.add_stream(codec, rate=Fraction(fps), options=options)
        video.codec_context.time_base = tick_s
        sound = _Sound(container, audio, start_s) if audio is not None else None
        for i, picture in enumerate(frames):
            if i == 0:
                video.height, video.width = picture.shape[:2]
                video.pix_fmt = pixel_format
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.time_base = tick_s
            frame.pts = round(start_s / tick_s) + (i if times is None else round(times[i] / tick_s))
            frame.duration = 1
            if times is not None:
                before, after = (i, i + 1) if i + 1 < len(times) else (i - 1, i)
                frame.duration = round((times[after] - times[before]) / tick_s)
            container.mux(video.encode(frame))
            if sound:
                sound.write(until_s=float(frame.pts * tick_s))
        container.mux(video.encode())
        if sound:
            sound.write(until_s=math.inf)
    if codec == "libsvtav1":
        _make_way()
    if rotation:
        set_rotation(path, rotation)
    return path


class _Sound:
    """An AAC stream that is written block by block, beside the pictures."""

    def __init__(self, container: Any, samples: NDArray[np.float32], start_s: float) -> None:
        self.container = container
        self.stream = container.add_stream("aac", rate=AUDIO_HZ, layout="mono")
        self.samples = samples
        self.start = round(start_s * AUDIO_HZ)
        self.done = 0

    def write(self, *, until_s: float) -> None:
        while self.done < len(self.samples) and (self.start + self.done) / AUDIO_HZ <= until_s:
            block = self.samples[None, self.done : self.done + 1024]
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
            frame.sample_rate = AUDIO_HZ
            frame.time_base = Fraction(1, AUDIO_HZ)
            frame.pts = self.start + self.done
            self.container.mux(self.stream.encode(frame))
            self.done += block.shape[1]
        if until_s == math.inf:
            self.container.mux(self.stream.encode())


def write_sound(path: Path, samples: NDArray[np.float32]) -> Path:
    """Write mono samples as a file without pictures."""
    with av.open(str(path), "w") as container:
        _Sound(container, samples, 0.0).write(until_s=math.inf)
    return path


def set_rotation(path: Path, degrees: int) -> None:
    """Make players turn an mp4 file's first stream counter-clockwise.

    PyAV can't write a display matrix, so it is patched in. The `tkhd` box holds it: nine 32-bit numbers after 40
    bytes of other things (52 in version 1), a row vector of a point times it being the point to show:
    (x, y, 1) * [[a, b, u], [c, d, v], [x, y, w]], the y axis pointing down, all 16.16 but u, v, w, which are 2.30.
    """
    data = bytearray(path.read_bytes())
    box = data.index(b"tkhd")
    matrix = box + 4 + (52 if data[box + 4] else 40)
    cosine, sine = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    one = 1 << 16
    struct.pack_into(">9i", data, matrix, cosine * one, -sine * one, 0, sine * one, cosine * one, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


# The videos by name


def _pans(*seeds: int, frames: int, speed: float = 0.3) -> list[list[Picture]]:
    return [list(pan(frames, seed=seed, speed=speed)) for seed in seeds]


def _still(path: Path) -> None:
    write_video(path, [texture(*SIZE, seed=1)] * 72)


def _slow_pan(path: Path) -> None:
    write_video(path, pan(72, seed=2, speed=SPEEDS["slow_pan"]))


def _fast_pan(path: Path) -> None:
    write_video(path, pan(72, seed=2, speed=SPEEDS["fast_pan"]))


def _cut(path: Path) -> None:
    old, new = _pans(4, 7, frames=48)
    write_video(path, [*old, *new])


def _dissolve(path: Path) -> None:
    write_video(path, dissolve(*_pans(5, 6, frames=60), 12))


def _fade(path: Path) -> None:
    write_video(path, fade_through_black(*_pans(3, 8, frames=60), 12, 4))


def _flash(path: Path) -> None:
    (frames,) = _pans(9, frames=96)
    frames[47:49] = [np.full_like(frames[0], 255)] * 2
    write_video(path, frames)


def _vfr(path: Path) -> None:
    times = [*(i / 30 for i in range(60)), *(2 + i / 10 for i in range(20))]
    write_video(path, pan(80, seed=10, speed=0.3, times=times), times=times)


def _tall(path: Path) -> None:
    """Stored lying on its side; shown 180x320, red above and blue below, a white bar on the left."""
    upright = np.stack(list(pan(48, seed=11, speed=0.1, size=(180, 320))))
    upright[:, :80] = (220, 30, 30)
    upright[:, 240:] = (30, 30, 220)
    upright[:, :, :30] = 255
    write_video(path, np.rot90(upright, -1, axes=(1, 2)), rotation=90)


def _long_takes(path: Path) -> None:
    first, second, third = (
        list(pan(round(takes_s * FPS) + extra, seed=12 + i, speed=0.3))
        for i, (takes_s, extra) in enumerate(zip(TAKES_S, (0, FPS, FPS), strict=True))
    )
    write_video(path, [*first, *dissolve(second, third, FPS)])


def _with_sound(path: Path) -> None:
    frames = list(pan(14 * FPS, seed=15, speed=0.2))
    for time in FLASHES_S:
        frames[round(time * FPS)] = np.full_like(frames[0], 255)
    write_video(path, frames, audio=beeps(14, FLASHES_S, 1 / FPS))


def _numbered(path: Path) -> None:
    """One key frame, B-frames, a clock that doesn't start at zero."""
    frames = (write_number(p, i) for i, p in enumerate(pan(NUMBERED_FRAMES, seed=16, speed=0.1, fps=30)))
    gop = {"g": "999", "bf": "3", "sc_threshold": "0"}
    write_video(path, frames, fps=NTSC, start_s=NUMBERED_START_S, options=gop)


def _six_seconds(path: Path, **container_options: str) -> bytes:
    """Write 6 s of pan, a key frame every second, and return the bytes."""
    write_video(path, pan(144, seed=17, speed=0.3), options={"g": "24"}, container_options=dict(container_options))
    return path.read_bytes()


def _truncated(path: Path) -> None:
    """The index at the front, and only 60 % of the file."""
    data = _six_seconds(path, movflags="+faststart")
    path.write_bytes(data[: len(data) * 6 // 10])


def _no_index(path: Path) -> None:
    """The index at the end, which is lost."""
    data = _six_seconds(path)
    path.write_bytes(data[: len(data) * 6 // 10])


def _bitflips(path: Path) -> None:
    """One in 200 bytes of the picture data has a wrong bit."""
    data = np.frombuffer(_six_seconds(path), np.uint8).copy()
    start, end = data.tobytes().index(b"mdat") + 4, data.tobytes().rindex(b"moov") - 4
    rng = np.random.default_rng(18)
    # x264 writes its name and settings first; flips there would do no harm
    where = rng.integers(start + 2000, end, (end - start) // 200)
    np.bitwise_xor.at(data, where, (1 << rng.integers(0, 8, len(where))).astype(np.uint8))
    path.write_bytes(data.tobytes())


BAD_PACKETS = (30, 31, 100)
"""Packets of `bad_packets` that no decoder can read."""


def _bad_packets(path: Path) -> None:
    """The lengths that some packets begin with are nonsense."""
    data = bytearray(_six_seconds(path))
    with av.open(str(path)) as container:
        positions = [packet.pos for packet in container.demux(video=0) if packet.size]
    for number in BAD_PACKETS:
        data[positions[number] : positions[number] + 4] = b"\x7f\xff\xff\xff"
    path.write_bytes(data)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _text(path: Path) -> None:
    path.write_text("<html><body>404: the video is not here any more</body></html>\n" * 40)


def _audio_only(path: Path) -> None:
    write_sound(path, beeps(2, (0.5, 1.0), 0.1))


def _picture(path: Path) -> None:
    path.write_bytes(cv2.imencode(".png", texture(*SIZE, seed=19))[1].tobytes())


def _one_frame(path: Path) -> None:
    write_video(path, [texture(*SIZE, seed=20)])


MAKERS: dict[str, Callable[[Path], None]] = {
    make.__name__.removeprefix("_"): make
    for make in (
        _still,
        _slow_pan,
        _fast_pan,
        _cut,
        _dissolve,
        _fade,
        _flash,
        _vfr,
        _tall,
        _long_takes,
        _with_sound,
        _numbered,
        _truncated,
        _no_index,
        _bitflips,
        _bad_packets,
        _empty,
        _text,
        _audio_only,
        _picture,
        _one_frame,
    )
}

GOOD = tuple(name for name in MAKERS if name in TRUTH or name == "one_frame")
"""The names of the videos with nothing wrong."""

BROKEN = {
    "no_index": "damaged",
    "empty": "empty",
    "text": "not_a_video",
    "audio_only": "no_video_stream",
    "picture": "not_a_video",
}
"""The names of the files that are no usable videos, and the kind of failure they are."""


class Media:
    """The files by name: `media["cut"]` is a path. Each is made once, when first asked for."""

    truth = TRUTH

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __getitem__(self, name: str) -> Path:
        path = self.folder / f"{name}.mp4"
        if not path.exists():
            unfinished = self.folder / f"unfinished_{name}.mp4"
            MAKERS[name](unfinished)
            unfinished.rename(path)
        return path
