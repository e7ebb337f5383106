"""Levels of a large set: seconds to find and to apply their rules, and memory.

    python benchmarks/levels.py [--clips 200000] [--json results/levels.json]

The set's tables are made up: 20 clips a video, three joined cuts in each clip, scores at random. Told are medians of
several calls in one process, by the clock and of all cores' work, for a machine that does other things takes longer.
"""

import argparse
import json
import resource
import statistics
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import lance
import numpy as np
import pyarrow as pa
from _machine import measured_on, timed

from longtake.levels import make_levels
from longtake.schemas import SCHEMAS
from longtake.select_set import read_rules, select_set
from longtake.store import Store

TURNS = 7
CLIPS_A_VIDEO = 20
SCORES = {
    "motion": ("mean", "median", "p10", "p90", "still"),
    "look": ("luma", "spread", "sharpness", "border"),
    "light": ("brightest80", "darkest80"),
}


def make_set(folder: Path, clips: int) -> None:
    rng = np.random.default_rng(0)
    (folder / "recipe.toml").write_text('[select]\nkeep = ["duration_s >= 12"]\n')
    videos = [f"video-{number // CLIPS_A_VIDEO:09d}" for number in range(clips)]
    inside = {"kind": "cut", "start_s": 9.5, "end_s": 9.5, "start_frame": 228, "end_frame": 228, "confidence": 0.5}
    known = {
        "id": [f"{video}_{number:08d}_00000000" for number, video in enumerate(videos)],
        "video_id": videos,
        "duration_s": rng.exponential(40, clips),
        "transitions_at": [[inside] * 3] * clips,
    }
    schema = SCHEMAS["clips"]
    columns = [pa.array(known[f.name], f.type) if f.name in known else pa.nulls(clips, f.type) for f in schema]
    table = pa.Table.from_arrays(columns, schema=schema)
    for label, parts in SCORES.items():
        scores = pa.StructArray.from_arrays([pa.array(rng.random(clips)) for _ in parts], list(parts))
        table = table.append_column(label, scores)
    lance.write_dataset(table, str(folder / "clips.lance"))
    rows = [{"id": name, "path": f"/films/{name}.mp4"} for name in sorted(set(videos))]
    Store(folder).append("videos", rows)


def medians(times_s: list[tuple[float, float]]) -> dict[str, float]:
    cpu, wall = (statistics.median(column) for column in zip(*times_s, strict=True))
    return {"s": round(wall, 3), "cpu_s": round(cpu, 3)}


def _select(folder: Path, rules: Path) -> object:
    return select_set(folder, read_rules(rules))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clips", type=int, default=200_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "set")
        folder.mkdir()
        make_set(folder, options.clips)
        levels_s, selects_s = [], []
        for turn in range(TURNS):
            levels_s.append(timed(partial(make_levels, folder, to=Path(temporary, f"levels-{turn}"))))
            rules = Path(temporary, f"levels-{turn}", "level-4.toml")
            selects_s.append(timed(partial(_select, folder, rules)))
        done = make_levels(folder)
    found: dict[str, Any] = {
        **measured_on(),
        "clips": options.clips,
        "pool": done.clips,
        "kept": [{"share": level.share, "clips": level.clips} for level in done.levels],
        "levels": medians(levels_s),
        "select_rules": medians(selects_s),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    text = json.dumps(found, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
