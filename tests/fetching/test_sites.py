"""Videos of sites: what yt-dlp and YouTube say, read; and yt-dlp itself against a server on loopback."""

import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import pytest
from sites_server import SiteServer, add_sound, make_ladder

from longtake.errors import UsageError
from longtake.fetching import addresses, sites
from longtake.fetching.meter import Flow, Limits, Meter
from longtake.fetching.site_errors import fetch_error, plain, state_of
from longtake.fetching.sites import fetch_site, format_for, sites_finding, sort_for
from longtake.fetching.states import FetchError, Got, StoppedError

HINT = (
    "Use --cookies-from-browser or --cookies for the authentication. See  https://github.com/yt-dlp/yt-dlp/wiki/FAQ"
    "#how-do-i-pass-cookies-to-yt-dlp  for how to manually pass cookies. Also see  https://github.com/yt-dlp/yt-dlp/"
    "wiki/Extractors#exporting-youtube-cookies  for tips on effectively exporting YouTube cookies"
)
VPN = "\nYou might want to use a VPN or a proxy server (with --proxy) to workaround."

SENTENCES = [
    ("gone", "Video unavailable"),
    ("gone", "Video unavailable. This video has been removed by the uploader"),
    ("gone", "This video has been removed for violating YouTube's Terms of Service"),
    ("gone", "Video unavailable. This video is no longer available due to a copyright claim by Somebody"),
    ("gone", "This video is no longer available because the YouTube account associated with it has been terminated."),
    ("gone", "Video unavailable. This video contains content from S, who has blocked it on copyright grounds"),
    ("gone", "This video does not exist."),
    ("gone", "This video is not available"),
    ("gone", "This video isn't available anymore"),
    ("gone", "This live stream recording is not available."),
    ("geo", "Video unavailable. This video contains content from S, who has blocked it in your country"),
    ("geo", "Video unavailable. The uploader has not made this video available in your country" + VPN),
    ("geo", "This video is not available from your location due to geo restriction" + VPN),
    ("private", f"Private video. Sign in if you've been granted access to this video. {HINT}"),
    ("private", "Video unavailable. This video is private"),
    ("private", "Join this channel to get access to members-only content like this video, and other exclusive perks."),
    ("private", "This video is available to this channel's members on level: Gold (or any higher level)."),
    ("private", "This video requires payment to watch."),
    ("private", "This video is only available to Music Premium members"),
    ("private", f"This video is only available for registered users. {HINT}"),
    ("private", "This video is protected by a password, use the --video-password option"),
    ("private", "Playback on other websites has been disabled by the video owner"),
    ("private", f"Please sign in. {HINT}"),
    ("age", f"Sign in to confirm your age. This video may be inappropriate for some users. {HINT}"),
    ("age", "This video is age-restricted and only available on YouTube"),
    ("bot_check", f"Sign in to confirm you're not a bot. {HINT}"),
    ("bot_check", f"Sign in to confirm you’re not a bot. {HINT}"),
    ("bot_check", "Video unavailable. YouTube is requiring a captcha challenge before playback"),
    ("bot_check", "Got HTTP Error 403 caused by Cloudflare anti-bot challenge; try again with  --extractor-args"),
    ("throttled", "This content isn't available, try again later"),
    ("throttled", "HTTP Error 429: Too Many Requests"),
    ("throttled", "You have exceeded the rate limit. Try again later"),
    ("throttled", "unable to download video data: HTTP Error 403: Forbidden"),
    ("throttled", "[download] Got error: HTTP Error 403: Forbidden. Giving up after 3 retries"),
    ("throttled", "Unable to download webpage: HTTP Error 503: Service Unavailable"),
    ("private", "Unable to download webpage: HTTP Error 403: Forbidden (caused by <HTTPError 403: Forbidden>)"),
    ("gone", "Unable to download JSON metadata: HTTP Error 410: Gone"),
    ("geo", "Unable to download webpage: HTTP Error 451: Unavailable For Legal Reasons"),
    ("network", "Unable to download webpage: HTTP Error 502: Bad Gateway"),
    ("network", "Unable to download webpage: The read operation timed out"),
    ("network", "content too short (expected 100 bytes and served 50)"),
    ("network", "fragment 3 not found, unable to continue"),
    ("network", "Did not get any data blocks"),
    ("network", "The page needs to be reloaded."),
    ("no_format", "No video formats found!; please report this issue on  https://github.com/yt-dlp/yt-dlp/issues"),
    ("no_format", "Requested format is not available. Use --list-formats for a list of available formats"),
    ("no_format", "This video is DRM protected"),
    ("no_format", "Premieres in 3 days"),
    ("no_format", "This live event will begin in 2 hours."),
    ("no_format", "Incomplete YouTube ID abc. URL https://www.youtube.com/watch?v=abc looks truncated."),
    (
        "no_format",
        "You have requested merging of multiple formats but ffmpeg is not installed. Aborting due to --abort",
    ),
    ("other", "An extractor error has occurred. (caused by KeyError('videoDetails'))"),
    ("other", "Unable to extract https://site.example/captcha/private-video-is-not-a-bot data"),
]


@pytest.mark.parametrize(("state", "sentence"), SENTENCES, ids=[sentence[:50] for _, sentence in SENTENCES])
def test_a_sentence_is_understood(state, sentence):
    assert state_of(f"ERROR: [youtube] dQw4w9WgXcQ: {sentence}") == state


def test_a_rate_limited_session_rests_for_an_hour():
    said = (
        "ERROR: [youtube] abc: This content isn't available, try again later. The current session has been rate-limited"
        " by YouTube for up to an hour. It is recommended to use `-t sleep` to add a delay between video requests"
    )
    error = fetch_error(said)
    assert (error.state, error.retry_after_s, error.refusal) == ("throttled", 3600, True)
    assert error.message.endswith("by YouTube for up to an hour")


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (f"ERROR: [youtube] a-b_c: Sign in to confirm you’re not a bot. {HINT}", "Sign in to confirm you’re not a bot"),
        ("\x1b[0;31mERROR:\x1b[0m [generic] Unable to read (caused by <HTTPError 404>)", "Unable to read"),
        ("ERROR: [vimeo:album] 12: No\nvideo; please report this issue on  https://x.example", "No video"),
        ("ERROR: Unsupported URL: https://me:pw@x.example/a?key=1", "Unsupported URL: https://x.example/a?…"),
        (
            "ERROR: \r[download] Got error: HTTP Error 404: Not Found. Giving up after 3 retries",
            "HTTP Error 404: Not Found",
        ),
        ("ERROR: ", "no reason was given"),
    ],
)
def test_messages_are_one_line_without_what_is_no_use(said, line):
    assert plain(said) == line


@pytest.mark.parametrize(("audio", "ffmpeg"), [(True, True), (True, False), (False, True), (False, False)])
def test_parts_are_merged_only_where_something_can(audio, ffmpeg):
    assert ("+" in format_for(audio=audio, ffmpeg=ffmpeg)) == (audio and ffmpeg)


@pytest.mark.parametrize("size", ["", "p", "large", "0p", "720x", "-1"])
def test_a_size_that_is_none_is_refused(size):
    with pytest.raises(UsageError, match="720p"):
        sort_for(size)


def test_importing_it_does_not_load_yt_dlp():
    code = "import sys, longtake.fetching.sites; print('yt_dlp' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# From here on with yt-dlp itself


@pytest.fixture(scope="module")
def folder(tmp_path_factory, media) -> Path:
    """What the server serves."""
    pytest.importorskip("yt_dlp", reason="yt-dlp is not installed: make more")
    folder = tmp_path_factory.mktemp("site")
    make_ladder(folder / "hls")
    make_ladder(folder / "tall", (1080,))
    make_ladder(folder / "apart", (360,))
    add_sound(folder / "apart")
    shutil.copy(media["cut"], folder / "cut.mp4")
    (folder / "words.html").write_text("<html><body>No video here.</body></html>")
    (folder / "one.html").write_text('<html><video src="cut.mp4"></video></html>')
    (folder / "two.html").write_text('<html><video src="cut.mp4"></video><video src="other.mp4"></video></html>')
    (folder / "live.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\nhls/360_0.ts\n")
    (folder / "holed.m3u8").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\nhls/360_0.ts\n#EXTINF:1.0,\nstatus/404\n#EXT-X-ENDLIST\n"
    )
    return folder


@pytest.fixture
def site(folder) -> Iterator[SiteServer]:
    with SiteServer(folder) as server:
        yield server


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A server of our own needs no rest between requests."""
    monkeypatch.setattr(sites, "PAGES_S", 0)


class Fetch:
    """Fetch from the server into a folder of this test, and keep what was counted."""

    def __init__(self, folder: Path, most_bytes: int = 1 << 40) -> None:
        self.folder = folder
        self.flow = Flow(folder, Limits(reserve_bytes=0, most_bytes=most_bytes), stored=0)

    def __call__(self, url: str, name: str = "v1", **options: Any) -> Got:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        given = {"size": "720p", "audio": False, "cookies": None, "proxy": None, "allow_private": True, **options}
        with Meter(self.flow) as meter:
            return fetch_site(url, folder, name, meter, **given)


@pytest.fixture
def fetch(tmp_path) -> Fetch:
    (tmp_path / "into 100%").mkdir()
    return Fetch(tmp_path / "into 100%")


def height(path: Path) -> int:
    with av.open(str(path)) as container:
        return container.streams.video[0].height


def state(call: Callable[[], object]) -> str:
    with pytest.raises(FetchError) as caught:
        call()
    assert "\n" not in caught.value.message
    assert "yt-dlp/wiki" not in caught.value.message
    return caught.value.state


def test_a_file_comes_as_it_is(site, fetch, folder, capfd):
    got = fetch(f"{site.url}/cut.mp4")
    assert got == Got(fetch.folder / "v1" / "v1.mp4", whole=True)
    assert got.path.read_bytes() == (folder / "cut.mp4").read_bytes()
    assert fetch.flow.came == got.path.stat().st_size
    assert [path.name for path in got.path.parent.iterdir()] == ["v1.mp4"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("size", "lines"), [("720p", 720), ("1080p", 1080), ("900p", 720), ("240p", 360)])
def test_the_largest_up_to_the_size_is_taken_else_the_smallest(site, fetch, folder, size, lines):
    got = fetch(f"{site.url}/hls/master.m3u8", size=size, audio=True)
    assert height(got.path) == lines
    assert got.whole
    pieces = [folder / "hls" / f"{lines}_{i}.ts" for i in range(2)]
    assert [path for path in site.paths() if path.endswith(".ts")] == [f"/hls/{piece.name}" for piece in pieces]
    assert fetch.flow.came == sum(piece.stat().st_size for piece in pieces)


def test_a_video_that_has_only_more_comes_too(site, fetch):
    assert height(fetch(f"{site.url}/tall/master.m3u8").path) == 1080


@pytest.mark.skipif(shutil.which("ffmpeg") is not None, reason="ffmpeg repacks it")
def test_without_ffmpeg_a_transport_stream_is_called_one(site, fetch):
    assert fetch(f"{site.url}/hls/master.m3u8").path.suffix == ".ts"


@pytest.mark.parametrize("audio", [True, False])
def test_sound_that_comes_apart_is_put_in_where_ffmpeg_can(site, fetch, audio):
    got = fetch(f"{site.url}/apart/master.m3u8", audio=audio)
    with av.open(str(got.path)) as container:
        kinds = {stream.type for stream in container.streams}
    merged = audio and shutil.which("ffmpeg") is not None
    assert kinds == ({"video", "audio"} if merged else {"video"})
    assert any("sound" in path and path.endswith(".ts") for path in site.paths()) == merged


def test_the_video_of_a_page_comes(site, fetch, folder):
    assert fetch(f"{site.url}/one.html").path.stat().st_size == (folder / "cut.mp4").stat().st_size


BROKEN_OFF = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
"""yt-dlp leaves its file open where it fails in the middle of one; it is our part to see it closed."""


@BROKEN_OFF
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("status/404", "gone"),
        ("status/410", "gone"),
        ("status/403", "private"),
        ("status/429", "throttled"),
        ("status/451", "geo"),
        ("status/500", "network"),
        ("words.html", "no_format"),
        ("two.html", "no_format"),
        ("live.m3u8", "no_format"),
        ("holed.m3u8", "gone"),
        ("cut/cut.mp4", "network"),
    ],
)
def test_what_does_not_come_says_why(site, fetch, path, expected):
    assert state(lambda: fetch(f"{site.url}/{path}")) == expected
    assert not list((fetch.folder / "v1").glob("v1.*4"))


def test_the_wish_of_a_host_for_peace_is_passed_on(site, fetch):
    with pytest.raises(FetchError) as caught:
        fetch(f"{site.url}/status/429")
    assert caught.value.retry_after_s == 7


def test_nobody_there_is_a_matter_of_the_network(fetch, folder):
    with SiteServer(folder) as server:
        url = server.url
    assert state(lambda: fetch(f"{url}/cut.mp4")) == "network"


@BROKEN_OFF
def test_a_broken_off_file_is_continued(site, fetch, folder):
    assert state(lambda: fetch(f"{site.url}/cut/cut.mp4")) == "network"
    part = next((fetch.folder / "v1").glob("*.part"))
    here = part.stat().st_size
    site.asked.clear()
    got = fetch(f"{site.url}/cut.mp4")
    assert got.path.read_bytes() == (folder / "cut.mp4").read_bytes()
    assert f"bytes={here}-" in [asked for _, asked, _ in site.asked]
    assert fetch.flow.came == got.path.stat().st_size


@BROKEN_OFF
def test_another_format_does_not_continue_the_file_of_the_first(site, fetch, monkeypatch):
    seen: list[int] = []

    def stop_at_first_bytes(meter: Meter, count: int) -> None:
        seen.append(count)
        if count:
            raise StoppedError("enough")

    with monkeypatch.context() as patch:
        patch.setattr(Meter, "add", stop_at_first_bytes)
        with pytest.raises(StoppedError):
            fetch(f"{site.url}/hls/master.m3u8", size="1080p")
    assert list((fetch.folder / "v1").glob("*.part*"))
    got = fetch(f"{site.url}/hls/master.m3u8", size="360p")
    assert height(got.path) == 360


@BROKEN_OFF
def test_a_slow_server_is_left_when_it_is_time_to_stop(site, fetch):
    caught: list[BaseException] = []

    def run() -> None:
        try:
            fetch(f"{site.url}/slow/cut.mp4")
        except BaseException as error:
            caught.append(error)

    worker = threading.Thread(target=run)
    worker.start()
    while not fetch.flow.came and worker.is_alive():
        time.sleep(0.001)
    fetch.flow.stop("Ctrl-C")
    worker.join()
    assert [str(error) for error in caught] == ["Ctrl-C"]
    assert isinstance(caught[0], StoppedError)
    assert list((fetch.folder / "v1").glob("*.part"))


@BROKEN_OFF
def test_what_is_too_large_is_left_before_it_comes(site, fetch):
    fetch = Fetch(fetch.folder, most_bytes=1000)
    assert state(lambda: fetch(f"{site.url}/cut.mp4")) == "too_large"
    assert state(lambda: fetch(f"{site.url}/hls/master.m3u8", "v2")) == "too_large"


@pytest.mark.parametrize("path", ["cut.mp4", "hls/master.m3u8"])
def test_a_private_address_is_not_asked(site, fetch, path):
    assert state(lambda: fetch(f"{site.url}/{path}", allow_private=False)) == "refused"
    assert site.asked == []


def test_neither_is_one_that_a_page_leads_to(site, fetch, folder):
    """The page may be asked, for the sake of the test, and what it leads to is of another host."""
    (folder / "leads.html").write_text('<html><video src="http://10.1.2.3/x.mp4"></video></html>')
    looked: list[str] = []

    def only_ours(url: str, *, allow_private: bool, resolve: bool) -> None:
        looked.append(url)
        if not url.startswith(site.url):
            raise FetchError("refused", "not ours")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(addresses, "check", only_ours)
        patch.setattr(addresses, "check_ip", lambda *_: None)
        assert state(lambda: fetch(f"{site.url}/leads.html", allow_private=False)) == "refused"
        assert (
            state(lambda: fetch(f"{site.url}/moved?http://localhost:1/x.mp4", "v2", allow_private=False)) == "refused"
        )
    assert "http://10.1.2.3/x.mp4" in looked


JAR = "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t{until}\tmember\tyes\n"


def test_cookies_are_sent_and_their_file_stays_as_it_is(site, fetch, tmp_path):
    file = tmp_path / "cookies.txt"
    file.write_text(JAR.format(until=int(datetime.now(UTC).timestamp()) + 9999))
    before = file.read_bytes(), file.stat().st_mtime_ns
    fetch(f"{site.url}/moved?{site.url}/cut.mp4", cookies=file)
    assert {cookies for _, _, cookies in site.asked} == {"member=yes"}
    state(lambda: fetch(f"{site.url}/cookie", "v2", cookies=file))
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before


@pytest.mark.parametrize("text", [None, "not a jar\n"])
def test_cookies_that_can_not_be_read_end_the_run(site, fetch, tmp_path, text):
    file = tmp_path / "cookies.txt"
    if text:
        file.write_text(text)
    with pytest.raises(UsageError, match=r"cookies\.txt: .*Netscape"):
        fetch(f"{site.url}/cut.mp4", cookies=file)
    assert site.asked == []


def test_cookies_of_a_browser_are_sent(site, fetch, tmp_path):
    profile = tmp_path / "profile"
    profile.mkdir()
    with sqlite3.connect(profile / "cookies.sqlite") as base:
        base.execute("CREATE TABLE moz_cookies (host, name, value, path, expiry, isSecure, originAttributes)")
        until = int(datetime.now(UTC).timestamp()) + 9999
        base.execute("INSERT INTO moz_cookies VALUES ('127.0.0.1', 'fox', 'red', '/', ?, 0, '')", (until,))
    base.close()
    fetch(f"{site.url}/cut.mp4", browser=f"firefox:{profile}")
    assert {cookies for _, _, cookies in site.asked} == {"fox=red"}


def test_a_browser_that_is_not_there_is_named(site, fetch, tmp_path):
    with pytest.raises(UsageError, match="firefox:"):
        fetch(f"{site.url}/cut.mp4", browser=f"firefox:{tmp_path}")


def test_arguments_of_extractors_reach_them(site, fetch):
    fetch(f"{site.url}/hls/master.m3u8", extractor_args={"generic": {"fragment_query": ["key=7"]}})
    assert "/hls/720_0.ts?key=7" in site.paths()


def test_two_workers_at_once(site, fetch, folder):
    jobs = {"a": "slow/cut.mp4", "b": "hls/master.m3u8", "c": "cut.mp4"}
    got: dict[str, Got] = {}
    workers = [
        threading.Thread(target=lambda name=name, path=path: got.update({name: fetch(f"{site.url}/{path}", name)}))
        for name, path in jobs.items()
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {name: path.path.stem for name, path in got.items()} == {"a": "a", "b": "b", "c": "c"}
    assert got["a"].path.read_bytes() == got["c"].path.read_bytes() == (folder / "cut.mp4").read_bytes()
    assert height(got["b"].path) == 720


def test_a_proxy_is_asked_instead(site, fetch):
    got = fetch("http://nowhere.invalid/cut.mp4", proxy=site.url, allow_private=False)
    assert got.path.exists()
    assert site.paths()[0] == "http://nowhere.invalid/cut.mp4"


def test_doctor_says_how_old_yt_dlp_is(folder, monkeypatch):
    module = pytest.importorskip("yt_dlp.version")
    monkeypatch.setattr(module, "__version__", f"{datetime.now(UTC).date():%Y.%m.%d}")
    assert "days old" not in sites_finding()
    monkeypatch.setattr(module, "__version__", "2020.01.31.123456")
    assert "days old, and sites change" in sites_finding()


@pytest.mark.parametrize(
    ("said", "found"),
    [("deno 2.9.8 (stable)", "deno 2.9.8"), ("v22.3.0", "node 22.3.0"), ("v20.20.2", "no deno")],
)
def test_doctor_names_what_runs_scripts(folder, tmp_path, monkeypatch, said, found):
    program = tmp_path / ("node" if said.startswith("v") else "deno")
    if (Path(sys.executable).parent / "deno").exists():
        pytest.skip("a deno installed beside Python comes first")
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert found in sites_finding()


def test_doctor_names_ffmpeg(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no program ffmpeg" in sites_finding()
    (tmp_path / "ffmpeg").write_text("#!/bin/sh\n")
    (tmp_path / "ffmpeg").chmod(0o755)
    assert sites_finding().endswith("; ffmpeg")


def test_doctor_needs_no_yt_dlp(monkeypatch):
    monkeypatch.setattr(sites, "importlib", SimpleNamespace(util=SimpleNamespace(find_spec=lambda _: None)))
    assert "longtake[download]" in sites_finding()


def test_without_yt_dlp_its_name_is_said(fetch, monkeypatch):
    monkeypatch.setitem(sys.modules, "yt_dlp", None)
    with pytest.raises(UsageError, match=r"longtake\[download\]"):
        fetch("https://site.example/watch")
