"""How well the signal `signature` tells one place from another by the cosine of two shots, beside two plain vectors.

    python benchmarks/similarity.py [FOOTAGE] [--folds FOLDER] [--speed VIDEO] [--json results/similarity.json]

FOOTAGE holds `singles/`, `videos/` and `truth/`; without it, `dev` in the folder that LONGTAKE_FOOTAGE names. Pairs:
singles: two seconds of a video that holds one shot, with others of it a second or more later, and with those of every
other video. Each video counts the same, and each pair of videos.
composed: the shots of videos that were cut together from the singles; one place are those from one single.
edited: the shots of films, places found by eye, with one another and with those of other films; and only neighbours.
altered: a picture with itself, changed in one way.

The signal's matrices were fitted on the singles. With `--folds`, made by `training/signature.py`, pairs of singles
and composed pairs are judged by matrices that know neither shot. `edited` was never fitted on. Numbers:
auc: how often a pair of one place is more alike than a pair of two. recall and false_alarms: the share of the pairs
of one place, and of two places, above a mark. precision: at even odds, recall over recall and false alarms. roc:
recall at a share of false alarms, and the mark that gives it.
The plain vectors: the root of a histogram of RGB in 512 cells, and 8x8 gray pixels less their mean.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # as in a worker; before numpy is loaded

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from _machine import bare, measured_on, timed
from _pairs import METHODS, Judge, Pairs, altered, composed, edited, singles
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray
from truth import read

from longtake.records import Series
from longtake.signals.signature import Signature
from longtake.video import probe, scan
from longtake.video.decode import Reader
from longtake.video.scan import Frames, fit_size

MARKS = (0.8, 0.85)
RATES = (0.001, 0.01, 0.05)
"""Shares of false alarms at which recall is told, whatever mark gives them."""
GAPS_S = ((1.0, 3.0), (3.0, 8.0), (8.0, 60.0))


def measure(pairs: Pairs) -> dict[str, Any]:
    """Return what the cosines of pairs are worth, by method."""
    same, weights, gaps = np.array(pairs.same), np.array(pairs.weights), np.array(pairs.gaps_s)
    found: dict[str, Any] = {"one_place": int(same.sum()), "two_places": int((~same).sum())}
    for method in METHODS:
        cosines = np.array(pairs.cosines[method])
        row = rate(cosines, same, weights)
        near = {f"{low:g} to {high:g} s": same & (gaps >= low) & (gaps < high) for low, high in GAPS_S}
        row["recall_by_gap"] = {
            name: {str(mark): _share(cosines > mark, weights, which) for mark in MARKS}
            for name, which in near.items()
            if which.any()
        }
        found[method] = row
    return found


def rate(cosines: NDArray[np.float64], same: NDArray[np.bool_], weights: NDArray[np.float64]) -> dict[str, Any]:
    """Return the area under the curve, points of it, and what the marks give; pairs of a kind sum to 1."""
    w = np.where(same, weights / weights[same].sum(), weights / weights[~same].sum())
    order = np.argsort(-cosines, kind="stable")
    recall, alarms = np.cumsum((w * same)[order]), np.cumsum((w * ~same)[order])
    points = {}
    for most in RATES:
        last = int(np.searchsorted(alarms, most + 1e-9)) - 1
        points[str(most)] = {"recall": round(float(recall[last]), 4), "mark": round(float(cosines[order][last]), 3)}
    marks = {}
    for mark in MARKS:
        found, wrong = _share(cosines > mark, weights, same), _share(cosines > mark, weights, ~same)
        precision = round(found / (found + wrong), 4) if found + wrong else None
        marks[str(mark)] = {"recall": found, "false_alarms": wrong, "precision": precision}
    area = float(np.sum((w * ~same)[order] * recall))
    return {"auc": round(area, 4), "marks": marks, "roc": points}


def _share(yes: NDArray[np.bool_], weights: NDArray[np.float64], which: NDArray[np.bool_]) -> float:
    return round(float(weights[which & yes].sum() / weights[which].sum()), 4)


def alter(paths: Sequence[Path], judge: Judge) -> dict[str, Any]:
    """Return, for each change, the median and the lowest tenth of the cosines, and the share above 0.8, by method."""
    seen = [altered(path, judge) for path in paths]
    found: dict[str, Any] = {}
    for change in seen[0]:
        found[change] = {}
        for method in METHODS:
            values = np.array([one[change][method] for one in seen])
            low, middle = np.quantile(values, [0.1, 0.5])
            above = float((values > MARKS[0]).mean())
            found[change][method] = {"median": round(middle, 3), "tenth": round(low, 3), "above_0.8": round(above, 3)}
    return found


class Timed:
    """The signal, and the CPU seconds it took."""

    columns, tap = Signature.columns, Signature.tap

    def __init__(self) -> None:
        self.signature = Signature()
        self.spent_s = 0.0

    def __call__(self, frames: Frames) -> Series:
        """Measure one block."""
        start = time.process_time()
        series = self.signature(frames)
        self.spent_s += time.process_time() - start
        return series


def cost(path: Path, turns: int) -> dict[str, Any]:
    """Return the CPU seconds of bare decoding, of scaling for the signal and of the signal itself: medians.

    Their sum is too small beside the decode to be seen in the difference of two scans on a machine with other work.
    """
    found = []
    size = fit_size(Signature.tap.size, (probe(path).width, probe(path).height))
    for _ in range(turns):
        signal, scaler, due_s, scaling_s = Timed(), VideoReformatter(), 0.0, 0.0
        scan(path, {"signature": signal})
        with Reader(path) as reader:
            for time_s, frame in reader:
                if time_s >= due_s - 5e-4:
                    due_s += 0.5
                    area = partial(scaler.reformat, frame, *size, "rgb24", interpolation=Interpolation.AREA, threads=1)
                    scaling_s += timed(area)[0]
        found.append((timed(lambda: bare(path, 1))[0], scaling_s, signal.spent_s))
    decode_s, scaling_s, signal_s = np.median(found, axis=0).tolist()
    share = (scaling_s + signal_s) / decode_s
    seconds = {"bare_cpu_s": decode_s, "scaling_cpu_s": scaling_s, "signal_cpu_s": signal_s, "over_bare": share}
    return {"video": path.name, "turns": turns, **{name: round(value, 4) for name, value in seconds.items()}}


def show(results: Mapping[str, Any]) -> None:
    """Print the sets of pairs, then what alterations do."""
    for name, found in results["sets"].items():
        print(f"\n{name}: {found['one_place']} pairs of one place, {found['two_places']} of two")
        print(f"  {'':<16}auc     recall/alarms > 0.80   recall/alarms > 0.85   recall at 0.1 %, 1 %, 5 % (mark)")
        for method in METHODS:
            row = found[method]
            marks = "   ".join(f"{m['recall']:.3f} / {m['false_alarms']:.4f}    " for m in row["marks"].values())
            points = "  ".join(f"{p['recall']:.3f} ({p['mark']:.2f})" for p in row["roc"].values())
            print(f"  {method:<16}{row['auc']:.4f}  {marks}  {points}")
            if method == "all" and row["recall_by_gap"]:
                gaps = ", ".join(
                    f"{gap}: {r['0.8']:.3f} and {r['0.85']:.3f}" for gap, r in row["recall_by_gap"].items()
                )
                print(f"  {'':<16}recall by gap: {gaps}")
    print("\naltered: median cosine, and share above 0.8")
    for change, row in results["altered"].items():
        print(f"  {change:<24}" + "  ".join(f"{m} {row[m]['median']:.2f} {row[m]['above_0.8']:.2f}" for m in METHODS))


def main() -> None:
    parser = argparse.ArgumentParser(description="How well the signature tells one place from another.")
    parser.add_argument("footage", nargs="?", type=Path, help="else dev in the folder LONGTAKE_FOOTAGE names")
    parser.add_argument("--folds", type=Path, help="what `training/signature.py --folds` wrote")
    parser.add_argument("--speed", type=Path, help="measure the cost on this video too")
    parser.add_argument("--turns", type=int, default=5, help="for --speed")
    parser.add_argument("--json", type=Path, help="write the results here too")
    options = parser.parse_args()
    if not options.footage and not os.environ.get("LONGTAKE_FOOTAGE"):
        parser.error("name the folder of the footage, or set LONGTAKE_FOOTAGE")
    cv2.setNumThreads(1)  # as in a worker
    footage = options.footage or Path(os.environ["LONGTAKE_FOOTAGE"], "dev")
    judge = Judge(options.folds)
    truths = read(footage)
    sources = {t.name: json.loads((footage / "truth" / f"{t.name}.json").read_text())["shots"] for t in truths}
    rows = {truth.name: judge.see(truth.path) for truth in truths}
    paths = sorted((footage / "singles").iterdir())
    films = [truth for truth in truths if not sources[truth.name]]
    sets = {
        "singles": singles({path.stem: judge.see(path) for path in paths}, judge),
        "composed": composed(rows, [truth for truth in truths if sources[truth.name]], sources, judge),
        "edited": edited(rows, films, neighbours=False),
        "edited, neighbours": edited(rows, films, neighbours=True),
    }
    whole = {
        **measured_on(),
        "held_out": bool(options.folds),
        "sets": {name: measure(pairs) for name, pairs in sets.items()},
        "altered": alter(paths, judge),
    }
    show(whole)
    if options.speed:
        whole["cost"] = cost(options.speed, options.turns)
        print(f"\ncost: {whole['cost']}")
    if options.json:
        options.json.write_text(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    main()
