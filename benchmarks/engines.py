"""What an engine costs: 1,000 short clips scanned by the local engine and by Ray on the same machine.

    python benchmarks/engines.py [--clips 1000] [--json results/engines.json]

Clips are moving noise textures, made on the spot, and each is one item: a scan with the recipe lvd2m; tiny ones, where
an engine costs most, and such as are usual. Both engines take parts of them in turn. Counted are the wall time and the
CPU time of this process and of all that it started, Ray's own processes among them, from when all workers have had an
item to the last outcome; starting is told apart.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from _machine import measured_on
from memory import make_video

from longtake.engines import Engine, Item, connect
from longtake.recipe import load

WORKERS = 2
PARTS = 5
FILES = 25
"""Different clips; each is an item again and again."""
CASES = ((320, 180, 2), (640, 360, 5))
"""Width, height and seconds of a clip."""
TICKS_PER_S = 100


def items(files: list[Path], folder: Path, number: int) -> Iterator[Item]:
    recipe = load("lvd2m").as_dict()
    for k in range(number):
        path = files[k % len(files)]
        yield Item(f"{k}", {"path": str(path), "set": str(folder), "recipe": recipe, "threads": 1})


def cpu_s() -> dict[int, float]:
    """Return the CPU seconds of this process and of all that it started and that are alive, by process."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
        pid = int(stat.parent.name)
        parents[pid], used[pid] = int(fields[1]), (int(fields[11]) + int(fields[12])) / TICKS_PER_S
    mine = {int(Path("/proc/self").resolve().name)}
    while more := {pid for pid, parent in parents.items() if parent in mine} - mine:
        mine |= more
    return {pid: used[pid] for pid in mine}


def part(engine: Engine, work: Iterator[Item], number: int) -> dict[str, float]:
    """Run some items; return the seconds until the first outcome, and seconds and CPU seconds for each one after."""
    begun = time.perf_counter()
    skipped = 2 * WORKERS
    first_s = wall = cpu = 0.0
    before: dict[int, float] = {}
    outcomes = engine.run_items("longtake.jobs:measure", work)
    for done, outcome in enumerate(outcomes, 1):
        assert not outcome.failure, outcome.failure
        if done == 1:
            first_s = time.perf_counter() - begun
        if done == skipped:
            wall, before = time.perf_counter(), cpu_s()
        if done == number:
            # What is gone by now was ending when this part began.
            wall = time.perf_counter() - wall
            cpu = sum(used - before.get(process, 0.0) for process, used in cpu_s().items())
    each = number - skipped
    return {"first_s": first_s, "wall_ms": 1000 * wall / each, "cpu_ms": 1000 * cpu / each}


def medians(parts: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(statistics.median(one[name] for one in parts), 2) for name in parts[0]}


def compare(clips: int, width: int, height: int, seconds: int) -> dict[str, Any]:
    found: Mapping[str, list[dict[str, float]]] = {"local": [], "ray": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [folder / f"{k}.mp4" for k in range(FILES)]
        for path in files:
            make_video(path, "libx264", width, height, seconds)
        begun = time.perf_counter()
        with connect("local", workers=WORKERS) as local, connect("ray", workers=WORKERS) as ray:
            start_s = time.perf_counter() - begun
            for _ in range(PARTS):
                for kind, engine in (("local", local), ("ray", ray)):
                    found[kind].append(part(engine, items(files, folder, clips // PARTS), clips // PARTS))
    pairs = list(zip(found["ray"], found["local"], strict=True))
    ratios = {
        name: round(statistics.median(ray[name] / local[name] for ray, local in pairs), 3)
        for name in ("wall_ms", "cpu_ms")
    }
    return {
        "clips": clips,
        "seconds": seconds,
        "size": f"{width}x{height}",
        "workers": WORKERS,
        "load": round(os.getloadavg()[0], 1),
        "ray_start_s": round(start_s, 2),
        "local": medians(found["local"]),
        "ray": medians(found["ray"]),
        "ray_over_local": ratios,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="What an engine costs.")
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    found = [compare(options.clips, *case) for case in CASES]
    for one in found:
        print(json.dumps(one))
    if options.json:
        options.json.write_text(json.dumps({**measured_on(), "cases": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
