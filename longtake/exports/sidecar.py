"""A text file beside each clip, as diffusion-pipe, ai-toolkit and others want it."""

import json
from collections.abc import Iterable
from pathlib import Path

from longtake.errors import UsageError
from longtake.exports import Place, Row
from longtake.exports._text import TextFiles, under

VERSION = 1


def sidecar(
    rows: Iterable[Row],
    folder: Path,
    place: Place,
    *,
    caption: str = "",
    toml: bool = True,
    resolution: int = 512,
    frame_buckets: str = "1,33,65,97",
    root: str = "",
) -> None:
    """diffusion-pipe, ai-toolkit, and all that takes a folder of `x.mp4` and `x.txt`.

    Layout: `train/<clip>.mp4` and `train/<clip>.txt`, and the same for every other split; with `toml` also
    `dataset-train.toml`, ... for diffusion-pipe. Texts are byte for byte those of the set, without a newline at the
    end; a clip without a caption has an empty file, which diffusion-pipe leaves out. Format: its example `dataset.toml`
    of tdrussell/diffusion-pipe.

    caption: the kind of caption, as `refined` or `lvd2m.raw`; empty: the best there is.
    toml: write diffusion-pipe's configuration, too.
    resolution: in it, the side in pixels of a square whose area it scales clips to.
    frame_buckets: in it, the lengths in frames that it cuts clips down to, separated by commas.
    root: the export's folder as the trainer will see it, put before the paths in it. Empty: they are relative, to be
        trained from the export's folder.
    """
    try:
        buckets = sorted(int(part) for part in frame_buckets.split(","))
    except ValueError:
        raise UsageError(f"frame_buckets: {frame_buckets!r} should be whole numbers, as in 1,33,65") from None
    splits: dict[str, None] = {}
    for row in rows:
        placed = place(row, f"{row.split}/{row.id}.mp4")
        placed.path.with_suffix(".txt").write_text(row.text(caption), encoding="utf-8", newline="\n")
        splits[row.split] = None
    if toml:
        with TextFiles(folder) as files:
            for split in splits:
                path = under(root, split, "").rstrip("/") if root else split
                files.write(
                    f"dataset-{split}.toml",
                    f"resolutions = [{resolution}]\nenable_ar_bucket = true\nmin_ar = 0.5\nmax_ar = 2.0\n"
                    f"num_ar_buckets = 7\nframe_buckets = {buckets}\n\n[[directory]]\n"
                    f"path = {json.dumps(path, ensure_ascii=False)}\nnum_repeats = 1\n",
                )
