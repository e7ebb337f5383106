"""Single frames of a video by their times, with as little decoding as the file allows."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from longtake.errors import VideoError
from longtake.places import Place, place
from longtake.video.decode import Reader
from longtake.video.describe import pixel_aspect, shown_size, turned
from longtake.video.scan import fit_size

BLIND_SEEK_S = 5.0
"""Where a file has no index, jump ahead only over so much: the key frame may lie before what is decoded already."""


def read_frames(
    path: str | Place,
    times: Sequence[float],
    *,
    long_side_px: int,
    first_timestamp_s: float = 0.0,
    seekable: bool = True,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Iterator[NDArray[np.uint8]]:
    """Give the frame displayed at each time, as RGB of shape (height, width, 3), upright, never enlarged.

    Times are seconds from the video's first frame, in order; one before the first frame shows that, one past the end
    the last. `first_timestamp_s` and `seekable` are what the scan found; `on_progress` gets the time reached. Frames
    are decoded as they are taken, so that of many one is held at a time. Raises `VideoError`.
    """
    if list(times) != sorted(times):
        raise ValueError("times out of order")
    return _all(place(path), times, long_side_px, first_timestamp_s if seekable else None, on_progress)


def _all(
    path: Place,
    times: Sequence[float],
    long_side_px: int,
    first_timestamp_s: float | None,
    on_progress: Callable[[float], None],
) -> Iterator[NDArray[np.uint8]]:
    given = 0
    # Where a seek goes past a frame, that one and those after it come from decoding all.
    for seek_from in dict.fromkeys((first_timestamp_s, None)):
        for picture in _displayed(path, times[given:], long_side_px, seek_from, on_progress):
            given += 1
            yield picture
        if given == len(times):
            return
    raise VideoError("no_frames", f"{path}: not one frame decodes; get the file again")


def _displayed(
    path: Place,
    times: Sequence[float],
    long_side_px: int,
    first_timestamp_s: float | None,
    on_progress: Callable[[float], None],
) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames, seeking where the first timestamp is known; stop where a seek went past one of them."""
    with Reader(path) as reader:
        half_tick_s = reader.timeline.time_base / 2
        scaler = VideoReformatter()
        frames = iter(reader)
        shown = ahead = None
        for wanted in times:
            reached_s = ahead[0] if ahead else 0.0
            if first_timestamp_s is not None and _worth_a_seek(reader, wanted, reached_s, first_timestamp_s):
                if not reader.seek(wanted, first_timestamp_s):
                    return
                frames, shown, ahead = iter(reader), None, None
            ahead = ahead or next(frames, None)
            while ahead and ahead[0] <= wanted + half_tick_s:
                shown, ahead = ahead, next(frames, None)
                on_progress(shown[0])
            if shown is None and ahead and ahead[0] <= half_tick_s:
                shown = ahead  # asked for a time before the first frame
            if shown is None:
                return
            yield _picture(reader, scaler, shown[1], long_side_px)


def _picture(reader: Reader, scaler: VideoReformatter, frame: VideoFrame, long_side_px: int) -> NDArray[np.uint8]:
    """Return a frame as RGB, scaled and turned upright."""
    width, height = fit_size(long_side_px, shown_size(frame, pixel_aspect(reader)))
    size = (height, width) if turned(frame) % 180 else (width, height)
    scaled = scaler.reformat(frame, *size, "rgb24", interpolation=Interpolation.AREA, threads=1)
    return np.ascontiguousarray(np.rot90(np.asarray(scaled.to_ndarray(), np.uint8), turned(frame) // 90))


def _worth_a_seek(reader: Reader, wanted_s: float, reached_s: float, first_timestamp_s: float) -> bool:
    """Return whether a key frame lies between what is decoded and what is wanted; a guess where there's no index."""
    entries = reader.stream.index_entries
    if len(entries) < 2:
        return wanted_s - reached_s > BLIND_SEEK_S
    ticks = int((wanted_s + first_timestamp_s) / reader.timeline.time_base)
    nearest = entries.search_timestamp(ticks, backward=True)
    if nearest < 0:
        return False
    # An index tells decoding times, which are never later than display times: no seek goes back.
    return entries[nearest].timestamp * reader.timeline.time_base - first_timestamp_s > reached_s
