"""What is known of each video that was ever wanted here, in one SQLite file that survives a kill at any point."""

import sqlite3
import threading
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from longtake.errors import SetError
from longtake.fetching import piece_table
from longtake.fetching.addresses import host_of
from longtake.fetching.states import State
from longtake.shards import Part, bucket_of
from longtake.sources import BadRow, Listed
from longtake.sources.lists import MADE

FILE = "fetched.sqlite"
VERSION = 2
_TABLES = """
CREATE TABLE videos (
    id INTEGER PRIMARY KEY, video TEXT NOT NULL UNIQUE, url TEXT NOT NULL, host TEXT NOT NULL, bucket INTEGER NOT NULL,
    state TEXT NOT NULL, message TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0,
    path TEXT NOT NULL DEFAULT '', bytes INTEGER NOT NULL DEFAULT 0, sha256 TEXT NOT NULL DEFAULT '',
    changed_at REAL NOT NULL, named INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX waiting ON videos (host, id) WHERE state = 'wanted';
CREATE INDEX unnamed ON videos (id) WHERE NOT named;
CREATE TABLE lists (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, path TEXT NOT NULL, rows INTEGER NOT NULL, bad INTEGER NOT NULL,
    whole INTEGER NOT NULL
);
CREATE TABLE paths (path TEXT PRIMARY KEY, key TEXT NOT NULL);
CREATE TABLE bad_rows (list TEXT NOT NULL, row INTEGER NOT NULL, problem TEXT NOT NULL);
CREATE TABLE clips (hash INTEGER NOT NULL, list INTEGER NOT NULL, PRIMARY KEY (hash, list)) WITHOUT ROWID;
CREATE TABLE written (bytes INTEGER NOT NULL, swapping INTEGER NOT NULL);
INSERT INTO written VALUES (0, 0);
"""
_BY_ADDRESS = f"CREATE INDEX IF NOT EXISTS addresses ON videos (url) WHERE video LIKE '%{MADE}%';"
"""Of videos alone whose names are made of their addresses: others are known by their sites' own ids."""
_REPLACED = "key NOT IN (SELECT key FROM paths)"
"""Lists that are at no path any more where one was read."""
_PLACE = "coalesce(nullif(path, ''), (SELECT max(path) FROM pieces WHERE pieces.video = videos.video), '')"
"""A file of a video: the whole, else one of its parts."""


@dataclass(slots=True)
class Wanted:
    """A video to be fetched."""

    id: int
    video: str
    url: str
    host: str
    path: str = ""
    """Relative to the folder, where a file was about to get its name when the last run ended."""
    bytes: int = 0
    sha256: str = ""
    tries: int = field(default=0, compare=False)
    """In this call, without getting on."""
    asked_at: float = field(default=0.0, compare=False)
    """When it last got its turn, by the monotonic clock."""
    here: int = field(default=0, compare=False)
    """Bytes of it that came so far, to tell whether another try got on."""


class Ledger:
    """The file, for one process; its threads may all use it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("PRAGMA cache_size = -65536")  # KiB; clips come in the order of their hashes, that is none
            self._db.execute("CREATE TEMP TABLE named (video TEXT PRIMARY KEY) WITHOUT ROWID")
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if not version:
                self._db.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
            if version in (0, VERSION):
                self._db.executescript(piece_table.TABLES + _BY_ADDRESS)
        except sqlite3.Error as error:
            raise SetError(f"{self.path}: can't be used as a ledger ({error}); take another folder") from error
        if version not in (0, VERSION):
            raise SetError(f"{self.path}: written by another version of longtake ({version}, not {VERSION})")
        self.pieces = piece_table.PieceTable(self._db, self._lock)

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        with self._lock:
            self._db.close()

    # Lists

    def list_read(self, key: str) -> tuple[int, bool]:
        """Return how many rows of a list are in the ledger, and whether that is all of them."""
        with self._lock:
            found = self._db.execute("SELECT rows, whole FROM lists WHERE key = ?", (key,)).fetchone()
        return (found[0], bool(found[1])) if found else (0, False)

    def read_whole(self, path: Path) -> bool:
        """Return whether all rows of the list that was last seen at a path are in the ledger."""
        query = "SELECT whole FROM lists JOIN paths USING (key) WHERE paths.path = ?"
        with self._lock:
            return bool(self._db.execute(query, (str(path.absolute()),)).fetchone() == (1,))

    def list_at(self, path: Path, key: str) -> None:
        """Note which list is at a path now; what was there before counts no more, unless it is elsewhere, too."""
        with self._lock, self._db:
            self._db.execute("INSERT OR REPLACE INTO paths VALUES (?, ?)", (str(path.absolute()), key))

    def named(self, url: str) -> str:
        """Return the made name that a video of an address has here so far, empty where there is none."""
        query = f"SELECT video FROM videos WHERE url = ? AND video LIKE '%{MADE}%' ORDER BY id LIMIT 1"  # noqa: S608  # ours
        with self._lock:
            return str((self._db.execute(query, (url,)).fetchone() or ("",))[0])

    def written(self) -> int:
        """Return how many bytes of `list.jsonl` belong to rows in the ledger."""
        with self._lock:
            return int(self._db.execute("SELECT bytes FROM written").fetchone()[0])

    def new(self, hashes: Iterable[int]) -> set[int]:
        """Return those hashes of rows that no list brought so far."""
        with self._lock:
            ask = self._db.execute
            return {each for each in hashes if not ask("SELECT 1 FROM clips WHERE hash = ?", (each,)).fetchone()}

    def replaced(self) -> list[str]:
        """Return the paths of lists in whose place there are others now."""
        with self._lock:
            return [path for (path,) in self._db.execute(f"SELECT path FROM lists WHERE {_REPLACED}")]  # noqa: S608  # ours

    def kept(self, hashes: Iterable[int]) -> set[int]:
        """Return those hashes of rows that any list names but the replaced ones."""
        query = f"SELECT 1 FROM clips WHERE hash = ? AND list NOT IN (SELECT id FROM lists WHERE {_REPLACED})"  # noqa: S608  # ours
        with self._lock:
            return {each for each in hashes if self._db.execute(query, (each,)).fetchone()}

    def name(self, videos: Iterable[str]) -> None:
        """Note videos that rows name which stay, for `drop_replaced` to know them."""
        with self._lock, self._db:
            self._db.execute("BEGIN")
            self._db.executemany("INSERT OR IGNORE INTO named VALUES (?)", ((video,) for video in videos))

    def drop_replaced(self, end: int) -> None:
        """Forget replaced lists, and videos that no row names and that never came; a new file is to be `list.jsonl`."""
        with self._lock:
            self._db.execute("PRAGMA synchronous = FULL")  # the file is swapped after this, also where power fails
            with self._db:
                self._db.execute("BEGIN")
                self._db.execute("UPDATE videos SET named = video IN (SELECT video FROM temp.named)")
                self._db.execute("DELETE FROM videos WHERE NOT named AND state <> 'done'")
                for table, column, of in (("clips", "list", "id"), ("bad_rows", "list", "key")):
                    chosen = f"SELECT {of} FROM lists WHERE {_REPLACED}"  # noqa: S608  # ours
                    self._db.execute(f"DELETE FROM {table} WHERE {column} IN ({chosen})")  # noqa: S608  # ours
                self._db.execute(f"DELETE FROM lists WHERE {_REPLACED}")  # noqa: S608  # ours
                self._db.execute("UPDATE written SET bytes = ?, swapping = 1", (end,))
            self._db.execute("DELETE FROM temp.named")
            self._db.execute("PRAGMA synchronous = NORMAL")

    def swapping(self) -> bool:
        """Return whether a new file is to be `list.jsonl`, or perhaps has become it already."""
        with self._lock:
            return bool(self._db.execute("SELECT swapping FROM written").fetchone()[0])

    def swapped(self) -> None:
        """Note that the new file is `list.jsonl`."""
        with self._lock, self._db:
            self._db.execute("UPDATE written SET swapping = 0")

    def add(
        self,
        key: str,
        path: Path,
        rows: Sequence[Listed | BadRow],
        hashes: Collection[int],
        *,
        end: int,
        whole: bool,
    ) -> None:
        """Take in the next rows of a list, which end at byte `end` of `list.jsonl`: all of them, or none if killed."""
        now = time.time()
        videos = {row.video: row.url for row in rows if isinstance(row, Listed)}
        videos |= {row.video: row.url for row in reversed(rows) if isinstance(row, Listed) and row.url}
        bad = [(key, row.row, row.problem) for row in rows if isinstance(row, BadRow)]
        with self._lock, self._db:
            self._db.execute("BEGIN")
            self._db.executemany(
                "INSERT INTO videos (video, url, host, bucket, state, changed_at) VALUES (?, ?, ?, ?, 'wanted', ?)"
                " ON CONFLICT (video) DO UPDATE SET url = excluded.url, host = excluded.host, state = 'wanted'"
                " WHERE state <> 'done' AND excluded.url NOT IN ('', url)",  # a new list may know a new address
                [(video, url, host_of(url), bucket_of(video), now) for video, url in videos.items()],
            )
            self._db.executemany(
                "UPDATE videos SET named = 1 WHERE video = ? AND NOT named", ((video,) for video in videos)
            )
            self._db.executemany("INSERT INTO bad_rows VALUES (?, ?, ?)", bad)
            (own,) = self._db.execute(
                "INSERT INTO lists (key, path, rows, bad, whole) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET"
                " rows = rows + excluded.rows, bad = bad + excluded.bad, whole = excluded.whole RETURNING id",
                (key, str(path), len(rows), len(bad), whole),
            ).fetchone()
            self._db.executemany("INSERT OR IGNORE INTO clips VALUES (?, ?)", ((each, own) for each in sorted(hashes)))
            self._db.execute("UPDATE written SET bytes = ?", (end,))

    def rows(self) -> tuple[int, int]:
        """Return how many rows of lists were read, and how many of them name nothing that could be used."""
        with self._lock:
            found = self._db.execute("SELECT coalesce(sum(rows), 0), coalesce(sum(bad), 0) FROM lists").fetchone()
        return found[0], found[1]

    def bad_rows(self, most: int) -> list[tuple[str, int, str]]:
        """Return list, row and problem of some rows that couldn't be used."""
        query = "SELECT path, row, problem FROM bad_rows JOIN lists ON key = list ORDER BY bad_rows.rowid LIMIT ?"
        with self._lock:
            return [(path, row, problem) for path, row, problem in self._db.execute(query, (most,))]

    # Videos

    def want(self, states: Iterable[State], part: Part) -> None:
        """Make videos in some states wanted again."""
        with self._lock, self._db:
            for state in states:
                self._db.execute(f"UPDATE videos SET state = 'wanted' WHERE state = ? AND {part.sql}", (state,))  # noqa: S608  # numbers alone

    def want_lost(self, there: Collection[str], part: Part) -> None:
        """Make videos wanted again that came, and whose files are no longer among those that are `there`.

        Those that no list names are forgotten. Videos that came in parts have no file of their own.
        """
        self.pieces.lose(there)
        query = f"SELECT id, path FROM videos WHERE state = 'done' AND {part.sql}"  # noqa: S608  # numbers alone
        with self._lock, self._db:
            lost = [(id_,) for id_, path in self._db.execute(query) if path and path not in there]
            self._db.executemany(
                "UPDATE videos SET state = 'wanted', path = '', bytes = 0, sha256 = '' WHERE id = ?", lost
            )
            unnamed = self._db.execute(f"SELECT id, {_PLACE} FROM videos WHERE NOT named").fetchall()  # noqa: S608  # ours
            gone = [(id_,) for id_, path in unnamed if path not in there]
            self._db.executemany("DELETE FROM videos WHERE id = ?", gone)

    def hosts(self, part: Part) -> list[tuple[str, int]]:
        """Return the hosts of wanted videos, with their number."""
        query = (
            "SELECT host, count(*) FROM videos"  # noqa: S608  # numbers alone
            f" WHERE state = 'wanted' AND {part.sql} GROUP BY host ORDER BY min(id)"
        )
        with self._lock:
            return self._db.execute(query).fetchall()

    def wanted(self, host: str, part: Part, *, after: int, most: int) -> list[Wanted]:
        """Return the next wanted videos of a host, in the order of the lists."""
        query = (
            "SELECT id, video, url, host, path, bytes, sha256 FROM videos"  # noqa: S608  # numbers alone
            f" WHERE state = 'wanted' AND host = ? AND id > ? AND {part.sql} ORDER BY id LIMIT ?"
        )
        with self._lock:
            return [Wanted(*row) for row in self._db.execute(query, (host, after, most))]

    def sample(self, part: Part, most: int) -> list[Wanted]:
        """Return some of the wanted videos, chosen by the hash of their ids."""
        query = (
            "SELECT id, video, url, host, path, bytes, sha256 FROM videos"  # noqa: S608  # numbers alone
            f" WHERE state = 'wanted' AND {part.sql} ORDER BY bucket LIMIT ?"
        )
        with self._lock:
            return [Wanted(*row) for row in self._db.execute(query, (most,))]

    def counts(self, part: Part) -> dict[State, int]:
        """Return how many videos are in which state."""
        query = f"SELECT state, count(*) FROM videos WHERE {part.sql} GROUP BY state"  # noqa: S608  # numbers alone
        with self._lock:
            return dict(self._db.execute(query).fetchall())

    def reasons(self, part: Part) -> dict[State, str]:
        """Return what the first video of each state is in it for; states without a message are left out."""
        query = (
            f"SELECT state, message FROM videos WHERE rowid IN (SELECT min(rowid) FROM videos WHERE {part.sql} "  # noqa: S608  # numbers alone
            "AND message != '' GROUP BY state)"
        )
        with self._lock:
            return dict(self._db.execute(query).fetchall())

    def knows(self, video: str) -> bool:
        """Return whether a video is wanted, or came."""
        with self._lock:
            return self._db.execute("SELECT 1 FROM videos WHERE video = ?", (video,)).fetchone() is not None

    def unnamed(self, most: int) -> tuple[int, list[str]]:
        """Return how many videos came that no list names any more, and the paths of some."""
        with self._lock:
            count = self._db.execute("SELECT count(*) FROM videos WHERE NOT named").fetchone()[0]
            found = self._db.execute(f"SELECT {_PLACE} FROM videos WHERE NOT named ORDER BY id LIMIT ?", (most,))  # noqa: S608  # ours
            return count, [path for (path,) in found]

    def stored(self) -> int:
        """Return the bytes of all videos that are done."""
        with self._lock:
            found = self._db.execute("SELECT coalesce(sum(bytes), 0) FROM videos WHERE state = 'done'").fetchone()
        return int(found[0])

    def landing(self, wanted: Wanted, path: str, size: int, sha256: str) -> None:
        """Note what a file is that is about to get its name, so that after a kill it is known again."""
        with self._lock, self._db:
            self._db.execute(
                "UPDATE videos SET path = ?, bytes = ?, sha256 = ? WHERE id = ?", (path, size, sha256, wanted.id)
            )

    def note(self, wanted: Wanted, state: State, message: str = "", *, attempts: int = 1) -> None:
        """Note what became of a video."""
        with self._lock, self._db:
            self._db.execute(
                "UPDATE videos SET state = ?, message = ?, attempts = attempts + ?, changed_at = ? WHERE id = ?",
                (state, message[:1000], attempts, time.time(), wanted.id),
            )
