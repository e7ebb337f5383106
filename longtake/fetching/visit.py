"""Our part in one download by yt-dlp: whom it may ask, what it may take, what it says, and how much has come."""

import gc
import logging
import weakref
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from longtake.errors import LongtakeError
from longtake.fetching import addresses
from longtake.fetching.meter import Meter
from longtake.fetching.playlists import cut_down
from longtake.fetching.site_errors import plain
from longtake.fetching.states import DirectError, FetchError
from longtake.video.stretches import Span

_TO_FFMPEG = "delegated to ffmpeg"
"""What yt-dlp says before it leaves a playlist to ffmpeg, however it is told not to."""

_log = logging.getLogger(__name__)


class Notes:
    """A logger for yt-dlp, which prints errors however quiet it is told to be."""

    def __init__(self, *, allow_private: bool = True) -> None:
        self.allow_private = allow_private
        self.warning_text = ""

    def debug(self, message: str) -> None:
        """Keep what it does for those who look for faults."""
        _log.debug("%s", message)

    info = debug

    def warning(self, message: str) -> None:
        """Keep the last warning, which often says why there is no video; stop what would ask hosts unseen."""
        _log.debug("warning: %s", message)
        self.warning_text = plain(message)
        if _TO_FFMPEG in message and not self.allow_private:
            raise FetchError("no_format", "a playlist that only ffmpeg reads, which asks hosts that nobody looks at")

    def error(self, message: str) -> None:
        """Keep what is raised, too."""
        _log.debug("%s", message)


class Visit:
    """One download: who is asked, what is taken, and how much has come."""

    def __init__(self, folder: Path, meter: Meter, *, allow_private: bool, resolve: bool) -> None:
        self.meter = meter
        self.allow_private = allow_private
        self.resolve = resolve
        self.allowed: set[str] = set()
        self.refusal: LongtakeError | None = None
        """Why an address on the way wasn't asked; yt-dlp would tell it as a fault of its own."""
        self.whole = True
        """Whether what came is known to be all: in pieces of a known number, or of a known size."""
        self.spans: Sequence[Span] = ()
        """What is wanted of it; nothing: all."""
        self.read: Callable[[Mapping[str, Any]], tuple[str, str]] = lambda _: ("", "")
        """Gets a playlist: its address in the end, and its text."""
        self.parameters: MutableMapping[str, Any] = {}
        """What yt-dlp goes by."""
        self.cookies_of: Callable[[str], str | None] = lambda _: None
        """Gets the cookies that an address is to be asked with."""
        self.cut = False
        """Whether a playlist was cut down to what is wanted."""
        self.responses: weakref.WeakSet[Any] = weakref.WeakSet()
        self.total = 0
        self.totals: dict[str, int] = {}
        self.here = {str(path.absolute()): path.stat().st_size for path in folder.iterdir() if path.is_file()}
        """Bytes by file; those of a broken try don't come again."""

    def ask(self, url: str) -> None:
        """Raise where an address may not be asked, or it is time to stop."""
        self.meter.add(0)
        parts = urlsplit(url)
        host = f"{parts.scheme}://{parts.netloc}"
        if parts.scheme != "data" and host not in self.allowed:
            addresses.check(url, allow_private=self.allow_private, resolve=self.resolve)
            self.allowed.add(host)

    def refused(self, error: LongtakeError) -> None:
        """Note why an address on the way wasn't asked."""
        self.refusal = error

    def asking(self, urlopen: Any) -> Any:
        """Return yt-dlp's way to the network with a look at every address, and at the time."""

        def ask_first(request: Any) -> Any:
            self.ask(getattr(request, "url", request))
            try:
                response = urlopen(request)
            except Exception as error:  # whatever it is goes on; only what it holds open is noted, to be closed
                if answer := getattr(error, "response", None):
                    self.responses.add(answer)
                if self.refusal:
                    raise self.refusal from None
                raise
            self.responses.add(response)
            return response

        return ask_first

    def leave(self) -> None:
        """Close what yt-dlp left open: bytes that are written late would get into the file of the next try."""
        for response in list(self.responses):
            response.close()
        if self.totals:
            gc.collect()  # Its functions hold one another, and the file.

    def look(self, info: MutableMapping[str, Any], *, incomplete: bool = False) -> None:
        """Look at what yt-dlp found, before it fetches it: one video, whole, from hosts that may be asked."""
        if (info.get("n_entries") or 1) > 1:
            raise FetchError("no_format", "several videos at this address; the list has to name one")
        if info.get("live_status") in ("is_live", "is_upcoming"):
            raise FetchError("no_format", "a live stream, which has not ended yet")
        if incomplete:
            return
        formats = info.get("requested_formats") or [info]
        for found in formats:
            if found.get("url"):
                self.ask(found["url"])
        self.total = sum(found.get("filesize") or 0 for found in formats)
        if not self.spans or formats != [info]:
            return
        if str(info.get("protocol")).startswith("m3u8"):
            self._cut_down(info)
        elif info.get("protocol") in ("http", "https"):
            url, headers = str(info["url"]), dict(info.get("http_headers") or {})
            if cookie := self.cookies_of(url):
                headers["Cookie"] = cookie
            raise DirectError(url, headers)

    def _cut_down(self, info: MutableMapping[str, Any]) -> None:
        """Let only those pieces of a playlist be fetched in which wanted spans lie."""
        url, text = self.read(info)
        if less := cut_down(text, self.spans):
            info["url"], info["hls_media_playlist_data"] = url, less
            # The file of a try for other spans, or for all, must not be continued.
            info["format_id"] = f"{str(info.get('format_id'))[:30]}-{blake2b(less.encode(), digest_size=8).hexdigest()}"
            self.parameters["fixup"] = "never"  # it would close the gaps
            self.total, self.cut = 0, True

    def progress(self, status: Mapping[str, Any]) -> None:
        """Tell the meter what came. Sizes that yt-dlp only guesses are left out: early ones are far off."""
        if status["status"] != "downloading":
            return
        file = str(Path(status.get("tmpfilename") or status["filename"]).absolute())
        self.totals[file] = status.get("total_bytes") or 0
        self.whole &= bool(self.totals[file] or status.get("fragment_count"))
        before, now = self.here.get(file, 0), status.get("downloaded_bytes") or 0
        total = max(self.total, sum(self.totals.values()))
        self.here[file] = min(before, now)
        self.meter.expect(total, here=sum(self.here[each] for each in self.totals))
        self.here[file] = now
        self.meter.add(max(0, now - before))
