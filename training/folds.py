"""Find transitions in videos cut together from the training's singles, each shot judged by a network that never saw it.

    python training/train.py SINGLES --to FOLDS --folds
    python training/folds.py FOOTAGE FOLDS --to predictions.json
    python benchmarks/shots.py FOOTAGE --predictions predictions.json

FOOTAGE holds `videos/`, `truth/*.json` (whose `shots` name the single each shot is from) and `singles/`. Around the
transition between two shots the network speaks that was trained on the groups of singles neither of them is in.
"""

import argparse
import json
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from train import GROUPS, groups

from longtake import scan
from longtake.records import Series
from longtake.shots.transitions import transitions
from longtake.signals._network import Network
from longtake.signals.transitions import Transitions

Pair = tuple[int, int]
PAIRS: list[Pair] = list(combinations(range(GROUPS), 2))


def main() -> None:
    """Read the command line, judge every video, write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("footage", type=Path)
    parser.add_argument("folds", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    asked = parser.parse_args()
    names = sorted(path.stem for path in (asked.footage / "singles").iterdir())
    group = dict(zip(names, groups(len(names)), strict=True))
    found = {}
    for path in sorted((asked.footage / "truth").glob("*.json")):
        truth = json.loads(path.read_text())
        series = judge(asked.footage / "videos" / truth["video"], truth, group, asked.folds)
        found[path.stem] = [
            {
                "first": t.start_frame,
                "last": max(t.end_frame - 1, t.start_frame),
                "kind": t.kind,
                "confidence": t.confidence,
            }
            for t in transitions(series)
        ]
        print(f"{path.stem}: {len(found[path.stem])} transitions", flush=True)
    asked.to.write_text(json.dumps(found, indent=1))


def judge(video: Path, truth: dict[str, Any], group: dict[str, int], folds: Path) -> Series:
    """Return the signal of a video, each part from the network that knows neither of its shots."""
    signals = {}
    for pair in PAIRS:
        signals[f"{pair}"] = signal = Transitions()
        signal.network = Network(folds / f"{pair[0]}-{pair[1]}.npz")
    series = scan(video, signals).series
    speaker = np.zeros(truth["frames"], np.intp)
    shots = truth["shots"]
    for this, following in pairwise(shots):
        strangers = {group[this["source"]], group[following["source"]]}
        pair = next(pair for pair in PAIRS if not strangers & set(pair))
        speaker[(this["first_frame"] + following["first_frame"]) // 2 :] = PAIRS.index(pair)
        if this is shots[0]:
            speaker[:] = PAIRS.index(pair)
    every = np.stack([series[f"{pair}"].values for pair in PAIRS])
    one = series[f"{PAIRS[0]}"]
    rows = np.arange(len(one))
    return Series(one.columns, one.times, one.frames, every[speaker[rows], rows])


if __name__ == "__main__":
    main()
