"""The set's tables, on Lance: explicit schemas, small atomic commits, scores as columns. The only part that knows it.

A score `motion.mean` is field `mean` of struct column `motion`, so a rule's text is also a SQL filter on `clips`.
"""

from longtake.store.columns import one_of, score_columns
from longtake.store.indices import INDEX_FROM_ROWS
from longtake.store.reading import ROWS_AT_ONCE, ChangedError, Snapshot, Tables
from longtake.store.writing import SERIES_AT_ONCE, Store, write_table

__all__ = [
    "INDEX_FROM_ROWS",
    "ROWS_AT_ONCE",
    "SERIES_AT_ONCE",
    "ChangedError",
    "Snapshot",
    "Store",
    "Tables",
    "one_of",
    "score_columns",
    "write_table",
]
