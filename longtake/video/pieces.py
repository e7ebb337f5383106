"""Stretches of a video as files of their own, packet by packet, out of a file of which only parts may be here.

A piece begins with the key frame at or before its span, and ends behind the first frame after it, where no frame in
between is missing. Its packets are the video's own, so that its frames are, too; each shows at its time in the video
less the piece's `shift_s`.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from longtake.errors import VideoError
from longtake.video import h264
from longtake.video.holes import Holes, Missing, Range
from longtake.video.opening import OPENING, error_text, pick_sound, pick_stream
from longtake.video.stretches import Span, Stretch, UnfitError, check_piece, copy_stretch

READ_BYTES = 1 << 15
ROUNDING_TICKS = 0.01
"""So little may a frame begin after a span, and still be at its very beginning."""
BACK_S = (0.0, 10.0, 60.0, math.inf)
"""How far before a span to look for its key frame, where an index points behind it."""
WORTH = 0.5
"""A video more of which than this is wanted is better taken whole."""
INDEXED = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")
"""Formats that say where in the file a time is."""
STREAMED = "mpegts"
GAP_S = 1.0
"""Where something may have been left out, frames further apart than this are taken for a sign of that."""
CODECS = frozenset({"h264", "hevc", "vp8", "vp9", "av1", "mpeg4"})


@dataclass(frozen=True, slots=True)
class Piece:
    """A span of a video as a file."""

    span: Span
    path: Path | None
    """None: the span begins after the video's end."""
    shift_s: float = 0.0
    """Time in the video of the file's first frame."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a video is better taken whole."""

    why: str


def cut_pieces(
    path: Path,
    have: Sequence[Range],
    size: int,
    spans: Sequence[Span],
    folder: Path,
    *,
    gaps: bool = False,
    alive: Callable[[], None] = lambda: None,
) -> list[Piece] | Missing | Unfit:
    """Write spans of a video, in seconds from its first frame, as files into a folder, named `0`, `1`, ...

    Of the video's `size` bytes only those in `have` are at their places in the file. Where it has `gaps` instead, it is
    what is left of a stream of which stretches were left out, none at its beginning and end. Nothing is decoded but
    first frames, and nothing encoded.
    """
    with path.open("rb") as raw:
        file = Holes(raw, have, size)
        found: list[Piece] | Missing | Unfit
        try:
            with av.open(file, "r", metadata_errors="replace", buffer_size=READ_BYTES, options=OPENING) as container:
                found = _Cutter(path, file, container, alive, gaps=gaps).cut(spans, folder)
        except UnfitError as error:
            found = Unfit(str(error))
        except (av.error.FFmpegError, VideoError, ValueError, IndexError, OverflowError) as error:
            found = Unfit(f"it can't be read in parts ({error_text(error)})")
    # Decoders may take what is missing for the end of the file: whatever came of it counts for nothing.
    return found if file.missed is None else Missing(file.wanted())


class _Cutter:
    """One video whose pieces are cut."""

    def __init__(
        self, path: Path, file: Holes, container: InputContainer, alive: Callable[[], None], *, gaps: bool
    ) -> None:
        self.file, self.container, self.alive, self.gaps = file, container, alive, gaps
        self.stream: VideoStream = pick_stream(path, container)
        self.sound: AudioStream | None = pick_sound(container)
        if container.format.name not in (*INDEXED, *([STREAMED] if gaps else [])):
            raise UnfitError("of its format no parts can be read")
        context = self.stream.codec_context
        self.codec = context.codec.canonical_name
        self.start_coded = (context.extradata or b"").startswith((b"\0\0\1", b"\0\0\0\1"))
        readable = self.codec != "h264" or self.start_coded or h264.read_box(context.extradata)
        if self.codec not in CODECS or not readable:
            raise UnfitError("of its codec no parts can be taken")
        assert self.stream.time_base is not None
        self.time_base = self.stream.time_base
        self.tick_s = float(self.time_base)
        with path.open("rb") as raw:
            self.head = raw.read(64)
        self.origin, self.first = self._begin()

    def cut(self, spans: Sequence[Span], folder: Path) -> list[Piece]:
        """Find all pieces, then write them. Raises `UnfitError`."""
        if not self.gaps:
            self._check_worth(spans)
            self.file.hints = [hint for span in spans for hint in self._hint(span)]
        found = [self._find(span) for span in spans]
        made = []
        for number, (span, stretch) in enumerate(zip(spans, found, strict=True)):
            if stretch is None or self.file.missed is not None:
                made.append(Piece(span, None))
                continue
            target = folder / str(number)
            self._write(stretch, target)
            if self.file.missed is None:
                check_piece(stretch, target, self.time_base, self.first)
            made.append(Piece(span, target, (stretch.ticks[0] - self.origin) * self.tick_s))
        return made

    def _check_worth(self, spans: Sequence[Span]) -> None:
        length_s = (self.container.duration or 0) / av.time_base
        if length_s and sum(min(end, length_s) - min(start, length_s) for start, end in spans) > WORTH * length_s:
            raise UnfitError("more than half of it is wanted")

    def _begin(self) -> tuple[int, Any]:
        """Return the timestamp of the first frame, and the frame."""
        ticks: list[int] = []
        first = None
        for packet in self.container.demux(self.stream):
            if not packet.size:
                break
            if packet.pts is None or (not ticks and not packet.is_keyframe):
                raise UnfitError("it doesn't begin with a key frame")
            if packet.is_discard:
                raise UnfitError("an edit list cuts its frames")
            if ticks and packet.pts < ticks[0]:
                raise UnfitError("it doesn't begin with a key frame")
            ticks.append(packet.pts)
            first = first or next(iter(self.stream.codec_context.decode(packet)), None)
            if packet.dts is not None and packet.dts >= ticks[0]:
                break
        if first is None:  # most decoders hold a frame back
            first = next(iter(self.stream.codec_context.decode(None)), None)
        if not ticks or first is None:
            raise UnfitError("its first frame doesn't decode")
        return ticks[0], first

    def _hint(self, span: Span) -> Iterator[Range]:
        """Say where in the file a span's pictures and sound are, as far as the index tells."""
        for stream in (self.stream, self.sound):
            if stream is None or stream.time_base is None:
                continue
            tick_s, zero_s = float(stream.time_base), self.origin * self.tick_s
            begin = stop = None
            for entry in stream.index_entries:
                time_s = entry.timestamp * tick_s - zero_s
                if entry.is_keyframe and time_s <= span[0]:
                    begin = entry.pos
                stop = entry.pos + entry.size
                if time_s > span[1]:
                    break
            if begin is not None and stop is not None and begin < stop:
                yield begin, stop

    def _ticks(self, span: Span) -> tuple[int, float]:
        start_s, end_s = span
        start = math.floor(start_s / self.tick_s + ROUNDING_TICKS) + self.origin
        return start, end_s / self.tick_s + self.origin

    def _packets(self, seek: int, *others: Any) -> Iterator[Any]:
        """Yield packets from a timestamp on, those of the video checked."""
        if self.gaps:  # which no index knows
            self.file.seek(0)
            container = self.container = av.open(self.file, "r", metadata_errors="replace", options=OPENING)
        else:
            container = self.container
            container.seek(seek, stream=self.stream, backward=True)
        for packet in container.demux(*(container.streams[stream.index] for stream in (self.stream, *others))):
            self.alive()
            if not packet.size:
                continue
            if packet.stream_index == self.stream.index and (
                packet.pts is None or packet.is_discard or (packet.is_corrupt and not self.gaps)
            ):
                raise UnfitError("not all of its frames have a time")
            if packet.has_sidedata("new_extradata"):
                raise UnfitError("its parameters change in mid-stream")
            yield packet

    def _find(self, span: Span) -> Stretch | None:
        """Return the packets of a span; None for one behind the end."""
        start, end = self._ticks(span)
        for back_s in BACK_S:
            seek = self.origin if math.isinf(back_s) else max(self.origin, start - round(back_s / self.tick_s))
            found = self._read(span, seek, start, end)
            if found or self.file.missed is not None:
                if found and self.gaps:
                    self._check_gaps(found)
                return found if found and max(found.ticks) >= start else None
        raise UnfitError("its index is wrong")

    def _read(self, span: Span, seek: int, start: int, end: float) -> Stretch | None:
        """Read the packets of a span from a timestamp on, None where that is behind its key frame."""
        ticks: list[int] = []
        for packet in self._packets(seek):
            if packet.is_corrupt:  # so is taken what stands before a gap
                ticks = []
                continue
            if packet.pts <= start and self._is_key(packet):
                ticks = [packet.pts]
                continue
            if not ticks:
                if packet.dts is not None and packet.dts > start:
                    return None
                continue
            if packet.dts is not None and packet.dts > end:
                cut = _clean(ticks, packet.dts, end)
                if cut:
                    return Stretch(span, seek, *cut)
            if packet.pts >= ticks[0]:  # else it needs what was before the key frame, and shows before it
                ticks.append(packet.pts)
        if not ticks:
            return None
        return Stretch(span, seek, ticks, math.inf)

    def _check_gaps(self, stretch: Stretch) -> None:
        """Raise `UnfitError` where something may have been left out of a stretch."""
        if max((b - a for a, b in pairwise(sorted(stretch.ticks))), default=0) * self.tick_s > GAP_S:
            raise UnfitError("its pieces don't have the times that their playlist says")

    def _is_key(self, packet: Any) -> bool:
        """Return whether nothing before a packet is needed for what shows after it."""
        if not packet.is_keyframe:
            return False
        if self.codec != "h264":
            return True
        units = h264.split(bytes(packet)) if self.start_coded else h264.units(memoryview(packet))
        return any(unit[0] & 31 == h264.IDR for unit in units)

    def _write(self, stretch: Stretch, target: Path) -> None:
        """Write a piece in its video's format."""
        if self.container.format.name == INDEXED[1]:
            kind = "webm" if b"webm" in self.head else "matroska"
        else:
            kind = "mov" if self.container.metadata.get("major_brand") == "qt  " else "mp4"
        options = {"movflags": "+faststart"} if kind in ("mp4", "mov") else {}
        with av.open(str(target), "w", format=kind, options=options) as out:
            packets = self._packets(stretch.seek, *([self.sound] if self.sound else []))
            count = copy_stretch(stretch, packets, out, self.stream, self.sound)
        if count != len(stretch.ticks) and self.file.missed is None:
            raise UnfitError("its index is wrong")


def _clean(ticks: list[int], dts: int, end: float) -> tuple[list[int], int] | None:
    """Return the fewest packets that reach over the end with no frame missing in between, and when the next shows.

    Packets that follow show at `dts` or later. None where there are too few yet.
    """
    earliest = [*reversed([*accumulate(reversed(ticks), min)]), dts]
    for count, latest in enumerate(accumulate(ticks, max), 1):
        following = min(earliest[count], dts)
        if end <= latest < following:
            return ticks[:count], following
    return None
