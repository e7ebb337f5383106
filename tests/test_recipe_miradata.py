"""The recipe `miradata` on a made video: cut too often, joined again where it is one scene, and levels of it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from media import FPS, Picture, pan, write_video

from longtake.cli import main
from longtake.levels import make_levels
from longtake.running import run
from longtake.select_set import read_rules, select_set
from longtake.store import Store

FIRST_S, SECOND_S = 12, 9
FLASH_S, BLINK_S = 3, 7
SETTINGS = ["select.keep=['duration_s >= 8']", "files.preset='ultrafast'"]


def film(path: Path) -> Path:
    """Two scenes with a cut between; in the first a flash, and a lamp that goes out for two frames."""
    first: list[Picture] = list(pan(FIRST_S * FPS, seed=31, speed=0.05))
    flash, blink = FLASH_S * FPS, BLINK_S * FPS
    first[flash : flash + 2] = [np.full_like(first[0], 255)] * 2
    first[blink : blink + 2] = [frame // 10 for frame in first[blink : blink + 2]]
    return write_video(path, [*first, *pan(SECOND_S * FPS, seed=38, speed=0.05)])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("miradata")
    (folder / "videos").mkdir()
    film(folder / "videos" / "film.mp4")
    done = run("miradata", [folder / "videos"], folder / "set", settings=SETTINGS, workers=1)
    assert not done.failed
    return folder / "set"


@pytest.fixture
def copy_of_made(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "set"))


def test_what_was_cut_too_often_is_joined_again_and_scenes_are_not(made: Path) -> None:
    store = Store(made)
    cuts = [shot["ends_in"]["start_s"] for shot in store.read("shots").to_pylist() if shot["ends_in"]]
    assert [round(cut) for cut in cuts] == [FLASH_S, BLINK_S, FIRST_S], "cut too often"
    first, second = sorted(store.read("clips").to_pylist(), key=lambda clip: clip["start_s"])
    assert (first["start_s"], first["end_s"]) == (0, pytest.approx(FIRST_S - 0.1, abs=0.05))
    assert (second["start_s"], second["end_s"]) == (pytest.approx(FIRST_S + 0.1, abs=0.05), FIRST_S + SECOND_S)
    assert first["kept"] and second["kept"]
    assert (first["transitions"], second["transitions"]) == (len(cuts) - 1, 0)
    assert [cut["start_s"] for cut in first["transitions_at"]] == cuts[:-1], "where it was joined stays with the clip"
    for clip in (first, second):
        assert (made / clip["file"]).is_file()
        assert clip["file_transitions"] == 0, "what is known to be joined is nothing new"
        assert 0.2 < clip["light"]["darkest80"] <= clip["light"]["brightest80"] < 0.8


def test_every_vote_is_kept_and_no_model_was_asked(made: Path) -> None:
    store = Store(made)
    votes = store.read("votes").to_pylist()
    assert {vote["voter"] for vote in votes} == {"colour", "shape"}
    said = {
        at: {v["voter"]: v["joins"] for v in votes if round(v["start_s"]) == at} for at in (FLASH_S, BLINK_S, FIRST_S)
    }
    assert said[FLASH_S] == said[BLINK_S] == {"colour": True, "shape": True} != said[FIRST_S]
    assert len(votes) == 6 and all(vote["score"] is not None for vote in votes)
    assert store.read("answers").num_rows == 0
    assert {row["step"] for row in store.read("captions").to_pylist()} == {"measured"}


def test_another_rule_about_votes_opens_no_video(made: Path, copy_of_made: Path) -> None:
    videos = made.parent / "videos"
    done = run("miradata", [videos], copy_of_made, settings=[*SETTINGS, "clips.join='model_a'"], workers=1)
    assert (done.measured.videos, done.plan.to_scan, done.kept) == (1, 0, 1), (
        "nobody says yes: the first scene falls apart"
    )
    again = run("miradata", [videos], copy_of_made, settings=SETTINGS, workers=1)
    assert (again.plan.to_scan, again.kept) == (0, 2)


def test_a_level_becomes_the_set(copy_of_made: Path, tmp_path: Path) -> None:
    done = make_levels(copy_of_made, [0.5], ["motion.mean"], to=tmp_path / "levels")
    (level,) = done.levels
    assert (done.clips, level.clips) == (2, 1)
    said = CliRunner().invoke(
        main, ["select", str(copy_of_made), "--rules", str(tmp_path / "levels" / "level-1.toml"), "--save"]
    )
    assert said.exit_code == 0 and "Keeps 1 clip," in said.output
    assert Store(copy_of_made).read("clips", where="kept").num_rows == 1
    assert select_set(copy_of_made, read_rules(tmp_path / "levels" / "pool.toml"), save=True).funnel[-1].clips == 2


def test_the_first_release_joined_nothing(made: Path, tmp_path: Path) -> None:
    settings = [*SETTINGS, "clips.step=takes"]
    done = run("miradata", [made.parent / "videos"], tmp_path / "set", settings=settings, workers=1)
    assert done.kept == 1
    assert set(Store(tmp_path / "set").read("clips")["transitions"].to_pylist()) == {0}
