"""For VideoX-Fun, which trains Wan and others, and EasyAnimate."""

from collections.abc import Iterable
from pathlib import Path

from longtake.exports import Place, Row
from longtake.exports._text import TextFiles, to_json

VERSION = 1


def videox_fun(rows: Iterable[Row], folder: Path, place: Place, *, caption: str = "") -> None:
    """VideoX-Fun (Wan and others) and EasyAnimate: a JSON list of `file_path`, `text` and `type`, with sizes.

    Layout: `train/metadata.json`, an object a line, and `train/videos/<clip>.mp4`, and the same for every other split;
    set `DATASET_NAME` to `TO/train` and `DATASET_META_NAME` to the list. Format: `scripts/wan2.1/README_TRAIN.md` of
    aigc-apps/VideoX-Fun.

    caption: the kind of caption, as `refined` or `lvd2m.raw`; empty: the best there is.
    """
    with TextFiles(folder, first="[\n", between=",\n", last="\n]\n") as files:
        for row in rows:
            path = f"videos/{row.id}.mp4"
            placed = place(row, f"{row.split}/{path}")
            values = {"file_path": path, "text": row.text(caption), "type": "video"}
            sizes = {"width": placed.width, "height": placed.height}
            files.write(f"{row.split}/metadata.json", to_json(values | sizes))
