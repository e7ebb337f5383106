"""A server on loopback for the tests of sites: pages, files in ranges, an HLS ladder, refusals, and a slow trickle."""

import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import av
import numpy as np

LADDER = (360, 720, 1080)
TYPES = {".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t", ".html": "text/html"}


def make_ladder(folder: Path, heights: tuple[int, ...] = LADDER) -> None:
    """Write an HLS playlist `master.m3u8` of one short video in some heights, each of two pieces."""
    folder.mkdir(parents=True)
    master = ["#EXTM3U"]
    for height in heights:
        width = height * 16 // 9
        settings = {"hls_time": "1", "hls_list_size": "0", "hls_segment_filename": str(folder / f"{height}_%d.ts")}
        with av.open(str(folder / f"{height}.m3u8"), "w", format="hls", options=settings) as out:
            stream = out.add_stream("libx264", rate=12, options={"preset": "ultrafast", "g": "12"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for i in range(24):
                picture = np.full((height, width, 3), i * 8, np.uint8)
                out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            out.mux(stream.encode())
        master += [f"#EXT-X-STREAM-INF:BANDWIDTH={height * 2000},RESOLUTION={width}x{height}", f"{height}.m3u8"]
    (folder / "master.m3u8").write_text("\n".join(master) + "\n")


def add_sound(folder: Path) -> None:
    """Give a ladder sound that comes apart, as most sites send it."""
    settings = {"hls_time": "1", "hls_list_size": "0"}
    with av.open(str(folder / "sound.m3u8"), "w", format="hls", options=settings) as out:
        stream = out.add_stream("aac", rate=48_000, layout="mono")
        for i in range(2 * 48_000 // 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48_000, i * 1024
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    master = folder / "master.m3u8"
    media = '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="s",NAME="s",DEFAULT=YES,URI="sound.m3u8"'
    text = master.read_text().replace("#EXTM3U", media)
    master.write_text(text.replace("RESOLUTION", 'AUDIO="s",CODECS="avc1.640028,mp4a.40.2",RESOLUTION'))


class SiteServer(ThreadingHTTPServer):
    """Serves the files of a folder while its `with` block runs.

    `/status/404` answers so; `/moved?TARGET` sends on to TARGET; `/slow/FILE` trickles; `/cut/FILE` ends
    after half of what was promised; `/cookie` sets one.
    """

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.folder = folder
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.asked: list[tuple[str, str | None, str | None]] = []
        """Path, range and cookies of each GET, in the order they came."""
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> "SiteServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that went away."""

    def paths(self) -> list[str]:
        """Return what was asked for."""
        return [path for path, _, _ in self.asked]


class _Answer(BaseHTTPRequestHandler):
    disable_nagle_algorithm = True  # else a body waits for the client to say that it has the headers
    protocol_version = "HTTP/1.1"
    server: SiteServer

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        """Answer as to GET, without the bytes."""
        self.do_GET(body=False)

    def do_GET(self, *, body: bool = True) -> None:
        """Answer."""
        address, _, query = self.path.partition("?")
        path = urlsplit(address).path  # A proxy is asked for whole addresses.
        if body:
            self.server.asked.append((self.path, self.headers.get("Range"), self.headers.get("Cookie")))
        if path == "/moved":
            return self._plain(302, {"Location": query})
        if path == "/cookie":
            return self._plain(200, {"Set-Cookie": "visitor=set-by-server; Path=/; Max-Age=9999"})
        if path.startswith("/status/"):
            return self._plain(int(path.rsplit("/", 1)[1]), {"Retry-After": "7"})
        kind, _, name = path[1:].partition("/")
        way = kind if kind in ("slow", "cut") else ""
        file = self.server.folder / (name if way else path[1:])
        if not file.is_file():
            return self._plain(404, {})
        return self._send(file, way, body)

    def _plain(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "text/html", "Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, file: Path, way: str, body: bool) -> None:
        data = file.read_bytes()
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        start = int(asked[1]) if asked else 0
        end = min(int(asked[2]) + 1 if asked and asked[2] else len(data), len(data))
        self.send_response(206 if asked else 200)
        self.send_header("Content-Type", TYPES.get(file.suffix, "video/mp4"))
        self.send_header("Content-Length", str(end - start))
        self.send_header("Accept-Ranges", "bytes")
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        self.end_headers()
        if not body:
            return
        part = data[start:end]
        if way == "cut":
            part = part[: len(part) // 2]
            self.close_connection = True
        try:
            for at in range(0, len(part), 4096):
                self.wfile.write(part[at : at + 4096])
                if way == "slow":
                    time.sleep(0.02)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
