"""What happens within shots and is no transition: a detector must not fall for it."""

from collections.abc import Sequence

import cv2
import numpy as np
from cameras import Single
from labels import HEIGHT, WIDTH, Labels, Pictures, Random, X, Y


def disturb(pictures: Pictures, labels: Labels, fps: float, singles: Sequence[Single], random: Random) -> Pictures:
    """Return a sequence with things in it that a detector must not fall for."""
    n = len(pictures)
    out = pictures.copy()
    for made, chance in (
        (focus, 0.12),
        (flash, 0.3),
        (flash, 0.2),
        (occluder, 0.3),
        (occluder, 0.2),
        (ramp, 0.3),
        (ramp, 0.1),
        (inset, 0.4),
        (subtitle, 0.25),
        (bars_in, 0.25),
        (flicker, 0.05),
        (lights, 0.15),
    ):
        if random.random() < chance:
            made(out, int(random.integers(0, n)), fps, singles, random)
    if random.random() < 0.1:
        stutter(out, labels, int(random.integers(0, n)), fps, random)
    return out


def focus(out: Pictures, at: int, fps: float, singles: Sequence[Single], random: Random) -> None:
    """Lose the focus, and find it again or not."""
    n, most = max(4, int(random.uniform(0.3, 2.5) * fps)), random.uniform(0.8, 5)
    back = random.random() < 0.7
    for i in range(at, min(at + n, len(out)) if back else len(out)):
        phase = min(1.0, (i - at + 1) / n)
        sigma = most * (np.sin(np.pi * phase) if back else 0.5 - 0.5 * np.cos(np.pi * phase))
        if sigma > 0.2:
            out[i] = cv2.GaussianBlur(out[i], (0, 0), sigma)


def flash(out: Pictures, at: int, fps: float, singles: Sequence[Single], random: Random) -> None:
    """Show one or some bursts of light that decay."""
    for _ in range(random.integers(1, 5)):
        length = max(1, int(random.uniform(0.03, 0.35) * fps))
        colour = 255 if random.random() < 0.85 else random.uniform(0, 255, 3)
        strength = random.uniform(0.3, 1)
        sudden = random.random() < 0.8
        mask = 1.0
        if random.random() < 0.25:
            x, y = (X[::4, ::4] - random.random()) / 0.5, (Y[::4, ::4] - random.random()) / 0.5
            mask = np.exp(-(x**2 + y**2))[..., None]
        for i in range(at, min(at + length, len(out))):
            phase = (i - at) / length
            weight = strength * ((1 - phase) if sudden else np.sin(np.pi * (phase + 0.5 / length))) * mask
            out[i] = (1 - weight) * out[i] + weight * colour
        at += int(random.uniform(0.05, 0.4) * fps) + length


def occluder(out: Pictures, at: int, fps: float, singles: Sequence[Single], random: Random) -> None:
    """Let something large pass close to the lens, or stay before it for a while."""
    n = max(3, int(random.uniform(0.25, 1.4) * fps))
    stay = int(random.uniform(0.2, 4) * fps) if random.random() < 0.35 else 0
    width, soft, slant = random.uniform(0.3, 1.4), random.uniform(0.02, 0.25), random.normal(0, 0.4)
    thing: Pictures | float = random.uniform(0, 120, 3)
    if random.random() < 0.6:
        single = singles[random.integers(len(singles))]
        frame = single.frames[random.integers(len(single.frames))]
        small = cv2.resize(frame, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        thing = cv2.GaussianBlur(small, (0, 0), random.uniform(0.5, 4)) * random.uniform(0.2, 1)
    along, across = (X, Y) if random.random() < 0.8 else (Y, X)
    u = along[::4, ::4] + slant * (across[::4, ::4] - 0.5)
    bulge = random.uniform(0, 0.5) * np.abs(across[::4, ::4] - random.random())
    backwards, wobble = random.random() < 0.5, random.uniform(0, 0.05)
    for i in range(at, min(at + n + stay, len(out))):
        k = i - at
        k = k if k < n / 2 else max(n / 2, k - stay)
        phase = (k + 0.5) / n
        phase = 1 - phase if backwards else phase
        centre = -width / 2 - 0.3 + phase * (1.6 + width) + wobble * np.sin(i / 3)
        weight = np.clip((width / 2 - bulge - np.abs(u - centre)) / soft + 0.5, 0, 1)[..., None]
        out[i] = (1 - weight) * out[i] + weight * thing


def ramp(out: Pictures, at: int, fps: float, singles: Sequence[Single], random: Random) -> None:
    """Turn the light down or up, and mostly back."""
    n = max(4, int(random.uniform(0.5, 2.5) * fps))
    gain = random.uniform(0.05, 0.7) if random.random() < 0.65 else random.uniform(1.3, 3)
    back = random.random() < 0.8
    for i in range(at, len(out) if not back else min(at + n, len(out))):
        phase = min(1.0, (i - at + 1) / n)
        weight = np.sin(np.pi * phase) if back else 0.5 - 0.5 * np.cos(np.pi * phase)
        out[i] = np.clip(out[i] * (1 + (gain - 1) * weight), 0, 255)


def inset(out: Pictures, at: int, fps: float, singles: Sequence[Single], random: Random) -> None:
    """Show a small picture of something else for a while; at once, or fading in."""
    n = max(3, int(random.uniform(0.4, 3.5) * fps))
    w, h = int(random.uniform(0.15, 0.5) * WIDTH), int(random.uniform(0.15, 0.5) * HEIGHT)
    x, y = random.integers(0, WIDTH - w), random.integers(0, HEIGHT - h)
    if random.random() < 0.7:
        x, y = (x if x in (0, WIDTH - w) else random.choice([1, WIDTH - w - 1])), random.choice([1, HEIGHT - h - 1])
    single = singles[random.integers(len(singles))]
    start = random.integers(0, len(single.frames))
    lead = int(random.choice([0, random.uniform(0.1, 0.5)]) * fps)
    for i in range(at, min(at + n, len(out))):
        frame = single.frames[(start + i - at) % len(single.frames)]
        alpha = min(1.0, (i - at + 1) / (lead + 1), (at + n - i) / (lead + 1))
        small = cv2.resize(frame, (w, h), interpolation=cv2.INTER_AREA)
        out[i, y : y + h, x : x + w] = (1 - alpha) * out[i, y : y + h, x : x + w] + alpha * small


def subtitle(out: Pictures, at: int, fps: float, singles: Sequence[Single], random: Random) -> None:
    """Show lines of text for a while."""
    n = max(3, int(random.uniform(0.5, 3) * fps))
    lines = random.integers(1, 4)
    top = random.uniform(0.6, 0.9) if random.random() < 0.7 else random.uniform(0.05, 0.6)
    mask = np.zeros((4 * HEIGHT, 4 * WIDTH), np.uint8)
    size = random.uniform(0.25, 0.7)
    for line in range(lines):
        text = "".join(random.choice(list("abcdefghiklmnoprstu   ")) for _ in range(random.integers(6, 40)))
        where = (int(random.uniform(0.02, 0.5) * 4 * WIDTH), int((top + 0.09 * line) * 4 * HEIGHT))
        cv2.putText(mask, text, where, cv2.FONT_HERSHEY_SIMPLEX, size, 255, 1, cv2.LINE_AA)
    small = cv2.resize(mask, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)[..., None].astype(np.float32) / 255
    if random.random() < 0.25:  # a plain box behind
        y0 = int(np.clip(top - 0.1, 0, 0.95) * HEIGHT)
        box = np.zeros_like(small)
        box[y0 : y0 + 3 * lines] = 0.7
        out[at : at + n] *= 1 - box
    colour = random.choice([255, random.uniform(0, 255)])
    out[at : at + n] = (1 - small) * out[at : at + n] + small * colour


def bars_in(out: Pictures, at: int, fps: float, singles: Sequence[Single], random: Random) -> None:
    """Let black bars come, at once or closing in, and go."""
    n = int(random.uniform(0.5, 6) * fps)
    lead = max(1, int(random.choice([0, random.uniform(0.2, 1)]) * fps))
    share, sideways = random.uniform(0.08, 0.22), random.random() < 0.3
    for i in range(at, min(at + n, len(out))):
        size = share * min(1.0, (i - at + 1) / lead, (at + n - i) / lead)
        paint_bars(out[i : i + 1], size, sideways)


def paint_bars(out: Pictures, share: float, sideways: bool) -> None:
    """Paint black bars over a share of the picture at both sides."""
    length = WIDTH if sideways else HEIGHT
    cover = np.clip(share * length - np.arange(length), 0, 1)
    cover = np.maximum(cover, cover[::-1])[:, None]
    out *= 1 - (cover[None, None] if sideways else cover[None, :, None])


def flicker(out: Pictures, at: int, fps: float, singles: Sequence[Single], random: Random) -> None:
    """Let the light flicker."""
    n = int(random.uniform(0.5, 3) * fps)
    gains = 1 + random.uniform(0.05, 0.4) * random.choice([-1, 0, 1], size=len(out[at : at + n]))
    out[at : at + n] = np.clip(out[at : at + n] * gains[:, None, None, None], 0, 255)


def lights(out: Pictures, at: int, fps: float, singles: Sequence[Single], random: Random) -> None:
    """Let lamps sweep over it whose colours change, softly or at once, as on a stage or before a television."""
    n = len(out[at : at + int(random.uniform(0.5, 6) * fps)])
    for _ in range(random.integers(1, 4)):
        (x, y), (dx, dy) = random.random(2), random.normal(0, 0.3, 2) / fps
        size, strength = random.uniform(0.2, 1.5), random.uniform(0.2, 1)
        phase = np.arange(n) / max(1.0, random.uniform(0.06, 1.2) * fps)
        colours = random.random((int(phase[-1]) + 2, 3)) * random.choice([0.3, 1], size=(int(phase[-1]) + 2, 1))
        share = (phase % 1)[:, None] if random.random() < 0.6 else np.zeros((n, 1))
        shown = (1 - share) * colours[phase.astype(int)] + share * colours[phase.astype(int) + 1]
        added = random.uniform(0, 130) * strength
        for i in range(n):
            apart = (X[::4, ::4] - x - i * dx) ** 2 + (Y[::4, ::4] - y - i * dy) ** 2
            spot = strength * np.exp(-apart / size**2)[..., None]
            out[at + i] = np.clip(out[at + i] * (1 - spot * (1 - shown[i])) + added * spot * shown[i], 0, 255)


def stutter(out: Pictures, labels: Labels, at: int, fps: float, random: Random) -> None:
    """Hold a frame for a moment, then catch up; not where that would hide a transition."""
    n = max(1, int(random.uniform(0.05, 0.35) * fps))
    if not labels[at : at + n + 1].any():
        out[at : at + n] = out[at]
