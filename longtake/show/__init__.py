"""How the command line looks: plans, progress, funnels and tables; plain text where there is no terminal."""

from longtake.show.fetching import fetched
from longtake.show.forecast import forecast
from longtake.show.lists import findings, hashes, recipes, shots, steps
from longtake.show.live import Live
from longtake.show.merging import merged
from longtake.show.results import captions, exported, removed, result, selection
from longtake.show.shares import levels
from longtake.show.spans import checked, grounded

__all__ = [
    "Live",
    "captions",
    "checked",
    "exported",
    "fetched",
    "findings",
    "forecast",
    "grounded",
    "hashes",
    "levels",
    "merged",
    "recipes",
    "removed",
    "result",
    "selection",
    "shots",
    "steps",
]
