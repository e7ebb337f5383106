"""How many cuts detectors see in shots without one, whose pictures are repeated as in an animation or by a slow camera.

    python benchmarks/repeats.py FOLDER [--detector transitions ...] [--json results/repeats.json]

FOLDER is one of single-shot videos; without it, `dev/singles` in the folder that LONGTAKE_FOOTAGE names. Of every
video the first 10 s are made anew at 24 frames a second, 640 pixels wide, by x264, so that the picture is another one
only so many times a second, as animations are drawn on twos (12), threes (8) and less. Every transition is a false one.
"""

import argparse
import json
import os
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import av
import numpy as np
from _machine import measured_on

from longtake import find_shots
from longtake.records import Series
from longtake.video import Frames, Tap, scan

FPS, LASTS_S, WIDTH = 24, 10.0, 640
PER_S, CRF = (5, 8, 12, 24), (23, 30)


class _Keep:
    """Keeps the pictures of the first seconds."""

    columns: tuple[str, ...] = ()
    tap = Tap(WIDTH, "rgb24", wants=lambda time: time < LASTS_S)

    def __init__(self) -> None:
        self.pictures: list[np.ndarray] = []
        self.times: list[float] = []

    def __call__(self, frames: Frames) -> Series:
        self.pictures.extend(frames.pixels.copy())
        self.times.extend(frames.times.tolist())
        return Series((), np.empty(0), np.empty(0, np.int32), np.empty((0, 0), np.float32))


def make(source: Path, folder: Path) -> list[Path]:
    """Write the videos of one shot; return their paths."""
    seen = _Keep()
    scan(source, {"all": seen})
    times, made = np.array(seen.times), []
    for per_s in PER_S:
        wanted_s = np.floor(np.arange(0, times[-1], 1 / FPS) * per_s + 1e-6) / per_s
        shown = np.searchsorted(times, wanted_s - 1e-3)
        for crf in CRF:
            made.append(folder / f"{source.stem}-{per_s}-{crf}.mp4")
            write(made[-1], [seen.pictures[i] for i in shown], crf)
    return made


def write(path: Path, pictures: list[np.ndarray], crf: int) -> None:
    """Encode pictures as H.264."""
    height, width = (side // 2 * 2 for side in pictures[0].shape[:2])
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": str(crf), "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for picture in pictures:
            even = np.ascontiguousarray(picture[:height, :width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
        container.mux(stream.encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--detector", action="append", default=[])
    parser.add_argument("--every", type=int, default=1, help="take every so many-th video")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    footage = os.environ.get("LONGTAKE_FOOTAGE", "")
    if not options.folder and not footage:
        parser.error("name a folder of single-shot videos, or set LONGTAKE_FOOTAGE")
    sources = sorted((options.folder or Path(footage) / "dev" / "singles").iterdir())[:: options.every]
    results = {**measured_on(), "shots": len(sources), "false transitions by pictures a second": {}}
    with tempfile.TemporaryDirectory() as made, ProcessPoolExecutor(options.workers) as pool:
        parts = list(pool.map(make, sources, [Path(made)] * len(sources)))
        paths = [path for part in parts for path in part]
        for detector in options.detector or ["transitions"]:
            found, seconds = Counter[str](), 0.0
            for path, result in zip(paths, find_shots(paths, detector=detector, workers=options.workers), strict=True):
                found[path.stem.split("-")[-2]] += len(result["transitions"])
                seconds += result["duration_s"]
            each_s = round(seconds / len(PER_S))
            told = {per_s: found[str(per_s)] for per_s in PER_S}
            results["false transitions by pictures a second"][detector] = told
            results["seconds of each"] = each_s
            print(f"{detector}: in {each_s} s each,", ", ".join(f"{n} at {k} a second" for k, n in told.items()))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
