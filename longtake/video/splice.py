"""Clip files made of a video's own packets: only what no packet begins or ends with exactly is encoded anew.

A clip is a head, up to its first key frame; a body, whose packets are copied; and a tail, from where the last of them
that needs no later one ends. All joints are at key frames that refer to nothing before them. Head and tail have
parameter sets of their own, under numbers the video doesn't use. `clipfile.py` checks the result.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import av
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from longtake.places import place
from longtake.records import Video
from longtake.video import h264
from longtake.video.decode import Reader, pick_sound
from longtake.video.encode import REPEATABLE, Quality, Sound

WORTH = 0.25
"""A file of which less than this part would be copied is encoded whole."""
LONGEST = 300
"""Frames from one key frame to the next, at most; x264 makes 250: no copied file is to be slower to look into."""
REORDERED = 2
"""Frames by which x264 decodes one before its turn, at most."""
PYRAMID = 4
"""A decoder that holds fewer frames takes no B-frames of x264's default kind."""

See = Callable[[int, VideoFrame], None]


@dataclass(frozen=True, slots=True)
class Splice:
    """How a clip is put together; packets are counted in the order of the file, from where `seek` leads to."""

    seek: int | None
    """Timestamp to seek to; None: from the beginning."""
    ticks: tuple[int, ...]
    """When the clip's frames show, in ticks of the video."""
    end: int
    """When the last one ends."""
    times: tuple[float, ...]
    """When they show, in seconds of the video."""
    keys: frozenset[int]
    """Packets that refer to nothing before them."""
    packets: int
    """How many to read."""
    body: range
    """Those that are copied."""
    decode: int
    """The packet from which on the end is decoded: a key frame before the tail."""
    alone: frozenset[int]
    """Key frames of the body that are decoded for their own sake: the first, and the one nearest to the middle."""
    late: int
    """Frames by which a packet may come before its turn."""
    head: int
    """Frames before the body."""
    tail: int
    """Frames after it."""
    sets: h264.Sets
    sequence: h264.Sequence

    @property
    def copied(self) -> range:
        """The frames of the clip that are copied, counted from its first."""
        return range(self.head, len(self.ticks) - self.tail)


def plan(
    video: Video, span: tuple[float, float], frames: int, on_progress: Callable[[float], None] = lambda _: None
) -> Splice | None:
    """Say how to put a clip together out of a video's packets; None for a video or a clip that is to be encoded.

    Only upright, progressive H.264 of 8 bits and 4:2:0 that has no damage and lies in mp4, mov or mkv is copied: what
    an encoded file is too. Decodes nothing.
    """
    plain = (video.codec, video.pixel_format, video.rotation) == ("h264", "yuv420p", 0)
    if not plain or video.damage or not video.seekable:
        return None
    for back_s in (0.0, 5.0, 30.0, None):
        with Reader(place(video.path)) as reader:
            sets = h264.read_box(reader.context.extradata)
            if sets is None or len(sets.sequences) != 1 or reader.context.width % 2 or reader.context.height % 2:
                return None
            tick_s = reader.timeline.time_base
            start, end = (round((time + video.first_timestamp_s) / tick_s) for time in span)
            seek = None if back_s is None else start - round(back_s / tick_s)
            if seek is not None and not reader.jump(seek):
                continue
            try:
                sequence = h264.read_sequence(sets.sequences[0])
                found = _read(reader, sets, end, lambda: on_progress(span[0]))
            except ValueError:
                return None
        if not (sequence.eight_bit_420 and sequence.progressive and sequence.profile in h264.PROFILES):
            return None
        if found.ticks and found.key[0] and (back_s is None or found.ticks[0] <= start):
            clock = (tick_s, video.first_timestamp_s)
            return _put_together(found, seek, (start, end), frames, clock, sets, sequence)
    return None


@dataclass(slots=True)
class _Found:
    """The packets of a stretch of video, in the order of the file."""

    ticks: list[int] = field(default_factory=list)
    key: list[bool] = field(default_factory=list)
    """Whether a packet begins anew, so that nothing after it refers to what was before."""


def _read(reader: Reader, sets: h264.Sets, end: int, alive: Callable[[], None]) -> _Found:
    """Read packets until none can show before `end`. Raises `ValueError` for one that can't be joined to others."""
    found = _Found()
    known = {*sets.sequences, *sets.pictures}
    for packet in reader.packets():
        alive()
        if not packet.size:
            break
        if packet.pts is None or packet.is_corrupt or packet.is_discard:
            raise ValueError("a packet without its time")
        if packet.dts is not None and packet.dts >= end:
            break
        types = set()
        for unit in h264.units(memoryview(packet)):
            types.add(kind := unit[0] & 31)
            if kind in (h264.SPS, h264.PPS) and bytes(unit) not in known:
                raise ValueError("other parameter sets in mid-stream")
        if not types <= h264.PLAIN:
            raise ValueError("NAL units of an extension")
        found.ticks.append(packet.pts)
        found.key.append(h264.IDR in types)
    if reader.cut_short:
        raise ValueError(reader.cut_short)
    return found


def _put_together(
    found: _Found,
    seek: int | None,
    span: tuple[int, int],
    frames: int,
    clock: tuple[float, float],
    sets: h264.Sets,
    sequence: h264.Sequence,
) -> Splice | None:
    """Find the joints: the first key frame of the span, and the last packet that needs none beyond the span's end."""
    ticks, (start, end) = found.ticks, span
    inside = tuple(sorted(tick for tick in ticks if start <= tick < end))
    if len(inside) != frames or len(set(inside)) != frames:
        return None
    # Behind a clean place of the file's order nothing shows before what stands in front of it.
    latest = [min(ticks) - 1, *accumulate(ticks, max)]
    earliest = [*reversed([*accumulate(reversed(ticks), min)]), max(*ticks, end) + 1]
    clean = [before < after for before, after in zip(latest, earliest, strict=True)]
    first = next((k for k, key in enumerate(found.key) if key and clean[k] and start <= ticks[k] < end), None)
    if first is None:
        return None
    last = max(k for k in range(first, len(clean)) if clean[k] and latest[k] < end)
    head, copied = bisect_left(inside, ticks[first]), last - first
    tail = frames - head - copied
    if copied < WORTH * frames or tail < 0:
        return None
    keys = [k for k in range(first, last) if found.key[k]]
    if max(after - key for key, after in pairwise([*keys, last])) > LONGEST:
        return None
    decode = max(k for k in range(first, min(last + 1, len(ticks)) if tail else last) if found.key[k])
    order = sorted(ticks[first:last])
    early = max(k - bisect_left(order, tick) for k, tick in enumerate(ticks[first:last]))
    late = max(early, REORDERED if head or tail else 0)
    body = range(first, last)
    times = tuple(tick * clock[0] - clock[1] for tick in inside)
    packets = len(ticks) if tail else last
    alone = frozenset({first, min(keys, key=lambda k: abs(2 * ticks[k] - start - end))})
    return Splice(
        seek, inside, end, times, frozenset(keys), packets, body, decode, alone, late, head, tail, sets, sequence
    )


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
