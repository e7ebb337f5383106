"""One decode of a video that feeds any number of signals: look once."""

import math
import time as clock
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from longtake.errors import VideoError
from longtake.places import Place, place
from longtake.records import Series, Video
from longtake.video.decode import Reader
from longtake.video.describe import describe, no_frames, pixel_aspect, shown_size, turned
from longtake.video.pictures import Picture
from longtake.video.spare import needed_of
from longtake.video.walk import All, Few, Shown

BLOCK = 64
"""Frames handed over at once: enough to make a call cheap, few enough to stay small (a 320x180 gray block: 3.7 MB)."""
PATIENCE_S, SLOWEST = 600.0, 1000.0
"""A video of which less is seen, after so long, than one second for so many of work will never end."""
TELL_S = 2.0
"""How long a watcher waits for a sign where frames take long: a large network may need seconds for each."""


@dataclass(frozen=True, slots=True)
class Tap:
    """What a signal wants to see of a video."""

    size: int | tuple[int, int]
    """The longer side in pixels, aspect kept and never enlarged; or an exact (width, height), stretched."""
    pixels: Literal["gray", "rgb24"]
    hz: float | None = None
    """Frames per second by their times; None for every frame."""
    block: int = BLOCK
    """Frames handed over at once: fewer for what takes long over each."""
    wants: Callable[[float], bool] | None = None
    """In place of a rate: asked of every frame in turn, by its time, whether it is wanted. Others aren't scaled."""


@dataclass(frozen=True, slots=True)
class Frames:
    """A block of consecutive frames as one tap sees them; the last block of a video may be empty."""

    times: NDArray[np.float64]
    """Shape (n,): seconds from the video's first frame."""
    numbers: NDArray[np.int32]
    """Shape (n,)."""
    pixels: NDArray[np.uint8]
    """Shape (n, height, width) for gray, (n, height, width, 3) for rgb24; turned upright. Valid during the call."""
    last: bool
    """Whether no more frames follow: a signal that looks ahead gives its remaining rows now."""


class Signal(Protocol):
    """Frames in, numbers out. Called with every block in turn; returns the rows it can give by now."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the numbers in a row."""
        ...

    @property
    def tap(self) -> Tap:
        """What it wants to see."""
        ...

    def __call__(self, frames: Frames, /) -> Series:
        """Measure one block."""
        ...


@dataclass(frozen=True, slots=True)
class Scan:
    """What one decode of a video gave."""

    video: Video
    times: NDArray[np.float64]
    """Shape (video.frames,): the time of every frame, in seconds from the first."""
    series: dict[str, Series]
    missed: frozenset[str] = frozenset()
    """Signals that wanted every frame and did not get some."""


def scan(
    path: str | Place,
    signals: Mapping[str, Signal],
    *,
    threads: int = 1,
    fast: bool = False,
    on_progress: Callable[[float], None] | None = None,
) -> Scan:
    """Decode a video once, and let every signal see it through its tap.

    Frames are scaled once per distinct size and pixel format. `on_progress` gets the time reached, in seconds, with
    every block, and every 2 s where one takes longer. Raises `VideoError` where not one frame decodes; lesser damage
    is told in `Scan.video.damage`. With `fast`, frames that nothing hangs on aren't decoded where the codec allows it;
    `NeedsAllError` says that this video can't be scanned so, with signals that have seen some of it.
    """
    path = place(path)
    with Reader(path, threads=threads) as reader:
        taps = _Taps(signals)
        if all(_is_small(signal.tap.size, reader) for signal in signals.values()):
            reader.skim()
        needed = needed_of(reader.context) if fast else None
        walk = Few(reader, taps.due, needed) if needed else All(reader, taps.due)
        first: VideoFrame | None = None
        told = begun = clock.monotonic()
        for seen, (shown, frame) in enumerate(walk, 1):
            if first is None:
                first = frame
                taps.fit(frame, pixel_aspect(reader))
            taps.see(shown, frame)
            if seen % BLOCK == 0 or clock.monotonic() - told > TELL_S:
                told = clock.monotonic()
                if told - begun > PATIENCE_S + SLOWEST * shown.time:
                    what = f"after {told - begun:.0f} s only {shown.time:.3f} s of it, {len(walk.times)} frames"
                    raise VideoError("timeout", f"{path}: {what}")
                if on_progress:
                    on_progress(shown.time)
        if first is None:
            raise no_frames(reader)
        taps.finish()
        all_times = np.array(walk.times)
        first_s, end_s = reader.timeline.first_s or 0.0, reader.timeline.expected_s
        video = describe(reader, first, times=all_times, end_s=end_s, first_s=first_s)
        series = {label: join(signal.columns, taps.rows[label]) for label, signal in signals.items()}
        missed = signals.keys() - taps.samplers if walk.left_out else ()
        return Scan(video, all_times, series, frozenset(missed))


def join(columns: tuple[str, ...], parts: list[Series]) -> Series:
    """Return consecutive pieces of one series as one."""
    empty = Series(columns, np.empty(0), np.empty(0, np.int32), np.empty((0, len(columns)), np.float32))
    parts = parts or [empty]
    return Series(
        columns,
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.frames for part in parts]),
        np.concatenate([part.values for part in parts]),
    )


class _Taps:
    """All taps of one scan: the pictures they share, and the block each signal is filling."""

    def __init__(self, signals: Mapping[str, Signal]) -> None:
        self.rows: dict[str, list[Series]] = {label: [] for label in signals}
        self.signals = signals
        self.samplers = {label: wants for label, signal in signals.items() if (wants := sampler(signal.tap))}
        self.pictures: dict[tuple[int | tuple[int, int], str], Picture] = {}
        self.blocks: list[_Block] = []

    def fit(self, frame: VideoFrame, pixel_aspect: float) -> None:
        """Lay out the pictures and blocks once the first frame tells the size."""
        shown = shown_size(frame, pixel_aspect)
        for label, signal in self.signals.items():
            tap = signal.tap
            key = (tap.size, tap.pixels)
            if key not in self.pictures:
                self.pictures[key] = Picture(fit_size(tap.size, shown), tap.pixels, turned(frame))
            self.blocks.append(_Block(label, signal, self.pictures[key], self.rows[label]))

    def due(self, time: float) -> list[str]:
        """Return the signals, of those that take samples, that want the next frame."""
        return [label for label, wants in self.samplers.items() if wants(time)]

    def see(self, shown: Shown, frame: VideoFrame) -> None:
        """Show one frame to every tap that is due."""
        for block in self.blocks:
            if block.label in shown.due or block.label not in self.samplers:
                block.add(shown.time, shown.number, block.picture.of(shown.number, frame))

    def finish(self) -> None:
        """Hand over what is left, and tell every signal that this was all."""
        for block in self.blocks:
            block.flush(last=True)


def fit_size(size: int | tuple[int, int], shown: tuple[int, int]) -> tuple[int, int]:
    """Return the (width, height) a tap sees of a video shown at `shown`."""
    if isinstance(size, tuple):
        return size
    factor = min(1.0, size / max(shown))
    return max(1, round(shown[0] * factor)), max(1, round(shown[1] * factor))


def _is_small(size: int | tuple[int, int], reader: Reader) -> bool:
    """Whether a tap sees a video at half its size or less, where coding blocks hardly show."""
    width, height = reader.context.width, reader.context.height
    if isinstance(size, int):
        return 2 * size <= max(width, height)
    return 2 * max(size) <= min(width, height)


class Grid:
    """Wants so many frames per second: the first one at or after each k / hz."""

    def __init__(self, hz: float) -> None:
        self.hz = hz
        self.due_s = 0.0

    def __call__(self, time: float) -> bool:
        """Return whether the next frame, at a time, is wanted."""
        if time < self.due_s:
            return False
        # Half a millisecond forgives containers that round times.
        self.due_s = (math.floor((time + 5e-4) * self.hz) + 1) / self.hz - 5e-4
        return True


def sampler(tap: Tap) -> Callable[[float], bool] | None:
    """Return what says which frames a tap wants, asked of each in turn; None for a tap that wants every frame."""
    return tap.wants or (Grid(tap.hz) if tap.hz else None)


class _Block:
    """The frames one signal has yet to see."""

    def __init__(self, label: str, signal: Signal, picture: Picture, rows: list[Series]) -> None:
        self.label = label
        self.signal = signal
        self.picture = picture
        self.rows = rows
        self.size = signal.tap.block
        self.times = np.empty(self.size, np.float64)
        self.numbers = np.empty(self.size, np.int32)
        self.pixels = np.empty((self.size, *picture.shape), np.uint8)
        self.count = 0

    def add(self, time: float, number: int, pixels: NDArray[np.uint8]) -> None:
        self.times[self.count] = time
        self.numbers[self.count] = number
        self.pixels[self.count] = pixels
        self.count += 1
        if self.count == self.size:
            self.flush(last=False)

    def flush(self, *, last: bool) -> None:
        n = self.count
        self.rows.append(self.signal(Frames(self.times[:n], self.numbers[:n], self.pixels[:n], last)))
        self.count = 0
