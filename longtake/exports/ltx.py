"""For the trainer of LTX-Video 2."""

from collections.abc import Iterable
from pathlib import Path

from longtake.errors import UsageError
from longtake.exports import Place, Row
from longtake.exports._text import TextFiles, to_json

VERSION = 1
SIDES = 32
FRAMES = 8


def ltx(rows: Iterable[Row], folder: Path, place: Place, *, caption: str = "", check: bool = True) -> None:
    """LTX-2's trainer: JSON lines of `caption` and `video`, sides multiples of 32, 8n + 1 frames.

    Layout: `train/dataset.jsonl` and `train/videos/<clip>.mp4`, and the same for every other split; give
    `dataset.jsonl` to its `process_dataset.py`. Format: the page on preparing data of the trainer in
    Lightricks/LTX-2. Export with `--frames 8n+1 --sides 32`, so that files fit.

    caption: the kind of caption, as `refined` or `lvd2m.raw`; empty: the best there is.
    check: refuse files of other sizes. Turned off, any go out: the trainer's `--resolution-buckets` then scale, crop
        and shorten them, each to the nearest bucket.
    """
    count, misfits = 0, 0
    example = ""
    with TextFiles(folder) as files:
        for row in rows:
            path = f"videos/{row.id}.mp4"
            placed = place(row, f"{row.split}/{path}")
            count += 1
            if placed.width % SIDES or placed.height % SIDES or placed.frames % FRAMES != 1:
                misfits += 1
                example = example or f"{row.id} has {placed.width}x{placed.height} and {placed.frames} frames"
            files.write(f"{row.split}/dataset.jsonl", to_json({"caption": row.text(caption), "video": path}) + "\n")
    if check and misfits:
        raise UsageError(
            f"{misfits} of {count} clips don't fit LTX: {example}; it wants sides that are multiples of {SIDES} and "
            f"{FRAMES}n + 1 frames. Export with --frames {FRAMES}n+1 --sides {SIDES}, or with check=false for files of "
            "any size"
        )
