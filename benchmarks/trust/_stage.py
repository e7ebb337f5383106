"""What faults are tried on: small films, sets of them, servers that count what they are asked, and what is equal.

No benchmark of its own. Everything lies in one folder; `work` in it is put back to a state before each try, always at
the same path, so that two ends of the same command may differ in nothing but times of day.
"""

import hashlib
import http.server
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lance
from _nursery import Command, Nursery
from make_videos import Take, footage, write

from longtake.hashing import hash_set
from longtake.store import Store
from longtake.store.writing import SHARED, UNFINISHED

MARK = f"LONGTAKE_TRIED_BY_{uuid.uuid4().hex}"
"""In the environment of all that is started here, so that what is left of it can be found."""
SIZE = (128, 80)
FPS = 24
RECIPE = """
name = "stage"
[shots]
step = "content"
[clips]
step = "takes"
[scores.motion]
[scores.look]
[copies]
best = "duration_s"
[select]
keep = ["duration_s >= 1.5", "copies.rank <= 1"]
[files]
preset = "ultrafast"
[captions.measured]
[grounding]
"""
SERVER = """
import asyncio, hashlib, json, sys
asked = open(sys.argv[1], "a")

def answer(name):
    number = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16)
    text = f"Clip {number} begins. A wide textured surface fills the view of the camera, and slides past. "
    text += "Brighter spots follow darker ones, and each leaves on the opposite side. The light is even, as by day."
    text = ("CAPTION: " if ".refined." in name else "") + text
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    body = json.dumps({"model": "none", "choices": [choice], "usage": {"prompt_tokens": 900, "completion_tokens": 99}})
    head = f"HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: {len(body)}\\r\\n\\r\\n"
    return (head + body).encode()

async def serve(reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\\r\\n\\r\\n")).decode()
            await reader.readexactly(int(head.lower().partition("content-length:")[2].partition("\\r\\n")[0]))
            name = head[head.lower().index("x-client-request-id:") + 20 :].partition("\\r\\n")[0].strip()
            print(name, file=asked, flush=True)
            await asyncio.sleep(0.04)
            writer.write(answer(name))
    except (asyncio.IncompleteReadError, ConnectionResetError):
        writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[2]), limit=1 << 22)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""
ASKING = 3
"""Requests at a time."""


@dataclass
class Stage:
    """A folder with films, states of sets, and `work`, where commands are tried."""

    folder: Path
    room: Path
    """Where `work` is made; a disk of its own, or the same folder."""
    nursery: Nursery
    url: str = ""
    asked: Path = Path()
    """What the model was asked, a line for each request."""
    files: "FileServer | None" = None

    @property
    def work(self) -> Path:
        """Return where commands are tried."""
        return self.room / "work"

    @property
    def films(self) -> Path:
        """Return the folder of films; `more` beside it has one more."""
        return self.folder / "films"

    @property
    def recipe(self) -> Path:
        """Return the recipe's file."""
        return self.folder / "stage.toml"

    def start(self, words: Sequence[str]) -> Command:
        """Start a command of longtake; what it says goes to `said`."""
        return self.nursery.start(words, self.folder / "said")

    @property
    def said(self) -> str:
        """Return what the last command said."""
        return (self.folder / "said").read_text(errors="replace")

    def put(self, state: str) -> None:
        """Put `work` back to a state; the empty name is an empty folder."""
        shutil.rmtree(self.work, ignore_errors=True)
        if state:
            shutil.copytree(self.folder / "states" / state, self.work)
        else:
            self.work.mkdir()
        self.asked.write_text("")
        if self.files:
            self.files.sent.clear()

    def keep(self, state: str) -> None:
        """Keep what `work` holds as a state."""
        shutil.copytree(self.work, self.folder / "states" / state)

    def twice(self) -> int:
        """Return how many requests were for what had been asked before."""
        keys = Counter(line.split("/")[2] for line in self.asked.read_text().split("\n") if line)
        return sum(count - 1 for count in keys.values())


@contextmanager
def staged(folder: Path, room: Path | None = None) -> Iterator[Stage]:
    """Make the films and start the servers."""
    stage = Stage(folder, room or folder, Nursery(MARK), asked=folder / "asked")
    make_films(folder)
    stage.recipe.write_text(RECIPE)
    stage.asked.write_text("")
    ports = _ports(folder / "ports.json")
    served = {f"/{name}.mp4": path.read_bytes() for name, path in films_to_fetch(folder)}
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(stage.asked), str(ports[0])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    stage.url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
    with FileServer(served, ports[1]) as stage.files:
        stage.files.write_list(folder / "list.csv")
        try:
            yield stage
        finally:
            server.kill()
            server.communicate()
            for pid in left_over(stage):
                os.kill(pid, signal.SIGKILL)
            stage.nursery.close()


def _ports(path: Path) -> list[int]:
    """Return two ports; the same ones for the same folder, for addresses are kept in sets."""
    if not path.exists():
        with socket.socket() as one, socket.socket() as other:
            for each in (one, other):
                each.bind(("127.0.0.1", 0))
            path.write_text(json.dumps([each.getsockname()[1] for each in (one, other)]))
    ports: list[int] = json.loads(path.read_text())
    return ports


def make_films(folder: Path) -> None:
    """Write four films of three takes each, and one more; nothing where they are there."""
    if (folder / "more").exists():
        return
    (folder / "films").mkdir(parents=True)
    sources = [footage("carphone_pristine.mp4", 176), footage("bikes.mp4", 176), footage("bigbuckbunny.mp4", 176)]
    (folder / "more").mkdir()
    for number in range(5):
        takes = [
            Take(sources[(number + k) % 3][10 * number :], 40 + 8 * ((number + k) % 3), zoom=1.2, sweeps=k % 2)
            for k in range(3)
        ]
        write(folder / ("more" if number == 4 else "films") / f"film-{number}.mp4", takes, SIZE, fps=FPS)


def films_to_fetch(folder: Path) -> list[tuple[str, Path]]:
    """Return the films under the names that a list has them by: each of them three times."""
    found = sorted((folder / "films").glob("*.mp4"))
    return [(f"v{copy}{number}", path) for copy in range(3) for number, path in enumerate(found)]


class FileServer:
    """Serves files slowly, also parts of them, and counts the bytes that it sent of each."""

    CHUNK = 4096

    def __init__(self, files: dict[str, bytes], port: int, pause_s: float = 0.003) -> None:
        sent: Counter[str] = Counter()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                data = files[self.path]
                part = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
                start = int(part[1]) if part else 0
                self.send_response(206 if part else 200)
                self.send_header("Content-Type", "video/mp4")
                self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()[:16]}"')
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("Content-Length", str(len(data) - start))
                if part:
                    self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
                self.end_headers()
                for at in range(start, len(data), FileServer.CHUNK):
                    chunk = data[at : at + FileServer.CHUNK]
                    self.wfile.write(chunk)
                    sent[self.path] += len(chunk)
                    time.sleep(pause_s)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
                pass

        self.files, self.sent = files, sent
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]  # who left is no news

    def __enter__(self) -> "FileServer":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def write_list(self, path: Path) -> None:
        """Write a list of all files."""
        port = self.server.server_address[1]
        rows = [f"{Path(name).stem},http://127.0.0.1:{port}{name},0,1" for name in self.files]
        path.write_text("\n".join(["video,url,start,end", *rows]) + "\n")

    def again(self) -> int:
        """Return how many bytes were sent more than once."""
        return sum(max(0, self.sent[name] - len(data)) for name, data in self.files.items())


def left_over(stage: Stage) -> list[int]:
    """Return the processes that are alive of all that was started here, but for the nursery."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"{MARK}=1".encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except (PermissionError, FileNotFoundError, ProcessLookupError):
            continue
    return [pid for pid in found if pid != stage.nursery.process.pid]


# What is equal


def contents(folder: Path) -> dict[str, str]:
    """Return what `work` holds: files by their bytes, tables by their rows, ledgers by theirs; not times of day."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if ".lance" in name or path.is_dir() or path.name == ".lock":
            continue
        if path.name == "fetched.sqlite":
            found |= {f"{name}:{row[0]}": str(row) for row in ledger(path)}
        elif not path.name.startswith("fetched.sqlite-"):
            found[name] = hashlib.sha256(_plain(path)).hexdigest()
    for made in {path.parent for path in folder.rglob("*.lance") if not path.parent.name.endswith(".partial")}:
        if not (made / "recipe.toml").exists():
            continue
        name = str(made.relative_to(folder))
        found |= {f"{name}:{table}": value for table, value in hash_set(made).tables.items()}
        rows = [{k: v for k, v in row.items() if k != "made"} for row in Store(made).read("exports").to_pylist()]
        found[f"{name}:exports"] = json.dumps(sorted(rows, key=str), default=str)
    return found


def _plain(path: Path) -> bytes:
    """Return a file without the moment it was written, and how fast; a page's data in one order."""
    data = path.read_bytes()
    if path.suffix not in (".html", ".json"):
        return data
    data = re.sub(rb"20\d\d-\d\d-\d\d[T ]\d\d:\d\d[^\"<,}]*|\"scan_video_h_per_h\": ?[^,}]*", b"", data)
    return data if path.suffix == ".json" else b",".join(sorted(re.split(rb"[][{},]", data)))


def ledger(path: Path) -> list[tuple[Any, ...]]:
    """Return what a ledger says of each video."""
    with sqlite3.connect(path) as db:
        return db.execute(
            "SELECT video, url, state, message, path, bytes, sha256 FROM videos ORDER BY video"
        ).fetchall()


def differences(found: dict[str, str], wanted: dict[str, str]) -> list[str]:
    """Return what one holds that the other doesn't, or holds otherwise."""
    return sorted(
        f"{name}: {'lacks' if name not in found else 'too much' if name not in wanted else 'differs'}"
        for name in found.keys() | wanted.keys()
        if found.get(name) != wanted.get(name)
    )


def unused(folder: Path) -> tuple[int, int]:
    """Return how many files of tables no version holds: unfinished ones, and those of commits that never came."""
    names = [str(path) for name in UNFINISHED for path in folder.rglob(f"*.lance/**/{name}")]
    # What others write to beside a run is left alone for a minute.
    torn = sum(not any(f"{table}.lance" in name for table in SHARED) for name in names)
    lost = 0
    for table in folder.rglob("*.lance"):
        if not (table / "data").is_dir() or not (table / "_versions").is_dir():
            continue
        held: set[str] = set()
        try:
            whole = lance.dataset(str(table))
        except ValueError:  # the first commit never came
            lost += len(list((table / "data").iterdir()))
            continue
        for version in whole.versions():
            for fragment in lance.dataset(str(table), version=version["version"]).get_fragments():
                held.update(Path(file.path).name for file in fragment.data_files())
        lost += sum(path.name not in held for path in (table / "data").iterdir())
    return torn, lost


Prepare = Callable[[Stage], None]
