"""A set on an object store is the set that would be here: tables, files, commands; killed, cut off, told no."""

import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from objectserver import Way, make_bucket
from sets import SETTINGS, copy, everything, files, make, tables

from longtake.cli import main
from longtake.errors import SetError, UsageError
from longtake.exporting import export_set
from longtake.opening import Set
from longtake.places import Remote, place, stores
from longtake.places.landing import HELD, NAME, scratch
from longtake.planning import hash_of, removed_before
from longtake.removing import remove_videos
from longtake.report import write_report
from longtake.running import run
from longtake.select_set import select_set
from longtake.store import Store

sys.path.append(str(Path(__file__).resolve().parents[1] / "viewer"))

from looking import served


@pytest.fixture(scope="module")
def films(media, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    for name in ("slow_pan", "cut", "empty"):
        shutil.copy(media[name], folder / f"{name}.mp4")
    return folder


@pytest.fixture(scope="module")
def here(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("here") / "my-set"
    make(films, folder)
    return folder


@pytest.fixture(scope="module")
def made(films: Path, whole_way: Way) -> Iterator[Remote]:
    """The same set on the store."""
    make_bucket(whole_way.server, "made")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in whole_way.environment.items():
            patch.setenv(name, value)
        stores.store.cache_clear()
        stores.settings.cache_clear()
        folder = place("s3://made/my-set")
        assert isinstance(folder, Remote)
        make(films, folder)
        yield folder
    stores.store.cache_clear()
    stores.settings.cache_clear()


@pytest.fixture
def own(made: Remote, bucket: Remote) -> Remote:
    """A copy of it to change."""
    return copy(made, bucket / "own" / "my-set")


def test_tables_and_files_are_those_of_a_set_here(made: Remote, here: Path, way: Way) -> None:
    assert tables(made) == tables(here)
    assert files(made) == files(here)
    assert {path.name for path in made.iterdir()} == {path.name for path in here.iterdir()} - {".lock"}


def test_nothing_is_left_on_this_machine(made: Remote) -> None:
    assert not list(Path(tempfile.gettempdir()).glob(f"{NAME}*/{HELD}"))


def test_the_same_run_again_does_nothing(own: Remote, films: Path, way: Way) -> None:
    way.clear()
    result = make(films, own)
    assert (result.measured.videos, result.written.written, result.written.verified) == (0, 0, 0)
    put = {one.path.partition("?")[0].rpartition("/")[2] for one in way.of("PUT")}
    assert put == {".lock", "recipe.toml", "report.html"}


def test_a_clip_file_that_vanished_is_written_again_and_one_no_longer_kept_goes(own: Remote, films: Path) -> None:
    (lost,) = [path for path in everything(own / "clips") if path.suffix == ".mp4"]
    content = lost.read_bytes()
    lost.unlink()
    assert make(films, own).written.written == 1
    assert lost.read_bytes() == content
    select_set(own, ["duration_s > 1000"], save=True)
    (own / "clips" / "notes.txt").write_text("mine")
    (lost.parent / "notes.txt").write_text("mine")
    assert run("lvd2m", [films], own, settings=[*SETTINGS, "select.keep=['duration_s > 1000']"]).written.removed == 1
    assert [path.name for path in everything(own / "clips")] == ["notes.txt", "notes.txt"]


def test_rules_are_tried_and_saved_there(own: Remote, here: Path) -> None:
    choice = select_set(str(own), ["duration_s >= 1"], save=True)
    assert choice.funnel == select_set(here, ["duration_s >= 1"]).funnel
    assert select_set(own).funnel == choice.funnel
    assert choice.folder == own and str(choice.folder).startswith("s3://")


def test_its_report_is_written_there(own: Remote) -> None:
    before = (own / "report.html").read_bytes()
    (own / "report.html").unlink()
    assert write_report(str(own)) == own / "report.html"
    assert abs(len((own / "report.html").read_bytes()) - len(before)) < 100


def test_its_clips_go_out_to_a_folder_here(own: Remote, here: Path, tmp_path: Path) -> None:
    assert export_set(own, "videofolder", tmp_path / "out").clips == 1
    (clip,), (file,) = here.glob("clips/*/*.mp4"), tmp_path.glob("out/**/*.mp4")
    assert file.read_bytes() == clip.read_bytes()
    assert Store(own).read("exports")["folder"].to_pylist() == [str(tmp_path / "out")]
    with pytest.raises(UsageError, match="an export can't be on an object store"):
        export_set(own, "videofolder", own.parent / "dataset")


def test_frames_of_its_clips_are_read_there(made: Remote, here: Path, way: Way) -> None:
    there, local = Set(str(made)), Set(here)
    assert there.clips().equals(local.clips())
    (name,) = there.clips()["id"].to_pylist()
    assert np.array_equal(there.frames(name, 1.0, 3, 2.0), local.frames(name, 1.0, 3, 2.0))


FORKED = """
import os, sys
from longtake.opening import Set
found = Set(sys.argv[1])
(name,) = found.clips()["id"].to_pylist()
if os.fork() == 0:
    try:
        found.frames(name, 1.0, 3, 2.0)
    except Exception as error:
        print(error, flush=True)
    os._exit(0)
os.wait()
"""


def test_a_forked_reader_is_told_and_does_not_hang(made: Remote, way: Way) -> None:
    done = subprocess.run([sys.executable, "-c", FORKED, str(made)], capture_output=True, text=True, timeout=60)
    assert "multiprocessing_context='forkserver'" in done.stdout


def test_a_viewer_shows_it(made: Remote, here: Path, way: Way) -> None:
    (clip,) = Store(here).read("clips", where="kept").to_pylist()
    content = (here / clip["file"]).read_bytes()
    with served(made) as asker:
        assert asker.get("/api/set")["folder"] == str(made)
        part = asker.client.get(f"/media/clip/{clip['id']}", headers={"Range": "bytes=100-199"})
        assert (part.status_code, part.content) == (206, content[100:200])
        assert asker.client.get(f"/media/play/clip/{clip['id']}").content == content
        (sheet, *_) = [path for path in (here / "previews").iterdir() if path.is_file()]
        assert asker.client.get(f"/previews/{sheet.name}").content == sheet.read_bytes()


def test_a_removed_video_leaves_nothing(own: Remote, films: Path) -> None:
    (name,) = [one for one in Store(own).read("videos", ["id"])["id"].to_pylist() if one.startswith("slow-pan")]
    done = remove_videos(str(own), [name])
    assert (done.videos, done.files) == ([name], 1)
    left = [path for path in own.walk() if path.name != "removed.txt"]
    assert not [path for path in left if hash_of(name) in str(path) or hash_of(name).encode() in path.read_bytes()]
    assert removed_before(own) == {hash_of(name)}


def test_a_command_shows_the_address_as_it_was_written(made: Remote, way: Way) -> None:
    told = CliRunner().invoke(main, ["select", str(made), "--keep", "duration_s >= 1"])
    assert told.exit_code == 0, told.output
    told = CliRunner().invoke(main, ["report", str(made)])
    assert told.output == f"{made}/report.html\n"
    for command, says in [
        (["export", str(made), "videofolder", "--to", "s3://made/other"], "name a folder on this machine"),
        (["levels", str(made), "--by", "duration_s", "--to", "s3://made/levels"], "name a folder on this machine"),
        (["select", "s3://made"], "s3://bucket/my-set"),
        (["select", "s3://made/nothing"], "s3://made/nothing is no set"),
        (["fetch", "list.csv", "--to", "s3://made/videos"], "name a folder on this machine"),
    ]:
        told = CliRunner().invoke(main, command)
        assert told.exit_code == 1, told.output
        assert says in told.output and "s3:/made" not in told.output


def test_what_breaks_off_for_a_while_is_tried_again(bucket: Remote, films: Path, here: Path, way: Way) -> None:
    for path in (".manifest", "/data/"):
        for kind in ("503", "reset", "cut", "500"):
            way.fail(kind, path=path)
    for path in (".lock", ".manifest", "/data/", ".txn", ".mp4", "recipe.toml", "report.html", "previews/"):
        for kind in ("503", "500"):
            way.fail(kind, method="PUT", path=path)
    for path in ("/data/", ".mp4", "report.html"):
        way.fail("reset", method="PUT", path=path)
    result = make(films, bucket / "my-set")
    assert result.failures == {"empty": 1}
    assert not way.faults
    assert tables(bucket / "my-set") == tables(here)
    assert files(bucket / "my-set") == files(here)


def test_a_store_that_says_no_ends_the_run_in_words_and_the_next_one_goes_on(
    bucket: Remote, films: Path, here: Path, way: Way
) -> None:
    folder = bucket / "my-set"
    way.fail("403", method="PUT", path="clips.lance", times=1)
    with pytest.raises(SetError, match="the same command goes on"):
        make(films, folder)
    way.fail("403", method="PUT", path=".mp4", times=1)
    assert make(films, folder).failures == {"empty": 1, "unreachable": 1}
    make(films, folder)
    assert tables(folder) == tables(here)
    assert files(folder) == files(here)
    with pytest.raises(SetError, match=r"s3://no-such-bucket/set can't be written: .*no such bucket"):
        make(films, "s3://no-such-bucket/set")


def test_kill_9_and_the_same_command_ends_the_same(bucket: Remote, films: Path, here: Path, way: Way) -> None:
    folder = bucket / "my-set"
    code = "import sys; from longtake import run; run('lvd2m', [sys.argv[1]], sys.argv[2], settings=sys.argv[3:])"
    command = [sys.executable, "-c", code, str(films), str(folder), *SETTINGS]
    chance = random.Random(1)
    for _ in range(2):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(1.5, 4.0))
        process.send_signal(signal.SIGKILL)
        process.wait()
    make(films, folder)
    assert tables(folder) == tables(here)
    assert files(folder) == files(here)


def test_scratch_of_killed_processes_is_removed_and_that_of_others_is_not() -> None:
    code = """
import os, signal
from longtake.places.landing import scratch
with scratch() as folder:
    (folder / "half.mp4").write_bytes(b"half")
    print(folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    with scratch() as mine:
        left = Path(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip())
        assert (left / "half.mp4").exists()
        with scratch():
            assert not left.exists()
            assert (mine / HELD).exists()
    assert not mine.exists()
