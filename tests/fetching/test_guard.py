"""Whom yt-dlp asks, against servers on loopback: where it is sent on to is looked at before, and so is who answers."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sites_server import SiteServer, make_ladder

from longtake.errors import UsageError
from longtake.fetching import addresses, sites
from longtake.fetching.guard import guard
from longtake.fetching.meter import Flow, Limits, Meter
from longtake.fetching.sites import fetch_site
from longtake.fetching.states import FetchError, Got


@pytest.fixture(scope="module")
def folder(tmp_path_factory, media) -> Path:
    pytest.importorskip("yt_dlp", reason="yt-dlp is not installed: make more")
    folder = tmp_path_factory.mktemp("guarded")
    make_ladder(folder / "hls", (360,))
    shutil.copy(media["cut"], folder / "cut.mp4")
    return folder


@pytest.fixture
def site(folder) -> Iterator[SiteServer]:
    """A host that may be asked."""
    with SiteServer(folder) as server:
        yield server


@pytest.fixture
def inside(folder) -> Iterator[SiteServer]:
    """A host that may not."""
    with SiteServer(folder) as server:
        yield server


@pytest.fixture
def looked(site, monkeypatch) -> list[str]:
    """Take one server on loopback for a public one, and all others for private ones; return what was looked at."""
    looked: list[str] = []

    def check(url: str, *, allow_private: bool, resolve: bool) -> None:
        looked.append(url)
        assert not allow_private and resolve
        if not url.startswith(f"{site.url}/"):
            raise FetchError("refused", f"{url} is inside")

    monkeypatch.setattr(addresses, "check", check)
    monkeypatch.setattr(sites, "PAGES_S", 0)
    return looked


@pytest.fixture
def at_home(monkeypatch) -> None:
    """Let connections lead to this machine."""
    monkeypatch.setattr(addresses, "check_ip", lambda *_: None)


def fetch(url: str, to: Path) -> Got:
    to.mkdir(exist_ok=True)
    with Meter(Flow(to, Limits(reserve_bytes=0), stored=0)) as meter:
        return fetch_site(url, to, "v", meter, size="720p", audio=False, cookies=None, proxy=None, allow_private=False)


@pytest.mark.usefixtures("looked", "at_home")
@pytest.mark.parametrize("path", ["cut.mp4", "moved?/moved?/cut.mp4", "hls/master.m3u8"])
def test_what_may_be_asked_comes_as_ever(site, tmp_path, path):
    assert fetch(f"{site.url}/{path}", tmp_path / "to").path.stat().st_size


@pytest.mark.usefixtures("looked", "at_home")
@pytest.mark.parametrize("hops", [0, 1, 3])
def test_a_redirect_to_a_private_host_is_not_followed(site, inside, tmp_path, hops):
    chain = f"{site.url}/" + f"moved?{site.url}/" * hops + f"moved?{inside.url}/cut.mp4"
    with pytest.raises(FetchError, match="inside") as caught:
        fetch(chain, tmp_path / "to")
    assert caught.value.state == "refused"
    assert inside.asked == []
    assert len(site.paths()) == hops + 1, "nothing is asked twice, nor by another way"


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # where it fails in the middle of one
@pytest.mark.usefixtures("looked", "at_home")
@pytest.mark.parametrize("how", ["{inside}/hls/360_1.ts", "{site}/moved?{inside}/hls/360_1.ts"])
def test_neither_is_a_piece_of_a_playlist(site, inside, folder, tmp_path, how):
    piece = how.format(site=site.url, inside=inside.url)
    head = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n"
    lines = f"#EXTINF:1.0,\n{site.url}/hls/360_0.ts\n#EXTINF:1.0,\n{piece}\n#EXT-X-ENDLIST\n"
    (folder / "led.m3u8").write_text(head + lines)
    with pytest.raises(FetchError, match="inside"):
        fetch(f"{site.url}/led.m3u8", tmp_path / "to")
    assert inside.asked == []


@pytest.mark.usefixtures("looked", "at_home")
def test_nor_the_key_of_one_by_ffmpeg(site, inside, folder, tmp_path, monkeypatch):
    """What yt-dlp itself can't decrypt, it leaves to ffmpeg, which would ask whomever the playlist names."""
    program = tmp_path / "ffmpeg"
    program.write_text(f'#!/bin/sh\necho ffmpeg version 7.1; echo "$@" >> {tmp_path / "asked"}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    key = f'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="{inside.url}/key"\n'
    piece = f"#EXTINF:1.0,\n{site.url}/hls/360_0.ts\n#EXT-X-ENDLIST\n"
    (folder / "locked.m3u8").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n{key}{piece}")
    with pytest.raises(FetchError, match="ffmpeg") as caught:
        fetch(f"{site.url}/locked.m3u8", tmp_path / "to")
    assert caught.value.state == "no_format"
    asked = tmp_path / "asked"
    assert not asked.exists() or "m3u8" not in asked.read_text()


def test_a_name_that_leads_elsewhere_than_it_did_is_told_nothing(site, looked, tmp_path):
    """The address was looked at and found public; the machine that answers is none."""
    with pytest.raises(FetchError, match=r"leads to 127\.0\.0\.1") as caught:
        fetch(f"{site.url}/cut.mp4", tmp_path / "to")
    assert caught.value.state == "refused"
    assert looked == [f"{site.url}/cut.mp4"]
    assert site.asked == []


def test_a_client_that_can_not_be_watched_is_not_used(folder):
    yt_dlp = pytest.importorskip("yt_dlp")
    with yt_dlp.YoutubeDL({"quiet": True}) as client:
        del client._request_director.handlers["Requests"]
        with pytest.raises(UsageError, match=r"longtake\[download\]"):
            guard(client, lambda _: None, lambda _: None)
