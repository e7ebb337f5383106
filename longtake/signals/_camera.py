"""What the camera did between two pictures: the shift, growth and turn that most places follow, and what doesn't."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Points = NDArray[np.complexfloating]
"""Places of the picture, or vectors there: rightward, and downward as the imaginary part, in picture heights."""

OFF_SHARE = 0.1
"""A place follows the camera where its flow is off by up to `Scene.off` and so much of its speed."""
PAIRS = np.random.default_rng(0).random((2, 48))
"""Where, as shares of all places, the pairs of places lie that a camera is guessed from."""
NEAR = 0.3
"""Heights: of two nearer places the growth between them can't be told."""
ROUNDS = 4
TELLING = 0.05
"""Share of the places that must move before the camera does."""
FOLLOW = 0.25
"""Share of the places that show something which must follow a camera; else nobody knows what it does."""
NEARLY = 0.03
"""Heights per second: a camera found to be slower everywhere needs no more proof."""
EDGE, AT_SIDES, AT_EDGE = 0.13, 0.05, 0.25
"""Share of the width and height that is the edge; share of both the left and the right edge, or else of all edges,
that must follow a camera that moves."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A grid of places, and what a pair of pictures tells of each. All arrays have its shape."""

    places: Points
    """Where they are, counted from the middle of the picture."""
    vectors: Points
    """How far each goes from one picture to the other."""
    moves: Mask
    shows: Mask
    """Where the picture would show it if something moved."""
    edges: tuple[complex, complex]
    """The places at the upper left and at the lower right of what black borders leave of the picture."""
    off: float
    """Heights by which a vector may be off."""
    dt_s: float
    """Time between the pictures."""


@dataclass(frozen=True, slots=True)
class Camera:
    """How the picture's content goes from one picture to the other: `shift + growth * place`."""

    shift: complex = 0j
    growth: complex = 0j
    """Growth and, as the imaginary part, the turn in radians."""

    def at(self, places: Points) -> Points:
        """Return the vectors at some places."""
        return self.shift + self.growth * places

    def rates(self, dt_s: float) -> list[float]:
        """Return shift per second rightward and downward, growth as a logarithm, and turn in degrees clockwise."""
        turned = np.log(1 + self.growth)
        rates = self.shift.real, self.shift.imag, turned.real, np.degrees(turned.imag)
        return [float(rate) / dt_s for rate in rates]


def find_camera(scene: Scene) -> Camera | None:
    """Return what the camera did; None where few places follow it, or only some in the middle follow one that moves."""
    if scene.moves.mean() <= TELLING:
        return Camera()
    shows, vectors = scene.shows, scene.vectors
    camera = fit_camera(scene.places[shows], vectors[shows], scene.off)
    way = camera.at(scene.places)
    follows = shows & (np.abs(vectors - way) < scene.off + OFF_SHARE * np.abs(vectors))
    still = np.abs(way).max() < NEARLY * scene.dt_s
    return camera if follows.sum() >= FOLLOW * shows.sum() and (still or _is_around(follows)) else None


def _is_around(follows: Mask) -> bool:
    """Whether what follows a camera lies around the picture, as a background does, and no thing before a plain wall."""
    high, wide = (max(1, round(EDGE * side)) for side in follows.shape)
    around = follows.copy()
    around[high:-high, wide:-wide] = False
    edge = follows.size - follows[high:-high, wide:-wide].size
    sides = follows[:, :wide].mean(), follows[:, -wide:].mean()
    return bool(min(sides) > AT_SIDES or around.sum() > AT_EDGE * edge)


def fit_camera(places: Points, vectors: Points, off: float) -> Camera:
    """Return the camera that most vectors follow.

    Cameras guessed from pairs of places are compared (RANSAC; Fischler and Bolles, 1981), with how far each vector is
    off counted up to a limit; the best one is then fitted to all vectors, the less weight the further they are off.
    """
    limit = off + OFF_SHARE * np.abs(vectors)
    one, other = (PAIRS * len(places)).astype(np.intp)
    apart = places[one] - places[other]
    near = np.abs(apart) < NEAR
    growths = np.where(near, 0, (vectors[one] - vectors[other]) / np.where(near, 1, apart))
    shifts = vectors[one] - growths * places[one]
    # A third of the places is enough to choose by.
    misses = np.abs(shifts[:, None] + growths[:, None] * places[::3] - vectors[::3]) / limit[::3]
    best = int(np.minimum(misses, 1).sum(axis=1).argmin())
    shift, growth = complex(shifts[best]), complex(growths[best])
    for _ in range(ROUNDS):
        off_by = np.abs(shift + growth * places - vectors) / limit
        weights = 1 / (limit * (1 + off_by**2) ** 2)
        weights /= weights.sum()
        place, vector = weights @ places, weights @ vectors
        around = places - place
        growth = complex((weights * around.conj()) @ (vectors - vector) / (weights @ np.abs(around) ** 2))
        shift = complex(vector - growth * place)
    return Camera(shift, growth)


def apart_from(camera: Camera, scene: Scene) -> list[float]:
    """Return the mean speed, in each third of the picture from the left, of what moves otherwise than the camera."""
    way = camera.at(scene.places)
    went = scene.places + way
    # Where the camera took a place out of the picture, or behind a border, flow is made up.
    (left, top), (right, bottom) = ((edge.real, edge.imag) for edge in scene.edges)
    inside = (went.real > left) & (went.real < right) & (went.imag > top) & (went.imag < bottom)
    apart = np.abs(np.where(scene.moves, scene.vectors, 0) - way) * (scene.shows & inside) / scene.dt_s
    return [float(third.mean()) for third in np.array_split(apart, 3, axis=1)]
