"""Going through the frames of a video, each with its time and number: all of them, or those that something hangs on.

Nearly half of the frames of an H.264, HEVC or AV1 file are referred to by no other. They are left out where those
beside them are near, and no packet is so large that something new may begin (`sudden`). What a signal wants to see by
its time is decoded always, so that signals that take samples see just what they see of all frames. Times and numbers of
frames left out come from the packets.
"""

import heapq
from bisect import bisect, insort
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import av
from av.video.frame import VideoFrame

from longtake.video.decode import Reader
from longtake.video.spare import Needed
from longtake.video.sudden import Sudden

AHEAD = 64
"""Packets read ahead: what comes within 0.6 s at 60 frames per second, and four times as many as a frame may come later
in the file than it is shown."""
GAP_S = 0.1
"""Decoded frames are no further apart where the file has more: `training/thinning.py` has shown detectors so much."""
ROUNDED_S = 5e-4
"""By so much containers round times."""
Wants = Callable[[float], Sequence[str]]
"""Which signals of those that take samples want the next frame, by its time; asked of every frame in turn."""


class NeedsAllError(Exception):
    """The packets of a video don't tell what its frames are, so that all have to be decoded."""


@dataclass(slots=True)
class Shown:
    """A frame that is shown, decoded or not."""

    time: float
    number: int
    due: Sequence[str]
    """The signals that want it."""


class All:
    """Every frame of a video."""

    left_out = 0

    def __init__(self, reader: Reader, wants: Wants) -> None:
        self.reader, self.wants = reader, wants
        self.times: list[float] = []
        """Of the frames so far."""

    def __iter__(self) -> Iterator[tuple[Shown, VideoFrame]]:
        for time, frame in self.reader:
            self.times.append(time)
            yield Shown(time, len(self.times) - 1, self.wants(time)), frame


class Few:
    """The frames of a video that something hangs on; raises `NeedsAllError` where packets don't tell of all frames."""

    def __init__(self, reader: Reader, wants: Wants, needed: Needed) -> None:
        self.reader, self.wants, self.needed = reader, wants, needed
        self.times: list[float] = []
        """Of all frames so far, and of some that are still to come."""
        self.left_out = 0
        self.coming: list[tuple[int, int]] = []
        """Timestamps and durations of the next frames, a heap."""
        self.counted: int | None = None
        """Timestamp of the last frame that has a number."""
        self.shown: dict[int, Shown] = {}
        """Frames still to come out of the decoder, in order, by their timestamps."""
        self.decoded: list[int] = []
        """Timestamps of frames that are decoded, in order, also of some that are still to come."""
        self.gap = (GAP_S + ROUNDED_S) / reader.timeline.time_base
        self.sudden = Sudden(reader.timeline.time_base)
        self.size: tuple[int, int] | None = None

    def __iter__(self) -> Iterator[tuple[Shown, VideoFrame]]:
        ahead: deque[tuple[av.Packet[Any], memoryview | None]] = deque()
        for packet in self.reader.packets():
            if not packet.size:
                break
            ahead.append((packet, self._take(packet)))
            if len(ahead) > AHEAD:
                yield from self._next(*ahead.popleft())
        for packet, needed in ahead:
            yield from self._next(packet, needed)
        yield from self._decode(None)
        if self.shown or self.reader.cut_short:
            raise NeedsAllError

    def _take(self, packet: "av.Packet[Any]") -> memoryview | None:
        """Note what a packet says of its frame; return what others need of it where it can be left out, None else."""
        if packet.pts is None or packet.is_corrupt:
            raise NeedsAllError
        if self.counted is not None and packet.pts <= self.counted:
            raise NeedsAllError  # later frames than this one have their numbers by now
        needed = self.needed(memoryview(packet))
        spare = len(needed) < packet.size
        if not spare:
            self._keep(packet.pts)
            if self.reader.context.codec.canonical_name != "av1":  # there a packet may hold frames shown much later
                self.sudden.add(packet.pts, packet.size, key=packet.is_keyframe)
        if not packet.is_discard:
            heapq.heappush(self.coming, (packet.pts, packet.duration or 0))
        return needed if spare else None

    def _next(self, packet: "av.Packet[Any]", needed: memoryview | None) -> Iterator[tuple[Shown, VideoFrame]]:
        """Count the frames up to a packet's, and decode it if something hangs on it."""
        pts = packet.pts
        assert pts is not None
        while self.coming and self.coming[0][0] <= pts:
            self._count(*heapq.heappop(self.coming))
        if needed is not None:
            shown = self.shown.get(pts)
            if not (shown and shown.due) and self._stood_for(pts) and not self.sudden(pts):
                if self.shown.pop(pts, None):
                    self.left_out += 1
                if not needed:
                    return
                packet = av.Packet(bytes(needed))
            else:
                self._keep(pts)
        yield from self._decode(packet)

    def _keep(self, pts: int) -> None:
        insort(self.decoded, pts)
        del self.decoded[: -3 * AHEAD]

    def _stood_for(self, pts: int) -> bool:
        """Return whether decoded frames are near enough on both sides."""
        after = bisect(self.decoded, pts)
        return 0 < after < len(self.decoded) and self.decoded[after] - self.decoded[after - 1] <= self.gap

    def _count(self, pts: int, duration: int) -> None:
        timeline = self.reader.timeline
        time = timeline.place(pts, duration)
        if time is None or timeline.jumps or timeline.disordered:
            raise NeedsAllError
        self.counted = pts
        self.shown[pts] = Shown(time, len(self.times), self.wants(time))
        self.times.append(time)

    def _decode(self, packet: "av.Packet[Any] | None") -> Iterator[tuple[Shown, VideoFrame]]:
        try:
            frames = self.reader.context.decode(packet)
        except av.error.FFmpegError as error:
            raise NeedsAllError from error
        for frame in frames:
            size = (frame.width, frame.height)
            if frame.pts is None or frame.pts != next(iter(self.shown), None) or size != (self.size or size):
                raise NeedsAllError  # one before it is lost, or it is none of those that were to come
            self.size = size
            yield self.shown.pop(frame.pts), frame
