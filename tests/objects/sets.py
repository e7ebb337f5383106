"""Sets on the object server: made, copied and compared."""

import json
from collections.abc import Iterable
from pathlib import Path

from longtake.places import Place, Remote, remove
from longtake.running import RunResult, run
from longtake.schemas import SCHEMAS
from longtake.store import Store

SETTINGS = ["select.keep=['duration_s >= 2.5']", "files.preset='ultrafast'"]
VOLATILE = {"runs"}
"""Tables that hold times of day."""
PARTS = ("clips", "previews")


def make(films: Path, to: Place | str, **how) -> RunResult:
    return run("lvd2m", [films], to, settings=SETTINGS, workers=1, **how)


def tables(folder: Place, leave_out: Iterable[str] = ()) -> dict[str, list[str]]:
    """Return all rows of all tables as sorted text."""
    store = Store(folder)
    return {
        table: sorted(json.dumps(row, sort_keys=True, default=str) for row in store.read(table).to_pylist())
        for table in set(SCHEMAS) - VOLATILE - set(leave_out)
    }


def files(folder: Place) -> dict[str, bytes]:
    """Return the content of all clip files, posters and previews by their names in the set."""
    found = [path for part in PARTS for path in everything(folder / part)]
    return {str(path).removeprefix(f"{folder}/"): path.read_bytes() for path in found}


def everything(folder: Place) -> list[Place]:
    return list(folder.walk() if isinstance(folder, Remote) else (p for p in folder.rglob("*") if p.is_file()))


def copy(folder: Remote, to: Remote) -> Remote:
    """Copy a set, as it is at rest."""
    remove(everything(to))
    for path in folder.walk():
        (to / path.key.removeprefix(f"{folder.key}/")).write_bytes(path.read_bytes())
    return to
