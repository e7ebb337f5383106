"""How the command line looks: plans, progress, funnels and tables; plain text where there is no terminal."""

from longtake.show.lists import findings, recipes, shots, steps
from longtake.show.live import Live
from longtake.show.results import captions, result, selection

__all__ = ["Live", "captions", "findings", "recipes", "result", "selection", "shots", "steps"]
