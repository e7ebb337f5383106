"""Joining sets with signals: seconds, and memory that does not grow with the number of videos.

    python benchmarks/merging.py [--videos 1000 10000] [--minutes 10] [--json results/merging.json]

Two made-up sets of so many videos together: one clip a minute, and for every video four signals with 24 rows a second
and one number a row, random, so that nothing can be packed. Each measurement is a process of its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from _machine import measured_on

from longtake.merging import merge_sets
from longtake.recipe import Recipe, load
from longtake.store import Store

SIGNALS = 4
FPS = 24
AT_ONCE = 50


def make(folder: Path, recipe: Recipe, names: list[str], minutes: int) -> None:
    """Write a made-up set."""
    rng = np.random.default_rng(len(names))
    store = Store(folder)
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text(recipe.to_toml(), encoding="utf-8")
    times = np.arange(minutes * 60 * FPS) / FPS
    frames = np.arange(len(times), dtype=np.int32)
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        facts = {"step": "motion", "version": 1, "parameters": {}}
        store.add_signals(
            [
                {"video_id": name, "key": f"{k}", "label": f"{k}", **facts}
                | {
                    "series": {
                        "columns": ("x",),
                        "times": times,
                        "frames": frames,
                        "values": rng.random((len(times), 1)),
                    }
                }
                for name in some
                for k in range(SIGNALS)
            ]
        )
        clips = [(name, minute) for name in some for minute in range(minutes)]
        store.append(
            "clips",
            [
                {
                    "id": f"{name}_{minute:08d}_{minute:08d}",
                    "video_id": name,
                    "start_s": minute * 60.0,
                    "duration_s": 50.0,
                }
                for name, minute in clips
            ],
        )
        store.append("shots", [{"video_id": name, "number": minute} for name, minute in clips])
        store.append("videos", [{"id": name, "path": f"/{name}.mp4", "duration_s": minutes * 60.0} for name in some])
    store.compact()


def measure(parts: list[Path], to: Path) -> None:
    begun, wall = time.process_time(), time.perf_counter()
    done = merge_sets(parts, to)
    told = {
        "videos": done.videos,
        "wall_s": round(time.perf_counter() - wall, 1),
        "cpu_s": round(time.process_time() - begun, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(told))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--videos", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--merge", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.merge:
        measure([options.merge / "1", options.merge / "2"], options.merge / "set")
        return
    recipe = load("lvd2m", ["select.keep=['duration_s >= 1']"])
    found: list[dict[str, Any]] = []
    for videos in options.videos:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            names = [f"film-{number:010x}" for number in range(videos)]
            for part in (1, 2):
                make(folder / f"{part}", recipe, names[part - 1 :: 2], options.minutes)
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            command = [sys.executable, __file__, "--merge", temporary]
            said = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
            found.append(json.loads(said.splitlines()[-1]) | {"signals_mb": size // 1_000_000})
            print(found[-1], flush=True)
    if options.json:
        head = measured_on() | {"minutes": options.minutes}
        options.json.write_text(json.dumps(head | {"sets": found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
