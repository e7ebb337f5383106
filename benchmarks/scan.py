"""What a scan costs over bare decoding: CPU and wall ratios, medians of alternating pairs, in one process.

    python benchmarks/scan.py VIDEO... [--pairs 5] [--threads 1] [--recipe lvd2m] [--json results/scan.json]
    python benchmarks/scan.py VIDEO... --profile [--recipe lvd2m] [--json results/scan-profile.json]

Bare decoding is PyAV reading every frame of the same file with the same threads and doing nothing with it. The scan
has all signals of the recipe and the preview pictures. Beside it, each signal alone: its ratio minus that of a scan
without any signal is what it adds (pictures that several signals share count for each of them).

`--profile` shows where one scan with everything spends its time instead, in ms per frame and over bare decoding: each
size of picture, each signal, and what is left; what reads memory counts where it waits for it.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # as in a worker; before numpy is loaded

import argparse
import json
import resource
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from _machine import bare, measured_on, ratios, timed
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from longtake.previews import Previews
from longtake.recipe import Recipe, load
from longtake.records import Series
from longtake.video import Frames, Signal, probe, scan
from longtake.video.pictures import Picture


@dataclass(frozen=True)
class Result:
    video: str
    about: str
    frames: int
    ratios: dict[str, dict[str, float]]


def _scan(path: Path, make: Callable[[], dict[str, Signal]], threads: int) -> None:
    scan(path, make(), threads=threads)


def _make(recipe: Recipe, *labels: str) -> dict[str, Signal]:
    return {label: recipe.signals[label].step.call(**recipe.signals[label].parameters) for label in labels}


def _everything(recipe: Recipe) -> dict[str, Signal]:
    return {**_make(recipe, *recipe.signals), "previews": Previews()}


def about(path: Path) -> tuple[str, int]:
    """Return a video in words, and its frames."""
    video = probe(path)
    return f"{video.codec} {video.width}x{video.height}, {video.fps:.2f} fps, {video.duration_s:.0f} s", video.frames


def measure(path: Path, recipe_name: str, pairs: int, threads: int) -> Result:
    recipe = load(recipe_name)
    variants: dict[str, Callable[[], dict[str, Signal]]] = {
        "everything": partial(_everything, recipe),
        "no signal": dict,
        **{label: partial(_make, recipe, label) for label in recipe.signals},
        "previews": lambda: {"previews": Previews()},
    }
    bare(path, threads)  # a warm file cache for everyone
    rows = {name: ratios(path, partial(_scan, path, make, threads), pairs, threads) for name, make in variants.items()}
    words, frames = about(path)
    return Result(path.name, words, frames, rows)


class _Clocked:
    """A signal whose CPU time is counted."""

    def __init__(self, label: str, signal: Signal, spent: dict[str, float]) -> None:
        self.label, self.signal, self.spent = label, signal, spent
        self.columns, self.tap = signal.columns, signal.tap

    def __call__(self, frames: Frames) -> Series:
        before = time.process_time()
        rows = self.signal(frames)
        self.spent[f"signal {self.label}"] += time.process_time() - before
        return rows


@contextmanager
def _clocked_pictures(spent: dict[str, float]) -> Iterator[None]:
    """Count the CPU time of making pictures, by their size and format."""
    plain = Picture.of

    def clocked(self: Picture, number: int, frame: VideoFrame) -> NDArray[np.uint8]:
        before = time.process_time()
        made = plain(self, number, frame)
        width, height = self.stored_size
        spent[f"picture {width}x{height} {self.format}"] += time.process_time() - before
        return made

    Picture.of = clocked  # type: ignore[method-assign]  # for the time of one scan
    try:
        yield
    finally:
        Picture.of = plain  # type: ignore[method-assign]  # as it was


def profile(path: Path, recipe_name: str, pairs: int) -> Result:
    """Return where a scan spends its time, each part as its median of some scans."""
    recipe = load(recipe_name)
    rounds = []
    for _ in range(pairs):
        spent: dict[str, float] = defaultdict(float)
        decode_s, _ = timed(lambda: bare(path, 1))
        walk_s, _ = timed(lambda: scan(path, {"previews": Previews()}))
        signals = {label: _Clocked(label, signal, spent) for label, signal in _everything(recipe).items()}
        with _clocked_pictures(spent):
            whole_s, _ = timed(partial(scan, path, signals))
        parts = {"everything": whole_s, "bare decoding": decode_s, "decoding in a scan, previews only": walk_s}
        rounds.append(parts | dict(spent) | {"between": whole_s - walk_s - sum(spent.values())})
    words, frames = about(path)
    medians = {name: statistics.median(parts[name] for parts in rounds) for name in rounds[0]}
    rows = {
        name: {"ms_per_frame": round(s / frames * 1000, 4), "ratio": round(s / medians["bare decoding"], 3)}
        for name, s in medians.items()
    }
    return Result(path.name, words, frames, rows)


def show_profile(results: list[Result], options: argparse.Namespace) -> None:
    """Print tables, and write them where that is asked for."""
    for result in results:
        print(f"{result.video}  ({result.about})")
        for name, row in sorted(result.ratios.items(), key=lambda item: -item[1]["ratio"]):
            print(f"  {name:<34} {row['ms_per_frame']:8.4f} ms a frame  {row['ratio']:7.3f}")
    if options.json:
        head = {**measured_on(), "pairs": options.pairs, "recipe": options.recipe}
        options.json.write_text(json.dumps({**head, "videos": [asdict(one) for one in results]}, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="Scan time over bare decoding time.")
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="decoder threads, as for one video on that many cores")
    parser.add_argument("--recipe", default="lvd2m")
    parser.add_argument("--profile", action="store_true", help="where the time goes, in one scan with everything")
    parser.add_argument("--json", type=Path, help="write the results here too")
    options = parser.parse_args()
    cv2.setNumThreads(1)  # as in a worker
    if options.profile:
        show_profile([profile(path, options.recipe, options.pairs) for path in options.videos], options)
        return
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
