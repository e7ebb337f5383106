"""Sequences of tiny pictures with known transitions, made from single-shot footage: what the network learns from.

A sequence is a few shots of random cameras (`cameras`), joined by cuts, jump cuts, dissolves, fades and wipes
(`joins`), with things in it that are no transition (`disturbances`), and the wear of a file. Of some, frames are left
out (`thinning`).
"""

from collections.abc import Sequence

import cv2
import numpy as np
import thinning
from cameras import Single, next_camera, random_camera, render, title_card
from disturbances import disturb, paint_bars
from joins import join
from labels import CUT, HEIGHT, IGNORE, NONE, WIDTH, Labels, Pictures, Random, Times
from numpy.typing import NDArray

LASTS_S = {"dissolve": (0.25, 3.0), "fade": (0.3, 3.5), "wipe": (0.3, 2.0)}
"""How long transitions may last; short and long ones are as frequent."""
PER_S = {12.5: 0.05, 15: 0.1, 20: 0.05, 24: 0.25, 25: 0.25, 29.97: 0.1, 30: 0.2}
"""Frame rates and how frequent they are."""
JOINS = {"cut": 0.26, "jump": 0.24, "dissolve": 0.19, "fade": 0.12, "wipe": 0.19}
"""Ways from shot to shot and how frequent they are."""


def sequence(
    singles: Sequence[Single], n: int, share: float, random: Random
) -> tuple[NDArray[np.uint8], Labels, Times]:
    """Return n pictures, their labels, of `KINDS` or `IGNORE`, and times; frames are left out of a share of all."""
    if random.random() >= share:
        fps = float(random.choice(list(PER_S), p=list(PER_S.values())))
        pictures, labels = _whole(singles, n, fps, 1, random)
        return pictures, labels, np.arange(n, dtype=np.float32) / np.float32(fps)
    fps = float(random.choice(list(thinning.PER_S), p=list(thinning.PER_S.values())))
    gaps = thinning.gaps(n, fps, random)
    pictures, labels = _whole(singles, int(gaps.sum()), fps, 2, random)
    kept, labels = thinning.thinned(labels, fps, gaps, random)
    return pictures[kept[:n]], labels[:n], kept[:n].astype(np.float32) / np.float32(fps)


def _whole(
    singles: Sequence[Single], n: int, fps: float, step: int, random: Random
) -> tuple[NDArray[np.uint8], Labels]:
    """Return n pictures and their labels; cuts must stand out from what moves within so many frames."""
    pictures = np.empty((0, HEIGHT, WIDTH, 3), np.float32)
    labels = np.empty(0, np.int64)
    camera = random_camera(singles, random)
    start_s = random.uniform(0, len(camera.single.frames) / camera.single.fps)
    pending: Pictures | None = None  # the old shot's last pictures, to be mixed into the new shot's first
    pending_kind = ""
    busy = random.random() < 0.3  # a fast-cut passage
    rapid = busy and random.random() < 0.45  # of a trailer: shots of some frames
    calm = not busy and random.random() < 0.35  # a long take
    while len(pictures) < n:
        kind = str(random.choice(list(JOINS), p=list(JOINS.values())))
        if rapid and random.random() < 0.8:
            kind = "cut" if random.random() < 0.75 else "jump"
        mixed = int(np.exp(random.uniform(*np.log(LASTS_S[kind]))) * fps) if kind in LASTS_S else 0
        pure = n if calm else max(2, round(fps * _lasts_s(busy, rapid, random)))
        lead = 0 if pending is None else len(pending)
        times = np.arange(lead + pure + mixed) / fps
        whip = None
        if random.random() < 0.25:
            length_s = float(np.exp(random.uniform(np.log(0.2), np.log(2))))
            whip = (random.uniform(0, times[-1]), length_s, random.choice([-1, 1]) * random.uniform(0.4, 2.5))
        if random.random() < 0.05 and pending is None:
            shot = title_card(len(times), random)
        else:
            shot = render(camera, start_s, times, random, whip)
        if random.random() < 0.08:
            paint_bars(shot, random.uniform(0.05, 0.2), bool(random.random() < 0.3))
        if pending is not None:
            pictures, labels = join(pictures, labels, pending, shot[:lead], pending_kind, random)
        elif len(labels):
            before = pictures[-1::-step][:3][::-1]
            labels = np.append(labels, CUT if stands_out(before, shot[::step][:3]) else IGNORE)
        pictures = np.concatenate([pictures, shot[lead : lead + pure]])
        labels = np.append(labels, np.zeros(len(pictures) - len(labels), np.int64))
        pending, pending_kind = (shot[lead + pure :] if mixed else None), kind
        camera, start_s = next_camera(camera, start_s + times[-1] * camera.speed, kind, singles, random)
    pictures, labels = pictures[:n], labels[:n]
    pictures = finish(disturb(pictures, labels, fps, singles, random), random)
    if random.random() < 0.1:  # 24 frames in 30: some frames are there twice
        keep = np.repeat(np.arange(n), np.where(np.arange(n) % 4 == random.integers(4), 2, 1))[:n]
        twice = np.append(False, keep[1:] == keep[:-1])
        pictures, labels = pictures[keep], np.where(twice & (labels[keep] == CUT), NONE, labels[keep])
    return pictures, labels


def _lasts_s(busy: bool, rapid: bool, random: Random) -> float:
    """Return how long a shot is to last, transitions apart."""
    if rapid:
        return float(np.exp(random.uniform(np.log(0.12), np.log(1))))
    return float(random.uniform(0.4, 1.5) if busy else np.exp(random.uniform(np.log(0.6), np.log(9))))


def stands_out(before: Pictures, after: Pictures) -> bool:
    """Return whether a cut between these pictures is a greater step than those within each shot."""
    moving = max([float(_steps(part).max()) for part in (before, after) if len(part) > 1], default=0.0)
    across = float(_steps(np.stack([before[-1], after[0]]))[0])
    return across > max(3.5, 1.15 * moving)


def _steps(pictures: Pictures) -> NDArray[np.float32]:
    return np.asarray(np.sqrt(np.mean(np.diff(pictures, axis=0) ** 2, axis=(1, 2, 3))))


def finish(pictures: Pictures, random: Random) -> NDArray[np.uint8]:
    """Return what a file of the whole sequence would hold: bars, a logo, blur, grain, coding steps."""
    out = pictures
    if random.random() < 0.15:
        paint_bars(out, random.uniform(0.04, 0.2), bool(random.random() < 0.25))
    if random.random() < 0.1:
        x, y, s = random.integers(0, WIDTH - 8), random.integers(0, HEIGHT - 6), random.integers(2, 7)
        out[:, y : y + s, x : x + s] = 0.3 * out[:, y : y + s, x : x + s] + 0.7 * random.uniform(0, 255)
    if random.random() < 0.2:
        blur = random.uniform(0.4, 1.2)
        out = np.stack([cv2.GaussianBlur(picture, (0, 0), blur) for picture in out])
    if random.random() < 0.3:
        out = out + random.normal(0, random.exponential(1.5), out.shape)
    if random.random() < 0.25:  # coding: each group of pictures starts anew, a little off
        every = int(random.integers(8, 60))
        off = random.normal(0, random.uniform(0.3, 2), (len(out) // every + 1, HEIGHT // 2, WIDTH // 2, 3))
        fine = off.repeat(2, axis=1).repeat(2, axis=2)
        out = out + fine[np.arange(len(out)) // every]
    if random.random() < 0.1:  # limited range
        out = 16 + out * (219 / 255)
    return np.clip(np.round(out), 0, 255).astype(np.uint8)
