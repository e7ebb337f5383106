"""The driver for formats of grounding: what goes out, into which split, and never a half export for a whole one."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from exported import FILMS, grounded_set, small_set, spans_of

from longtake.cli import main
from longtake.errors import SetError, UsageError
from longtake.exporting import export_set, split_of
from longtake.removing import remove_videos
from longtake.store import Store
from longtake.video import Refit
from longtake.watch import Progress


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return grounded_set(tmp_path_factory.mktemp("exporting"))


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_it_is_noted_in_the_set_and_there_the_second_time(made: Path, tmp_path: Path) -> None:
    told: list[Progress] = []
    done = export_set(made, "internvid_g", tmp_path / "out", watch=lambda found: told.append(found))
    assert (done.spans, done.clips, done.bytes, done.splits) == (5, 0, 0, {"train": 5}) and not done.was_there
    assert told[-1].phase == "export" and told[-1].done == told[-1].total == 3 and told[-1].words == "5 spans"
    before = files(tmp_path / "out")
    again = export_set(made, "internvid_g", tmp_path / "out")
    assert again.was_there and again.spans == 5 and files(tmp_path / "out") == before
    rows = [row for row in Store(made).read("exports").to_pylist() if row["folder"] == str(done.folder.resolve())]
    assert len(rows) == 1 and rows[0]["format"] == "internvid_g" and len(rows[0]["video_ids"]) == len(FILMS)
    with pytest.raises(UsageError, match="isn't this export"):
        export_set(made, "internvid_g", tmp_path / "out", settings=["most_scenes=100"])
    other = export_set(made, "internvid_g", tmp_path / "other")
    assert files(other.folder) == before


def test_splits_hold_whole_videos(made: Path, tmp_path: Path) -> None:
    export_set(made, "internvid_g", tmp_path / "out", split="one:0.5,two:0.5")
    shares = [("one", 0.5), ("two", 1.0)]
    for video in Store(made).read("videos").to_pylist():
        name = Path(video["path"]).name
        for split in ("one", "two"):
            path = tmp_path / "out" / split / "scenes.jsonl"
            there = path.exists() and name in [
                json.loads(line)["video_fname"] for line in path.read_text().splitlines()
            ]
            assert there == (split == split_of(video["id"], shares))


def test_spans_that_a_format_leaves_out_are_counted(made: Path, tmp_path: Path) -> None:
    done = export_set(made, "activitynet", tmp_path / "out", settings=["unique=true"], split="one:0.5,two:0.5")
    whole = [
        span for span in spans_of(made) if (span["neg_start_s"], span["neg_end_s"]) == (0, span["video"]["duration_s"])
    ]
    written = [json.loads(path.read_text()) for path in (tmp_path / "out").glob("[ot]*.json")]
    sentences = [text for films in written for said in films.values() for text in said["sentences"]]
    assert sorted(sentences) == sorted(span["text"] for span in whole)
    assert (done.spans, done.left_out) == (len(whole), 5 - len(whole)) == (3, 2) and sum(done.splits.values()) == 3
    again = export_set(made, "activitynet", tmp_path / "out", settings=["unique=true"], split="one:0.5,two:0.5")
    assert again.was_there and (again.spans, again.left_out, again.splits) == (3, 2, done.splits)
    with pytest.raises(UsageError, match="leaves out all 5 spans"):
        export_set(made, "qvhighlights", tmp_path / "too short for the reader")


@pytest.mark.parametrize("asked", [{"where": ["duration_s > 1"]}, {"size": Refit(fps=8.0)}, {"copy": True}])
def test_what_is_about_clips_is_refused(made: Path, tmp_path: Path, asked: dict) -> None:
    with pytest.raises(UsageError, match="leave out --where, --size, --fps, --frames and --copy"):
        export_set(made, "activitynet", tmp_path / "out", **asked)
    assert not (tmp_path / "out").exists()


def test_a_set_without_spans_says_how_to_make_them(tmp_path: Path) -> None:
    made = small_set(tmp_path)
    with pytest.raises(SetError, match="no spans; longtake ground"):
        export_set(made, "activitynet", tmp_path / "out")
    grounded = grounded_set(tmp_path / "again")
    Store(grounded).delete("spans", "clip_id", [row["clip_id"] for row in spans_of(grounded)], "rejected_by IS NULL")
    with pytest.raises(SetError, match="2 captions, none of them good spans"):
        export_set(grounded, "activitynet", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_remove_names_it_with_the_command_that_makes_it_anew(tmp_path: Path) -> None:
    made = grounded_set(tmp_path)
    done = export_set(made, "qvhighlights", tmp_path / "out", split="train:0.5,val:0.5", settings=["saliency=4"])
    gone = spans_of(made, FILMS[0])[0]["video_id"]
    [holder] = remove_videos(made, [gone]).exports
    assert holder.folder == str(done.folder.resolve()) and "--split train:0.5,val:0.5" in holder.command
    assert "saliency=4" in holder.command and holder.command.count(" -s ") == 1  # what nobody set is not told
    anew = export_set(made, "qvhighlights", tmp_path / "anew", settings=["saliency=4"])
    assert anew.spans == len(spans_of(made)) == 2
    assert gone.encode() not in b"".join(files(anew.folder).values())


KILLED = """
import os, signal, sys
from longtake.exports import internvid_g
from longtake.exporting import export_set
known = internvid_g.Names.of
def of(self, video):
    if len(self._whose) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return known(self, video)
internvid_g.Names.of = of
export_set(sys.argv[1], "internvid_g", sys.argv[2])
"""


def test_kill_9_on_the_way_leaves_nothing_under_the_name_and_the_same_call_ends_it(made: Path, tmp_path: Path) -> None:
    whole = export_set(made, "internvid_g", tmp_path / "whole")
    command = [sys.executable, "-c", KILLED, str(made), str(tmp_path / "out")]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert not (tmp_path / "out").exists() and (tmp_path / "out.partial").is_dir()
    export_set(made, "internvid_g", tmp_path / "out")
    assert files(tmp_path / "out") == files(whole.folder) and not (tmp_path / "out.partial").exists()


def test_the_command(made: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["export", str(made), "activitynet", "--to", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "train.json").is_file() and "as activitynet" in result.output
    result = CliRunner().invoke(main, ["export", str(made), "activitynet", "--to", str(tmp_path / "x"), "--copy"])
    assert result.exit_code == 1 and "leave out" in result.output
