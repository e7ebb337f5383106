"""Files that are made to crash or hang who reads them: they take a process with them, never the fetching."""

from pathlib import Path

import pytest
from conftest import Lister
from fileserver import FileServer

from longtake.fetching import Limits, Manner, examine, fetch_list
from longtake.fetching.examine import Examiners
from longtake.fetching.states import FetchError, StoppedError

TASKS = """
import os, signal, time
from longtake.fetching.examine import read as read_well

def read(payload, progress):
    with open(payload["path"], "rb") as file:
        body = file.read()
    open(payload["path"] + f".{os.getpid()}", "w").close()
    if b"CRASH" in body:
        os.kill(os.getpid(), signal.SIGSEGV)
    if b"HANG" in body:
        time.sleep(600)
    if b"BUG" in body:
        raise ZeroDivisionError("ours")
    return read_well(payload, progress)
"""


@pytest.fixture
def moody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read files by a decoder that some of them get the better of."""
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    (tasks / "moody_tasks.py").write_text(TASKS)
    monkeypatch.syspath_prepend(tasks)
    monkeypatch.setattr(examine, "TASK", "moody_tasks:read")


def box(words: bytes) -> bytes:
    """Return a part of an MP4 file that readers skip."""
    return (8 + len(words)).to_bytes(4) + b"free" + words


def readers(path: Path) -> set[str]:
    """Return the processes that have read a file."""
    return {file.suffix for file in path.parent.glob(f"{path.name}.*")}


@pytest.mark.usefixtures("moody")
def test_who_dies_of_a_file_is_replaced(tmp_path, mp4):
    paths = {name: tmp_path / f"{name}.mp4" for name in ("fine", "CRASH", "BUG", "fine too")}
    for name, path in paths.items():
        path.write_bytes(mp4 + box(name.encode()))
    with Examiners(1) as examiners:
        first = examiners.examine(paths["fine"])
        assert examiners.examine(paths["fine"]) == first
        with pytest.raises(FetchError, match=r"crash: .*SIGSEGV") as crash:
            examiners.examine(paths["CRASH"])
        with pytest.raises(FetchError, match="ZeroDivisionError: ours") as bug:
            examiners.examine(paths["BUG"])
        assert examiners.examine(paths["fine too"]).duration_s == first.duration_s > 0
    assert (crash.value.state, bug.value.state) == ("bad_file", "other")
    assert len(readers(paths["fine"])) == 1, "one process reads all that are well"
    assert readers(paths["BUG"]) == readers(paths["fine too"]) != readers(paths["fine"])


@pytest.mark.usefixtures("moody")
def test_who_comes_to_no_end_is_ended(tmp_path, mp4, monkeypatch):
    path = tmp_path / "a.mp4"
    path.write_bytes(mp4 + box(b"HANG"))
    monkeypatch.setattr(examine, "LONGEST_S", 0.5)
    with Examiners(1) as examiners:
        with pytest.raises(FetchError, match="timeout") as caught:
            examiners.examine(path)
        monkeypatch.undo()
        path.write_bytes(mp4)
        assert examiners.examine(path).duration_s > 0
    assert caught.value.state == "bad_file"


@pytest.mark.usefixtures("moody")
def test_ctrl_c_does_not_wait_for_it(tmp_path, mp4):
    path = tmp_path / "a.mp4"
    path.write_bytes(mp4 + box(b"HANG"))

    def look() -> None:
        if readers(path):
            raise StoppedError("Ctrl-C")

    with Examiners(1) as examiners, pytest.raises(StoppedError):
        examiners.examine(path, look)


@pytest.mark.usefixtures("moody")
def test_the_fetching_goes_on(tmp_path, mp4, lister: Lister):
    names = ["fine", "CRASH", "last"]
    with FileServer({f"/{name}.mp4": mp4 + box(name.encode()) for name in names}) as server:
        path = lister({name: f"{server.url}/{name}.mp4" for name in names})
        found = fetch_list(
            [path],
            tmp_path / "to",
            workers=1,
            rate=500.0,
            manner=Manner(allow_private=True),
            limits=Limits(reserve_bytes=0),
        )
    assert found.counts == {"done": 2, "bad_file": 1}
    assert "SIGSEGV" in found.reasons["bad_file"]
