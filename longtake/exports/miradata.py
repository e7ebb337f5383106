"""In the form of MiraData's own tables."""

from collections.abc import Iterable
from pathlib import Path

from longtake.exports import Place, Row
from longtake.exports._parts import in_time, is_whole
from longtake.exports._text import TextFiles, csv_header, span_literal, to_csv

VERSION = 1
FIELDS = ("short", "dense", "background", "main_object", "style", "camera")
COLUMNS = (
    "clip_id",
    "source",
    "video_url",
    "video_id",
    "width",
    "height",
    "fps",
    "seconds",
    "timestamp",
    "frame_number",
    "framestamp",
    "file_path",
    *(f"{field}_caption" for field in FIELDS),
)


def miradata(rows: Iterable[Row], folder: Path, place: Place, *, captioner: str = "miradata") -> None:
    """MiraData's own table, so that what reads that set reads this one.

    Layout: `train.csv` and `train/<clip_id>.mp4`, and the same for every other split. Format: version 1 of
    mira-space/MiraData, all its columns in its order.

    clip_id: the clip's id. The original's, as `7.10`, are read as numbers by careless readers, so that 7.1 and 7.10
        are one; these never are.
    source: `longtake`.
    video_url, video_id: the path that the video was read from, and its id.
    width, height: of the file.
    fps, seconds, timestamp, frame_number, framestamp: the clip in its video; the stamps are Python literals,
        `['00:06:21.300', '00:07:42.133']` and `[11439, 13864]`.
    file_path: relative to the export.
    short_caption, dense_caption, background_caption, main_object_caption, style_caption, camera_caption: the text; of
        a clip of several windows packed as the original does, here in order of time, with seconds of the clip:
        `[|||0||| 120||| TEXT |||,|||120||| 180||| TEXT |||,]`, `|||` within a text written `| | |`. Windows whose text
        was set aside are missing.

    captioner: the label of the captioner in the recipe whose captions of these six kinds are taken.
    """
    with TextFiles(folder, first=csv_header(COLUMNS)) as files:
        for row in rows:
            path = f"{row.split}/{row.id}.mp4"
            placed = place(row, path)
            clip = row.clip
            start, end = clip["start_frame"], clip["end_frame"]
            cells = [
                row.id,
                "longtake",
                row.video["path"],
                clip["video_id"],
                placed.width,
                placed.height,
                clip["fps"],
                clip["duration_s"],
                span_literal(clip["start_s"], clip["end_s"]),
                end - start,
                f"[{start}, {end}]",
                path,
                *(_text(row, f"{captioner}.{field}") for field in FIELDS),
            ]
            files.write(f"{row.split}.csv", to_csv(cells))


def _text(row: Row, kind: str) -> str:
    parts = in_time(row, kind)
    if not parts or is_whole(parts, row.clip["duration_s"]):
        return "".join(str(part["text"]) for part in parts)
    packed = (
        f"|||{_seconds(part['start_s'])}||| {_seconds(part['end_s'])}||| {part['text'].replace('|||', '| | |')} |||,"
        for part in parts
    )
    return f"[{''.join(packed)}]"


def _seconds(value: float) -> str:
    """Return whole seconds as the original has them, others to the millisecond."""
    return f"{value:.3f}".rstrip("0").rstrip(".")
