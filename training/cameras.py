"""Shots of random cameras: crop, pan, zoom, shake, speed and colour of single-shot videos, drawings and title cards."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import av
import cv2
import numpy as np
from labels import HEIGHT, WIDTH, Pictures, Random
from numpy.typing import NDArray

STORED = (128, 72)
"""Width and height that singles are kept at."""
DARK = 0.15
"""Share of cameras that look into the night."""


@dataclass(frozen=True)
class Single:
    """A video without transitions, at `STORED` size."""

    name: str
    fps: float
    frames: NDArray[np.uint8]


def read_single(path: Path) -> Single:
    """Decode a video that holds one shot."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        frames = [
            frame.reformat(*STORED, format="rgb24", interpolation="AREA").to_ndarray()
            for frame in container.decode(stream)
        ]
        rate = float(stream.average_rate or 25)
    return Single(path.stem, rate, np.stack(frames))


def drawn_single(random: Random) -> Single:
    """Return a still made of soft noise and shapes, as in drawings and graphics: not all video is photographed."""
    width, height = STORED
    picture = np.full((height, width, 3), random.uniform(30, 225, 3), np.float32)
    for cell in (64, 24, 10, 4):
        noise = random.random((height // cell + 2, width // cell + 2, 3)).astype(np.float32) - 0.5
        strength = random.uniform(0, 160) * (cell / 64) ** 0.6
        picture += strength * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    drawn = np.clip(picture, 0, 255).astype(np.uint8)
    for _ in range(random.integers(0, 10)):
        centre = (int(random.integers(width)), int(random.integers(height)))
        size = (int(random.integers(2, 40)), int(random.integers(2, 30)))
        colour = random.uniform(0, 255, 3).tolist()
        if random.random() < 0.5:
            cv2.ellipse(drawn, centre, size, random.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA)
        else:
            corner = (centre[0] + size[0], centre[1] + size[1])
            cv2.rectangle(drawn, centre, corner, colour, -1)
    return Single("drawn", 25.0, drawn[None])


@dataclass
class Camera:
    """How one shot is taken from a single: everything but its time."""

    single: Single
    zoom: float
    centre: tuple[float, float]
    flip: bool
    colour: Callable[[Pictures], Pictures]
    drift: tuple[float, float, float]
    shake: float
    speed: float


def random_camera(singles: Sequence[Single], random: Random) -> Camera:
    """Return a camera on one of the singles; half of them stand still in it."""
    moving = random.random() < 0.5
    drift = tuple(random.normal(0, 0.2, 2)) if moving else (0.0, 0.0)
    return Camera(
        single=singles[random.integers(len(singles))],
        zoom=float(random.choice([1.0, random.uniform(1, 2.2)])),
        centre=(random.uniform(-1, 1), random.uniform(-1, 1)),
        flip=bool(random.random() < 0.5),
        colour=random_colour(random),
        drift=(*drift, float(random.normal(0, 0.25)) if random.random() < 0.3 else 0.0),
        shake=float(random.exponential(0.03)) if random.random() < 0.3 else 0.0,
        speed=float(random.choice([1.0, 1.0, random.uniform(0.4, 2.2), random.uniform(1.5, 4)])),
    )


def random_colour(random: Random) -> Callable[[Pictures], Pictures]:
    """Return a grading: gamma, gain, tint, saturation, sometimes gray or inverted light."""
    gamma = float(np.exp(random.normal(0, 0.3)))
    dark = random.random() < DARK
    gain = random.normal(1, 0.12, 3) * (random.uniform(0.12, 0.5) if dark else random.uniform(0.6, 1.25))
    lift = random.uniform(-20, 25) * (0.2 if dark else 1)
    saturation = float(random.choice([0.0, 1.0, random.uniform(0.2, 1.6)], p=[0.1, 0.4, 0.5]))

    def grade(pictures: Pictures) -> Pictures:
        out = 255 * (np.clip(pictures, 0, 255) / 255) ** gamma
        gray = out.mean(-1, keepdims=True)
        return np.clip((gray + saturation * (out - gray)) * gain + lift, 0, 255).astype(np.float32)

    return grade


def camera_path(times: NDArray[np.float64], camera: Camera, random: Random) -> NDArray[np.float64]:
    """Return the camera's path: x and y in picture widths, and log zoom; shape (n, 3). Whip pans are in it."""
    path = np.outer(times - times[0], camera.drift)
    if camera.shake:
        rough = random.normal(0, camera.shake, (len(times) + 8, 2))
        kernel = np.hanning(2 + int(random.integers(2, 7)))[1:-1]
        path[:, :2] += np.stack(
            [np.convolve(rough[:, k], kernel / np.sqrt((kernel**2).sum()), "same")[4:-4] for k in (0, 1)], axis=1
        )
    return path


def render(
    camera: Camera, start_s: float, times: NDArray[np.float64], random: Random, whip: tuple[float, float, float] | None
) -> Pictures:
    """Return the pictures of a shot whose frames are at `times`, seconds from its start.

    A `whip` is a start, a length (s) and a distance (widths) of a fast pan, blurred as an open shutter does.
    """
    single = camera.single
    at = np.abs(start_s + times * camera.speed) * single.fps
    last = len(single.frames) - 1
    # A shot longer than its single runs back and forth.
    index = np.abs((np.round(at).astype(int) + last) % (2 * last) - last) if last else np.zeros(len(at), int)
    path = camera_path(times, camera, random)
    step = float(times[1] - times[0]) if len(times) > 1 else 0.04
    out = np.empty((len(times), HEIGHT, WIDTH, 3), np.float32)
    for i, frame in enumerate(index):
        shutter = [0.0]
        shift = np.zeros(1)
        if whip and whip[0] <= times[i] < whip[0] + whip[1]:
            shutter = np.linspace(0, 0.5 * step, 5).tolist()
        if whip:
            phase = np.clip((times[i] + np.array(shutter) - whip[0]) / whip[1], 0, 1)
            shift = whip[2] * (phase - np.sin(2 * np.pi * phase) / (2 * np.pi))
        pictures = [warp(single.frames[frame], camera, path[i] + [s, 0, 0]) for s in shift]
        out[i] = pictures[0] if len(pictures) == 1 else np.mean(pictures, axis=0)
    return camera.colour(out)


def warp(frame: NDArray[np.uint8], camera: Camera, offset: NDArray[np.float64]) -> Pictures:
    """Return what the camera sees of a frame; past its edges the picture goes on mirrored."""
    width, height = STORED
    zoom = max(1.0, camera.zoom * float(np.exp(np.clip(offset[2], -0.5, 0.7))))
    scale = 1 / zoom * width / (2 * WIDTH)
    room = (1 - 1 / zoom) / 2
    x = width * (0.5 + camera.centre[0] * room + offset[0] / zoom)
    y = height * (0.5 + camera.centre[1] * room + offset[1] / zoom)
    sign = -1.0 if camera.flip else 1.0
    vertical = scale * (height / width) * (WIDTH / HEIGHT)
    matrix = np.array([[sign * scale, 0, x - sign * scale * WIDTH], [0, vertical, y - vertical * HEIGHT]])
    big = cv2.warpAffine(
        frame,
        matrix,
        (2 * WIDTH, 2 * HEIGHT),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return cv2.resize(big, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32)


def title_card(n: int, random: Random) -> Pictures:
    """Return a plain picture with some words, as in trailers."""
    ground = random.uniform(0, 255, 3) if random.random() < 0.4 else np.full(3, random.choice([0.0, 255.0]))
    ink = 255 - ground if random.random() < 0.7 else random.uniform(0, 255, 3)
    big = np.full((HEIGHT * 8, WIDTH * 8, 3), ground.astype(np.uint8), np.uint8)
    for _ in range(random.integers(0, 4)):
        text = "".join(random.choice(list("ABCDEFGHIKLMNOPRSTU   ")) for _ in range(random.integers(3, 14)))
        where = (int(random.integers(0, 200)), int(random.integers(30, HEIGHT * 8)))
        cv2.putText(big, text, where, cv2.FONT_HERSHEY_SIMPLEX, random.uniform(0.6, 2), ink.tolist(), 3, cv2.LINE_AA)
    small = cv2.resize(big, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32)
    grow = 1 + random.choice([0.0, random.uniform(0, 0.1)])
    return np.stack(
        [
            cv2.warpAffine(
                small,
                cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), 0, 1 + (grow - 1) * i / n),
                (WIDTH, HEIGHT),
                borderMode=cv2.BORDER_REPLICATE,
            )
            for i in range(n)
        ]
    )


def next_camera(
    camera: Camera, at_s: float, kind: str, singles: Sequence[Single], random: Random
) -> tuple[Camera, float]:
    """Return the next shot's camera and where in its single it starts; after a jump cut it is the same place."""
    if kind == "jump":
        length = len(camera.single.frames) / camera.single.fps
        same = random.random() < 0.7
        zoom = camera.zoom if same else camera.zoom * random.uniform(1.1, 1.7)
        skip = float(np.exp(random.uniform(np.log(0.3), np.log(max(0.6, length)))))
        return replace(camera, zoom=zoom), (at_s + skip) % length
    other = random_camera(singles, random)
    if random.random() < 0.5:  # one film has one look
        other.colour = camera.colour
    return other, random.uniform(0, len(other.single.frames) / other.single.fps)
