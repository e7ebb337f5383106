"""Videos of sites, by yt-dlp as a library: the only file that imports it, and only when a video is asked for.

What goes wrong becomes one of our states in `site_errors`. When to ask again, and whom, is decided above.
"""

import errno
import functools
import importlib
import importlib.util
import io
import logging
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from longtake.errors import LongtakeError, UsageError
from longtake.fetching import addresses
from longtake.fetching.guard import guard
from longtake.fetching.meter import Meter
from longtake.fetching.playlists import MOST_BYTES
from longtake.fetching.site_errors import fetch_error, plain
from longtake.fetching.states import FetchError, Got, StoppedError
from longtake.fetching.visit import Notes, Visit
from longtake.video.stretches import Span

NEEDS = {"yt_dlp": "yt-dlp[default]>=2026.8"}

OLD_DAYS = 60
"""Sites change, and a yt-dlp of this age has often lost YouTube."""
RUNTIMES = ("deno", "node")
"""What may run YouTube's scripts; yt-dlp locks them in with either."""
SILENCE_S = 30.0
"""After so long without a byte the host is taken to be gone."""
PIECE_TRIES = 3
"""How often one piece of a video is asked for again. The video as a whole is asked for again above."""
PAGES_S = 0.75
"""Rest between the requests for one page, as yt-dlp advises for YouTube."""
COOKIES = "# Netscape HTTP Cookie File\n"
FULL = (errno.ENOSPC, errno.EDQUOT)

_log = logging.getLogger(__name__)


def fetch_site(
    url: str,
    folder: Path,
    name: str,
    meter: Meter,
    *,
    size: str,
    audio: bool,
    cookies: Path | None,
    proxy: str | None,
    allow_private: bool,
    browser: str | None = None,
    extractor_args: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
    spans: Sequence[Span] = (),
) -> Got:
    """Download the one video at `url` to `folder/name.<ext>`; what a broken try left in `folder` is continued.

    `browser` lends the cookies of a browser of this machine: `firefox`, `firefox:PROFILE`. `extractor_args` go to
    yt-dlp as they are: `{"youtube": {"player_client": ["web"]}}`. Of a playlist with pictures and sound in one, only
    the pieces come in which `spans` lie, where that can be exact; `Got` says so. One plain file isn't fetched then:
    `DirectError` says where it is.
    """
    yt_dlp = _yt_dlp()
    visit = Visit(folder, meter, allow_private=allow_private, resolve=proxy is None)
    visit.spans = spans
    notes = Notes(allow_private=allow_private)
    parameters = _parameters(folder, name, visit, notes)
    parameters |= {
        "format": format_for(audio=audio, ffmpeg=_ffmpeg()),
        "format_sort": sort_for(size),
        "proxy": proxy or "",  # Empty: none, whatever the environment says; as for plain files.
        "extractor_args": extractor_args or {},
    }
    if cookies or browser:
        # yt-dlp writes its file of cookies anew in the end: it gets a copy of its own, in memory.
        parameters["cookiefile"] = io.StringIO(_cookies_of(cookies, browser))
    problem: LongtakeError | None = None
    try:
        with yt_dlp.YoutubeDL(parameters) as client:
            if not allow_private:
                guard(client, visit.ask, visit.refused)
            client.urlopen = visit.asking(client.urlopen)
            visit.read, visit.parameters = functools.partial(_playlist, client), client.params
            visit.cookies_of = client.cookiejar.get_cookie_header
            info = client.extract_info(url)
    except Exception as error:  # A page of another shape than its reader in yt-dlp expects can raise anything.
        _log.debug("%s", addresses.shown(url), exc_info=True)
        problem = _ours(error, notes)
    if problem:  # Raised here, it doesn't keep all that was under way when it came up.
        visit.leave()
        raise problem
    return Got(_came(info, folder, name), visit.whole, visit.cut)


def _playlist(client: Any, info: Mapping[str, Any]) -> tuple[str, str]:
    """Return a playlist's address and text."""
    request = importlib.import_module("yt_dlp.networking").Request(info["url"], headers=info.get("http_headers") or {})
    response = client.urlopen(request)
    return str(response.url), response.read(MOST_BYTES).decode(errors="ignore")


def format_for(*, audio: bool, ffmpeg: bool) -> str:
    """Return yt-dlp's choice of formats, the best of which `sort_for` decides.

    Sound and pictures that come apart are put together by the program ffmpeg; without it, or without a wish for sound,
    one file is taken. A file with both is the last resort where no sound is wished, pictures alone where it is.
    """
    if not audio:
        return "bv/bv*"
    return "bv*+ba/b/bv*" if ffmpeg else "b/bv*"


def sort_for(size: str) -> list[str]:
    """Return how yt-dlp is to order formats for a size as `720p`: the largest up to it, else the smallest above.

    A filter on the height would find nothing where all are larger, and would halve upright videos: `res` is the
    shorter side. MP4 and M4A come first among equals, for they go together without a change.
    """
    lines = size.removesuffix("p")
    if not lines.isdecimal() or not int(lines):
        raise UsageError(f"{size!r} is no size of a video; write its lines, as 720p")
    return [f"res:{int(lines)}", "ext:mp4:m4a"]


def sites_finding() -> str:
    """Say whether videos of sites can be downloaded here, and what would help, for `doctor`. Asks no host."""
    if importlib.util.find_spec("yt_dlp") is None:
        return "no yt-dlp; only who fetches videos of sites needs it: pip install 'longtake[download]'"
    version = importlib.import_module("yt_dlp.version").__version__
    year, month, day = map(int, version.split(".")[:3])
    age = (datetime.now(UTC).date() - date(year, month, day)).days
    said = [f"yt-dlp {version}"]
    if age > OLD_DAYS:
        said.append(f"{age} days old, and sites change: pip install --upgrade 'yt-dlp[default]'")
    said.append(_runtime() or "no deno, and no node from 22 on, one of which YouTube needs: pip install deno")
    said.append("ffmpeg" if _ffmpeg() else "no program ffmpeg: where a site sends sound apart, a smaller video comes")
    return "; ".join(said)


def _parameters(folder: Path, name: str, visit: Visit, notes: Notes) -> dict[str, Any]:
    """Return what yt-dlp is told whatever is wished."""
    return {
        "quiet": True,
        "noprogress": True,
        "color": "never",
        "logger": notes,
        "paths": {"home": str(folder.absolute())},
        # Another format of the same video must not continue the file of this one.
        "outtmpl": {"default": f"{name}.f%(format_id).60s.%(ext)s"},
        "noplaylist": True,
        "playlist_items": "1:2",  # A second one is enough to know that an address names several.
        "match_filter": visit.look,
        "progress_hooks": [visit.progress],
        "socket_timeout": SILENCE_S,
        "sleep_interval_requests": PAGES_S,
        "fragment_retries": PIECE_TRIES,
        # Otherwise a video comes with holes, and nobody knows.
        "skip_unavailable_fragments": False,
        # Not by ffmpeg, which can't be stopped, and asks hosts that we don't see.
        "external_downloader": {"default": "native"},
        "js_runtimes": {runtime: {} for runtime in RUNTIMES},
        # Certificates that the environment names count, as for plain files; else those that yt-dlp brings.
        "compat_opts": {"no-certifi"} if {"SSL_CERT_FILE", "SSL_CERT_DIR"} & os.environ.keys() else set(),
    }


def _yt_dlp() -> Any:
    """Import yt-dlp."""
    try:
        return importlib.import_module("yt_dlp")
    except ModuleNotFoundError as error:
        raise UsageError("videos of sites need yt-dlp; type: pip install 'longtake[download]'") from error


def _ffmpeg() -> bool:
    return shutil.which("ffmpeg") is not None


def _runtime() -> str:
    """Return the name and version of what will run YouTube's scripts, empty where nothing can."""
    client = _yt_dlp().YoutubeDL({"quiet": True, "js_runtimes": {runtime: {} for runtime in RUNTIMES}})
    with client:
        found = [client._js_runtimes[runtime].info for runtime in RUNTIMES]
    return next((f"{info.name} {info.version}" for info in found if info and info.supported), "")


def _cookies_of(file: Path | None, browser: str | None) -> str:
    """Return cookies of a file and a browser as the text of a file."""
    try:
        text = file.read_text(encoding="utf-8") if file else COOKIES
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: can't be read ({error}); export cookies in the Netscape form") from error
    if not re.match(r"#(?: Netscape)? HTTP Cookie File", text):
        raise UsageError(f"{file}: no cookies in the Netscape form, which begins with {COOKIES.strip()!r}")
    return text + (_browser_cookies(browser) if browser else "")


@functools.cache
def _browser_cookies(browser: str) -> str:
    """Return the cookies of a browser as the text of a file, read once for all videos."""
    module = importlib.import_module("yt_dlp.cookies")
    name, _, profile = browser.partition(":")
    try:
        jar = module.extract_cookies_from_browser(name, profile or None, Notes())
    except Exception as error:  # Each browser and desktop fails in ways of its own.
        raise UsageError(f"the cookies of {browser} can't be read: {plain(str(error))}") from error
    text = io.StringIO()
    copy = module.YoutubeDLCookieJar(text)
    for cookie in jar:
        copy.set_cookie(cookie)
    copy.save()
    return "\n" + text.getvalue()


def _ours(error: Exception, notes: Notes) -> LongtakeError:
    """Return our error for one that yt-dlp raised, or let through."""
    if isinstance(error, LongtakeError):
        error.__context__ = None
        return error.with_traceback(None)
    below = (getattr(error, "exc_info", None) or (None, None, None))[1]
    cause = below or error
    if isinstance(cause, OSError) and cause.errno in FULL:
        return StoppedError("the disk is full; the same command goes on when that is mended")
    if not isinstance(error, _yt_dlp().utils.YoutubeDLError):
        return FetchError("other", f"yt-dlp failed on it: {type(error).__name__}: {plain(str(error))}")
    ours = fetch_error(str(error), cause)
    if ours.state == "no_format" and notes.warning_text:
        return FetchError("no_format", f"{ours.message} (yt-dlp says: {notes.warning_text})")
    return ours


def _came(info: Mapping[str, Any], folder: Path, name: str) -> Path:
    """Give the file that came its name, and return it."""
    videos = info.get("entries", [info])
    files = [file.get("filepath") for video in videos for file in video.get("requested_downloads") or ()]
    if not files or not files[0]:
        raise FetchError("no_format", "yt-dlp found a page, and no video in it")
    came = Path(files[0])
    with came.open("rb") as stream:
        head = stream.read(189)
    # Pieces of a transport stream stay one where no ffmpeg repacks them; yt-dlp calls the file .mp4 all the same.
    suffix = ".ts" if head[:1] == b"G" == head[188:] else came.suffix
    return came.rename(folder / f"{name}{suffix}")
