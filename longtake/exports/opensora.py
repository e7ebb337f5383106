"""For Open-Sora 2."""

from collections.abc import Iterable
from pathlib import Path

from longtake.exports import Place, Row
from longtake.exports._text import TextFiles, csv_header, to_csv, under

VERSION = 1
COLUMNS = ("path", "text", "num_frames", "height", "width", "aspect_ratio", "resolution", "fps")


def opensora(rows: Iterable[Row], folder: Path, place: Place, *, caption: str = "", root: str = "") -> None:
    """Open-Sora 2: a table of path, text, frames and sizes.

    Layout: `train/metadata.csv` and `train/videos/<clip>.mp4`, and the same for every other split; train with
    `--dataset.data-path TO/train/metadata.csv`. Format: the page on training and `scripts/cnv/meta.py` of
    hpcaitech/Open-Sora: `aspect_ratio` is height over width, `resolution` their product.

    caption: the kind of caption, as `refined` or `lvd2m.raw`; empty: the best there is.
    root: the export's folder as the trainer will see it, put before each path. Empty: paths are relative to the
        split's folder, to be trained from there.
    """
    with TextFiles(folder, first=csv_header(COLUMNS)) as files:
        for row in rows:
            path = f"videos/{row.id}.mp4"
            placed = place(row, f"{row.split}/{path}")
            high, wide = placed.height, placed.width
            sizes = [placed.frames, high, wide, high / wide, high * wide, round(placed.fps, 3)]
            cells = [under(root, row.split, path), row.text(caption), *sizes]
            files.write(f"{row.split}/metadata.csv", to_csv(cells))
