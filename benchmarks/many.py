"""What a run costs for each of many short videos beyond their frames, and whether memory grows with their number.

    python benchmarks/many.py [--videos 1000] [--seconds 5] [--hours 0] [--workers 2] [--json results/many.json]

Runs of the recipe lvd2m, from files to finished tables: over a fifth of so many videos of one second, over all of them,
and over as many of so many seconds (10 frames each second, 160x90, H.264; one file under many names). What grows with
the videos and not with their frames is what a video costs by itself: opening, naming, handing over, scoring, previews,
tables. What grows with neither is the start. Memory is looked at in the parent and in each worker, on the way: of all
pages, and of those that are no file's; growth is that of a line through the second half of the scan.

With `--hours`, one video of so many hours is run, too (1 frame each second; ten minutes of shots of 5 to 280 s, again
and again), and its shots must be those it was made of.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from _machine import bare, measured_on, timed

from longtake.store import Store

SHORT_S = 1
FIRST = 5
"""The first run has this part of the videos."""
WHO = ("parent", "workers")
FPS = 10
SLOW_FPS = 1
"""Of the long video."""
STEP = 5
"""Pixels that the view moves by a frame."""
SHOTS_S = (5, 240, 9, 8, 7, 6, 9, 280, 8, 7, 6, 15)
"""Ten minutes of shots, again and again in the long video."""
PARTS = 10
"""Memory is told for so many parts of the scan."""
OF = ("parent_mib", "parent_own_mib", "workers_mib", "workers_own_mib", "largest_worker_mib")
"""Whose memory; `own` are pages that are no file's."""
ENOUGH = 100
"""Growth is told of so many looks at least, two a second."""
RUN = """
import json, os, resource, sys, threading, time
from pathlib import Path
from longtake.running import run
from longtake.watch import Progress

now, over = Progress("start", 0, 0, 0, 0.0, 0.0, 0.0), threading.Event()

def watch(told):
    global now
    if isinstance(told, Progress):
        now = told

def memory(process):
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    sizes = dict(line.split(":", 1) for line in lines)
    return [int(sizes[name].split()[0]) for name in ("VmRSS", "RssAnon")] if "VmRSS" in sizes else [0, 0]

def look():
    with open(sys.argv[4], "w") as seen:  # kept here, it would be growth by itself
        while not over.wait(0.5):
            workers = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
            try:
                sizes = [memory(one) for one in ("self", *workers)]
            except OSError:
                continue  # a worker has ended just now
            print(json.dumps([now.phase, now.done, now.reached_s, sizes]), file=seen)

begun = time.monotonic()
looking = threading.Thread(target=look)
looking.start()
run("lvd2m", [sys.argv[1]], sys.argv[2], workers=int(sys.argv[3]), watch=watch)
over.set()
looking.join()
cpu = [sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(json.dumps({"wall_s": time.monotonic() - begun, "parent_s": cpu[0], "workers_s": cpu[1]}))
"""


def pan(seed: int, seconds: int, fps: int) -> Iterator[av.VideoFrame]:
    """Draw a view that moves over a texture, forth and back."""
    rng = np.random.default_rng(seed)
    dark = 37 * seed % 165
    small = rng.integers(dark, dark + 90, (12, 60, 3), np.uint8)
    wide = np.asarray(cv2.resize(small, (960, 90), interpolation=cv2.INTER_CUBIC), np.uint8)
    for number in range(seconds * fps):
        at = 800 - abs(800 - STEP * number % 1600)
        yield av.VideoFrame.from_ndarray(np.ascontiguousarray(wide[:, at:][:, :160]), format="rgb24")


def encode(path: Path, shots_s: tuple[int, ...], fps: int, **more: str) -> None:
    """Write a video of pans, with more options of the encoder."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "veryfast", "crf": "26", **more})
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for seed, seconds in enumerate(shots_s):
            for picture in pan(seed, seconds, fps):
                container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def make_videos(folder: Path, videos: int, seconds: int) -> Path:
    """Write a short pan, and give it many names; return the file."""
    first = folder / "video-00000.mp4"
    encode(first, (seconds,), FPS)
    for number in range(1, videos):
        shutil.copyfile(first, folder / f"video-{number:05}.mp4")
    return first


def make_long(path: Path, hours: int) -> None:
    """Write ten minutes of shots, and join as many copies of the stream as make so many hours."""
    once = path.with_name("once.mp4")
    encode(once, SHOTS_S, SLOW_FPS, bf="0")  # so that frames are decoded in the order they are shown
    with av.open(str(once)) as piece, av.open(str(path), "w") as whole:
        stream = piece.streams.video[0]
        copy = whole.add_stream_from_template(stream)
        packets = [(bytes(p), p.pts, p.is_keyframe) for p in piece.demux(stream) if p.pts is not None]
        assert stream.time_base is not None
        each = int(sum(SHOTS_S) / stream.time_base)
        for number in range(hours * 3600 // sum(SHOTS_S)):
            for data, pts, key in packets:
                packet = av.Packet(data)
                packet.pts = packet.dts = number * each + pts
                packet.stream, packet.time_base, packet.is_keyframe = copy, Fraction(stream.time_base), key
                whole.mux(packet)
    once.unlink()


def measure(sources: Path, to: Path, workers: int) -> dict[str, Any]:
    """Run the recipe, and return what it took and how its memory went."""
    seen = to.with_suffix(".seen")
    command = [sys.executable, "-c", RUN, str(sources), str(to), str(workers), str(seen)]
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
    times = {name: round(found[name], 3) for name in ("wall_s", "parent_s", "workers_s")}
    return times | told([json.loads(line) for line in seen.read_text().splitlines()])


def told(seen: list[list[Any]]) -> dict[str, Any]:
    """Return memory in each part of the scan, its growth over the second half, and the most in each phase."""
    rows = [(videos, reached_s / 3600, *mib(sizes)) for phase, videos, reached_s, sizes in seen if phase == "scan"]
    scan = np.array([row for row in rows if row[-1]])  # once there are workers
    memory = [
        {"videos": int(part[-1, 0]), "hours": round(float(part[-1, 1]), 2)}
        | dict(zip(OF, np.median(part[:, 2:], axis=0).round(1).tolist(), strict=True))
        for part in np.array_split(scan, PARTS)
        if len(part)
    ]
    half = scan[len(scan) // 2 :]
    growth = {
        f"{name}_per_{words}": round(float(np.polyfit(half[:, axis], half[:, column], 1)[0]) * many, 2)
        for axis, many, words in ((0, 1000, "1000_videos"), (1, 24, "24_hours"))
        for column, name in enumerate(OF, 2)
        if len(half) >= ENOUGH and np.ptp(half[:, axis])
    }
    most: dict[str, dict[str, float]] = {}
    for phase, *_, sizes in seen:
        now = dict(zip(OF, mib(sizes), strict=True))
        most[phase] = {name: max(now[name], most.get(phase, now)[name]) for name in OF}
    return {"memory": memory, "growth": growth, "most": most}


def mib(sizes: list[list[int]]) -> list[float]:
    """Return in MiB what `OF` names."""
    ours, *theirs = sizes
    workers = [sum(one[k] for one in theirs) for k in (0, 1)]
    return [round(kib / 1024, 1) for kib in (*ours, *workers, max((one[0] for one in theirs), default=0))]


def many_videos(videos: int, seconds: int, workers: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder) / "videos"
        sources.mkdir()
        first = make_videos(sources, videos, seconds)
        decode_s = min(timed(lambda: bare(first, 1))[0] for _ in range(20))
        found = measure(sources, Path(folder) / "set", workers)
    return {"videos": videos, "seconds": seconds, "bare_decode_ms": round(1000 * decode_s, 2), **found}


def long_video(hours: int, workers: int) -> dict[str, Any]:
    """Run one video of so many hours, and hold its tables against what it was made of."""
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder) / "videos"
        sources.mkdir()
        make_long(sources / "long.mp4", hours)
        size = (sources / "long.mp4").stat().st_size
        found = measure(sources, Path(folder) / "set", workers)
        return {"hours": hours, "bytes": size, **check(Path(folder) / "set", hours), **found}


def check(made: Path, hours: int) -> dict[str, Any]:
    """Return what the tables say of the long video, and what of it isn't so."""
    store, wanted = Store(made), [0]
    for seconds in cycle(SHOTS_S):
        if wanted[-1] >= hours * 3600 * SLOW_FPS:
            break
        wanted.append(wanted[-1] + seconds * SLOW_FPS)
    (video,) = store.read("videos").to_pylist()
    shots = sorted(store.read("shots").to_pylist(), key=lambda shot: shot["number"])
    clips = store.read("clips").to_pylist()
    series = store.read("signals", ["video_id"]).num_rows
    spans = [(shot["start_frame"], shot["end_frame"]) for shot in shots]
    found = [0, *(end for _, end in spans)]
    wrong = {
        "frames": video["frames"] - wanted[-1],
        "duration_s": video["duration_s"] - hours * 3600,
        "cuts_missed": len(set(wanted) - set(found)),
        "cuts_too_many": len(set(found) - set(wanted)),
        "shots_that_do_not_join": sum(a[1] != b[0] for a, b in pairwise(spans)),
        "clips_over_a_cut": sum(any(c["start_frame"] < at < c["end_frame"] for at in wanted) for c in clips),
        "files_missing": sum(bool(c["kept"]) and not (made / str(c["file"])).is_file() for c in clips),
        "failures": store.count("failures"),
    }
    counts = {"shots": len(shots), "clips": len(clips), "kept": sum(bool(c["kept"]) for c in clips)}
    return {**counts, "signals": series, "captions": store.count("captions"), "wrong": wrong}


def parts(few_s: float, many_s: float, long_s: float, videos: int, seconds: int) -> dict[str, float]:
    """Return what the start, a video by itself and a frame cost, in CPU time, out of what three runs took."""
    each_s = (many_s - few_s) / (videos - videos // FIRST)
    frame_s = (long_s - many_s) / (videos * (seconds - SHORT_S) * FPS)
    return {
        "start_s": round(many_s - each_s * videos, 2),
        "video_ms": round(1000 * (each_s - frame_s * SHORT_S * FPS), 2),
        "frame_ms": round(1000 * frame_s, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="The cost of many short videos, and memory.")
    parser.add_argument("--videos", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=5, help="Length of each video of the third run.")
    parser.add_argument("--hours", type=int, default=0, help="Length of one long video, run last.")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    cases = ((options.videos // FIRST, SHORT_S), (options.videos, SHORT_S), (options.videos, options.seconds))
    rows = []
    for videos, seconds in cases:
        rows.append(many_videos(videos, seconds, options.workers))
        print(json.dumps(rows[-1]), flush=True)
    few, many, long = rows
    costs = {
        who: parts(few[f"{who}_s"], many[f"{who}_s"], long[f"{who}_s"], options.videos, options.seconds) for who in WHO
    }
    for who, cost in costs.items():
        print(f"{who}: {cost}")
    if options.hours:
        rows.append(long_video(options.hours, options.workers))
        print(json.dumps(rows[-1]), flush=True)
    if options.json:
        head = {**measured_on(), "videos": options.videos, "workers": options.workers}
        options.json.write_text(json.dumps({**head, "cpu": costs, "runs": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
