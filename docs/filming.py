"""Short films for the page of scores: the demo's real footage, as it is or changed so that a score has an example.

Pictures are RGB arrays, films lists of them at 25 frames per second. The bare shots are played to and fro.
"""

import math
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1] / "demo"))
from make_videos import Picture, footage

Film = list[Picture]
Route = Callable[[float], tuple[float, float, float, float]]
"""Seconds -> how far right of and below the middle, in heights, how many times zoomed in, degrees rolled."""

FPS = 25
SHOTS = {
    "roof": ("bikes.mp4", 0, 30),
    "taxi": ("bikes.mp4", 30, 76),
    "van": ("bikes.mp4", 76, 110),
    "cyclist": ("bikes.mp4", 76, 137),
    "square": ("bikes.mp4", 137, 187),
    "legs": ("bikes.mp4", 187, 242),
    "walk": ("bikes.mp4", 187, 212),
    "rabbit": ("bigbuckbunny.mp4", 0, 132),
    "man": ("carphone_pristine.mp4", 0, 120),
}
"""Name -> file of the footage, first frame and end."""


@cache
def _footage(name: str, width: int) -> list[Picture]:
    return footage(name, width)


def shot(name: str, seconds: float = 4, *, width: int = 640) -> Film:
    """Return a shot, played forward and backward for so long, not enlarged."""
    file, first, end = SHOTS[name]
    there = _footage(file, 176 if name == "man" else width)[first:end]
    if name == "man":  # its first column is black, as it is of many old tapes
        there = [picture[:, 1:-1] for picture in there]
    last = len(there) - 1
    return [there[last - abs(last - i % (2 * last))] for i in range(round(seconds * FPS))]


def still(name: str, at: int, seconds: float) -> Film:
    """Return one frame of a shot for so long."""
    file, first, _ = SHOTS[name]
    return [_footage(file, 640)[first + at]] * round(seconds * FPS)


def each(film: Film, change: Callable[[Picture], Picture]) -> Film:
    """Change every picture."""
    return [change(picture) for picture in film]


def part(film: Film, start: float, end: float, change: Callable[[Picture], Picture]) -> Film:
    """Change the pictures of a part, given as shares of the film's time."""
    return [change(p) if start <= i / len(film) < end else p for i, p in enumerate(film)]


def lit(gain: float, more: float = 0) -> Callable[[Picture], Picture]:
    """Make brighter or darker, of more or less contrast: value x gain + more, of 255."""
    return lambda picture: np.asarray(cv2.addWeighted(picture, gain, picture, 0, more), np.uint8)


def hazy(share: float) -> Callable[[Picture], Picture]:
    """Let fog take a share of the picture."""
    return lambda picture: lit(1 - share, 190 * share)(picture)


def black(picture: Picture) -> Picture:
    """Show nothing."""
    return np.zeros_like(picture)


def grey(picture: Picture) -> Picture:
    """Take the colour out."""
    return np.asarray(cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8)


def blurred(sigma_px: float) -> Callable[[Picture], Picture]:
    """Put out of focus."""
    return lambda picture: np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_px), np.uint8)


def enlarged(times: float) -> Callable[[Picture], Picture]:
    """Show a picture of fewer pixels, enlarged to the size it had."""

    def change(picture: Picture) -> Picture:
        height, width = picture.shape[:2]
        small = cv2.resize(picture, (round(width / times), round(height / times)), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)

    return change


def grainy(sigma: float) -> Callable[[Picture], Picture]:
    """Add noise, which differs from picture to picture; its standard deviation is a share of white."""
    random = np.random.default_rng(1)

    def change(picture: Picture) -> Picture:
        noise = random.normal(0, 255 * sigma, (*picture.shape[:2], 1))
        return np.clip(picture + noise, 0, 255).astype(np.uint8)

    return change


def framed(rows: int = 0, columns: int = 0) -> Callable[[Picture], Picture]:
    """Add black borders around the picture."""
    return lambda picture: np.pad(picture, ((rows, rows), (columns, columns), (0, 0)))


def written(
    lines: Sequence[str], y: float, *, high: float = 0.06, strength: float = 1.0
) -> Callable[[Picture], Picture]:
    """Write white lines with a dark edge, the first one's middle at a share of the height, letters so high."""

    def change(picture: Picture) -> Picture:
        height, width = picture.shape[:2]
        out, size = picture.copy(), high * height / 22
        for number, line in enumerate(lines):
            (long, tall), _ = cv2.getTextSize(line, cv2.FONT_HERSHEY_DUPLEX, size, 1)
            at = round((width - long) / 2), round((y + 1.7 * high * number) * height + tall / 2)
            for colour, thick in (((20, 20, 20), 4), ((255, 255, 255), 1)):
                cv2.putText(out, line, at, cv2.FONT_HERSHEY_DUPLEX, size, colour, thick, cv2.LINE_AA)
        return np.asarray(cv2.addWeighted(out, strength, picture, 1 - strength, 0), np.uint8)

    return change


def branded(x: float, y: float, high: float = 0.12) -> Callable[[Picture], Picture]:
    """Put a logo of our own over the picture: a disc with a triangle cut out."""

    def change(picture: Picture) -> Picture:
        height, width = picture.shape[:2]
        out, radius = picture.copy(), round(high * height / 2)
        middle = np.array([round(x * width), round(y * height)])
        corners = middle + np.array([(-0.35, -0.55), (-0.35, 0.55), (0.6, 0)]) * radius
        cv2.circle(out, tuple(map(int, middle)), radius, (250, 250, 250), -1, cv2.LINE_AA)
        cv2.fillPoly(out, [corners.round().astype(np.int32)], (190, 30, 60), cv2.LINE_AA)
        return out

    return change


def filmed(source: Film, route: Route, size: tuple[int, int] = (240, 136)) -> Film:
    """Move a window over a film, as a camera would."""
    out = []
    for i, picture in enumerate(source):
        x, y, zoom, roll = route(i / FPS)
        height, width = picture.shape[:2]
        middle = (width / 2 + x * size[1], height / 2 + y * size[1])
        window = cv2.getRotationMatrix2D(middle, roll, zoom)
        window[:, 2] += np.array(size) / 2 - middle
        out.append(np.asarray(cv2.warpAffine(picture, window, size, flags=cv2.INTER_LINEAR), np.uint8))
    return out


def going(
    *, right: float = 0, down: float = 0, grows: float = 0, turns: float = 0, start: float = 0, end: float = 4
) -> Route:
    """Return a route at so many heights, times or degrees per second from start to end, and standing before and after.

    It is in the middle half-way.
    """

    def route(t: float) -> tuple[float, float, float, float]:
        gone = min(max(t, start), end) - start
        aside = gone - (end - start) / 2
        return right * aside, down * aside, math.exp(grows * gone), turns * gone

    return route


def one_after_the_other(*routes: Route) -> Route:
    """Return the sum of routes, and the product of what they zoom."""

    def route(t: float) -> tuple[float, float, float, float]:
        x, y, zoom, roll = zip(*(each_route(t) for each_route in routes), strict=True)
        return sum(x), sum(y), math.prod(zoom), sum(roll)

    return route


def shaken(strength: float, *, start: float = 0) -> Route:
    """Return the route of a hand that wants to hold still: to and fro at several paces."""

    def route(t: float) -> tuple[float, float, float, float]:
        x = sum(math.sin(2 * math.pi * hz * t + 9 * hz) / hz for hz in (0.7, 1.3, 2.1, 3.3))
        y = sum(math.sin(2 * math.pi * hz * t + 5 * hz) / hz for hz in (0.6, 1.1, 1.9, 2.9))
        return (strength * x, strength * y, 1.0, 0.0) if t >= start else (0.0, 0.0, 1.0, 0.0)

    return route


def woven(film: Film) -> Film:
    """Interlace: every two pictures become one, of which they give every other row."""
    out = []
    for first, second in zip(film[::2], film[1::2], strict=False):
        frame = first.copy()
        frame[1::2] = second[1::2]
        out += [frame, frame]
    return out


def pulled_down(film: Film) -> Film:
    """Show film as fields, as television at 60 per second does: of five pictures two are woven of two others."""
    out: Film = []
    for i in range(0, len(film) - 3, 4):
        a, b, c, d = film[i : i + 4]
        out += [a, woven([b, c])[0], woven([c, d])[0], d, d]
    return out


def repeated(film: Film, pattern: Sequence[int]) -> Film:
    """Show each picture so many times, in turn."""
    return [picture for i, picture in enumerate(film) for _ in range(pattern[i % len(pattern)])]


def frozen(film: Film, start_s: float, seconds: float) -> Film:
    """Let one picture hang for so long, as where a connection breaks off."""
    first, end = round(start_s * FPS), round((start_s + seconds) * FPS)
    return [film[first] if first <= i < end else picture for i, picture in enumerate(film)]
