"""What people said of clips: judgements, choices between two captions, and the samples drawn to be judged.

Each is one commit to its table, there before the page hears of it, and waits for no lock: a run may go on beside.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from longtake.schemas import SCHEMAS
from longtake.store import Snapshot, Store
from longtake.viewer.columns import Recent

Judgements = dict[str, dict[str, dict[str, Any]]]
"""Clip -> judge -> `keep`, `flags`, `note`, and when: the last that one said; the judge who said the last is last."""

COMPACT_AFTER = 100
"""Each judgement is a small file; after so many, they are merged."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Clips drawn at random, to be judged in this order, some of those kept and some of the others."""

    clip_ids: tuple[str, ...]
    rules: tuple[str, ...]
    """The rules that kept were kept by."""


class Notes:
    """The tables that people's judgements are in."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._read = Recent(6)
        self._written = 0

    def add(self, table: str, rows: Sequence[dict[str, Any]], moment: str = "made") -> None:
        """Write rows down for good, with the moment they were made."""
        with self._lock:
            now = datetime.now(UTC)
            last = pc.max(Snapshot(self._store, table).read([moment])[moment]).as_py()
            if last and last >= now:  # a clock was put back: what is said last has to stay the last
                now = last + timedelta(microseconds=1)
            self._store.append(table, [{**row, moment: now} for row in rows])
            self._written += 1
            if self._written % COMPACT_AFTER == 0:
                self._store.compact([table])

    def judgements(self) -> Judgements:
        """Return what every judge said last."""
        table = Snapshot(self._store, "judgements")
        return self._read.get(("judgements", table.version), lambda: _latest(_rows(table, "judgements")))

    def choices(self) -> list[dict[str, Any]]:
        """Return which caption every judge chose last, of each clip's pair."""
        rows = _rows(Snapshot(self._store, "choices"), "choices")
        last = {(row["clip_id"], row["judge"], frozenset((row["first"], row["second"]))): row for row in rows}
        return list(last.values())

    def sample(self) -> Sample:
        """Return the sample that was drawn last; an empty one where none was."""
        table = Snapshot(self._store, "samples")
        return self._read.get(("samples", table.version), lambda: _last_drawn(_rows(table, "samples", "drawn")))


def _rows(table: Snapshot, name: str, moment: str = "made") -> list[dict[str, Any]]:
    """Return the rows of a table in the order they were written."""
    data: pa.Table = table.read(SCHEMAS[name].names).sort_by(moment)
    rows: list[dict[str, Any]] = data.to_pylist()
    return rows


def _latest(rows: Sequence[dict[str, Any]]) -> Judgements:
    found: Judgements = {}
    for row in rows:
        said = found.setdefault(row["clip_id"], {})
        said.pop(row["judge"], None)
        said[row["judge"]] = {name: row[name] for name in ("keep", "flags", "note", "made")}
    return found


def _last_drawn(rows: Sequence[dict[str, Any]]) -> Sample:
    last = sorted((row for row in rows if row["drawn"] == rows[-1]["drawn"]), key=lambda row: row["number"])
    return Sample(tuple(row["clip_id"] for row in last), tuple(last[0]["rules"]) if last else ())
