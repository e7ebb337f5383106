"""What answers are written to first, so that they outlive a kill: a file of lines, or small objects of some each."""

import errno
import os
import time
from pathlib import Path

from longtake.places import Remote, remove


class FileJournal:
    """A file that lines are added to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: int | None = None

    def lines(self) -> list[bytes]:
        """Return the whole lines; a last one that a kill cut off is none, for its answer never counted as kept."""
        return self.path.read_bytes().split(b"\n")[:-1] if self.path.exists() else []

    def add(self, lines: bytes) -> None:
        """Add lines, whole or not at all: the rest of a torn one would spoil the next."""
        if self.file is None:
            self.file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        end = os.fstat(self.file).st_size
        try:
            if os.write(self.file, lines) < len(lines):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            os.ftruncate(self.file, end)
            raise

    def clear(self) -> None:
        """Forget all lines."""
        if self.path.exists():
            os.truncate(self.path, 0)

    def close(self) -> None:
        """Remove the file."""
        if self.file is not None:
            os.close(self.file)
        self.path.unlink(missing_ok=True)


class PartsJournal:
    """Objects in a folder of an object store, where nothing can be added to what is there."""

    def __init__(self, folder: Remote) -> None:
        self.folder = folder
        self.parts = list(folder.walk())

    def lines(self) -> list[bytes]:
        """Return the lines of all parts."""
        return [line for part in self.parts for line in part.read_bytes().splitlines()]

    def add(self, lines: bytes) -> None:
        """Add lines as one more part."""
        part = self.folder / f"{time.time_ns():020d}.jsonl"
        part.write_bytes(lines)
        self.parts.append(part)

    def clear(self) -> None:
        """Forget all lines."""
        remove(self.parts)
        self.parts = []

    def close(self) -> None:
        """Leave nothing behind."""
        self.clear()
