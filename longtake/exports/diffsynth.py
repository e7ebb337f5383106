"""For DiffSynth-Studio, with which Wan models are trained."""

from collections.abc import Iterable
from pathlib import Path

from longtake.exports import Place, Row
from longtake.exports._text import TextFiles, csv_header, to_csv

VERSION = 1


def diffsynth(rows: Iterable[Row], folder: Path, place: Place, *, caption: str = "") -> None:
    """DiffSynth-Studio, with which Wan models are trained: a table of `video` and `prompt`.

    Layout: `train/metadata.csv` and `train/videos/<clip>.mp4`, and the same for every other split; train with
    `--dataset_base_path TO/train --dataset_metadata_path TO/train/metadata.csv`. Format: `UnifiedDataset` of
    modelscope/DiffSynth-Studio, which reads the table with pandas: an empty prompt comes back as NaN there, as does
    one that says only "None" or "NA".

    caption: the kind of caption, as `refined` or `lvd2m.raw`; empty: the best there is.
    """
    with TextFiles(folder, first=csv_header(["video", "prompt"])) as files:
        for row in rows:
            path = f"videos/{row.id}.mp4"
            place(row, f"{row.split}/{path}")
            files.write(f"{row.split}/metadata.csv", to_csv([path, row.text(caption)]))
