"""Video files and folders of them on this machine."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from longtake.errors import UsageError

_ENDINGS = """
3gp 264 265 asf avi divx f4v flv h264 h265 hevc ivf m2ts m2v m4v mkv mov mp4 mpeg mpg mts mxf obu ogv qt rm rmvb ts
vob webm wmv y4m
"""
ENDINGS = frozenset(_ENDINGS.split())
"""Files in a folder with one of these endings are taken for videos; a file named outright needs none."""

VIDEOS = "videos"
LIST = "list.jsonl"
"""In a fetched folder, beside `videos`: what a list says of clips of these videos, a row a clip."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the sources hold."""

    videos: list[Path]
    """Absolute, sorted, each once."""
    others: int
    """Files in the folders that don't look like videos and were left alone."""
    lists: tuple[Path, ...] = ()
    """Folders among the sources that were fetched, and hold what a list says of their videos."""


def find_videos(sources: Sequence[str | Path]) -> Found:
    """Return the video files in some files and folders, folders searched to the bottom, links followed.

    Raises `UsageError` for a source that isn't there or a folder without any video.
    """
    videos: set[Path] = set()
    lists: set[Path] = set()
    others = 0
    for source in sources:
        path = Path(source).expanduser()
        if path.is_dir():
            if (path / LIST).is_file():
                lists.add(absolute(path))
                path /= VIDEOS  # what lies beside it belongs to fetching
            inside, left = _search(path)
            if not inside:
                raise UsageError(f"no video in {source}; it looks for files that end in .mp4, .mkv, .webm, .mov, ...")
            videos.update(inside)
            others += left
        elif path.exists() or path.is_symlink():
            videos.add(absolute(path))
        else:
            raise UsageError(f"{source}: no such file or folder")
    return Found(sorted(videos), others, tuple(sorted(lists)))


def absolute(path: Path) -> Path:
    """Return a path without `..`, links left as they are: they are the names that the user knows."""
    return Path(os.path.abspath(path))  # noqa: PTH100  # resolve() would follow the links


def _search(folder: Path) -> tuple[list[Path], int]:
    """Walk a folder; a folder reached twice through links is walked once."""
    videos: list[Path] = []
    others = 0
    seen: set[str] = set()
    for top, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(top)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        for name in names:
            # What macOS leaves beside a file on foreign disks, and what belongs to a fetched folder itself.
            if name.startswith(("._", ".lock", LIST, "fetched.sqlite")):
                continue
            if name.rpartition(".")[2].lower() in ENDINGS:
                videos.append(absolute(Path(top)) / name)
            else:
                others += 1
    return videos, others
