"""Every answer a model gave, kept from the moment it arrives: an answer that is paid for is never asked for again.

A table takes rows in batches; an answer can't wait for one. So each is a line of a journal first, one write that
outlives a kill, and the journal is folded into the set's table `answers` now and then.
"""

import errno
import json
import os
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

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
        self.lock = threading.Lock()
        self.waiting: dict[str, Row] = {row["key"]: row for row in _read_journal(self.path)}
        # A run killed between the table's commit and the journal's end left rows in both.
        there = set(store.read("answers", ["key"], one_of("key", self.waiting))["key"].to_pylist())
        self.waiting = {key: row for key, row in self.waiting.items() if key not in there}
        self._fold()
        self.file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

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
        """Keep an answer: it is on its way to the disk when this returns, whatever happens to this process."""
        line = json.dumps({**row, "asked": row["asked"].isoformat()}).encode() + b"\n"
        with self.lock:
            self._write(line)
            self.waiting[row["key"]] = row
            if len(self.waiting) >= FOLD_ROWS:
                self._fold()

    def _write(self, line: bytes) -> None:
        """Add a line to the journal, whole or not at all: the rest of a torn one would spoil the next."""
        end = os.fstat(self.file).st_size
        try:
            if os.write(self.file, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            os.ftruncate(self.file, end)
            raise

    def forget(self, clip_ids: Sequence[str], step: str) -> None:
        """Drop the answers that a step got about some clips, so that they are asked for anew."""
        if clip_ids:
            with self.lock:
                self._fold()
                self.store.delete("answers", "clip_id", clip_ids, also=f"step = '{step}'")

    def close(self) -> None:
        """Fold the journal and remove it."""
        with self.lock:
            self._fold()
            os.close(self.file)
            self.path.unlink(missing_ok=True)

    def _fold(self) -> None:
        """Move the journal's rows into the table; the journal is emptied only when they are there."""
        self.store.append("answers", list(self.waiting.values()))
        self.waiting = {}
        if self.path.exists():
            os.truncate(self.path, 0)


def _read_journal(path: Path) -> list[dict[str, Any]]:
    """Return the journal's rows; a last line that a kill cut off is none, for its answer never counted as kept."""
    if not path.exists():
        return []
    known = SCHEMAS["answers"].names
    rows = []
    for line in path.read_bytes().split(b"\n")[:-1]:
        try:
            row = json.loads(line)
        except ValueError:
            continue  # a machine that lost its power left this; the question is asked again
        rows.append(
            {**{name: row[name] for name in known if name in row}, "asked": datetime.fromisoformat(row["asked"])}
        )
    return rows
