"""Whether a scan still gives the answers that it gave: keep those of one version of the code, compare another's.

    python benchmarks/answers.py FOLDER --keep KEPT [--recipe lvd2m]
    python benchmarks/answers.py FOLDER --against KEPT [--recipe lvd2m] [--json results/answers.json]

FOLDER has videos; without it, all of `dev` in the folder that LONGTAKE_FOOTAGE names. Compared are the means of motion
and look over each shot of 3 s and more, as a clip's scores are: by shots that the kept transitions make, a quarter of a
second clear of them. Differences are shares of the kept value, or of 0.01 where that is less. Of transitions, cuts and
the frames of gradual ones that one version finds and the other doesn't are counted.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # as in a worker; before numpy is loaded

import argparse
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from _machine import measured_on
from numpy.typing import NDArray

from longtake.recipe import load
from longtake.records import Series
from longtake.shots.transitions import transitions
from longtake.video import scan

COMPARED = {"motion": ("mean", "p90", "still"), "look": ("luma", "spread", "sharpness", "p05", "p50", "p95")}
SHORTEST_S = 3.0
CLEAR_S = 0.25
LEAST = 0.01
SUFFIXES = {".mp4", ".mkv", ".webm", ".mov", ".avi", ".ts"}

Answers = dict[str, Series]


def keep(path: Path, recipe_name: str) -> Answers:
    """Return what a scan answers."""
    recipe = load(recipe_name)
    labels = [label for label in (*COMPARED, "transitions") if label in recipe.signals]
    return scan(
        path, {label: recipe.signals[label].step.call(**recipe.signals[label].parameters) for label in labels}
    ).series


def write(answers: Answers, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    plain: dict[str, NDArray[Any]] = {}
    for label, series in answers.items():
        plain |= {f"{label}.columns": np.array(series.columns), f"{label}.times": series.times}
        plain |= {f"{label}.frames": series.frames, f"{label}.values": series.values}
    np.savez(path, allow_pickle=False, **plain)


def read(path: Path) -> Answers:
    with np.load(path) as stored:
        labels = {name.split(".")[0] for name in stored.files}
        return {
            label: Series(
                tuple(stored[f"{label}.columns"].tolist()),
                *(stored[f"{label}.{part}"] for part in ("times", "frames", "values")),
            )
            for label in sorted(labels)
        }


def shots(answers: Answers) -> Iterator[tuple[float, float]]:
    """Return the shots of a video, clear of transitions."""
    series = answers["transitions"]
    ends = [(one.start_s, one.end_s) for one in transitions(series)]
    last_s = float(series.times[-1])
    for (_, start_s), (end_s, _) in pairwise([(-CLEAR_S, -CLEAR_S), *ends, (last_s + CLEAR_S, last_s)]):
        if end_s - start_s >= SHORTEST_S + 2 * CLEAR_S:
            yield start_s + CLEAR_S, end_s - CLEAR_S


def differences(old: Answers, new: Answers) -> Iterator[tuple[str, float]]:
    """Return, for each column and each shot, by how much the mean moved, as a share."""
    for start_s, end_s in shots(old):
        for label, columns in COMPARED.items():
            for column in columns:
                means = []
                for series in (old[label], new[label]):
                    values = series.column(column)[(series.times >= start_s) & (series.times < end_s)]
                    means.append(float(np.nanmean(values)) if np.isfinite(values).any() else np.nan)
                if np.isfinite(means).all():
                    yield f"{label}.{column}", abs(means[1] - means[0]) / max(means[0], LEAST)


def flips(old: Answers, new: Answers) -> dict[str, int]:
    """Return how many transitions one version finds and the other doesn't, to two frames."""
    before, after = ([one.start_frame for one in transitions(answers["transitions"])] for answers in (old, new))
    lost = sum(all(abs(one - other) > 2 for other in after) for one in before)
    found = sum(all(abs(one - other) > 2 for other in before) for one in after)
    return {"kept": len(before), "lost": lost, "new": found}


def main() -> None:
    parser = argparse.ArgumentParser(description="Answers of a scan, against kept ones.")
    parser.add_argument("folder", nargs="?", type=Path, help="videos; else dev in the folder LONGTAKE_FOOTAGE names")
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--keep", type=Path, help="write the answers to this folder")
    way.add_argument("--against", type=Path, help="compare with what was kept there")
    parser.add_argument("--recipe", default="lvd2m")
    parser.add_argument("--json", type=Path, help="write the results here too")
    options = parser.parse_args()
    cv2.setNumThreads(1)  # as in a worker
    folder = options.folder or Path(os.environ.get("LONGTAKE_FOOTAGE", "."), "dev")
    videos = sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES)
    if options.keep:
        for path in videos:
            write(keep(path, options.recipe), options.keep / f"{path.stem}.npz")
        return
    moved: dict[str, list[float]] = {}
    total = {"kept": 0, "lost": 0, "new": 0}
    for path in videos:
        old, new = read(options.against / f"{path.stem}.npz"), keep(path, options.recipe)
        for column, share in differences(old, new):
            moved.setdefault(column, []).append(share)
        for name, count in flips(old, new).items():
            total[name] += count
    rows = {
        column: {
            "shots": len(shares),
            "median": round(float(np.median(shares)), 4),
            "p95": round(float(np.quantile(shares, 0.95)), 4),
            "worst": round(max(shares), 4),
            "over_2_percent": sum(share > 0.02 for share in shares),
        }
        for column, shares in moved.items()
    }
    for column, row in rows.items():
        print(f"{column:<16}", "  ".join(f"{name} {value}" for name, value in row.items()))
    print("transitions     ", "  ".join(f"{name} {value}" for name, value in total.items()))
    if options.json:
        whole = {**measured_on(), "videos": len(videos), "columns": rows, "transitions": total}
        options.json.write_text(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    main()
