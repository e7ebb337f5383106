"""A set on an object store beside one here: time of a run, and requests to the store, in all and a commit.

    python benchmarks/objectset.py VIDEO... [--pairs 3] [--delay-ms 0] [--json results/objectset.json]

The store is an S3-protocol server of its own process on loopback; on the way to it requests and bytes are counted, and
each answer may be held back. `run`: the same videos to a set here and to one there, in alternating pairs. `again`: the
same run once more, which has nothing to do. `commit`: what twenty commits ask for, one after the other, each a video's
rows in four tables as a scan commits them. `answers`: answers of models kept one by one, and eight at a time.
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
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from _machine import measured_on

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
from objectserver import Way, make_bucket, object_server, way_to  # type: ignore[import-not-found]  # the tests' own

from longtake.captioning.answers import Answers
from longtake.places import Remote, place
from longtake.running import run
from longtake.store import Store

COMMITS = 20
ANSWERS = 80
AT_ONCE = 8
TABLES = ("shots", "clips", "failures", "videos")


def passed(way: Way) -> dict[str, Any]:
    """Return what came by since the last call, and forget it."""
    methods = Counter(one.method for one in way.passed)
    mb = sum(one.came + one.sent for one in way.passed) / 1e6
    way.passed.clear()
    return {"requests": sum(methods.values()), **dict(sorted(methods.items())), "mb": round(mb, 2)}


def timed_run(videos: list[Path], to: Path | Remote) -> float:
    begun = time.perf_counter()
    run("lvd2m", videos, to)
    return time.perf_counter() - begun


def commits(way: Way, folder: Remote) -> dict[str, Any]:
    """Return what a commit costs in a table that is there."""
    store = Store(folder)
    rows: dict[str, dict[str, Any]] = {
        "shots": {"video_id": "v", "number": 0},
        "clips": {"id": "c", "video_id": "v"},
        "failures": {"item": "i", "step": "scan"},
        "videos": {"id": "v"},
    }
    for table in TABLES:
        store.append(table, [rows[table]])
    way.passed.clear()
    begun = time.perf_counter()
    for _ in range(COMMITS):
        for table in TABLES:
            store.append(table, [rows[table]])
    seconds = (time.perf_counter() - begun) / COMMITS
    return {"tables": len(TABLES), "s": round(seconds, 4), "requests": passed(way)["requests"] / COMMITS}


def answer(number: int) -> dict[str, Any]:
    texts = ("clip_id", "video_id", "step", "question", "model", "prompt", "frames_hash", "text", "finish")
    return {"key": str(number), **dict.fromkeys(texts, "text"), "number": 0, "asked": datetime.now(UTC)}


def answers(way: Way, folder: Remote) -> dict[str, Any]:
    """Return how many answers a second are kept, and in how many objects."""
    found = {}
    with Answers(Store(folder)) as kept:
        for at_once in (1, AT_ONCE):
            way.passed.clear()
            begun = time.perf_counter()
            with ThreadPoolExecutor(at_once) as threads:
                list(threads.map(kept.add, [answer(at_once * 1000 + n) for n in range(ANSWERS)]))
            rate = ANSWERS / (time.perf_counter() - begun)
            found[str(at_once)] = {"a_second": round(rate, 1), "objects": len(way.of("PUT", "answers.journal"))}
    return {"answers": ANSWERS, "at_once": found}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", type=Path, nargs="+")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with object_server() as server, way_to(server) as way, tempfile.TemporaryDirectory() as scratch:
        os.environ |= way.environment
        make_bucket(server, "sets")
        way.delay_s = options.delay_ms / 1000
        runs: list[tuple[float, float]] = []
        for pair in range(options.pairs):
            there = place(f"s3://sets/set-{pair}")
            assert isinstance(there, Remote)
            here_s = timed_run(options.videos, Path(scratch) / f"set-{pair}")
            way.passed.clear()
            runs.append((here_s, timed_run(options.videos, there)))
            first = passed(way)
            again_s = timed_run(options.videos, there)
            again = {"s": round(again_s, 2), **passed(way)}
        found = {
            "measured_on": measured_on(),
            "videos": len(options.videos),
            "delay_ms": options.delay_ms,
            "run": {
                "here_s": round(statistics.median(here for here, _ in runs), 2),
                "there_s": round(statistics.median(there for _, there in runs), 2),
                "ratio": round(statistics.median(there / here for here, there in runs), 3),
                "pairs": len(runs),
                **first,
            },
            "again": again,
            "commit": commits(way, Remote("s3", "sets", "commits")),
            "answers": answers(way, Remote("s3", "sets", "answers")),
        }
    text = json.dumps(found, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
