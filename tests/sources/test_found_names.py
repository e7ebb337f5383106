"""Whatever names and things a folder of videos may hold: what can be used is used, all else is a failure of its own."""

import os
import shutil
import socket
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from media import pan, write_video

from longtake.exporting import export_set
from longtake.removing import remove_videos
from longtake.running import run
from longtake.sources.files import find_videos
from longtake.store import Store

SETTINGS = ["select.keep=['duration_s >= 1']", "files.preset='ultrafast'"]
NAMES = [
    " line\nbreak .mp4",
    "e" * 251 + ".mp4",
    "🎬 שלום עולם \u202egpj.mp4",
    unicodedata.normalize("NFC", "Café.mp4"),
    unicodedata.normalize("NFD", "Café.mp4"),
    "Case.mp4",
    "case.MP4",
    "%03d*?[a]#.mp4",
    "-to'; DROP TABLE videos; --.mp4",
    "file:a|$(touch owned).mp4",
    "\\xff.mp4",
]
"""Names that are text, of which each is another video."""


def bytes_name(folder: Path, name: bytes) -> Path:
    """Return a path whose name is no text, or skip on a disk that takes none."""
    path = folder / os.fsdecode(name)
    try:
        path.touch()
    except OSError:
        pytest.skip("this disk takes no such name")
    return path


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    top = tmp_path_factory.mktemp("tree")
    for number, name in enumerate(NAMES):
        write_video(top / name, pan(30, seed=number, speed=0.3, size=(96, 54)))
    good = top / "Case.mp4"
    (top / "x.mp4").mkdir()
    shutil.copy(good, top / "x.mp4" / "case.mp4")
    (top / "a loop").symlink_to(top, target_is_directory=True)
    (top / "itself.mp4").symlink_to("itself.mp4")
    (top / "dangling.mp4").symlink_to("gone.mp4")
    (top / "to a device.mp4").symlink_to("/dev/zero")
    os.mkfifo(top / "pipe.mp4")
    # A socket's name may have 107 bytes, its folder's included.
    here = Path.cwd()
    os.chdir(top)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.mp4")
        os.chdir(here)
    shutil.copy(good, bytes_name(top, b"caf\xe9.mp4"))
    bytes_name(top, b"\xff folder.mp4").unlink()
    (top / os.fsdecode(b"\xff folder")).mkdir()
    shutil.copy(good, top / os.fsdecode(b"\xff folder") / "a.mp4")
    # A path of more than 4096 bytes: the folder is there, and can't be read by its name.
    handles = [os.open(top, os.O_RDONLY)]
    for _ in range(17):
        os.mkdir("d" * 250, dir_fd=handles[-1])
        handles.append(os.open("d" * 250, os.O_RDONLY, dir_fd=handles[-1]))
    yield top
    for parent, child in zip(handles[-2::-1], handles[:0:-1], strict=True):
        os.close(child)
        os.rmdir("d" * 250, dir_fd=parent)
    os.close(handles[0])


def test_each_is_a_video_or_a_failure_and_the_others_go_on(tree: Path, tmp_path: Path) -> None:
    done = run("lvd2m", [tree], tmp_path / "set", settings=SETTINGS, workers=1)
    store = Store(tmp_path / "set")
    paths = {row["path"] for row in store.read("videos").to_pylist()}
    assert {Path(path).name for path in paths} == set(NAMES)
    assert done.plan.copies == 1  # in a folder called x.mp4
    failures = {row["item"].removeprefix(f"{tree}/"): row for row in store.read("failures").to_pylist()}
    deep = [name for name in failures if name.startswith("dddd")]
    assert {name: row["kind"] for name, row in failures.items() if name not in deep} == {
        "itself.mp4": "unreadable",
        "dangling.mp4": "missing",
        "to a device.mp4": "unreadable",
        "pipe.mp4": "unreadable",
        "socket.mp4": "unreadable",
        "caf\\xe9.mp4": "unreadable",
        "\\xff folder/a.mp4": "unreadable",
    }
    assert len(deep) == 1 and failures[deep[0]]["kind"] == "unreadable" and "too long" in failures[deep[0]]["message"]
    assert "rename it" in failures["caf\\xe9.mp4"]["message"]
    assert done.kept == len(NAMES) and not (tmp_path / "owned").exists()
    again = run("lvd2m", [tree], tmp_path / "set", settings=SETTINGS, workers=1)
    assert (again.measured.videos, again.measured.failed, again.written.written) == (0, 0, 0)
    assert again.plan.failed_before == len(failures)
    assert export_set(tmp_path / "set", "jsonl", tmp_path / "out").clips == len(NAMES)
    gone = remove_videos(tmp_path / "set", [str(tree / name) for name in NAMES])
    assert len(gone.videos) == gone.clips == len(NAMES)


def test_what_was_renamed_is_no_failure_any_more(tmp_path: Path) -> None:
    films, folder = tmp_path / "films", tmp_path / "set"
    films.mkdir()
    write_video(films / "a.mp4", pan(30, seed=1, speed=0.3, size=(96, 54)))
    named = bytes_name(films, b"caf\xe9.mp4")
    shutil.copy(films / "a.mp4", named)
    (films / "dangling.mp4").symlink_to("gone.mp4")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "empty.mp4").touch()
    done = run("lvd2m", [films, tmp_path / "other"], folder, settings=SETTINGS, workers=1)
    assert done.failures == {"empty": 1, "missing": 1, "unreadable": 1}
    (tmp_path / "other" / "empty.mp4").unlink()
    named.rename(films / "café.mp4")
    done = run("lvd2m", [films], folder, settings=SETTINGS, workers=1)
    assert done.failures == {"empty": 1, "missing": 1}, "of a folder that was not searched nothing is known"
    assert done.plan.videos == 3 and done.measured.videos == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not read a folder")
def test_a_folder_that_may_not_be_read_is_told_of() -> None:
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        top.chmod(0o755)
        (top / "open").mkdir()
        (top / "open" / "a.mp4").touch()
        (top / "shut").mkdir(0o700)
        (top / "shut" / "b.mp4").touch()
        os.seteuid(65534)
        try:
            found = find_videos([top])
        finally:
            os.seteuid(0)
    assert [str(path.relative_to(top)) for path in found.videos] == ["open/a.mp4", "shut"]
    assert found.searched == (top,)


def test_a_folder_reached_twice_has_the_first_name(tmp_path: Path) -> None:
    (tmp_path / "films" / "m").mkdir(parents=True)
    (tmp_path / "films" / "m" / "a.mp4").touch()
    for name in ("z", "b", "c"):
        (tmp_path / "films" / name).symlink_to("m")
    assert find_videos([tmp_path / "films"]).videos == [tmp_path / "films" / "b" / "a.mp4"]


def test_a_list_of_ones_own_makes_no_folder_a_fetched_one(tmp_path: Path) -> None:
    films = [tmp_path / name for name in ("a.mp4", "b.mp4", "videos/c.mp4")]
    (tmp_path / "videos").mkdir()
    for film in films:
        film.touch()
    for text in ("", '{"url": "https://a.example/1"}\n', '{"longtake":1,"dataset":"plain","video":"c","url":""}\n'):
        (tmp_path / "list.jsonl").write_text(text)
        ours = "longtake" in text
        found = find_videos([tmp_path])
        assert (found.videos, found.lists) == ((films[2:], (tmp_path,)) if ours else (films, ()))
