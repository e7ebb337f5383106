"""In the form of LVD-2M's own tables."""

from collections.abc import Iterable
from pathlib import Path

from longtake.exports import Place, Row
from longtake.exports._parts import in_time, is_whole
from longtake.exports._record import end_of
from longtake.exports._text import TextFiles, csv_header, on_one_line, span_literal, to_csv

VERSION = 1
COLUMNS = (
    "raw_caption",
    "refined_caption",
    "rewritten_caption",
    "key",
    "video_id",
    "url",
    "dataset_src",
    "orig_caption",
    "total score",
    "span",
    "video_time",
    "orig_span",
    "scene_cut",
)
HEIGHT_PX, STEP_S = 520, 0.5
"""The set's motion score is in pixels of pictures this high, from one frame to the next at 2 per second."""


def lvd2m(rows: Iterable[Row], folder: Path, place: Place, *, captioner: str = "lvd2m") -> None:
    """LVD-2M's own table, so that what reads that set reads this one.

    Layout: `train.csv` and `train/<key>.mp4`, and the same for every other split. Format: README of SilentView/LVD-2M,
    arXiv 2410.10816, all columns that it names, in its order.

    raw_caption: of a clip of one segment its text; of several `Caption 1: ...`, one a line, in order of time, newlines
        within them as blanks. Numbers count all segments: those set aside are missing.
    refined_caption, rewritten_caption: empty where the clip has none.
    key: the clip's id, so that the file is `<key>.mp4`. The original's keys have a dot, which cuts names in
        WebDataset; these have none.
    video_id, url: the video's id, and the path it was read from.
    dataset_src: `longtake`, which the original does not know.
    total score: mean flow in pixels at 520x960 and 2 frames per second: `motion.mean` x 520 x 0.5; empty where not
        measured.
    span: the clip in its video, as far as its file goes, a Python literal: `['00:00:17.759', '00:00:23.279']`.
    video_time: seconds of the clip.
    orig_caption, orig_span, scene_cut: empty; they tell of the sets that LVD-2M was drawn from.

    captioner: the label of the captioner in the recipe whose `raw`, `refined` and `rewritten` captions are taken.
    """
    with TextFiles(folder, first=csv_header(COLUMNS)) as files:
        for row in rows:
            placed = place(row, f"{row.split}/{row.id}.mp4")
            motion = row.clip.get("motion.mean")
            cells = [
                _raw(row, f"{captioner}.raw"),
                row.text(f"{captioner}.refined"),
                row.text(f"{captioner}.rewritten"),
                row.id,
                row.clip["video_id"],
                row.video["path"],
                "longtake",
                "",
                None if motion is None else motion * HEIGHT_PX * STEP_S,
                span_literal(row.clip["start_s"], end_of(row, placed)),
                placed.duration_s,
                "",
                "",
            ]
            files.write(f"{row.split}.csv", to_csv(cells))


def _raw(row: Row, kind: str) -> str:
    parts = in_time(row, kind)
    if is_whole(parts, row.clip["duration_s"]):
        return str(parts[0]["text"])
    return "\n".join(f"Caption {part['number'] + 1}: {on_one_line(part['text'])}" for part in parts)
