"""For musubi-tuner, which trains HunyuanVideo, Wan, FramePack and others."""

import json
from collections.abc import Iterable
from pathlib import Path

from longtake.errors import UsageError
from longtake.exports import Place, Row
from longtake.exports._text import TextFiles, to_json, under

VERSION = 1
EXTRACTIONS = ("head", "chunk")


def musubi(
    rows: Iterable[Row],
    folder: Path,
    place: Place,
    *,
    caption: str = "",
    resolution: str = "960x544",
    target_frames: str = "25,45,81",
    frame_extraction: str = "head",
    root: str = "",
) -> None:
    """musubi-tuner (HunyuanVideo, Wan, FramePack): JSON lines of `video_path` and `caption`, and `dataset.toml`.

    Layout: `train/dataset.toml`, `train/videos/<clip>.mp4` and `train/clips_24fps.jsonl`, `train/clips_30fps.jsonl`,
    ..., and the same for every other split. Clips of each whole frame rate are a dataset of their own, 23.976 counting
    as 24: `source_fps`, by which the trainer leaves out frames to come to the model's rate, holds for a whole dataset.
    Format: the page on data set configuration of kohya-ss/musubi-tuner.

    caption: the kind of caption, as `refined` or `lvd2m.raw`; empty: the best there is.
    resolution: WIDTHxHEIGHT in pixels whose area the trainer scales to.
    target_frames: numbers of frames taken from a clip, each 4n + 1, separated by commas.
    frame_extraction: `head` takes the first frames, `chunk` cuts a clip into such pieces.
    root: the export's folder as the trainer will see it, put before each path. Empty: paths are relative to the
        split's folder, to be trained from there.
    """
    size, frames = _numbers(resolution, "x", 2, "resolution"), _numbers(target_frames, ",", 0, "target_frames")
    if wrong := [n for n in frames if n % 4 != 1]:
        raise UsageError(
            f"target_frames: {wrong[0]} is not 4n + 1, as this trainer wants; write {wrong[0] // 4 * 4 + 1}"
        )
    if frame_extraction not in EXTRACTIONS:
        raise UsageError(f"frame_extraction: {frame_extraction!r} is none of {', '.join(EXTRACTIONS)}")
    rates: dict[str, set[int]] = {}
    with TextFiles(folder) as files:
        for row in rows:
            path = f"videos/{row.id}.mp4"
            fps = max(1, round(place(row, f"{row.split}/{path}").fps))
            rates.setdefault(row.split, set()).add(fps)
            values = {"video_path": under(root, row.split, path), "caption": row.text(caption)}
            files.write(f"{row.split}/clips_{fps}fps.jsonl", to_json(values) + "\n")
        for split, found in rates.items():
            general = (
                f"[general]\nresolution = {size}\nbatch_size = 1\nenable_bucket = true\nbucket_no_upscale = true\n"
            )
            files.write(f"{split}/dataset.toml", general)
            for fps in sorted(found):
                files.write(
                    f"{split}/dataset.toml",
                    f"\n[[datasets]]\nvideo_jsonl_file = {_toml(under(root, split, f'clips_{fps}fps.jsonl'))}\n"
                    f"cache_directory = {_toml(under(root, split, f'cache_{fps}fps'))}\ntarget_frames = {frames}\n"
                    # A whole number here is an error of the trainer's.
                    f"frame_extraction = {_toml(frame_extraction)}\nsource_fps = {float(fps)}\n",
                )


def _numbers(text: str, between: str, count: int, name: str) -> list[int]:
    parts = [part.strip() for part in text.split(between)]
    if not all(part.isdecimal() and int(part) for part in parts) or (count and len(parts) != count):
        raise UsageError(f"{name}: {text!r} should be whole numbers from 1 on with {between!r} between them")
    return [int(part) for part in parts]


def _toml(text: str) -> str:
    """Return a text as a TOML string; JSON's are, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
