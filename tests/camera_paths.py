"""A camera that moves as told over a real picture, with a thing before it or none, as the motion signal sees it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from media import write_video
from numpy.typing import NDArray
from wheel import pictures

from longtake.records import Series
from longtake.signals.motion import Motion
from longtake.video import scan
from longtake.video.scan import Frames

Floats = NDArray[np.float64]
Way = Callable[[Floats], Floats]
"""Where something is at some times."""


def stays(at_s: Floats) -> Floats:
    return np.zeros_like(at_s)


def goes(speed: float) -> Way:
    return lambda at_s: speed * at_s


def gathers_and_stops(speed: float) -> Way:
    """Reach a speed in the middle of 8 s, smoothly."""
    return lambda at_s: speed * (at_s / 2 - 8 / (4 * np.pi) * np.sin(2 * np.pi * at_s / 8))


def whips(speed: float) -> Way:
    """Move for 0.8 s only."""
    return lambda at_s: speed * np.clip(at_s - 4, 0, 0.8)


def shakes(speed: float, seed: int) -> Way:
    """Tremble at 2 to 8 Hz, at that speed (root mean square), and go nowhere."""
    rng = np.random.default_rng(seed)
    hz, phases = rng.uniform(2, 8, 12), rng.uniform(0, 2 * np.pi, 12)

    def way(at_s: Floats) -> Floats:
        angles = 2 * np.pi * hz * at_s[:, None] + phases
        return (np.sin(angles) / (2 * np.pi * hz)).sum(axis=1) * speed / np.sqrt(6)

    return way


def both(one: Way, other: Way) -> Way:
    return lambda at_s: one(at_s) + other(at_s)


@dataclass(frozen=True)
class Film:
    """A camera over a still picture, in heights: it goes right and down, zooms by e to the `zoom`, rolls by degrees."""

    right: Way = stays
    down: Way = stays
    zoom: Way = stays
    roll: Way = stays
    thing: Way | None = None
    """How far from the middle a box as wide as a sixth of the picture is, to the right."""

    def shown(self, at_s: Floats, size: tuple[int, int] = (640, 360)) -> list[NDArray[np.float32]]:
        """Return gray pictures."""
        ground, inside = (pictures("bigbuckbunny", first=first, count=1)[0].astype(np.float32) for first in (20, 100))
        width, height = size
        found = []
        ways = zip(*(way(at_s) for way in (self.right, self.down, self.zoom, self.roll)), strict=True)
        for i, (right, down, zoom, roll) in enumerate(ways):
            # Half of the picture fits in; where it ends it goes on mirrored.
            window = cv2.getRotationMatrix2D((640, 360), -roll, height / 400 * np.exp(zoom))
            window[:, 2] += width / 2 - 640 - right * height, height / 2 - 360 - down * height
            flags = {"flags": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REFLECT_101}
            picture = cv2.warpAffine(ground, window, size, **flags)
            if self.thing is not None:
                x = width / 2 + height * self.thing(at_s[i : i + 1])[0]
                box = np.float32([[height / 720, 0, x - width / 2], [0, height / 720, 0]])
                moved = cv2.warpAffine(inside, box, size, **flags)
                rows = slice(height // 4, height * 3 // 4)
                mask = np.clip(width / 12 + 0.5 - np.abs(np.arange(width) - x), 0, 1)
                picture[rows] += mask * (moved[rows] - picture[rows])
            found.append(picture)
        return found

    def measured(self, *, duration_s: float = 8.0, border: int = 0, beside: int = 0) -> Series:
        """Let the motion signal see it as its tap would, with a little grain; rows of a border are black, of 180,
        and columns beside it, of 320."""
        at_s = np.arange(round(duration_s * 10)) / 10
        rng = np.random.default_rng(0)
        small = [
            cv2.resize(picture, (320, 180), interpolation=cv2.INTER_AREA) + rng.standard_normal((180, 320))
            for picture in self.shown(at_s)
        ]
        seen = np.clip(np.round(small), 0, 255).astype(np.uint8)
        seen[:, :border] = seen[:, 180 - border :] = 0
        seen[:, :, :beside] = seen[:, :, 320 - beside :] = 0
        return Motion()(Frames(at_s, np.arange(len(at_s), dtype=np.int32), seen, last=True))

    def written(self, path: Path, *, fps: int, size: tuple[int, int], duration_s: float = 4.0) -> Series:
        """Write it as a file, and scan that."""
        shown = self.shown(np.arange(round(duration_s * fps)) / fps, size)
        coloured = (np.dstack([np.clip(picture, 0, 255).astype(np.uint8)] * 3) for picture in shown)
        return scan(write_video(path, coloured, fps=fps), {"motion": Motion()}).series["motion"]
