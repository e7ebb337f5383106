"""LVD-2M's own motion number."""

import numpy as np

from longtake.records import Series

VERSION = 1
SIGNAL = "raft"


def raft(series: Series) -> dict[str, float | None]:
    """RAFT's flow between the frames of a clip 0.5 s apart, the mean over the picture and over all pairs; 0 and up.

    mean_px: in pixels of a picture stretched to 960 wide and 520 high, per 0.5 s. LVD-2M (arXiv 2410.10816) keeps
        clips with 20 and more.
    mean: in heights of the picture as it is shown, per second; 20 pixels are 0.074 (all sideways) to 0.077 (all
        upward) in a 16:9 picture, and 0.023 to 0.077 in one of 9:16.

    Pairs lie inside the clip with both their frames.
    """
    # What moves after the last row's frame goes on beyond the clip.
    inside = series.values[:-1].astype(np.float64)
    inside = inside[np.isfinite(inside).all(axis=1)]
    if not len(inside):
        return {"mean_px": None, "mean": None}
    return dict(zip(series.columns, map(float, inside.mean(axis=0)), strict=True))
