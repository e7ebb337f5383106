"""The recipe's mode of scanning: what it may leave out, who refuses it, and what is measured again for it."""

from pathlib import Path

import pytest
from media import pan, write_video

from longtake import recipe
from longtake.errors import UsageError
from longtake.planning import MISSED
from longtake.running import run
from longtake.store import Store

CUT = 45


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file with a cut inside a group of pictures, at no frame that another refers to."""
    old, new = (list(pan(CUT, seed=seed, speed=0.2)) for seed in (4, 7))
    options = {"g": "250", "x264-params": "scenecut=0:b-adapt=0"}
    return write_video(tmp_path_factory.mktemp("film") / "film.mp4", [*old, *new], options=options)


def keys(folder: Path) -> list[str]:
    rows = Store(folder).read("signals", ["key", "label"]).to_pylist()
    return [row["key"] for row in rows if row["label"] == "transitions"]


def scanned(film: Path, folder: Path, *settings: str) -> int:
    return run("lvd2m", [film], folder, settings=settings).plan.to_scan


def test_an_exact_scan_serves_a_fast_recipe_and_not_the_other_way_round(film: Path, tmp_path: Path) -> None:
    assert scanned(film, tmp_path / "set", "scan=fast") == 1
    assert [key.endswith(MISSED) for key in keys(tmp_path / "set")] == [True]
    assert scanned(film, tmp_path / "set", "scan=fast", "clips.trim_s=0.2") == 0
    assert scanned(film, tmp_path / "set") == 1
    assert sorted(key.endswith(MISSED) for key in keys(tmp_path / "set")) == [False, True]
    assert scanned(film, tmp_path / "set", "scan=fast") == 0
    assert scanned(film, tmp_path / "other") == 1
    assert scanned(film, tmp_path / "other", "scan=fast") == 0


def test_a_fast_set_has_the_same_video_times_and_samples(film: Path, tmp_path: Path) -> None:
    tables = []
    for mode in ("exact", "fast"):
        scanned(film, tmp_path / mode, f"scan={mode}")
        store = Store(tmp_path / mode)
        videos = store.read("videos").drop_columns(["made_by"]).to_pylist()
        rows = store.read("signals").to_pylist()
        signals = sorted((row for row in rows if row["label"] != "transitions"), key=lambda row: row["label"])
        tables.append((videos, signals))
    assert tables[0] == tables[1]


def test_a_cut_beside_frames_left_out_spans_them_and_clips_stay_clear(film: Path, tmp_path: Path) -> None:
    scanned(film, tmp_path / "set", "scan=fast")
    store = Store(tmp_path / "set")
    [ending] = [row["ends_in"] for row in store.read("shots").to_pylist() if row["ends_in"]]
    assert ending["start_frame"] <= CUT <= ending["end_frame"]
    before, after = sorted((row["start_frame"], row["end_frame"]) for row in store.read("clips").to_pylist())
    assert before[1] <= CUT <= after[0]


def test_a_step_that_needs_every_frame_refuses_a_fast_scan() -> None:
    assert recipe.load("lvd2m", ["scan=fast"]).fast
    with pytest.raises(UsageError, match="repeats in scores needs every one"):
        recipe.load("longtake", ["scan=fast"])
    with pytest.raises(UsageError, match="content in shots needs every one"):
        recipe.load("lvd2m", ["scan=fast", "shots.step=content"])
    with pytest.raises(UsageError, match="'exact' or 'fast'"):
        recipe.load("lvd2m", ["scan=quick"])


def test_the_mode_is_part_of_a_recipe_and_of_what_a_video_was_made_with() -> None:
    exact, fast = recipe.load("lvd2m"), recipe.load("lvd2m", ["scan=fast"])
    assert exact.key == recipe.load("lvd2m", ["scan=exact"]).key != fast.key
    assert recipe.resolve(fast.as_dict()).fast
    assert 'scan = "fast"' in fast.to_toml()
