"""Packets of a stretch of a video, copied into a file of their own as they are, and a look at that file."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from longtake.video.decode import Reader

Span = tuple[float, float]
"""Seconds of a video; its end may be infinite."""

SOUND_S = 2.0
"""Sound may lie so much behind its pictures in a file."""


class UnfitError(Exception):
    """Why a video is better taken whole."""


@dataclass(slots=True)
class Stretch:
    """The packets of a piece."""

    span: Span
    seek: int
    """Timestamp to seek to."""
    ticks: list[int]
    """When the piece's packets show, in the order of the file."""
    end: float
    """When what follows shows; infinite at the video's end."""


def copy_stretch(
    stretch: Stretch, packets: Iterator[Any], out: OutputContainer, stream: VideoStream, heard: AudioStream | None
) -> int:
    """Copy packets of a stretch, each at its time less that of the first; decoding times are made anew.

    Return how many of the video's there were. Raises `UnfitError` for others than those that were found.
    """
    assert stream.time_base is not None
    time_base, tick_s = stream.time_base, float(stream.time_base)
    # AV1's decoder goes by the name of its maker, by which PyAV finds no encoder to take the parameters from.
    video = out.add_stream_from_template(stream, opaque=stream.codec_context.codec.canonical_name == "av1")
    video.time_base = time_base
    sound = out.add_stream_from_template(heard) if heard else None
    zero, order = stretch.ticks[0], sorted(stretch.ticks)
    late = max(k - bisect_left(order, tick) for k, tick in enumerate(stretch.ticks))
    step = order[1] - order[0] if len(order) > 1 else 1
    behind = stretch.end + SOUND_S / tick_s
    count = 0
    for packet in packets:
        if heard and packet.stream_index == heard.index:
            if packet.pts is None or sound is None:
                continue
            at = packet.pts * packet.time_base
            if at >= zero * time_base and at < stretch.end * tick_s:
                packet.pts -= round(zero * time_base / packet.time_base)
                packet.dts = packet.pts
                packet.stream = sound
                out.mux(packet)
            elif at >= stretch.end * time_base and count == len(stretch.ticks):
                break
            continue
        if packet.pts < zero or (not count and packet.pts != zero):
            continue
        if count < len(stretch.ticks):
            if packet.pts != stretch.ticks[count]:
                raise UnfitError("its index is wrong")
            packet.pts -= zero
            packet.dts = order[count - late] - zero if count >= late else (count - late) * step
            packet.stream = video
            out.mux(packet)
            count += 1
        if count == len(stretch.ticks) and (sound is None or (packet.pts or 0) > behind):
            break
    return count


def check_piece(stretch: Stretch, target: Path, time_base: Fraction, shown: VideoFrame) -> None:
    """Raise `UnfitError` for a piece whose times aren't the video's, or whose pictures aren't like its first one."""
    tick_s = float(time_base)
    with Reader(target) as reader:
        first = next(iter(reader), None)
    if first is None or _look(first[1]) != _look(shown):
        raise UnfitError("its parts don't come out as they should")
    with Reader(target) as reader:
        found = sorted(float((packet.pts or 0) * packet.time_base) for packet in reader.packets() if packet.size)
    times = [(tick - stretch.ticks[0]) * tick_s for tick in sorted(stretch.ticks)]
    if len(found) != len(times) or any(abs(a - found[0] - b) > tick_s / 2 for a, b in zip(found, times, strict=True)):
        raise UnfitError("its parts don't come out as they should")


def _look(frame: Any) -> tuple[Any, ...]:
    return frame.width, frame.height, frame.format.name, frame.rotation
