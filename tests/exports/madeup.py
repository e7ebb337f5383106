"""Rows of clips that no set has, for exporters called by themselves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from exported import captions_of, kept

from longtake.exports import About, Placed, Row
from longtake.store import Store

ABOUT = About(
    "a set",
    'name = "lvd2m"\nabout = "with ``` in it"\n',
    [
        {"rule": None, "clips": 1200, "seconds": 7200.0},
        {"rule": "duration_s >= 10", "clips": 40, "seconds": 900.0},
    ],
    "longtake 9.9",
)


def row(file: Path, number: int, *, split: str = "train", score: float | None = 0.25, text: str = "A red car.") -> Row:
    """Return a clip of a film that has ten; without a text it has no caption."""
    video = {"id": f"film-{number // 10:06d}", "path": f"/home/someone/film{number // 10}.mkv", "container": "mkv"}
    clip = {
        "id": f"{video['id']}_{number % 10:08d}_12",
        "video_id": video["id"],
        "start_s": float(number % 10),
        "end_s": number % 10 + 2.0,
        "duration_s": 2.0,
        "file_bytes": file.stat().st_size,
        "motion.mean": score,
    }
    caption = {"step": "a", "kind": "raw", "number": 0, "start_s": 0.0, "end_s": 2.0, "text": text, "model": None}
    return Row(clip, video, [caption] if text else [], split, file)


class Putter:
    """Puts files as the driver does, and counts; `more` stands for what re-encoding does to a file."""

    def __init__(self, folder: Path, more: bytes = b"") -> None:
        self.folder, self.more = folder, more
        self.made: list[str] = []
        self.bytes = 0

    def __call__(self, row: Row, path: str) -> Placed:
        target = self.folder / path
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(row.file.read_bytes() + self.more)
            self.made.append(row.id)
        self.bytes += target.stat().st_size
        return Placed(target, target.stat().st_size, 32, 16, 24.0, 48, 2.0)


def until(rows: Iterator[Row], count: int) -> Iterator[Row]:
    """Yield so many rows, then break as a killed process does."""
    for number, one in enumerate(rows):
        if number == count:
            raise KeyboardInterrupt
        yield one


def expected_of(made: Path) -> dict[str, dict[str, Any]]:
    """Return the records of a set's kept clips by id, put together a second time from its tables."""
    store = Store(made)
    films = {row["id"]: Path(row["path"]).name for row in store.read("videos").to_pylist()}
    structs = [field for field in store.columns("clips") if pa.types.is_struct(field.type)]
    scores = [(field.name, part.name) for field in structs for part in field.type]
    assert ("motion", "mean") in scores
    return {
        clip["id"]: {
            **_said(captions_of(made, clip["id"])),
            "id": clip["id"],
            "duration_s": clip["duration_s"],
            "width": clip["file_width"],
            "height": clip["file_height"],
            "fps": clip["fps"],
            "frames": clip["end_frame"] - clip["start_frame"],
            "source": {
                "video_id": clip["video_id"],
                "file": films[clip["video_id"]],
                "start_s": clip["start_s"],
                "end_s": clip["end_s"],
            },
            "scores": {f"{label}_{part}": (clip[label] or {}).get(part) for label, part in scores},
        }
        for clip in kept(made)
    }


def _said(captions: list[dict[str, Any]]) -> dict[str, Any]:
    fields = ("step", "kind", "number", "start_s", "end_s", "text", "model")
    said = [{name: caption[name] if caption[name] is not None else "" for name in fields} for caption in captions]
    kind = next(kind for kind in ("refined", "dense", "short") if any(c["kind"] == kind for c in said))
    best = [c for c in said if c["kind"] == kind]
    best = [c for c in best if c["step"] == best[0]["step"]]
    return {
        "captions": said,
        "caption": " ".join(c["text"] for c in best),
        "spans": [{name: c[name] for name in ("start_s", "end_s", "text")} for c in best],
    }
