"""What a person looks at after a run: the page `report.html` and the data in it."""

from longtake.places import Place, set_folder, write_whole
from longtake.report.data import collect
from longtake.report.page import render
from longtake.settings import check_set


def write_report(folder: str | Place) -> Place:
    """Write `report.html` into a set folder and return its path. Raises `SetError` where there is no set."""
    folder = set_folder(folder)
    check_set(folder)
    page = folder / "report.html"
    write_whole(page, render(collect(folder)).encode())
    return page
