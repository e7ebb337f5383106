"""How much moves before the camera in a clip."""

import numpy as np

from longtake.moves import camera_speeds
from longtake.records import Series

VERSION = 1
SIGNAL = "motion"
KNOWN = 0.5
"""Share of the rows in which the picture must show what the camera does."""
AT_SIDE = 0.9
"""Heights from the middle to the sides: where zoom and roll are fastest, they count as the camera's speed."""
OFF = 0.15
"""Share of the camera's speed by which a still scene may seem to move otherwise: flow isn't exact, and has blur."""
ACTS, BEYOND = 0.015, 0.5
"""Something moves where a third of the picture has more than the first, in heights per second, and besides more than
the second times the camera's speed. A person who talks makes 0.02; grain and coding 0.003. Before a hand-held or fast
camera a still scene comes to 0.3 times its speed, unless near things pass."""


def things(series: Series) -> dict[str, float | None]:
    """Speed of what moves otherwise than the camera, in picture heights per second over the whole picture.

    mean: mean over time and picture of its speed, 0 and up; 0.02 is a person who talks, 0.1 lively action.
    p90: the mean over the picture that is exceeded a tenth of the time, 0 and up.
    share: share of the time, 0 to 1, in which something clearly moves somewhere.

    A share of the camera's own speed is taken off, by which flow may be off: shake and pans over a still scene count
    as next to nothing. But what a camera passes close by moves otherwise than the rest: someone who walks forward
    between walls has some, too. A photograph under a moving window has none, but neither has a smooth pan over a view
    without life: the two aren't told apart. None where for half of the time nobody knows what the camera does.
    """
    thirds = np.stack([series.column(name) for name in ("left", "middle", "right")], axis=1)
    camera = np.linalg.norm(camera_speeds(series, AT_SIDE), axis=1)
    known = np.isfinite(thirds).all(axis=1) & np.isfinite(camera)
    if not len(series) or known.mean() < KNOWN:
        return dict.fromkeys(("mean", "p90", "share"))
    thirds, camera = thirds[known], camera[known]
    picture = np.maximum(thirds - OFF * camera[:, None], 0).mean(axis=1)
    acts = thirds.max(axis=1) > ACTS + BEYOND * camera
    return {
        "mean": float(picture.mean()),
        "p90": float(np.percentile(picture, 90)),
        "share": float(acts.mean()),
    }
