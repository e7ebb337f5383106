"""What a video is, without decoding more than its first frame."""

import numpy as np

from longtake.places import Place, place
from longtake.records import Video
from longtake.video.decode import Reader
from longtake.video.describe import describe, no_frames
from longtake.video.scan import scan


def probe(path: str | Place) -> Video:
    """Return what a video is. Frame count and times are exact, read from its packets; one frame is decoded.

    A file whose packets carry no usable timestamps is decoded whole. Raises `VideoError` whose kind says why a file
    can't be used.
    """
    path = place(path)
    with Reader(path) as reader:
        first = next(iter(reader), None)
        if first is None:
            raise no_frames(reader)
    with Reader(path) as reader:
        packets = _packet_times(reader)
        if packets is None:
            return scan(path, {}).video
        times, end_s, first_s = packets
        return describe(reader, first[1], times=times, end_s=end_s, first_s=first_s)


def _packet_times(reader: Reader) -> tuple[np.ndarray, float, float] | None:
    """Return the times of all frames that will be shown, the end and the first timestamp, None if packets don't say."""
    ticks: list[int] = []
    last = (0, 0)
    decoded_at = None
    for packet in reader.packets():
        if packet.size == 0 or packet.is_discard:
            continue
        if packet.pts is None or (decoded_at is not None and packet.dts is not None and packet.dts < decoded_at):
            return None
        decoded_at = packet.dts
        ticks.append(packet.pts)
        last = max(last, (packet.pts, packet.duration or 0))
    tick_s = reader.timeline.time_base
    times = (np.sort(np.array(ticks, np.float64)) - min(ticks)) * tick_s
    step_s = float(np.median(np.diff(times))) if len(times) > 1 else reader.timeline.step_s
    return times, float(times[-1]) + (last[1] * tick_s or step_s), min(ticks) * tick_s
