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
    "handheld",  # the camera shakes: it goes to and fro, in no direction
    "moving",  # the camera moves in several ways or aslant
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
"""Heights per second above which a camera without a direction is handheld: a hand that holds still stays below."""
CHANCE = 2.0
"""So many times what shake adds up to by chance must a direction have: chance has one window in fifty go so far."""
SHAKE_AROUND_S, SMOOTH_S = 2.5, 2.1
"""Rows so far before and after count for the shake at a row; longest time from the row before to the one after."""
CLEAR = 0.6
"""Share of the way the camera goes that must lead somewhere, for it to have a direction."""
OTHER = 0.6
"""The next strongest of pan, tilt, zoom and roll may have up to this share of the strongest's speed."""
HALF_HEIGHT = 0.5
"""How far from the middle zoom and roll are taken as speeds."""
WAYS = ("shift_x", "shift_y", "zoom", "roll")

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

    Each row is judged by the rows around it, so that what leads nowhere within these is `handheld` and no direction.
    What lasts under a second joins the longer of its neighbours (see `tile`).
    """
    times, ways = motion.times, _ways(motion)
    speeds, jolts = camera_speeds(motion, HALF_HEIGHT), find_jolts(motion)
    kinds: list[Kind] = []
    for time in times.tolist():
        away = np.abs(times - time)
        kinds.append(_kind(speeds[away <= AROUND_S], shake_of(jolts[away <= SHAKE_AROUND_S])))
    return tuple(
        Move(span.word, span.start_s, span.end_s, _speed(span.word, ways[span.rows]))
        for span in tile(times, kinds, duration_s)
    )


def camera_speeds(motion: Series, reach: float) -> Floats:
    """Return shift to the right and downward, zoom and roll as speeds in heights per second, shape (n, 4).

    For zoom and roll that is the speed of the content so many heights from the middle. NaN where not known.
    """
    return _ways(motion) * [1, 1, reach, reach * np.pi / 180]


def _ways(motion: Series) -> Floats:
    return np.stack([motion.column(name) for name in WAYS], axis=1).astype(np.float64)


def find_jolts(motion: Series) -> Floats:
    """Return how far the camera's speed at each row is, squared, from the line between the rows beside it.

    A camera that gathers speed evenly doesn't jolt. Squares are of heights per second, and such that speeds without
    anything in common have their own mean square. NaN where these rows aren't known or far apart.
    """
    times, speeds = motion.times, camera_speeds(motion, HALF_HEIGHT)
    jolts = np.full(len(times), np.nan)
    if len(times) > 2:
        spans = times[2:] - times[:-2]
        before = ((times[2:] - times[1:-1]) / spans)[:, None]
        off = speeds[1:-1] - before * speeds[:-2] - (1 - before) * speeds[2:]
        squares = (off**2).sum(axis=1) / (1 + before**2 + (1 - before) ** 2)[:, 0]
        jolts[1:-1] = np.where(spans <= SMOOTH_S, squares, np.nan)
    return jolts


def shake_of(jolts: Floats) -> float:
    """Return the root of the mean jolt, 0 where none is known, by the median: a start, a stop or a whip is no shake."""
    known = jolts[np.isfinite(jolts)]
    # Of squares of chance speeds in two directions, the median is ln 2 times the mean.
    return float(np.sqrt(np.median(known) / np.log(2))) if len(known) else 0.0


def _kind(speeds: Floats, shake: float) -> Kind:
    """Return what rows of four speeds, shape (n, 4), are together, where the camera shakes so much."""
    known = np.isfinite(speeds).all(axis=1)
    if known.mean() < 0.5:
        return "unknown"
    speeds = speeds[known]
    way = speeds.mean(axis=0)
    strengths = np.hypot(way[0], way[1]), abs(way[2]), abs(way[3])
    far, went = max(strengths), float(np.linalg.norm(speeds, axis=1).mean())
    if far < SLOW or np.linalg.norm(way) < max(CLEAR * went, CHANCE * shake / math.sqrt(len(speeds))):
        return "static" if went < SHAKES else "handheld"
    second = sorted(strengths)[1]
    if far < CLEAR * went or second > OTHER * far:
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
