"""Transitions between two shots: dissolves, wipes, pushes, slides, fades; each returns its mixed pictures."""

import cv2
import numpy as np
from labels import DISSOLVE, FADE, HEIGHT, IGNORE, WIDTH, WIPE, Labels, Pictures, Random, X, Y
from numpy.typing import NDArray


def wipe_order(random: Random) -> NDArray[np.float32]:
    """Return when each point of a picture (at four times its size) turns new, 0 to 1."""
    kind = random.integers(8)
    x, y = X - 0.5, Y - 0.5
    if kind <= 1:  # straight, along an axis or slanted
        angle = random.integers(4) * np.pi / 2 if random.random() < 0.75 else random.uniform(0, 2 * np.pi)
        order = np.cos(angle) * x + np.sin(angle) * y
    elif kind == 2:  # clock
        order = (np.arctan2(y, x) + random.uniform(0, 2 * np.pi)) % (2 * np.pi)
    elif kind == 3:  # iris
        squash = random.uniform(0.6, 1.8)
        order = np.hypot(x * squash, y) if random.random() < 0.6 else np.maximum(np.abs(x) * squash, np.abs(y))
    elif kind == 4:  # blinds
        along = X if random.random() < 0.5 else Y
        order = (along * random.integers(3, 12)) % 1
    elif kind == 5:  # barn doors
        order = np.abs(x if random.random() < 0.5 else y)
    elif kind == 6:  # boxes in random order
        rows, columns = random.integers(3, 9, 2)
        tiles = random.permutation(rows * columns).reshape(rows, columns).astype(np.float32)
        order = tiles[(Y * rows).astype(int), (X * columns).astype(int)]
    else:  # luma wipe: a smooth random field
        field = random.random((random.integers(2, 6), random.integers(2, 8))).astype(np.float32)
        order = cv2.resize(field, (4 * WIDTH, 4 * HEIGHT), interpolation=cv2.INTER_CUBIC)
    order = order - order.min()
    order = order / max(float(order.max()), 1e-6)
    return (order if random.random() < 0.5 else 1 - order).astype(np.float32)


def eased(n: int, random: Random) -> NDArray[np.float32]:
    """Return n shares of the new picture, strictly between 0 and 1, mostly linear."""
    share = np.arange(1, n + 1, dtype=np.float32) / (n + 1)
    if random.random() < 0.25:
        share = 0.5 - 0.5 * np.cos(np.pi * share)
    if random.random() < 0.15:
        share = share ** float(np.exp(random.normal(0, 0.3)))
    return share


def dissolve(old: Pictures, new: Pictures, random: Random) -> Pictures:
    """Return mixed pictures; sometimes mixed in linear light."""
    share = eased(len(old), random)[:, None, None, None]
    if random.random() < 0.15:
        return np.sqrt((1 - share) * old**2 + share * new**2)
    return (1 - share) * old + share * new


def wipe(old: Pictures, new: Pictures, random: Random) -> Pictures:
    """Return pictures of which a growing part is new; in some the pictures move, too."""
    share = eased(len(old), random)
    if random.random() < 0.4:
        return moving_wipe(old, new, share, random)
    order = wipe_order(random)
    soft = float(random.choice([0.01, random.uniform(0.02, 0.3)]))
    border = random.random() < 0.08
    out = np.empty_like(old)
    for i, s in enumerate(share):
        mask = np.clip((s * (1 + soft) - order) / soft, 0, 1)
        small = cv2.resize(mask, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)[..., None]
        out[i] = (1 - small) * old[i] + small * new[i]
        if border:
            edge = cv2.resize(
                ((mask > 0) & (mask < 1)).astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA
            )
            out[i] += edge[..., None] * (255 - out[i])
    return out


def moving_wipe(old: Pictures, new: Pictures, share: NDArray[np.float32], random: Random) -> Pictures:
    """Return a push (both move), a slide (the new one moves in) or a reveal (the old one moves out)."""
    both, axis, forward = random.integers(3), random.integers(2), random.random() < 0.5
    size = WIDTH if axis == 0 else HEIGHT
    out = np.empty_like(old)
    for i, s in enumerate(share):
        by = s * size if forward else -s * size
        rest = by - size if forward else by + size
        a = moved(old[i], by if both != 1 else 0.0, axis)
        b = moved(new[i], rest if both != 2 else 0.0, axis)
        cover = moved(np.ones((HEIGHT, WIDTH, 1), np.float32), rest, axis)
        out[i] = (1 - cover) * a + cover * b
    return out


def moved(picture: Pictures, by: float, axis: int) -> Pictures:
    """Return a picture moved by so many pixels, black (or nothing) where it was."""
    matrix = np.array([[1, 0, by if axis == 0 else 0], [0, 1, by if axis == 1 else 0]], np.float64)
    out = cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    return out.reshape(picture.shape)


def fade(old: Pictures, new: Pictures, random: Random) -> Pictures:
    """Return pictures that go to a plain colour and come back in the new shot."""
    n = len(old)
    colour = np.float32(random.choice([0, 0, 0, 255, random.uniform(0, 255)]) if random.random() < 0.9 else 128)
    hold = int(n * random.choice([0, random.uniform(0, 0.5)]))
    down = int((n - hold) * random.uniform(0.15, 0.85))
    if random.random() < 0.3:  # trailers: down slowly, and the new shot at once; or the other way
        down = 0 if random.random() < 0.3 else n - hold
    weight = np.concatenate([eased(down, random)[::-1], np.zeros(hold), eased(n - hold - down, random)])
    shown = np.where((np.arange(n) < down)[:, None, None, None], old, new)
    weight = weight.astype(np.float32)[:, None, None, None]
    return weight * shown + (1 - weight) * colour


def join(
    pictures: Pictures, labels: Labels, old: Pictures, new: Pictures, kind: str, random: Random
) -> tuple[Pictures, Labels]:
    """Append the mixed pictures of a gradual transition."""
    make, label = {"dissolve": (dissolve, DISSOLVE), "wipe": (wipe, WIPE), "fade": (fade, FADE)}[kind]
    mixed = make(old, new, random)
    apart = float(np.sqrt(np.mean((old[0] - new[-1]) ** 2)))
    seen = apart > 12 or kind == "fade"
    return np.concatenate([pictures, mixed]), np.append(labels, np.full(len(mixed), label if seen else IGNORE))
