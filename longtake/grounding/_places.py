"""Where a random crop of a negative span may put the positive, as HawkEye trains on them (arXiv 2403.10228)."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

Place = Literal["beginning", "end", "middle", "throughout"]

WEIGHTS: dict[Place, float] = {"beginning": 2.0, "end": 2.0, "middle": 2.0, "throughout": 0.3}
"""How often each place is drawn against the others, of those that are possible."""


def places(
    start_s: float, end_s: float, neg_start_s: float, neg_end_s: float, *, room_s: float = 0.0
) -> tuple[Place, ...]:
    """Return which places the context allows a positive, with more than `room_s` seconds to spare; `throughout` always.

    The other three of the context on its sides: as long as the positive, or on both half as long.
    """
    length, before, after = end_s - start_s, start_s - neg_start_s - room_s, neg_end_s - end_s - room_s
    allowed: dict[Place, bool] = {
        "beginning": after > length,
        "end": before > length,
        "middle": before > length / 2 and after > length / 2,
        "throughout": True,
    }
    return tuple(place for place, possible in allowed.items() if possible)


def draw_place(possible: Sequence[Place], rng: np.random.Generator) -> Place:
    """Draw one of the possible places by their weights."""
    weights = np.array([WEIGHTS[place] for place in possible])
    return possible[int(rng.choice(len(possible), p=weights / weights.sum()))]


def crop(
    start_s: float,
    end_s: float,
    neg_start_s: float,
    neg_end_s: float,
    place: Place,
    rng: np.random.Generator,
    *,
    frames: int = 12,
    least_frames: int = 1,
) -> tuple[float, float]:
    """Draw a crop, in seconds, that lies in the negative span and has the positive at a place.

    In the first half of it for `beginning`, in the second for `end`; around its centre, with half the positive's
    length or more on each side, for `middle`; with half of it or less on each side for `throughout`. The positive takes
    at least `least_frames` of `frames` equal parts. Each draw holds all of that, where HawkEye draws ten times
    and takes the last. Raises `ValueError` for a place the context doesn't allow.
    """
    if place not in places(start_s, end_s, neg_start_s, neg_end_s):
        raise ValueError(f"no room for {place}: [{start_s}, {end_s}) in [{neg_start_s}, {neg_end_s})")
    if not 1 <= least_frames <= frames / 2:
        raise ValueError(f"at least {least_frames} of {frames} frames: give 1 or more, and at most half of them")
    length, before, after = end_s - start_s, start_s - neg_start_s, neg_end_s - end_s
    room = length * (frames / least_frames - 1)  # what may be added on both sides together; the length or more
    if place == "throughout":
        left, right = _draw(0, min(before, length / 2), rng), _draw(0, min(after, length / 2), rng)
    elif place == "middle":
        left, right = _around(length, before, after, room, rng)
    elif place == "beginning":
        left, right = _one_side(length, before, after, room, rng)
    else:
        right, left = _one_side(length, after, before, room, rng)
    return max(neg_start_s, start_s - left), min(neg_end_s, end_s + right)


def _one_side(length: float, near: float, far: float, room: float, rng: np.random.Generator) -> tuple[float, float]:
    """Return what is added on the near and the far side: on the far one more, by the length or more."""
    much = _draw(length, min(far, room), rng)
    return _draw(0, min(near, much - length, room - much), rng), much


def _around(length: float, before: float, after: float, room: float, rng: np.random.Generator) -> tuple[float, float]:
    """Return what is added on both sides: half the length or more, so that the crop's centre is in the positive."""
    left = _draw(length / 2, min(before, after + length, room - length / 2, (room + length) / 2), rng)
    return left, _draw(max(length / 2, left - length), min(after, left + length, room - left), rng)


def _draw(low: float, high: float, rng: np.random.Generator) -> float:
    return rng.uniform(low, high) if low < high else low  # they can cross by a rounding
