"""What a person looks at after a run: the page `report.html` and the data in it."""

from pathlib import Path

from longtake.report.data import collect
from longtake.report.page import render
from longtake.settings import check_set


def write_report(folder: str | Path) -> Path:
    """Write `report.html` into a set folder and return its path. Raises `SetError` where there is no set."""
    folder = Path(folder)
    check_set(folder)
    page = folder / "report.html"
    temporary = folder / ".report.html.tmp"
    temporary.write_text(render(collect(folder)), encoding="utf-8")
    temporary.replace(page)
    return page
