"""Whether a file that came is a video: by its first bytes, then by reading it. What it is called says nothing."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from longtake.fetching.examine import Examiners
from longtake.fetching.states import FetchError, Got

_MP4 = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_MAGIC = (
    (b"FLV\x01", "flv"),
    (b"OggS", "ogv"),
    (b"\x00\x00\x01\xba", "mpg"),
    (b"\x00\x00\x01\xb3", "mpg"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "wmv"),
    (b".RMF", "rm"),
    (b"DKIF", "ivf"),
    (b"\x06\x0e\x2b\x34", "mxf"),
)
MISSING = 0.02
"""Share of the declared length that may be missing, and not less than a second."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A file that is a video."""

    ending: str
    bytes: int
    sha256: str
    remark: str
    """What is wrong with it all the same; empty for a sound one."""


def accept(got: Got, examiners: Examiners, look: Callable[[], None] = lambda: None) -> Accepted:
    """Look into a file that came. Raises `FetchError` of state `bad_file` for one that is no video, or not all of it.

    A file that is as long as its host said is taken as it is: then the host's own file breaks off. `look` is called
    several times a second; what it raises ends it.
    """
    with got.path.open("rb") as file:
        head = file.read(4096)
    ending = ending_of(head)
    if ending is None:
        raise no_video(head)  # decoders also read texts that name other files, of this machine too
    found = examiners.examine(got.path, look)
    remark = ""
    if found.duration_s < found.declared_s - max(1.0, MISSING * found.declared_s):
        remark = f"only {found.duration_s:.1f} s of the declared {found.declared_s:.1f} s are there"
    if remark and not got.whole:
        raise FetchError("bad_file", remark)
    with got.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return Accepted(ending, found.bytes, digest.hexdigest(), remark)


def ending_of(head: bytes) -> str | None:
    """Return the ending that fits a file's first bytes, None for what is no container that carries videos."""
    if head[4:8] in _MP4:
        return "mov" if head[4:12] == b"ftypqt  " else "mp4"
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "webm" if b"webm" in head[:64] else "mkv"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "avi"
    for start, ending in ((0, "ts"), (4, "m2ts")):
        step = 188 + start
        if len(head) > start + 2 * step and all(head[start + i * step] == 0x47 for i in range(3)):
            return ending
    return next((ending for magic, ending in _MAGIC if head.startswith(magic)), None)


def no_video(head: bytes) -> FetchError:
    """Return the error for a file that begins like no video, its beginning shown."""
    if not head:
        found = "nothing at all"
    elif head.lstrip()[:1] == b"<":
        found = "a web page"
    else:
        text = head[:40].decode("utf-8", errors="replace")
        found = repr("".join(c if c.isprintable() else "." for c in text))
    return FetchError("bad_file", f"no video: it begins with {found}")
