"""For the trainer of LTX-Video 2."""

from collections.abc import Iterable
from pathlib import Path

from longtake.errors import UsageError
from longtake.exports import Place, Row
from longtake.exports._text import TextFiles, to_json

VERSION = 1
SIDES = 32
FRAMES = 8


def ltx(
    rows: Iterable[Row],
    folder: Path,
    place: Place,
    sizes: Iterable[tuple[str, int, int, int]] = (),
    *,
    caption: str = "",
    check: bool = True,
) -> None:
    """LTX-2's trainer: JSON lines of `caption` and `video`, sides multiples of 32, 8n + 1 frames.

    Layout: `train/dataset.jsonl` and `train/videos/<clip>.mp4`, and the same for every other split; give
    `dataset.jsonl` to its `process_dataset.py`. Format: the page on preparing data of the trainer in
    Lightricks/LTX-2. Export with `--frames 8n+1 --sides 32`, so that files fit.

    caption: the kind of caption, as `refined` or `lvd2m.raw`; empty: the best there is.
    check: refuse files of other sizes. Turned off, any go out: the trainer's `--resolution-buckets` then scale, crop
        and shorten them, each to the nearest bucket.
    """
    if check:  # before any file is put; sizes of files that are encoded anew are known only then
        misfits = [size for size in sizes if not _fits(*size[1:])]
        if misfits:
            raise _refusal(f"{len(misfits):,} clip{' does' if len(misfits) == 1 else 's do'}n't", *misfits[0])
    with TextFiles(folder) as files:
        for row in rows:
            path = f"videos/{row.id}.mp4"
            placed = place(row, f"{row.split}/{path}")
            if check and not _fits(placed.width, placed.height, placed.frames):
                raise _refusal("a clip doesn't", row.id, placed.width, placed.height, placed.frames)
            files.write(f"{row.split}/dataset.jsonl", to_json({"caption": row.text(caption), "video": path}) + "\n")


def _fits(width: int, height: int, frames: int) -> bool:
    return not (width % SIDES or height % SIDES) and frames % FRAMES == 1


def _refusal(which: str, name: str, width: int, height: int, frames: int) -> UsageError:
    return UsageError(
        f"{which} fit LTX: {name} has {width}x{height} and {frames} frames; it wants sides that are multiples of "
        f"{SIDES} and {FRAMES}n + 1 frames. Export with --frames {FRAMES}n+1 --sides {SIDES}, or with "
        "-s check=false for files of any size"
    )
