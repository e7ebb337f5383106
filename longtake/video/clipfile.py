"""Writing a span of a video as a file that holds exactly its frames, with its sound, checked after writing."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from longtake.errors import VideoError
from longtake.places import place
from longtake.records import Series, Video
from longtake.video.decode import Reader
from longtake.video.describe import turned
from longtake.video.encode import Border, Encoder, Quality
from longtake.video.opening import error_text, pick_sound
from longtake.video.scan import Frames, Scan, Signal, Tap, scan
from longtake.video.splice import plan
from longtake.video.splicing import write_splice

SMALL = (32, 18)
ALIKE = 16.0
"""Mean difference, of 255, up to which a written end frame counts as the source's; x264 at crf 18 stays below 3."""
SAME = 4.0
"""The same of a frame that was copied: it is the source's to the bit, but may be scaled in another way."""
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
    copied: int
    """Frames that are the video's own, not encoded anew."""
    series: dict[str, Series]
    """What signals saw in the file itself, its times counted from the file's first frame."""


@dataclass
class _Seen:
    """What was seen of the source: the truth that the written file is checked against."""

    border: Border | None = None
    times: list[float] = field(default_factory=list)
    pictures: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    """Some frames of the clip, tiny, by their number: the first and the last among them."""
    copied: range = range(0)
    """Frames whose packets were copied."""
    last: VideoFrame | None = None
    middle: VideoFrame | None = None


def write_clip(
    video: Video,
    span: tuple[float, float],
    frames: int,
    target: Path,
    quality: Quality,
    on_progress: Callable[[float], None] = lambda _: None,
    signals: Callable[[], Mapping[str, Signal]] = dict,
    border: Border | None = None,
) -> ClipFile:
    """Write `[start_s, end_s)` of a video, known to hold so many frames, to an mp4 file and a poster JPEG beside it.

    H.264 (8 bit, 4:2:0, upright, even sides, without a `border`) with the source's frame times, and AAC sound cut to
    the sample (over two channels become stereo). What can be copied is, where `quality` says so. The file gets a
    temporary name, is read back and compared with the source, and only then takes its place; `signals` see it in that
    one decode. Raises `VideoError("inexact")` where it isn't what was asked.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.stem}.tmp.mp4")
    made = None
    try:
        if quality.copy and border is None:
            made = _copied(video, span, frames, temporary, quality, on_progress, signals)
        seen, checked = made or _encoded(video, span, frames, temporary, quality, on_progress, signals, border)
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
        len(seen.copied),
        {label: series for label, series in checked.series.items() if label},
    )


def _copied(
    video: Video,
    span: tuple[float, float],
    frames: int,
    target: Path,
    quality: Quality,
    on_progress: Callable[[float], None],
    signals: Callable[[], Mapping[str, Signal]],
) -> tuple[_Seen, Scan] | None:
    """Make the file of the video's own packets, as far as it goes; None where it doesn't, or came out wrong."""
    splice = plan(video, span, frames, on_progress)
    if splice is None:
        return None
    seen = _Seen(times=list(splice.times), copied=splice.copied)
    middle, nearest = bisect_left(splice.times, (span[0] + span[1]) / 2), -frames

    def see(number: int, frame: VideoFrame) -> None:
        nonlocal nearest
        seen.pictures[number] = _small(frame, None)
        if abs(number - middle) < abs(nearest - middle):
            seen.middle, nearest = frame, number

    try:
        write_splice(video, span, splice, target, quality, see, on_progress)
        return seen, _check(target, seen, span, video.path, signals, on_progress)
    except (ValueError, VideoError):  # nothing is lost: the encoder makes it, and says what is wrong with the video
        return None


def _encoded(
    video: Video,
    span: tuple[float, float],
    frames: int,
    target: Path,
    quality: Quality,
    on_progress: Callable[[float], None],
    signals: Callable[[], Mapping[str, Signal]],
    border: Border | None,
) -> tuple[_Seen, Scan]:
    """Make the file of encoded frames. Raises `VideoError`."""
    for attempt in _ways_in(video, span[0]):
        seen = _encode(video, span, attempt, target, quality, on_progress, border)
        if seen is not None and len(seen.times) == frames:
            return seen, _check(target, seen, span, video.path, signals, on_progress)
    found = len(seen.times) if seen else 0
    raise VideoError("inexact", f"{video.path}: {found} frames where the scan saw {frames}")


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
    with Reader(place(video.path)) as reader:
        half_tick_s = reader.timeline.time_base / 2
        sound = pick_sound(reader.container)
        if seek_s is not None and not reader.seek(seek_s, video.first_timestamp_s):
            return None
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
                            if seek_s is not None and not seen.times and time > start_s + half_tick_s:
                                return None  # some containers only guess the times behind a seek
                            _remember(seen, time, frame, middle_s=(start_s + end_s) / 2)
                            encoder.add(time - start_s, frame)
                if video_over and (sound_over or not sound):
                    break
            encoder.finish(end_s - start_s)
        except (av.error.ArgumentError, av.error.InvalidDataError) as error:
            what = f"{video.path} {start_s:.3f}-{end_s:.3f} s"
            raise VideoError("inexact", f"{what}: can't be written as a file ({error_text(error)})") from error
        finally:
            encoder.close()
    return seen


def _remember(seen: _Seen, time: float, frame: VideoFrame, *, middle_s: float) -> None:
    if not seen.times:
        seen.pictures[0] = _small(frame, seen.border)
    if seen.middle is None and time >= middle_s:
        seen.middle = frame
    seen.last = frame
    seen.times.append(time)


def _small(frame: VideoFrame, border: Border | None) -> NDArray[np.uint8]:
    """Return a frame upright and tiny, as the check of the written file sees it."""
    if border is not None:
        return np.asarray(cv2.resize(_inside(frame, "gray", border), SMALL, interpolation=cv2.INTER_AREA), np.uint8)
    size = SMALL[::-1] if turned(frame) % 180 else SMALL
    picture = np.asarray(frame.reformat(*size, "gray", interpolation="AREA").to_ndarray(), np.uint8)
    return np.rot90(picture, turned(frame) // 90)


def _inside(frame: VideoFrame, pixels: str, border: Border) -> NDArray[np.uint8]:
    """Return what is inside the border of a frame, upright, pixel for pixel."""
    whole = np.rot90(np.asarray(frame.reformat(format=pixels).to_ndarray(), np.uint8), turned(frame) // 90)
    x, y, width, height = border.inside(whole.shape[1], whole.shape[0])
    return np.ascontiguousarray(whole[y : y + height, x : x + width])


class _Some:
    """A signal that keeps some pictures of a written file, by their number."""

    columns: tuple[str, ...] = ()
    tap = Tap(SMALL, "gray")

    def __init__(self, numbers: Iterable[int]) -> None:
        self.numbers = frozenset(numbers)
        self.pictures: dict[int, NDArray[np.uint8]] = {}

    def __call__(self, frames: Frames) -> Series:
        for number, pixels in zip(frames.numbers.tolist(), frames.pixels, strict=True):
            if number in self.numbers:
                self.pictures[number] = pixels.copy()
        return Series((), np.empty(0), np.empty(0, np.int32), np.empty((0, 0), np.float32))


def _check(
    path: Path,
    seen: _Seen,
    span: tuple[float, float],
    source: str,
    signals: Callable[[], Mapping[str, Signal]],
    on_progress: Callable[[float], None],
) -> Scan:
    """Read a written file back: every frame's time, and all pictures seen of the source, must be the source's.

    Those are the first and the last, and of a file that was spliced all that was decoded: at the joints, too.
    """
    if seen.last is not None:
        seen.pictures[len(seen.times) - 1] = _small(seen.last, seen.border)
    some = _Some(seen.pictures)
    checked = scan(path, {**signals(), "": some}, on_progress=on_progress)  # no step's label is empty
    written = checked.video
    wanted = np.array(seen.times) - span[0]
    problem = ""
    if written.frames != len(wanted):
        problem = f"holds {written.frames} frames of {len(wanted)}"
    elif np.abs(checked.times - wanted).max() > 0.002:
        problem = "shows frames at the wrong times"
    elif not {0, len(wanted) - 1} <= seen.pictures.keys() == some.pictures.keys():
        problem = "is empty"
    else:
        off = {number: _difference(picture, some.pictures[number]) for number, picture in seen.pictures.items()}
        if any(by > (SAME if number in seen.copied else ALIKE) for number, by in off.items()):
            problem = "does not hold the clip's own pictures"
    if problem:
        raise VideoError("inexact", f"{source} {span[0]:.3f}-{span[1]:.3f} s: the written file {problem}")
    return checked


def _difference(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return float(np.abs(a.astype(np.int16) - b).mean())


def _write_poster(seen: _Seen, path: Path) -> None:
    """Write the middle frame as a small JPEG; of what was copied, the key frame nearest to it."""
    frame = seen.middle or seen.last
    if frame is None:
        return
    if seen.border is not None:
        picture = _inside(frame, "bgr24", seen.border)
        picture = np.asarray(cv2.resize(picture, _fit(*picture.shape[1::-1]), interpolation=cv2.INTER_AREA), np.uint8)
    else:
        whole = frame.reformat(*_fit(frame.width, frame.height), "bgr24").to_ndarray()
        picture = np.rot90(np.asarray(whole, np.uint8), turned(frame) // 90)
    jpeg = cv2.imencode(".jpg", np.ascontiguousarray(picture), [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    temporary = path.with_suffix(".jpg.tmp")
    temporary.write_bytes(jpeg.tobytes())
    temporary.replace(path)


def _fit(width: int, height: int) -> tuple[int, int]:
    """Return the size of a poster."""
    factor = min(1.0, POSTER_PX / max(width, height))
    return max(1, round(width * factor)), max(1, round(height * factor))
