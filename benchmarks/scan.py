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
import datetime
import json
import platform
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import av
import cv2

from longtake import __version__
from longtake.previews import Previews
from longtake.recipe import load
from longtake.video import Signal, probe, scan


def bare(path: Path, threads: int) -> None:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_type = "AUTO" if threads > 1 else "NONE"
        stream.codec_context.thread_count = threads
        for packet in container.demux(stream):
            for _ in packet.decode():
                pass


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return CPU and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def ratios(path: Path, make: Callable[[], dict[str, Signal]], pairs: int, threads: int) -> dict[str, float]:
    """Return the medians, over alternating pairs, of scan time over bare decoding time."""
    found = []
    for _ in range(pairs):
        decoded = timed(lambda: bare(path, threads))
        scanned = timed(lambda: scan(path, make(), threads=threads))
        found.append((scanned[0] / decoded[0], scanned[1] / decoded[1], decoded[0]))
    cpu, wall, decode_s = (statistics.median(column) for column in zip(*found, strict=True))
    return {"cpu": round(cpu, 3), "wall": round(wall, 3), "bare_cpu_s": round(decode_s, 3)}


@dataclass(frozen=True)
class Result:
    video: str
    about: str
    frames: int
    ratios: dict[str, dict[str, float]]


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
    rows = {name: ratios(path, make, pairs, threads) for name, make in variants.items()}
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
        machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
        head = {
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "machine": machine,
            "versions": {"longtake": __version__, "av": av.__version__, "ffmpeg": av.ffmpeg_version_info},
            "pairs": options.pairs,
            "threads": options.threads,
            "peak_mib": round(peak),
            "median_cpu_ratio": overall,
        }
        options.json.write_text(json.dumps({**head, "videos": [asdict(result) for result in found]}, indent=1) + "\n")


if __name__ == "__main__":
    main()
