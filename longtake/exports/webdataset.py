"""WebDataset: tar files whose neighbouring members are one sample."""

import io
import json
import shutil
import tarfile
from collections import deque
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from longtake.errors import SetError, UsageError
from longtake.exports import About, Place, Placed, Row
from longtake.exports._card import Tally, write_card
from longtake.exports._record import fields, record, score_names

VERSION = 1

COPY_BYTES = 1 << 20
HEAD_BYTES = tarfile.BLOCKSIZE
END = bytes(2 * HEAD_BYTES)
WORK = ".work"

LAYOUT = """
`SPLIT-000000.tar` and so on: of each clip `KEY.mp4`, `KEY.json` (`caption`, the `spans` of which it is joined, all
`captions` with their times in seconds of the file, its `scores`, its `source`) and `KEY.txt`, the caption.

```python
import glob

import webdataset

clips = webdataset.WebDataset(sorted(glob.glob("train-*.tar")), shardshuffle=False).decode()
```
"""


def webdataset(
    rows: Iterable[Row],
    folder: Path,
    place: Place,
    about: About,
    *,
    caption: str = "",
    shard_mb: int = 1000,
    shard_clips: int = 0,
) -> None:
    """Shards `SPLIT-000000.tar`, of each clip `KEY.mp4`, `KEY.json` and `KEY.txt` side by side, and `README.md`.

    For `webdataset`, `datasets` and whatever else reads such shards. `KEY` is the clip's id, which has no dot: readers
    take what follows the first dot of a name for its kind. `KEY.txt` is the caption, empty where there is none, without
    a newline at its end; `KEY.json` has `id`, `caption`, `spans`, `captions`, `duration_s`, `width`, `height`, `fps`,
    `frames`, `scores` (`motion_mean` is `motion.mean`) and `source`, as in `videofolder`. The tar files are USTAR,
    times and owners 0: the same set gives the same bytes. `README.md`, a dataset card, names the splits and their types
    for `load_dataset`: load the folder, not the bare tar files, or types are guessed by five clips. Before you publish
    fill in its licence and contact, and read the recipe in it; the address of your model server is left out.

    A shard gets its name when it is whole; after a kill those are kept.

    caption: the kind of caption; empty: the best there is.
    shard_mb: a shard gets so many megabytes at most, but at least one clip.
    shard_clips: above 0, a shard gets just so many clips however large they are, but for the last of a split.

    Source: https://github.com/webdataset/webdataset
    """
    if shard_clips < 0 or shard_mb < 1:
        raise UsageError(f"shard_mb = {shard_mb} must be 1 or more, and shard_clips = {shard_clips} 0 or more")
    limit_bytes, limit_clips = (0, shard_clips) if shard_clips else (shard_mb * 1_000_000, 0)
    tally = Tally()
    scores: dict[str, str] = {}
    writers: dict[str, _Shards] = {}
    with ExitStack() as open_files:
        for row in rows:
            if row.split not in writers:
                scores = scores or score_names(row)
                writers[row.split] = _Shards(folder, row.split, limit_bytes, limit_clips)
                open_files.callback(writers[row.split].leave)
            shards = writers[row.split]
            work = f"{WORK}/{row.id}.mp4"
            whole = shards.next_whole(row)
            if whole:
                shards.take_out(whole, row, folder / work)
            placed = place(row, work)
            made = record(row, placed, caption, scores)
            if not whole:
                about_it = json.dumps(made, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()
                shards.add(row.id, placed, {"json": about_it, "txt": made["caption"].encode()})
            placed.path.unlink()
            tally.add(row, placed, made["caption"])
        for shards in writers.values():
            shards.close()
    if (folder / WORK).is_dir():
        (folder / WORK).rmdir()
    types = {"mp4": "video", "json": fields(scores), "txt": "string", "__key__": "string", "__url__": "string"}
    paths = {split: f"{split}-*.tar" for split in writers}
    write_card(folder, tally, about, paths, LAYOUT, types)


class _Shards:
    """The shards of one split, one after another."""

    def __init__(self, folder: Path, split: str, limit_bytes: int, limit_clips: int) -> None:
        self.folder, self.split = folder, split
        self.limit_bytes, self.limit_clips = limit_bytes, limit_clips
        self.number = 0
        self.clips = 0
        self.file: io.BufferedWriter | None = None
        self.left: deque[tarfile.TarInfo] = deque()
        """Clips of a shard that is whole from before a kill, whose rows are still to come."""

    @property
    def path(self) -> Path:
        """Where the shard that is being written, or gone through, lies when it is whole."""
        return self.folder / f"{self.split}-{self.number:06d}.tar"

    @property
    def unfinished(self) -> Path:
        """Where it lies until then."""
        return self.path.with_name(f".{self.path.name}.tmp")

    def next_whole(self, row: Row) -> tarfile.TarInfo | None:
        """Return a clip's member in a shard that is whole already, None where the clip is still to be written."""
        if self.file is None and not self.left and self.path.exists():
            with tarfile.open(self.path) as tar:
                self.left.extend(member for member in tar if member.name.endswith(".mp4"))
        if not self.left:
            return None
        member = self.left.popleft()
        if member.name != f"{row.id}.mp4":
            raise SetError(f"{self.path} is not of this export; remove the folder")
        return member

    def take_out(self, member: tarfile.TarInfo, row: Row, to: Path) -> None:
        """Go past a clip that is there, and save making its file a second time where it isn't as in the set."""
        if member.size != row.clip["file_bytes"]:
            to.parent.mkdir(exist_ok=True)
            with self.path.open("rb") as shard, to.with_suffix(".tmp").open("wb") as file:
                shard.seek(member.offset_data)
                for start in range(0, member.size, COPY_BYTES):
                    file.write(shard.read(min(COPY_BYTES, member.size - start)))
            to.with_suffix(".tmp").replace(to)
        if not self.left:
            self.number += 1

    def add(self, key: str, placed: Placed, parts: dict[str, bytes]) -> None:
        """Write a sample; a shard that has no room for it is closed before."""
        size = placed.path.stat().st_size
        if self.file is not None and self._full([size, *map(len, parts.values())]):
            self.close()
        if self.file is None:
            self.file = self.unfinished.open("wb")
        with placed.path.open("rb") as video:
            _write_member(self.file, f"{key}.mp4", size, video)
        for kind, data in parts.items():
            _write_member(self.file, f"{key}.{kind}", len(data), io.BytesIO(data))
        self.clips += 1

    def _full(self, sizes: list[int]) -> bool:
        if self.limit_clips:
            return self.clips == self.limit_clips
        more = sum(HEAD_BYTES + size + -size % HEAD_BYTES for size in sizes)
        return self.file is not None and self.file.tell() + more + len(END) > self.limit_bytes

    def close(self) -> None:
        """Give the shard its name; the next clip begins another."""
        if self.file is not None:
            self.file.write(END)
            self.file.close()
            self.unfinished.replace(self.path)
            self.file, self.clips, self.number = None, 0, self.number + 1

    def leave(self) -> None:
        """Close the shard that is being written, if one is, without giving it its name."""
        if self.file is not None:
            self.file.close()


def _write_member(to: BinaryIO, name: str, size: int, data: BinaryIO) -> None:
    """Write a member as USTAR has it, its time, owner and group 0, filled up to whole blocks."""
    info = tarfile.TarInfo(name)
    info.size = size
    to.write(info.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict"))
    shutil.copyfileobj(data, to, min(size, COPY_BYTES) or 1)  # a buffer for a caption costs more than the caption
    to.write(bytes(-size % HEAD_BYTES))
