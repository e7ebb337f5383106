"""One decode of a video that feeds any number of signals: look once."""

import time as clock
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from longtake.records import Series, Video
from longtake.video.decode import Reader
from longtake.video.describe import describe, no_frames, pixel_aspect, shown_size

BLOCK = 64
"""Frames handed over at once: enough to make a call cheap, few enough to stay small (a 320x180 gray block: 3.7 MB)."""
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


def scan(
    path: str | Path,
    signals: Mapping[str, Signal],
    *,
    threads: int = 1,
    on_progress: Callable[[float], None] | None = None,
) -> Scan:
    """Decode a video once, and let every signal see it through its tap.

    Frames are scaled once per distinct size and pixel format. `on_progress` gets the time reached, in seconds, with
    every block, and every 2 s where one takes longer. Raises `VideoError` where not one frame decodes; lesser damage
    is told in `Scan.video.damage`.
    """
    path = Path(path)
    with Reader(path, threads=threads) as reader:
        taps = _Taps(signals)
        times: list[float] = []
        first: VideoFrame | None = None
        end_s, told = 0.0, clock.monotonic()
        for time, frame in reader:
            if first is None:
                first = frame
                taps.fit(frame, pixel_aspect(reader))
            taps.see(time, len(times), frame)
            times.append(time)
            end_s = reader.timeline.expected_s
            if on_progress and (len(times) % BLOCK == 0 or clock.monotonic() - told > TELL_S):
                on_progress(time)
                told = clock.monotonic()
        if first is None:
            raise no_frames(reader)
        taps.finish()
        all_times = np.array(times)
        first_s = reader.timeline.first_s or 0.0
        video = describe(reader, first, times=all_times, end_s=end_s, first_s=first_s)
        series = {label: join(signal.columns, taps.rows[label]) for label, signal in signals.items()}
        return Scan(video, all_times, series)


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
        self.pictures: dict[tuple[int | tuple[int, int], str], _Picture] = {}
        self.blocks: list[_Block] = []

    def fit(self, frame: VideoFrame, pixel_aspect: float) -> None:
        """Lay out the pictures and blocks once the first frame tells the size."""
        shown = shown_size(frame, pixel_aspect)
        for label, signal in self.signals.items():
            tap = signal.tap
            key = (tap.size, tap.pixels)
            if key not in self.pictures:
                self.pictures[key] = _Picture(fit_size(tap.size, shown), tap.pixels, frame.rotation % 360)
            self.blocks.append(_Block(label, signal, self.pictures[key], self.rows[label]))

    def see(self, time: float, number: int, frame: VideoFrame) -> None:
        """Show one frame to every tap that is due."""
        for block in self.blocks:
            if time >= block.due_s:
                block.add(time, number, block.picture.of(number, frame))

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


class _Picture:
    """One size and pixel format: scales each frame at most once, however many taps want it."""

    def __init__(self, size: tuple[int, int], pixels: str, rotation: int) -> None:
        self.stored_size = size[::-1] if rotation % 180 else size
        self.format = pixels
        self.turns = rotation // 90
        self.shape = (size[1], size[0]) if pixels == "gray" else (size[1], size[0], 3)
        self.scaler = VideoReformatter()
        self.number = -1
        self.picture: NDArray[np.uint8] = np.empty(0, np.uint8)

    def of(self, number: int, frame: VideoFrame) -> NDArray[np.uint8]:
        if number != self.number:
            width, height = self.stored_size
            scaled = self.scaler.reformat(
                frame, width, height, self.format, interpolation=Interpolation.AREA, threads=1
            )
            self.picture = np.asarray(scaled.to_ndarray(), np.uint8)
            if self.turns:
                self.picture = np.rot90(self.picture, self.turns)
            self.number = number
        return self.picture


class _Block:
    """The frames one signal has yet to see."""

    def __init__(self, label: str, signal: Signal, picture: _Picture, rows: list[Series]) -> None:
        self.label = label
        self.signal = signal
        self.picture = picture
        self.rows = rows
        self.size = signal.tap.block
        self.times = np.empty(self.size, np.float64)
        self.numbers = np.empty(self.size, np.int32)
        self.pixels = np.empty((self.size, *picture.shape), np.uint8)
        self.count = 0
        self.taken = 0
        self.due_s = 0.0

    def add(self, time: float, number: int, pixels: NDArray[np.uint8]) -> None:
        self.times[self.count] = time
        self.numbers[self.count] = number
        self.pixels[self.count] = pixels
        self.count += 1
        hz = self.signal.tap.hz
        if hz is not None:
            # The next due time lies on the grid k / hz; half a millisecond forgives containers that round times.
            self.due_s = (np.floor((time + 5e-4) * hz) + 1) / hz - 5e-4
        if self.count == self.size:
            self.flush(last=False)

    def flush(self, *, last: bool) -> None:
        n = self.count
        self.rows.append(self.signal(Frames(self.times[:n], self.numbers[:n], self.pixels[:n], last)))
        self.count = 0
