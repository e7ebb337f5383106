"""Where the work runs: each engine maps a task over items and yields outcomes as they finish."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from longtake.errors import FailureKind


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of work: a name for people and logs, and what the task gets."""

    name: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item: a result, or the kind and message of its failure."""

    item: Item
    result: Any = None
    failure: tuple[FailureKind, str] | None = None
