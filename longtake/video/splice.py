"""Planning clip files of a video's own packets: only what no packet begins or ends with exactly is encoded anew.

A clip is a head, up to its first key frame; a body, whose packets are copied; and a tail, from where the last of them
that needs no later one ends. All joints are at key frames that refer to nothing before them. Head and tail have
parameter sets of their own, under numbers the video does not use. `splicing.py` writes the file, checked as any other.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from longtake.places import place
from longtake.records import Video
from longtake.video import h264
from longtake.video.decode import Reader

WORTH = 0.25
"""A file of which less than this part would be copied is encoded whole."""
LONGEST = 300
"""Frames from one key frame to the next, at most; x264 makes 250: no copied file is to be slower to look into."""
REORDERED = 2
"""Frames by which x264 decodes one before its turn, at most."""


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
