"""Repositories of a hub are read as folders, of one commit; a small server speaks as the hub does."""

import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("obstore", "huggingface_hub")),
    reason="needs requirements/objects.txt",
)
COMMIT = "c" * 40


class Hub(ThreadingHTTPServer):
    """The four routes that reading needs; `asked` has what was asked for."""

    daemon_threads = True
    films: dict[str, bytes]
    asked: list[tuple[str, str, str]]


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        self.server.asked.append((self.command, self.path, self.headers.get("Authorization", "")))
        films = self.server.films
        entries = [
            {"type": "file", "path": name, "size": len(data), "oid": f"oid of {name}"} for name, data in films.items()
        ]
        api = "/api/datasets/someone/films"
        if path in (api, f"{api}/revision/v2"):
            self.say({"id": "someone/films", "_id": "1", "sha": COMMIT, "siblings": [], "tags": []})
        elif path.startswith(f"{api}/tree/{COMMIT}"):
            below = path.removeprefix(f"{api}/tree/{COMMIT}").strip("/")
            found = [entry for entry in entries if not below or entry["path"].startswith(f"{below}/")]
            later = "cursor=2" in self.path
            if found and not later:
                self.say([found[0]], next_page=f"http://{self.headers['Host']}{self.path}&cursor=2")
            elif found:
                self.say([*found[1:], {"type": "directory", "path": "a folder", "oid": "o"}])
            else:
                self.say({"error": "no such folder"}, 404, code="EntryNotFound")
        elif path == f"{api}/paths-info/{COMMIT}":
            wanted = body.decode()
            self.say(
                [entry for entry in entries if entry["path"].replace("/", "%2F") in wanted or entry["path"] in wanted]
            )
        elif path.startswith(f"/datasets/someone/films/resolve/{COMMIT}/"):
            # The bytes are elsewhere, where the hub's token has no business.
            elsewhere = path.removeprefix(f"/datasets/someone/films/resolve/{COMMIT}/")
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{self.server.server_port}/bytes/{elsewhere}?signed=yes")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif path.startswith("/bytes/"):
            data = films[path.removeprefix("/bytes/").replace("%20", " ")]
            first, last = self.headers["Range"].removeprefix("bytes=").split("-")
            part = data[int(first) : int(last) + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(part)))
            self.end_headers()
            self.wfile.write(part)
        else:
            self.say({"error": "no such repository"}, 404, code="RepoNotFound")

    do_GET = do_POST = do_HEAD = answer

    def say(self, data: object, status: int = 200, *, next_page: str = "", code: str = "") -> None:
        text = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        if next_page:
            self.send_header("Link", f'<{next_page}>; rel="next"')
        if code:
            self.send_header("X-Error-Code", code)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def hub(media) -> Iterator[Hub]:
    server = Hub(("127.0.0.1", 0), Answers)
    server.asked = []
    server.films = {
        "films/a cut.mp4": media["cut"].read_bytes(),
        "films/b.mp4": media["still"].read_bytes(),
        "x.txt": b"x",
    }
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def python(code: str, hub: Hub, *arguments: str) -> str:
    """Run code in a process of its own: the hub's library reads its address when it is loaded."""
    alone = {"HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}", "HF_TOKEN": "hf_secret", "PATH": "/usr/bin"}
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=alone, cwd=root)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_folder_of_a_repository_is_scanned(hub: Hub, media) -> None:
    code = """
import sys
from longtake.sources.files import find_videos
from longtake.video import scan, video_id
found = find_videos(sys.argv[1:])
for path in found.videos:
    print(path, path.stat().st_size, scan(path, {}).video.frames, video_id(path), sep="|")
print(found.others)
"""
    lines = python(code, hub, "hf://datasets/someone/films@v2").splitlines()
    from longtake.video import probe

    cut, still = probe(media["cut"]), probe(media["still"])
    address = "hf://datasets/someone/films@v2/films"
    assert lines == [
        f"{address}/a cut.mp4|{cut.bytes}|{cut.frames}|a-{cut.id}",
        f"{address}/b.mp4|{still.bytes}|{still.frames}|{still.id.replace('still', 'b')}",
        "1",
    ]
    assert {token for _, path, token in hub.asked if "someone" in path} == {"Bearer hf_secret"}
    assert {token for _, path, token in hub.asked if path.startswith("/bytes/")} == {""}


def test_words_for_what_is_not_there(hub: Hub) -> None:
    code = """
import sys
from longtake.errors import UsageError
from longtake.sources.files import find_videos
for address in sys.argv[1:]:
    try:
        print(len(find_videos([address]).videos))
    except UsageError as error:
        print(error)
"""
    base = "hf://datasets/someone/films"
    lines = python(code, hub, f"{base}/films/b.mp4", f"{base}/no", "hf://datasets/someone/private").splitlines()
    assert lines[:2] == ["1", f"{base}/no: no such object or folder"]
    assert "no such repository" in lines[2] and "log in" in lines[2]


def test_lists_name_files_of_a_repository(hub: Hub, media, tmp_path: Path) -> None:
    code = """
import sys
from longtake.fetching import Limits, fetch_list
found = fetch_list([sys.argv[1]], sys.argv[2], rate=500.0, limits=Limits(reserve_bytes=0))
print(found.counts, found.reasons)
"""
    base, to = "hf://datasets/someone/films", tmp_path / "to"
    path = tmp_path / "list.txt"
    path.write_text(f"{base}@v2/films/b.mp4\n{base}/x.txt\n{base}/no.mp4\nhf://datasets/someone/private/a.mp4\n")
    said = python(code, hub, str(path), str(to))
    assert "'done': 1" in said and "'bad_file': 1" in said and "'gone': 2" in said
    assert "no such file" in said
    [file] = (to / "videos").iterdir()
    assert file.read_bytes() == media["still"].read_bytes()
    assert {token for _, path, token in hub.asked if path.startswith("/bytes/")} == {""}
