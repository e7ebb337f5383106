"""Train the network of the signal `text`, and write its weights.

    python training/text.py SINGLES --fonts FONTS --to longtake/signals/text.npz [--pictures 4000] [--epochs 12]

SINGLES is a folder of videos without overlaid text; every second one, by name, is learned from, so that
`benchmarks/text.py` can judge on the others. FONTS holds fonts, in folders or not. The weights shipped were trained on
Debian's DejaVu, EB Garamond, Liberation, Noto (Arabic, Devanagari, Hebrew, Thai), Open Sans, Roboto and WenQuanYi; on
Comic Neue, Lato and DejaVu Serif they are judged.
"""

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from lettering import Gray, Layer, Lettering, fonts_in, pattern
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from longtake.signals._lettering import CELL
from longtake.video.decode import Reader

SEED = 0
SIZE = (480, 272)
"""Pictures learned from; the network itself takes any size."""
NONE, SOME = 0.02, 0.2
"""Shares of a cell up to which it holds no text, and from which it does."""


def main() -> None:
    """Read the command line, train and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("singles", type=Path)
    parser.add_argument("--fonts", type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=12)
    options = parser.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    rng = np.random.default_rng(SEED)
    videos = sorted(options.singles.glob("*.mp4"))[::2]
    grounds = [frame for path in videos for frame in frames_of(path)]
    pictures, targets = make(grounds, Lettering(fonts_in(options.fonts, held_out=False), rng), options.pictures, rng)
    network = train(pictures, targets, options.epochs)
    np.savez(options.to, **network.plain())


def frames_of(path: Path, count: int = 10) -> list[Gray]:
    """Return gray pictures of a video, evenly spaced."""
    with Reader(path) as reader:
        frames = [frame.to_ndarray(format="gray") for _, frame in reader]
    return [frames[k] for k in np.linspace(0, len(frames) - 1, count).astype(int)]


def make(
    grounds: list[Gray], lettering: Lettering, count: int, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return pictures, and the share of text in each of their cells."""
    pictures = np.empty((count, *SIZE[::-1]), np.uint8)
    cells = (SIZE[0] // CELL, SIZE[1] // CELL)
    targets = np.empty((count, *cells[::-1]), np.float32)
    for k in range(count):
        ground = pattern(SIZE, rng) if rng.random() < 0.2 else window(grounds, rng)
        if rng.random() < 0.5:
            ground = patched(ground, rng)
        layer = Layer.empty(SIZE)
        if rng.random() < 0.6:
            lettering.draw(layer)
        picture, text = layer.over(ground)
        pictures[k] = coded(picture, rng)
        targets[k] = cv2.resize(text * shows(pictures[k]), cells, interpolation=cv2.INTER_AREA)
    return pictures, targets


def patched(picture: Gray, rng: np.random.Generator) -> Gray:
    """Return a picture with patches of patterns in it, as windows, shelves and fences are part of a view."""
    picture = picture.copy()
    for _ in range(rng.integers(1, 6)):
        width, height = (int(rng.integers(24, side // 2)) for side in SIZE)
        left, top = int(rng.integers(SIZE[0] - width)), int(rng.integers(SIZE[1] - height))
        spot = picture[top : top + height, left : left + width]
        mix = rng.uniform(0, 0.6)
        spot[:] = cv2.addWeighted(spot, mix, pattern((width, height), rng, coarsest=24), 1 - mix, 0)
    return picture


def shows(picture: Gray) -> NDArray[np.float32]:
    """Return 1 where a picture has any contrast, else 0: text of its ground's own tone can't be learned."""
    plain = picture.astype(np.float32)
    mean, square = (cv2.blur(x, (25, 25)) for x in (plain, plain**2))
    return np.asarray(square - mean**2 > 5**2, np.float32)


def window(grounds: list[Gray], rng: np.random.Generator) -> Gray:
    """Return part of a picture, or several beside each other, each as sharp as a scaled one."""
    tiles = int(rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1]))
    size = (SIZE[0] // tiles, SIZE[1] // tiles)
    parts = [_part(grounds[rng.integers(len(grounds))], size, rng) for _ in range(tiles**2)]
    rows = [np.hstack(parts[start : start + tiles]) for start in range(0, tiles**2, tiles)]
    picture = cv2.resize(np.vstack(rows), SIZE)
    gain, lift = rng.uniform(0.6, 1.3), rng.uniform(-30, 30)
    picture = np.clip((picture.astype(np.float32) - 128) * gain + 128 + lift, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(picture[:, ::-1]) if rng.random() < 0.5 else picture


def _part(ground: Gray, size: tuple[int, int], rng: np.random.Generator) -> Gray:
    """Cut a part of the aspect of `size` out, at least as wide as 0.6 of the picture."""
    height, width = ground.shape
    wide = min(width, height * size[0] / size[1]) * rng.uniform(0.6, 1)
    high = wide * size[1] / size[0]
    left, top = rng.uniform(0, width - wide), rng.uniform(0, height - high)
    part = ground[int(top) : int(top + high), int(left) : int(left + wide)]
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA if wide > size[0] else cv2.INTER_CUBIC)


def coded(picture: Gray, rng: np.random.Generator) -> Gray:
    """Return a picture as coding, blur and grain leave it."""
    if rng.random() < 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.0))
    if rng.random() < 0.3:
        noisy = picture + rng.normal(0, rng.uniform(1, 8), picture.shape)
        picture = np.clip(noisy, 0, 255).astype(np.uint8)
    if rng.random() < 0.8:
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 95))])
        picture = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    return picture


class Network(nn.Module):
    """What `longtake.signals._lettering` runs: squares of 4x4 pixels, then three looks at ever more around them."""

    def __init__(self) -> None:
        super().__init__()
        self.squares = nn.Conv2d(1, 16, 4, stride=4)
        self.cells = nn.Conv2d(16, 32, 3, stride=2, padding=1)
        # Around each cell only half as much is seen of the others: that halves the cost of looking.
        self.near_in = nn.Conv2d(32, 16, 1)
        self.near = nn.Conv2d(16, 32, 3, padding=1)
        self.far_in = nn.Conv2d(32, 16, 1)
        self.far = nn.Conv2d(16, 32, 3, padding=2, dilation=2)
        self.out = nn.Linear(32, 2)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return the log odds of every cell that it holds text, and of every place in it that it is text."""
        x = functional.relu(self.squares(pictures[:, None] / 128 - 1))
        x = functional.relu(self.cells(x))
        x = x + functional.relu(self.near(self.near_in(x)))
        x = x + functional.relu(self.far(self.far_in(x)))
        return self.out(x.permute(0, 2, 3, 1))

    def plain(self) -> dict[str, NDArray[np.float16]]:
        """Return the weights as matrices: a row for each input, (row, column, channel) as in a window."""
        found = {}
        for name in ("squares", "cells", "near_in", "near", "far_in", "far"):
            layer = getattr(self, name)
            found[name] = layer.weight.permute(2, 3, 1, 0).reshape(-1, layer.out_channels)
            found[f"{name}_bias"] = layer.bias
        found |= {"out": self.out.weight.T, "out_bias": self.out.bias}
        return {name: value.detach().numpy().astype(np.float16) for name, value in found.items()}


def train(pictures: NDArray[np.uint8], targets: NDArray[np.float32], epochs: int) -> Network:
    """Fit the network to pictures."""
    network, batch = Network(), 16
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=1e-4)
    steps = epochs * (len(pictures) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    start_s = time.monotonic()
    for epoch in range(epochs):
        order, losses = torch.randperm(len(pictures)), []
        for k in range(0, len(pictures) - batch + 1, batch):
            rows = order[k : k + batch].numpy()
            odds = network(torch.from_numpy(pictures[rows]).float())
            share = torch.from_numpy(targets[rows])
            # Cells that text only touches tell nothing of whether there is any.
            told = (share > SOME) | (share < NONE)
            both = functional.binary_cross_entropy_with_logits
            loss = both(odds[..., 0][told], (share > SOME).float()[told]) + both(odds[..., 1], share)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}, {time.monotonic() - start_s:.0f} s", flush=True)
    return network


if __name__ == "__main__":
    main()
