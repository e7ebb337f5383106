"""How well detectors find transitions, against exact truth: what they find, where, of which kind, and at what cost.

    python benchmarks/shots.py FOLDER [--layout bbc] [--detector change --detector content] [--json results/shots.json]

FOLDER has a set in one of the layouts of `truth.py`; without it, `dev` in the folder that LONGTAKE_FOOTAGE names.
Detectors are run by name through `longtake.find_shots`, the default one if none is named; `--predictions` judges a
file instead: {video: [boundary, ...]}, a boundary being the first frame of a new shot, [first, last] mixed frame, or
{"t": seconds}.

Two ways to match (`_match.py`), both with a tolerance of 2 frames, counts pooled over all videos:
exact: a prediction that overlaps the true span widened by 2 frames, one to one, the nearest first; a further one in
the same span is a duplicate and no false positive. The rules of the footage's own `score.py`.
ShotBench: intervals from the last frame of the old shot to the first of the new one, widened by half a frame, that
touch, in order; a further one is a false positive. `evaluate_scenes` of NVlabs/ShotBench, `evaluate_utils.py`, with
its default of 2 frames, for its table of BBC, RAI, SHOT and ClipShots; TransNetV2 and AutoShot use the same function.

`--speed` compares a detector's CPU time, decode and all, with bare decoding of the same files: alternating pairs, in
one process, medians, as `scan.py` does.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # as in a worker; before numpy is loaded

import argparse
import inspect
import json
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from _judge import Agreement, Bin, Result, Share, evaluate
from _machine import measured_on, ratios
from _match import TOLERANCE, Prediction
from _tables import show, show_costs
from truth import LAYOUTS, Truth, read

from longtake import find_shots
from longtake.errors import LongtakeError
from longtake.jobs import list_shots
from longtake.recipe import resolve

Predictions = dict[str, list[Prediction]]


def detect(truths: Sequence[Truth], detector: str, workers: int) -> Predictions:
    """Return what a detector finds in each video, by name; a video that can't be read is left out, and named."""
    found: Predictions = {}
    results = find_shots([truth.path for truth in truths], detector=detector, workers=workers)
    for truth, result in zip(truths, results, strict=True):
        if "failure" in result:
            print(f"{truth.path}: {result['failure']['message']}", file=sys.stderr)
        else:
            found[truth.name] = [prediction_of(one) for one in result["transitions"]]
    return found


def prediction_of(one: Mapping[str, Any]) -> Prediction:
    """Return a transition of longtake by its mixed frames: `end_frame` is the first purely of the new shot."""
    start, end = one["start_frame"], one["end_frame"]
    return Prediction(start, max(start, end - 1), one["kind"], one["confidence"])


def read_predictions(path: Path, truths: Iterable[Truth]) -> Predictions:
    """Read a file of predictions, named by the videos' files with or without suffix."""
    plain = {Path(name).stem: boundaries for name, boundaries in json.loads(path.read_text()).items()}
    return {truth.name: [_boundary(truth, one) for one in plain[truth.name]] for truth in truths if truth.name in plain}


def _boundary(truth: Truth, one: Any) -> Prediction:
    if isinstance(one, Mapping):
        one = truth.frame_at(one["t"])
    first, last = one if isinstance(one, Sequence) else (one, one)
    return Prediction(round(first), round(last))


def speed(truths: Iterable[Truth], detector: str, pairs: int) -> dict[str, Any]:
    """Return CPU time over bare decoding time for each video and in the median."""
    recipe = resolve({"shots": {"step": detector}}).as_dict()
    videos = {}
    for truth in truths:
        job = {"path": str(truth.path), "recipe": recipe, "threads": 1}
        work = partial(list_shots, job, lambda _: None)
        work()  # a warm file cache for everyone, and what the detector loads only once
        videos[truth.name] = ratios(truth.path, work, pairs, 1)
    whole_s = sum(row["bare_cpu_s"] for row in videos.values())
    return {
        "median_cpu_ratio": round(statistics.median(row["cpu"] for row in videos.values()), 3),
        "total_cpu_ratio": round(sum(row["cpu"] * row["bare_cpu_s"] for row in videos.values()) / whole_s, 3),
        "pairs": pairs,
        "videos": videos,
    }


def as_plain(result: Result) -> dict[str, Any]:
    """Return a result as plain data for a file, shares as `{part, of}`, numbers to four digits."""
    plain = {name: _plain(getattr(result, name)) for name in Result.__dataclass_fields__}
    plain["purity"]["interval_95"] = _plain(result.purity.interval)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, Share):
        return {"part": value.part, "of": value.whole}
    if isinstance(value, Agreement):
        shown = ("precision", "recall", "f1", *Agreement.__dataclass_fields__)
        return {name: _plain(getattr(value, name)) for name in shown}
    if isinstance(value, Bin):
        return {name: _plain(getattr(value, name)) for name in Bin.__dataclass_fields__}
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, tuple) else value


def main() -> None:
    parser = argparse.ArgumentParser(description="Transition detectors against exact truth.")
    parser.add_argument("folder", nargs="?", type=Path, help="the set; else dev in the folder LONGTAKE_FOOTAGE names")
    parser.add_argument("--layout", choices=LAYOUTS, default="dev")
    parser.add_argument("--split", default="test", help="the part of ClipShots")
    parser.add_argument("--detector", action="append", default=[], help="may be given more than once")
    parser.add_argument("--predictions", action="append", default=[], type=Path, help="a file to judge, as a detector")
    parser.add_argument("--videos", default="", help="so many first videos, or those whose name contains this")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--speed", action="store_true", help="measure the cost too")
    parser.add_argument("--pairs", type=int, default=3, help="for --speed")
    parser.add_argument("--json", type=Path, help="write the results here too")
    options = parser.parse_args()
    footage = os.environ.get("LONGTAKE_FOOTAGE", "")
    if not options.folder and not footage:
        parser.error("name the folder of the set, or set LONGTAKE_FOOTAGE")
    detectors = options.detector
    if not detectors and not options.predictions:
        detectors = [inspect.signature(find_shots).parameters["detector"].default]
    try:
        truths = read(options.folder or Path(footage, "dev"), options.layout, only=options.videos, split=options.split)
        results = {name: evaluate(truths, detect(truths, name, options.workers)) for name in detectors}
        for path in options.predictions:
            results[path.stem] = evaluate(truths, read_predictions(path, truths))
    except (LongtakeError, ValueError, OSError) as error:
        parser.error(str(error))
    show(truths, results)
    costs = {name: speed(truths, name, options.pairs) for name in detectors} if options.speed else {}
    if costs:
        show_costs(costs)
    if options.json:
        whole = {
            **measured_on(),
            "layout": options.layout,
            "videos": [truth.name for truth in truths],
            "tolerance_frames": TOLERANCE,
            "detectors": {name: as_plain(result) | {"speed": costs.get(name)} for name, result in results.items()},
        }
        options.json.write_text(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    main()
