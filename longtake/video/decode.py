"""Walking the frames of a video in display order, each with its time; damage is counted, not raised."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av
from av.stream import Stream
from av.video.frame import VideoFrame

from longtake.places import Place, Remote
from longtake.video.opening import MAX_PIXELS, Opened, error_text, found, open_video

LONGEST_S = 3600.0
"""A frame that is said to stay longer than this is taken for a broken duration."""
JUMP_S = 60.0
"""A frame this much later than the one before, without a duration that says so, is taken for a broken timestamp."""


@dataclass
class Timeline:
    """Turns the timestamps of frames in display order into seconds from the first one that only ever grow."""

    time_base: float
    step_s: float
    """What to assume between two frames where a timestamp is missing or broken."""
    first_s: float | None = None
    offset_s: float = 0.0
    last_s: float = 0.0
    expected_s: float = 0.0
    made_up: int = 0
    jumps: int = 0
    disordered: int = 0

    def place(self, pts: int | None, duration: int | None) -> float | None:
        """Return the frame's time, or None for a frame that belongs before the last one and is to be dropped."""
        step = duration * self.time_base if duration else self.step_s
        if not 0 < step <= LONGEST_S:
            step = self.step_s
        if pts is None:
            self.made_up += 1
            time = 0.0 if self.first_s is None else self.expected_s
            self.first_s = 0.0 if self.first_s is None else self.first_s
        elif self.first_s is None:
            self.first_s = pts * self.time_base
            time = 0.0
        else:
            time = pts * self.time_base - self.first_s + self.offset_s
            lost = self.last_s > -math.inf and time > max(self.last_s + JUMP_S, self.expected_s + 1.0)
            broken = lost or time < self.last_s - 1.0
            if broken:
                self.jumps += 1
                self.offset_s += self.last_s + self.step_s - time
                time = self.last_s + self.step_s
            elif time <= self.last_s + self.time_base / 2:  # ticks are whole: what is nearer is a matter of rounding
                self.disordered += 1
                return None
        self.last_s = time
        self.expected_s = time + step
        return time


class Reader:
    """Decodes one video once, in display order; iterate for `(time_s, frame)`. Damage is counted on the way."""

    def __init__(self, path: Place, *, threads: int = 1) -> None:
        self.path = found(path) if isinstance(path, Remote) else path
        self.opened = Opened(self.path) if isinstance(self.path, Remote) else None
        self.container, self.stream = open_video(self.path, self.opened)
        self.context = self.stream.codec_context
        # The default, slice threading, is slow for most files; one worker a core needs no threads at all.
        self.context.thread_type = av.codec.context.ThreadType.AUTO if threads > 1 else av.codec.context.ThreadType.NONE
        self.context.thread_count = threads
        self.context.options = {"max_pixels": str(MAX_PIXELS)}  # also where the size changes in mid-stream
        # Only for frames without a timestamp, where the container knows no better than the stream's own header.
        rate = self.stream.guessed_rate or self.stream.average_rate
        step_s = 1 / float(rate) if rate and rate * LONGEST_S >= 1 else 0.04
        self.timeline = Timeline(float(self.stream.time_base or 0) or 1e-6, step_s)
        self.bad_packets = 0
        self.size: tuple[int, int] | None = None
        self.size_changes = 0
        self.cut_short = ""
        self.begins: int | None = None
        """Timestamp of the first packet that is to be shown: an edit list may hide what comes before."""

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self.container.close()

    def __iter__(self) -> Iterator[tuple[float, VideoFrame]]:
        for packet in self.packets():
            yield from self.decode(packet)

    def packets(self, *others: Stream) -> "Iterator[av.Packet[Any]]":
        """Demux the video stream and others; where the file breaks off, remember why and flush the decoder."""
        demuxed = self.container.demux(self.stream, *others)
        while True:
            try:
                packet = next(demuxed)
                if self.begins is None and packet.stream is self.stream and not packet.is_discard:
                    self.begins = packet.pts
                yield packet
            except StopIteration:
                return
            except IndexError:  # PyAV stumbles over a stream that turns up late; a new walk knows it, and goes on
                demuxed = self.container.demux(self.stream, *others)
            except av.error.FFmpegError as error:
                self.cut_short = error_text(error)
                yield av.Packet()  # empty, as at a regular end: it flushes the decoder
                return

    def decode(self, packet: "av.Packet[Any]") -> Iterator[tuple[float, VideoFrame]]:
        """Return the frames that one video packet completes, each with its time."""
        try:
            decoded = self.context.decode(packet if packet.size else None)
        except av.error.FFmpegError:
            self.bad_packets += 1
            return
        for frame in decoded:
            size = (frame.width, frame.height)
            self.size_changes += self.size is not None and size != self.size
            self.size = size
            time = self.timeline.place(frame.pts, frame.duration)
            if time is not None:
                yield time, frame

    def skim(self) -> None:
        """Leave the edges of coding blocks unsmoothed in frames that no other refers to: ask before the first frame.

        That saves a tenth of decoding H.264, and hardly shows at half the size.
        """
        self.context.options = {**self.context.options, "skip_loop_filter": "noref"}

    def seek(self, time_s: float, first_timestamp_s: float) -> bool:
        """Go to the key frame at or before a time; the container's time of the first frame is known from a scan.

        Return whether the container could; where not, there's nothing to be read any more.
        """
        ticks = int((time_s + first_timestamp_s) / self.timeline.time_base)
        self.timeline.first_s = first_timestamp_s
        self.timeline.last_s = self.timeline.expected_s = -math.inf
        return self.jump(ticks)

    def jump(self, ticks: int) -> bool:
        """Go to the key frame at or before a timestamp; return whether the container could."""
        try:
            self.container.seek(ticks, stream=self.stream, backward=True)
        except (av.error.FFmpegError, OverflowError):
            return False
        return True

    @property
    def declared_s(self) -> float | None:
        """The length the header claims, None where it claims none."""
        if self.stream.duration and self.stream.time_base:
            return float(self.stream.duration * self.stream.time_base)
        return self.container.duration / av.time_base if self.container.duration else None

    @property
    def repaired(self) -> bool:
        """Whether times are not simply the container's, so that seeking by them would miss."""
        return bool(self.timeline.made_up or self.timeline.jumps)

    def damage(self, end_s: float) -> tuple[str, ...]:
        """Say in words what was worked around, given where decoding ended."""
        declared = self.declared_s
        line = self.timeline
        lost_s = 0.0
        if self.begins is not None and line.first_s is not None:
            lost_s = line.first_s - self.begins * line.time_base
        found = [
            (lost_s > max(0.1, 2 * line.step_s), f"the first {lost_s:.1f} s don't decode"),
            (self.bad_packets, f"{self.bad_packets} corrupt packets skipped"),
            (line.made_up, f"{line.made_up} frames without a timestamp"),
            (line.jumps, f"timestamps jump {line.jumps} times"),
            (line.disordered, f"{line.disordered} frames out of order dropped"),
            (self.size_changes, f"the picture size changes {self.size_changes} times"),
            (self.cut_short, f"the file breaks off: {self.cut_short}"),
            (
                declared is not None and end_s < declared - max(1.0, 0.02 * declared),
                f"only {end_s:.1f} s of the declared {declared or 0:.1f} s are there",
            ),
        ]
        return tuple(words for is_so, words in found if is_so)


def declared_duration_s(path: Place) -> float | None:
    """Return the length a file's header claims, None where it claims none. Raises `VideoError`."""
    with Reader(path) as reader:
        return reader.declared_s


def declared_pixels(path: Place) -> int:
    """Return how many pixels a picture has, as a file's header claims. Raises `VideoError`."""
    with Reader(path) as reader:
        return int(reader.stream.codec_context.width * reader.stream.codec_context.height)
