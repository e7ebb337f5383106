"""What the camera does in a clip."""

import numpy as np

from longtake.moves import HALF_HEIGHT, Kind, camera_speeds, find_jolts, find_moves, shake_of
from longtake.records import Series

VERSION = 1
SIGNAL = "motion"
KNOWN = 0.5
"""Share of the rows in which the picture must show what the camera does."""
LEAST = 2
"""So many rows, at least, at which the shake must be known."""
KINDS: dict[str, tuple[Kind, ...]] = {
    "static": ("static",),
    "pan": ("pan left", "pan right"),
    "tilt": ("tilt up", "tilt down"),
    "zoom": ("zoom in", "zoom out"),
    "roll": ("roll clockwise", "roll anticlockwise"),
    "handheld": ("handheld",),
}
MOVES = ("pan", "tilt", "zoom", "roll")


def camera(series: Series) -> dict[str, float | None]:
    """Speed, shake and moves of the camera, by what most of the picture follows.

    speed: mean speed of the content at the middle of the picture, in picture heights per second, 0 and up; a pure
        zoom or roll has none.
    shake: how much of the camera's velocity is left after smoothing over about a second, root mean square over most
        of the clip, in heights per second, 0 and up. On 39 real clips, tripods, a drone and smooth pans stay below
        0.015, hands that try to hold still lie at 0.02 to 0.07, careless ones at 0.1 to 1. It is seen at 0.1 s, so
        what goes to and fro more than 5 times per second counts less. None under about 2 s.
    static: share of the time, 0 to 1, in which the camera stands; see `longtake.moves` for this and the next ones.
    pan: share of the time in which it pans, or moves aside.
    tilt: share of the time in which it tilts, or moves up or down.
    zoom: share of the time in which it zooms, or moves forward or back.
    roll: share of the time in which it rolls.
    handheld: share of the time in which it shakes so much, 0.04 heights per second and more, that it has no direction.
    moves: number of pans, tilts, zooms and rolls, one after the other, 0 and up.

    The shares don't add up to 1 where the camera moves in several ways at once, or isn't known. None where for half
    of the time nobody knows what it does: the picture is chaotic, or all that shows is a thing before it. A camera
    before a picture that never changes, as one all black, stands.
    """
    known = np.isfinite(camera_speeds(series, HALF_HEIGHT)).all(axis=1)
    if known.sum() < KNOWN * len(series) or not len(series):
        return dict.fromkeys(("speed", "shake", *KINDS, "moves"))
    shift = np.hypot(series.column("shift_x"), series.column("shift_y"))[known]
    start_s, row_s = float(series.times[0]), float(np.diff(series.times).mean()) if len(series) > 1 else 1.0
    duration_s = float(series.times[-1]) - start_s + row_s
    tiles = find_moves(Series(series.columns, series.times - start_s, series.frames, series.values), duration_s)
    shares = {
        name: sum(move.duration_s for move in tiles if move.kind in kinds) / duration_s for name, kinds in KINDS.items()
    }
    directed = [move for move in tiles if any(move.kind in KINDS[name] for name in MOVES)]
    jolts = find_jolts(series)
    shake = shake_of(jolts) if np.isfinite(jolts).sum() >= LEAST else None
    return {"speed": float(shift.mean()), "shake": shake, **shares, "moves": float(len(directed))}
