"""Two at work on one set: the second says who the first is and stops; and sets and videos that were moved or copied."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from looking import served
from media import pan, write_video

from longtake.caption_set import caption_set
from longtake.cli import main
from longtake.errors import SetError
from longtake.exporting import export_set
from longtake.hashing import hash_set
from longtake.opening import Set
from longtake.removing import remove_videos
from longtake.report import write_report
from longtake.running import run
from longtake.select_set import select_set
from longtake.store import Store

SETTINGS = ("select.keep=['duration_s >= 1']", "files.preset='ultrafast'")
HELD = """
import sys
from longtake import run
def watch(told):
    if watch.first:
        watch.first = print("told", flush=True)
        sys.stdin.readline()  # till the test closes its end
watch.first = True
run('lvd2m', [sys.argv[1]], sys.argv[2], settings=sys.argv[3:], workers=1, watch=watch)
"""


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    for number in range(2):
        write_video(folder / f"{number}.mp4", pan(30, seed=number, speed=0.3, size=(96, 54)))
    return folder


@pytest.fixture(scope="module")
def made(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "set"
    run("lvd2m", [films], folder, settings=SETTINGS, workers=1)
    return folder


def test_the_second_says_who_is_at_work_and_changes_nothing(films: Path, made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    run("lvd2m", [films / "0.mp4"], folder, settings=SETTINGS, workers=1)
    before = hash_set(folder).whole
    first = subprocess.Popen(
        [sys.executable, "-c", HELD, str(films), str(folder), *SETTINGS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert first.stdout and first.stdin
    assert first.stdout.readline() == "told\n"
    for second in (
        lambda: run("lvd2m", [films], folder, settings=SETTINGS, workers=1),
        lambda: select_set(folder, ["duration_s >= 2"], save=True),
        lambda: caption_set(folder),
        lambda: remove_videos(folder, [str(films / "0.mp4")]),
    ):
        with pytest.raises(SetError, match=f"another run is at work on .*, process {first.pid}, since 20"):
            second()
    assert hash_set(folder).whole == before
    assert Set(folder).clips().num_rows == 1
    first.communicate()
    assert first.returncode == 0
    assert hash_set(folder).whole == hash_set(made).whole
    assert run("lvd2m", [films], folder, settings=SETTINGS, workers=1).measured.videos == 0


def test_a_set_elsewhere_without_its_videos_says_so_and_all_else_works(films: Path, made: Path, tmp_path: Path) -> None:
    """As on another machine: set and videos were somewhere else when it was made."""
    there, folder = tmp_path / "there", tmp_path / "here" / "another name"
    shutil.copytree(films, there)
    run("lvd2m", [there], tmp_path / "set", settings=SETTINGS, workers=1)
    shutil.copytree(tmp_path / "set", folder)
    shutil.rmtree(tmp_path / "set")
    shutil.rmtree(there)
    assert hash_set(folder).whole == hash_set(made).whole
    opened = Set(folder)
    assert opened.clips().num_rows == 2
    assert all((folder / name).is_file() for name in opened.clips()["file"].to_pylist())
    assert select_set(folder, ["duration_s >= 1.1"], save=True).funnel[-1].clips == 2
    assert str(tmp_path / "set") not in write_report(folder).read_text(encoding="utf-8")
    assert export_set(folder, "csv", tmp_path / "out").clips == 2
    assert caption_set(folder, dry_run=True).estimate is not None
    clip = opened.clips().to_pylist()[0]
    with served(folder) as asker:
        assert len(asker.post("api/clips", rules=["duration_s >= 1"])["clips"]) == 2
        asker.get(f"api/clips/{clip['id']}")
        assert asker.client.get(f"media/clip/{clip['id']}").content == (folder / clip["file"]).read_bytes()
        said = asker.get(f"media/video/{clip['video_id']}", 404)["error"]
        assert str(there) in said and "No such file" in said
    told = CliRunner().invoke(main, ["run", "lvd2m", str(there), "--to", str(folder)])
    assert told.exit_code == 1 and "no such file or folder" in told.stderr
    # What has to be written anew can't be, and stays as it is; till the videos are named where they are now.
    other = (*SETTINGS[:1], "files.preset='superfast'")
    lost = run("lvd2m", [films / "0.mp4"], folder, settings=other, workers=1)
    assert (lost.measured.videos, lost.written.written, lost.failures) == (0, 1, {"missing": 1})
    (failure,) = Store(folder).read("failures").to_pylist()
    assert failure["message"] == f"{there / '1.mp4'}: no such file"
    found = run("lvd2m", [films], folder, settings=other, workers=1)
    assert (found.measured.videos, found.written.written, found.failures) == (0, 1, {})


def test_a_page_open_beside_a_run_and_its_compaction_has_whole_rows(films: Path, made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    run("lvd2m", [films / "0.mp4"], folder, settings=SETTINGS, workers=1)
    with served(folder) as asker:
        process = subprocess.Popen(
            [sys.executable, "-c", HELD, str(films), str(folder), *SETTINGS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout and process.stdin and process.stdout.readline() == "told\n"
        asked, stamps = 0, set()
        while process.poll() is None:
            asked += 1
            stamps.add(asker.get("api/stamp")["stamp"])
            for clip in asker.post("api/clips", rules=["duration_s >= 1"])["clips"]:
                told = asker.get(f"api/clips/{clip['id']}")
                assert told["id"] == clip["id"]
            assert 1 <= asker.post("api/select", rules=["duration_s >= 1"])["funnel"][-1]["clips"] <= 2
            process.stdin.close()  # one look was taken while it held the set: now it goes on
        process.stdout.close()
        stamps.add(asker.get("api/stamp")["stamp"])
        assert process.returncode == 0 and asked > 1 and len(stamps) > 1
        assert len(asker.post("api/clips", rules=["duration_s >= 1"])["clips"]) == 2
    assert hash_set(folder).whole == hash_set(made).whole
