"""What joining H.264 streams takes: their NAL units, and what their parameter sets say (ITU-T H.264, 7.3)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

IDR, SEI, SPS, PPS = 5, 6, 7, 8
PLAIN = frozenset({1, IDR, SEI, SPS, PPS, 9, 12})
"""Types of NAL units in an ordinary stream: slices, messages, parameter sets, delimiters, filler."""
PROFILES = {66: "baseline", 77: "main", 100: "high"}
DPB_MACROBLOCKS = {
    **dict.fromkeys((9, 10), 396),
    **{11: 900, 12: 2376, 13: 2376, 20: 2376, 21: 4752, 22: 8100, 30: 8100, 31: 18000, 32: 20480},
    **{40: 32768, 41: 32768, 42: 34816, 50: 110400, 51: 184320, 52: 184320, 60: 696320, 61: 696320, 62: 696320},
}
"""Level -> how much a decoder may have to hold (table A-1)."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """What a sequence parameter set says."""

    number: int
    profile: int
    level: int
    shape: tuple[int, ...]
    """Macroblocks across and down, and what is cropped at the left, right, top and bottom."""
    eight_bit_420: bool
    progressive: bool
    held: int
    """Frames a decoder holds at most before it shows one."""


@dataclass(frozen=True, slots=True)
class Sets:
    """The parameter sets of a stream, as an mp4 file keeps them."""

    sequences: tuple[bytes, ...]
    pictures: tuple[bytes, ...]

    @property
    def numbers(self) -> frozenset[int]:
        """The numbers of all of them."""
        sequences = {read_sequence(one).number for one in self.sequences}
        return frozenset(sequences | {_Bits(one).golomb() for one in self.pictures})

    def box(self, others: "Sets") -> bytes:
        """Return the `avcC` box of a stream whose first part has these sets and whose other parts have others."""
        sequences, pictures = self.sequences + others.sequences, self.pictures + others.pictures
        level = max(one[3] for one in sequences)
        head = bytes([1, self.sequences[0][1], self.sequences[0][2], level, 0xFF, 0xE0 | len(sequences)])
        parts = [head, *map(_with_length, sequences), bytes([len(pictures)]), *map(_with_length, pictures)]
        if self.sequences[0][1] == 100:
            parts.append(bytes([0xFD, 0xF8, 0xF8, 0]))  # 4:2:0, 8 bits, no extensions
        return b"".join(parts)


def _with_length(unit: bytes) -> bytes:
    return len(unit).to_bytes(2) + unit


def read_box(box: bytes | None) -> Sets | None:
    """Read an `avcC` box; None for anything else, and for lengths of units that are no 4 bytes."""
    if not box or len(box) < 7 or box[0] != 1 or box[4] & 3 != 3:
        return None
    found: tuple[list[bytes], list[bytes]] = ([], [])
    at = 5
    for units, bits in zip(found, (0x1F, 0xFF), strict=True):
        if at >= len(box):
            return None
        count = box[at] & bits
        at += 1
        for _ in range(count):
            size = int.from_bytes(box[at : at + 2])
            units.append(box[at + 2 : at + 2 + size])
            at += 2 + size
            if not units[-1] or at > len(box):
                return None
    return Sets(tuple(found[0]), tuple(found[1])) if all(found) else None


def sets_of(start_coded: bytes) -> Sets:
    """Return the parameter sets that an encoder gives with start codes."""
    units = split(start_coded)
    return Sets(tuple(u for u in units if u[0] & 31 == SPS), tuple(u for u in units if u[0] & 31 == PPS))


def split(start_coded: bytes) -> list[bytes]:
    """Return the NAL units between start codes."""
    return [unit for unit in re.split(rb"\x00*\x00\x00\x01", start_coded) if unit]


def with_lengths(start_coded: bytes) -> bytes:
    """Return a packet's NAL units as mp4 keeps them: each behind its length, in 4 bytes."""
    return b"".join(len(unit).to_bytes(4) + unit for unit in split(start_coded))


def units(packet: memoryview) -> Iterator[memoryview]:
    """Give the NAL units of a packet from an mp4 file. Raises `ValueError` where the lengths don't add up."""
    at = 0
    while at < len(packet):
        size = int.from_bytes(packet[at : at + 4])
        if not 0 < size <= len(packet) - at - 4:
            raise ValueError("no lengths of NAL units")
        yield packet[at + 4 : at + 4 + size]
        at += 4 + size


class _Bits:
    """Reads a unit's payload bit by bit; the bytes that only prevent start codes are left out."""

    def __init__(self, unit: bytes) -> None:
        payload = unit[1:].replace(b"\x00\x00\x03", b"\x00\x00")
        self.bits = int.from_bytes(payload)
        self.left = 8 * len(payload)

    def take(self, count: int) -> int:
        self.left -= count
        if self.left < 0:
            raise ValueError("a parameter set that ends too early")
        return self.bits >> self.left & ((1 << count) - 1)

    def golomb(self) -> int:
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        value = self.golomb()
        return (value + 1) // 2 if value % 2 else -(value // 2)


def read_sequence(unit: bytes) -> Sequence:
    """Read a sequence parameter set (7.3.2.1.1). Raises `ValueError`."""
    bits = _Bits(unit)
    profile, _, level, number = bits.take(8), bits.take(8), bits.take(8), bits.golomb()
    plain = True
    if profile not in (66, 77, 88):
        chroma = bits.golomb()
        separate = bits.take(1) if chroma == 3 else 0
        plain = (chroma, separate, bits.golomb(), bits.golomb(), bits.take(1)) == (1, 0, 0, 0, 0)
        if bits.take(1):
            _skip_scaling(bits, 8 if chroma != 3 else 12)
    bits.golomb()  # frame numbers wrap at
    if (order := bits.golomb()) == 0:
        bits.golomb()
    elif order == 1:
        bits.take(1), bits.signed(), bits.signed()
        for _ in range(bits.golomb()):
            bits.signed()
    bits.golomb(), bits.take(1)  # frames referred to, and whether numbers may be left out
    across, down = bits.golomb() + 1, bits.golomb() + 1
    progressive = bool(bits.take(1))
    if not progressive:
        bits.take(1)
    bits.take(1)
    crop = tuple(bits.golomb() for _ in range(4)) if bits.take(1) else (0, 0, 0, 0)
    most = min(16, DPB_MACROBLOCKS.get(level, 0) // (across * down))
    held = _held(bits) if bits.take(1) else None
    shape = (across, down, *crop)
    return Sequence(number, profile, level, shape, plain, progressive, most if held is None else held)


def _skip_scaling(bits: _Bits, lists: int) -> None:
    for k in range(lists):
        last, following = 8, 8
        for _ in range((16 if k < 6 else 64) if bits.take(1) else 0):
            if following:
                following = (last + bits.signed()) % 256
            last = following or last


def _held(bits: _Bits) -> int | None:
    """Read on through the usability information (E.1.1) to how many frames a decoder holds; None if not said."""
    if bits.take(1) and bits.take(8) == 255:
        bits.take(32)
    if bits.take(1):
        bits.take(1)
    if bits.take(1):
        bits.take(4)
        if bits.take(1):
            bits.take(24)
    if bits.take(1):
        bits.golomb(), bits.golomb()
    if bits.take(1):
        bits.take(65)
    modelled = [_skip_buffer(bits) if bits.take(1) else False for _ in range(2)]
    if any(modelled):
        bits.take(1)
    bits.take(1)
    if not bits.take(1):
        return None
    bits.take(1)
    for _ in range(5):
        bits.golomb()
    return bits.golomb()


def _skip_buffer(bits: _Bits) -> bool:
    count = bits.golomb() + 1
    bits.take(8)
    for _ in range(count):
        bits.golomb(), bits.golomb(), bits.take(1)
    bits.take(20)
    return True
