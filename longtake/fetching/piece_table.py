"""In the ledger: of which videos only parts are here, and which spans are wanted of each."""

import itertools
import json
import math
import sqlite3
import threading
from collections.abc import Collection, Iterator
from pathlib import Path

from longtake.shards import Part as Shard
from longtake.sources.pieces import Part
from longtake.video.stretches import Span

TABLES = """
CREATE TABLE IF NOT EXISTS pieces (
    video TEXT NOT NULL, start_s REAL NOT NULL, end_s REAL NOT NULL, path TEXT NOT NULL, shift_s REAL NOT NULL,
    bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (video, start_s, end_s)
) WITHOUT ROWID;
"""
"""A row without a path is of a span that begins after the video's end."""
NEAR_S = 5.0
"""Spans so near to each other come as one: key frames lie as far apart."""
ROUNDING = 1e-6
ROWS = 10_000


class PieceTable:
    """The part of a ledger that is about parts of videos."""

    def __init__(self, db: sqlite3.Connection, lock: threading.Lock) -> None:
        self._db, self._lock = db, lock

    def read_spans(self, path: Path) -> None:
        """Read from `list.jsonl` which spans are wanted, for `wanted` and `want_more` to know."""
        with self._lock, self._db:
            self._db.execute("CREATE TEMP TABLE IF NOT EXISTS spans (video TEXT, start_s REAL, end_s REAL)")
            self._db.execute("DELETE FROM temp.spans")
            if path.is_file():
                with path.open(encoding="utf-8") as file:
                    while rows := [json.loads(line) for line in itertools.islice(file, ROWS)]:
                        spans = ((row["video"], row.get("start_s"), row.get("end_s")) for row in rows)
                        self._db.executemany("INSERT INTO temp.spans VALUES (?, ?, ?)", spans)
            self._db.execute("CREATE INDEX IF NOT EXISTS temp.by_video ON spans (video)")

    def wanted(self, video: str) -> list[Span] | None:
        """Return the spans of a video that are wanted and not here, near ones as one; None where a row wants all."""
        with self._lock:
            rows = self._db.execute("SELECT start_s, end_s FROM temp.spans WHERE video = ?", (video,)).fetchall()
        if not rows or any(start is None and end is None for start, end in rows):
            return None
        here = self.of(video)
        spans = [(start, end) for start, end in rows if not any(part.holds(start, end) for part, *_ in here)]
        found: list[Span] = []
        for start, end in sorted(_outward(start or 0.0, math.inf if end is None else end) for start, end in spans):
            if found and start <= found[-1][1] + NEAR_S:
                found[-1] = (found[-1][0], max(found[-1][1], end))
            else:
                found.append((start, end))
        return found

    def of(self, video: str) -> list[tuple[Part, str, int, str]]:
        """Return the parts of a video that came, each with its path, its bytes and their SHA-256."""
        query = "SELECT video, start_s, end_s, shift_s, path, bytes, sha256 FROM pieces WHERE video = ?"
        with self._lock:
            return [_row(row) for row in self._db.execute(query, (video,))]

    def land(self, part: Part, path: str, size: int, sha256: str) -> None:
        """Note what a file is that is about to get its name."""
        row = (part.video, part.start_s, part.end_s, path, part.shift_s, size, sha256)
        with self._lock, self._db:
            self._db.execute("INSERT OR REPLACE INTO pieces VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def drop(self, video: str) -> None:
        """Forget the parts of a video."""
        with self._lock, self._db:
            self._db.execute("DELETE FROM pieces WHERE video = ?", (video,))

    def any(self) -> bool:
        """Return whether any video came in parts."""
        with self._lock:
            return self._db.execute("SELECT 1 FROM pieces").fetchone() is not None

    def parts(self) -> Iterator[Part]:
        """Yield all parts that are here."""
        query = "SELECT video, start_s, end_s, shift_s, path, bytes, sha256 FROM pieces WHERE path <> '' ORDER BY video"
        with self._lock:
            yield from (_row(row)[0] for row in self._db.execute(query))

    def lose(self, there: Collection[str]) -> None:
        """Forget parts whose files are no longer among those that are `there`; their videos are then wanted."""
        with self._lock, self._db:
            rows = self._db.execute("SELECT path, video FROM pieces WHERE path <> ''").fetchall()
            lost = [row for row in rows if row[0] not in there]
            self._db.executemany("DELETE FROM pieces WHERE path = ? AND video = ?", lost)

    def want_more(self, shard: Shard) -> None:
        """Make videos wanted that came in parts, of which lists by now name more than these hold."""
        come = "state = 'done' OR (state = 'no_format' AND video IN (SELECT video FROM pieces))"  # all behind its end
        query = f"SELECT video FROM videos WHERE path = '' AND ({come}) AND {shard.sql}"  # noqa: S608  # numbers alone
        with self._lock:
            videos = [video for (video,) in self._db.execute(query)]
        more = [(video,) for video in videos if not self.of(video) or self.wanted(video) != []]
        with self._lock, self._db:
            self._db.executemany("UPDATE videos SET state = 'wanted' WHERE video = ?", more)


def _outward(start_s: float, end_s: float) -> Span:
    """Return a span that begins and ends at whole milliseconds, as files' names tell them."""
    end_s = end_s if math.isinf(end_s) else math.ceil(end_s * 1000 - ROUNDING) / 1000
    return math.floor(start_s * 1000 + ROUNDING) / 1000, end_s


def _row(row: tuple[str, float, float, float, str, int, str]) -> tuple[Part, str, int, str]:
    video, start_s, end_s, shift_s, path, size, sha256 = row
    name = path.rpartition("/")[2].rpartition(".")[0]
    return Part(video, name, start_s, end_s, shift_s), path, size, sha256
