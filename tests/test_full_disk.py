"""A disk that fills up, or can only be read: a line that says so, a set that reads, and the same command goes on."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from longtake.cli import main
from longtake.engines.worker import attempt
from longtake.errors import SetError, refused
from longtake.hashing import hash_set
from longtake.running import run
from longtake.select_set import select_set
from longtake.store import Store

SETTINGS = ["select.keep=['duration_s > 1']", "files.preset='ultrafast'", "shots.step='content'"]
ROOM = 64 << 20


class Disk:
    """A small disk in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def change(self, options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", self.folder], check=True)

    @property
    def used(self) -> int:
        facts = os.statvfs(self.folder)
        return (facts.f_blocks - facts.f_bfree) * facts.f_frsize


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("to mount a disk in memory takes root, and a machine that lets it")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def call(media, folder: Path) -> None:
    run("lvd2m", [media["cut"]], folder, settings=SETTINGS, workers=1)


@pytest.fixture(scope="module")
def whole(media, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "set"
    call(media, folder)
    return folder


@pytest.mark.parametrize("room", [40_000, 150_000])
def test_a_disk_that_fills_up_ends_a_run_in_a_line_and_the_next_goes_on(media, whole, disk: Disk, room: int) -> None:
    made = disk.folder / "set"
    disk.change(f"size={room}")
    with pytest.raises(SetError, match=r"the disk is full.* make room.* the same command goes on"):
        call(media, made)
    if (made / "recipe.toml").exists():
        assert select_set(made).folder == made
    disk.change(f"size={ROOM}")
    assert not Store(made).count("failures"), "no video is to blame for a full disk"
    call(media, made)
    assert hash_set(made).tables == hash_set(whole).tables
    names = {path.relative_to(made) for path in made.rglob("*") if ".lance" not in str(path)}
    assert names == {path.relative_to(whole) for path in whole.rglob("*") if ".lance" not in str(path)}


def test_a_set_that_can_only_be_read_is_read(media, disk: Disk) -> None:
    made = disk.folder / "set"
    call(media, made)
    disk.change("ro")
    assert select_set(made).folder == made
    for words in (["report"], ["select", "--save"], ["remove"], ["export"]):
        command = [words[0], str(made), *words[1:]]
        command += [str(media["cut"])] if words == ["remove"] else []
        command += ["videofolder", "--to", str(disk.folder / "out")] if words == ["export"] else []
        said = CliRunner().invoke(main, command)
        assert said.exit_code == 1 and said.output.count("\n") == 1, said.output
        assert "can only be read" in said.output or "Read-only" in said.output
    disk.change("rw")
    assert CliRunner().invoke(main, ["select", str(made), "--save"]).exit_code == 0


def test_a_worker_that_cannot_write_does_not_blame_the_video() -> None:
    def task(_: object, __: object) -> None:
        with Path("/dev/full").open("w") as file:
            file.write("something")

    assert attempt(task, None, lambda _: None) == ("failed", ("unwritable", refused(OSError(28, ""))))


def test_only_what_a_disk_refuses_counts() -> None:
    assert "disk is full" in refused(OSError("LanceError(IO): Unable to write: No space left on device (os error 28)"))
    assert "can only be read" in refused(OSError(30, "Read-only file system"))
    for error in (OSError("no"), ValueError("(os error 2)"), FileNotFoundError(2, "no such file"), None):
        assert refused(error) == ""
