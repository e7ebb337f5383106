"""Hears of every change of a name in a folder within microseconds, by Linux' inotify."""

import ctypes
import os
import select
import struct
import time
from pathlib import Path

CREATED, MOVED_FROM, MOVED_TO, DELETED, WRITTEN = 0x100, 0x40, 0x80, 0x200, 0x8
FOLDER = 0x40000000
MASK = CREATED | MOVED_FROM | MOVED_TO | DELETED | WRITTEN
HEAD = struct.Struct("iIII")


class Watching:
    """Waits for changes in a folder and all folders in it: made, renamed, closed after writing, removed."""

    def __init__(self, folder: Path) -> None:
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor = self.libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        self.folder = folder
        self.folders: dict[int, Path] = {}
        self.seen: list[tuple[float, str]] = []
        """When (by the monotonic clock), and the name relative to the folder, with a sign for what came of it."""
        self._add(folder)

    def _add(self, folder: Path) -> None:
        number = self.libc.inotify_add_watch(self.descriptor, os.fsencode(folder), MASK)
        if number < 0:
            return  # gone again
        self.folders[number] = folder
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.is_dir() and not path.is_symlink():
                self._add(path)

    def wait(self, timeout_s: float) -> bool:
        """Wait for at least one change; return whether one came."""
        if not select.select([self.descriptor], [], [], max(0.0, timeout_s))[0]:
            return False
        data, at, now = os.read(self.descriptor, 1 << 16), 0, time.monotonic()
        while at < len(data):
            number, mask, _, length = HEAD.unpack_from(data, at)
            name = os.fsdecode(data[at + HEAD.size : at + HEAD.size + length].rstrip(b"\0"))
            at += HEAD.size + length
            if number not in self.folders or not name:
                continue
            path = self.folders[number] / name
            if mask & FOLDER and mask & (CREATED | MOVED_TO):
                self._add(path)
            sign = "+" if mask & (CREATED | MOVED_TO) else "=" if mask & WRITTEN else "-"
            self.seen.append((now, f"{sign}{path.relative_to(self.folder)}"))
        return True

    def close(self) -> None:
        """Stop watching."""
        os.close(self.descriptor)
