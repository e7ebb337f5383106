"""What of an AV1 packet others need: read from real headers; whatever can't be read is needed whole."""

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media import pan, write_video

from longtake.video.av1 import Av1

Packets = tuple[bytes, list[bytes]]


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Packets:
    """The header and the packets of a file."""
    options = {"preset": "12", "svtav1-params": "lp=1"}
    path = tmp_path_factory.mktemp("av1") / "video.mp4"
    write_video(path, pan(40, seed=3, speed=0.1, size=(160, 96)), codec="libsvtav1", options=options)
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        return bytes(video.codec_context.extradata), [bytes(packet) for packet in container.demux(video) if packet.size]


def decoded(header: bytes, packets: list[bytes]) -> list[bytes]:
    context = av.CodecContext.create("libdav1d", "r")
    context.extradata = header
    frames = [frame for packet in packets for frame in context.decode(av.Packet(packet))] + context.decode(None)
    return [frame.to_ndarray().tobytes() for frame in frames]


def test_what_is_left_shows_the_other_frames_as_they_were(stream: Packets) -> None:
    header, packets = stream
    needed_of = Av1(header)
    needed = [bytes(needed_of(memoryview(packet))) for packet in packets]
    shown = [len(left) == len(packet) for left, packet in zip(needed, packets, strict=True)]
    assert 0.4 * len(packets) < sum(shown) < 0.6 * len(packets)
    assert any(0 < len(left) < len(packet) for left, packet in zip(needed, packets, strict=True))
    whole = decoded(header, packets)
    assert len(whole) == len(packets)
    assert decoded(header, [left for left in needed if left]) == [
        frame for frame, kept in zip(whole, shown, strict=True) if kept
    ]


def test_without_a_header_everything_is_needed_till_one_comes(stream: Packets) -> None:
    _, packets = stream
    needed_of = Av1(b"")
    assert all(needed_of(memoryview(packet)) == packet for packet in packets[1:])
    needed_of(memoryview(packets[0]))
    assert any(needed_of(memoryview(packet)) != packet for packet in packets[1:])


@given(st.data())
def test_damage_is_never_an_error(stream: Packets, data: st.DataObject) -> None:
    header, packets = stream
    needed_of = Av1(header)
    packet = bytearray(data.draw(st.sampled_from(packets)))
    for at in data.draw(st.lists(st.integers(0, min(len(packet), 40) - 1), max_size=3)):
        packet[at] = data.draw(st.integers(0, 255))
    packet = packet[: data.draw(st.integers(0, len(packet)))]
    assert len(needed_of(memoryview(packet))) <= len(packet)


@given(st.binary(max_size=64))
def test_any_bytes_are_taken(data: bytes) -> None:
    assert len(Av1(data)(memoryview(data))) <= len(data)
