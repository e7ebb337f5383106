"""One video on its way to its place in the folder: asked for where it is to be had, looked into, named."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from longtake.errors import LongtakeError
from longtake.fetching import addresses, sites
from longtake.fetching.accept import accept
from longtake.fetching.examine import Examiners
from longtake.fetching.http import Plain
from longtake.fetching.landing import check_place, is_this
from longtake.fetching.ledger import Ledger, Wanted
from longtake.fetching.meter import Flow, Meter
from longtake.fetching.objects import fetch_object
from longtake.fetching.pieces import NO_FILE, Whole, cut_whole, fetch_pieces
from longtake.fetching.states import DirectError, FetchError, Got
from longtake.fetching.tally import Tally
from longtake.fetching.turns import Turns
from longtake.places import is_remote
from longtake.sources.pieces import Part, part_name
from longtake.video.pieces import Piece
from longtake.video.stretches import Span

VIDEOS = "videos"
PARTS = "parts"
"""Here each video that isn't whole has a folder of its own."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How videos are asked for."""

    size: str = "720p"
    """The size to choose where a site offers several; a plain file comes as it is."""
    audio: bool = True
    """Whether to take the sound where a site sends it apart; a plain file comes as it is."""
    proxy: str | None = None
    """`http://`, `https://` or `socks5://`; the environment's aren't used."""
    cookies: Path | None = None
    """A cookies file in Netscape's format. It is read, never written."""
    browser: str | None = None
    """A browser of this machine whose cookies sites get: `firefox`, `firefox:PROFILE`."""
    extractor_args: Mapping[str, Mapping[str, Sequence[str]]] | None = None
    """What yt-dlp's readers of sites are told: `{"youtube": {"player_client": ["web"]}}`."""
    allow_private: bool = False
    """Whether hosts inside this machine and its network may be asked."""
    spans: bool = False
    """Whether to take only the spans that lists name, where a video's host and its format allow it."""


def check_manner(manner: Manner) -> None:
    """Raise `UsageError` where no video can be asked for so."""
    sites.sort_for(manner.size)
    Plain(proxy=manner.proxy, cookies=manner.cookies, allow_private=manner.allow_private).close()


@dataclass(slots=True)
class Shared:
    """What all workers share."""

    folder: Path
    ledger: Ledger
    turns: Turns
    flow: Flow
    tally: Tally
    examiners: Examiners
    manner: Manner
    sites: bool
    """Whether yt-dlp is there."""
    fault: LongtakeError | None = None
    """What is wrong with the call as a whole, and is found only on asking."""

    def end(self, fault: LongtakeError) -> None:
        """End the call for a reason that no other video would escape."""
        self.fault = fault
        self.flow.stop(str(fault))


def bring(wanted: Wanted, parts: Path, meter: Meter, plain: Plain, shared: Shared) -> None:
    """Bring a video into the folder. Raises `FetchError`, `StoppedError`, `OSError`."""
    remark = ""
    if not _landed(wanted, shared.folder):
        parts.mkdir(parents=True, exist_ok=True)
        meter.add(0)
        whole = _pieces(wanted, parts, meter, plain, shared)
        if not isinstance(whole, Whole):
            _note_done(wanted, whole, meter, parts, shared)
            return
        got = whole.got or _got(wanted, parts, meter, plain, shared)
        accepted = accept(got, shared.examiners, lambda: meter.add(0))
        remark, wanted.bytes = accepted.remark or (whole.why and f"came whole: {whole.why}"), accepted.bytes
        wanted.path = f"{VIDEOS}/{wanted.video}.{accepted.ending}"
        check_place(shared.folder / wanted.path, accepted)
        # The ledger knows the file before it has its name: a kill between these lines costs nothing.
        shared.ledger.landing(wanted, wanted.path, accepted.bytes, accepted.sha256)
        got.path.replace(shared.folder / wanted.path)
        if whole.why:
            shared.tally.whole(whole.why)
    _note_done(wanted, remark, meter, parts, shared)


def _note_done(wanted: Wanted, remark: str, meter: Meter, parts: Path, shared: Shared) -> None:
    """Note that a video came, whole or in parts."""
    if wanted.path:
        _drop_pieces(wanted.video, shared)
    shared.ledger.note(wanted, "done", remark)
    meter.finish(wanted.bytes)
    shared.tally.move("done")
    drop(parts)


def _pieces(wanted: Wanted, parts: Path, meter: Meter, plain: Plain, shared: Shared) -> str | Whole:
    """Bring only the wanted spans of a video into the folder, and return what there is to say of them.

    Raises as `bring`.
    """
    spans = shared.ledger.pieces.wanted(wanted.video) if shared.manner.spans else None
    if spans is None or not wanted.url:
        return Whole("")
    if not spans:
        found: list[Piece] | Whole = []
    elif addresses.is_page(wanted.host):
        found = _site_pieces(wanted, spans, parts, meter, plain, shared)
    else:
        found = fetch_pieces(wanted.url, spans, parts, meter, plain, shared.examiners)
        if isinstance(found, Whole) and found.why == NO_FILE:
            got = plain.fetch(wanted.url, parts, meter)
            found = Whole(NO_FILE, got) if got else _site_pieces(wanted, spans, parts, meter, plain, shared)
    if isinstance(found, Whole):
        return found
    for piece in found:
        _land(wanted, piece, meter, shared)
    here = shared.ledger.pieces.of(wanted.video)
    wanted.path, wanted.bytes = "", sum(size for _, _, size, _ in here)
    shared.ledger.landing(wanted, "", wanted.bytes, "")
    past = sum(not path for _, path, _, _ in here)
    if past == len(here):
        raise FetchError("no_format", "all that is wanted of it would be after its end")
    return f"{past} of the spans wanted of it begin after its end" if past else ""


def _site_pieces(
    wanted: Wanted, spans: Sequence[Span], parts: Path, meter: Meter, plain: Plain, shared: Shared
) -> list[Piece] | Whole:
    """Bring only the wanted spans of what a page or a playlist shows, where that can be exact."""
    if not shared.sites:
        return Whole(NO_FILE)
    try:
        got = _of_site(wanted, parts, meter, shared, spans)
    except DirectError as found:
        try:
            return fetch_pieces(found.url, spans, parts, meter, plain, shared.examiners, found.headers)
        except FetchError as error:
            if error.state in ("private", "gone", "geo", "other"):  # to us; the site's own way may be another
                return Whole("its site doesn't send parts of files")
            raise
    if not got.cut:
        return Whole(NO_FILE, got)
    pieces = cut_whole(got.path, spans, parts, meter, shared.examiners)
    got.path.unlink()
    return pieces


def _land(wanted: Wanted, piece: Piece, meter: Meter, shared: Shared) -> None:
    """Give a part of a video its place."""
    name = part_name(wanted.video, *piece.span)
    part = Part(wanted.video, name, *piece.span, piece.shift_s)
    if piece.path is None:
        shared.ledger.pieces.land(part, "", 0, "")
        return
    accepted = accept(Got(piece.path), shared.examiners, lambda: meter.add(0))
    path = f"{VIDEOS}/{name}.{accepted.ending}"
    check_place(shared.folder / path, accepted)
    shared.ledger.pieces.land(part, path, accepted.bytes, accepted.sha256)
    piece.path.replace(shared.folder / path)


def _drop_pieces(video: str, shared: Shared) -> None:
    """Remove the parts of a video that is here whole."""
    for _, path, size, sha256 in shared.ledger.pieces.of(video):
        if path and is_this(shared.folder / path, size, sha256):
            (shared.folder / path).unlink()
    shared.ledger.pieces.drop(video)


def _landed(wanted: Wanted, folder: Path) -> bool:
    """Return whether the file got its name just before a kill."""
    return bool(wanted.path) and is_this(folder / wanted.path, wanted.bytes, wanted.sha256)


def _got(wanted: Wanted, parts: Path, meter: Meter, plain: Plain, shared: Shared) -> Got:
    """Ask for a video where it is to be had: as a file, else as what a page or a playlist shows."""
    if not wanted.url:
        raise FetchError("no_format", "the list doesn't say where the video is; name the column: --map url=COLUMN")
    if is_remote(wanted.url):
        return fetch_object(wanted.url, parts, meter)
    if not addresses.is_page(wanted.host):
        got = plain.fetch(wanted.url, parts, meter)
        if got:
            return got
    return _of_site(wanted, parts, meter, shared)


def _of_site(wanted: Wanted, parts: Path, meter: Meter, shared: Shared, spans: Sequence[Span] = ()) -> Got:
    """Ask for what a page or a playlist shows."""
    manner = shared.manner
    if not shared.sites:
        raise FetchError(
            "no_format",
            f"{addresses.shown(wanted.url)}: a page or playlist, no file; pip install 'longtake[download]' to get it",
        )
    addresses.check(wanted.url, allow_private=manner.allow_private, resolve=manner.proxy is None)
    return sites.fetch_site(
        wanted.url,
        parts,
        wanted.video,
        meter,
        size=manner.size,
        audio=manner.audio,
        cookies=manner.cookies,
        browser=manner.browser,
        extractor_args=manner.extractor_args,
        proxy=manner.proxy,
        allow_private=manner.allow_private,
        spans=spans,
    )


def drop(parts: Path) -> None:
    """Remove what is left of a video that came, or won't come."""
    shutil.rmtree(parts, ignore_errors=True)
