"""The exceptions a user can meet. Every message says what to do next.

LongtakeError
 |- UsageError      the command, recipe or rule is wrong; nothing was done
 |- SetError        the set folder can't be used as asked
 `- VideoError      one video (or one clip of it) can't be used; `kind` says why in one word
"""

from typing import Literal, get_args

FailureKind = Literal[
    "missing",  # no such file
    "unreadable",  # the file is there and can't be read: permissions, a folder, an input/output error
    "empty",  # zero bytes
    "not_a_video",  # text, a web page, a picture, an unknown format
    "no_video_stream",  # sound only, or a cover picture
    "unreachable",  # an object store, or the way to it, failed again and again; the next run tries again
    "changed",  # an object was replaced while it was read; the next run tries again
    "damaged",  # a video whose index or header is lost, so that nothing decodes
    "unsupported_codec",  # the bundled decoders don't know it
    "no_frames",  # opens, and holds not one picture
    "too_large",  # it takes more memory than a worker may have, or its picture size would
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
