"""What stands where a set is to be written, and among its sources: nothing of the user's is lost without a word."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from media import pan, write_video

from longtake.cli import main
from longtake.errors import SetError, UsageError
from longtake.merging import merge_sets
from longtake.running import RunResult, run
from longtake.select_set import select_set
from longtake.settings import ABOUT
from longtake.sources.files import SET_MARKS, find_videos
from longtake.store import Store

RECIPE = """
name = "plain"
[shots]
step = "content"
[clips]
step = "takes"
[scores.motion]
[select]
keep = ["duration_s >= 1"]
[files]
preset = "ultrafast"
[captions.measured]
"""
NONE_YET = ["select.keep=['duration_s >= 1', 'motion.mean >= 1000']"]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("recipes") / "plain.toml"
    path.write_text(RECIPE)
    return str(path)


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A folder of two videos of the same length."""
    (tmp_path / "films").mkdir()
    for seed, name in ((3, "one.mp4"), (4, "two.mp4")):
        write_video(tmp_path / "films" / name, pan(48, seed=seed, speed=0.3, size=(160, 90)))
    return tmp_path / "films"


def go(recipe: str, films: Path, to: Path, *settings: str) -> tuple[RunResult, tuple[str, ...]]:
    """Run and return what came of it, and the notes that were told before work started."""
    seen: list[Any] = []
    done = run(recipe, [films], to, settings=settings, workers=1, watch=seen.append)
    return done, seen[0].notes


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# Where a set is to be written


def test_a_folder_of_somebody_elses_is_refused_and_left_as_it_is(recipe: str, films: Path, tmp_path: Path) -> None:
    part = tmp_path / "part"
    go(recipe, films, part)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "report.html").write_text("years of work")
    for folder in (mine, films):
        before = everything(folder)
        with pytest.raises(SetError, match="is no set, and holds other things"):
            run(recipe, [films], folder)
        with pytest.raises(SetError, match="is no set, and holds other things"):
            merge_sets([part], folder)
        assert everything(folder) == before


@pytest.mark.parametrize("there", [[], [".lock"], [".DS_Store"], ["removed.txt"], ["recipe.toml", "removed.txt"]])
def test_what_a_set_may_begin_with_is_no_hindrance(recipe: str, films: Path, tmp_path: Path, there: list[str]) -> None:
    (tmp_path / "set").mkdir()
    for name in there:
        (tmp_path / "set" / name).write_text(RECIPE if name == "recipe.toml" else "")
    assert go(recipe, films, tmp_path / "set")[0].kept == 2


def test_a_set_of_before_there_were_formats_is_one(recipe: str, films: Path, tmp_path: Path) -> None:
    go(recipe, films, tmp_path / "set")
    (tmp_path / "set" / ABOUT).unlink()
    assert go(recipe, films, tmp_path / "set")[0].plan.done_before == 2


SLOW = """
import sys, time
from longtake import running

def wait(*_):
    print("scanning", flush=True)
    time.sleep(600)  # until it is killed

running.measure_videos = wait
running.run(sys.argv[1], [sys.argv[2]], sys.argv[3])
"""


def test_a_first_scan_that_is_killed_leaves_a_set(recipe: str, films: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", SLOW, recipe, str(films), str(tmp_path / "set")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline().strip() == "scanning"
    process.kill()
    process.communicate()
    assert select_set(tmp_path / "set").funnel[0].clips == 0
    done, notes = go(recipe, films, tmp_path / "set")
    assert done.kept == 2 and not notes


# What a run replaces


def test_saved_rules_and_captioners_do_not_go_without_a_word(recipe: str, films: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    assert go(recipe, films, folder)[1] == ()
    assert go(recipe, films, folder)[1] == ()
    select_set(folder, ["duration_s >= 1.5"], save=True)
    own = str(folder / "recipe.toml")
    model = ("models.default.url='http://localhost:9'", "models.default.tries=1")
    assert go(own, films, folder, "captions.miradata.step='miradata'", *model)[1] == ()
    assert go(own, films, folder)[1] == ()
    (note,) = go(recipe, films, folder)[1]
    assert "[captions.miradata]" in note and "[select]" in note and "[models.default]" in note
    assert "[captions.measured]" not in note and "[clips]" not in note
    assert f"longtake run {own} VIDEOS --to {folder}" in note


def test_another_recipe_says_what_becomes_of_the_files(recipe: str, films: Path, tmp_path: Path) -> None:
    go(recipe, films, tmp_path / "set")
    (note,) = go(recipe, films, tmp_path / "set", "name='other'", *NONE_YET)[1]
    assert "the recipe other replaces the set's own, plain; of its 2 clip files" in note
    assert not list((tmp_path / "set" / "clips").rglob("*.mp4"))


def test_the_notes_are_shown_before_work(recipe: str, films: Path, tmp_path: Path) -> None:
    go(recipe, films, tmp_path / "set", *NONE_YET)
    done = CliRunner().invoke(main, ["run", recipe, str(films), "--to", str(tmp_path / "set")])
    said = " ".join(done.output.split())
    assert done.exit_code == 0 and said.index("note what was saved in the set as [select]") < said.index("Writing:")


# A set among the sources


def test_the_clips_of_a_set_are_no_videos(recipe: str, films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert SET_MARKS[0] == ABOUT
    monkeypatch.chdir(films)
    go(recipe, Path(), Path("set"))
    done, (note,) = go(recipe, Path(), Path("set"))
    assert (done.plan.videos, done.plan.to_scan, done.plan.others) == (2, 0, 0)
    assert f"{films / 'set'} is a set" in note
    assert len(find_videos(["set"]).videos) == len(find_videos(["set/clips"]).videos) == 2
    (films / "set" / ABOUT).unlink()  # one made before there were formats
    assert len(find_videos(["."]).videos) == 2
    for name in ("one.mp4", "two.mp4"):
        Path(name).unlink()
    with pytest.raises(UsageError, match=r"no video in .*set was passed over"):
        find_videos(["."])


def test_a_folder_with_a_recipe_is_no_set(films: Path, tmp_path: Path) -> None:
    (films / "recipe.toml").write_text(RECIPE)
    assert len(find_videos([tmp_path]).videos) == 2


# A video that was replaced


def test_no_clip_is_cut_from_a_file_that_was_replaced(recipe: str, films: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    go(recipe, films, folder, *NONE_YET)
    old = {row["path"]: row["id"] for row in Store(folder).read("videos").to_pylist()}
    shutil.copy(films / "two.mp4", films / "one.mp4")
    select_set(folder, ["duration_s >= 1"], save=True)
    done, _ = go(str(folder / "recipe.toml"), films, folder)
    (failure,) = Store(folder).read("failures").to_pylist()
    assert done.failures == {"changed": 1} and failure["item"].startswith(old[str(films / "one.mp4")])
    assert "another file is there than the one that was scanned" in failure["message"]
    written = [clip for clip in Store(folder).read("clips").to_pylist() if clip["file"]]
    assert len(written) == 2 and old[str(films / "one.mp4")] not in {clip["video_id"] for clip in written}


def test_a_video_that_was_only_touched_or_gave_its_place_away_is_known(
    recipe: str, films: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "set"
    go(recipe, films, folder, *NONE_YET)
    os.utime(films / "two.mp4", (0, 0))
    (films / "moved").mkdir()
    (films / "one.mp4").rename(films / "moved" / "one.mp4")
    write_video(films / "one.mp4", pan(48, seed=9, speed=0.3, size=(160, 90)))
    done, _ = go(recipe, films, folder)
    assert done.failures == {} and done.kept == 3
    paths = {str(Path(row["path"]).relative_to(films)) for row in Store(folder).read("videos").to_pylist()}
    assert paths == {"moved/one.mp4", "two.mp4", "one.mp4"}
