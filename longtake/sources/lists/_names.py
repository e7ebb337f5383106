"""Addresses and names of videos: what may be asked for, and what a file may be called.

A list is written by strangers. An address is `http(s)://`, or one of an object on a store, or it is none; a name holds
nothing that a file system takes for a path, and two different names stay different.
"""

import hashlib
import re
from urllib.parse import urlsplit

from longtake.errors import UsageError
from longtake.places import SCHEMES, is_remote, remote

WATCH = "https://www.youtube.com/watch?v="
LONGEST = 8192
"""Characters of an address; signed ones have thousands."""
MADE = ".id"
"""In names that are made, before a hash."""
LOOKS = "it looks like s3://bucket/folder/film.mp4"

_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_YOUTUBE = re.compile(
    r"(?:https?://)?(?:(?:www|m|music)\.)?"
    r"(?:youtube\.com/(?:watch\?(?:[^#\s]*&)?v=|(?:shorts|embed|live|v)/)|youtube-nocookie\.com/embed/|youtu\.be/)"
    r"([A-Za-z0-9_-]{11})(?:[?&#/]\S*)?",
    re.IGNORECASE,
)
_BROKEN = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029]")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
_REPOSITORY = re.compile(r"(?:(?:datasets|spaces)/)?\w[\w.-]{0,95}/\w[\w.-]{0,95}(?:@\w[\w.-]*)?", re.ASCII)
_SAFE = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,98}[A-Za-z0-9_-])?")
_SAFE_CLIP = re.compile(r"[A-Za-z0-9_-](?:[A-Za-z0-9_.-]{0,198}[A-Za-z0-9_-])?")
_MADE = re.compile(rf".*{re.escape(MADE)}[0-9a-f]{{24}}", re.DOTALL)


def source(address_text: str, id_text: str, *, prefix: str = "") -> tuple[str, str]:
    """Return a video's safe name and its address, of what a row says of both; either may be empty, not both.

    A video on YouTube is called by its id there, whatever the list calls it. `prefix` goes before ids of other sites,
    which count from 1 each. Any other id is only this list's: the name then is of the address, too, so that the video 1
    of one list is not that of another.
    """
    url = address(address_text) if address_text else watch(id_text)
    on_youtube = youtube_id(url)
    if on_youtube:
        return safe_name(on_youtube), url
    if not id_text:
        if not url:
            raise ValueError("neither an address nor an id of a video")
        return _made(urlsplit(url).path.rpartition("/")[2], url), url
    name = prefix + id_text
    if not url or (prefix and not _ID.fullmatch(name)):
        return safe_name(name), url
    return _made(name, f"{name}\n{url if is_remote(url) else url.partition('#')[0]}"), url


def address(value: str) -> str:
    """Return an address that may be asked for, `http(s)://` or an object's: one for all those of a video on YouTube."""
    found = value.strip()
    if len(found) > LONGEST:
        raise ValueError(f"an address of {len(found)} characters")
    shown = repr(found if len(found) <= 80 else f"{found[:77]}...")
    on_youtube = youtube_id(found)
    if on_youtube:
        return WATCH + on_youtube
    if is_remote(found):
        return _object(found, shown)
    if _BROKEN.search(found):
        raise ValueError(f"{shown} is no address: it has blanks, backslashes or control characters in it")
    try:
        found.encode()
        parts = urlsplit(found)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{shown} is no address: {error}") from error
    if parts.scheme not in ("http", "https"):
        stores = ", ".join(f"{scheme}://" for scheme in SCHEMES)
        raise ValueError(f"{shown} is no address of a video: it must begin with https://, http://, {stores}")
    if not host or "@" in parts.netloc:
        raise ValueError(f"{shown} is no address of a video: it names {'a user' if host else 'no host'}")
    return found


def youtube_id(address: str) -> str:
    """Return the id of a video that an address on YouTube is of, empty for other addresses."""
    match = _YOUTUBE.fullmatch(address)
    return match[1] if match else ""


def watch(id_text: str) -> str:
    """Return the address of a video on YouTube, empty for what is no id there."""
    return WATCH + id_text if _ID.fullmatch(id_text) else ""


def _object(found: str, shown: str) -> str:
    """Return the address of an object on a store, of which the name is taken as it stands, blanks and `%` too."""
    try:
        found.encode()
        named = remote(found)
    except (UsageError, ValueError) as error:
        raise ValueError(f"{shown} is no address of an object: {LOOKS}") from error
    bucket = _REPOSITORY if named.scheme == "hf" else _BUCKET
    if not bucket.fullmatch(named.bucket):
        raise ValueError(f"{shown} is no address of an object: {named.bucket[:80]!r} can't be a bucket's name")
    if not named.key.isprintable() or not {"", ".", ".."}.isdisjoint(named.key.split("/")):
        raise ValueError(f"{shown} is no address of an object: {LOOKS}")
    return str(named)


def safe_name(name: str) -> str:
    """Return a name that can be a file's: as it is where it can, else what is left of it and a hash of all of it.

    No two names become one: a name that looks made gets a hash too.
    """
    if not name:
        raise ValueError("an empty id")
    return name if is_safe(name) and not _MADE.fullmatch(name) else _made(name, name)


def is_safe(name: str) -> bool:
    """Return whether a name is as `Listed.video` must be."""
    return bool(_SAFE.fullmatch(name))


def clip_name(name: str) -> str:
    """Return a clip's own id as it is, also with `-` before it; made safe only where it has other characters."""
    if not name or (_SAFE_CLIP.fullmatch(name) and not _MADE.fullmatch(name)):
        return name
    return safe_name(name)


def _made(hint: str, of: str) -> str:
    left = re.sub(r"[^A-Za-z0-9_-]+", "_", hint)[:60].strip("-_")
    digest = hashlib.blake2b(of.encode(errors="surrogatepass"), digest_size=12).hexdigest()
    return f"{left or 'video'}{MADE}{digest}"
