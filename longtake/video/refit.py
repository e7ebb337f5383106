"""Clip files cropped, scaled and re-timed for trainers that want one size or a certain number of frames."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from longtake.errors import UsageError, VideoError
from longtake.places import Place
from longtake.video.decode import Reader
from longtake.video.describe import pixel_aspect, turned
from longtake.video.encode import REPEATABLE, TURNS, Encoder, Quality, filter_graph
from longtake.video.opening import open_video, pick_sound
from longtake.video.probe import probe
from longtake.video.scan import scan

MAX_SIDE = 8192
MAX_FPS = 240.0
MAX_FRAMES = 1024
LATE_S = 0.002
"""How far a written frame may stand from its time: containers round."""


@dataclass(frozen=True, slots=True)
class Refit:
    """What a file is to become; what is not asked for stays."""

    width: int = 0
    height: int = 0
    """Cropped to this shape around the middle, then scaled; 0: as it is. With one of them the other follows."""
    fps: float = 0.0
    """Constant rate; 0: the frames and times of the file."""
    sides: int = 2
    """Sides are cut down to a multiple of so many pixels."""
    frames: int = 1
    """The number of frames is cut down to a multiple of so many, plus one where that is asked for."""
    plus_one: bool = False
    """4 and this: 4n + 1 frames, as video autoencoders with a stride of 4 want them."""
    crf: int = 18


def parse_refit(size: str = "", fps: float = 0.0, frames: str = "", sides: int = 2) -> Refit | None:
    """Read what a user wants of files: `512x512`, `512x` or `x512`; `16n` or `4n+1`. None where that is nothing.

    Raises `UsageError`.
    """
    sized = re.fullmatch(r"(\d{0,5})x(\d{0,5})", size.strip())
    if size.strip() and (sized is None or sized[0] == "x"):
        raise UsageError(f"size {size!r}: write WIDTHxHEIGHT, as in 512x512, or one of them, as in 512x or x512")
    width, height = (int(side or 0) for side in sized.groups()) if sized else (0, 0)
    if sides < 2 or sides % 2 or sides > 256:
        raise UsageError(f"sides {sides}: an even number from 2 to 256, as in 32; H.264 files have even sides")
    for side in (side for side, text in zip((width, height), sized.groups(), strict=True) if text) if sized else ():
        if side % sides or not sides <= side <= MAX_SIDE:
            near = min(max(round(side / sides), 1) * sides, MAX_SIDE // sides * sides)
            raise UsageError(f"size {size!r}: {side} is no multiple of {sides} up to {MAX_SIDE}; the nearest is {near}")
    if fps and not 0 < fps <= MAX_FPS:
        raise UsageError(f"fps {fps:g}: above 0 and up to {MAX_FPS:g}, as in 16; 0 keeps the times of the file")
    counted = re.fullmatch(r"(\d{1,4})n(\+1)?", frames.replace(" ", ""))
    if frames.strip() and (counted is None or not 1 <= int(counted[1]) <= MAX_FRAMES):
        raise UsageError(f"frames {frames!r}: write 16n for a multiple of 16, or 4n+1, 8n+1 for one more")
    step, plus_one = (int(counted[1]), bool(counted[2])) if counted else (1, False)
    how = Refit(width, height, float(fps), sides, step, plus_one)
    return None if how == Refit() else how


def refit(source: Place, target: Path, how: Refit) -> tuple[int, int, int, float, int, float]:
    """Write a file anew, whole or not at all; return bytes, width, height, fps, frames and seconds.

    Output frame k is the one displayed at k / fps seconds after the first. Pixels become square, sound is cut to the
    frames' time. A target that is there is kept, for it is whole. Raises `VideoError`: of kind `inexact` where the file
    is too short or too small for what is asked, or what was written is not that.
    """
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.stem}.tmp.mp4")
        try:
            _check(temporary, source, *_write(source, temporary, how))
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    written = probe(target)
    seconds = written.frames / how.fps if how.fps else written.duration_s
    return target.stat().st_size, written.width, written.height, how.fps or written.fps, written.frames, seconds


@dataclass(frozen=True, slots=True)
class _Times:
    """When the frames of a file show, in seconds from the first; read without decoding one."""

    begins_s: float
    """The container's own time of the first frame."""
    times: NDArray[np.float64]
    end_s: float


def _times(path: Place) -> _Times:
    container, stream = open_video(path)
    with container:
        shown = (p for p in container.demux(stream) if p.size and p.pts is not None and not p.is_discard)
        found = sorted((p.pts or 0, p.duration or 0) for p in shown)
        tick_s = float(stream.time_base or 0)
    if not found:
        raise VideoError("no_frames", f"{path}: a video stream without a single frame")
    ticks = np.array([pts for pts, _ in found], np.int64)
    # A last frame that doesn't say how long it shows does so for as long as the one before.
    lasts = found[-1][1] or (int(ticks[-1] - ticks[-2]) if len(ticks) > 1 else 0)
    return _Times(float(ticks[0]) * tick_s, (ticks - ticks[0]) * tick_s, float(ticks[-1] - ticks[0] + lasts) * tick_s)


def _plan(source: Place, seen: _Times, how: Refit, half_tick_s: float) -> tuple[NDArray[np.float64], float]:
    """Return when the written frames are to show, and when the last one ends."""
    times, end_s = seen.times, seen.end_s
    if how.fps:
        times = np.arange(max(1, math.ceil((end_s - half_tick_s) * how.fps))) / how.fps
        end_s = len(times) / how.fps
    whole = (len(times) - how.plus_one) // how.frames * how.frames
    if whole < 1:
        wanted = f"{how.frames}n+1" if how.plus_one else f"{how.frames}n"
        raise VideoError(
            "inexact",
            f"{source}: {len(times)} frames in {seen.end_s:.3f} s are too few for {wanted}, n at least 1; "
            f"leave shorter clips out, as with duration_s >= {(how.frames + how.plus_one) / (how.fps or 25):.3g}",
        )
    count = whole + how.plus_one
    return times[:count], float(times[count]) if count < len(times) else end_s


def _write(source: Place, target: Path, how: Refit) -> tuple[tuple[int, int], NDArray[np.float64]]:
    """Encode what is wanted; return the size and the times that the file must have."""
    seen = _times(source)
    with Reader(source) as reader:
        half_tick_s = reader.timeline.time_base / 2
        wanted, end_s = _plan(source, seen, how, half_tick_s)
        lasts = np.diff([*wanted, end_s])
        encoder = _Encoder(target, reader, how)
        decoded = 0

        def frames() -> Iterator[tuple[float, VideoFrame]]:
            """Decode all frames, and give the encoder the sound on the way."""
            nonlocal decoded
            for packet in reader.packets(*([encoder.source_sound] if encoder.source_sound else [])):
                if encoder.source_sound and packet.stream is encoder.source_sound:
                    encoder.add_sound(packet, seen.begins_s, 0.0, end_s)
                    continue
                for time, frame in reader.decode(packet):
                    decoded += 1
                    yield time, frame

        try:
            for number, frame in _displayed(frames(), wanted + half_tick_s):
                encoder.show(frame, float(wanted[number]), float(lasts[number]))
            encoder.finish(end_s)
        finally:
            encoder.close()
    if decoded != len(seen.times):
        raise VideoError("inexact", f"{source}: {decoded} frames decode of {len(seen.times)}; write the clip anew")
    return encoder.fitted.size, wanted


def _displayed(
    frames: Iterator[tuple[float, VideoFrame]], times: NDArray[np.float64]
) -> Iterator[tuple[int, VideoFrame]]:
    """Yield for each time, in order, its number and the frame displayed then."""
    number = 0
    shown: VideoFrame | None = None
    for time, frame in frames:
        while shown is not None and number < len(times) and times[number] < time:
            yield number, shown
            number += 1
        shown = frame
    if shown is not None:
        yield from ((rest, shown) for rest in range(number, len(times)))


class _Encoder(Encoder):
    """One mp4 file being written in the size and at the rate that is asked for."""

    def __init__(self, path: Path, reader: Reader, how: Refit) -> None:
        self.source_sound = pick_sound(reader.container)
        super().__init__(path, reader, self.source_sound, Quality(crf=how.crf))
        self.fitted = _Fitted(reader, how)
        self.rate = Fraction(how.fps).limit_denominator(10_000) if how.fps else None
        if self.rate:
            self.time_base = 1 / self.rate
        self.last: tuple[VideoFrame, VideoFrame] | None = None

    def show(self, frame: VideoFrame, time_s: float, lasts_s: float) -> None:
        """Encode a frame that is to show at `time_s` of the file; the same one may be given again."""
        if self.last is None or self.last[0] is not frame:
            self.last = frame, self.fitted.of(frame)
        picture = self.last[1]
        if self.video is None:
            self.video = self._stream(picture)
            if self.sound is not None:
                self.sound.waits = False
        picture.pts, picture.time_base = round(time_s / self.time_base), self.time_base
        picture.duration = round(lasts_s / self.time_base)
        picture.pict_type = 0  # the encoder chooses its own key frames
        self.file.mux(self.video.encode(picture))

    def _stream(self, picture: VideoFrame) -> VideoStream:
        source = self.reader.stream
        rate = self.rate or source.average_rate or source.guessed_rate or Fraction(25)
        options = {"crf": str(self.quality.crf), "preset": self.quality.preset, **REPEATABLE}
        stream = self.file.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, "yuv420p"
        stream.time_base = self.time_base
        context = stream.codec_context
        context.time_base = self.time_base
        context.sample_aspect_ratio = Fraction(1)
        context.color_range, context.colorspace = picture.color_range, picture.colorspace
        context.color_primaries = self.reader.context.color_primaries
        context.color_trc = self.reader.context.color_trc
        context.thread_count = 1
        return stream


class _Fitted:
    """Turns frames upright, crops them around the middle to the shape that is asked for, and scales them."""

    def __init__(self, reader: Reader, how: Refit) -> None:
        self.reader = reader
        self.how = how
        self.size = (0, 0)
        """Known from the first frame on: a file has one size."""
        self.graph: Graph | None = None
        self.fits: tuple[int, int, str] | None = None

    def of(self, frame: VideoFrame) -> VideoFrame:
        key = (frame.width, frame.height, frame.format.name)
        if self.graph is None or key != self.fits:
            self.fits = key
            self.graph = self._build(frame)
        self.graph.push(frame)
        picture = self.graph.pull()
        assert isinstance(picture, VideoFrame)
        return picture

    def _build(self, frame: VideoFrame) -> Graph:
        turns = turned(frame)
        aspect = pixel_aspect(self.reader)
        wide, high = (frame.height, frame.width) if turns % 180 else (frame.width, frame.height)
        aspect = 1 / aspect if turns % 180 else aspect
        if self.size == (0, 0):
            self.size = _size(self.how, wide * aspect, high)
        if min(self.size) < 2:
            raise VideoError("inexact", f"{self.reader.path}: {wide}x{high} is too small for sides of {self.how.sides}")
        width, height = self.size
        if not self.how.width and not self.how.height:
            cropped = min(wide, round(width / aspect)), min(high, height)  # a few pixels off, nothing scaled
        else:
            shape = width / height / aspect  # of pixels as they are stored
            cropped = (round(high * shape), high) if wide > high * shape else (wide, round(wide / shape))
        how = "area" if cropped[0] >= width and cropped[1] >= height else "bicubic"
        corner = (wide - cropped[0]) // 2, (high - cropped[1]) // 2
        crop = f"crop={cropped[0]}:{cropped[1]}:{corner[0]}:{corner[1]}"
        chain = f"{TURNS.get(turns, '')}{crop},scale={width}:{height}:flags={how},setsar=1,format=yuv420p"
        return filter_graph(frame, chain)


def _size(how: Refit, shown_width: float, shown_height: float) -> tuple[int, int]:
    """Return the (width, height) of the file to write, of one shown at such a size."""
    width, height = float(how.width), float(how.height)
    if not width and not height:
        width, height = shown_width, shown_height
    width = width or height * shown_width / shown_height
    height = height or width * shown_height / shown_width
    sides = math.lcm(how.sides, 2)
    # A division may have left 511.9999 of 512.
    return int(width + 1e-6) // sides * sides, int(height + 1e-6) // sides * sides


def _check(path: Path, source: Place, size: tuple[int, int], times: NDArray[np.float64]) -> None:
    """Read a written file back: it must have the size, and every frame at its time."""
    found = scan(path, {})
    if (found.video.width, found.video.height) != size:
        problem = f"is {found.video.width}x{found.video.height} and not {size[0]}x{size[1]}"
    elif len(found.times) != len(times):
        problem = f"holds {len(found.times)} frames of {len(times)}"
    elif np.abs(found.times - times).max() > LATE_S:
        problem = "shows frames at the wrong times"
    else:
        return
    raise VideoError("inexact", f"{source}: the file written from it {problem}")
