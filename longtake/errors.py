"""The exceptions a user can meet. Every message says what to do next.

LongtakeError
 |- UsageError      the command, recipe or rule is wrong; nothing was done
 |- SetError        the set folder can't be used as asked
 `- VideoError      one video (or one clip of it) can't be used; `kind` says why in one word
"""

import errno
import re
from typing import Literal, get_args

FailureKind = Literal[
    "missing",  # no such file
    "unreadable",  # the file is there and can't be read: permissions, a folder, an input/output error
    "empty",  # zero bytes
    "not_a_video",  # text, a web page, a picture, an unknown format
    "no_video_stream",  # sound only, or a cover picture
    "unreachable",  # an object store, or the way to it, failed again and again; the next run tries again
    "changed",  # replaced since it was scanned, or while it was read; the next run tries again
    "damaged",  # a video whose index or header is lost, so that nothing decodes
    "unsupported_codec",  # the bundled decoders don't know it
    "no_frames",  # opens, and holds not one picture
    "too_large",  # it takes more memory than a worker may have, or its picture size would
    "unwritable",  # the disk that it is written to is full or read-only; the run stops, and the next one tries again
    "inexact",  # a written clip that is not what was asked; it was thrown away
    "no_answer",  # a model's server, or the way to it, failed again and again
    "rejected",  # a model's server says that the request itself is wrong
    "access",  # a model's server wants another key, or more credit
    "no_model",  # no such model, or it can't be loaded
    "quarantined",  # a model's answers failed their checks; the texts and reasons are kept
    "crash",  # the worker process died on it, repeatedly
    "timeout",  # the worker made no progress on it, repeatedly; or next to none in the video's own time
    "error",  # anything else: a fault of ours worth a report
]
FAILURE_KINDS: tuple[str, ...] = get_args(FailureKind)


class LongtakeError(Exception):
    """Base of all errors that longtake raises on purpose."""


class UsageError(LongtakeError):
    """The command, the recipe or a rule is wrong; nothing was done."""


class SetError(LongtakeError):
    """The set folder can't be used as asked."""


class VideoError(LongtakeError):
    """One video can't be used; `kind` is one of `FAILURE_KINDS`."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind: FailureKind = kind
        self.message = message

    def __reduce__(self) -> tuple[type["VideoError"], tuple[FailureKind, str]]:
        return VideoError, (self.kind, self.message)


_REFUSALS = {
    errno.ENOSPC: "the disk is full, or has no room for another file; make room",
    errno.EDQUOT: "the quota of disk space is used up; make room",
    errno.EROFS: "the disk can only be read; make it writable",
}
_OF_RUST = re.compile(r"\(os error (\d+)\)")


def refused(error: BaseException | None) -> str:
    """Return why a disk takes nothing more, and what to do; empty where an error is about something else."""
    number = error.errno if isinstance(error, OSError) else None
    if number is None and (found := _OF_RUST.search(str(error))):  # tables are written by a library of another language
        number = int(found[1])
    return _REFUSALS.get(number or 0, "")


def unwritable(folder: object, problem: str) -> str:
    """Say why nothing more could be written to a set."""
    return f"{folder}: {problem}; what was finished is in the set, and the same command goes on"
