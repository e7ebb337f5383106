"""Writing a clip file that is planned as a splice: packets of the video copied, head and tail encoded anew."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from longtake.places import place
from longtake.records import Video
from longtake.video import h264
from longtake.video.decode import Reader
from longtake.video.encode import REPEATABLE, Quality, Sound
from longtake.video.opening import pick_sound
from longtake.video.splice import Splice

PYRAMID = 4
"""A decoder that holds fewer frames takes no B-frames of x264's default kind."""

See = Callable[[int, VideoFrame], None]


def write_splice(
    video: Video,
    span: tuple[float, float],
    splice: Splice,
    target: Path,
    quality: Quality,
    see: See,
    on_progress: Callable[[float], None],
) -> None:
    """Write a clip as planned, with its sound; `see` is shown each frame that was decoded, and its number in the clip.

    Raises `ValueError` where the video doesn't turn out as planned.
    """
    try:
        with Reader(place(video.path)) as reader:
            _write(reader, video, span, splice, target, quality, see, on_progress)
    except av.error.FFmpegError as error:
        raise ValueError(str(error)) from error


def _write(
    reader: Reader,
    video: Video,
    span: tuple[float, float],
    splice: Splice,
    target: Path,
    quality: Quality,
    see: See,
    on_progress: Callable[[float], None],
) -> None:
    sound = pick_sound(reader.container)
    if splice.seek is not None and not reader.jump(splice.seek):
        raise ValueError("no way to its place")
    file = _File(target, reader, sound, splice, quality)
    try:
        pictures = _Pictures(reader, file, splice, see)
        number, sound_over = 0, file.sound is None
        for packet in reader.packets(*([sound] if sound else [])):
            if file.sound is not None and packet.stream is sound:
                if not sound_over:
                    sound_over = file.sound.add(packet, video.first_timestamp_s, *span)
            elif number < splice.packets and packet.size:
                pictures.take(number, packet)
                on_progress((packet.pts or 0) * reader.timeline.time_base - video.first_timestamp_s)
                number += 1
            if number == splice.packets and sound_over:
                break
        pictures.finish()
        if file.sound is not None:
            file.sound.finish(span[1] - span[0])
    finally:
        file.close()


class _Pictures:
    """Takes the video's packets in order: decodes those of head and tail, copies those of the body."""

    def __init__(self, reader: Reader, file: "_File", splice: Splice, see: See) -> None:
        self.context, self.file, self.splice, self.see = reader.context, file, splice, see
        self.numbers: dict[int | None, int] = {tick: k for k, tick in enumerate(splice.ticks)}
        self.encoder: _Encoder | None = None

    def take(self, number: int, packet: Any) -> None:
        splice = self.splice
        if number == splice.body.start:
            self._pass(self.context.decode(None))
            self._end_part(splice.head)
            self.context.flush_buffers()
        if number == splice.decode or number < splice.body.start or number > splice.decode:
            self._pass(self.context.decode(packet))
        elif number in splice.alone:
            self._pass([*self.context.decode(packet), *self.context.decode(None)])
            self.context.flush_buffers()
        if number in splice.body:
            self.file.add(bytes(packet), packet.pts, key=number in splice.keys)

    def finish(self) -> None:
        self._pass(self.context.decode(None))
        self._end_part(self.splice.tail)
        if self.file.count != len(self.splice.ticks):
            raise ValueError(f"{self.file.count} of {len(self.splice.ticks)} packets")

    def _pass(self, frames: Sequence[VideoFrame]) -> None:
        for frame in frames:
            number = self.numbers.get(frame.pts)
            if number is None:
                continue
            if frame.format.name != "yuv420p" or frame.interlaced_frame or frame.is_corrupt:
                raise ValueError("a frame of another kind")
            self.see(number, frame)
            if number not in self.splice.copied:
                self.encoder = self.encoder or _Encoder(self.file)
                self.encoder.add(frame)

    def _end_part(self, frames: int) -> None:
        """Write what is left of the head or the tail, which has so many frames."""
        taken = self.encoder.finish() if self.encoder else 0
        if taken != frames:
            raise ValueError(f"{taken} of {frames} frames decode")
        self.encoder = None


class _File:
    """The mp4 file: packets in the order of decoding, whose times of showing are known, get their times of decoding."""

    def __init__(self, path: Path, reader: Reader, sound: Any, splice: Splice, quality: Quality) -> None:
        self.reader, self.splice, self.quality = reader, splice, quality
        self.time_base = Fraction(reader.stream.time_base or Fraction(1, 90000))
        self.lasts = dict(zip(splice.ticks, (b - a for a, b in pairwise((*splice.ticks, splice.end))), strict=True))
        self.count = 0
        self.file = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        try:
            self.video = self.file.add_stream_from_template(reader.stream)
            self.video.time_base = self.time_base
            if splice.head or splice.tail:
                self.video.codec_context.extradata = splice.sets.box(self._own_sets())
            self.sound = Sound(self.file, sound) if sound is not None else None
        except BaseException:
            self.file.close()
            raise
        if self.sound is not None:
            self.sound.waits = False

    def encoder(self) -> VideoCodecContext:
        """Return an encoder whose stream joins the video's: of its size, profile and level, and held like it."""
        source, sequence = self.reader.context, self.splice.sequence
        number = min(set(range(1, 32)) - self.splice.sets.numbers)
        parameters = [*REPEATABLE.values(), f"sps-id={number}", f"level={sequence.level}", "ref=1"]
        parameters += [f"dpb-size={sequence.held}", *(["bframes=0"] if sequence.held < PYRAMID else [])]
        encoder = av.CodecContext.create("libx264", "w")
        assert isinstance(encoder, VideoCodecContext)
        encoder.width, encoder.height, encoder.pix_fmt = source.width, source.height, "yuv420p"
        encoder.time_base = self.time_base
        encoder.framerate = self.reader.stream.average_rate or self.reader.stream.guessed_rate or Fraction(25)
        aspect = self.reader.stream.sample_aspect_ratio or source.sample_aspect_ratio
        if aspect:
            encoder.sample_aspect_ratio = aspect
        encoder.color_range, encoder.colorspace = source.color_range, source.colorspace
        encoder.color_primaries, encoder.color_trc = source.color_primaries, source.color_trc
        encoder.thread_count = 1
        encoder.flags |= Flags.global_header
        quality = {"crf": str(self.quality.crf), "preset": self.quality.preset}
        encoder.options = {
            **quality,
            "profile": h264.PROFILES[sequence.profile],
            "x264-params": ":".join(parameters),
        }
        encoder.open()
        return encoder

    def _own_sets(self) -> h264.Sets:
        own = h264.sets_of(self.encoder().extradata or b"")
        ours, theirs = h264.read_sequence(own.sequences[0]), self.splice.sequence
        if (ours.shape, ours.held) != (theirs.shape, theirs.held) or own.numbers & self.splice.sets.numbers:
            raise ValueError("parameter sets that don't go together")
        return own

    def add(self, data: bytes, tick: int, *, key: bool) -> None:
        """Add a packet that shows at a time of the video."""
        ticks, before = self.splice.ticks, self.count - self.splice.late
        step = self.lasts[ticks[0]]
        packet = av.Packet(data)
        packet.stream, packet.time_base = self.video, self.time_base
        packet.pts, packet.duration, packet.is_keyframe = tick - ticks[0], self.lasts[tick], key
        packet.dts = ticks[before] - ticks[0] if before >= 0 else before * step
        self.file.mux(packet)
        self.count += 1

    def close(self) -> None:
        """Close the file, finished or not."""
        self.file.close()


class _Encoder:
    """Encodes the frames of a head or a tail."""

    def __init__(self, file: _File) -> None:
        self.file, self.context = file, file.encoder()
        self.taken = 0

    def add(self, frame: VideoFrame) -> None:
        assert frame.pts is not None
        frame.time_base = self.file.time_base
        frame.pict_type = 0  # the encoder chooses its own key frames
        self._mux(self.context.encode(frame))
        self.taken += 1

    def finish(self) -> int:
        """Write what is still inside; return how many frames there were."""
        self._mux(self.context.encode(None))
        return self.taken

    def _mux(self, packets: Sequence[Any]) -> None:
        for packet in packets:
            self.file.add(h264.with_lengths(bytes(packet)), packet.pts, key=packet.is_keyframe)
