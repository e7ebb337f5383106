"""How a phase asks models, and what came of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from longtake.captioning.asker import Spent
from longtake.engines import Engine


@dataclass(frozen=True, slots=True)
class Terms:
    """How models are asked."""

    engine: Engine
    """Where pictures are taken."""
    retry_failed: Sequence[str] = ()
    budget_usd: float | None = None
    """Stop before more than this is spent; None: no limit."""
    asks: bool = True
    """False: captions are made of the answers that are there, and nothing is asked."""

    def less(self, asked: "Asked") -> "Terms":
        """Return the terms for what comes after a phase: what it spent is off the budget."""
        return self if self.budget_usd is None else replace(self, budget_usd=self.budget_usd - asked.spent.cost_usd)


@dataclass
class Asked:
    """What a phase did."""

    clips: int = 0
    """Clips that captions or scores were made for; of voters, transitions that were voted on."""
    captions: int = 0
    quarantined: int = 0
    """Captions set aside, for they failed their checks twice."""
    failures: Counter[str] = field(default_factory=Counter)
    """How many clips failed, by kind."""
    passed_over: Counter[str] = field(default_factory=Counter)
    """How many clips failed in an earlier run and were left alone, by kind."""
    spent: Spent = field(default_factory=Spent)
    stopped: str = ""
    """Why it ended before all was asked; empty where it didn't."""
    waiting: list[str] = field(default_factory=list)
    """Captioners, judges or voters that ask a model where none is configured."""
    elapsed_s: float = 0.0

    @property
    def failed(self) -> int:
        """How many clips failed."""
        return self.failures.total()
