"""Scores that a published list has of a clip."""

from collections.abc import Mapping, Sequence
from typing import Any

VERSION = 1
LISTED = True


def listed(listed: Sequence[Mapping[str, Any]], *, names: str = "") -> dict[str, float | None]:
    """Scores that the list of a fetched folder has of the clip; of rows about the same clip the first that has one.

    names: which, with commas between, as `total_score,matching_score`: the list's columns, `_` for all but letters and
        digits.
    """
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    found: dict[str, float | None] = dict.fromkeys(wanted)
    for row in reversed(listed):
        for score in row["scores"]:
            if score["name"] in found and score["value"] is not None:
                found[score["name"]] = float(score["value"])
    return found
