"""What is true of a set of videos, read from the formats such sets come in: transitions, distractors, long takes.

Frames count decoded frames from 0. Nothing is detected or compared here. All layouts but `dev` name no kinds of
transitions: one without a mixed frame is a `cut`, every other `gradual`. Their numbers are taken as annotated; where
a set counts frames otherwise, the mean offset of cuts shows it. TransNetV2's authors, for one, add 1 to all of BBC.
"""

import bisect
import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args

from longtake import probe

Layout = Literal["dev", "bbc", "rai", "clipshots", "shot"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
TAKE_S = 10.0
"""A take of this length, or longer, is long."""
CUTS = ("cut", "jumpcut")
"""The kinds without mixed frames."""
VIDEOS = {".avi", ".mkv", ".mov", ".mp4", ".mpg", ".webm"}


@dataclass(frozen=True, slots=True)
class Span:
    """Frames `first_frame` to `last_frame`, both inside: the mixed frames of a transition, or a distractor.

    A cut has no mixed frame, and both are the first frame of the new shot.
    """

    kind: str
    first_frame: int
    last_frame: int


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of one video."""

    name: str
    """The video's file name without its suffix."""
    path: Path
    fps: float
    frames: int
    transitions: tuple[Span, ...]
    distractors: tuple[Span, ...] = ()
    """What looks like a transition and is none."""
    ignore: tuple[tuple[int, int], ...] = ()
    """First and last frames of ranges in which a prediction counts neither way."""
    long_takes: tuple[tuple[int, int], ...] = ()
    """First and last frames of the takes of `TAKE_S` and more without a transition."""
    frame_times: tuple[float, ...] = ()
    """Seconds of every frame, where the rate varies."""

    def frame_at(self, time_s: float) -> int:
        """Return the frame nearest to a time."""
        if not self.frame_times:
            return round(time_s * self.fps)
        at = bisect.bisect(self.frame_times, time_s)
        near = range(max(0, at - 2), min(len(self.frame_times), at + 2))
        return min(near, key=lambda frame: abs(self.frame_times[frame] - time_s))

    def seconds(self, start: int, end: int) -> float:
        """Return how long the frames from `start` to before `end` show."""
        if not self.frame_times:
            return (end - start) / self.fps
        times = (*self.frame_times, self.frame_times[-1] + 1 / self.fps)
        return times[min(end, len(times) - 1)] - times[min(start, len(times) - 1)]


Load = Callable[[], Truth]


def read(folder: Path, layout: Layout = "dev", *, only: str = "", split: str = "test") -> list[Truth]:
    """Return what is true of the videos of a set, by name.

    `only`: a number for so many first videos, or a text that a name must contain. `split`: the part of ClipShots.
    Raises `ValueError` where the folder has no annotated video, or an annotation can't be read.
    """
    readers: dict[Layout, Callable[[], Iterator[tuple[Path, Load]]]] = {
        "dev": lambda: _dev(folder),
        "bbc": lambda: _listed(folder, _first_number),
        "rai": lambda: _listed(folder, lambda stem: stem.removesuffix("_gt")),
        "clipshots": lambda: _clipshots(folder, split),
        "shot": lambda: _shot(folder),
    }
    found = sorted(readers[layout](), key=lambda pair: pair[0].stem)
    if only:
        found = found[: int(only)] if only.isdigit() else [pair for pair in found if only in pair[0].stem]
    if not found:
        which = f" whose name contains {only!r}" if only else ""
        raise ValueError(f"{folder}: no annotated video{which} in the layout {layout!r}; see benchmarks/truth.py")
    return [load() for _, load in found]


def _dev(folder: Path) -> Iterator[tuple[Path, Load]]:
    """Yield the videos of `videos/` with their `truth/NAME.json`, the format of our own development footage."""
    for path in (folder / "truth").glob("*.json"):
        plain = json.loads(path.read_text())
        video = folder / "videos" / plain["video"]
        yield video, partial(_dev_truth, path.stem, video, plain)


def _dev_truth(name: str, video: Path, plain: dict[str, Any]) -> Truth:
    return Truth(
        name=name,
        path=video,
        fps=plain["fps"],
        frames=plain["frames"],
        transitions=_spans(plain["transitions"], "type"),
        distractors=_spans(plain["distractors"], "kind"),
        ignore=tuple((first, last) for first, last in plain["ignore"]),
        long_takes=tuple((take["first_frame"], take["last_frame"]) for take in plain["long_takes"]),
        frame_times=tuple(plain.get("frame_times", ())),
    )


def _spans(plain: Iterable[dict[str, Any]], kind: str) -> tuple[Span, ...]:
    return tuple(Span(one[kind], one["first_frame"], one["last_frame"]) for one in plain)


def _listed(folder: Path, key: Callable[[str], str]) -> Iterator[tuple[Path, Load]]:
    """Yield videos with their lists of shots, files whose names have the same key, anywhere under the folder.

    BBC Planet Earth (Baraldi, Grana, Cucchiara, 2015): videos `bbc_01.mp4`, lists `annotations/shots/01_....txt`
    (its readme.txt), or `fixed/01-scenes.txt` (Breakthrough/PySceneDetect, `benchmark/README.md`), or `bbc_01.txt`
    (NVlabs/ShotBench, `download.py`). The lists of scenes beside them are in folders of that name and left out.
    RAI (the same authors): `25010.mp4` and `25010_gt.txt`, in one folder `video_rai` or in `labels`
    (soCzech/TransNetV2, `training/consolidate_datasets.py`), or `25010.txt` (NVlabs/ShotBench).
    SHOT: `ID.mp4` and `ID.txt` (wentaozhu/AutoShot, README), in `videos` and `annotations` in PySceneDetect's copy.
    """
    lists = {
        key(path.stem): path
        for path in sorted(folder.rglob("*.txt"))
        if not any(part == "scenes" for part in path.relative_to(folder).parts)
    }
    for video in _videos(folder):
        if key(video.stem) in lists:
            yield video, partial(_truth_of_list, video, lists[key(video.stem)])


def _videos(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.suffix.lower() in VIDEOS)


def _first_number(stem: str) -> str:
    """Return the episode that a name of the BBC set says."""
    found = re.search(r"\d+", stem)
    return str(int(found[0])) if found else stem


def read_shot_list(path: Path) -> list[Span]:
    """Return the transitions between the shots of a file of first and last frames, a shot a line.

    Frames between two shots belong to neither: they are mixed. What comes before the first shot or after the last is
    no transition between shots.
    """
    shots: list[tuple[int, int]] = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.strip():
            shots.append(_two_numbers(line, f"{path}, line {number}"))
    return [_between(old[1], new[0]) for old, new in pairwise(shots)]


def _two_numbers(line: str, where: str) -> tuple[int, int]:
    """Read two frame numbers, whatever is between them: the public files have blanks, tabs, commas, points."""
    numbers = [int(found) for found in re.findall(r"\d+", line)]
    if len(numbers) != 2 or numbers[1] < numbers[0]:
        raise ValueError(f"{where}: expected two frame numbers in order, not {line.strip()!r}")
    return numbers[0], numbers[1]


def _between(old: int, new: int) -> Span:
    """Return the transition between the last frame of the old shot and the first of the new one."""
    return Span("gradual", old + 1, new - 1) if new > old + 1 else Span("cut", new, new)


def _clipshots(folder: Path, split: str) -> Iterator[tuple[Path, Load]]:
    """Yield the videos in `annotations/SPLIT.json`: {file name: {"transitions": [[a, b], ...], "frame_num": n}}.

    a is the last frame of the old shot, b the first of the new one. Videos are anywhere under `videos`; another split
    may have one of the same name, so `videos/SPLIT` goes first. `only_gradual` leaves out cuts, so that precision
    means nothing on it. Source: Tangshitao/ClipShots; soCzech/TransNetV2, `training/consolidate_datasets.py`.
    """
    known = json.loads((folder / "annotations" / f"{split}.json").read_text())
    own = folder / "videos" / split
    for video in _videos(own if own.is_dir() else folder / "videos"):
        if video.name in known:
            pairs = known[video.name]["transitions"]
            yield video, partial(_truth, video, [_between(int(old), int(new)) for old, new in pairs])


def _shot(folder: Path) -> Iterator[tuple[Path, Load]]:
    """Yield the videos of SHOT (Zhu et al., 2023): with a list of shots each, or else by the one list of the authors.

    That list is `kuaishou_v2.txt` (wentaozhu/AutoShot): a line `ID.mp4 FRAMES`, then a line `a,b` for each transition,
    a the last frame of the old shot and b the first of the new one. It has typing errors: a video with a line that is
    not two numbers in order is left out, and of a video listed twice the last counts. Which 200 videos are for testing
    stands in the authors' pickle only, which NVlabs/ShotBench's `download.py` turns into lists of shots.
    """
    together = folder / "kuaishou_v2.txt"
    if not together.is_file():
        yield from _listed(folder, lambda stem: stem)
        return
    known: dict[str, list[str]] = {}
    name = ""
    for line in together.read_text().splitlines():
        if ".mp4" in line:
            name = line.split()[0]
            known[name] = []
        elif line.strip() and name:
            known[name].append(line)
    for video in _videos(folder):
        with contextlib.suppress(ValueError):
            pairs = [_two_numbers(line, together.name) for line in known.get(video.name, ["not listed"])]
            spans = [_between(old, new) for old, new in pairs]
            if spans == sorted(spans, key=lambda one: one.first_frame):
                yield video, partial(_truth, video, spans)


def _truth_of_list(video: Path, shots: Path) -> Truth:
    return _truth(video, read_shot_list(shots))


def _truth(path: Path, transitions: list[Span]) -> Truth:
    """Return the truth about a video whose annotation says nothing but its transitions."""
    video = probe(path)
    return Truth(
        name=path.stem,
        path=path,
        fps=video.fps,
        frames=video.frames,
        transitions=tuple(transitions),
        long_takes=tuple(_long_takes(transitions, video.frames, video.fps)),
    )


def _long_takes(transitions: list[Span], frames: int, fps: float) -> Iterator[tuple[int, int]]:
    """Yield first and last frames of the shots of `TAKE_S` and more."""
    starts = [0, *(one.first_frame if one.kind in CUTS else one.last_frame + 1 for one in transitions)]
    ends = [*(one.first_frame for one in transitions), frames]
    for start, end in zip(starts, ends, strict=True):
        if end - start >= TAKE_S * fps:
            yield start, end - 1
