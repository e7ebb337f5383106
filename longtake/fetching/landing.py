"""Where files get their names, and whether another is there already."""

import hashlib
import os
from pathlib import Path

from longtake.fetching.accept import Accepted
from longtake.fetching.states import FetchError


def check_place(path: Path, accepted: Accepted) -> None:
    """Raise `FetchError` where another file has a video's name: it may be a user's."""
    if os.path.lexists(path) and not is_this(path, accepted.bytes, accepted.sha256):
        raise FetchError("other", f"{path}: another file is there, and stays; move it away, and ask for `other` again")


def is_this(path: Path, size: int, sha256: str) -> bool:
    """Return whether a file is there, and is this one."""
    if not path.is_file() or path.stat().st_size != size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256
