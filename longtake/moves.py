"""How the camera moves through a clip: rows of the `motion` signal become a few moves that tile it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from longtake.records import Series

Kind = Literal[
    "static",
    "pan left",
    "pan right",
    "tilt up",
    "tilt down",
    "zoom in",
    "zoom out",
    "roll clockwise",
    "roll anticlockwise",
    "moving",  # the camera moves without one clear direction
    "unknown",  # the picture doesn't show what the camera does
]

BLIP_S = 1.0
"""What lasts shorter is no move."""
AROUND_S = 0.8
"""Rows so far before and after count for what the camera does at a row: a hand's shake has no direction over these."""
SLOW = 0.02
"""Heights per second below which a camera is static, for a zoom or roll those of a place half a height from the
middle: 4 % or 2.3 degrees per second."""
SHAKES = 0.04
"""Heights per second above which a camera without a direction counts as moving: a hand that holds still stays below."""
CLEAR = 0.6
"""Share of the way the camera goes that must lead in one direction, for it to have one."""
OTHER = 0.6
"""The next strongest of pan, tilt, zoom and roll may have up to this share of the strongest's speed."""
HALF_HEIGHT = 0.5
"""How far from the middle zoom and roll are taken as speeds."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Move:
    """What the camera does in a span of the clip, in seconds of the clip, half-open."""

    kind: Kind
    start_s: float
    end_s: float
    speed: float
    """Picture heights per second; relative growth per second of a zoom, degrees per second of a roll. 0 and up."""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s


Word = TypeVar("Word", bound=str)


@dataclass(frozen=True, slots=True)
class Tile(Generic[Word]):
    """A span where one word holds, and the rows that say so."""

    word: Word
    start_s: float
    end_s: float
    rows: slice

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s


def find_moves(motion: Series, duration_s: float) -> tuple[Move, ...]:
    """Return moves that tile [0, duration_s); none where nothing was measured.

    Each row is judged by the rows around it, so that what leads nowhere within these is `moving` and no direction.
    What lasts under a second joins the longer of its neighbours (see `tile`).
    """
    columns = [motion.column(name) for name in ("shift_x", "shift_y", "zoom", "roll")]
    times, ways = motion.times, np.stack(columns, axis=1).astype(np.float64)
    # All four as speeds in heights per second: content to the right, downward, outward, clockwise.
    speeds = ways * [1, 1, HALF_HEIGHT, HALF_HEIGHT * np.pi / 180]
    kinds = [_kind(speeds[np.abs(times - time) <= AROUND_S]) for time in times.tolist()]
    return tuple(
        Move(span.word, span.start_s, span.end_s, _speed(span.word, ways[span.rows]))
        for span in tile(times, kinds, duration_s)
    )


def _kind(speeds: Floats) -> Kind:
    """Return what rows of four speeds, shape (n, 4), are together."""
    known = np.isfinite(speeds).all(axis=1)
    if known.mean() < 0.5:
        return "unknown"
    speeds = speeds[known]
    way = speeds.mean(axis=0)
    strengths = np.hypot(way[0], way[1]), abs(way[2]), abs(way[3])
    far, went = max(strengths), float(np.linalg.norm(speeds, axis=1).mean())
    if far < SLOW or far < CLEAR * went:
        return "static" if went < SHAKES else "moving"
    second = sorted(strengths)[1]
    if second > OTHER * far:
        return "moving"
    x, y, zoom, roll = way.tolist()
    if far == strengths[1]:
        return "zoom in" if zoom > 0 else "zoom out"
    if far == strengths[2]:
        # The camera goes against its content.
        return "roll anticlockwise" if roll > 0 else "roll clockwise"
    if min(abs(x), abs(y)) > OTHER * max(abs(x), abs(y)):
        return "moving"
    if abs(x) > abs(y):
        return "pan right" if x < 0 else "pan left"
    return "tilt down" if y < 0 else "tilt up"


def _speed(kind: Kind, ways: Floats) -> float:
    """Return how fast a move is whose rows are `ways`: along its direction where it has one."""
    ways = ways[np.isfinite(ways).all(axis=1)]
    if kind == "unknown" or not len(ways):
        return 0.0
    x, y, zoom, roll = ways.mean(axis=0).tolist()
    along: dict[str, float] = {
        "pan left": x,
        "pan right": -x,
        "tilt up": y,
        "tilt down": -y,
        "zoom in": math.expm1(zoom),
        "zoom out": -math.expm1(zoom),
        "roll anticlockwise": roll,
        "roll clockwise": -roll,
    }
    # A blip the other way, smoothed into a short move, can outweigh it.
    return max(0.0, along[kind] if kind in along else float(np.hypot(ways[:, 0], ways[:, 1]).mean()))


def tile(times: Floats, words: Sequence[Word], duration_s: float, *, least_s: float = BLIP_S) -> list[Tile[Word]]:
    """Return spans that tile [0, duration_s), where a word is known at each of some times, in order.

    Between two times the border lies half-way. Then the shortest span under `least_s`, the first of equal ones, joins
    the longer of its neighbours, of equal ones the one before; again and again, till there is none or only one.
    """
    borders = [0.0, *((times[:-1] + times[1:]) / 2).tolist(), duration_s]
    tiles = [Tile(word, borders[row], borders[row + 1], slice(row, row + 1)) for row, word in enumerate(words)]
    tiles = _joined(tile for tile in tiles if tile.start_s < duration_s)
    while len(tiles) > 1:
        at = min(range(len(tiles)), key=lambda i: tiles[i].duration_s)
        if tiles[at].duration_s >= least_s:
            break
        beside = [i for i in (at - 1, at + 1) if 0 <= i < len(tiles)]
        longer = max(beside, key=lambda i: tiles[i].duration_s)
        tiles[at] = replace(tiles[at], word=tiles[longer].word)
        tiles = _joined(tiles)
    return tiles


def _joined(tiles: Iterable[Tile[Word]]) -> list[Tile[Word]]:
    """Return neighbours of the same word as one."""
    joined: list[Tile[Word]] = []
    for one in tiles:
        if joined and joined[-1].word == one.word:
            last = joined.pop()
            one = Tile(one.word, last.start_s, one.end_s, slice(last.rows.start, one.rows.stop))
        joined.append(one)
    return joined
