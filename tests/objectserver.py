"""A real S3-protocol server on loopback (moto's), and a way to it that counts, delays and breaks what passes."""

import http.client
import importlib.util
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

NEEDED = ("obstore", "moto", "flask")
needs_objects = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in NEEDED),
    reason="needs an object store's library and a server: requirements/objects.txt, requirements/objects-dev.txt",
)
PATIENCE_S = 60


@dataclass(frozen=True, slots=True)
class Passed:
    """One request that came by."""

    method: str
    path: str
    range: str
    status: int
    sent: int
    """Bytes of the answer's body that went to the client."""
    came: int
    """Bytes of the request's body."""
    signed: bool


@dataclass
class Way:
    """The way to the server; tests set what happens on it."""

    server: tuple[str, int]
    port: int = 0
    delay_s: float = 0.0
    """Waited before each answer, as a long way would."""
    most_keys: int = 0
    """How many names a page of a listing holds; 0: as many as the server likes."""
    passed: list[Passed] = field(default_factory=list)
    faults: list[tuple[str, str, str]] = field(default_factory=list)
    """What goes wrong next: (kind, method, part of the path); each once."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fail(self, kind: str, *, times: int = 1, method: str = "GET", path: str = "") -> None:
        """Let the next requests of a method to a path fail: `503`, `429`, `403`, `cut`, `reset`, `shift`, `trickle`."""
        self.faults += [(kind, method, path)] * times

    def fault(self, method: str, path: str) -> str:
        with self.lock:
            for fault in self.faults:
                if fault[1] == method and fault[2] in path:
                    self.faults.remove(fault)
                    return fault[0]
        return ""

    def clear(self) -> None:
        self.passed.clear()
        self.faults.clear()
        self.delay_s, self.most_keys = 0.0, 0

    def of(self, method: str, path: str = "") -> list[Passed]:
        """Return the requests of a method that had to do with a path."""
        return [one for one in self.passed if one.method == method and path in one.path]

    @property
    def environment(self) -> dict[str, str]:
        """What tells libraries the way, as a user would set it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
        }


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a body waits for the client to say that it has the headers
    way: Way

    def handle_one(self) -> None:
        way = self.way
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        kind = way.fault(self.command, self.path)
        time.sleep(way.delay_s)
        if kind.isdigit():
            code = {"503": "SlowDown", "429": "TooManyRequests", "403": "AccessDenied", "500": "InternalError"}[kind]
            self._answer(int(kind), {}, f"<Error><Code>{code}</Code></Error>".encode(), len(body))
            return
        if kind == "reset":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        server = http.client.HTTPConnection(*way.server, timeout=PATIENCE_S)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            if kind == "shift":  # as a broken cache would: other bytes than those asked for
                first, last = self.headers.get("Range", "bytes=0-99").removeprefix("bytes=").split("-")
                headers = {n: v for n, v in headers.items() if n.lower() != "range"}
                headers["Range"] = f"bytes={int(first) + 7}-{last}"
            page = f"&max-keys={way.most_keys}" if way.most_keys and "list-type=2" in self.path else ""
            server.request(self.command, self.path + page, body or None, headers)
            answer = server.getresponse()
            data = answer.read()
        finally:
            server.close()
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in ("connection", "server")}
        self._answer(answer.status, kept, data, len(body), kind)

    def _answer(self, status: int, headers: dict[str, str], data: bytes, came: int, kind: str = "") -> None:
        way = self.way
        self.send_response_only(status)
        names = {name.lower() for name in headers}
        for name, value in headers.items():
            if name.lower() != "transfer-encoding":
                self.send_header(name, value)
        if "content-length" not in names and status != 204:
            self.send_header("Content-Length", str(len(data)))
        part = data[: len(data) // 2] if kind == "cut" else data
        passed = Passed(
            self.command,
            self.path,
            self.headers.get("Range", ""),
            status,
            0 if self.command == "HEAD" else len(part),
            came,
            "Authorization" in self.headers,
        )
        with way.lock:
            way.passed.append(passed)  # before any of the answer goes out: who has it finds it noted
        self.end_headers()
        try:
            if kind == "trickle":
                for start in range(0, len(part), 1 << 14):
                    self.wfile.write(part[start : start + (1 << 14)])
                    time.sleep(0.01)
            elif self.command != "HEAD":
                self.wfile.write(part)
        except OSError:
            self.close_connection = True  # the client has had enough
        if kind == "cut":
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_one

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is no error."""


@contextmanager
def way_to(server: tuple[str, int]) -> Iterator[Way]:
    """Open a way to a server and close it at the end."""
    way = Way(server)
    passing = _Server(("127.0.0.1", 0), type("Passing", (_Passing,), {"way": way}))
    way.port = passing.server_address[1]
    thread = threading.Thread(target=passing.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield way
    finally:
        passing.shutdown()
        passing.server_close()
        thread.join()


@contextmanager
def object_server() -> Iterator[tuple[str, int]]:
    """Run an S3-protocol server of its own process, with nothing in it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    alone = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)]
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(command, env=alone, stdout=quiet, stderr=quiet)
    try:
        give_up = time.monotonic() + PATIENCE_S
        while not _answers(port):
            assert server.poll() is None, "the object server does not start"
            assert time.monotonic() < give_up, "the object server does not answer"
            time.sleep(0.1)
        yield "127.0.0.1", port
    finally:
        server.kill()
        server.wait()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def make_bucket(server: tuple[str, int], name: str) -> None:
    """Make a bucket."""
    asked = http.client.HTTPConnection(*server, timeout=PATIENCE_S)
    # Without a word of a service the server guesses one by the path.
    somebody = "AWS4-HMAC-SHA256 Credential=somebody/20260101/us-east-1/s3/aws4_request"
    asked.request("PUT", f"/{name}", headers={"Authorization": somebody})
    answer = asked.getresponse()
    assert answer.status == 200, answer.read()
    asked.close()
