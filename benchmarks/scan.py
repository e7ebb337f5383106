"""What a scan costs over bare decoding: CPU and wall ratios, medians of alternating pairs, in one process.

    python benchmarks/scan.py VIDEO... [--pairs 5] [--threads 1] [--recipe lvd2m] [--json results/scan.json]

Bare decoding is PyAV reading every frame of the same file with the same threads and doing nothing with it. The scan
has all signals of the recipe and the preview pictures. Beside it, each signal alone: its ratio minus that of a scan
without any signal is what it adds (pictures that several signals share count for each of them).
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # as in a worker; before numpy is loaded

import argparse
import json
import resource
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import cv2
from _machine import bare, measured_on, ratios

from longtake.previews import Previews
from longtake.recipe import load
from longtake.video import Signal, probe, scan


@dataclass(frozen=True)
class Result:
    video: str
    about: str
    frames: int
    ratios: dict[str, dict[str, float]]


def _scan(path: Path, make: Callable[[], dict[str, Signal]], threads: int) -> None:
    scan(path, make(), threads=threads)


def measure(path: Path, recipe_name: str, pairs: int, threads: int) -> Result:
    recipe = load(recipe_name)

    def signals(*labels: str) -> dict[str, Signal]:
        return {label: recipe.signals[label].step.call(**recipe.signals[label].parameters) for label in labels}

    variants: dict[str, Callable[[], dict[str, Signal]]] = {
        "everything": lambda: {**signals(*recipe.signals), "previews": Previews()},
        "no signal": dict,
        **{label: partial(signals, label) for label in recipe.signals},
        "previews": lambda: {"previews": Previews()},
    }
    video = probe(path)
    bare(path, threads)  # a warm file cache for everyone
    rows = {name: ratios(path, partial(_scan, path, make, threads), pairs, threads) for name, make in variants.items()}
    about = f"{video.codec} {video.width}x{video.height}, {video.fps:.2f} fps, {video.duration_s:.0f} s"
    return Result(path.name, about, video.frames, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Scan time over bare decoding time.")
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="decoder threads, as for one video on that many cores")
    parser.add_argument("--recipe", default="lvd2m")
    parser.add_argument("--json", type=Path, help="write the results here too")
    options = parser.parse_args()
    cv2.setNumThreads(1)  # as in a worker
    found = []
    for path in options.videos:
        result = measure(path, options.recipe, options.pairs, options.threads)
        found.append(result)
        print(f"{result.video}  ({result.about})")
        for name, row in result.ratios.items():
            print(f"  {name:<12} cpu {row['cpu']:.3f}  wall {row['wall']:.3f}")
    overall = statistics.median(result.ratios["everything"]["cpu"] for result in found)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"median of {len(found)} videos: {overall:.3f} times the CPU time of bare decoding")
    print(f"peak memory of this process: {peak:.0f} MiB")
    if options.json:
        head = {
            **measured_on(),
            "pairs": options.pairs,
            "threads": options.threads,
            "peak_mib": round(peak),
            "median_cpu_ratio": overall,
        }
        options.json.write_text(json.dumps({**head, "videos": [asdict(result) for result in found]}, indent=1) + "\n")


if __name__ == "__main__":
    main()
