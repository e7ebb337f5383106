"""A viewer's server in this process or in one of its own, and what asks it as the page does."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from longtake.viewer import LOOPBACK_HOST, bound, server
from longtake.viewer.app import build

COMMAND = (sys.executable, "-c", "from longtake.cli import main; main()", "view")
PATIENCE_S = 120


class Asker:
    """Asks one server; an answer that isn't as expected fails the test, with what it says."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx2.Client(base_url=url, timeout=PATIENCE_S)

    def get(self, path: str, status: int = 200, **query: str) -> Any:
        return _checked(self.client.get(path, params=query), status)

    def post(self, path: str, status: int = 200, **body: Any) -> Any:
        text, kind = json.dumps(body), {"content-type": "application/json"}
        return _checked(self.client.post(path, content=text, headers=kind), status)


def _checked(answer: httpx2.Response, status: int) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json() if answer.headers["content-type"].startswith("application/json") else answer.text


@contextmanager
def served(folder: Path, other: Path | None = None, *, token: str | None = None) -> Iterator[Asker]:
    """Serve a set from a thread of this process."""
    with bound(LOOPBACK_HOST, 0) as listener:
        port = listener.getsockname()[1]
        app = build(folder, other=other, host=LOOPBACK_HOST, port=port, token=token)
        listener.listen()
        serving = server(app)
        thread = threading.Thread(target=serving.run, kwargs={"sockets": [listener]})
        thread.start()
        asker = Asker(f"http://{LOOPBACK_HOST}:{port}/")
        try:
            yield asker
        finally:
            asker.client.close()
            serving.should_exit = True
            thread.join()


@contextmanager
def viewing(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], Asker]]:
    """Run `longtake view` and give its process and what asks it."""
    command = [*COMMAND, str(folder), "--no-open", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        url = process.stdout.readline().strip()
        assert url, process.stderr.read()
        asker = Asker(url)
        yield process, asker
        asker.client.close()
    finally:
        process.kill()
        process.communicate()
