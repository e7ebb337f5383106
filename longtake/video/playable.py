"""Spans of videos that a browser may not play, as small files that every one does; clip files are `clipfile.py`'s."""

import os
from collections.abc import Callable
from pathlib import Path

from longtake.errors import VideoError
from longtake.places import Place, place
from longtake.video.decode import Reader
from longtake.video.encode import Encoder, Quality
from longtake.video.opening import pick_sound

HIGH_PX = 480
QUALITY = Quality(crf=26, preset="superfast")
MARGINS_S = (0.0, 5.0, 30.0)
"""So far before a span decoding begins, ever earlier where that misses its first frame; at last from the beginning."""


def write_playable(
    path: str | Place,
    span: tuple[float, float],
    target: Path,
    *,
    first_timestamp_s: float = 0.0,
    seekable: bool = True,
    on_progress: Callable[[float], None] = lambda _: None,
) -> None:
    """Write `[start_s, end_s)` of a video as H.264 (8 bit, 4:2:0) and AAC in mp4, every frame at its time.

    It is upright and 480 pixels high at most. `first_timestamp_s` and `seekable` are what the scan found. The target is
    there once it is whole. Raises `VideoError`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.stem}.{os.getpid()}.tmp.mp4")
    seeks = [span[0] - margin_s for margin_s in MARGINS_S if seekable and span[0] > margin_s]
    try:
        for seek_s in (*seeks, None):
            if _encode(place(path), span, seek_s, first_timestamp_s, temporary, on_progress):
                temporary.replace(target)
                return
    finally:
        temporary.unlink(missing_ok=True)
    raise VideoError("no_frames", f"{path}: not one frame decodes from {span[0]:.3f} to {span[1]:.3f} s")


def _encode(
    path: Place,
    span: tuple[float, float],
    seek_s: float | None,
    first_timestamp_s: float,
    target: Path,
    on_progress: Callable[[float], None],
) -> int:
    """Encode a span's frames; return how many, 0 where decoding started after the first one."""
    start_s, end_s = span
    frames, video_over, sound_over, entered = 0, False, False, seek_s is None
    with Reader(path) as reader:
        half_tick_s = reader.timeline.time_base / 2
        sound = pick_sound(reader.container)
        if seek_s is not None and not reader.seek(seek_s, first_timestamp_s):
            return 0
        encoder = Encoder(target, reader, sound, QUALITY, most_high=HIGH_PX)
        try:
            for packet in reader.packets(*([sound] if sound else [])):
                if sound and packet.stream is sound:
                    sound_over = sound_over or encoder.add_sound(packet, first_timestamp_s, start_s, end_s)
                elif not video_over:
                    for time, frame in reader.decode(packet):
                        on_progress(time)
                        if not entered and time > start_s + half_tick_s:
                            return 0
                        entered = True
                        video_over = time >= end_s - half_tick_s
                        if video_over:
                            break
                        if time >= start_s - half_tick_s:
                            encoder.add(time - start_s, frame)
                            frames += 1
                if video_over and (sound_over or not sound):
                    break
            encoder.finish(end_s - start_s)
        finally:
            encoder.close()
    return frames
