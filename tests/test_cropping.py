"""[files] crop: what a recipe must say for it, and that a set's files follow it."""

from pathlib import Path

import cv2
import pytest
from media import pan, write_video

from longtake.errors import UsageError
from longtake.recipe import load, resolve
from longtake.running import run
from longtake.store import Store
from longtake.writing import work_keys

RECIPE = """
[shots]
step = "transitions"

[scores.borders]

[files]
preset = "ultrafast"
verify = false
crop = true
"""


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A film with bars of 30 rows above and 22 below, and one without; two seconds each, 320x180 inside."""
    folder = tmp_path_factory.mktemp("films")
    barred = (cv2.copyMakeBorder(p, 30, 22, 0, 0, cv2.BORDER_CONSTANT) for p in pan(48, seed=3, speed=0.2))
    return [write_video(folder / "barred.mp4", barred), write_video(folder / "plain.mp4", pan(48, seed=4, speed=0.2))]


def test_files_are_written_without_borders_and_anew_when_that_changes(films: list[Path], tmp_path) -> None:
    recipe = tmp_path / "crop.toml"
    recipe.write_text(RECIPE)

    def sizes(*settings: str) -> dict[str, tuple[int, int]]:
        run(str(recipe), films, tmp_path / "set", settings=settings, workers=1, watch=lambda _: None)
        rows = Store(tmp_path / "set").read("clips").to_pylist()
        return {row["video_id"].partition("-")[0]: (row["file_width"], row["file_height"]) for row in rows}

    assert sizes() == {"barred": (320, 180), "plain": (320, 180)}
    (borders,) = {
        tuple(r["borders"].values()) for r in Store(tmp_path / "set").read("clips").to_pylist() if r["height"] == 232
    }
    assert borders[:4] == (30, 22, 0, 0)
    assert sizes("files.crop=false") == {"barred": (320, 232), "plain": (320, 180)}
    assert sizes() == {"barred": (320, 180), "plain": (320, 180)}


def test_the_score_of_borders_must_be_there() -> None:
    with pytest.raises(UsageError, match=r"crop = true needs one score that measures borders: \[scores.borders\]"):
        resolve({"files": {"crop": True}})
    two = {"scores": {"borders": {}, "bars": {"step": "borders"}}, "files": {"crop": True}}
    with pytest.raises(UsageError, match="here are borders and bars"):
        resolve(two)
    with pytest.raises(UsageError, match="crop = 1 should be of type bool"):
        resolve({"scores": {"borders": {}}, "files": {"crop": 1}})


def test_any_label_will_do_and_the_recipe_says_it_again() -> None:
    recipe = resolve({"scores": {"bars": {"step": "borders"}}, "files": {"crop": True}})
    assert recipe.crop == "bars"
    assert resolve(recipe.as_dict()).crop == "bars"
    assert load("lvd2m").crop is None


def test_the_work_has_another_name_only_where_files_are_cropped() -> None:
    plain = resolve({"files": {}})
    measured = resolve({"scores": {"borders": {}}, "files": {}})
    cropped = resolve({"scores": {"borders": {}}, "files": {"crop": True}})
    assert work_keys(plain) == work_keys(measured)
    assert not set(work_keys(cropped)) & set(work_keys(plain))


def test_a_set_in_which_nothing_was_measured(films: list[Path], tmp_path) -> None:
    """Its clips came from another recipe, and no video is left that could be measured."""
    recipe, folder = tmp_path / "crop.toml", tmp_path / "set"
    recipe.write_text(RECIPE.replace("[scores.borders]", "").replace("crop = true", ""))
    film = tmp_path / "film.mp4"
    film.write_bytes(films[0].read_bytes())
    run(str(recipe), [film], folder, settings=[], workers=1, watch=lambda _: None)
    recipe.write_text(RECIPE)
    film.write_bytes(b"no video any more")
    result = run(str(recipe), [film], folder, settings=[], workers=1, watch=lambda _: None)
    assert (result.kept, result.written.failed) == (1, 1)
