"""Make the example pictures of docs/scores.md, and measure what stands under them, by the scan that everyone uses.

    python docs/pictures.py [NAME ...]        (default: all; takes some minutes)

Writes docs/scores/NAME.webp and docs/scores/examples.json, from which docs/generate.py makes the page.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from longtake import steps
from longtake.video import scan

sys.path.append(str(Path(__file__).parent))
from filming import Film
from shown import EXAMPLES, SHOWS, Example

Picture = NDArray[np.uint8]

FOLDER = Path(__file__).parent / "scores"
SINGLE, STRIP = (200, 150), (176, 100)
"""Sizes in pixels that a frame fits in: alone, and as one of several."""
CLOSE, TIMES = (100, 56), 2
"""Size in pixels of a part that is shown enlarged, and how many times."""
GAP_PX = 3
QUALITY, CLOSE_QUALITY = 70, 85


def write(path: Path, film: Film, example: Example) -> None:
    """Write a film as a video file."""
    options = {"preset": "veryfast", "crf": str(example.crf), **example.options}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=example.fps, options=options)
        stream.height, stream.width = (side // 2 * 2 for side in film[0].shape[:2])
        stream.pix_fmt = "yuv420p"
        for picture in film:
            even = np.ascontiguousarray(picture[: stream.height, : stream.width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
        container.mux(stream.encode())


def measure(path: Path, scores: Sequence[str]) -> dict[str, float | None]:
    """Return what scores say of a whole video: `name.part` -> value."""
    found = {name: steps.find("scores", name) for name in scores}
    signals = {step.signal: steps.find("signals", step.signal).call() for step in found.values() if step.signal}
    series = scan(path, signals).series
    return {
        f"{name}.{part}": value if value is None else round(value, 5)
        for name, step in found.items()
        for part, value in step.call(series[step.signal or ""]).items()
    }


def picture(path: Path, example: Example) -> Picture:
    """Return the example's picture: frames of its video, one below the other."""
    with av.open(str(path)) as container:
        frames = [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]
    chosen = [frames[min(round(second * example.fps), len(frames) - 1)] for second in example.at_s]
    if example.close:
        shown = [close(frame, example.close) for frame in chosen]
    else:
        shown = [shrunk(frame, STRIP if len(chosen) > 1 else SINGLE) for frame in chosen]
    gap = np.full((GAP_PX, shown[0].shape[1], 3), 255, np.uint8)
    return np.vstack([part for frame in shown for part in (frame, gap)][:-1])


def shrunk(frame: Picture, size: tuple[int, int]) -> Picture:
    """Return a picture that fits into a (width, height), not enlarged."""
    height, width = frame.shape[:2]
    times = min(size[0] / width, size[1] / height, 1)
    small = (round(width * times), round(height * times))
    return np.asarray(cv2.resize(frame, small, interpolation=cv2.INTER_AREA), np.uint8)


def close(frame: Picture, middle: tuple[float, float]) -> Picture:
    """Return a part of a picture, enlarged pixel by pixel, around shares of its width and height."""
    height, width = frame.shape[:2]
    wide, high = CLOSE
    left = min(max(round(middle[0] * width - wide / 2), 0), width - wide)
    top = min(max(round(middle[1] * height - high / 2), 0), height - high)
    part = frame[top : top + high, left : left + wide]
    return np.asarray(part.repeat(TIMES, axis=0).repeat(TIMES, axis=1), np.uint8)


def made_with() -> dict[str, int]:
    """Return the versions of all steps that the numbers come from."""
    found = [steps.find("scores", name) for name in SHOWS]
    found += [steps.find("signals", step.signal) for step in found if step.signal]
    return {f"{step.kind}/{step.name}": step.version for step in sorted(found, key=lambda step: (step.kind, step.name))}


def scores_of(name: str) -> list[str]:
    """Return the scores that an example is shown for."""
    return [score for score, shows in SHOWS.items() if any(name in show.examples for show in shows)]


def make(name: str, folder: Path) -> dict[str, Any]:
    """Make one example: write its picture, and return what is told of it."""
    example = EXAMPLES[name]
    video = folder / f"{name}.mp4"
    write(video, example.make(), example)
    quality = CLOSE_QUALITY if example.close else QUALITY
    seen = cv2.cvtColor(picture(video, example), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(FOLDER / f"{name}.webp"), seen, [cv2.IMWRITE_WEBP_QUALITY, quality])
    found = measure(video, scores_of(name))
    video.unlink()
    return {"said": example.said, "at_s": example.at_s, "scores": found}


def main() -> None:
    """Make the examples named on the command line, or all."""
    FOLDER.mkdir(exist_ok=True)
    target = FOLDER / "examples.json"
    names = sys.argv[1:] or list(EXAMPLES)
    told = json.loads(target.read_text())["examples"] if sys.argv[1:] and target.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            told[name] = make(name, Path(folder))
            print(name, told[name]["scores"], flush=True)
    for old in FOLDER.glob("*.webp"):
        if old.stem not in EXAMPLES:
            old.unlink()
    shows = {score: [{"parts": show.parts, "examples": show.examples} for show in SHOWS[score]] for score in SHOWS}
    page = {
        "made_with": made_with(),
        "shows": shows,
        "examples": {name: told[name] for name in EXAMPLES if name in told},
    }
    target.write_text(json.dumps(page, indent=1) + "\n", encoding="utf-8")
    print(target)


if __name__ == "__main__":
    main()
