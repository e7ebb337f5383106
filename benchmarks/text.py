"""How well the signal `text` finds text and logos drawn over footage it has not learned from, in fonts it never saw.

    python benchmarks/text.py SINGLES --fonts FONTS [--seen] [--ocr] [--json results/text.json]

SINGLES is a folder of videos without overlaid text, of which every second one, by name, was learned from
(`training/text.py`); the others are judged, or the learned ones with `--seen`. FONTS holds the fonts. Each kind of text
is drawn over six seconds of each video, 640 pixels wide, coded by x264 at crf 26, and measured with the rest of it.
"""

import argparse
import importlib
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from _machine import measured_on
from numpy.typing import NDArray

from longtake.records import Series
from longtake.scores.text import LOGO, TEXT, text
from longtake.signals.text import Text
from longtake.signals.text_ocr import TextOcr
from longtake.video import scan
from longtake.video.decode import Reader

sys.path.append(str(Path(__file__).parents[1] / "training"))
lettering: Any = importlib.import_module("lettering")

Gray = NDArray[np.uint8]
WIDTH, FPS, SECONDS = 640, 4, 6
CORNERS = {"top left": (0.04, 0.05), "top right": (0.86, 0.05), "bottom right": (0.86, 0.8)}
FILM = 8
"""Videos in each film that gets a logo, two seconds of each."""


@dataclass(frozen=True)
class Found:
    kind: str
    pictures: int
    with_text: float
    """Share of the pictures that are said to have text on them."""
    area: float
    """Mean share of the picture under text, as found."""
    truth: float
    in_doubt: float
    """Share of the pictures with something in doubt."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("singles", type=Path)
    parser.add_argument("--fonts", type=Path, required=True)
    parser.add_argument("--seen", action="store_true", help="judge on the videos and fonts learned from")
    parser.add_argument("--ocr", action="store_true", help="with the signal text_ocr")
    parser.add_argument("--json", type=Path, help="write the results here too")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    make = TextOcr if options.ocr else Text
    videos = {
        path.stem: frames_of(path) for path in sorted(options.singles.glob("*.mp4"))[0 if options.seen else 1 :: 2]
    }
    rng = np.random.default_rng(1)
    writer = lettering.Lettering(lettering.fonts_in(options.fonts, held_out=not options.seen), rng)
    kinds = ("none", "subtitle", "credits", "title", "name", "mark", "ticker", "counter")
    found = [judge(kind, videos, writer, make, show=kind == "none") for kind in kinds]
    for one in found:
        print(
            f"{one.kind:<10} {one.with_text:6.1%} of {one.pictures} pictures with text; "
            f"{one.area:.4f} of the picture, in truth {one.truth:.4f}; {one.in_doubt:.1%} in doubt"
        )
    logos = [judge_logo(corner, list(videos.values()), rng) for corner in ("none", *CORNERS)]
    for line in logos:
        print("logo", line)
    if options.json:
        told = {**measured_on(), "seen": options.seen, "ocr": options.ocr, "text": [asdict(one) for one in found]}
        options.json.write_text(json.dumps({**told, "logos": logos}, indent=1) + "\n")


def frames_of(path: Path) -> list[Gray]:
    """Return the first seconds of a video, at `FPS` and `WIDTH` (narrower if upright)."""
    pictures: list[Gray] = []
    with Reader(path) as reader:
        for time, frame in reader:
            if len(pictures) == FPS * SECONDS:
                break
            if time >= len(pictures) / FPS:
                picture = frame.to_ndarray(format="gray")
                factor = WIDTH / max(picture.shape)
                size = (round(picture.shape[1] * factor / 2) * 2, round(picture.shape[0] * factor / 2) * 2)
                pictures.append(np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC), np.uint8))
    return pictures


def judge(kind: str, videos: dict[str, list[Gray]], writer: Any, make: type[Text], *, show: bool) -> Found:
    """Draw one kind of text over all videos, and measure them."""
    rows, truth, worst = [], [], []
    for video, frames in videos.items():
        height, width = frames[0].shape
        layer = lettering.Layer.empty((width, height))
        if kind != "none":
            getattr(writer, kind)(layer)
        drawn = [layer.over(frame) for frame in frames]
        series = measure([picture for picture, _ in drawn], make)
        rows.append(series.values)
        truth += [float(drawn[0][1].mean())] * len(series)
        worst.append((float(series.column("area").max()), float(series.column("doubt").max()), video))
    if show:
        for most, doubt, video in sorted(worst, reverse=True)[:8]:
            print(f"  without text: {video} {most:.4f}, in doubt {doubt:.4f}")
    values = np.concatenate(rows)
    area = values[:, 0]
    said = float((area >= TEXT).mean())
    return Found(kind, len(area), said, float(area.mean()), float(np.mean(truth)), float((values[:, 4] > 0).mean()))


def judge_logo(corner: str, videos: Sequence[list[Gray]], rng: np.random.Generator) -> dict[str, Any]:
    """Draw a logo over films of many videos, and measure it."""
    wide = [frames for frames in videos if frames[0].shape[1] == WIDTH]
    right = films = 0
    shares = []
    for start in range(0, len(wide) - FILM + 1, 2):
        film = list(joined(wide[start : start + FILM]))
        at = CORNERS.get(corner)
        drawn = film if at is None else [stamped(picture, at, alpha=0.6) for picture in film]
        scores = text(measure(drawn, Text))
        films += 1
        there = (scores["logo"] or 0) >= LOGO
        x, y = scores["logo_x"], scores["logo_y"]
        near = (
            at is not None and x is not None and y is not None and abs(x - at[0] - 0.05) + abs(y - at[1] - 0.07) < 0.1
        )
        right += there and near if at else not there
        shares.append(scores["logo"])
    return {"corner": corner, "right": right, "films": films, "shares": shares}


def joined(videos: Sequence[list[Gray]]) -> Iterator[Gray]:
    """Yield two seconds of each video, all of one size."""
    for frames in videos:
        for frame in frames[: 2 * FPS]:
            yield np.asarray(cv2.resize(frame, (WIDTH, 360)), np.uint8)


def stamped(picture: Gray, at: tuple[float, float], alpha: float) -> Gray:
    """Return a picture with a logo, a tenth of it wide: a ring and a bar."""
    height, width = picture.shape
    side = width // 10
    mark = np.zeros((side, side), np.uint8)
    cv2.circle(mark, (side // 2, side // 2), side // 3, 255, side // 12)
    cv2.line(mark, (side // 4, side // 2), (3 * side // 4, side // 2), 255, side // 10)
    out = picture.copy()
    left, top = int(at[0] * width), int(at[1] * height)
    part = out[top : top + side, left : left + side]
    part[:] = np.where(mark > 0, part * (1 - alpha) + 255 * alpha, part).astype(np.uint8)
    return out


def measure(pictures: Sequence[Gray], make: type[Text]) -> Series:
    """Code pictures as H.264 and scan them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=FPS, options={"crf": "26", "preset": "veryfast"})
            stream.height, stream.width = pictures[0].shape
            stream.pix_fmt = "yuv420p"
            for picture in pictures:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="gray")))
            container.mux(stream.encode())
        return scan(path, {"text": make()}).series["text"]


if __name__ == "__main__":
    main()
