"""A web server on loopback that sends files, or misbehaves, as scripted.

    with FileServer({"/a.mp4": data}, {"/a.mp4": ["429", "ok"]}) as server:
        ...
        server.asked["/a.mp4"]

A script is a list of actions for the requests of one path, the last of which repeats: a status as `404`, or `ok`,
`no-range` (nor any validator), `no-length` (the end of the connection is the end of the file), `cut:1000` (the
connection breaks after so many bytes), `short:1000` (as if the file ended there), `html`, `m3u8`, `slow` (a chunk each
`slow_s`), `other` (another version of the file), `wrong-range`, `redirect:ADDRESS`, `429:2` (with Retry-After), `hang`.
"""

import http.server
import ssl
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from types import TracebackType

CHUNK = 16_384
PAGE = b"<!DOCTYPE html><html><body>Sorry!</body></html>"


class FileServer:
    """The server, running while its `with` block does."""

    def __init__(
        self,
        files: Mapping[str, bytes],
        scripts: Mapping[str, Sequence[str]] | None = None,
        *,
        default: Sequence[str] = ("ok",),
        slow_s: float = 0.05,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.files = dict(files)
        self.scripts = dict(scripts or {})
        self.default = default
        self.slow_s = slow_s
        self.asked: Counter[str] = Counter()
        """GET requests by path; `sent` the bytes of their bodies."""
        self.sent: Counter[str] = Counter()
        self.heads: Counter[str] = Counter()
        self.ranges: defaultdict[str, list[str | None]] = defaultdict(list)
        self.headers: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
        self.times: list[float] = []
        self.active = self.peak = 0
        self.lock = threading.Lock()
        self.closing = threading.Event()
        outer = self

        class Handler(_Handler):
            server_of = outer

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # a client that left is no news
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> "FileServer":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a body waits for the client to say that it has the headers
    server_of: FileServer

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.server_of.heads[self.path] += 1
        data = self.server_of.files.get(self.path)
        if data is None:
            return self._reply(404, b"", head=True)
        return self._reply(200, data, head=True)

    def do_GET(self) -> None:
        server = self.server_of
        with server.lock:
            number = server.asked[self.path]
            server.asked[self.path] += 1
            server.ranges[self.path].append(self.headers.get("Range"))
            server.headers[self.path].append(dict(self.headers.items()))
            server.times.append(time.monotonic())
            server.active += 1
            server.peak = max(server.peak, server.active)
        script = server.scripts.get(self.path, server.default)
        action, _, detail = script[min(number, len(script) - 1)].partition(":")
        try:
            self._act(action, detail, server.files.get(self.path))
        except OSError:  # the client has gone
            self.close_connection = True
        finally:
            with server.lock:
                server.active -= 1

    def _act(self, action: str, detail: str, data: bytes | None) -> None:
        if action == "hang":
            self.server_of.closing.wait()
            self.close_connection = True
        elif action == "redirect":
            self._reply(302, b"", {"Location": detail})
        elif action.isdecimal():
            self._reply(int(action), b"sorry", {"Retry-After": detail} if detail else {})
        elif action == "html":
            self._reply(200, PAGE, {"Content-Type": "text/html; charset=utf-8"})
        elif action == "page":  # as servers do that go by the name of the file
            self._reply(200, PAGE)
        elif action == "m3u8":
            self._reply(200, b"#EXTM3U\n", {"Content-Type": "application/vnd.apple.mpegurl"})
        elif data is None:
            self._reply(404, b"")
        else:
            self._file(action, detail, data)

    def _file(self, action: str, detail: str, data: bytes) -> None:
        if action == "short":
            data = data[: int(detail)]
        if action in ("no-range", "no-length"):
            self._reply(200, data, length=action != "no-length")
            return
        tag = '"v2"' if action == "other" else '"v1"'
        start, end = 0, len(data)
        asked = self.headers.get("Range", "") if self.headers.get("If-Range", tag) == tag else ""
        if asked:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last or end) + 1, end)
        if start and start >= len(data):
            self._reply(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            return
        said = start + 1 if action == "wrong-range" and start else start
        headers = {"ETag": tag, "Accept-Ranges": "bytes"}
        if asked:
            headers["Content-Range"] = f"bytes {said}-{end - 1}/{len(data)}"
        stop = int(detail) if action == "cut" else None
        self._reply(206 if asked else 200, data[start:end], headers, stop=stop, slow=action == "slow")

    def _reply(
        self,
        status: int,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        head: bool = False,
        length: bool = True,
        stop: int | None = None,
        slow: bool = False,
    ) -> None:
        server = self.server_of
        self.send_response(status)
        kind = "text/html" if self.path.endswith(".html") else "video/mp4"
        for name, value in {"Content-Type": kind, **(headers or {})}.items():
            self.send_header(name, value)
        if length:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if head:
            return
        if stop is not None:
            body = body[:stop]
            self.close_connection = True
        for at in range(0, len(body), CHUNK):
            self.wfile.write(body[at : at + CHUNK])
            with server.lock:
                server.sent[self.path] += len(body[at : at + CHUNK])
            if slow:
                server.closing.wait(server.slow_s)
