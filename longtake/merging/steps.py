"""The order in which tables are joined, each in one commit, and how far that has come: a kill costs one step."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from longtake.merging.listed import join_listed
from longtake.merging.parts import Giver, Sharing
from longtake.merging.rows import GIVEN, SAID, failures, given, new_rows, said
from longtake.places import write_whole
from longtake.schemas import SCHEMAS
from longtake.steps import fingerprint
from longtake.store import Store

Step = tuple[str, Callable[[], None]]
"""The table that it changes, in one commit or none, and what does it."""


def merge_tables(mark: Any, sharing: Sharing, bring: Callable[[], None], tell: Callable[[int, int, str], None]) -> None:
    """Join all tables; `bring` the files before any video is said to be there. `mark` is the file that says how far."""
    to = sharing.to.store
    _widen(sharing)
    work = fingerprint([[str(part.store.folder), _versions(part.store)] for part in sharing.parts])
    first = _rows_of_videos(sharing)
    last: list[Step] = [("videos", partial(_extend, sharing, "videos", part, given)) for part in sharing.parts]
    steps = [*first, *last]
    done = _done_before(json.loads(mark.read_text(encoding="utf-8")) if mark.is_file() else {}, work, steps, to)
    if done == 0:
        _clear(sharing)
    for number, (table, step) in enumerate(steps):
        tell(number, len(steps), table)
        if number == len(first):
            bring()
        if number >= done:
            write_whole(mark, json.dumps({"work": work, "step": number, "versions": _versions(to)}).encode())
            step()
    write_whole(mark, json.dumps({"work": work, "step": len(steps), "versions": _versions(to)}).encode())
    tell(len(steps), len(steps), "")


def _rows_of_videos(sharing: Sharing) -> list[Step]:
    steps: list[Step] = [
        (table, partial(_extend, sharing, table, part, given)) for table in GIVEN for part in sharing.parts
    ]
    steps += [(table, partial(_extend, sharing, table, part, said)) for table in SAID for part in sharing.parts]
    steps.append(("listed", partial(join_listed, sharing)))
    steps.append(("failures", partial(sharing.to.store.replace, "failures", failures(sharing), "")))
    return steps + [
        (table, partial(sharing.to.store.append, table, new_rows(sharing, table))) for table in ("exports", "runs")
    ]


def _extend(sharing: Sharing, table: str, part: Giver, rows: Callable[..., Any]) -> None:
    sharing.to.store.extend(table, rows(sharing, table, part))


def _widen(sharing: Sharing) -> None:
    """Let the tables have all columns that any of the sets has, before anything is counted."""
    for table in ("videos", *GIVEN, *SAID):
        for giver in (sharing.to, *sharing.parts):
            if giver.store.has(table):
                sharing.to.store.widen(table, giver.store.columns(table))


def _versions(store: Store) -> dict[str, int]:
    return {table: store.version(table) for table in SCHEMAS}


def _done_before(mark: dict[str, Any], work: str, steps: list[Step], to: Store) -> int:
    """Return how many steps a killed call has done: none where it joined others, or somebody has been here since."""
    if mark.get("work") != work:
        return 0
    number, before, now = mark["step"], mark["versions"], _versions(to)
    table = steps[number][0] if number < len(steps) else ""
    if any(now[name] != before.get(name, 0) for name in now if name != table):
        return 0
    return int(number + (bool(table) and now[table] > before.get(table, 0)))


def _clear(sharing: Sharing) -> None:
    """Drop what a call that doesn't go on left of videos that aren't there."""
    to = sharing.to
    coming = set().union(*(part.ids - part.not_given for part in sharing.parts)) - to.ids
    for table in (*GIVEN, *SAID):
        left = sorted(to.store.distinct(table, "video_id") & coming)
        for start in range(0, len(left), 1000):
            to.store.delete(table, "video_id", left[start : start + 1000])
