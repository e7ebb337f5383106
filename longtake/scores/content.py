"""The largest change of picture inside a clip."""

import numpy as np

from longtake.records import Series

VERSION = 1
SIGNAL = "content"


def content(series: Series) -> dict[str, float | None]:
    """Change of colour between measured frames of the clip, from 0 (none) to 230; a cut gives 27 and more.

    max: the largest change; above 50 LVD-2M sees a cut, comparing frames 2 s apart.

    The first row tells how the clip differs from what was before it, and is left out.
    """
    scores = series.column("score")[1:]
    scores = scores[np.isfinite(scores)]
    return {"max": float(scores.max()) if len(scores) else None}
