"""One Lance table with the clips' videos in it."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longtake.errors import SetError
from longtake.exports import About, Place, Row
from longtake.exports._card import Tally, write_card
from longtake.exports._record import arrow_schema, fields, record, score_names

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = 1

BATCH_BYTES = 32 << 20
BATCH_CLIPS = 256

LAYOUT = """
`clips.lance` is one Lance table with a row for each clip: its `split`, `caption`, the `spans` of which that is joined,
all `captions` with their times in seconds of the file, its `scores`, its `source`, and its video.

```python
import lance

clips = lance.dataset("clips.lance")
moving = clips.to_table(columns=["id", "caption"], filter="scores.motion_mean >= 0.1")
```
"""


def lance(
    rows: Iterable[Row],
    folder: Path,
    place: Place,
    about: About,
    write_table: Callable[..., None],
    *,
    caption: str = "",
    video: bool = True,
) -> None:
    """One Lance table `clips.lance`, and `README.md`, a dataset card.

    Columns: `id`, `split`, `caption`, `spans`, `captions`, `duration_s`, `width`, `height`, `fps`, `frames`, `source`
    and `scores` as in `videofolder` (`scores.motion_mean` is `motion.mean`, in a filter too), and `video`. That is a
    blob column: a scan does not touch it, and `dataset.take_blobs("video", indices=[0])` opens videos like files, to be
    read in part. A table is written in one go, so after a kill it is begun anew; the names of the files in it are drawn
    by chance.

    caption: the kind of caption in column `caption`; empty: the best there is.
    video: whether the videos are in the table; false: they are files in `clips/`, and column `file` names them.

    Source: https://lance.org/guide/blob
    """
    tally = Tally()
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        raise SetError("there is no clip to export")
    scores = score_names(first)
    types = {"split": "string", "file": "string", **fields(scores)}
    if video:
        del types["file"]
    schema = arrow_schema(types)
    if video:
        schema = schema.append(_blob())
    work = ".work" if video else "clips"

    def batches() -> "Iterator[pa.RecordBatch]":
        import pyarrow as pa

        held: list[dict[str, Any]] = []
        size = 0
        for row in chain([first], rows):
            placed = place(row, f"{work}/{row.id}.mp4")
            made = {"split": row.split, **record(row, placed, caption, scores)}
            tally.add(row, placed, made["caption"])
            if video:
                made["video"] = placed.path.read_bytes()
                placed.path.unlink()
                size += len(made["video"])
            else:
                made["file"] = f"{work}/{row.id}.mp4"
            held.append(made)
            if size >= BATCH_BYTES or len(held) == BATCH_CLIPS:
                yield pa.RecordBatch.from_pylist(held, schema)
                held, size = [], 0
        if held:
            yield pa.RecordBatch.from_pylist(held, schema)

    table = folder / "clips.lance"
    if table.exists():  # half written before a kill
        shutil.rmtree(table)
    write_table(table, schema, batches())
    if video:
        (folder / work).rmdir()
    write_card(folder, tally, about, {}, LAYOUT)


def _blob() -> "pa.Field":
    """Return a column of large values that Lance stores apart; so marked, every version of it does."""
    import pyarrow as pa

    return pa.field("video", pa.large_binary(), metadata={"lance-encoding:blob": "true"})
