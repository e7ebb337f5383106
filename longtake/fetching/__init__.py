"""Videos of published lists onto this disk: politely, each once, and never a failure forgotten.

A folder has `videos/`, `list.jsonl` with the rows of all lists that were fetched into it, `fetched.sqlite` with what
became of each video, and `pieces.jsonl` where only the wanted spans of some are here. The same call goes on where the
last one ended, however that ended.
"""

import shutil
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from longtake.errors import SetError, UsageError
from longtake.fetching.bringing import PARTS, VIDEOS, Manner, check_manner
from longtake.fetching.ledger import FILE as LEDGER
from longtake.fetching.ledger import Ledger
from longtake.fetching.listing import FILE as LIST
from longtake.fetching.listing import check_lists, leave_out_replaced, swap, take_in
from longtake.fetching.meter import Limits
from longtake.fetching.run import Run
from longtake.fetching.states import AGAIN, FAILED, STATES, Fetched, FetchError, State, printable
from longtake.lock import Lock
from longtake.places import here
from longtake.shards import Part, read_shard
from longtake.sources.files import films_in
from longtake.sources.pieces import write_parts
from longtake.watch import Progress, Watch

__all__ = [
    "FAILED",
    "LEDGER",
    "LIST",
    "STATES",
    "VIDEOS",
    "FetchError",
    "Fetched",
    "Limits",
    "Manner",
    "State",
    "fetch_list",
    "fetched",
]

BAD_ROWS = 20
"""Rows that couldn't be used, of which the problem is told."""

UNNAMED = 5
"""Videos that no list names any more, of which the file is told."""


def fetch_list(
    lists: Sequence[str | Path],
    to: str | Path,
    *,
    mapping: Mapping[str, str] | None = None,
    shard: str = "",
    retry_failed: Sequence[str] = (),
    workers: int = 8,
    rate: float | None = None,
    manner: Manner = Manner(),  # noqa: B008  # frozen
    limits: Limits = Limits(),  # noqa: B008  # frozen
    watch: Watch = lambda _: None,
) -> Fetched:
    """Bring the videos that lists name into a folder, each once, however many clips of it they name.

    Without any list it goes on with those of the folder. `shard` is written `3/16`: the third of sixteen parts, by a
    hash of the videos' ids. `retry_failed` are states to be asked for again, or `all`. `rate` is how many videos are
    begun a second at one host. A folder with videos or lists of others is refused, and a list that can't be read
    leaves nothing behind. Raises `UsageError`, `SetError`; Ctrl-C ends it with nothing lost.
    """
    folder, part, again = here(to, "fetched videos"), read_shard(shard), _states(retry_failed)
    if workers < 1 or (rate is not None and not 0 < rate <= 1000):
        raise UsageError("workers are 1 or more, and a rate is over 0 and at most 1000 videos a second")
    paths = [Path(path) for path in lists]
    notes = check_lists(paths, mapping)
    check_manner(manner)
    _make(folder, paths)
    began = time.monotonic()
    with Lock(folder), Ledger(folder) as ledger:
        try:
            swap(ledger, folder)
            for path in paths:
                take_in(ledger, folder, path, mapping, lambda rows: watch(_reading(rows, began)))
            if paths:
                notes += leave_out_replaced(ledger, folder)
                _drop_parts(ledger, folder)
            if manner.allow_private:
                again.append("refused")
            ledger.want({*AGAIN, *again} - {"wanted"}, part)
            ledger.want_lost({f"{VIDEOS}/{file.name}" for file in (folder / VIDEOS).iterdir()}, part)
            if manner.spans or ledger.pieces.any():
                ledger.pieces.read_spans(folder / LIST)
                ledger.pieces.want_more(part)
            notes += _unnamed(ledger)
            run = Run(folder, ledger, part, manner=manner, limits=limits, rate=rate)
            try:
                found = run.fetch(workers, watch)
            finally:
                write_parts(folder, ledger.pieces.parts())
            found = replace(found, notes=tuple(map(printable, [*notes, *found.notes])))
            return _with_rows(found, ledger, part, began)
        except sqlite3.Error as error:
            raise SetError(f"{folder / LEDGER}: can't be written ({error}); nothing that came is lost") from error


def fetched(folder: str | Path, *, shard: str = "") -> Fetched:
    """Return what became of the videos of a folder, without asking anybody. Raises `UsageError`, `SetError`."""
    folder = Path(folder)
    if not (folder / LEDGER).is_file():
        raise UsageError(f"{folder}: nothing was fetched here; run longtake fetch LIST --to {folder}")
    with Ledger(folder) as ledger:
        part = read_shard(shard)
        return _with_rows(Fetched(folder, ledger.counts(part)), ledger, part, time.monotonic())


def _make(folder: Path, lists: Sequence[Path]) -> None:
    """Make the folder, or see that it is one of ours: what others put there is never touched.

    Raises `UsageError`, `SetError`.
    """
    try:
        ours, own = (folder / LEDGER).is_file(), folder / LIST
        if not lists and not ours:
            raise UsageError(f"{folder}: nothing was fetched here yet; name a list")
        if any(own.exists() and own.samefile(path) for path in lists):
            raise UsageError(f"{own}: is where {folder} keeps its rows; name another folder, or leave this list out")
        if not ours:
            foreign = [LIST] if own.exists() and (not own.is_file() or own.stat().st_size) else []
            places = [name for name in (VIDEOS, PARTS) if (folder / name).is_dir()]
            foreign += [name for name in places if any((folder / name).iterdir())]
            if folder.is_dir() and not foreign:
                foreign = sorted(film.name for film in films_in(folder))[:1]  # a run would look into `videos` alone
            if foreign:
                raise UsageError(
                    f"{folder} holds files that longtake fetch didn't make ({', '.join(foreign)}): name a new folder"
                )
        (folder / VIDEOS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetError(f"{folder}: can't be used ({error.strerror or error}); name another folder") from error


def _states(names: Sequence[str]) -> list[State]:
    """Return the states that are meant. Raises `UsageError`."""
    if "all" in names:
        return list(FAILED)
    for name in names:
        if name not in FAILED:
            raise UsageError(f"{name!r} is no state of a failed video; there are all, {', '.join(FAILED)}")
    return [state for state in FAILED if state in names]


def _with_rows(found: Fetched, ledger: Ledger, part: Part, began: float) -> Fetched:
    """Return what was found with what there is to say of the lists."""
    rows, bad = ledger.rows()
    found = replace(found, reasons=ledger.reasons(part))
    problems = tuple(printable(f"{path}, row {row}: {problem}") for path, row, problem in ledger.bad_rows(BAD_ROWS))
    return replace(found, rows=rows, bad_rows=bad, problems=problems, elapsed_s=time.monotonic() - began)


def _drop_parts(ledger: Ledger, folder: Path) -> None:
    """Remove what came of videos that nobody wants any more."""
    for part in (folder / PARTS).glob("*"):
        if not ledger.knows(part.name):
            shutil.rmtree(part)


def _unnamed(ledger: Ledger) -> list[str]:
    """Say which videos are on the disk that no list names any more."""
    count, paths = ledger.unnamed(UNNAMED)
    more = ", ..." if count > len(paths) else ""
    return [f"named by no list any more, and left on the disk: {count} ({', '.join(paths)}{more})"] if count else []


def _reading(rows: int, began: float) -> Progress:
    return Progress("list", rows, 0, 0, 0.0, 0.0, time.monotonic() - began)
