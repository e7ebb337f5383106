"""Video files and folders of them, on this machine or on object stores."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from longtake.errors import UsageError
from longtake.places import Place, Remote, place, text_of
from longtake.shards import ALL, Part, name_in
from longtake.sources.pieces import FILE as PARTS
from longtake.sources.pieces import video_of

_ENDINGS = """
3gp 264 265 asf avi divx f4v flv h264 h265 hevc ivf m2ts m2v m4v mkv mov mp4 mpeg mpg mts mxf obu ogv qt rm rmvb ts
vob webm wmv y4m
"""
ENDINGS = frozenset(_ENDINGS.split())
"""Files in a folder with one of these endings are taken for videos; a file named outright needs none."""

VIDEOS = "videos"
LIST = "list.jsonl"
"""In a fetched folder, beside `videos`: what a list says of clips of these videos, a row a clip."""
LEDGER = "fetched.sqlite"
"""There, too: what became of each video."""
SET_MARKS = ("set.toml", "videos.lance")
"""The folder of a set has one of these from its first moment on; one made before there were formats has the second."""

_OURS = b'{"longtake":'
"""So begins a row of `LIST`, as `lists/ours.py` writes it."""
_MARKED = re.compile(rf"(.*?)/(?:{re.escape(SET_MARKS[0])}|{re.escape(SET_MARKS[1])}/.*)")


@dataclass(frozen=True, slots=True)
class Found:
    """What the sources hold."""

    videos: list[Place]
    """Absolute, sorted, each once."""
    others: int
    """Files in the folders that don't look like videos and were left alone."""
    lists: tuple[Path, ...] = ()
    """Folders among the sources that were fetched, and hold what a list says of their videos."""
    searched: tuple[Path, ...] = ()
    """Absolute: all folders of this machine among the sources."""
    sets: tuple[str, ...] = ()
    """Folders of sets in the folders searched: their clips were passed over."""


def find_videos(sources: str | Place | Sequence[str | Place], part: Part = ALL) -> Found:
    """Return the video files in some files and folders, or one, folders searched to the bottom, links followed.

    A folder in there that can't be read is returned as a video would be, so that it becomes a failure and isn't lost.

    What is on an object store is told by its listing, page by page; no object is opened. The folder of a set is passed
    over, for its clips are no videos of the user's, unless it is named itself.

    Only those of a part: a video is known by its path in the folder that was named, one named outright by its own name,
    and one of a fetched folder as lists know it, so that machines with other disks agree. Raises `UsageError` for a
    source that isn't there or a folder without any video.
    """
    videos: set[Place] = set()
    lists: set[Path] = set()
    others = 0
    searched: list[Path] = []
    sets: set[str] = set()
    for source in [sources] if isinstance(sources, str | Path | Remote) else sources:
        path = place(source)
        if isinstance(path, Remote):
            here, left, passed = _listed(path)
            sets.update(passed)
            videos.update(one for one in here if part.has(_name_below(path, one)))
            others += left
            continue
        path = path.expanduser()
        if path.is_dir():
            fetched = is_fetched(path)
            if fetched:
                lists.add(absolute(path))
                path /= VIDEOS  # what lies beside it belongs to fetching
            inside, left, passed = _search(path)
            sets.update(passed)
            if not inside and not (fetched and part.of > 1):
                raise UsageError(f"no video in {source}; {_looked(passed)}")
            top = absolute(path)
            searched.append(top)
            videos.update(one for one in inside if part.has(video_of(one.stem) if fetched else name_in(top, one)))
            others += left
        elif path.exists() or path.is_symlink():
            if part.has(path.name):
                videos.add(absolute(path))
        else:
            raise UsageError(f"{source}: no such file or folder")
    return Found(sorted(videos, key=str), others, tuple(sorted(lists)), tuple(searched), tuple(sorted(sets)))


def _looked(passed: Sequence[str]) -> str:
    """Say what was looked for, where nothing was found."""
    more = f"; the set {passed[0]} was passed over" if passed else ""
    return f"it looks for files that end in .mp4, .mkv, .webm, .mov, ...{more}"


def is_set(folder: Place) -> bool:
    """Return whether a folder is that of a set."""
    about, table = (folder / name for name in SET_MARKS)
    return about.is_file() or table.is_dir()


def is_fetched(folder: Path) -> bool:
    """Return whether a folder is one of fetched videos: others may have a `list.jsonl` of their own."""
    if (folder / LEDGER).is_file():
        return (folder / LIST).is_file()
    try:
        with (folder / LIST).open("rb") as file:
            return file.read(len(_OURS)) == _OURS
    except OSError:
        return False


def films_in(folder: Path) -> list[Path]:
    """Return the videos in a folder of this machine, searched to the bottom, but not those of sets."""
    return _search(folder)[0]


def absolute(path: Path) -> Path:
    """Return a path without `..`, links left as they are: they are the names that the user knows."""
    return Path(os.path.abspath(path))  # noqa: PTH100  # resolve() would follow the links


def _listed(source: Remote) -> tuple[list[Remote], int, list[str]]:
    """Return the videos of an object or a folder on a store, with their facts, how many other objects, and the sets."""
    videos: list[Remote] = []
    others: Counter[str] = Counter()
    tops: set[str] = set()
    try:
        if source.is_file():
            return [source.known()], 0, []
        for one in source.walk():
            if one.name.startswith("._"):
                continue
            if one.name.rpartition(".")[2].lower() in ENDINGS:
                videos.append(one)
                continue
            others[one.parent.key] += 1
            marked = _MARKED.fullmatch(f"/{_name_below(source, one)}")
            if marked and marked[1]:
                tops.add(f"{source.key}{marked[1]}".strip("/"))
    except OSError as error:
        raise UsageError(str(error)) from error
    own = [one for one in videos if tops.isdisjoint(_above(one.key))]
    left = sum(number for folder, number in others.items() if tops.isdisjoint(_above(f"{folder}/")))
    sets = [str(replace(source, key=top)) for top in sorted(tops)]
    if not own:
        raise UsageError(f"{source}: " + (f"no video there; {_looked(sets)}" if others else "no such object or folder"))
    return own, left, sets


def _above(key: str) -> Iterator[str]:
    """Give the names of all folders that an object is in."""
    return (key[:end] for end, letter in enumerate(key) if letter == "/")


def _name_below(source: Remote, video: Remote) -> str:
    """Return what a video is called on every machine: its path in the folder that was named, or its own name."""
    return video.key.removeprefix(f"{source.key}/" if source.key else "") if video != source else video.name


def _search(folder: Path) -> tuple[list[Path], int, list[str]]:
    """Walk a folder: its videos, how many other files, and the sets in it, which are not gone into.

    A folder reached twice through links is walked once, by the first name in the alphabet.
    """
    videos: list[Path] = []
    others = 0
    seen: set[str] = set()
    sets: list[str] = []

    def keep(error: OSError) -> None:
        videos.append(absolute(Path(error.filename)))

    for top, folders, names in os.walk(folder, onerror=keep, followlinks=True):
        folders.sort()
        real = os.path.realpath(top)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        if Path(top) != folder and (SET_MARKS[0] in names or SET_MARKS[1] in folders):
            sets.append(text_of(absolute(Path(top))))
            folders.clear()
            continue
        for name in names:
            # What macOS leaves beside a file on foreign disks, and what belongs to a fetched folder itself.
            if name.startswith(("._", ".lock", LIST, PARTS, LEDGER)):
                continue
            if name.rpartition(".")[2].lower() in ENDINGS:
                videos.append(absolute(Path(top)) / name)
            else:
                others += 1
    return videos, others, sets
