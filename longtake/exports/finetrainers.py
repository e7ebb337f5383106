"""For finetrainers."""

from collections.abc import Iterable
from pathlib import Path

from longtake.exports import Place, Row
from longtake.exports._text import TextFiles, on_one_line

VERSION = 1


def finetrainers(rows: Iterable[Row], folder: Path, place: Place, *, caption: str = "") -> None:
    """finetrainers: captions in `prompts.txt` and files in `videos.txt`, line by line.

    Layout: `train/prompts.txt`, `train/videos.txt` and `train/videos/<clip>.mp4`, and the same for every other split;
    `TO/train` is the data root. A newline within a caption becomes a blank, as does all else that Python takes for the
    end of a line; a clip without a caption has an empty line. Format: "Two file format" in its README on data sets of
    a-r-r-o-w/finetrainers.

    caption: the kind of caption, as `refined` or `lvd2m.raw`; empty: the best there is.
    """
    with TextFiles(folder) as files:
        for row in rows:
            path = f"videos/{row.id}.mp4"
            place(row, f"{row.split}/{path}")
            files.write(f"{row.split}/videos.txt", path + "\n")
            files.write(f"{row.split}/prompts.txt", on_one_line(row.text(caption)) + "\n")
