"""What a set's hash goes by, and that equal input and recipe give equal sets however the work was done."""

import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from longtake.cli import main
from longtake.errors import SetError
from longtake.hashing import hash_set
from longtake.running import run
from longtake.settings import RECIPE
from longtake.store import Store

SETTINGS = ["select.keep=['duration_s >= 1', 'motion.mean >= 0']", "files.preset='ultrafast'"]


@pytest.fixture(scope="module")
def films(media, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Videos in two folders, one of them damaged, one broken, one there twice under other names."""
    folder = tmp_path_factory.mktemp("films")
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    for name, to in [("cut", "a/cut.mp4"), ("dissolve", "b/dissolve.mp4"), ("empty", "b/empty.mp4")]:
        shutil.copy(media[name], folder / to)
    shutil.copy(media["truncated"], folder / "a" / "truncated.mp4")
    shutil.copy(media["cut"], folder / "b" / "another cut.mp4")
    return [folder / "a", folder / "b"]


@pytest.fixture(scope="module")
def made(films: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "set"
    run("lvd2m", films, folder, settings=SETTINGS, workers=1)
    return folder


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


def clip_files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted((folder / "clips").rglob("*")) if p.is_file()}


def test_workers_order_hash_seed_locale_and_time_zone_count_for_nothing(
    made: Path, films: list[Path], tmp_path: Path
) -> None:
    """All of them other than in `made`, in a process of its own."""
    moved = tmp_path / "elsewhere"
    shutil.copytree(films[0].parent, moved)
    command = [sys.executable, "-c", "from longtake.cli import main; main()", "run", "lvd2m", "b", "a"]
    settings = [word for setting in SETTINGS for word in ("-s", setting)]
    surroundings = {"PYTHONHASHSEED": "4321", "TZ": "Asia/Kathmandu", "LC_ALL": "tr_TR.UTF-8", "OMP_NUM_THREADS": "3"}
    subprocess.run(
        [*command, "--to", str(tmp_path / "set"), *settings, "--workers", "2"],
        cwd=moved,
        env={**os.environ, **surroundings},
        capture_output=True,
        check=False,  # one of the videos is broken
    )
    first, second = hash_set(made), hash_set(tmp_path / "set")
    assert first.tables == second.tables
    assert first.whole == second.whole
    assert clip_files(made) == clip_files(tmp_path / "set")
    assert {"videos", "signals", "shots", "clips", "captions", "failures"} <= set(first.tables)


def test_clips_from_stored_signals_are_those_of_a_scan(made: Path, films: list[Path], tmp_path: Path) -> None:
    run("lvd2m", films, tmp_path, settings=[*SETTINGS, "clips.trim_s=0.3"], workers=1)
    assert hash_set(tmp_path).tables["clips"] != hash_set(made).tables["clips"]
    run("lvd2m", films, tmp_path, settings=SETTINGS, workers=1)
    first, second = hash_set(made).tables, hash_set(tmp_path).tables
    # Captions stay when their clips go: texts of models cost money, and the clips may come back.
    assert {**second, "captions": ""} == {**first, "captions": ""}
    assert clip_files(tmp_path) == clip_files(made)


def test_a_copy_and_its_logs_and_the_order_of_rows_are_equal(made: Path, copy: Path) -> None:
    store = Store(copy)
    rows = store.read("clips")
    store.delete("clips", "id", rows["id"].to_pylist())
    store.append("clips", rows.to_pylist()[::-1], schema=rows.schema)
    store.append("runs", [{"version": "another"}])
    store.compact()
    assert hash_set(copy).whole == hash_set(made).whole


def test_every_bit_of_every_number_counts(made: Path, copy: Path) -> None:
    store = Store(copy)
    clip = store.read("clips", ["id", "start_s"]).to_pylist()[0]
    schema = store.columns("clips")
    nearly = math.nextafter(clip["start_s"], math.inf)
    store.update("clips", "id", [{**clip, "start_s": nearly}], Store(copy).read("clips", ["id", "start_s"]).schema)
    assert store.columns("clips") == schema
    changed = hash_set(copy)
    assert {name for name in changed.tables if changed.tables[name] != hash_set(made).tables[name]} == {"clips"}
    store.update("clips", "id", [clip], Store(copy).read("clips", ["id", "start_s"]).schema)
    assert hash_set(copy).whole == hash_set(made).whole


def test_series_count_to_the_bit_and_what_is_no_number_has_one_form(tmp_path: Path) -> None:
    def of(values: list[float], name: str) -> str:
        folder = tmp_path / name
        folder.mkdir()
        (folder / RECIPE).touch()
        series = {
            "columns": ("a",),
            "times": np.arange(len(values), dtype=np.float64),
            "frames": np.arange(len(values), dtype=np.int32),
            "values": np.array(values, np.float32)[:, None],
        }
        row = {"video_id": "v", "key": "k", "label": "l", "step": "s", "version": 1, "parameters": {}, "series": series}
        Store(folder).add_signals([row])
        return hash_set(folder).whole

    other_nan = float(np.array([0x7FC00001], np.uint32).view(np.float32)[0])
    assert of([1.0, math.nan], "one") == of([1.0, -math.nan], "two") == of([1.0, other_nan], "three")
    assert of([1.0, 2.0], "four") != of([1.0, float(np.nextafter(np.float32(2), np.float32(3)))], "five")


def test_a_column_that_only_a_later_program_writes_changes_nothing_while_it_is_null(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        (folder / RECIPE).touch()
        schema = Store(folder).columns("shots")
        if folder is old:
            schema = schema.remove(schema.get_field_index("ends_in"))
        Store(folder).append("shots", [{"video_id": "v", "number": 1, "start_s": 0.1, "end_s": 2.0}], schema=schema)
    assert hash_set(old).whole == hash_set(new).whole


def test_the_command_says_what_differs(made: Path, copy: Path) -> None:
    def call(*words: str):
        return CliRunner().invoke(main, ["hash", *words])

    told = call(str(made), str(copy))
    assert told.exit_code == 0 and "holds the same" in told.stdout
    assert told.stdout.count(hash_set(made).whole) == 1
    store = Store(copy)
    store.delete("shots", "video_id", store.read("shots", ["video_id"])["video_id"].to_pylist()[:1])
    told = call(str(made), str(copy))
    assert told.exit_code == 1 and "differs in: shots" in told.stdout
    assert call(str(made)).exit_code == 0


def test_what_is_no_set_has_no_hash(tmp_path: Path) -> None:
    with pytest.raises(SetError, match="no set"):
        hash_set(tmp_path)
