"""One writer at a time for a set: a lock on a folder here, a lease on an object store."""

import fcntl
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from longtake.errors import LongtakeError, SetError, refused, unwritable
from longtake.places import Place, Remote, Tag, fault

BEAT_S = 5.0
"""A lease says so often that its holder is alive."""
SURE_S = 20.0
"""A holder that could not say so for so long writes no more."""
STALE_S = 40.0
"""A lease that nobody saw change for so long is anybody's. Each goes by its own clock alone."""
LOOK_S = 1.0


class Lock:
    """Holds a set for one writer at a time; it goes with the process, also after kill -9."""

    def __init__(self, folder: Place) -> None:
        self.folder = folder
        self._file: BinaryIO | None = None
        self._lease: _Lease | None = None

    def __enter__(self) -> "Lock":
        if isinstance(self.folder, Path):
            self._file = _locked(self.folder / ".lock")
        else:
            self._lease = _Lease(self.folder, self.folder / ".lock")
            self._lease.take()
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if self._file:
            self._file.close()
        if self._lease:
            self._lease.give_back()
        if isinstance(error, LongtakeError):
            return
        if problem := refused(error) or (fault(error) if self._lease else ""):
            raise SetError(unwritable(self.folder, problem)) from error

    def check(self) -> None:
        """Raise `SetError` where the set may be another's by now."""
        if self._lease:
            self._lease.check()


def _locked(path: Path) -> BinaryIO:
    """Lock a file, which then says who holds it, or who held it last."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab+", buffering=0)
    except OSError as error:
        raise SetError(f"{path.parent} can't be written: {error.strerror or error}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        holder = _read(file.read())
        file.close()
        raise SetError(_at_work(path.parent, holder)) from error
    try:
        file.truncate(0)
        file.write(json.dumps({**_me(), "since": _now()}).encode())
    except OSError as error:
        file.close()
        raise SetError(f"{path.parent} can't be written: {error.strerror or error}") from error
    return file


def _me() -> dict[str, str | int]:
    return {"on": socket.gethostname(), "process": os.getpid()}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _at_work(folder: Place, holder: Mapping[str, Any]) -> str:
    return f"another run is at work on {folder}: {_words(holder)}; wait for it or stop it"


class _Lease:
    """An object that tells who writes to a set, and is written again and again for as long as that goes on."""

    def __init__(self, folder: Remote, path: Remote) -> None:
        self.folder, self.path = folder, path
        self.me = {"id": uuid.uuid4().hex, **_me(), **_process(os.getpid())}
        self.since = _now()
        self.beats = 0
        self.tag: Tag | None = None
        self.sure_until = 0.0
        """Till then, by this machine's clock, nobody takes the set over."""
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._beat, daemon=True)

    def take(self) -> None:
        """Take the lease, or one whose holder is gone. Raises `SetError` where somebody is at work."""
        try:
            self._wait_for_it()
        except OSError as error:
            raise SetError(f"{self.folder} can't be written: {error}") from error
        self.thread.start()

    def give_back(self) -> None:
        """Let the next one in."""
        self.ended.set()
        self.thread.join(BEAT_S)
        try:
            if self._is_mine(self.path.read_tagged()):
                self.path.unlink()
        except OSError:
            return  # it goes stale by itself

    def check(self) -> None:
        """Raise `SetError` where the lease is lost, or may be."""
        if time.monotonic() >= self.sure_until:
            raise SetError(
                f"{self.folder} may be another run's by now, for this one could not say for {SURE_S:.0f} s that it is "
                "alive; nothing more is written. What was finished is in the set; the same command goes on"
            )

    def _wait_for_it(self) -> None:
        seen: Tag | None = None
        since = time.monotonic()
        while not self._put():
            found = self.path.read_tagged()
            if found is None:
                self.tag = None
                continue  # given back a moment ago
            holder, tag = _read(found[0]), found[1]
            if tag != seen:
                if seen:
                    raise SetError(_at_work(self.folder, holder))
                seen, since = tag, time.monotonic()
            if self._is_mine(found) or _is_gone(holder) or time.monotonic() - since >= STALE_S:
                self.tag = tag
            else:
                time.sleep(LOOK_S)

    def _put(self) -> bool:
        """Write the lease over the one known by its tag, or as a new one; return whether it is ours."""
        begun = time.monotonic()
        self.beats += 1
        text = json.dumps({**self.me, "since": self.since, "beats": self.beats}).encode()
        tag = self.path.put_if(text, self.tag)
        if tag is None:
            return False
        self.tag, self.sure_until = tag, begun + SURE_S
        return True

    def _beat(self) -> None:
        """Say that this process is alive, until it is done or the lease is another's."""
        while not self.ended.wait(BEAT_S):
            try:
                if self._put():
                    continue
                found = self.path.read_tagged()
            except OSError:
                continue  # tried again; `check` knows how long it may go on
            if found is None or not self._is_mine(found):
                self.sure_until = 0.0
                return
            self.tag = found[1]  # it was written, and only the answer was lost

    def _is_mine(self, found: tuple[bytes, Tag] | None) -> bool:
        return found is not None and _read(found[0]).get("id") == self.me["id"]


def _read(text: bytes) -> dict[str, Any]:
    """Return what a lease says of its holder; nothing where it isn't one of ours."""
    try:
        holder = json.loads(text)
    except ValueError:
        return {}
    return holder if isinstance(holder, dict) else {}


def _words(holder: Mapping[str, Any]) -> str:
    """Return where a holder is to be found."""
    told = ("on", "process", "since")
    words = [f"{name} {holder[name]}" for name in told if name in holder]
    return ", ".join(words) or "it doesn't say where"


def _is_gone(holder: Mapping[str, Any]) -> bool:
    """Return whether the holder was a process of this very machine that isn't there any more."""
    ours = _process(os.getpid())
    if not ours or holder.get("machine") != ours["machine"]:
        return False
    return _process(holder.get("process", 0)).get("started") != holder.get("started")


def _process(pid: int) -> dict[str, str]:
    """Return on which machine a process runs, and when it began; nothing where there is none."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = Path("/proc/self/ns/pid").readlink()  # containers count their processes each for itself
        # The third field on: the second is a name, in brackets, with whatever in it.
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return {}
    return {"machine": f"{boot} {space}", "started": "" if state in "ZX" else fields[18]}
