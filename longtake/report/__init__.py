"""What a person looks at after a run: the page `report.html` and the data in it."""

from pathlib import Path

from longtake.errors import SetError
from longtake.report.data import collect
from longtake.report.page import render


def write_report(folder: str | Path) -> Path:
    """Write `report.html` into a set folder and return its path. Raises `SetError` where there is no set."""
    folder = Path(folder)
    if not (folder / "recipe.toml").is_file():
        raise SetError(f"{folder} is no set: it has no recipe.toml; make one with: longtake run RECIPE VIDEOS --to SET")
    page = folder / "report.html"
    temporary = folder / ".report.html.tmp"
    temporary.write_text(render(collect(folder)), encoding="utf-8")
    temporary.replace(page)
    return page
