"""Files over plain HTTP: continued where they broke off, never glued together wrongly, never from where we may not."""

import socket
from pathlib import Path

import pytest
from fileserver import FileServer

from longtake.fetching import addresses
from longtake.fetching.http import Plain
from longtake.fetching.meter import Flow, Limits, Meter
from longtake.fetching.states import FetchError, Got, StoppedError


@pytest.fixture
def plain():
    """Return what asks, also this machine."""
    found = Plain(proxy=None, cookies=None, allow_private=True)
    yield found
    found.close()


@pytest.fixture
def flow(tmp_path):
    return Flow(tmp_path, Limits(reserve_bytes=0), stored=0)


def take(plain: Plain, url: str, folder: Path, flow: Flow) -> Got | None:
    with Meter(flow) as meter:
        return plain.fetch(url, folder, meter)


def broken(plain: Plain, url: str, folder: Path, flow: Flow) -> FetchError:
    with pytest.raises(FetchError) as caught:
        take(plain, url, folder, flow)
    return caught.value


def test_a_broken_file_goes_on_where_it_broke_off(tmp_path, plain, flow, big):
    cut = 1_500_000
    with FileServer({"/a.mp4": big}, {"/a.mp4": [f"cut:{cut}", f"cut:{cut}", "ok"]}) as server:
        url = f"{server.url}/a.mp4"
        assert [broken(plain, url, tmp_path, flow).state for _ in range(2)] == ["network"] * 2
        got = take(plain, url, tmp_path, flow)
        assert got and got.whole and got.path.read_bytes() == big
        assert server.ranges["/a.mp4"] == [None, f"bytes={cut}-", f"bytes={2 * cut}-"]
        assert server.sent["/a.mp4"] == len(big) == flow.came


@pytest.mark.parametrize(
    ("second", "again"),
    [
        ("other", 0),  # the file has changed, so that all of it comes
        ("no-range", 0),
        ("wrong-range", 1),  # asked once more, for all of it
        ("416", 1),
    ],
)
def test_a_host_that_cannot_go_on_begins_anew(tmp_path, plain, flow, big, second, again):
    with FileServer({"/a.mp4": big}, {"/a.mp4": ["cut:1500000", second, "ok"]}) as server:
        url = f"{server.url}/a.mp4"
        broken(plain, url, tmp_path, flow)
        got = take(plain, url, tmp_path, flow)
        assert got and got.path.read_bytes() == big
        assert server.ranges["/a.mp4"] == [None, "bytes=1500000-", *[None] * again]


def test_what_has_no_validator_is_not_continued(tmp_path, plain, flow, big):
    with FileServer({"/a.mp4": big}, {"/a.mp4": ["no-range", "ok"]}) as server:
        url = f"{server.url}/a.mp4"
        with Meter(Flow(tmp_path, Limits(reserve_bytes=0, most_bytes=10**9), stored=0)) as meter:
            meter.flow.stop("enough")
            with pytest.raises(StoppedError, match="enough"):
                plain.fetch(url, tmp_path, meter)
        got = take(plain, url, tmp_path, flow)
        assert got and got.path.read_bytes() == big
        assert server.ranges["/a.mp4"] == [None, None]


def test_another_address_is_another_file(tmp_path, plain, flow, big, mp4):
    with FileServer({"/a.mp4": big, "/b.mp4": mp4}, {"/a.mp4": ["cut:1500000"]}) as server:
        broken(plain, f"{server.url}/a.mp4", tmp_path, flow)
        got = take(plain, f"{server.url}/b.mp4", tmp_path, flow)
        assert got and got.path.read_bytes() == mp4
        assert server.ranges["/b.mp4"] == [None]


def test_all_bytes_are_here_and_nobody_is_asked(tmp_path, plain, flow, mp4):
    with FileServer({"/a.mp4": mp4}) as server:
        url = f"{server.url}/a.mp4"
        for _ in range(2):
            got = take(plain, url, tmp_path, flow)
            assert got and got.path.read_bytes() == mp4
        assert server.asked["/a.mp4"] == 1


def test_without_a_length_nobody_vouches_for_the_whole(tmp_path, plain, flow, mp4):
    with FileServer({"/a.mp4": mp4}, {"/a.mp4": ["no-length"]}) as server:
        got = take(plain, f"{server.url}/a.mp4", tmp_path, flow)
        assert got and not got.whole and got.path.read_bytes() == mp4


def test_pages_and_playlists_are_for_others(tmp_path, plain, flow):
    with FileServer({}, {"/watch": ["html"], "/a": ["m3u8"], "/b.mpd": ["page"]}) as server:
        for path in ("/watch", "/a", "/b.mpd"):
            assert take(plain, server.url + path, tmp_path, flow) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("action", "state", "after_s"),
    [
        ("404", "gone", None),
        ("410", "gone", None),
        ("403", "private", None),
        ("451", "geo", None),
        ("429:7", "throttled", 7.0),
        ("503", "throttled", None),
        ("500", "network", None),
        ("429:Wed, 21 Oct 2015 07:28:00 GMT", "throttled", 0.0),
    ],
)
def test_what_a_status_means(tmp_path, plain, flow, action, state, after_s):
    with FileServer({}, {"/a.mp4?key=secret": [action]}) as server:
        error = broken(plain, f"{server.url}/a.mp4?key=secret", tmp_path, flow)
    assert (error.state, error.retry_after_s) == (state, after_s)
    assert "secret" not in error.message and "/a.mp4" in error.message


def test_nobody_there(tmp_path, plain, flow):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and doesn't listen
        error = broken(plain, f"http://me:secret@127.0.0.1:{taken.getsockname()[1]}/a.mp4", tmp_path, flow)
    assert error.state == "network" and "secret" not in error.message and error.refusal


def test_a_host_that_says_nothing_is_left(tmp_path, plain, flow, monkeypatch):
    with FileServer({}, {"/a.mp4": ["hang"]}) as server:
        plain._client.timeout = 0.3
        error = broken(plain, f"{server.url}/a.mp4", tmp_path, flow)
    assert error.state == "network" and "nothing came" in error.message


def test_redirects_are_followed_a_few_times(tmp_path, plain, flow, mp4):
    with FileServer({"/end.mp4": mp4}) as server:
        server.scripts |= {"/a.mp4": ["redirect:/b"], "/b": [f"redirect:{server.url}/end.mp4"]}
        got = take(plain, f"{server.url}/a.mp4", tmp_path, flow)
        assert got and got.path.read_bytes() == mp4
        server.scripts["/loop"] = ["redirect:/loop"]
        assert "redirected" in broken(plain, f"{server.url}/loop", tmp_path, flow).message
        assert server.asked["/loop"] == 11
        server.scripts["/file"] = ["redirect:file:///etc/passwd"]
        assert broken(plain, f"{server.url}/file", tmp_path, flow).state == "refused"


# Where we may not ask


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/a.mp4",
        "http://localhost/a.mp4",
        "http://localhost./a.mp4",
        "http://10.0.0.1/a.mp4",
        "http://192.168.1.1/a.mp4",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/a.mp4",
        "http://[::ffff:127.0.0.1]/a.mp4",
        "http://[64:ff9b::7f00:1]/a.mp4",
        "http://[2002:7f00:1::]/a.mp4",
        "http://[fe80::1%25eth0]/a.mp4",
        "http://0.0.0.0/a.mp4",
        "http://2130706433/a.mp4",
        "http://0x7f.1/a.mp4",
        "http://224.0.0.1/a.mp4",
        "file:///etc/passwd",
        "ftp://example.com/a.mp4",
        "http:///a.mp4",
        "http://[broken/a.mp4",
        "http://example.com:99999/a.mp4",
    ],
)
def test_addresses_that_are_refused(url):
    with pytest.raises(FetchError) as caught:
        addresses.check(url, allow_private=False)
    assert caught.value.state == "refused"


def test_public_addresses_are_asked():
    for url in ("http://1.1.1.1/a.mp4", "https://[2606:4700::1111]/a.mp4"):
        addresses.check(url, allow_private=False)
    addresses.check("http://cdn.invalid/a.mp4", allow_private=False, resolve=False)  # a proxy will know


def test_this_machine_is_not_asked_unless_allowed(tmp_path, flow, mp4, monkeypatch):
    """Neither by its address, nor by a redirect, nor by a name that turns into it after it was looked at."""
    strict = Plain(proxy=None, cookies=None, allow_private=False)
    with FileServer({"/a.mp4": mp4}) as server:
        assert broken(strict, f"{server.url}/a.mp4", tmp_path, flow).state == "refused"
        # The check sees a public address, the connection leads here.
        real = addresses._is_public
        seen = iter([True])
        monkeypatch.setattr(addresses, "_is_public", lambda address: next(seen, None) or real(address))
        error = broken(strict, f"{server.url}/a.mp4", tmp_path, flow)
        assert error.state == "refused" and "127.0.0.1" in error.message
        # The first address is fine in every respect, the one that it sends us to isn't.
        server.scripts["/far"] = [f"redirect:http://127.0.0.2:{server.port}/a.mp4"]
        monkeypatch.setattr(addresses, "_is_public", lambda address: address == "127.0.0.1")
        error = broken(strict, f"{server.url}/far", tmp_path, flow)
        assert error.state == "refused" and "127.0.0.2" in error.message
        assert server.asked == {"/far": 1}
    strict.close()


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://www.youtube.com/watch?v=x", "youtube.com"),
        ("https://youtu.be/x", "youtube.com"),
        ("https://m.youtube.com:443/x", "youtube.com:443"),
        ("http://user:secret@CDN.example.com/a.mp4", "cdn.example.com"),
        ("nonsense", ""),
        ("http://[broken", ""),
    ],
)
def test_whom_an_address_asks(url, host):
    assert addresses.host_of(url) == host


def test_no_secret_is_shown():
    text = addresses.shown("https://me:secret@example.com:8443/a\n.mp4?X-Amz-Signature=secret#part")
    assert "secret" not in text and "\n" not in text
    assert text.startswith("https://example.com:8443/a")
