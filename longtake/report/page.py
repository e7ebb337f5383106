"""The data of a report into the one HTML file that shows them; how they look is in the folder `parts`."""

import base64
import hashlib
import json
import math
from collections.abc import Mapping
from importlib import resources

_DATA = '{"data": "here"}'
_SCRIPT = "'unsafe-inline'"
_STYLE_HERE, _SCRIPTS_HERE = "/* style */\n", "/* scripts */\n"
_SCRIPTS = (
    *("words", "elements", "set", "pictures", "plots", "timeline"),
    *("head", "videos", "clips", "look", "captions", "spans", "recipe"),
)
"""Parts of one script, in this order: what a part uses while it is read stands before it."""


def render(data: Mapping[str, object]) -> str:
    """Return the page, complete in one file: it needs no server, no network and no library."""
    template = _part("page.html").replace(_STYLE_HERE, _part("style.css"), 1)
    template = template.replace(_SCRIPTS_HERE, "\n".join(_part(f"{name}.js") for name in _SCRIPTS), 1)
    # Only this script may run, even if a hostile name ever got out of its quotes.
    source = template.rpartition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    page = template.replace(f"script-src {_SCRIPT}", f"script-src 'sha256-{digest}'", 1)
    return page.replace(_DATA, _json(data), 1)


def _part(name: str) -> str:
    return resources.files(__package__).joinpath("parts", name).read_text(encoding="utf-8")


def _json(data: Mapping[str, object]) -> str:
    """JSON that can stand inside a script element: no `</script>`, no `<!--`, nothing but ASCII, no NaN."""
    return json.dumps(finite(data), separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def finite(value: object) -> object:
    """Return `value` with None for each number that JSON can't say."""
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value
