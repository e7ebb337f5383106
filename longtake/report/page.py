"""The data of a report into the one HTML file that shows them; how they look is in page.html."""

import base64
import hashlib
import json
import math
from collections.abc import Mapping
from importlib import resources

_DATA = '{"data": "here"}'
_SCRIPT = "'unsafe-inline'"


def render(data: Mapping[str, object]) -> str:
    """Return the page, complete in one file: it needs no server, no network and no library."""
    template = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    # Only this script may run, even if a hostile name ever got out of its quotes.
    source = template.rpartition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    page = template.replace(f"script-src {_SCRIPT}", f"script-src 'sha256-{digest}'", 1)
    return page.replace(_DATA, _json(data), 1)


def _json(data: Mapping[str, object]) -> str:
    """JSON that can stand inside a script element: no `</script>`, no `<!--`, nothing but ASCII, no NaN."""
    return json.dumps(_finite(data), separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _finite(value: object) -> object:
    """Return `value` with None for each number that JSON can't say."""
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
