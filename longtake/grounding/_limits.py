"""The numbers that ways to ground take, and what they may be."""

from dataclasses import dataclass
from typing import get_args

from longtake.errors import UsageError
from longtake.grounding._said import Said
from longtake.grounding._weigh import Pool

LONGEST_S = 1e9
"""More seconds than any video has: beyond it a number is a slip."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a record is held to; each as `internvid_g` describes it. Raises `UsageError` for what makes no sense."""

    similar_above: float
    least_s: float
    most_s: float
    shift_s: float
    quantile: float
    least_score: float
    pool: Pool
    margin: float
    part_margin: float
    same_caption: float
    most_scenes: int
    most_similar: int

    def __post_init__(self) -> None:
        for name in ("similar_above", "least_score", "same_caption"):
            self._check(name, -1, 1, "a cosine, from -1 to 1")
        self._check("quantile", 0, 1, "a part of all captions, from 0 to 1")
        self._check("margin", -2, 2, "a difference of cosines, from -2 to 2")
        self._check("part_margin", 0, 2, "a difference of cosines, from 0 to 2")
        for name in ("least_s", "most_s", "shift_s"):
            self._check(name, 0, LONGEST_S, "seconds, 0 or more")
        for name in ("most_scenes", "most_similar"):
            self._check(name, 0, float("inf"), "how many scenes; 0 for all")
        if self.pool not in get_args(Pool):
            raise UsageError(f"pool={self.pool}: write pool=max or pool=mean")

    def _check(self, name: str, least: float, most: float, words: str) -> None:
        value = getattr(self, name)
        if not least <= value <= most:  # nor is NaN
            raise UsageError(f"{name}={value}: it is {words}")

    def too_short(self, said: Said) -> bool:
        """Return whether a captioned stretch is too short."""
        return said.sentence.end_s - said.sentence.start_s < self.least_s

    def too_long(self, start_s: float, end_s: float) -> bool:
        """Return whether a positive is too long."""
        return self.most_s > 0 and end_s - start_s > self.most_s
