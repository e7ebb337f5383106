"""Only the wanted spans of a video, if its host sends parts of files; where that can't be done exactly, all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from longtake.fetching import ranges
from longtake.fetching.examine import Examiners
from longtake.fetching.http import Plain
from longtake.fetching.meter import Meter
from longtake.fetching.objects import ObjectParts
from longtake.fetching.plain_parts import PlainParts
from longtake.fetching.ranges import NoPartsError, PartialFile
from longtake.fetching.states import FetchError, Got
from longtake.places import is_remote
from longtake.video.holes import Missing, Range
from longtake.video.pieces import WORTH, Piece, Unfit
from longtake.video.stretches import Span

NO_FILE = "what sites and playlists show comes in parts only here and there"
MOST = 200
"""Pieces of one video; each is a file."""
ROUNDS = 200
"""How often it is asked for more of one video, before all of it is."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A video that is better taken whole."""

    why: str
    got: Got | None = None
    """Where all of it is here by now."""


def fetch_pieces(
    url: str,
    spans: Sequence[Span],
    folder: Path,
    meter: Meter,
    plain: Plain,
    examiners: Examiners,
    headers: Mapping[str, str] | None = None,
) -> list[Piece] | Whole:
    """Bring spans of a video as files into a folder; what a broken try left there is gone on with.

    Raises `FetchError`, and what the meter raises.
    """
    if len(spans) > MOST:
        return Whole(f"more than {MOST} parts of it are wanted")
    parts = ObjectParts(url) if is_remote(url) else PlainParts(plain, url, headers)
    file = PartialFile(parts, folder, meter)
    try:
        if not file.begin():
            return Whole("its host doesn't send parts of files" if parts.is_file else NO_FILE)
        found = _cut(file, spans, folder, meter, examiners)
        if isinstance(found, Unfit):
            file.get([(0, file.size)])
            return Whole(found.why, Got(file.path))
    except NoPartsError:
        if file.resumed:  # what an earlier try left was of another version
            return fetch_pieces(url, spans, folder, meter, plain, examiners, headers)
        return Whole("its host doesn't always send parts of files")
    return found


def cut_whole(
    path: Path, spans: Sequence[Span], folder: Path, meter: Meter, examiners: Examiners
) -> list[Piece] | Whole:
    """Cut spans out of what came of a playlist from which others were left out. Raises as `fetch_pieces`."""
    found = _look(path, [(0, path.stat().st_size)], path.stat().st_size, spans, folder, meter, examiners, gaps=True)
    assert not isinstance(found, Missing)
    return Whole(found.why) if isinstance(found, Unfit) else found


def _look(
    path: Path,
    have: Sequence[Range],
    size: int,
    spans: Sequence[Span],
    folder: Path,
    meter: Meter,
    examiners: Examiners,
    *,
    gaps: bool = False,
) -> list[Piece] | Missing | Unfit:
    """Have spans cut out of what is here. Raises `FetchError`, and what the meter raises."""
    try:
        return examiners.cut(path, have, size, spans, folder, lambda: meter.add(0), gaps=gaps)
    except FetchError as error:
        if error.state != "bad_file":
            raise
        return Unfit("it can't be read in parts")  # what is wrong with it is told of the whole


def _cut(
    file: PartialFile, spans: Sequence[Span], folder: Path, meter: Meter, examiners: Examiners
) -> list[Piece] | Unfit:
    """Bring what is needed, step by step: each look into what is here tells what is missing."""
    step, reached = ranges.FIRST_BYTES, 0
    for _ in range(ROUNDS):
        found = _look(file.path, file.have, file.size, spans, folder, meter, examiners)
        if not isinstance(found, Missing):
            return found
        wanted: list[Range] = []
        for start, stop in found.ranges:
            if stop - start == 1:  # nothing tells how much of what follows is needed
                step = min(2 * step, ranges.MOST_BYTES) if 0 <= start - reached <= step else ranges.FIRST_BYTES
                stop = reached = start + step
            wanted.append((start, stop))
        if file.here + sum(stop - start for start, stop in file.lacks(wanted)) > WORTH * file.size:
            return Unfit("more than half of its bytes would be needed")
        file.get(wanted)
    return Unfit("what is needed of it lies too scattered")
