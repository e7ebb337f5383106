"""HLS playlists cut down to the pieces that spans lie in, for whoever downloads them to fetch only those."""

import re
from collections.abc import Sequence

from longtake.video.pieces import WORTH
from longtake.video.stretches import Span

MOST_BYTES = 20_000_000
"""Playlists are texts; a day of pieces has a megabyte."""
_LENGTH = re.compile(r"#EXTINF:\s*([\d.]+)")


def cut_down(text: str, spans: Sequence[Span]) -> str | None:
    """Return a playlist of the first and the last piece, and those in which spans lie, with a neighbour on each side.

    The first tells when the video begins, and the last that it ends there; lengths of pieces are rounded. None where
    that wouldn't be exact, or not be worth it: for parts with clocks of their own, keys that go by a piece's number,
    and masters of playlists.
    """
    lines = [line.strip() for line in text.splitlines()]
    odd = ("#EXT-X-DISCONTINUITY", "#EXT-X-STREAM-INF", "#EXT-X-GAP", "#ANVATO", "#UPLYNK", "#EXT-X-I-FRAMES-ONLY")
    if "#EXT-X-ENDLIST" not in lines or any(line.startswith(odd) for line in lines):
        return None
    if any(_is_relative(line) for line in lines):
        return None
    lengths: list[float] = []
    places: list[int] = []
    """Of each line the piece that it belongs to, -1 for those about all that follows."""
    length = None
    for line in lines:
        if found := _LENGTH.match(line):
            length = float(found[1])
        about = line.startswith(("#EXTINF", "#EXT-X-BYTERANGE", "#EXT-X-PROGRAM-DATE-TIME")) or not line.startswith("#")
        places.append(len(lengths) if line and about else -1)
        if line and not line.startswith("#"):
            if length is None:
                return None
            lengths.append(length)
            length = None
    keep = _needed(lengths, spans)
    if sum(lengths[number] for number in keep) > WORTH * sum(lengths):
        return None
    return "\n".join(line for line, place in zip(lines, places, strict=True) if place < 0 or place in keep) + "\n"


def _needed(lengths: Sequence[float], spans: Sequence[Span]) -> set[int]:
    keep = {0, len(lengths) - 1}
    begins = 0.0
    for number, length in enumerate(lengths):
        ends = begins + length
        if any(begins < end and ends > start for start, end in spans):
            keep |= {number - 1, number, number + 1}
        begins = ends
    return keep & {*range(len(lengths))}


def _is_relative(line: str) -> bool:
    """Return whether a line means something else once pieces before it are gone."""
    if line.startswith("#EXT-X-KEY"):
        return "METHOD=NONE" not in line and "IV=" not in line
    return line.startswith("#EXT-X-BYTERANGE") and "@" not in line
