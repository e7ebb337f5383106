"""Fit the matrices of the signal `signature` on single-shot videos, and write them.

    python training/signature.py SINGLES --to longtake/signals/signature.npz
    python training/signature.py SINGLES --to FOLDER --folds

SINGLES is a folder of videos that hold one shot each; the weights shipped were made by the first call. Linear
discriminant analysis, in each group of columns by itself: the differences between pictures of one shot, at other times
and as another camera might have framed and lit them, become equally strong in all directions; then the directions are
kept in which the shots differ most. `--folds` fits instead on each pair of four groups of singles: two shots of other
groups are then both unseen, which is how `benchmarks/similarity.py --folds` judges.
"""

import argparse
import json
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from longtake.records import Series
from longtake.signals.signature import COLOURS, SHAPES, Floats, colours, is_flat, oklab, shapes, square
from longtake.video import scan
from longtake.video.scan import Frames, Tap, fit_size

GROUPS = 4
VARIANTS = 4
"""Other views made of each picture."""
RIDGE = 0.3
"""Of the mean variance within shots: added to all directions, since 45 shots show not all that may vary."""
SEED = 0

Pictures = NDArray[np.uint8]
Described = tuple[Floats, Floats]
"""Rows of colours and of shapes, of pictures of one shot."""


class Pixels:
    """The pictures themselves, twice a second."""

    columns = ("none",)
    tap = Tap(160, "rgb24", hz=2)

    def __init__(self) -> None:
        self.blocks: list[Pictures] = []

    def __call__(self, frames: Frames) -> Series:
        """Keep one block."""
        self.blocks.append(frames.pixels.copy())
        return Series(self.columns, frames.times, frames.numbers, np.zeros((len(frames.times), 1), np.float32))


def main() -> None:
    """Read the command line and fit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("singles", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--folds", action="store_true")
    asked = parser.parse_args()
    paths = sorted(asked.singles.iterdir())
    random = np.random.default_rng(SEED)
    shots = [[describe(views(pixels, random)) for pixels in mirrored(read(path))] for path in paths]
    if not asked.folds:
        fit([shot for both in shots for shot in both], asked.to)
        return
    asked.to.mkdir(parents=True, exist_ok=True)
    # In the order of their names: neighbours may show the same place.
    group = [k * GROUPS // len(paths) for k in range(len(paths))]
    for pair in combinations(range(GROUPS), 2):
        chosen = [shot for both, own in zip(shots, group, strict=True) if own in pair for shot in both]
        fit(chosen, asked.to / f"{pair[0]}-{pair[1]}.npz")
    names = [path.stem for path in paths]
    (asked.to / "groups.json").write_text(json.dumps(dict(zip(names, group, strict=True)), indent=1))


def read(path: Path) -> Pictures:
    """Return the pictures of a video."""
    pixels = Pixels()
    scan(path, {"pixels": pixels})
    return np.concatenate(pixels.blocks)


def mirrored(pictures: Pictures) -> tuple[Pictures, Pictures]:
    """Return a shot and its mirror image, which counts as another shot: what is left and right is chance."""
    return pictures, pictures[:, :, ::-1]


def views(pictures: Pictures, random: np.random.Generator) -> Pictures:
    """Return pictures, and others of them, as the signal's `square` gives them."""
    seen = [*pictures, *(vary(picture, random) for picture in pictures for _ in range(VARIANTS))]
    squares = [square(cv2.resize(p, fit_size(64, p.shape[1::-1]), interpolation=cv2.INTER_AREA)) for p in seen]
    return np.stack([one for one in squares if not is_flat(one)])


def vary(picture: Pictures, random: np.random.Generator) -> Pictures:
    """Return a picture as another camera might have framed and lit it."""
    height, width = picture.shape[:2]
    zoom = random.uniform(0.7, 1)
    rows, columns = int(height * zoom), int(width * zoom)
    top, left = random.integers(0, height - rows + 1), random.integers(0, width - columns + 1)
    part = picture[top : top + rows, left : left + columns] / 255
    lit = np.clip(part * random.uniform(0.75, 1.25) * random.uniform(0.95, 1.05, 3), 0, 1)
    return np.asarray(255 * lit ** random.uniform(0.8, 1.25), np.uint8)


def describe(squares: Pictures) -> Described:
    """Return what the signal knows of pictures before any fit."""
    lab = oklab(squares)
    return colours(lab), shapes(lab[..., 0])


def fit(shots: Sequence[Described], to: Path) -> None:
    """Write the mean and the matrix of both groups of columns, as half-precision numbers."""
    weights: dict[str, NDArray[np.float64]] = {}
    for part, (name, count) in enumerate((("colour", COLOURS), ("shape", SHAPES))):
        rows = [shot[part].astype(np.float64) for shot in shots]
        mean = np.mean([row.mean(axis=0) for row in rows], axis=0)
        # One column less: the signal puts the group's constant before them.
        weights[f"{name}_mean"], weights[name] = mean, discriminant(rows, mean, count - 1)
    np.savez_compressed(to, **{name: value.astype(np.float16) for name, value in weights.items()})
    print(f"{to}: fitted on {len(shots)} shots")


def discriminant(shots: Sequence[NDArray[np.float64]], mean: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return the matrix to the `count` directions that tell shots apart best; every shot counts the same."""
    within = np.mean([np.cov(rows, rowvar=False, bias=True) for rows in shots], axis=0)
    whole = np.mean([(rows - mean).T @ (rows - mean) / len(rows) for rows in shots], axis=0)
    strengths, axes = np.linalg.eigh(within)
    evened = axes / np.sqrt(np.maximum(strengths, 0) + RIDGE * strengths.mean())
    _, best = np.linalg.eigh(evened.T @ whole @ evened)
    return np.asarray(evened @ best[:, ::-1][:, :count], np.float64)


if __name__ == "__main__":
    main()
