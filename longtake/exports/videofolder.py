"""Hugging Face's `videofolder`: a folder of files and a table beside them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from longtake.exports import About, Place, Row
from longtake.exports._card import Tally, write_card
from longtake.exports._record import arrow_schema, fields, record, score_names

VERSION = 1

TYPES_SEEN_IN = 8 << 20
"""`load_dataset` takes the types of a table from its first 10 MiB; this is safely within."""
AT_ONCE = 1000

LAYOUT = """
`SPLIT/{table}` has a row for each clip: its file `file_name`, its `caption`, the `spans` of which the caption is joined
and all `captions` with their times in seconds of the file, its `scores`, and its `source`.

```python
from datasets import Video, load_dataset

clips = load_dataset("{name}").cast_column("video", Video(decode=False))
```
"""


def videofolder(rows: Iterable[Row], folder: Path, place: Place, about: About, *, caption: str = "") -> None:
    """Folders that `datasets.load_dataset` reads, on the hub too: `SPLIT/*.mp4` with a table of them, and `README.md`.

    Every split has its folder, and `README.md`, a dataset card, says which: nothing is guessed by names of files, of
    which `a_test_b.mp4` alone would become the whole set. Columns: `file_name` (read as `video`), `id`, `caption`,
    `spans` (`start_s`, `end_s`, `text` of each part of the caption), `captions` (all of them: `step`, `kind`, `number`,
    `start_s`, `end_s`, `text`, `model`), `duration_s`, `width`, `height`, `fps`, `frames`, `scores` and `source`
    (`video_id`, `file`, `start_s`, `end_s`). The scores have `_` for the dot: `scores["motion_mean"]` is `motion.mean`.
    Before you publish fill in the card's licence and contact, and read the recipe in it; the address of your model
    server is left out. The hub takes 10,000 files a folder: for more use `webdataset`.

    The table is `metadata.jsonl`, or `metadata.parquet` in all splits where one of them lacks a score, or captions,
    altogether that another has: as JSON such a split has another type, and `load_dataset` refuses it.

    caption: the kind of caption in column `caption`; empty: the best there is.

    Source: https://huggingface.co/docs/datasets/video_dataset
    """
    tally = Tally()
    tables: dict[str, _Table] = {}
    scores: dict[str, str] = {}
    try:
        for row in rows:
            if row.split not in tables:
                scores = scores or score_names(row)
                tables[row.split] = _Table(folder / row.split)
            name = f"{row.id}.mp4"
            placed = place(row, f"{row.split}/{name}")
            made = {"file_name": name, **record(row, placed, caption, scores)}
            tables[row.split].write(made)
            tally.add(row, placed, made["caption"])
    finally:
        for table in tables.values():
            table.file.close()
    alike = len({frozenset(found) for table in tables.values() for found in (table.early, table.filled)}) <= 1
    if not alike:
        for table in tables.values():
            _as_parquet(table.path, {"file_name": "string", **fields(scores)})
    name = "metadata.jsonl" if alike else "metadata.parquet"
    layout = LAYOUT.format(table=name, name=about.name)
    paths = {split: f"{split}/**" for split in tables}
    write_card(folder, tally, about, paths, layout)


class _Table:
    """One split's table as it is written, and what of it would tell a reader the types."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "metadata.jsonl"
        self.path.with_suffix(".parquet").unlink(missing_ok=True)  # of a try that was killed; two tables are an error
        self.file: TextIO = self.path.open("w", encoding="utf-8", newline="\n")
        self.filled: set[str] = set()
        """Columns that are not all null or empty."""
        self.early: set[str] = set()
        """Those that are not in the first rows."""
        self._characters = 0

    def write(self, made: dict[str, Any]) -> None:
        line = json.dumps(made, ensure_ascii=False, allow_nan=False) + "\n"
        self.file.write(line)
        found = {name for name in ("spans", "captions") if made[name]}
        found |= {f"scores.{name}" for name, value in made.get("scores", {}).items() if value is not None}
        self.filled |= found
        self._characters += len(line.encode())
        if self._characters < TYPES_SEEN_IN:
            self.early |= found


def _as_parquet(path: Path, types: dict[str, Any]) -> None:
    """Write a table anew as Parquet, where the types are said."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = arrow_schema(types)
    with (
        path.open(encoding="utf-8", newline="\n") as lines,
        pq.ParquetWriter(path.with_suffix(".parquet"), schema) as to,
    ):
        rows: list[dict[str, Any]] = []
        for line in lines:
            rows.append(json.loads(line))
            if len(rows) == AT_ONCE:
                to.write_table(pa.Table.from_pylist(rows, schema))
                rows.clear()
        if rows:
            to.write_table(pa.Table.from_pylist(rows, schema))
    path.unlink()
