"""Captions of several windows of a clip in one cell, as published sets pack them."""

from collections.abc import Mapping, Sequence
from typing import Any

from longtake.exports import Row

EDGE_S = 0.5
"""A caption that begins and ends so near a clip's ends tells of all of it."""

Parts = Sequence[Mapping[str, Any]]


def in_time(row: Row, kind: str) -> Parts:
    """Return a clip's captions of a kind in order of time."""
    return sorted(row.parts(kind), key=lambda part: (part["start_s"], part["number"]))


def is_whole(parts: Parts, duration_s: float) -> bool:
    """Return whether there is but one caption, of the whole clip: others may have been set aside."""
    return len(parts) == 1 and parts[0]["start_s"] <= EDGE_S and parts[0]["end_s"] >= duration_s - EDGE_S
