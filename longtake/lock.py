"""One writer at a time for a set folder."""

import fcntl
from pathlib import Path
from typing import TextIO

from longtake.errors import SetError


class Lock:
    """Holds a set folder for one writer at a time; it goes with the process, also after kill -9."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / ".lock"
        self.file: TextIO | None = None

    def __enter__(self) -> "Lock":
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.file = self.path.open("w")
        except OSError as error:
            raise SetError(f"{self.path.parent} can't be written: {error.strerror or error}") from error
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.file.close()
            raise SetError(f"another run is at work on {self.path.parent}; wait for it or stop it") from error
        return self

    def __exit__(self, *_: object) -> None:
        if self.file:
            self.file.close()
