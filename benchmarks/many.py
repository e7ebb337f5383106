"""What a run costs for each of many short videos beyond their frames, and whether memory grows with their number.

    python benchmarks/many.py [--videos 1000] [--workers 2] [--json results/many.json]

Runs of the recipe lvd2m, from files to finished tables: over a fifth of so many videos of one second, over all of them,
and over as many of five seconds (25 frames each second, 160x90, H.264; one file under many names). What grows with the
videos and not with their frames is what a video costs by itself: opening, naming, handing over, scoring, previews,
tables. What grows with neither is the start. Memory is looked at in the parent and in each worker, on the way.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from _machine import bare, measured_on, timed

SHORT_S, LONG_S = 1, 5
FIRST = 5
"""The first run has this part of the videos."""
WHO = ("parent", "workers")
FPS = 25
RUN = """
import json, os, resource, sys, time
from pathlib import Path
from longtake.running import run
from longtake.watch import Progress

page = os.sysconf("SC_PAGE_SIZE")
seen = []

def resident(process):
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * page // 1024

def watch(told):
    if isinstance(told, Progress) and told.phase == "scan" and time.monotonic() - watch.last > 0.5:
        watch.last = time.monotonic()
        workers = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        sizes = [resident(worker) for worker in workers]
        if sizes:
            seen.append((told.done, resident("self"), max(sizes)))

watch.last = 0.0
begun = time.monotonic()
run("lvd2m", [sys.argv[1]], sys.argv[2], workers=int(sys.argv[3]), watch=watch)
cpu = [sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(json.dumps({"wall_s": time.monotonic() - begun, "parent_s": cpu[0], "workers_s": cpu[1], "seen": seen}))
"""


def make_videos(folder: Path, videos: int, seconds: int) -> Path:
    """Write a short pan, and give it many names; return the file."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (12, 60, 3), np.uint8)
    wide = np.asarray(cv2.resize(small, (960, 90), interpolation=cv2.INTER_CUBIC), np.uint8)
    first = folder / "video-00000.mp4"
    with av.open(str(first), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "26"})
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for number in range(seconds * FPS):
            window = np.ascontiguousarray(wide[:, 2 * number :][:, :160])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(window, format="rgb24")))
        container.mux(stream.encode(None))
    for number in range(1, videos):
        shutil.copyfile(first, folder / f"video-{number:05}.mp4")
    return first


def measure(videos: int, seconds: int, workers: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder) / "videos"
        sources.mkdir()
        first = make_videos(sources, videos, seconds)
        decode_s = min(timed(lambda: bare(first, 1))[0] for _ in range(20))
        command = [sys.executable, "-c", RUN, str(sources), str(Path(folder) / "set"), str(workers)]
        found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
    early, late = found["seen"][len(found["seen"]) // 5], found["seen"][-1]
    memory = [
        {"videos": done, "parent_mib": round(parent / 1024), "largest_worker_mib": round(worker / 1024)}
        for done, parent, worker in (early, late)
    ]
    return {
        "videos": videos,
        "seconds": seconds,
        **{name: round(found[name], 3) for name in ("wall_s", "parent_s", "workers_s")},
        "bare_decode_ms": round(1000 * decode_s, 2),
        "memory": memory,
    }


def parts(few_s: float, many_s: float, long_s: float, videos: int) -> dict[str, float]:
    """Return what the start, a video by itself and a frame cost, in CPU time, out of what three runs took."""
    each_s = (many_s - few_s) / (videos - videos // FIRST)
    frame_s = (long_s - many_s) / (videos * (LONG_S - SHORT_S) * FPS)
    return {
        "start_s": round(many_s - each_s * videos, 2),
        "video_ms": round(1000 * (each_s - frame_s * SHORT_S * FPS), 2),
        "frame_ms": round(1000 * frame_s, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="The cost of many short videos.")
    parser.add_argument("--videos", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    cases = ((options.videos // FIRST, SHORT_S), (options.videos, SHORT_S), (options.videos, LONG_S))
    rows = [measure(videos, seconds, options.workers) for videos, seconds in cases]
    few, many, long = rows
    costs = {who: parts(few[f"{who}_s"], many[f"{who}_s"], long[f"{who}_s"], options.videos) for who in WHO}
    for row in rows:
        print(json.dumps(row))
    for who, cost in costs.items():
        print(f"{who}: {cost}")
    if options.json:
        head = {**measured_on(), "videos": options.videos, "workers": options.workers}
        options.json.write_text(json.dumps({**head, "cpu": costs, "runs": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
