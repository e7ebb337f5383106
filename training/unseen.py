"""How well weights find transitions in made sequences, of all frames and of some, from footage they never saw.

    python training/unseen.py SINGLES WEIGHTS.npz [WEIGHTS.npz ...] [--sequences 200]

SINGLES is a folder of single-shot videos; the same sequences are made of them for all weights, as `train.py` makes
its own. Found means within two pictures; transitions too slight for `synthesis.py` to name count neither way.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from cameras import Single, read_single
from labels import CUT, IGNORE, NONE, Labels, Pictures, Times
from synthesis import sequence

from longtake.shots.transitions import transitions
from longtake.signals._network import KINDS, Network
from longtake.signals.transitions import Transitions
from longtake.video import Frames

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))  # whose rules of matching are the ones to judge by
from _match import TOLERANCE, Prediction, match_nearest, touches
from truth import Span

LENGTH, SEED = 480, 77

Made = tuple[Pictures, Labels, Times]


def main() -> None:
    """Read the command line, make sequences, judge all weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("singles", type=Path)
    parser.add_argument("weights", type=Path, nargs="+")
    parser.add_argument("--sequences", type=int, default=200, help="of all frames, and so many of some [200]")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    singles = [read_single(path) for path in sorted(asked.singles.iterdir())]
    for name, thinned in ("all frames", 0.0), ("some frames", 1.0):
        with ProcessPoolExecutor(asked.processes) as pool:
            made = list(pool.map(partial(_make, singles, thinned), range(asked.sequences)))
        for weights in asked.weights:
            print(f"{weights}, {name}: {judge(Network(weights), made)}", flush=True)


def _make(singles: Sequence[Single], thinned: float, number: int) -> Made:
    cv2.setNumThreads(1)
    return sequence(singles, LENGTH, thinned, np.random.default_rng([SEED, round(thinned), number]))


def judge(network: Network, made: Sequence[Made]) -> str:
    """Return precision, recall and F1 over sequences in words, and what was found of each kind."""
    there, found, wrong = Counter[str](), Counter[str](), 0
    for pictures, labels, times in made:
        said, (true, unsure) = predictions(network, pictures, times), spans(labels)
        matching = match_nearest(true, said, TOLERANCE)
        there.update(one.kind for one in true)
        found.update(true[i].kind for i in matching.pairs)
        rest = set(range(len(said))) - set(matching.pairs.values()) - matching.duplicates
        wrong += sum(not any(touches(said[j], *span, TOLERANCE) for span in unsure) for j in rest)
    right = found.total()
    precision, recall = right / max(right + wrong, 1), right / max(there.total(), 1)
    f1 = 2 * right / max(right + wrong + there.total(), 1)
    kinds = ", ".join(f"{kind} {found[kind]}/{n}" for kind, n in sorted(there.items()))
    return f"F1 {f1:.4f}, precision {precision:.4f}, recall {recall:.4f}; {kinds}; {wrong} false"


def predictions(network: Network, pictures: Pictures, times: Times) -> list[Prediction]:
    """Return what is found in a sequence, as `longtake shots` would."""
    signal = Transitions()
    signal.network = network
    series = signal(Frames(times.astype(np.float64), np.arange(len(times), dtype=np.int32), pictures, last=True))
    return [Prediction(t.start_frame, max(t.start_frame, t.end_frame - 1), t.kind) for t in transitions(series)]


def spans(labels: Labels) -> tuple[list[Span], list[tuple[int, int]]]:
    """Return the transitions of a sequence, and what counts neither way: the slight ones, and those at its ends."""
    true, unsure = [], []
    for part in np.split(np.arange(len(labels)), np.flatnonzero(np.diff(labels)) + 1):
        kind, first, last = int(labels[part[0]]), int(part[0]), int(part[-1])
        if kind == IGNORE or (kind != NONE and (first == 0 or last == len(labels) - 1)):
            unsure.append((first, last))
        elif kind == CUT:
            true += [Span("cut", at, at) for at in range(first, last + 1)]
        elif kind != NONE:
            true.append(Span(KINDS[kind], first, last))
    return true, unsure


if __name__ == "__main__":
    main()
