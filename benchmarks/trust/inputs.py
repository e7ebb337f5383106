"""Hostile input: spoilt and crafted video files through the engine's workers, each with limits of time and memory.

    python benchmarks/trust/inputs.py [--files 10000] [--first 0] [--workers 2] [--keep FOLDER] [--json FILE]

Some thirty small sound videos are made of as many containers and codecs; file `n` is one of them, spoilt in a way that
`n` decides. Each is measured with the recipe lvd2m, and the longest clip of what comes out is written. Of every file
must come a failure with a kind, or tables that hold together and a clip file with the clip's frames. What does not is
kept in FOLDER.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))

import av
import numpy as np
from _crafted import crafted
from _machine import measured_on
from _mutate import mutant
from _seeds import make_seeds

from longtake.engines import Item, Outcome
from longtake.engines.local import run_items
from longtake.errors import VideoError
from longtake.jobs import measure, write
from longtake.recipe import load

STALL_S = 120.0
SUSPECT = ("error", "crash", "timeout")
"""Kinds that no file may come to."""


def look(job: Mapping[str, Any], progress: Any) -> dict[str, Any]:
    """Measure a file and write a clip of it, as a run does; say what doesn't hold, and the worker's memory."""
    began = time.process_time()
    said: dict[str, Any] = {"wrote": None, "problems": []}
    done = measure(job, progress)
    said["problems"] = broken(done)
    clips = sorted(done["clips"], key=lambda clip: clip["start_frame"] - clip["end_frame"])
    if clips and not said["problems"]:
        clip = {**clips[0], "transitions_at": []}
        try:
            made = write({"video": done["video"], "clip": clip, "set": job["set"], "files": {}}, progress)
        except VideoError as error:
            said["wrote"] = [error.kind, error.message]
        else:
            said["wrote"] = ["written", ""]
            path = Path(job["set"]) / made["file"]
            said["problems"] += wrong_file(path, clip)
            path.unlink()
            path.with_suffix(".jpg").unlink()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    said["damage"] = bool(done["video"]["damage"])
    said["frames"] = done["video"]["frames"]
    said["worker"] = os.getpid()
    said["rss_mib"] = pages * resource.getpagesize() >> 20
    said["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    said["cpu_s"] = time.process_time() - began
    return said


def broken(done: Mapping[str, Any]) -> list[str]:
    """Return what doesn't hold of a video's record, series, shots, transitions and clips."""
    video = done["video"]
    times = done["series"]["frames"]["times"] if "frames" in done["series"] else np.empty(0)
    end_s = video["duration_s"]
    checks = {
        "frames": len(times) == video["frames"] > 0,
        "times ascend from 0": bool(len(times) and times[0] == 0 and (np.diff(times) > 0).all()),
        "times are finite": bool(np.isfinite(times).all() and np.isfinite([end_s, video["fps"]]).all()),
        "duration": bool(len(times) and end_s >= times[-1] and end_s > 0),
        "size": video["width"] > 0 and video["height"] > 0,
        "rate": video["fps"] > 0,
    }
    for label, series in done["series"].items():
        at, frames = series["times"], series["frames"]
        checks[f"{label} ascends"] = bool((np.diff(at) > 0).all() and (np.diff(frames) > 0).all())
        checks[f"{label} inside"] = bool(len(at) == 0 or (frames[-1] < len(times) and np.isin(at, times).all()))
        checks[f"{label} is finite"] = not np.isinf(series["values"]).any()
    shots, transitions = done["shots"], done["transitions"]
    edges = [0.0, 0]
    for shot, transition in zip(shots, [*transitions, None], strict=True):
        checks["shots tile"] = checks.get("shots tile", True) and [shot["start_s"], shot["start_frame"]] == edges
        checks["shots grow"] = checks.get("shots grow", True) and shot["start_s"] < shot["end_s"]
        if transition:
            starts = [transition["start_s"], transition["start_frame"]] == [shot["end_s"], shot["end_frame"]]
            checks["transitions tile"] = checks.get("transitions tile", True) and starts
            edges = [transition["end_s"], transition["end_frame"]]
    checks["shots end"] = [shots[-1]["end_s"], shots[-1]["end_frame"]] == [end_s, len(times)]
    for clip in done["clips"]:
        start, stop = clip["start_frame"], clip["end_frame"]
        inside = 0 <= start < stop <= len(times) and clip["start_s"] == times[start]
        ends = end_s if stop == len(times) else times[min(stop, len(times) - 1)]
        checks["clips inside"] = checks.get("clips inside", True) and bool(inside and clip["end_s"] == ends)
        right = all(value is None or np.isfinite(value) for value in clip["scores"].values())
        checks["scores are finite"] = checks.get("scores are finite", True) and right
    apart = all(a["end_frame"] <= b["start_frame"] for a, b in pairwise(done["clips"]))
    return [name for name, holds in {**checks, "clips apart": apart}.items() if not holds]


def wrong_file(path: Path, clip: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a clip's file, read plainly."""
    with av.open(str(path)) as container:
        times = [float((frame.pts or 0) * (frame.time_base or 0)) for frame in container.decode(video=0)]
    wanted = clip["end_frame"] - clip["start_frame"]
    problems = [] if len(times) == wanted else [f"the file holds {len(times)} of {wanted} frames"]
    return problems + ([] if all(a < b for a, b in pairwise(times)) else ["the file's times don't ascend"])


class Tally:
    """What came of the files."""

    def __init__(self, keep: Path) -> None:
        self.keep = keep
        self.by_mutation: dict[str, Counter[str]] = defaultdict(Counter)
        self.by_seed: dict[str, Counter[str]] = defaultdict(Counter)
        self.written: Counter[str] = Counter()
        self.bad: list[dict[str, Any]] = []
        self.kinds: Counter[str] = Counter()
        self.peak_mib = 0
        self.memory: dict[int, list[int]] = defaultdict(list)
        self.cpu_s: list[float] = []
        self.crafted: dict[str, str] = {}

    def add(self, outcome: Outcome) -> None:
        """Count what came of one file, and keep the file where that is not right."""
        facts, path = outcome.item.payload, Path(outcome.item.payload["path"])
        problems: list[str] = []
        kind, message = "", ""
        if outcome.failure:
            kind, message = outcome.failure
            problems = [kind] if kind in SUSPECT and kind not in facts["may"] else []
        else:
            said = outcome.result
            kind = "used, damage told" if said["damage"] else "used"
            problems = said["problems"]
            self.peak_mib = max(self.peak_mib, said["peak_mib"])
            self.memory[said["worker"]].append(said["rss_mib"])
            self.cpu_s.append(said["cpu_s"])
            if said["wrote"]:
                self.written[said["wrote"][0]] += 1
                message = str(said["wrote"][1])
        if facts["wants"] and kind not in facts["wants"]:
            problems = [*problems, f"wanted {facts['wants']}"]
        self.kinds[kind] += 1
        self.by_mutation[facts["mutation"]][kind] += 1
        self.by_seed[facts["seed"]][kind] += 1
        if problems:
            self.bad.append({"file": path.name, "problems": problems, "kind": kind, "message": message[:300]})
            print(self.bad[-1], flush=True)
            if path.is_file() and path.stat().st_size < 1 << 24:
                self.keep.mkdir(parents=True, exist_ok=True)
                (self.keep / path.name).write_bytes(path.read_bytes())
        if facts["remove"]:
            path.unlink()
        else:
            self.crafted[path.name] = f"{kind}: {message}" if message else kind
            print(f"{path.name}: {self.crafted[path.name]}"[:200], flush=True)


def mutants(folder: Path, seeds: dict[str, bytes], numbers: range, job: Mapping[str, Any]) -> Iterator[Item]:
    """Make spoilt files as the engine asks for them."""
    for number in numbers:
        seed, mutation, data = mutant(seeds, number)
        path = folder / f"{number:06d}-{mutation}-{seed}"
        path.write_bytes(data or b"\0")
        facts = {"path": str(path), "seed": seed, "mutation": mutation, "remove": True, "wants": [], "may": []}
        yield Item(path.name, {**job, **facts})


def built(folder: Path, job: Mapping[str, Any]) -> Iterator[Item]:
    """Make crafted files as the engine asks for them."""
    for path, wants in crafted(folder):
        facts = {"path": str(path), "seed": "crafted", "mutation": path.name, "remove": False, "wants": wants}
        yield Item(path.name, {**job, **facts, "may": wants})


def main() -> None:
    parser = argparse.ArgumentParser(description="Hostile input.")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "hostile")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    tally = Tally(options.keep)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seeds = make_seeds(folder / "seeds")
        numbers = range(options.first, options.first + options.files)
        job = {"set": str(folder / "set"), "recipe": load("lvd2m").as_dict(), "threads": 1}

        def items() -> Iterator[Item]:
            yield from built(folder, job)
            yield from mutants(folder, seeds, numbers, job)

        for outcome in run_items("inputs:look", items(), workers=options.workers, stall_s=STALL_S):
            tally.add(outcome)
            if sum(tally.kinds.values()) % 500 == 0:
                print(f"{sum(tally.kinds.values())}: {dict(tally.kinds)} peak {tally.peak_mib} MiB", flush=True)
    grown = [[rows[len(rows) // 10], rows[-1]] for rows in tally.memory.values() if len(rows) > 200]
    report = {
        **measured_on(),
        "files": sum(tally.kinds.values()),
        "elapsed_s": round(time.monotonic() - began),
        "outcomes": dict(tally.kinds.most_common()),
        "clip_files": dict(tally.written.most_common()),
        "not_right": tally.bad,
        "by_mutation": {name: dict(counts.most_common()) for name, counts in sorted(tally.by_mutation.items())},
        "by_seed": {name: dict(counts.most_common()) for name, counts in sorted(tally.by_seed.items())},
        "worker_peak_mib": tally.peak_mib,
        "worker_mib_early_and_last": grown,
        "cpu_s_median_and_most": [round(float(np.median(tally.cpu_s)), 3), round(max(tally.cpu_s), 3)],
    }
    print(
        json.dumps(
            {key: report[key] for key in ("files", "elapsed_s", "outcomes", "clip_files", "not_right")}, indent=1
        )
    )
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
