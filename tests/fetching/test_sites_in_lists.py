"""Lists whose addresses are files, playlists and pages alike: each is asked for in its way, by real yt-dlp."""

import av
import pytest
from conftest import Lister
from sites_server import SiteServer, make_ladder

from longtake.errors import UsageError
from longtake.fetching import Limits, Manner, fetch_list, sites, worker


@pytest.fixture(scope="module")
def folder(tmp_path_factory, media):
    pytest.importorskip("yt_dlp", reason="yt-dlp is not installed: make more")
    folder = tmp_path_factory.mktemp("lists")
    make_ladder(folder / "hls")
    (folder / "cut.mp4").write_bytes(media["cut"].read_bytes())
    (folder / "one.html").write_text('<html><video src="cut.mp4"></video></html>')
    (folder / "words.html").write_text("<html><body>No video here.</body></html>")
    return folder


def test_files_playlists_and_pages_come_alike(tmp_path, folder, lister: Lister, monkeypatch):
    monkeypatch.setattr(sites, "PAGES_S", 0)
    monkeypatch.setattr(worker, "BACKOFF_S", 0.05)
    names = {
        "file": "cut.mp4",
        "ladder": "hls/master.m3u8",
        "page": "one.html",
        "words": "words.html",
        "gone": "no.html",
        "lost": "no.m3u8",
    }
    with SiteServer(folder) as site:
        path = lister({video: f"{site.url}/{name}" for video, name in names.items()}, clips=3)
        call = {"rate": 500.0, "limits": Limits(reserve_bytes=0)}
        manner = Manner(size="360p", audio=False, allow_private=True)
        found = fetch_list([path], tmp_path / "to", manner=manner, **call)
        assert found.counts == {"done": 3, "no_format": 1, "gone": 2}
        asked = len(site.asked)
        assert fetch_list([path], tmp_path / "to", manner=manner, **call).counts == found.counts
        assert len(site.asked) == asked
    videos = {file.stem: file for file in (tmp_path / "to" / "videos").iterdir()}
    assert set(videos) == {"file", "ladder", "page"}
    assert videos["page"].read_bytes() == videos["file"].read_bytes() == (folder / "cut.mp4").read_bytes()
    with av.open(str(videos["ladder"])) as container:
        assert container.streams.video[0].height == 360
    assert not list((tmp_path / "to" / "parts").iterdir())


def test_a_wish_that_makes_no_sense_ends_the_call(tmp_path, folder, lister: Lister):
    with SiteServer(folder) as site:
        path = lister({"ladder": f"{site.url}/hls/master.m3u8"})
        with pytest.raises(UsageError, match="no size"):
            fetch_list([path], tmp_path / "to", manner=Manner(size="large", allow_private=True))
