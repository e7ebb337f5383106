"""Whoever reads a set while a run writes and compacts it meets no error and no half state."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
from media import pan, write_video

from longtake.caption_set import caption_set
from longtake.errors import SetError
from longtake.exporting import export_set
from longtake.hashing import hash_set
from longtake.opening import Set
from longtake.report import write_report
from longtake.report.data import collect
from longtake.running import run
from longtake.select_set import select_set
from longtake.store import ChangedError, Store

CODE = """
import sys
from longtake import run
def watch(told):
    if watch.first:
        watch.first = print("told", flush=True)
        sys.stdin.readline()  # till the test closes its end
watch.first = True
run('lvd2m', [sys.argv[1]], sys.argv[2], settings=sys.argv[3:], workers=1, watch=watch)
"""
SETTINGS = ("select.keep=['duration_s >= 1']", "files.preset='ultrafast'")


def test_every_reader_sees_whole_rows_while_a_run_is_at_work(tmp_path: Path) -> None:
    films, folder = tmp_path / "films", tmp_path / "set"
    films.mkdir()
    for number in range(3):
        write_video(films / f"{number}.mp4", pan(30, seed=number, speed=0.3, size=(96, 54)))
        if not number:
            run("lvd2m", [films], folder, settings=SETTINGS, workers=1)
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, str(films), str(folder), *SETTINGS],
        env={**os.environ, "PYTHONWARNINGS": ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout and process.stdin and process.stdout.readline() == "told\n"
    reads = 0
    while process.poll() is None:
        reads += 1
        try:
            opened = Set(folder)
            videos = set(opened.videos()["id"].to_pylist())
            assert 1 <= len(videos) <= 3
            for clip in opened.clips().to_pylist():
                assert clip["id"] and clip["duration_s"] > 1 and clip["kept"]
                assert clip["file"] is None or (folder / clip["file"]).is_file()
            assert 1 <= select_set(folder).funnel[-1].clips <= 3
            write_report(folder)
            hash_set(folder)
            caption_set(folder, dry_run=True)
            export_set(folder, "jsonl", tmp_path / f"out{reads}")
        except ChangedError as error:  # what was read has been compacted away: it says so
            assert "ask again" in str(error)
        except SetError as error:
            assert "is at work" in str(error)
        process.stdin.close()  # one look was taken while it held the set: now it goes on
    process.stdout.close()
    assert process.returncode == 0 and reads > 1
    assert Set(folder).clips().num_rows == 3


def test_a_report_between_a_runs_commit_and_its_selection(tmp_path: Path) -> None:
    write_video(tmp_path / "film.mp4", pan(30, seed=1, speed=0.3, size=(96, 54)))
    folder = tmp_path / "set"
    run("lvd2m", [tmp_path / "film.mp4"], folder, settings=SETTINGS, workers=1)
    store = Store(folder)
    ids = store.read("clips", ["id"])
    store.update_columns("clips", "id", ids.append_column("kept", pa.nulls(ids.num_rows, pa.bool_())))
    told = collect(folder)
    assert [video["kept"] for video in told["videos"]] == [1] and told["totals"]["kept"] == 1
    assert write_report(folder).is_file()
