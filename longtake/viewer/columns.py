"""The clips of a set as columns: read once for each version of the table, and only those asked for.

A row is a clip's place in the table. What is chosen, sorted and paged is rows; only a page's clips become records.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from longtake.errors import UsageError
from longtake.steps import nearest
from longtake.store import Snapshot, Store, score_columns

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

COLUMNS_KEPT = 64
"""Half a gigabyte for 1,000,000 clips."""
ORDERS_KEPT = 8
PLACE = "place"
"""To sort by it: video by video in the order of their paths, and in order of time."""
RANDOM = "random:"
SEED_DIGITS = 18

T = TypeVar("T")


class Recent:
    """The last few things that were made, by what names them; what two ask for at a time is made once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.RLock()

    def get(self, name: Hashable, make: Callable[[], T]) -> T:
        """Return what has this name, made now unless it is there."""
        with self._lock:
            if name not in self._made:
                made = make()
                self._made[name] = made
                while len(self._made) > self._most:
                    self._made.popitem(last=False)
            self._made.move_to_end(name)
            return cast(T, self._made[name])


class Clips:
    """All clips of a set as they are in one version of the table. Whatever is read may raise `ChangedError`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._table = Snapshot(store, "clips")
        self._columns = Recent(COLUMNS_KEPT)
        self._others = Recent(ORDERS_KEPT)
        self.version = self._table.version
        self.count = self._table.rows
        self.keys = tuple(_keys(self._table.schema))
        """What rules can ask of: `duration_s`, `motion.mean`, ..."""

    def column(self, key: str) -> Floats:
        """Return the numbers of one key, shape (count,), NaN where null. Raises `UsageError` for an unknown one."""
        if key not in self.keys:
            raise UsageError(f"no score {key!r}{nearest(key, self.keys)}")
        return self._columns.get(key, lambda: score_columns(self._table.read([key]))[key])

    def read(self, column: str) -> pa.ChunkedArray:
        """Return another column of all clips."""
        return self._others.get(("read", column), lambda: self._table.read([column])[column])

    def take(self, rows: Rows, columns: Sequence[str]) -> list[dict[str, Any]]:
        """Return some columns of some clips as records."""
        found: list[dict[str, Any]] = self._table.take(rows.tolist(), columns).to_pylist() if len(rows) else []
        return found

    def owners(self) -> tuple[NDArray[np.int32], list[str]]:
        """Return for each clip the place of its video's id in a list, shape (count,), and that list."""

        def read() -> tuple[NDArray[np.int32], list[str]]:
            ids = self.read("video_id").combine_chunks().dictionary_encode()
            return np.asarray(ids.indices, np.int32), ids.dictionary.to_pylist()

        return self._others.get("owners", read)

    def with_ids(self, ids: Iterable[str]) -> Rows:
        """Return the rows of the clips with these ids, in the table's order."""
        return np.flatnonzero(self._places(pa.array(ids, pa.string())) >= 0)

    def spread(self, ids: pa.ChunkedArray, values: Floats, missing: float) -> Floats:
        """Return values of some clips, by their ids, as a column of all."""
        places = self._places(ids.combine_chunks())
        column = np.full(self.count, missing)
        column[places >= 0] = values[places[places >= 0]]
        return column

    def _places(self, ids: pa.Array) -> NDArray[np.int32]:
        """Return for each clip where it stands among some ids, -1 where it doesn't."""
        return np.asarray(pc.fill_null(pc.index_in(self.read("id"), ids), -1), np.int32)

    def of_video(self, video_id: str) -> Mask:
        """Return which clips are a video's."""
        codes, names = self.owners()
        own: Mask = codes == (names.index(video_id) if video_id in names else -1)
        return own

    def order(self, sort: str, *, descending: bool = False) -> Rows:
        """Return all rows sorted by `place`, `random:SEED` or a key, those without a number last."""
        if sort.startswith(RANDOM):
            seed = sort.removeprefix(RANDOM)
            if not (seed.isascii() and seed.isdecimal() and len(seed) <= SEED_DIGITS):
                raise UsageError(f"{sort!r}: write random:SEED, as in random:7")
            return self._others.get(sort, lambda: np.random.default_rng(int(seed)).permutation(self.count))
        place = self._others.get(PLACE, self._by_place)
        if sort == PLACE:
            return place[::-1] if descending else place
        values = self.column(sort) * (-1 if descending else 1)
        return self._others.get((sort, descending), lambda: place[np.argsort(values[place], kind="stable")])

    def _by_place(self) -> Rows:
        codes, names = self.owners()
        videos = self._store.read("videos", ["id", "path"])
        paths = dict(zip(videos["id"].to_pylist(), videos["path"].to_pylist(), strict=True))
        ranks = np.empty(len(names), np.int64)
        ranks[sorted(range(len(names)), key=lambda code: (paths.get(names[code], ""), names[code]))] = range(len(names))
        return np.lexsort((self.column("start_s"), ranks[codes])) if self.count else np.empty(0, np.int64)


def _keys(schema: pa.Schema) -> Iterable[str]:
    """Return the keys that `score_columns` gives of a table with this schema, without reading any."""
    return score_columns(schema.empty_table())
