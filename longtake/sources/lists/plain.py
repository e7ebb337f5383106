"""Plain lists: an address or an id on YouTube a line. Empty lines, and those that begin with `#`, say nothing."""

from collections.abc import Iterator

from longtake.sources import Listed
from longtake.sources.lists._names import source, watch
from longtake.sources.lists._values import Row, text


def clips(row: Row, at: int) -> Iterator[Listed]:
    """Read a line: a whole video, or `ValueError`."""
    line = text(row[""])
    video, url = source(watch(line) or line, "")
    yield Listed("plain", video, url, row=at)
