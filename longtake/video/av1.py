"""What of an AV1 packet other frames need, read from the headers in it (AV1 specification, 5.5 and 5.9).

Of a packet's frames one is shown, and those before it are for others to refer to. Where no other refers to the one that
is shown, the packet is as good without it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

SEQUENCE, FRAME_HEADER, TILES, FRAME, HEADER_AGAIN = 1, 3, 4, 6, 7
KEY, INTRA_ONLY, SWITCH = 0, 2, 3
EITHER = 2
"""What a sequence says of a tool that each frame may have or not."""
HEAD = 256
"""Bytes of a unit that hold all that is read of it: at most 32 operating points of 4 bytes, and what is fixed."""


class Av1:
    """Tells of packets, given in the order of the file, what others need of them."""

    def __init__(self, header: bytes) -> None:
        self.sequence: _Sequence | None = None
        # In some containers four bytes of their own come first.
        self(memoryview(header)[4 if header[:1] == b"\x81" else 0 :])

    def __call__(self, packet: memoryview) -> memoryview:
        """Return what others need of a packet: all of it where its headers can't be read."""
        try:
            return self._needed(packet)
        except ValueError:
            return packet

    def _needed(self, packet: memoryview) -> memoryview:
        kept, spare, needed = bytearray(), False, False
        dropping = False
        for kind, content, unit in _units(packet):
            if kind == SEQUENCE:
                self.sequence = _sequence(_Bits(content[:HEAD]))
            if kind in (FRAME, FRAME_HEADER):
                dropping = self.sequence is not None and _is_spare(_Bits(content[:HEAD]), self.sequence)
                spare |= dropping
                needed |= not dropping
            elif kind not in (TILES, HEADER_AGAIN):
                dropping = False
                needed |= kind == SEQUENCE
            if not dropping:
                kept += unit
        if not spare:
            return packet
        return memoryview(kept if needed else b"")


class _Bits:
    """Reads whole numbers off bytes, bit by bit."""

    def __init__(self, data: memoryview) -> None:
        self.number, self.left = int.from_bytes(data), 8 * len(data)

    def __call__(self, n: int = 1) -> int:
        self.left -= n
        if self.left < 0:
            raise ValueError("a header breaks off")
        return self.number >> self.left & (1 << n) - 1


@dataclass(frozen=True, slots=True)
class _Sequence:
    """What a sequence's header says of the headers of its frames."""

    screen_tools: int
    whole_vectors: int
    id_bits: int
    """Of a frame's own id; 0 where frames have none."""
    order_bits: int


def _units(packet: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Yield each unit's kind, its content, and all of it. Raises `ValueError` where one doesn't fit into the packet."""
    at = 0
    while at < len(packet):
        start, head = at, packet[at]
        at += 1 + (head >> 2 & 1)
        size = len(packet) - at
        if head >> 1 & 1:
            size, at = _size(packet, at)
        if size < 0 or at + size > len(packet):
            raise ValueError("a unit breaks off")
        yield head >> 3 & 15, packet[at : at + size], packet[start : at + size]
        at += size


def _size(packet: memoryview, at: int) -> tuple[int, int]:
    """Read a number of up to four bytes, seven bits in each; return it and where it ends."""
    size = 0
    for shift in range(0, 28, 7):
        if at + shift // 7 >= len(packet):
            break
        byte = packet[at + shift // 7]
        size |= (byte & 127) << shift
        if byte < 128:
            return size, at + shift // 7 + 1
    raise ValueError("no size of a unit")


def _sequence(bits: _Bits) -> _Sequence | None:
    """Read a sequence's header; None for stills and for sequences that model their decoder, which are not read here."""
    bits(4)  # profile, still picture
    if bits():
        return None
    if bits():
        bits(64)  # ticks per second
        if bits():
            _skip_long(bits)
        if bits():
            return None
    delays = bits()
    for _ in range(bits(5) + 1):
        bits(12)
        if bits(5) > 7:
            bits()
        if delays and bits():
            bits(4)
    bits(bits(4) + 1 + bits(4) + 1)  # width and height
    id_bits = bits(4) + 2 + bits(3) + 1 if bits() else 0
    bits(7)  # tools
    order = bits()
    if order:
        bits(2)
    screen_tools = EITHER if bits() else bits()
    whole_vectors = (EITHER if bits() else bits()) if screen_tools else EITHER
    return _Sequence(screen_tools, whole_vectors, id_bits, bits(3) + 1 if order else 0)


def _skip_long(bits: _Bits) -> None:
    zeros = 0
    while not bits():
        zeros += 1
    if zeros < 32:
        bits(zeros)


def _is_spare(bits: _Bits, sequence: _Sequence) -> bool:
    """Return whether a frame's header says that the frame is shown, and kept in no place that others refer to."""
    if bits():
        return False  # one that was decoded before is shown now: that costs nothing
    kind, shown = bits(2), bits()
    if not shown or kind in (KEY, SWITCH):
        return False
    resilient = bits()
    bits()
    screen_tools = bits() if sequence.screen_tools == EITHER else sequence.screen_tools
    if screen_tools and sequence.whole_vectors == EITHER:
        bits()
    bits(sequence.id_bits + 1)
    bits(sequence.order_bits)
    if kind != INTRA_ONLY and not resilient:
        bits(3)
    return not bits(8)
