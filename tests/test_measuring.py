"""What a scan stores of clips: their own rate, and only numbers as scores."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from media import pan, write_video

from longtake.cli import main
from longtake.exporting import export_set
from longtake.running import run
from longtake.select_set import select_set
from longtake.store import Store

RECIPE = """
[scores.calm]
step = "odd_scores:calm"

[select]
keep = ["calm.least >= 0", "calm.half >= 0"]
"""
ODD = """
SIGNAL = "motion"

def calm(series):
    nothing = len(series) == 0
    return {"least": None if nothing else float("nan"), "most": float("inf"), "half": 0.5}
"""


def test_clips_of_a_varying_rate_have_that_of_their_own_frames(tmp_path: Path) -> None:
    times = [*(i / 30 for i in range(90)), *(3 + i / 10 for i in range(30))]
    frames = [*pan(90, seed=4, speed=0.3), *pan(30, seed=7, speed=0.3)]
    (tmp_path / "films").mkdir()
    write_video(tmp_path / "films" / "varies.mp4", frames, times=times)
    run("lvd2m", [tmp_path / "films"], tmp_path / "set", settings=["select.keep=['duration_s >= 1']"], workers=1)
    clips = Store(tmp_path / "set").read("clips").sort_by("start_s").to_pylist()
    assert [clip["fps"] for clip in clips] == [30.0, 10.0]
    export_set(tmp_path / "set", "opensora", tmp_path / "out")
    table = (tmp_path / "out" / "train" / "metadata.csv").read_text().splitlines()
    assert sorted(line.rpartition(",")[2] for line in table[1:]) == ["10.0", "30.0"]


def test_a_constant_rate_stays_as_it_is(media: dict[str, Path], tmp_path: Path) -> None:
    run("lvd2m", [media["numbered"]], tmp_path / "set", settings=["select.keep=[]"], workers=1)
    store = Store(tmp_path / "set")
    assert store.read("clips")["fps"].to_pylist() == store.read("videos")["fps"].to_pylist()
    assert store.read("clips")["fps"][0].as_py() == pytest.approx(30000 / 1001)


def test_a_score_that_is_no_number_is_not_measured_and_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd_scores.py").write_text(ODD)
    (tmp_path / "mine.toml").write_text(RECIPE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    write_video(tmp_path / "film.mp4", pan(60, seed=21, speed=0.3))
    arguments = ["run", str(tmp_path / "mine.toml"), str(tmp_path / "film.mp4"), "--to", str(tmp_path / "set")]
    done = CliRunner().invoke(main, [*arguments, "--workers", "1"])
    assert done.exit_code == 0, done.output
    assert "A recipe without a name\n" in done.stderr and "unnamed" not in done.output
    assert "0 clips" in done.stdout and "Clips in" not in done.stdout  # no file was asked for
    for score in ("calm.least", "calm.most"):
        assert done.stdout.count(f"The score {score} was no finite number for 1 clip") == 1
    (clip,) = Store(tmp_path / "set").read("clips").to_pylist()
    assert clip["calm"] == {"least": None, "most": None, "half": 0.5}
    assert select_set(tmp_path / "set", ["calm.most >= 0"]).funnel[-1].clips == 0
    assert select_set(tmp_path / "set", ["calm.half >= 0"]).funnel[-1].clips == 1


def test_what_was_done_to_files_is_said_in_whole_words(media: dict[str, Path], tmp_path: Path) -> None:
    arguments = ["run", "lvd2m", str(media["long_takes"]), "--to", str(tmp_path / "set"), "--workers", "1"]
    some = [*arguments, "-s", "files.preset='ultrafast'"]
    done = CliRunner().invoke(main, [*some, "-s", "select.keep=['duration_s >= 1']"])
    files = len(list((tmp_path / "set" / "clips").rglob("*.mp4")))
    assert files > 1 and f"\n{files} clip files written.\n" in done.stdout and "Clips in" in done.stdout
    done = CliRunner().invoke(main, [*some, "-s", "select.keep=['duration_s >= 999']"])
    assert f"\n{files} clip files removed, of clips no longer kept.\n" in done.stdout
    assert "Clips in" not in done.stdout
