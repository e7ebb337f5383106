"""Encoding frames and sound into an mp4 file with exact times; `clipfile.py` decides which, and checks the result."""

import math
import platform
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from longtake.video.decode import LONGEST_S, Reader
from longtake.video.describe import turned

Samples = NDArray[np.float32]
"""Shape (channels, n), in [-1, 1]."""
FINEST = Fraction(1, 1_000_000)
"""The finest clock of a file: mp4 has 32 bits for how long a frame stays."""
AAC_FRAME = 1024
SILENT = 1 << 20
"""Samples of silence made at once."""
AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
REPEATABLE = {"x264-params": "asm=avx2"} if platform.machine() in ("x86_64", "AMD64") else {}
"""x264's AVX-512 code reads memory it never wrote (macroblock tree, sides that are no multiple of 16): equal frames
came out as different files, in 4 of 5 encodings of 320x180. With AVX2 they are byte-equal."""
TURNS = {0: "", 90: "transpose=cclock,", 180: "hflip,vflip,", 270: "transpose=clock,"}


@dataclass(frozen=True, slots=True)
class Quality:
    """How clip files are made."""

    crf: int = 18
    """Constant rate factor of x264: 0 is lossless, 18 looks like the source, 23 is small."""
    preset: str = "veryfast"
    """Speed of x264: `ultrafast` to `veryslow`; a slower one makes smaller files of the same quality."""
    copy: bool = True
    """Whether a video's own packets are copied where that is exact; crf and preset are for what lies around them."""


@dataclass(frozen=True, slots=True)
class Border:
    """Lines around the upright picture that are left out of a file, counted in one shown at `width` x `height`."""

    top: int
    bottom: int
    left: int
    right: int
    width: int
    height: int

    def inside(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Return x, y, width and height, all even, of what is inside in an upright picture stored at such a size.

        An odd line at the edge is lost rather than written with a line of the border.
        """
        x, wide = _even(self.left * width / self.width, (self.width - self.right) * width / self.width)
        y, high = _even(self.top * height / self.height, (self.height - self.bottom) * height / self.height)
        return x, y, wide, high


def _even(start: float, stop: float) -> tuple[int, int]:
    """Return where the first even line from `start` on is, and how many pairs of lines fit from there to `stop`."""
    first = math.ceil(round(start, 6) / 2) * 2
    return first, int((round(stop, 6) - first) // 2 * 2)


class Encoder:
    """One mp4 file being written: H.264 pictures, upright and with even sides, and AAC sound."""

    def __init__(
        self,
        path: Path,
        reader: Reader,
        sound: Any,
        quality: Quality,
        border: Border | None = None,
        *,
        most_high: int | None = None,
    ) -> None:
        self.reader = reader
        self.file = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self.quality = quality
        self.video: VideoStream | None = None
        self.pictures = _Pictures(border, most_high)
        self.time_base = max(Fraction(reader.stream.time_base or Fraction(1, 90000)), FINEST)
        self.sound = Sound(self.file, sound) if sound is not None else None

    def add(self, time_s: float, frame: VideoFrame) -> None:
        """Encode one frame that is to show at `time_s` of the file."""
        duration = frame.duration if frame.duration and frame.duration * self.time_base < LONGEST_S else 0
        upright = self.pictures.upright(frame)
        if self.video is None:
            self.video = self._open(upright)
            if self.sound is not None:
                self.sound.waits = False
        upright.pts = round(time_s / self.time_base)
        upright.time_base = self.time_base
        upright.duration = min(duration, 2**31 - 1)
        upright.pict_type = 0  # the encoder chooses its own key frames
        self.file.mux(self.video.encode(upright))

    def _open(self, frame: VideoFrame) -> VideoStream:
        source = self.reader.context
        rate = self.reader.stream.average_rate or self.reader.stream.guessed_rate or Fraction(25)
        options = {"crf": str(self.quality.crf), "preset": self.quality.preset, **REPEATABLE}
        stream = self.file.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv420p"
        stream.time_base = self.time_base
        context = stream.codec_context
        context.time_base = self.time_base
        aspect = self.reader.stream.sample_aspect_ratio or source.sample_aspect_ratio
        if aspect:
            context.sample_aspect_ratio = 1 / aspect if self.pictures.turned % 180 else aspect
        context.color_range, context.colorspace = source.color_range, source.colorspace
        context.color_primaries, context.color_trc = source.color_primaries, source.color_trc
        context.thread_count = 1
        return stream

    def add_sound(self, packet: Any, first_s: float, start_s: float, end_s: float) -> bool:
        """Encode what of a sound packet lies in `[start_s, end_s)`; return whether the end is reached."""
        assert self.sound is not None
        return self.sound.add(packet, first_s, start_s, end_s)

    def finish(self, duration_s: float) -> None:
        """Flush both encoders; without a single picture there is nothing to write."""
        if self.video is None:
            return
        if self.sound is not None:
            self.sound.finish(duration_s)
        self.file.mux(self.video.encode(None))

    def close(self) -> None:
        """Close the file, finished or not."""
        self.file.close()


class _Pictures:
    """Turns frames upright, crops borders and odd sides, and brings all to one size and 8-bit 4:2:0.

    What is higher than `most_high`, an even number, is scaled down to it.
    """

    def __init__(self, border: Border | None, most_high: int | None) -> None:
        self.border, self.most_high = border, most_high
        self.graph: Graph | None = None
        self.fits: tuple[int, int, str] | None = None
        self.size: tuple[int, int] | None = None
        self.turned = 0

    def upright(self, frame: VideoFrame) -> VideoFrame:
        key = (frame.width, frame.height, frame.format.name)
        if self.graph is None or key != self.fits:
            self.fits = key
            self.turned = turned(frame)
            self.graph = self._build(frame)
        self.graph.push(frame)
        picture = self.graph.pull()
        assert isinstance(picture, VideoFrame)
        self.size = self.size or (picture.width, picture.height)
        return picture

    def _build(self, frame: VideoFrame) -> Graph:
        # A size change in mid-stream is scaled to the first size: a file has one.
        last = f"scale={self.size[0]}:{self.size[1]}," if self.size else ""
        crop = "crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0"
        wide, high = (frame.height, frame.width) if self.turned % 180 else (frame.width, frame.height)
        if self.most_high and high > self.most_high and not last:
            last = f"scale={max(2, round(wide * self.most_high / high / 2) * 2)}:{self.most_high}:flags=area,"
        if self.border is not None:
            x, y, width, height = self.border.inside(wide, high)
            crop = f"crop={width}:{height}:{x}:{y}:exact=1"
        return filter_graph(frame, f"{TURNS.get(self.turned, '')}{crop},{last}format=yuv420p")


def filter_graph(frame: VideoFrame, chain: str) -> Graph:
    """Return filters such as `crop=64:64,scale=32:32`, one after the other, ready for frames like this one."""
    graph = Graph()
    time_base = frame.time_base or Fraction(1, 90000)
    before: Any = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=time_base)
    for text in chain.split(","):
        name, _, arguments = text.partition("=")
        node = graph.add(name, arguments or None)
        before.link_to(node)
        before = node
    sink = graph.add("buffersink")
    before.link_to(sink)
    graph.configure()
    return graph


class Sound:
    """The sound of the file: cut to the sample, gaps filled with silence, at most two channels."""

    def __init__(self, file: av.container.OutputContainer, source: AudioStream) -> None:
        rate = source.rate if source.rate in AAC_RATES else 48000
        layout = "mono" if source.channels == 1 else "stereo"
        self.file = file
        self.source = source
        self.rate = rate
        self.layout = layout
        self.stream: AudioStream = file.add_stream("aac", rate=rate, layout=layout)
        self.stream.bit_rate = 160_000 if layout == "stereo" else 96_000
        self.resampler: av.AudioResampler | None = None
        self.kind: tuple[str, str, int] | None = None
        self.pending: list[Samples] = [np.zeros((1 if layout == "mono" else 2, 0), np.float32)]
        self.taken = 0
        self.sent = 0
        self.waits = True
        """Until the first picture: all streams must be there before anything is written."""

    def add(self, packet: Any, first_s: float, start_s: float, end_s: float) -> bool:
        """Encode what of a packet lies in `[start_s, end_s)`; return whether the end is reached."""
        total = round((end_s - start_s) * self.rate)
        try:
            heard = [(frame, self._resample(frame)) for frame in packet.decode()]
        except av.error.FFmpegError:
            return False  # damaged sound becomes silence: the next good frame's time says how much
        for frame, pieces in heard:
            if frame.pts is None or frame.time_base is None:
                continue
            at = round((float(frame.pts * frame.time_base) - first_s - start_s) * self.rate)
            for samples in pieces:
                self._take(at, samples, total)
                at += samples.shape[1]
        return self.taken >= total

    def _resample(self, frame: av.AudioFrame) -> list[Samples]:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self.resampler is None or kind != self.kind:  # it may change in mid-stream
            self.kind = kind
            self.resampler = av.AudioResampler(format="fltp", layout=self.layout, rate=self.rate)
        return [np.asarray(piece.to_ndarray(), np.float32) for piece in self.resampler.resample(frame)]

    def _take(self, at: int, samples: Samples, total: int) -> None:
        """Append samples that belong at position `at` of the clip; small clock jitter is not a gap."""
        if abs(at - self.taken) <= self.rate // 100 and self.taken:
            at = self.taken
        skip = max(0, self.taken - at)
        samples = samples[:, skip : max(skip, total - at)]
        at += skip
        if samples.shape[1] == 0:
            return
        self._silence(at - self.taken)
        self._append(samples)

    def _silence(self, count: int) -> None:
        for start in range(0, count, SILENT):
            self._append(np.zeros((self.pending[0].shape[0], min(SILENT, count - start)), np.float32))

    def _append(self, samples: Samples) -> None:
        self.pending.append(samples)
        self.taken += samples.shape[1]
        if not self.waits and self.taken - self.sent >= AAC_FRAME:
            waiting = np.concatenate(self.pending, axis=1)
            whole = waiting.shape[1] // AAC_FRAME * AAC_FRAME
            self._send(waiting[:, :whole])
            self.pending = [waiting[:, whole:]]

    def _send(self, samples: Samples) -> None:
        for start in range(0, samples.shape[1], AAC_FRAME):
            piece = np.ascontiguousarray(samples[:, start : start + AAC_FRAME])
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout=self.layout)
            frame.sample_rate = self.rate
            frame.pts, frame.time_base = self.sent, Fraction(1, self.rate)
            self.sent += piece.shape[1]
            self.file.mux(self.stream.encode(frame))

    def finish(self, duration_s: float) -> None:
        """Encode what is left, with silence up to a length; without any sound there stays none."""
        if self.taken:
            self._silence(round(duration_s * self.rate) - self.taken)
            self._send(np.concatenate(self.pending, axis=1))
        self.file.mux(self.stream.encode(None))
