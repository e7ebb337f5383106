"""Which clip a list's row is about."""

from collections.abc import Mapping, Sequence
from typing import Any

OFF_S = 0.25
"""A clip that begins and ends within so many seconds of a row's span is the row's: lists round times."""


def rows_about(
    rows: Sequence[Mapping[str, Any]], start_s: float, end_s: float, *, video_s: float, fps: float
) -> list[Mapping[str, Any]]:
    """Return the rows of a video's list whose spans are a clip's, in their order.

    Of rows with several such spans the nearest, and those less than a frame further off: to them it is the same clip.
    A row without a span is about the whole video, and one that reaches beyond the video's end ends with it.
    """
    frame_s = 1 / fps if fps > 0 else 0.0
    far = [max(abs(low - start_s), abs(high - end_s)) for low, high in (stretch_of(row, video_s) for row in rows)]
    most = min(min(far, default=0.0) + frame_s, max(OFF_S, frame_s))
    return [row for row, off in zip(rows, far, strict=True) if off <= most]


def stretch_of(row: Mapping[str, Any], video_s: float) -> tuple[float, float]:
    """Return where a row's clip starts and ends, in seconds of its video."""
    return row["start_s"] or 0.0, video_s if row["end_s"] is None else min(row["end_s"], video_s)
