"""Sets on an object store and on this disk, joined into one there, and back."""

from pathlib import Path

import pyarrow as pa
import pytest
from media import pan, write_video
from sets import files, tables

from longtake.merging import merge_sets
from longtake.places import Remote
from longtake.running import run
from longtake.store import Store

SETTINGS = ("select.keep=['duration_s >= 1']", "files.preset='ultrafast'")


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    for seed in (1, 2, 3):
        write_video(folder / f"{seed}.mp4", pan(30, seed=seed, speed=0.3, size=(160, 90)))
    return folder


def test_parts_there_and_here_become_one_set(films: Path, bucket: Remote, tmp_path: Path) -> None:
    run("lvd2m", [films], tmp_path / "whole", settings=SETTINGS, workers=1)
    run("lvd2m", [films], tmp_path / "part", settings=SETTINGS, shard="1/2", workers=1)
    run("lvd2m", [films], bucket / "part", settings=SETTINGS, shard="2/2", workers=1)
    done = merge_sets([tmp_path / "part", bucket / "part"], bucket / "set")
    assert (done.videos, done.lacking, done.files.missing) == (3, [], 0)
    assert tables(bucket / "set") == tables(tmp_path / "whole")
    assert files(bucket / "set").keys() == files(tmp_path / "whole").keys()
    back = merge_sets([f"{bucket}/set"], tmp_path / "back")
    assert back.videos == 3 and tables(tmp_path / "back") == tables(tmp_path / "whole")
    assert files(tmp_path / "back").keys() == files(tmp_path / "whole").keys()


def test_columns_are_rewritten_there(bucket: Remote) -> None:
    store = Store(bucket / "set")
    store.append("clips", [{"id": f"c{n}"} for n in range(10)])
    store.append("clips", [{"id": f"c{n}"} for n in range(10, 20)])
    store.rewrite("clips", pa.table({"kept": pa.array([n % 2 == 0 for n in range(20)])}))
    assert Store(bucket / "set").read("clips", ["id"], "kept")["id"].to_pylist() == [f"c{n}" for n in range(0, 20, 2)]
