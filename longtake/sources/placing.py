"""Which clip a list's row is about."""

from collections.abc import Mapping, Sequence
from typing import Any

OFF_S = 0.25
"""A clip that begins and ends within so many seconds of a row's span is the row's: lists round times."""


def rows_about(
    rows: Sequence[Mapping[str, Any]], start_s: float, end_s: float, video_s: float
) -> list[Mapping[str, Any]]:
    """Return the rows of a video's list whose spans are a clip's, in their order; `video_s` is the video's length.

    A row without a span is about the whole video, and one that reaches beyond the video's end ends with it.
    """
    return [
        row
        for row in rows
        if abs((row["start_s"] or 0.0) - start_s) <= OFF_S
        and abs((video_s if row["end_s"] is None else min(row["end_s"], video_s)) - end_s) <= OFF_S
    ]
