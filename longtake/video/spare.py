"""What of packets can be left out: frames that no other frame refers to, told without decoding them."""

from collections.abc import Callable, Iterator
from functools import partial

from av.video.codeccontext import VideoCodecContext

from longtake.video.av1 import Av1

H264_PICTURES, H264_SETS = range(1, 6), range(7, 9)
HEVC_PICTURES, HEVC_SETS = range(32), range(32, 35)
HEVC_SINGLE = range(0, 15, 2)
"""Pictures that none of the same temporal layer refers to (ITU-T H.265, table 7-1)."""

Needed = Callable[[memoryview], memoryview]
"""What others need of a packet's bytes: all of them, nothing, or a part."""


def needed_of(context: VideoCodecContext) -> Needed | None:
    """Return what tells how much of each packet, in the order of the file, others need; None where that can't be told.

    H.264 says so in each of its units, and so does HEVC, whose header has to say how many temporal layers there are,
    and AV1 in its frames' headers. VP9 has hardly any frames that no other refers to.
    """
    codec, header = context.codec.canonical_name, bytes(context.extradata or b"")
    boxed = header[:1] == b"\x01"
    if codec == "h264":
        return partial(_whole, partial(_h264, lengths=(header[4] & 3) + 1 if boxed and len(header) > 4 else 0))
    if codec == "hevc" and boxed and len(header) > 21 and header[21] >> 3 & 7:
        return partial(_whole, partial(_hevc, lengths=(header[21] & 3) + 1, layers=header[21] >> 3 & 7))
    if codec == "av1":
        return Av1(header)
    return None


def _whole(spare: Callable[[memoryview], bool], packet: memoryview) -> memoryview:
    return packet[:0] if spare(packet) else packet


def _h264(packet: memoryview, *, lengths: int) -> bool:
    seen = False
    for at in _units(packet, lengths):
        kind = packet[at] & 31
        if kind in H264_SETS or (kind in H264_PICTURES and packet[at] >> 5 & 3):
            return False
        seen |= kind in H264_PICTURES
    return seen


def _hevc(packet: memoryview, *, lengths: int, layers: int) -> bool:
    seen = False
    for at in _units(packet, lengths):
        kind = packet[at] >> 1 & 63
        if kind in HEVC_SETS:
            return False
        if kind in HEVC_PICTURES:
            if kind not in HEVC_SINGLE or packet[at + 1] & 7 < layers:
                return False
            seen = True
    return seen


def _units(packet: memoryview, lengths: int) -> Iterator[int]:
    """Yield where units of at least two bytes begin: after a length of so many bytes each, or after start codes."""
    size = len(packet)
    if lengths:
        at = lengths
        while at + 1 < size:
            yield at
            at += int.from_bytes(packet[at - lengths : at]) + lengths
        return
    data = bytes(packet)
    at = data.find(b"\x00\x00\x01") + 3
    while 3 <= at < size - 1:
        yield at
        at = data.find(b"\x00\x00\x01", at) + 3
