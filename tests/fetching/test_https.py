"""HTTPS, with certificates of an authority of our own, and proxies: whom to trust is the environment's word."""

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import Lister
from fileserver import FileServer

from longtake.fetching import Fetched, FetchError, Limits, Manner, fetch_list, hosts, worker
from longtake.fetching.meter import Flow, Meter
from longtake.fetching.sites import fetch_site

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="the program openssl makes the certificates")


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch):
    """Take away what this machine says of certificates and proxies, and shorten what is waited for."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(hosts, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(worker, "BACKOFF_S", 0.05)


KEY = "-nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1"


class Authority:
    """Who vouches for servers, and `ca.pem`, which says whom to believe."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "ca.pem"
        uses = "-addext keyUsage=critical,keyCertSign,cRLSign"
        self._openssl(f"req -x509 {KEY} -keyout ca.key -subj /CN=authority -days 2 {uses} -out ca.pem")

    def _openssl(self, words: str) -> None:
        subprocess.run(["openssl", *words.split()], cwd=self.folder, check=True, capture_output=True)

    def server(self, names: str, *, days: int = 2, own: bool = False) -> ssl.SSLContext:
        """Return what a server of some names shows, `IP:127.0.0.1`; it may be its own authority."""
        uses = f"subjectAltName={names}\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
        (self.folder / "uses").write_text(uses)
        by = "-signkey server.key" if own else "-CA ca.pem -CAkey ca.key -CAcreateserial"
        self._openssl(f"req -new {KEY} -keyout server.key -subj /CN=server -out server.csr")
        self._openssl(f"x509 -req -in server.csr {by} -days {days} -extfile uses -out server.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def fetch(path: Path, to: Path, **manner: object) -> Fetched:
    manner = {"allow_private": True, **manner}
    return fetch_list([path], to, rate=500.0, manner=Manner(**manner), limits=Limits(reserve_bytes=0))


@pytest.mark.parametrize("spans", [False, True])
def test_an_authority_that_the_environment_names_is_believed(
    tmp_path, mp4, lister: Lister, authority: Authority, monkeypatch, spans
):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with FileServer({"/a.mp4": mp4}, tls=authority.server("IP:127.0.0.1")) as server:
        assert fetch(lister({"a": f"{server.url}/a.mp4"}), tmp_path / "to", spans=spans).counts == {"done": 1}


@pytest.mark.parametrize(
    ("believed", "shown", "why"),
    [
        (False, {"names": "IP:127.0.0.1"}, "unable to get"),
        (True, {"names": "IP:127.0.0.1", "own": True}, "self"),
        (True, {"names": "DNS:example.org"}, "mismatch"),
        (True, {"names": "IP:127.0.0.1", "days": -1}, "expired"),
    ],
)
def test_who_cannot_be_believed_is_not_asked(
    tmp_path, mp4, lister: Lister, authority: Authority, monkeypatch, believed, shown, why
):
    if believed:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    tls = authority.server(**shown)
    with FileServer({"/a.mp4": mp4}, tls=tls) as server:
        found = fetch(lister({"a": f"{server.url}/a.mp4"}), tmp_path / "to", spans=believed)
        assert server.asked.total() == 0
    assert found.counts == {"refused": 1}
    assert "certificate isn't valid" in found.reasons["refused"] and why in found.reasons["refused"]
    assert "SSL_CERT_FILE" in found.reasons["refused"]


def test_of_sites_the_same_are_believed(tmp_path, mp4, authority: Authority, monkeypatch):
    pytest.importorskip("yt_dlp")
    page = b'<html><title>t</title><video src="/a.mp4"></video></html>'
    how = {"size": "720p", "audio": True, "cookies": None, "proxy": None, "allow_private": True}
    with FileServer({"/a.mp4": mp4, "/page.html": page}, tls=authority.server("IP:127.0.0.1")) as server:
        for name, believed in (("one", False), ("two", True)):
            folder = tmp_path / name
            folder.mkdir()
            with Meter(Flow(folder, Limits(reserve_bytes=0), stored=0)) as meter:
                if believed:
                    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
                    got = fetch_site(f"{server.url}/page.html", folder, "v", meter, **how)
                    assert got.path.read_bytes() == mp4
                else:
                    with pytest.raises(FetchError, match="certificate") as caught:
                        fetch_site(f"{server.url}/page.html", folder, "v", meter, **how)
                    assert caught.value.state == "refused" and server.asked.total() == 0


class Proxy(ThreadingHTTPServer):
    """A proxy that leads whatever is asked for to one server, by name or through a tunnel."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.to = ("127.0.0.1", port)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.tunnels: list[str] = []

    def __enter__(self) -> "Proxy":
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that went away."""


class _Tunnel(BaseHTTPRequestHandler):
    server: Proxy

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_CONNECT(self) -> None:
        """Pass on whatever is said."""
        self.server.tunnels.append(self.path)
        with socket.create_connection(self.server.to) as there:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=self._pass, args=(there, self.connection), daemon=True)
            back.start()
            self._pass(self.connection, there)
            back.join()
        self.close_connection = True

    def _pass(self, start: socket.socket, end: socket.socket) -> None:
        try:
            while said := start.recv(65_536):
                end.sendall(said)
            end.shutdown(socket.SHUT_WR)
        except OSError:
            return


@pytest.fixture
def far(mp4, authority: Authority) -> Iterator[tuple[FileServer, Proxy]]:
    """Return a server of a name that only a proxy knows, and the proxy."""
    tls = authority.server("DNS:films.invalid")
    with FileServer({"/a.mp4": mp4, "/b.mp4": mp4}, tls=tls) as server, Proxy(server.port) as proxy:
        yield server, proxy


def test_through_a_proxy_the_server_itself_is_believed(
    tmp_path, lister: Lister, authority: Authority, monkeypatch, far
):
    """What a proxy leads to is asked by its name, which nobody resolves here, so that no address is private."""
    server, proxy = far
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    path = lister({"a": "https://films.invalid/a.mp4", "b": "https://films.invalid/b.mp4"})
    found = fetch(path, tmp_path / "to", proxy=proxy.url, allow_private=False, spans=True)
    assert found.counts == {"done": 2}
    assert set(proxy.tunnels) == {"films.invalid:443"} and set(server.asked) == {"/a.mp4", "/b.mp4"}


def test_a_proxy_cannot_vouch_for_another(tmp_path, lister: Lister, authority: Authority, monkeypatch, far):
    server, proxy = far
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    found = fetch(lister({"a": "https://other.invalid/a.mp4"}), tmp_path / "to", proxy=proxy.url)
    assert found.counts == {"refused": 1} and server.asked.total() == 0


def test_proxies_are_asked_where_they_are_named_and_not_by_the_environment(tmp_path, mp4, lister: Lister, monkeypatch):
    with FileServer({"http://films.invalid/a.mp4": mp4}) as proxy:
        path = lister({"a": "http://films.invalid/a.mp4"})
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert fetch(path, tmp_path / "to", allow_private=False).counts == {"network": 1}
        assert proxy.asked.total() == 0
        assert fetch(path, tmp_path / "to", proxy=proxy.url, allow_private=False).counts == {"done": 1}


def test_a_proxy_that_is_not_there_is_the_network(tmp_path, lister: Lister):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and doesn't listen
        proxy = f"http://127.0.0.1:{taken.getsockname()[1]}"
        found = fetch(lister({"a": "https://films.invalid/a.mp4"}), tmp_path / "to", proxy=proxy)
    assert found.counts == {"network": 1}
