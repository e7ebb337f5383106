"""The viewer's page, its one script and its one style: parts of the report, and the viewer's own beside them."""

from functools import cache
from importlib import resources

_OF_REPORT = ("words", "elements", "pictures", "plots")
_OWN = (
    *("asking", "rules", "sliders", "funnel", "overview"),
    *("cards", "wall", "clips", "player", "lanes", "reel", "heat", "said", "clip"),
    *("judge", "numbers", "judging", "pairs", "compare", "main"),
)
"""Parts of one script, in this order: what a part uses while it is read stands before it."""


@cache
def page() -> str:
    """Return the page: a frame that the script fills."""
    return _part("viewer", "page.html")


@cache
def script() -> str:
    """Return its script."""
    parts = [_part("report", f"{name}.js") for name in _OF_REPORT] + [_part("viewer", f"{name}.js") for name in _OWN]
    return '(() => {\n"use strict";\n' + "\n".join(parts) + "\n})();\n"


@cache
def style() -> str:
    """Return its style: the report's, and what only the viewer has."""
    own = ("frame", "overview", "clips", "clip", "judging")
    return "\n".join([_part("report", "style.css"), *(_part("viewer", f"{name}.css") for name in own)])


def _part(package: str, name: str) -> str:
    return resources.files(f"longtake.{package}").joinpath("parts", name).read_text(encoding="utf-8")
