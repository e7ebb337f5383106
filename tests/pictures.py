"""Tiny moving pictures made of waves, at any frame rate, and the change signal of them."""

import numpy as np
from numpy.typing import NDArray

from longtake.records import Series
from longtake.signals.change import Change
from longtake.video.scan import Frames, Signal, join

Pictures = NDArray[np.float64]
Times = NDArray[np.float64]


def times(fps: float, duration_s: float) -> Times:
    return np.arange(round(fps * duration_s)) / fps


def scene(seed: int, at_s: Times, *, speed: float = 0.02) -> Pictures:
    """One shot, shape (n, 26, 48, 3), levels 0 to 255: smooth texture that moves `speed` widths per second."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:26, 0:48] / 48
    waves, moves = [], []
    for fineness in np.geomspace(0.4, 8, 12):
        angle, *phases = rng.uniform(0, 2 * np.pi, 4)
        # As in photographs, the finer the detail the weaker it is.
        strengths = rng.uniform(-45, 45, 3) / fineness**0.7
        along = 2j * np.pi * fineness * (np.cos(angle) * x + np.sin(angle) * y)
        waves.append((np.exp(along)[..., None] * strengths * np.exp(1j * np.array(phases))).ravel())
        moves.append(np.exp(-2j * np.pi * fineness * np.cos(angle) * speed * at_s))
    shown = (np.transpose(moves) @ np.array(waves)).real.reshape(len(at_s), 26, 48, 3)
    return np.clip(128 + shown + rng.uniform(-40, 40, 3), 0, 255)


def share(at_s: Times, start_s: float, end_s: float) -> NDArray[np.float64]:
    """How far a change from `start_s` to `end_s` has got at each time, from 0 to 1, to be multiplied with pictures."""
    return np.clip((at_s - start_s) / max(end_s - start_s, 1e-6), 0, 1)[:, None, None, None]


def dissolve(old: Pictures, new: Pictures, at_s: Times, start_s: float, end_s: float) -> Pictures:
    part = share(at_s, start_s, end_s)
    return old * (1 - part) + new * part


def wipe(old: Pictures, new: Pictures, at_s: Times, start_s: float, end_s: float) -> Pictures:
    reached = np.arange(48)[None, None, :, None] < 48 * share(at_s, start_s, end_s)
    return np.where(reached, new, old)


def fade(old: Pictures, new: Pictures, at_s: Times, start_s: float, end_s: float) -> Pictures:
    middle_s = (start_s + end_s) / 2
    out, back = share(at_s, start_s, middle_s - 0.1), share(at_s, middle_s + 0.1, end_s)
    return old * (1 - out) + new * back


def measure(shown: Pictures, at_s: Times, *, block: int = 64, make: type[Signal] = Change) -> Series:
    """A signal of pictures, fed in blocks whose buffers are used again."""
    signal, parts = make(), []
    pixels, numbers = shown.astype(np.uint8), np.arange(len(at_s), dtype=np.int32)
    for start in range(0, len(at_s) + 1, block):
        rows = slice(start, start + block)
        buffers = at_s[rows].copy(), numbers[rows].copy(), pixels[rows].copy()
        parts.append(signal(Frames(*buffers, last=start + block > len(at_s))))
        for buffer in buffers:
            buffer[:] = 0
    return join(signal.columns, parts)
