"""Files over plain HTTP(S): asked for once, continued where an earlier try broke off, and only what a host vouches for.

What is whole, and a video, is decided elsewhere; this brings bytes.
"""

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from http.cookiejar import LoadError, MozillaCookieJar
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import httpx2

from longtake import __version__
from longtake.errors import UsageError
from longtake.fetching import addresses
from longtake.fetching.accept import ending_of, no_video
from longtake.fetching.meter import Meter, in_words
from longtake.fetching.plain_errors import CONNECT_S, READ_S, broken, of_status
from longtake.fetching.states import FetchError, Got
from longtake.sources.files import ENDINGS

SLOWEST_BYTES_S = 1024
"""A host that sends less than this for `SLOW_S` seconds keeps a worker for nothing."""
SLOW_S = 60.0
HOPS = 10
"""Redirects that are followed."""
HEAD_BYTES = 600
"""Enough of a file to tell a video."""
PLAIN = {"Accept-Encoding": "identity"}
HEADERS = {"User-Agent": f"longtake/{__version__}", **PLAIN}

_PAGES = ("text/html", "application/xhtml+xml")
_PLAYLISTS = ("application/vnd.apple.mpegurl", "application/x-mpegurl", "audio/mpegurl", "audio/x-mpegurl")
_MANIFESTS = ("application/dash+xml", "application/vnd.ms-sstr+xml")
_NO_VIDEO = ("image/", "application/json", "application/xml", "text/xml", "text/css", "text/javascript")
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class Plain:
    """A connection to hosts, for one thread."""

    def __init__(self, *, proxy: str | None, cookies: Path | None, allow_private: bool) -> None:
        self.allow_private = allow_private
        self.resolve = proxy is None
        """Whether names are resolved here; a proxy resolves them itself."""
        timeout = httpx2.Timeout(READ_S, connect=CONNECT_S)
        try:
            self._client = httpx2.Client(
                headers=HEADERS,
                timeout=timeout,
                proxy=proxy,
                trust_env=False,
                verify=httpx2.create_ssl_context(),  # of the environment, whose certificates alone are heeded
                cookies=_jar(cookies),
            )
        except ImportError as error:
            raise UsageError("a SOCKS proxy needs one more package; type: pip install socksio") from error
        except (ValueError, httpx2.InvalidURL) as error:
            raise UsageError(f"the proxy can't be used: {error}") from error

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def fetch(self, url: str, folder: Path, meter: Meter) -> Got | None:
        """Bring a file, continuing what an earlier try left in the folder; None where a page or playlist is there.

        Raises `FetchError`, and what the meter raises.
        """
        part, note = folder / "body.part", folder / "body.json"
        here, total, validator = left_over(part, note, url)
        if here and here == total:  # all of it came, and a kill came before anything else
            meter.expect(total, here=here)
            return Got(part)
        try:
            with self._asked(url, _range(here, validator)) as response:
                if here and _starts_over(response, here):
                    part.unlink()
                else:
                    return _take(response, url, part, note, meter)
            return self.fetch(url, folder, meter)
        except httpx2.HTTPError as error:
            raise broken(error, url) from error

    def size(self, url: str) -> int | None:
        """Return the size that a host tells of a file without sending it, None where it doesn't.

        Raises `FetchError`.
        """
        try:
            with self._asked(url, {}, method="HEAD") as response:
                kind = response.headers.get("content-type", "")
                length = response.headers.get("content-length", "")
                return int(length) if response.is_success and length.isdecimal() and is_file(kind, url) else None
        except httpx2.HTTPError as error:
            raise broken(error, url) from error

    def ask_range(
        self, url: str, start: int, stop: int, validator: str, headers: Mapping[str, str] | None = None
    ) -> "_Answer":
        """Return the answer to a request for bytes of a file, of one version if that is known. Raises `FetchError`."""
        version = {"If-Range": validator} if validator else {}
        return self._asked(url, {**(headers or {}), "Range": f"bytes={start}-{stop - 1}", **version, **PLAIN})

    def _asked(self, url: str, headers: dict[str, str], *, method: str = "GET") -> "_Answer":
        """Return the answer to a request, redirects followed, every address on the way checked."""
        request = None
        for _ in range(HOPS + 1):
            try:
                request = request or self._client.build_request(method, url, headers=headers)
            except (httpx2.InvalidURL, ValueError) as error:
                raise FetchError("refused", f"{addresses.shown(url)}: no address ({error})") from error
            asked = str(request.url)
            addresses.check(asked, allow_private=self.allow_private, resolve=self.resolve)
            if self.resolve and not self.allow_private:
                request.extensions = {**request.extensions, "trace": _Doorman(asked)}
            response = self._client.send(request, stream=True)
            if response.next_request is None:
                return _Answer(response)
            response.close()
            request = response.next_request
        raise FetchError("other", f"{addresses.shown(url)}: redirected more than {HOPS} times")


class _Answer:
    """A response that is closed at the end of its `with` block."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response

    def __enter__(self) -> httpx2.Response:
        return self.response

    def __exit__(self, *_: object) -> None:
        self.response.close()


class _Doorman:
    """Looks at the address of each new connection before anything is said on it.

    A name may lead elsewhere than a moment ago, when it was checked.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, event: str, info: dict[str, Any]) -> None:
        if event != "connection.connect_tcp.complete":
            return
        stream = info["return_value"]
        try:
            addresses.check_ip(str(stream.get_extra_info("server_addr")[0]), self.url)
        except FetchError:
            stream.close()
            raise


def _jar(cookies: Path | None) -> MozillaCookieJar | None:
    """Read a cookies file, as browsers' extensions and yt-dlp write it. It is never written."""
    if cookies is None:
        return None
    jar = MozillaCookieJar(cookies)
    try:
        jar.load(ignore_discard=True, ignore_expires=True)
    except (OSError, LoadError, UnicodeDecodeError) as error:
        raise UsageError(f"{cookies}: can't be read as a cookies file in Netscape's format ({error})") from error
    for cookie in jar:
        if cookie.expires == 0:  # how browsers' extensions write that it lasts as long as the browser runs
            cookie.expires, cookie.discard = None, True
    return jar


def left_over(part: Path, note: Path, url: str) -> tuple[int, int, str]:
    """Return how much of this very file is here, its size and what the host called its version; zeros to begin anew."""
    try:
        found = json.loads(note.read_bytes())
        if found["url"] == url and found["validator"]:
            return part.stat().st_size, int(found["total"]), str(found["validator"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # nothing is here, or a kill tore it
    return 0, 0, ""


def _range(here: int, validator: str) -> dict[str, str]:
    return {"Range": f"bytes={here}-", "If-Range": validator} if here else {}


def _starts_over(response: httpx2.Response, here: int) -> bool:
    """Return whether what is here is of no use: the host doesn't know that range, or sends another one."""
    found = _RANGE.fullmatch(response.headers.get("content-range", ""))
    return response.status_code == 416 or (
        response.status_code == 206 and (found is None or int(found[1]) != here or int(found[2]) + 1 != int(found[3]))
    )


def _take(response: httpx2.Response, url: str, part: Path, note: Path, meter: Meter) -> Got | None:
    """Write what comes to the disk."""
    status, headers = response.status_code, response.headers
    if status not in (200, 206):
        raise of_status(status, url, response)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if not is_file(kind, url):
        if _says_video(url) and kind in _PAGES:
            raise FetchError("bad_file", f"{addresses.shown(url)}: a web page came instead of a video")
        return None
    if kind.startswith(_NO_VIDEO):
        raise FetchError("bad_file", f"{addresses.shown(url)}: {kind} came instead of a video")
    if headers.get("content-encoding", "identity") != "identity":
        raise FetchError("bad_file", f"{addresses.shown(url)}: came compressed, which nobody asked for")
    here = part.stat().st_size if status == 206 and part.exists() else 0
    length = headers.get("content-length", "")
    total = here + int(length) if length.isdecimal() else 0
    if status == 206 and (not here or (total and not headers["content-range"].endswith(f"/{total}"))):
        raise FetchError("network", f"{addresses.shown(url)}: the host sends another part of the file than it says")
    if total == 0 and length:
        raise FetchError("bad_file", f"{addresses.shown(url)}: the file is empty")
    if status == 200:
        part.unlink(missing_ok=True)
        write_note(note, {"url": url, "validator": validator_of(headers), "total": total})
    meter.expect(total, here=here)
    with part.open("ab") as file:
        copy(response.iter_raw(), file, url, meter)  # as it comes: pieces of one size are lost where it breaks off
        file.flush()
        os.fsync(file.fileno())
        if total and file.tell() != total:
            raise FetchError("network", f"{addresses.shown(url)}: {file.tell()} bytes came of {total}")
    return Got(part, whole=bool(total))


def validator_of(headers: httpx2.Headers) -> str:
    """Return what a host calls this version of a file, empty where it doesn't say.

    Last-Modified is good to the second only, and still what `If-Range` allows where there is no strong ETag.
    """
    etag = headers.get("etag", "")
    return etag if etag.startswith('"') else headers.get("last-modified", "")


def copy(chunks: Iterator[bytes], to: BinaryIO, url: str, meter: Meter) -> None:
    """Write what comes to a file. Raises `FetchError` for what begins like no video, and where a host is too slow."""
    since, count, known = time.monotonic(), 0, to.tell() > 0
    for chunk in chunks:
        if not known and len(chunk) >= HEAD_BYTES and ending_of(chunk) is None:  # rather now than after all of it
            raise no_video(chunk)
        known = True
        to.write(chunk)
        meter.add(len(chunk))
        count += len(chunk)
        now = time.monotonic()
        if now - since > SLOW_S:
            if count < SLOWEST_BYTES_S * SLOW_S:
                raise FetchError("network", f"{addresses.shown(url)}: only {in_words(count)} came in {SLOW_S:.0f} s")
            since, count = now, 0


def write_note(note: Path, found: Mapping[str, Any]) -> None:
    """Write what a part is a part of; it must never name a newer version than the bytes are of."""
    new = note.with_suffix(".new")
    new.write_text(json.dumps(found))
    new.replace(note)


def is_file(kind: str, url: str) -> bool:
    """Return whether a content type and address are those of a file, not of a page or playlist around one."""
    ending = urlsplit(url).path.rpartition(".")[2].lower()
    kind = kind.partition(";")[0].strip().lower()
    return kind not in (*_PAGES, *_PLAYLISTS, *_MANIFESTS) and ending not in ("m3u8", "mpd")


def _says_video(url: str) -> bool:
    return urlsplit(url).path.rpartition(".")[2].lower() in ENDINGS
