"""Clips as JSON lines."""

from collections.abc import Iterable
from pathlib import Path

from longtake.exports import Place, Row
from longtake.exports._columns import read_columns, with_first
from longtake.exports._text import TextFiles, to_json

VERSION = 1


def jsonl(rows: Iterable[Row], folder: Path, place: Place, *, caption: str = "", columns: str = "") -> None:
    """One JSON object a line and clip, with all its captions and scores; null where a score was not measured.

    Layout: `train.jsonl` beside `train/<clip>.mp4`, and the same for every other split. Paths are relative to the
    export. Captions are byte for byte those of the set, newlines escaped.

    caption: the kind that the column `caption` has, as `refined` or `lvd2m.raw`; empty: the best there is.
    columns: NAME=SOURCE, separated by commas, instead of the usual columns: `video=file,text=caption:refined,
        score=motion.mean`. Sources are `id`, `file`, `caption`, `caption:KIND`, `captions` (a list of objects with
        `step`, `kind`, `number`, `start_s`, `end_s`, `text`, `model`, `frames_s`), `split`, `source`, `video_id`,
        `start_s`, `end_s`, `start_frame`, `end_frame` (in the source; where the file was cut shorter than the clip,
        times end with it), `duration_s`, `width`, `height`, `fps`, `frames`, `bytes` (of the file), `file_audio`,
        `file_transitions`, and every score.
    """
    first, rows = with_first(rows)
    wanted = read_columns(columns, first, caption=caption, captions=True)
    with TextFiles(folder) as files:
        for row in rows:
            path = f"{row.split}/{row.id}.mp4"
            placed = place(row, path)
            values = {column.name: column.get(row, placed, path) for column in wanted}
            files.write(f"{row.split}.jsonl", to_json(values) + "\n")
