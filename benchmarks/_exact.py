"""Videos whose flow is known exactly: photographs through a camera that moves, and things that move before them.

No benchmark of its own. A place of the picture is a complex number in heights from its middle, rightward, and downward
as the imaginary part. What a layer shows at world place w lies, at a time, at `turn * w + shift`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Places = NDArray[np.complex128]
Pose = tuple[complex, complex]
"""Turn (and growth) and shift."""
Way = Callable[[float], Pose]

KINDS = ("pan", "zoom", "roll", "shake", "shaken pan", "walk", "thing", "thing in a pan")
SHAKES_HZ = (0.7, 1.3, 2.4, 4.1, 6.7)
"""Of a hand: the higher, the shorter its way, so that each gives the same speed."""
THING, WAY = 0.28, 0.7
"""Radius of the thing, and how far it goes before it comes back, in heights."""
MOST_ZOOM = 1.0
"""Largest growth per second, as a logarithm."""


@dataclass(frozen=True, slots=True)
class Film:
    """What is shown: a ground, and before it a round thing or none."""

    kind: str
    speed: float
    """Heights per second that was asked for; what it is over the picture is measured by `lengths`."""
    ground: Way
    thing: Way | None
    size: tuple[int, int]
    fps: int
    grain: float
    crf: int

    def moves(self, time: float, later: float) -> tuple[Places, Places]:
        """Return a grid of places, and how far what is there at a time has moved until a later one."""
        wide = self.size[0] / self.size[1]
        rows, columns = (np.indices((27, 48)) + 0.5) / np.array([27, 48])[:, None, None]
        places = (columns - 0.5) * wide + 1j * (rows - 0.5)
        moved = self._carried(self.ground, places, time, later)
        if self.thing:
            covered = np.abs(places - self.thing(time)[1]) < THING
            moved = np.where(covered, self._carried(self.thing, places, time, later), moved)
        return places, moved

    @staticmethod
    def _carried(path: Way, places: Places, time: float, later: float) -> Places:
        (turn, shift), (turn_later, shift_later) = path(time), path(later)
        return turn_later / turn * (places - shift) + shift_later - places

    def show(self, time: float, pictures: list[Picture]) -> Picture:
        """Draw the frame of a time: the first picture is the ground, the second lies on the thing."""
        shown = self._through(self.ground(time), pictures[0])
        if self.thing:
            pose = self.thing(time)
            width, height = self.size
            middle = pose[1] * height + complex(width, height) / 2
            mask = np.zeros((height, width), np.uint8)
            at = (round(16 * middle.real), round(16 * middle.imag))
            cv2.circle(mask, at, round(16 * THING * height), 255, -1, cv2.LINE_AA, shift=4)
            share = (mask / np.float32(255))[..., None]
            shown = (shown * (1 - share) + self._through(pose, pictures[1]) * share).round().astype(np.uint8)
        return shown

    def _through(self, pose: Pose, picture: Picture) -> Picture:
        """Return a picture, mirrored on all sides, as it is seen from a pose."""
        width, height = self.size
        scale = 1.2 * height / min(picture.shape[:2])
        turn, middle = pose[0] * scale, complex(picture.shape[1], picture.shape[0]) / 2
        shift = pose[1] * height + complex(width, height) / 2 - turn * middle
        seen = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
        return np.asarray(
            cv2.warpAffine(picture, seen, self.size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101),
            np.uint8,
        )


def lengths(film: Film, time: float, later: float) -> tuple[float, float]:
    """Return how far a place moves from a time to a later one, the mean: in heights, and in pixels at 520x960."""
    _, moved = film.moves(time, later)
    wide = film.size[0] / film.size[1]
    return float(np.abs(moved).mean()), float(np.hypot(moved.real / wide * 960, moved.imag * 520).mean())


def film(kind: str, speed: float, seed: int) -> Film:
    """Return a film of a kind; all else about it is drawn by a seed."""
    rng = np.random.default_rng(seed)
    size = [(640, 360), (426, 240), (854, 480), (480, 360), (360, 640)][rng.integers(5)]
    fps, grain, crf = int(rng.choice([15, 24, 25, 30, 60])), float(rng.choice([0, 3, 6])), int(rng.choice([18, 25, 32]))
    way = np.exp(2j * np.pi * rng.random())
    shake = _shake(rng)
    grid = np.abs((np.arange(48) / 47 - 0.5) * size[0] / size[1] + 1j * (np.arange(27)[:, None] / 26 - 0.5)).mean()
    turning = min(speed / grid, MOST_ZOOM if kind in ("zoom", "walk") else 9)

    def still(_: float) -> Pose:
        return 1 + 0j, 0j

    def pan(time: float) -> Pose:
        return 1 + 0j, way * speed * time

    paths: dict[str, Way] = {
        "pan": pan,
        "zoom": lambda time: (complex(math.exp(turning * _to_and_fro(time))), 0j),
        "roll": lambda time: (complex(np.exp(1j * turning * time)), 0j),
        "shake": lambda time: (1 + 0j, speed * shake(time)),
        "shaken pan": lambda time: (1 + 0j, speed * (0.7 * shake(time) + 0.7 * way * time)),
        "walk": lambda time: (complex(math.exp(turning / 2 * _to_and_fro(time))), speed / 2 * shake(time)),
        "thing": still,
        "thing in a pan": pan,
    }

    def thing(time: float) -> Pose:
        return 1 + 0j, way.conjugate() * WAY * (_to_and_fro(time * speed / WAY) - 0.5)

    return Film(kind, speed, paths[kind], thing if kind.startswith("thing") else None, size, fps, grain, crf)


def _to_and_fro(time: float) -> float:
    """Return a way from 0 to 1 and back, gone at speed 1."""
    return abs((time + 1) % 2 - 1)


def _shake(rng: Any) -> Callable[[float], complex]:
    """Return the way of a hand that doesn't hold still, at a mean speed of 1."""
    phases = rng.uniform(0, 2 * np.pi, (2, len(SHAKES_HZ)))
    rates = 2 * np.pi * np.array(SHAKES_HZ) * rng.uniform(0.8, 1.25, len(SHAKES_HZ))
    strengths = rng.uniform(0.3, 1, (2, len(SHAKES_HZ))) / rates

    def at(time: float) -> complex:
        x, y = (strengths * np.sin(rates * time + phases)).sum(axis=1)
        return complex(x, y)

    steps = np.abs(np.diff([at(0.02 * step) for step in range(501)]))
    mean_speed = float(steps.mean()) / 0.02
    return lambda time: at(time) / mean_speed


def write(film: Film, pictures: list[Picture], path: Path, duration_s: float) -> Path:
    """Write a film by x264, with its grain."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=film.fps, options={"crf": str(film.crf), "preset": "faster"})
        stream.width, stream.height = film.size
        for number in range(round(duration_s * film.fps) + 1):
            shown = film.show(number / film.fps, pictures).astype(np.float32)
            shown += film.grain * rng.standard_normal(shown.shape[:2], np.float32)[..., None]
            frame = av.VideoFrame.from_ndarray(np.clip(shown, 0, 255).astype(np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, film.fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
