"""Videos on an object store: bytes and requests, CPU over files here, and throughput with a long way between.

    python benchmarks/objects.py VIDEO... [--delay-ms 20] [--pairs 3] [--workers 1 2 4 8] [--json results/objects.json]

The store is an S3-protocol server of its own process on loopback; on the way to it requests and bytes are counted, and
each answer may be held back. `read`: what a scan, and the writing of ten seconds of the middle as a clip, fetch of each
video; and what a scan fetches of the first video's packets many times over, as a longer one would be (demuxed only).
`cpu`: the time of a scan of the last two with all signals of the recipe over the same of a file, nothing between.
`throughput`: eight copies of the last video, listed for their shots by so many workers, over the same of files.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # as in a worker; before numpy is loaded

import argparse
import json
import statistics
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
from _machine import measured_on, timed

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
from objectserver import Way, make_bucket, object_server, way_to  # type: ignore[import-not-found]  # the tests' own

from longtake.engines import Item
from longtake.engines.local import run_items
from longtake.places import Place, Remote, place, stores
from longtake.previews import Previews
from longtake.recipe import load
from longtake.video import Quality, Signal, scan, write_clip
from longtake.video.decode import Reader

MB = 1_000_000
LONGER = (10, 40)
COPIES = 8
TIMED = 2
"""Of the last so many videos the time is compared: decoding them all many times over would take hours."""


def point_to(url: str) -> None:
    """Let all stores be reached at an address from now on."""
    os.environ |= {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": "secret"}
    os.environ["AWS_REGION"] = "us-east-1"
    stores.store.cache_clear()
    stores.settings.cache_clear()


def signals(recipe_name: str) -> dict[str, Signal]:
    recipe = load(recipe_name)
    return {label: use.step.call(**use.parameters) for label, use in recipe.signals.items()} | {"": Previews()}


def fetched(way: Way, size: int) -> dict[str, float]:
    """Return what came by since the last call, and forget it."""
    sent = sum(one.sent for one in way.passed)
    found = {"mb": round(sent / MB, 2), "requests": len(way.passed), "part": round(sent / size, 3)}
    way.clear()
    return found


def read(way: Way, path: Remote, folder: Path) -> dict[str, Any]:
    """Return what a scan and a clip of ten seconds fetch."""
    size = path.stat().st_size
    way.clear()
    video = scan(path, {}).video
    whole = fetched(way, size)
    start_s = max(0.0, video.duration_s / 2 - 5)
    found = scan(path, {})
    inside = found.times[(found.times >= start_s) & (found.times < start_s + 10)]
    way.clear()
    span = (float(inside[0]), float(inside[-1]) + 0.5 / video.fps)
    write_clip(video, span, len(inside), folder / "clip.mp4", Quality(crf=23, preset="ultrafast"))
    clip = fetched(way, size)
    return {"mb": round(size / MB, 2), "video_s": round(video.duration_s, 1), "scan": whole, "clip_of_10_s": clip}


def longer(source: Path, times: int, target: Path) -> Path:
    """Write a video's packets many times over, as one long video."""
    with av.open(str(target), "w") as out:
        with av.open(str(source)) as first:
            stream = out.add_stream_from_template(first.streams.video[0])
            base = first.streams.video[0].time_base or Fraction(1, 90_000)
            length = int((first.streams.video[0].duration or 0) + 1 / base)
        for number in range(times):
            with av.open(str(source)) as again:
                for packet in again.demux(again.streams.video[0]):
                    if packet.dts is not None and packet.pts is not None:
                        packet.pts, packet.dts = packet.pts + number * length, packet.dts + number * length
                        packet.stream = stream
                        out.mux(packet)
    return target


def demux(path: Place) -> None:
    with Reader(path) as reader:
        for _ in reader.packets():
            pass


def cpu(here: Path, there: Remote, recipe: str, pairs: int) -> dict[str, float]:
    """Return the time of a scan over a store over that of a file: medians of alternating pairs."""
    found = []
    for _ in range(pairs):
        one = timed(lambda: scan(here, signals(recipe)))
        other = timed(lambda: scan(there, signals(recipe)))
        found.append((other[0] / one[0], other[1] / one[1], one[0]))
    ratio, wall, cpu_s = (statistics.median(column) for column in zip(*found, strict=True))
    return {"cpu": round(ratio, 3), "wall": round(wall, 3), "file_cpu_s": round(cpu_s, 2)}


def listed_s(paths: list[Place], workers: int, recipe: dict[str, Any]) -> float:
    """Return how long workers take to list the shots of some videos, without their start."""
    items = [Item(str(path), {"path": str(path), "recipe": recipe, "threads": 1}) for path in paths]
    begun = 0.0
    for number, outcome in enumerate(
        run_items("longtake.jobs:list_shots", [*items[:workers], *items], workers=workers)
    ):
        assert outcome.failure is None, outcome.failure
        if number == workers - 1:
            begun = time.perf_counter()  # each has had one, and is warm
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description="What videos on an object store cost.")
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--recipe", default="lvd2m")
    parser.add_argument("--delay-ms", type=float, default=20)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--json", type=Path, help="write the results here too")
    options = parser.parse_args()
    cv2.setNumThreads(1)  # as in a worker
    results: dict[str, Any] = {**measured_on(), "recipe": options.recipe, "delay_ms": options.delay_ms}
    with object_server() as server, way_to(server) as way, tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_bucket(server, "bucket")
        point_to(way.url)
        bucket = place("s3://bucket")
        assert isinstance(bucket, Remote)
        for path in options.videos:
            (bucket / path.name).put(path)
        results["read"] = {path.name: read(way, bucket / path.name, folder) for path in options.videos}
        for times in LONGER:
            long = longer(options.videos[0], times, folder / f"{times}-times.mp4")
            (bucket / long.name).put(long)
            way.clear()
            demux(bucket / long.name)
            size = long.stat().st_size
            results["read"][long.name] = {"mb": round(size / MB, 2), "scan": fetched(way, size)}
            long.unlink()
        for name, row in results["read"].items():
            print(f"{name:<32} {row['mb']:>7.1f} MB  {row['scan']}  {row.get('clip_of_10_s', '')}")

        point_to(f"http://{server[0]}:{server[1]}")
        results["cpu"] = {
            path.name: cpu(path, bucket / path.name, options.recipe, options.pairs) for path in options.videos[-TIMED:]
        }
        for name, ratio in results["cpu"].items():
            print(f"{name:<32} cpu {ratio['cpu']:.3f}  wall {ratio['wall']:.3f}  of a file's")

        point_to(way.url)
        last = options.videos[-1]
        copies: list[Place] = [bucket / f"copies/{number}{last.suffix}" for number in range(COPIES)]
        for copy in copies:
            assert isinstance(copy, Remote)
            copy.put(last)
        recipe = load(options.recipe).as_dict()
        results["throughput"] = {}
        for workers in options.workers:
            found = []
            for _ in range(options.pairs):
                way.delay_s = 0.0
                here = listed_s([last] * COPIES, workers, recipe)
                way.delay_s = options.delay_ms / 1000
                found.append(here / listed_s(copies, workers, recipe))
            results["throughput"][workers] = round(statistics.median(found), 3)
            print(
                f"{workers} at once, {options.delay_ms:g} ms away: {results['throughput'][workers]:.3f} of files here"
            )
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
