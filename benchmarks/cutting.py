"""What writing clip files costs: copied where that is exact, over encoded whole; CPU, wall and bytes.

    python benchmarks/cutting.py VIDEO... [--min-s 3] [--pairs 1] [--json results/cutting.json]

The clips are those of the recipe lvd2m that last so long, found by a scan. Each is written both ways, in turns, as a
run writes it, with the check of the whole file and the second look; and both ways without the second look. Clips of
videos that can't be copied (other codecs, no key frame inside) are encoded both ways, and count in the totals.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # as in a worker; before numpy is loaded

import argparse
import json
import statistics
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import cv2
from _machine import measured_on, timed

from longtake.jobs import measure
from longtake.recipe import Recipe, load
from longtake.records import Video
from longtake.video import ClipFile, Quality, Signal, write_clip

WAYS = {
    f"{how}, {looks}": (how == "copied", looks == "looked at")
    for how in ("encoded", "copied")
    for looks in ("looked at", "not looked at")
}


def look(recipe: Recipe) -> dict[str, Signal]:
    """Return the detector's signal, as the second look has it."""
    use = recipe.signals[recipe.shots.signal or ""]
    return {use.label: use.step.call(**use.parameters)}


def cut(video: Video, clip: Mapping[str, Any], recipe: Recipe, folder: Path, pairs: int) -> dict[str, Any]:
    """Write one clip in all ways, so many times in turns; return medians of the times, and what was written."""
    span, frames = (clip["start_s"], clip["end_s"]), clip["end_frame"] - clip["start_frame"]
    times: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    files: dict[str, ClipFile] = {}
    for _ in range(pairs):
        for way, (copy, looked_at) in WAYS.items():

            def write(way: str = way, copy: bool = copy, looked_at: bool = looked_at) -> None:
                signals = partial(look, recipe) if looked_at else dict
                target = folder / f"{copy}.mp4"
                files[way] = write_clip(video, span, frames, target, Quality(copy=copy), signals=signals)

            times[way].append(timed(write))
    made = files["copied, looked at"]
    medians = {way: [statistics.median(column) for column in zip(*took, strict=True)] for way, took in times.items()}
    return {
        "video": Path(video.path).name,
        "start_s": round(span[0], 3),
        "frames": frames,
        "copied_frames": made.copied,
        "bytes": {"encoded": files["encoded, looked at"].bytes, "copied": made.bytes},
        "cpu_s": {way: round(cpu, 3) for way, (cpu, _) in medians.items()},
        "wall_s": {way: round(wall, 3) for way, (_, wall) in medians.items()},
    }


def totals(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what all clips together took: copied over encoded."""
    if not rows:
        return {}

    def part(what: str, looks: str) -> float:
        took = {how: sum(float(row[what][f"{how}, {looks}"]) for row in rows) for how in ("encoded", "copied")}
        return round(took["copied"] / took["encoded"], 3)

    frames = sum(row["frames"] for row in rows)
    sizes = {how: sum(row["bytes"][how] for row in rows) for how in ("encoded", "copied")}
    return {
        "clips": len(rows),
        "frames": frames,
        "copied": round(sum(row["copied_frames"] for row in rows) / frames, 3),
        "cpu": part("cpu_s", "looked at"),
        "wall": part("wall_s", "looked at"),
        "cpu_without_look": part("cpu_s", "not looked at"),
        "bytes": round(sizes["copied"] / sizes["encoded"], 3),
        "encoded_ms_per_frame": round(1000 * sum(row["cpu_s"]["encoded, not looked at"] for row in rows) / frames, 2),
        "copied_ms_per_frame": round(1000 * sum(row["cpu_s"]["copied, not looked at"] for row in rows) / frames, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Clip files: copied over encoded.")
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--min-s", type=float, default=3.0)
    parser.add_argument("--pairs", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the results here too")
    options = parser.parse_args()
    cv2.setNumThreads(1)  # as in a worker
    recipe = load("lvd2m")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for path in options.videos:
            job = {"path": str(path), "set": folder, "recipe": recipe.as_dict(), "threads": 1}
            found = measure(job, lambda _: None)
            video = Video(**found["video"])
            for clip in found["clips"]:
                if clip["end_s"] - clip["start_s"] >= options.min_s:
                    rows.append(row := cut(video, clip, recipe, Path(folder), options.pairs))
                    cpu, sizes = row["cpu_s"], row["bytes"]
                    print(
                        f"{path.name} {row['start_s']:8.3f} s {row['frames']:5} frames, {row['copied_frames']} copied:"
                        f" cpu {cpu['copied, looked at'] / cpu['encoded, looked at']:.2f}, "
                        f"bytes {sizes['copied'] / sizes['encoded']:.2f}",
                        flush=True,
                    )
    summary = {"all": totals(rows), "with something copied": totals([row for row in rows if row["copied_frames"]])}
    print(json.dumps(summary, indent=1))
    if options.json:
        head = {**measured_on(), "min_s": options.min_s, "pairs": options.pairs}
        options.json.write_text(json.dumps({**head, "totals": summary, "clips": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
