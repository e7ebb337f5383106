"""Kill -9 at any point, also in the middle of a file: nothing is lost, nothing comes twice but a little."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Lister
from fileserver import CHUNK, FileServer

from longtake.fetching import Limits, Manner, fetch_list, fetched
from longtake.fetching.ledger import Ledger
from longtake.fetching.listing import take_in
from longtake.shards import Part

CALL = """
import sys
from longtake.fetching import Limits, Manner, fetch_list
fetch_list([sys.argv[1]], sys.argv[2], workers=4, rate=500.0, manner=Manner(allow_private=True),
           limits=Limits(reserve_bytes=0))
"""


def started(path: Path, to: Path) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", CALL, str(path), str(to)], cwd=Path(__file__).parents[2])


def wait_for(ready, process: subprocess.Popen) -> None:
    while not ready():
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)


def go_on(path: Path, to: Path):
    return fetch_list([path], to, rate=500.0, manner=Manner(allow_private=True), limits=Limits(reserve_bytes=0))


def test_killed_in_the_middle_of_files(tmp_path, big, lister: Lister):
    names = [f"v{i}" for i in range(4)]
    to = tmp_path / "to"
    with FileServer({f"/{name}.mp4": big for name in names}, default=["slow"], slow_s=0.05) as server:
        path = lister({name: f"{server.url}/{name}.mp4" for name in names})
        for least in (500_000, 1_000_000):
            process = started(path, to)
            try:
                wait_for(lambda least=least: server.sent and min(server.sent.values()) > least, process)
            finally:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
            assert not list((to / "videos").iterdir()), "no file has its name before it is whole"
        server.slow_s = 0.0
        found = go_on(path, to)
        assert found.counts == {"done": 4}
        assert all((to / "videos" / f"{name}.mp4").read_bytes() == big for name in names)
        for name in names:
            ranges = server.ranges[f"/{name}.mp4"]
            starts = [0 if asked is None else int(asked.removeprefix("bytes=").rstrip("-")) for asked in ranges]
            assert len(starts) == 3 and 0 == starts[0] < starts[1] < starts[2]
            # What was on its way when the kill came is sent again: buffers of the system and of the reader.
            assert server.sent[f"/{name}.mp4"] < len(big) + 2 * 1_000_000
        assert sum(server.sent.values()) >= 4 * len(big)
    assert not list((to / "parts").iterdir())


def test_killed_between_a_file_and_its_note(tmp_path, mp4, lister: Lister):
    """The file has its name, and the ledger still says that it is wanted."""
    to = tmp_path / "to"
    with FileServer({"/a.mp4": mp4}) as server:
        path = lister({"a": f"{server.url}/a.mp4"})
        go_on(path, to)
        with Ledger(to) as ledger:
            ledger._db.execute("UPDATE videos SET state = 'wanted', message = ''")
        assert go_on(path, to).counts == {"done": 1}
        assert server.asked.total() == 1
        (to / "videos" / "a.mp4").unlink()
        with Ledger(to) as ledger:
            ledger._db.execute("UPDATE videos SET state = 'wanted'")
        assert go_on(path, to).counts == {"done": 1}
        assert server.asked.total() == 2


def test_killed_while_a_list_is_read(tmp_path, lister: Lister, monkeypatch):
    """Rows that are in the file, and not yet in the ledger, are cut off; none is lost and none is there twice."""
    monkeypatch.setattr("longtake.fetching.listing.ROWS", 7)
    path = lister({f"v{i}": f"https://example.com/{i}.mp4" for i in range(20)}, clips=3)
    to = tmp_path / "to"
    to.mkdir()

    def killed(rows: int) -> None:
        if rows > 30:
            raise KeyboardInterrupt

    with Ledger(to) as ledger:
        with pytest.raises(KeyboardInterrupt):
            take_in(ledger, to, path, None, killed)
        assert ledger.list_read(str(next(ledger._db.execute("SELECT key FROM lists"))[0])) == (35, False)
    with (to / "list.jsonl").open("ab") as file:
        file.write(b'{"dataset": "plain", "vid')  # written, and never noted
    with Ledger(to) as ledger:
        take_in(ledger, to, path, None, lambda _: None)
        assert ledger.counts(Part()) == {"wanted": 20}
        assert ledger.rows() == (60, 0)
    clips = [json.loads(line)["clip"] for line in (to / "list.jsonl").read_text().splitlines()]
    assert len(clips) == len(set(clips)) == 60
    assert fetched(to).rows == 60


def test_the_ledger_is_whole_after_a_kill(tmp_path, mp4, lister: Lister):
    names = [f"v{i:03d}" for i in range(120)]
    to = tmp_path / "to"
    with FileServer({f"/{name}.mp4": mp4 for name in names}, default=["slow"], slow_s=0.01) as server:
        path = lister({name: f"{server.url}/{name}.mp4" for name in names})
        for least in (15, 40, 70):
            process = started(path, to)
            try:
                wait_for(lambda least=least: len(server.asked) > least, process)
            finally:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
            with Ledger(to) as ledger:
                assert ledger._db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
                assert set(ledger.counts(Part())) <= {"wanted", "done"}
        found = go_on(path, to)
        assert found.counts == {"done": 120}
        assert server.asked.total() <= 120 + 3 * 4, "only those under way are asked for again"
        assert server.sent.total() < 120 * len(mp4) + 3 * 4 * (len(mp4) + CHUNK)


def test_ctrl_c_loses_nothing(tmp_path, big, lister: Lister):
    names = [f"v{i}" for i in range(8)]
    to = tmp_path / "to"
    with FileServer({f"/{name}.mp4": big for name in names}, default=["slow"], slow_s=0.02) as server:
        path = lister({name: f"{server.url}/{name}.mp4" for name in names})
        process = started(path, to)
        wait_for(lambda: sum(sent > 200_000 for sent in server.sent.values()) >= 4, process)
        process.send_signal(signal.SIGINT)
        assert process.wait(120) != 0
        server.slow_s = 0.0
        assert go_on(path, to).counts == {"done": 8}
        resumed = [asked for ranges in server.ranges.values() for asked in ranges if asked]
        assert len(resumed) >= 3
