"""Every answer a model gave, kept from the moment it arrives: an answer that is paid for is never asked for again.

A table takes rows in batches; an answer can't wait for one. So each is a line of a journal first, one write that
outlives a kill, and the journal is folded into the set's table `answers` now and then.
"""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from longtake.captioning.journal import FileJournal, PartsJournal
from longtake.schemas import SCHEMAS
from longtake.store import Store, one_of

FOLD_ROWS = 500
"""A journal so long is folded: its rows are also held in memory."""

Row = Mapping[str, Any]
"""A row of `answers`."""


class Answers:
    """The answers of a set; only its one writer may open them. Calls from several threads are safe."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.path = store.folder / "answers.journal"
        self.journal = FileJournal(self.path) if isinstance(self.path, Path) else PartsJournal(self.path)
        self.lock = threading.Condition()
        self.coming: list[Row] = []
        """Rows that aren't written yet, of threads that wait for it."""
        self.writing = False
        """Whether a thread is writing what had come; what comes meanwhile goes into the next write, all at once."""
        self.waiting: dict[str, Row] = {row["key"]: row for row in _read_rows(self.journal.lines())}
        # A run killed between the table's commit and the journal's end left rows in both.
        there = set(store.read("answers", ["key"], one_of("key", self.waiting))["key"].to_pylist())
        self.waiting = {key: row for key, row in self.waiting.items() if key not in there}
        self._fold()

    def __enter__(self) -> "Answers":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def of(self, clip_ids: Sequence[str], video_ids: Sequence[str]) -> dict[str, Row]:
        """Return all answers about some clips by key; `video_ids` are those of the clips."""
        where = f"{one_of('clip_id', clip_ids)} AND {one_of('video_id', sorted(set(video_ids)))}"
        with self.lock:
            rows: list[Row] = self.store.read("answers", where=where).to_pylist()
            clips = set(clip_ids)
            rows += [row for row in self.waiting.values() if row["clip_id"] in clips]
        return {row["key"]: row for row in rows}

    def add(self, row: Row) -> None:
        """Keep an answer: when this returns it outlives this process, whatever happens to that."""
        with self.lock:
            self.coming.append(row)
            while any(one is row for one in self.coming) and self.writing:
                self.lock.wait()
            if not any(one is row for one in self.coming):
                return  # another thread wrote it with its own
            rows, self.writing = list(self.coming), True
        try:
            self.journal.add(b"".join(map(_line, rows)))
        except OSError:
            rows = [row]  # the others try for themselves
            raise
        else:
            self.waiting |= {one["key"]: one for one in rows}
        finally:
            with self.lock:
                self.coming = [one for one in self.coming if not any(one is gone for gone in rows)]
                self.writing = False
                self.lock.notify_all()
        with self._at_rest():
            if len(self.waiting) >= FOLD_ROWS:
                self._fold()

    @contextmanager
    def _at_rest(self) -> Iterator[None]:
        """Hold the answers while nothing is being written."""
        with self.lock:
            while self.writing:
                self.lock.wait()
            yield

    @property
    def is_far(self) -> bool:
        """Whether keeping an answer takes so long that others should go along with it."""
        return isinstance(self.journal, PartsJournal)

    def close(self) -> None:
        """Fold the journal and remove it."""
        with self._at_rest():
            self._fold()
            self.journal.close()

    def _fold(self) -> None:
        """Move the journal's rows into the table; the journal is emptied only when they are there."""
        self.store.append("answers", list(self.waiting.values()))
        self.waiting = {}
        self.journal.clear()


def _line(row: Row) -> bytes:
    return json.dumps({**row, "asked": row["asked"].isoformat()}).encode() + b"\n"


def _read_rows(lines: Sequence[bytes]) -> list[dict[str, Any]]:
    """Return the rows of a journal's lines."""
    known = SCHEMAS["answers"].names
    rows = []
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue  # a machine that lost its power left this; the question is asked again
        rows.append(
            {**{name: row[name] for name in known if name in row}, "asked": datetime.fromisoformat(row["asked"])}
        )
    return rows
