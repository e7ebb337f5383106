"""Train the transition network on sequences made from single-shot videos, and write its weights.

    python training/train.py SINGLES --thinned 0 --to FIRST
    python training/train.py SINGLES --from FIRST --to longtake/signals/transitions.npz
    python training/train.py SINGLES --to FOLDER --folds

SINGLES is a folder of videos that hold one shot each, such as `gather.py` makes. Needs `torch` beside longtake's own
packages; no GPU. Weights shipped came about in several such calls (docs/transitions.md). `--folds` trains instead one
network for each pair of four groups of singles, on that pair alone: two shots of different groups were then both unseen
by the network trained on the other two, which is how `training/folds.py` judges on videos that are cut together from
the same singles.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import torch
from cameras import Single, drawn_single, read_single
from export import export
from labels import CUT, HEIGHT, IGNORE, NONE, WIDTH, Labels, Times
from network import Network
from numpy.typing import NDArray
from restore import restore
from synthesis import sequence
from torch.nn import functional

LENGTH, BATCH, PART = 160, 16, 250
WEIGHTS = (1.0, 3.0, 1.5, 1.5, 1.5)
"""By kind: cuts are one frame long."""
RATE, DECAY, SEED = 2e-3, 1e-2, 0
STEPS, FURTHER_STEPS, FURTHER = 6000, 3600, 0.5
"""Steps of a training from nothing, of one that begins with weights, and its share of the learning rate."""
THINNED, SEEN_FIRST = 0.4, 96
"""Share of sequences that frames are left out of; sequences that say what norms do in weights to begin with."""
GROUPS, DRAWN = 4, 0.1
"""Into so many groups singles are divided for `--folds`; so many drawings are added, as a share of the singles."""

Pictures = NDArray[np.uint8]


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("singles", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--sequences", type=int, default=14000, help="how many to make [14000]")
    parser.add_argument("--thinned", type=float, default=THINNED, help=f"share that frames are left out of [{THINNED}]")
    parser.add_argument("--steps", type=int, help=f"of {BATCH} sequences each [{STEPS}, {FURTHER_STEPS} with --from]")
    parser.add_argument("--from", type=Path, dest="first", help="weights to begin with")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folds", action="store_true")
    asked = parser.parse_args()
    singles = [read_single(path) for path in sorted(asked.singles.iterdir())]
    if not asked.folds:
        train_one(singles, asked.to, asked)
        return
    asked.to.mkdir(parents=True, exist_ok=True)
    for pair in combinations(range(GROUPS), 2):
        chosen = [single for single, group in zip(singles, groups(len(singles)), strict=True) if group in pair]
        name = "-".join(str(group) for group in pair)
        train_one(chosen, asked.to / f"{name}.npz", asked)


def groups(n: int) -> list[int]:
    """Return the group of each of n singles in the order of their names: neighbours may show the same place."""
    return [k * GROUPS // n for k in range(n)]


def train_one(singles: Sequence[Single], to: Path, asked: argparse.Namespace) -> None:
    """Make sequences, train on them, write the weights."""
    print(f"{to}: {asked.sequences} sequences from {len(singles)} singles")
    pictures, labels, times = make_sequences(singles, asked.sequences, asked.thinned, asked.processes)
    torch.manual_seed(SEED)
    torch.set_num_threads(asked.processes)
    network, steps, peak = Network(), asked.steps or STEPS, RATE
    if asked.first:
        some = [torch.from_numpy(values[:SEEN_FIRST]) for values in (pictures, times)]
        restore(network, asked.first, *some)
        steps, peak = asked.steps or FURTHER_STEPS, FURTHER * RATE
    network.train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=peak, weight_decay=DECAY)
    weights, begun, mean = torch.tensor(WEIGHTS), time.monotonic(), 0.0
    for step, (x, y, t) in enumerate(batches(pictures, labels, times, steps)):
        rate = peak * min(1.0, (step + 1) / 100) * 0.5 * (1 + np.cos(np.pi * step / steps))
        for group in optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(torch.from_numpy(x), torch.from_numpy(t)).float()
        loss = functional.cross_entropy(
            logits.flatten(0, 1), torch.from_numpy(y).flatten(), weight=weights, ignore_index=IGNORE
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        mean += (loss.item() - mean) / min(step + 1, 100)
        if (step + 1) % 100 == 0:
            print(f"step {step + 1} of {steps}, loss {mean:.4f}, {time.monotonic() - begun:.0f} s", flush=True)
    network.eval()
    export(network, to, asked.first)


def make_sequences(singles: Sequence[Single], n: int, thinned: float, processes: int) -> tuple[Pictures, Labels, Times]:
    """Return n sequences, shape (n, LENGTH, HEIGHT, WIDTH, 3), their labels and times, shape (n, LENGTH)."""
    pictures = np.empty((n, LENGTH, HEIGHT, WIDTH, 3), np.uint8)
    labels = np.empty((n, LENGTH), np.int64)
    times = np.empty((n, LENGTH), np.float32)
    random = np.random.default_rng(SEED)
    drawn = [drawn_single(random) for _ in range(round(DRAWN * len(singles)))]
    singles = [*singles, *drawn]
    with ProcessPoolExecutor(processes, initializer=_begin, initargs=(singles,)) as pool:
        parts = pool.map(partial(_make_part, n, thinned), range(0, n, PART))
        for start, (x, y, t) in zip(range(0, n, PART), parts, strict=True):
            pictures[start : start + PART], labels[start : start + PART], times[start : start + PART] = x, y, t
    return pictures, labels, times


def _begin(singles: Sequence[Single]) -> None:
    """Begin a process: it is told the singles once, not with every part."""
    cv2.setNumThreads(1)
    _singles.extend(singles)


_singles: list[Single] = []


def _make_part(n: int, thinned: float, start: int) -> tuple[Pictures, Labels, Times]:
    random = np.random.default_rng([SEED, start])
    made = [sequence(_singles, LENGTH, thinned, random) for _ in range(min(PART, n - start))]
    return np.stack([x for x, _, _ in made]), np.stack([y for _, y, _ in made]), np.stack([t for _, _, t in made])


def batches(pictures: Pictures, labels: Labels, times: Times, steps: int) -> Iterator[tuple[Pictures, Labels, Times]]:
    """Yield batches of sequences, mirrored, reversed and recoloured at random."""
    random = np.random.default_rng(SEED)
    for _ in range(steps):
        chosen = random.integers(0, len(pictures), BATCH)
        varied = [vary(pictures[k], labels[k], times[k], random) for k in chosen]
        x, y, t = (np.stack(part) for part in zip(*varied, strict=True))
        yield x, y, t


def vary(x: Pictures, y: Labels, t: Times, random: np.random.Generator) -> tuple[Pictures, Labels, Times]:
    """Return a sequence as it might also have been."""
    if random.random() < 0.5:
        x = x[:, :, ::-1]
    if random.random() < 0.3:
        x = x[:, ::-1]
    if random.random() < 0.5:
        x, y, t = x[::-1], y[::-1], t[-1] - t[::-1]
        # A cut is the first frame of the new shot: played backwards, that is one frame later.
        cuts, ignored = (np.flatnonzero(y[:-1] == label) + 1 for label in (CUT, IGNORE))
        y = np.where(y == CUT, NONE, y)
        y[cuts], y[ignored] = CUT, IGNORE
    if random.random() < 0.3:
        x = x[..., random.permutation(3)]
    if random.random() < 0.15:
        x = 255 - x
    return x, y, t


if __name__ == "__main__":
    main()
