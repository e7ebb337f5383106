"""The files of sets that are joined: those that tables name, linked or copied, or moved."""

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from longtake.merging.parts import Giver, Sharing
from longtake.places import Place, write_whole

NO_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EACCES)
"""Another disk, or one without links."""


@dataclass
class Brought:
    """What became of the files that the tables name."""

    files: int = 0
    """Linked, copied or moved: clip files, posters and previews."""
    copied_bytes: int = 0
    """Of those that could not be linked."""
    missing: int = 0
    """Clip files that weren't there; the next run writes them."""


def bring_files(sharing: Sharing, brought: Brought, *, move: bool) -> None:
    """Bring the files of all videos that come; one that is there already isn't brought again."""
    to = sharing.to.store.folder
    for part in sharing.parts:
        here = part.store.folder
        for name, needed in _names(part):
            target = to / name
            if target.exists():
                continue
            if (here / name).is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                _bring(here / name, target, brought, move=move)
            else:
                brought.missing += needed


def _names(part: Giver) -> Iterator[tuple[str, bool]]:
    """Yield the files of the videos that a set gives, and whether it is bound to have one."""
    for row in _rows(part, "clips", "video_id", "file"):
        if row["file"]:
            yield row["file"], True
            yield str(Path(row["file"]).with_suffix(".jpg")), False
    for row in _rows(part, "videos", "id", "previews"):
        for name in (row["previews"] or {}).get("files", ()):
            yield name, False


def _rows(part: Giver, table: str, owner: str, column: str) -> Iterator[dict[str, Any]]:
    for batch in part.store.stream(table, [owner, column]):
        there = batch.filter(pc.is_valid(batch[column])).to_pylist()
        yield from (row for row in there if row[owner] in part.ids and row[owner] not in part.not_given)


def _bring(file: Place, target: Place, brought: Brought, *, move: bool) -> None:
    brought.files += 1
    if isinstance(file, Path) and isinstance(target, Path) and _given(file, target, move=move):
        return
    if isinstance(file, Path) and not isinstance(target, Path):
        target.put(file)
    else:
        write_whole(target, file.read_bytes())
    brought.copied_bytes += target.stat().st_size
    if move:
        file.unlink()


def _given(file: Path, target: Path, *, move: bool) -> bool:
    """Link or move a file; return whether it could be done, which it can't to another disk."""
    try:
        if move:
            file.replace(target)
        else:
            os.link(file, target)
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        return False
    return True
