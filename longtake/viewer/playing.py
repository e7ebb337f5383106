"""What browsers don't play, as small files that they do: made when first asked for, once, and kept up to a size."""

import os
import re
import shutil
import tempfile
import threading
import time
import weakref
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from longtake.engines import Item
from longtake.engines.local import run_items
from longtake.errors import UsageError, VideoError
from longtake.places import Place
from longtake.planning import hash_of

VERSION = 1
"""Raised when the same span gives another file."""
AT_ONCE = 2
LONGEST_S = 1800.0
"""Encoding runs at some 5 to 20 times the speed of playing, and a page waits for it."""
STALL_S = 60.0
MOST_BYTES = 2 << 30
LEFT_S = 3600.0
"""An unfinished file that was not written to for so long is nobody's."""
PLAY = Path("previews", "play")

MP4 = {"h264"}, {None, "aac", "mp3", "mp3float"}
WEBM = {"vp8", "vp9"}, {None, "vorbis", "opus", "libopus"}
"""Pictures and sound that every browser of the last years plays; AV1 isn't among them everywhere."""
PIXELS = frozenset({"yuv420p", "yuvj420p"})


def plays(video: Mapping[str, Any]) -> bool:
    """Return whether every browser plays a video, by its row in the table `videos`."""
    kind = kind_of(video)
    if kind not in ("video/mp4", "video/webm") or video["damage"] or not video["seekable"]:
        return False
    pictures, sounds = MP4 if kind == "video/mp4" else WEBM
    return video["codec"] in pictures and video["audio_codec"] in sounds and video["pixel_format"] in PIXELS


def kind_of(video: Mapping[str, Any]) -> str:
    """Return the media type of a video's file."""
    names = (video["container"] or "").split(",")
    if "mp4" in names:
        return "video/mp4"  # for QuickTime too, which is the same but for its name
    if "webm" in names:
        return "video/webm" if video["path"].lower().endswith(".webm") else "video/x-matroska"
    return "application/octet-stream"


class _AbandonedError(Exception):
    """Nobody waits for it any more."""


class Playable:
    """Makes files of spans, in the set's folder, or elsewhere where that can't be written."""

    def __init__(self, folder: Place) -> None:
        self._set = folder
        self._elsewhere: Path | None = None
        self._lock = threading.Lock()
        self._turns = threading.Semaphore(AT_ONCE)
        self._making: dict[Path, Future[Path]] = {}
        self._waiting: Counter[Future[Path]] = Counter()

    def get(self, video: Mapping[str, Any], start_s: float, end_s: float) -> "Future[Path]":
        """Return the file of a span of a video, or what will have it, or the `VideoError` why there is none.

        Whoever asks waits for it, or says `leave`. Raises `UsageError` for a span that is too long to wait for.
        """
        if end_s - start_s > LONGEST_S:
            raise UsageError(
                f"a copy of {end_s - start_s:.0f} s that browsers play would take too long to make, for at most "
                f"{LONGEST_S / 60:g} minutes are; open {video['path']} in a player"
            )
        spelled = re.sub(r"[^0-9A-Za-z]", "_", hash_of(video["id"]))[:32]
        name = f"{spelled}-{round(1000 * start_s):08d}-{round(1000 * end_s):08d}-{VERSION}.mp4"
        with self._lock:
            target = self._folder() / name
            made = self._making.get(target)
            if made is None and target.is_file():
                _touch(target)
                made = Future()
                made.set_result(target)
                return made
            if made is None:
                made = self._making[target] = Future()
                made.set_running_or_notify_cancel()  # one who waits can't cancel it for others
                job = {name: video[name] for name in ("path", "first_timestamp_s", "seekable")}
                job |= {"start_s": start_s, "end_s": end_s, "target": str(target)}
                # No thread that Ctrl-C would wait for: the worker ends with this process.
                threading.Thread(target=self._make, args=(target, job, made), daemon=True).start()
            self._waiting[made] += 1
            return made

    def leave(self, made: "Future[Path]") -> None:
        """Stop waiting; what nobody waits for isn't made any further, for a page may be leafed through."""
        with self._lock:
            if made in self._waiting:
                self._waiting[made] -= 1

    def _folder(self) -> Path:
        """Return where the files lie: never outside the set through a link, for nobody said so."""
        if self._elsewhere is not None:
            return self._elsewhere
        if isinstance(self._set, Path):  # a store is no place for what one viewer needs for a while
            own = self._set.resolve() / PLAY
            try:
                own.mkdir(parents=True, exist_ok=True)
                if os.access(own, os.W_OK) and own.resolve() == own:
                    return own
            except OSError:
                pass  # a set that can only be read
        self._elsewhere = Path(tempfile.mkdtemp(prefix="longtake-play-"))
        weakref.finalize(self, shutil.rmtree, self._elsewhere, ignore_errors=True)
        return self._elsewhere

    def _make(self, target: Path, job: Mapping[str, Any], made: "Future[Path]") -> None:
        try:
            with self._turns:
                self._check_wanted(made, target)
                self._encode(target, job, made)
            _bound(target)
            made.set_result(target)
        except Exception as error:  # whoever waits for it is told, whatever it is
            made.set_exception(error)
        finally:
            with self._lock:
                if self._making.get(target) is made:
                    del self._making[target]
                del self._waiting[made]

    def _encode(self, target: Path, job: Mapping[str, Any], made: "Future[Path]") -> None:
        outcomes = run_items(
            "longtake.jobs:play",
            [Item(target.name, job)],
            workers=1,
            stall_s=STALL_S,
            on_progress=lambda _: self._check_wanted(made, target),
        )
        for outcome in outcomes:
            if outcome.failure:
                raise VideoError(*outcome.failure)

    def _check_wanted(self, made: "Future[Path]", target: Path) -> None:
        with self._lock:
            if self._waiting[made] <= 0:
                del self._making[target]  # whoever asks from now on has it made anew
                raise _AbandonedError


def _touch(path: Path) -> None:
    """Note that a file was used just now."""
    try:
        os.utime(path)
    except OSError:
        return  # another one's, or on a disk that is only read


def _bound(newest: Path) -> None:
    """Remove what killed workers left, and what was not used for longest, till the rest is no larger than it may be."""
    files = []
    for path in newest.parent.glob("*.mp4"):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue  # another viewer of the set removed it
        if path.name.startswith(".") and time.time() - status.st_mtime > LEFT_S:
            path.unlink(missing_ok=True)
        elif path != newest:
            files.append((status.st_mtime, status.st_size, path))
    total = newest.stat().st_size + sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= MOST_BYTES:
            return
        path.unlink(missing_ok=True)
        total -= size
