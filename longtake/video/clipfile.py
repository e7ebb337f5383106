"""Writing a span of a video as a file that holds exactly its frames, with its sound, checked after writing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from longtake.errors import VideoError
from longtake.records import Series, Video
from longtake.video.decode import Reader
from longtake.video.encode import Border, Encoder, Quality
from longtake.video.scan import Frames, Scan, Signal, Tap, scan

SMALL = (32, 18)
ALIKE = 16.0
"""Mean difference, of 255, up to which a written end frame counts as the source's; x264 at crf 18 stays below 3."""
POSTER_PX = 480


@dataclass(frozen=True, slots=True)
class ClipFile:
    """A written and checked clip file."""

    path: Path
    frames: int
    duration_s: float
    width: int
    height: int
    bytes: int
    has_audio: bool
    series: dict[str, Series]
    """What signals saw in the file itself, its times counted from the file's first frame."""


@dataclass
class _Seen:
    """What the encoder was given: the truth that the written file is checked against."""

    border: Border | None = None
    times: list[float] = field(default_factory=list)
    first: NDArray[np.uint8] | None = None
    last: VideoFrame | None = None
    middle: VideoFrame | None = None


def write_clip(
    video: Video,
    span: tuple[float, float],
    frames: int,
    target: Path,
    quality: Quality,
    on_progress: Callable[[float], None] = lambda _: None,
    signals: Mapping[str, Signal] | None = None,
    border: Border | None = None,
) -> ClipFile:
    """Write `[start_s, end_s)` of a video, known to hold so many frames, to an mp4 file and a poster JPEG beside it.

    H.264 (8 bit, 4:2:0, upright, even sides, without a `border`) with the source's frame times, and AAC sound cut to
    the sample (over two channels become stereo). The file gets a temporary name, is read back and compared with the
    source, and only then takes its place; `signals` see it in that one decode. Raises `VideoError("inexact")` where it
    isn't what was asked.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.stem}.tmp.mp4")
    try:
        for attempt in _ways_in(video, span[0]):
            seen = _encode(video, span, attempt, temporary, quality, on_progress, border)
            if seen is not None and len(seen.times) == frames:
                break
        if seen is None or len(seen.times) != frames:
            found = len(seen.times) if seen else 0
            raise VideoError("inexact", f"{video.path}: {found} frames where the scan saw {frames}")
        checked = _check(temporary, seen, span, video.path, signals or {}, on_progress)
        _write_poster(seen, target.with_suffix(".jpg"))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    written = checked.video
    return ClipFile(
        target,
        written.frames,
        written.duration_s,
        written.width,
        written.height,
        target.stat().st_size,
        written.audio_codec is not None,
        {label: checked.series[label] for label in signals or {}},
    )


def _ways_in(video: Video, start_s: float) -> Iterator[float | None]:
    """Where to start decoding: just before the clip, ever earlier where that misses it, at last from the beginning."""
    if video.seekable:
        for margin_s in (0.0, 5.0, 30.0):
            if start_s > margin_s:
                yield start_s - margin_s
    yield None


def _encode(
    video: Video,
    span: tuple[float, float],
    seek_s: float | None,
    target: Path,
    quality: Quality,
    on_progress: Callable[[float], None],
    border: Border | None,
) -> _Seen | None:
    """Encode the span's frames; None where decoding started after its first frame."""
    start_s, end_s = span
    seen = _Seen(border)
    with Reader(Path(video.path)) as reader:
        half_tick_s = reader.timeline.time_base / 2
        sound = reader.container.streams.best("audio")
        if seek_s is not None:
            reader.seek(seek_s, video.first_timestamp_s)
        encoder = Encoder(target, reader, sound, quality, border)
        entered = False
        video_over = sound_over = False
        try:
            for packet in reader.packets(*([sound] if sound else [])):
                if sound and packet.stream is sound:
                    if not sound_over:
                        sound_over = encoder.add_sound(packet, video.first_timestamp_s, start_s, end_s)
                elif not video_over:
                    for time, frame in reader.decode(packet):
                        on_progress(time)
                        if not entered and seek_s is not None and time > start_s + half_tick_s:
                            return None
                        entered = True
                        if time >= end_s - half_tick_s:
                            video_over = True
                            break
                        if time >= start_s - half_tick_s:
                            _remember(seen, time, frame, middle_s=(start_s + end_s) / 2)
                            encoder.add(time - start_s, frame)
                if video_over and (sound_over or not sound):
                    break
            encoder.finish(end_s - start_s)
        finally:
            encoder.close()
    return seen


def _remember(seen: _Seen, time: float, frame: VideoFrame, *, middle_s: float) -> None:
    if seen.first is None:
        seen.first = _small(frame, seen.border)
    if seen.middle is None and time >= middle_s:
        seen.middle = frame
    seen.last = frame
    seen.times.append(time)


def _small(frame: VideoFrame, border: Border | None) -> NDArray[np.uint8]:
    """Return a frame upright and tiny, as the check of the written file sees it."""
    if border is not None:
        return np.asarray(cv2.resize(_inside(frame, "gray", border), SMALL, interpolation=cv2.INTER_AREA), np.uint8)
    size = SMALL[::-1] if frame.rotation % 180 else SMALL
    picture = np.asarray(frame.reformat(*size, "gray", interpolation="AREA").to_ndarray(), np.uint8)
    return np.rot90(picture, frame.rotation // 90)


def _inside(frame: VideoFrame, pixels: str, border: Border) -> NDArray[np.uint8]:
    """Return what is inside the border of a frame, upright, pixel for pixel."""
    whole = np.rot90(np.asarray(frame.reformat(format=pixels).to_ndarray(), np.uint8), frame.rotation // 90)
    x, y, width, height = border.inside(whole.shape[1], whole.shape[0])
    return np.ascontiguousarray(whole[y : y + height, x : x + width])


class _Ends:
    """A signal that keeps the first and the last picture of a written file."""

    columns: tuple[str, ...] = ()
    tap = Tap(SMALL, "gray")
    first: NDArray[np.uint8] | None = None
    last: NDArray[np.uint8] | None = None

    def __call__(self, frames: Frames) -> Series:
        if len(frames.times):
            self.first = frames.pixels[0].copy() if self.first is None else self.first
            self.last = frames.pixels[-1].copy()
        return Series((), np.empty(0), np.empty(0, np.int32), np.empty((0, 0), np.float32))


def _check(
    path: Path,
    seen: _Seen,
    span: tuple[float, float],
    source: str,
    signals: Mapping[str, Signal],
    on_progress: Callable[[float], None],
) -> Scan:
    """Read a written file back: every frame's time, and the first and last picture, must be the source's."""
    ends = _Ends()
    checked = scan(path, {**signals, "": ends}, on_progress=on_progress)  # no step's label is empty
    written = checked.video
    wanted = np.array(seen.times) - span[0]
    problem = ""
    if written.frames != len(wanted):
        problem = f"holds {written.frames} frames of {len(wanted)}"
    elif np.abs(checked.times - wanted).max() > 0.002:
        problem = "shows frames at the wrong times"
    elif seen.first is None or seen.last is None or ends.first is None or ends.last is None:
        problem = "is empty"
    elif _difference(seen.first, ends.first) > ALIKE or _difference(_small(seen.last, seen.border), ends.last) > ALIKE:
        problem = "does not begin and end with the clip's own pictures"
    if problem:
        raise VideoError("inexact", f"{source} {span[0]:.3f}-{span[1]:.3f} s: the written file {problem}")
    return checked


def _difference(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return float(np.abs(a.astype(np.int16) - b).mean())


def _write_poster(seen: _Seen, path: Path) -> None:
    """Write the middle frame as a small JPEG."""
    frame = seen.middle or seen.last
    if frame is None:
        return
    if seen.border is not None:
        picture = _inside(frame, "bgr24", seen.border)
        picture = np.asarray(cv2.resize(picture, _fit(*picture.shape[1::-1]), interpolation=cv2.INTER_AREA), np.uint8)
    else:
        whole = frame.reformat(*_fit(frame.width, frame.height), "bgr24").to_ndarray()
        picture = np.rot90(np.asarray(whole, np.uint8), frame.rotation // 90)
    jpeg = cv2.imencode(".jpg", np.ascontiguousarray(picture), [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    temporary = path.with_suffix(".jpg.tmp")
    temporary.write_bytes(jpeg.tobytes())
    temporary.replace(path)


def _fit(width: int, height: int) -> tuple[int, int]:
    """Return the size of a poster."""
    factor = min(1.0, POSTER_PX / max(width, height))
    return max(1, round(width * factor)), max(1, round(height * factor))
