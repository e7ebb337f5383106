"""Exports against a plain copy of the same files: clips and megabytes a second, and memory with many clips.

    python benchmarks/exports.py [--clips 100] [--clip-mb 2] [--many 20000] [--json results/exports.json]

Rows are made up and all their files have the same content, so that formats are measured and not a set's tables. A copy
and a format take turns, and medians of both and of their ratio are told, without waiting for the disk. Memory is the
peak of a fresh process that exports many tiny clips, beside that of one that exports few (Linux only).
"""

import argparse
import importlib
import json
import operator
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from _machine import measured_on

from longtake.exports import About, Placed, Row
from longtake.store import write_table

FORMATS = ("videofolder", "webdataset", "lance")
FEW = 500
TURNS = 7
ABOUT = About("benchmark", 'name = "none"\n', [], "longtake")


def rows(file: Path, count: int) -> Iterator[Row]:
    caption = {"step": "a", "kind": "dense", "number": 0, "start_s": 0.0, "end_s": 9.0, "model": "none"}
    for number in range(count):
        video = {"id": f"video-{number // 8:08d}", "path": f"{number // 8}.mp4", "container": "mp4"}
        clip = {"id": f"{video['id']}_{number % 8:08d}_9", "start_s": 0.0, "end_s": 9.0, "file_bytes": 0}
        scores = {f"look.score{i}": number / (i + 7) for i in range(12)}
        text = f"{number}: " + "A calm sentence of a caption, as long as they are. " * 10
        yield Row({**clip, **scores}, video, [{**caption, "text": text}] * 4, "train", file)


def export(name: str, folder: Path, clips: Iterator[Row], *, link: bool) -> None:
    """Export as the driver does; a linked file costs nothing, a copied one is what another disk costs."""

    def place(row: Row, path: str) -> Placed:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        source = Path(str(row.file))
        if link:
            target.hardlink_to(source)
        else:
            shutil.copyfile(source, target)
        return Placed(target, target.stat().st_size, 1280, 720, 24.0, 216, 9.0)

    folder.mkdir()
    call: Callable[..., None] = getattr(importlib.import_module(f"longtake.exports.{name}"), name)
    call(clips, folder, place, ABOUT, *([write_table] if name == "lance" else []))


def copy(folder: Path, file: Path, clips: int) -> None:
    folder.mkdir()
    for number in range(clips):
        shutil.copyfile(file, folder / f"{number}.mp4")


def seconds_of(work: Callable[[Path], object], folder: Path) -> float:
    begun = time.perf_counter()
    work(folder)
    took = time.perf_counter() - begun
    shutil.rmtree(folder)
    return took


def speeds(folder: Path, clips: int, megabytes: float) -> list[dict[str, Any]]:
    file = folder / "clip.mp4"
    file.write_bytes(os.urandom(int(megabytes * 1e6)))
    found = []
    for name in FORMATS:
        for link in (False, True):
            copied, took = [], []
            for _ in range(TURNS):
                copied.append(seconds_of(lambda to: copy(to, file, clips), folder / "out"))
                work = partial(export, name, clips=rows(file, clips), link=link)
                took.append(seconds_of(work, folder / "out"))
            median = statistics.median(took)
            found.append(
                {
                    "format": name,
                    "files": "linked" if link else "copied",
                    "clips_per_s": round(clips / median),
                    "mb_per_s": round(clips * megabytes / median),
                    "copy_mb_per_s": round(clips * megabytes / statistics.median(copied)),
                    "time_over_copy": round(statistics.median(map(operator.truediv, took, copied)), 2),
                }
            )
    return found


def peak(name: str, clips: int, folder: Path) -> dict[str, Any]:
    """Return what a fresh process took to export so many tiny clips."""
    command = [sys.executable, __file__, "--measure", name, "--many", str(clips), "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    shutil.rmtree(folder / "out")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def measure(name: str, clips: int, folder: Path) -> None:
    file = folder / "tiny.mp4"
    file.write_bytes(os.urandom(2000))
    begun = time.perf_counter()
    export(name, folder / "out", rows(file, clips), link=False)
    took = time.perf_counter() - begun
    status = Path("/proc/self/status").read_text()  # getrusage would count the parent, from which this was forked
    mib = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps({"mib": round(mib), "clips_per_s": round(clips / took)}))


def main() -> None:
    parser = argparse.ArgumentParser(description="Exports against a plain copy.")
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--clip-mb", type=float, default=2.0)
    parser.add_argument("--many", type=int, default=20_000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options.many, options.folder)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = speeds(folder, options.clips, options.clip_mb)
        memory = []
        for exporter in FORMATS:
            few, many = (peak(exporter, count, folder) for count in (FEW, options.many))
            memory.append(
                {
                    "format": exporter,
                    "mib_few": few["mib"],
                    "mib_many": many["mib"],
                    "clips_per_s_many": many["clips_per_s"],
                }
            )
    for row in [*found, *memory]:
        print(", ".join(f"{key} {value}" for key, value in row.items()))
    if options.json:
        head = {**measured_on(), "clips": options.clips, "clip_mb": options.clip_mb, "few": FEW, "many": options.many}
        head["versions"] |= {"pyarrow": pa.__version__}
        options.json.write_text(json.dumps({**head, "speeds": found, "memory": memory}, indent=1) + "\n")


if __name__ == "__main__":
    main()
