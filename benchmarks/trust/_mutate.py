"""Ways to spoil a video file: by its bytes, and by the boxes or elements that its container is made of."""

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

BOXES_OF_BOXES = frozenset(b"moov trak mdia minf stbl edts moof traf mvex dinf udta mfra".split())
MASTERS = frozenset(
    bytes.fromhex(text)
    for text in [
        "18538067",
        "1549a966",
        "1654ae6b",
        "ae",
        "e0",
        "e1",
        "1f43b675",
        "a0",
        "1c53bb6b",
        "bb",
        "b7",
        "1a45dfa3",
        "114d9b74",
        "4dbb",
        "1254c367",
    ]
)
"""EBML elements that hold others: segment, info, tracks, a track, its picture, its sound, a cluster, ..."""
ABSURD = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 0x3B9ACA00)


@dataclass(frozen=True, slots=True)
class Part:
    """A box, an element, a packet, a page: from its header to its end."""

    start: int
    body: int
    end: int
    leaf: bool


def parts_of(name: str, data: bytes) -> list[Part]:
    """Return what a file is made of, outer parts before those inside."""
    ending = name.rpartition(".")[2]
    if ending in ("mp4", "mov", "3gp"):
        return list(_boxes(data, 0, len(data)))
    if ending in ("mkv", "webm"):
        return list(_elements(data, 0, len(data)))
    if ending == "ts":
        return [Part(at, at + 4, at + 188, True) for at in range(0, len(data) - 187, 188)]
    if ending == "avi":
        return list(_chunks(data, 12, len(data)))
    if ending == "flv":
        return list(_tags(data))
    marks = {
        "ogv": b"OggS",
        "h264": b"\0\0\1",
        "hevc": b"\0\0\1",
        "mpg": b"\0\0\1",
        "y4m": b"FRAME",
        "gif": b"\x21\xf9",
    }
    marks |= {"mxf": b"\x06\x0e\x2b\x34", "wmv": b"\x82\0\0"}
    return list(_marked(data, marks[ending])) if ending in marks else list(_frames(data, ending))


def _boxes(data: bytes, start: int, end: int) -> Iterator[Part]:
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, start)
        stop = start + size if 8 <= size <= end - start else end
        inner = name in BOXES_OF_BOXES
        yield Part(start, start + 8, stop, not inner)
        if inner:
            yield from _boxes(data, start + 8, stop)
        elif name == b"stsd":  # an entry of sizes and codec, and what it holds
            yield from _boxes(data, start + 16, stop)
        start = stop


def _elements(data: bytes, start: int, end: int) -> Iterator[Part]:
    while start + 2 <= end:
        length = 9 - max(1, data[start].bit_length())
        name, at = data[start : start + length], start + length
        if at >= end:
            return
        length = 9 - max(1, data[at].bit_length())
        size = int.from_bytes(data[at : at + length]) & ((1 << 7 * length) - 1)
        body = at + length
        stop = body + size if size <= end - body else end
        yield Part(start, body, stop, name not in MASTERS)
        if name in MASTERS:
            yield from _elements(data, body, stop)
        start = stop


def _chunks(data: bytes, start: int, end: int) -> Iterator[Part]:
    while start + 8 <= end:
        name, size = struct.unpack_from("<4sI", data, start)
        stop = min(end, start + 8 + size + size % 2)
        yield Part(start, start + 8, stop, name != b"LIST")
        if name == b"LIST":
            yield from _chunks(data, start + 12, stop)
        start = stop


def _tags(data: bytes) -> Iterator[Part]:
    start = 13
    while start + 15 <= len(data):
        stop = start + 15 + int.from_bytes(data[start + 1 : start + 4])
        yield Part(start, start + 11, min(stop, len(data)), True)
        start = stop


def _marked(data: bytes, mark: bytes) -> Iterator[Part]:
    at = data.find(mark)
    while at >= 0:
        after = data.find(mark, at + len(mark))
        yield Part(at, at + len(mark), after if after >= 0 else len(data), True)
        at = after


def _frames(data: bytes, ending: str) -> Iterator[Part]:
    """Yield the frames of an IVF file, the units of an OBU file."""
    at = 32 if ending == "ivf" else 0
    while at + 2 < len(data):
        if ending == "ivf":
            body, stop = at + 12, at + 12 + int.from_bytes(data[at : at + 4], "little")
        else:
            size, shift, body = 0, 0, at + 1
            while body < len(data):
                size |= (data[body] & 127) << shift
                shift, body = shift + 7, body + 1
                if data[body - 1] < 128:
                    break
            stop = body + size
        yield Part(at, body, min(stop, len(data)), True)
        at = stop


Mutation = Callable[[random.Random, bytes, list[Part], bytes], bytes]
"""Chance, a file, its parts, and another file, to the spoilt file."""


def flip_bits(chance: random.Random, data: bytes, _: list[Part], __: bytes) -> bytes:
    spoilt = bytearray(data)
    for _time in range(chance.choice((1, 2, 5, 20, 100, max(1, len(data) // 200)))):
        spoilt[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(spoilt)


def flip_header_bits(chance: random.Random, data: bytes, parts: list[Part], _: bytes) -> bytes:
    """Spoil what says what it is: in small parts, and in the first bytes of large ones."""
    spoilt = bytearray(data)
    for _time in range(chance.choice((1, 2, 4))):
        part = chance.choice(parts)
        at = chance.randrange(part.start, max(part.start + 1, min(part.end, part.body + 48)))
        spoilt[at] ^= 1 << chance.randrange(8)
    return bytes(spoilt)


def overwrite_run(chance: random.Random, data: bytes, _: list[Part], __: bytes) -> bytes:
    length = min(len(data), chance.choice((4, 16, 64, 512, 4096)))
    at = chance.randrange(len(data) - length + 1)
    fill = chance.choice((b"\0", b"\xff", b"\x55", None))
    return data[:at] + (fill * length if fill else chance.randbytes(length)) + data[at + length :]


def truncate(chance: random.Random, data: bytes, parts: list[Part], _: bytes) -> bytes:
    part = chance.choice(parts)
    at = chance.choice((part.start, part.body, part.end - 1, (part.body + part.end) // 2, chance.randrange(len(data))))
    return data[: max(1, at)]


def remove(chance: random.Random, data: bytes, parts: list[Part], _: bytes) -> bytes:
    part = chance.choice(parts)
    return data[: part.start] + data[part.end :] or b"\0"


def duplicate(chance: random.Random, data: bytes, parts: list[Part], _: bytes) -> bytes:
    part = chance.choice(parts)
    times = chance.choice((1, 2, 20)) if part.end - part.start < 10_000 else 1
    return data[: part.end] + data[part.start : part.end] * times + data[part.end :]


def swap(chance: random.Random, data: bytes, parts: list[Part], _: bytes) -> bytes:
    one, other = sorted(chance.sample(parts, 2), key=lambda part: part.start) if len(parts) > 1 else parts * 2
    if other.start < one.end:  # one holds the other: that one comes out, and goes before it
        inner = data[other.start : other.end]
        return data[: one.start] + inner + data[one.start : other.start] + data[other.end :]
    middle = data[one.end : other.start]
    return data[: one.start] + data[other.start : other.end] + middle + data[one.start : one.end] + data[other.end :]


def absurd_size(chance: random.Random, data: bytes, parts: list[Part], _: bytes) -> bytes:
    """Spoil what says how long a part is."""
    part = chance.choice(parts)
    width = min(4, part.body - part.start)
    at = chance.randrange(part.start, part.body - width + 1)
    return _put(data, at, width, chance)


def absurd_field(chance: random.Random, data: bytes, parts: list[Part], _: bytes) -> bytes:
    """Spoil a number in a small part, or at the head of a large one: sizes, durations, counts, offsets, timestamps."""
    leaves = [part for part in parts if part.leaf and part.end > part.body] or parts
    small = [part for part in leaves if part.end - part.start < 256] or leaves
    for _time in range(chance.choice((1, 1, 2, 4))):
        part = chance.choice(small if chance.random() < 0.8 else leaves)
        room = min(part.end - part.body, 256)
        width = min(chance.choice((1, 2, 4, 8)), max(1, room))
        at = part.body + (chance.randrange(max(1, room - width + 1)) // width * width)
        data = _put(data, min(at, len(data) - 1), width, chance)
    return data


def _put(data: bytes, at: int, width: int, chance: random.Random) -> bytes:
    value = chance.choice((*ABSURD, chance.getrandbits(32)))
    filled = (value * (0x100000001 if value > 0xFFFF else 1)) & ((1 << 8 * width) - 1)
    return data[:at] + filled.to_bytes(width, chance.choice(("big", "little"))) + data[at + width :]


def splice(chance: random.Random, data: bytes, parts: list[Part], other: bytes) -> bytes:
    """Another file, of another codec or size, begins where a part ends; or the whole of it lies in between."""
    at = chance.choice(parts).end
    rest = data[at:] if chance.random() < 0.5 else b""
    start = 0 if chance.random() < 0.5 else chance.randrange(len(other))
    return data[:at] + other[start:] + rest


def shuffle(chance: random.Random, data: bytes, parts: list[Part], _: bytes) -> bytes:
    """All parts of the innermost kind in another order."""
    pieces, at = [], 0
    for part in parts:
        if part.leaf and part.start >= at:
            pieces.append(data[part.start : part.end])
            at = part.end
    head = data[: parts[0].start]
    chance.shuffle(pieces)
    return head + b"".join(pieces) or b"\0"


def twice(chance: random.Random, data: bytes, parts: list[Part], other: bytes) -> bytes:
    """Two mutations, one after the other, at places that were right before the first."""
    for _time in range(2):
        data = chance.choice((flip_bits, flip_header_bits, absurd_field, truncate, overwrite_run))(
            chance, data, [part for part in parts if part.end <= len(data)] or [Part(0, 1, len(data), True)], other
        )
    return data


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits,
    flip_header_bits,
    overwrite_run,
    truncate,
    remove,
    duplicate,
    swap,
    absurd_size,
    absurd_field,
    splice,
    shuffle,
    twice,
)


def mutant(seeds: dict[str, bytes], number: int) -> tuple[str, str, bytes]:
    """Return mutant `number`: the seed's name, the mutation's, and the file. The same number gives the same file."""
    chance = random.Random(number)
    names = sorted(seeds)
    name = names[number % len(names)]
    mutation = MUTATIONS[number // len(names) % len(MUTATIONS)]
    same_kind = [other for other in names if other != name and other.endswith(name[-3:])]
    other = seeds[chance.choice(same_kind if same_kind and chance.random() < 0.7 else names)]
    data = seeds[name]
    parts = [part for part in parts_of(name, data) if part.start < part.body <= part.end] or [
        Part(0, 1, len(data), True)
    ]
    return name, mutation.__name__, mutation(chance, data, parts, other)
