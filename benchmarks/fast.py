"""What a fast scan saves and what it changes, against an exact one.

    python benchmarks/fast.py [VIDEO...] [--truth FOLDER] [--pairs 3] [--recipe lvd2m] [--json results/fast.json]

Cost, of each VIDEO: CPU time of the scan over bare decoding, exact and fast, medians of alternating pairs in one
process; with the share of frames that a fast scan decodes, and what a bare decode of these alone costs.

Change, on the footage with exact truth in FOLDER (`dev` in the folder that LONGTAKE_FOOTAGE names): F1 of transitions
with a tolerance of 2 frames, as `shots.py` has it, and scores of clips, each compared with the clip of the exact scan
that covers most of it. Signals that take samples see the same frames in both, so that a score changes only with the
bounds of its clip.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # as in a worker; before numpy is loaded

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from _judge import evaluate
from _machine import bare, measured_on, ratios
from shots import as_plain, prediction_of
from truth import Truth, read

from longtake.jobs import measure
from longtake.previews import Previews
from longtake.recipe import Recipe, load
from longtake.records import Series
from longtake.video import Frames, Signal, Tap, probe, scan

MODES = ("exact", "fast")
SCORES = ("motion.mean", "motion.p90", "look.luma", "look.spread", "look.sharpness")
LONG_S = 10.0
"""Clips so long are told apart: rules ask for them."""

Clips = Sequence[Mapping[str, Any]]


class _Nothing:
    """A signal that wants next to nothing of any frame, and measures nothing."""

    columns: tuple[str, ...] = ()
    tap = Tap(1, "gray", hz=0.001)

    def __call__(self, frames: Frames) -> Series:
        return Series((), np.empty(0), np.empty(0, np.int32), np.empty((0, 0), np.float32))


def cost(path: Path, recipe: Recipe, pairs: int) -> dict[str, Any]:
    """Return ratios of CPU time to bare decoding, and the share of frames that a fast scan decodes."""

    def signals(recipe: Recipe) -> dict[str, Signal]:
        made = {label: use.step.call(**use.parameters) for label, use in recipe.signals.items()}
        return {**made, "previews": Previews()}

    def look(*, fast: bool) -> None:
        scan(path, signals(recipe), fast=fast)

    bare(path, 1)  # a warm file cache for everyone
    video = probe(path)
    found = scan(path, signals(recipe), fast=True)
    seen = len(found.series["transitions"]) / video.frames
    rows = {mode: ratios(path, partial(look, fast=mode == "fast"), pairs, 1) for mode in MODES}
    rows["decoding alone"] = ratios(path, partial(scan, path, {"all": _Nothing()}, fast=True), pairs, 1)
    about = f"{video.codec} {video.width}x{video.height}, {video.fps:.2f} fps, {video.duration_s:.0f} s"
    return {"about": about, "decoded": round(seen, 3), **rows}


def change(truths: Sequence[Truth], name: str) -> dict[str, Any]:
    """Return what a fast scan finds and scores otherwise than an exact one."""
    found: dict[str, dict[str, dict[str, Any]]] = {mode: {} for mode in MODES}
    with TemporaryDirectory() as folder:
        for truth in truths:
            for mode in MODES:
                recipe = load(name, [f"scan={mode}"]).as_dict()
                job = {"path": str(truth.path), "recipe": recipe, "set": folder, "threads": 1}
                found[mode][truth.name] = measure(job, lambda _: None)
            print(".", end="", flush=True)
    print()
    result: dict[str, Any] = {}
    for mode in MODES:
        predictions = {name: [prediction_of(t) for t in one["transitions"]] for name, one in found[mode].items()}
        judged = as_plain(evaluate(truths, predictions))
        result[mode] = {part: judged[part] for part in ("exact", "purity", "takes_kept", "covered_s", "long_takes_s")}
    whole = sum(one["video"]["frames"] for one in found["exact"].values())
    seen = sum(len(one["series"]["transitions"]["times"]) for one in found["fast"].values())
    result["decoded"] = round(seen / whole, 3)
    result["equal_times"] = all(
        found["fast"][name]["series"]["frames"]["times"].tolist() == one["series"]["frames"]["times"].tolist()
        and found["fast"][name]["video"] == one["video"]
        for name, one in found["exact"].items()
    )
    for least_s in (1.0, LONG_S):
        clips = {mode: [clip for one in found[mode].values() for clip in one["clips"]] for mode in MODES}
        result[f"scores of clips of {least_s:g} s and more"] = differences(clips["exact"], clips["fast"], least_s)
    return result


def differences(exact: Clips, fast: Clips, least_s: float) -> dict[str, Any]:
    """Return how much scores differ, as shares: the median and the worst, over the clips that a fast scan gives."""
    apart: dict[str, list[float]] = {key: [] for key in SCORES}
    pairs = same = 0
    for clip in fast:
        if clip["end_s"] - clip["start_s"] < least_s:
            continue
        others = [one for one in exact if one["video_id"] == clip["video_id"]]
        best = max(others, key=lambda one: _shared_s(one, clip))
        pairs += 1
        same += (best["start_frame"], best["end_frame"]) == (clip["start_frame"], clip["end_frame"])
        for key in SCORES:
            a, b = best["scores"][key], clip["scores"][key]
            if a is not None and b is not None:
                apart[key].append(abs(b - a) / max(abs(a), 1e-3))
    shown = {
        key: {
            "median": round(statistics.median(values), 4),
            "over 2 %": sum(value > 0.02 for value in values),
            "worst": round(max(values), 4),
        }
        for key, values in apart.items()
        if values
    }
    return {"clips": pairs, "of equal bounds": same, **shown}


def _shared_s(a: Mapping[str, Any], b: Mapping[str, Any]) -> float:
    """Return the seconds that two clips share; below 0 where they lie apart."""
    return float(min(a["end_s"], b["end_s"]) - max(a["start_s"], b["start_s"]))


def main() -> None:
    parser = argparse.ArgumentParser(description="A fast scan against an exact one.")
    parser.add_argument("videos", nargs="*", type=Path, help="whose cost is measured")
    parser.add_argument("--truth", type=Path, help="footage with truth, for what changes")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--recipe", default="lvd2m")
    parser.add_argument("--json", type=Path, help="write the results here too")
    options = parser.parse_args()
    cv2.setNumThreads(1)  # as in a worker
    recipe = load(options.recipe, ["scan=fast"])
    costs = {}
    for path in options.videos:
        costs[path.name] = cost(path, recipe, options.pairs)
        print(path.name, json.dumps(costs[path.name]))
    footage = os.environ.get("LONGTAKE_FOOTAGE")
    folder = options.truth or (Path(footage, "dev") if footage else None)
    changed = change(read(folder, "dev"), options.recipe) if folder else None
    if changed:
        print(json.dumps(changed, indent=1))
    if options.json:
        whole = {**measured_on(), "recipe": options.recipe, "pairs": options.pairs, "cost": costs, "change": changed}
        options.json.write_text(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    main()
