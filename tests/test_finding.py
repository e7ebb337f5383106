"""Shots of videos without a set: what may be named, and what is refused."""

from pathlib import Path
from shutil import copy

import pytest
from media import Media

from longtake import find_shots, run
from longtake.errors import UsageError


def test_one_path_and_a_folder_are_videos_too(media: Media, tmp_path: Path) -> None:
    for name in ("b.mp4", "a.mp4"):
        copy(media["still"], tmp_path / name)
    one = tmp_path / "b.mp4"
    assert find_shots(one) == find_shots(str(one)) == find_shots([one])
    assert [Path(found["video"]).name for found in find_shots([one, tmp_path])] == ["b.mp4", "a.mp4", "b.mp4"]
    assert find_shots([]) == []


def test_a_file_that_is_not_there_is_its_own_failure(media: Media) -> None:
    gone, still = find_shots(["a.mp4", media["still"]])
    assert gone["failure"]["kind"] == "missing"
    assert len(still["shots"]) == 1


@pytest.mark.parametrize("workers", [0, -1])
def test_no_workers_do_no_work(media: Media, tmp_path: Path, workers: int) -> None:
    with pytest.raises(UsageError, match=f"workers = {workers}"):
        find_shots(media["still"], workers=workers)
    with pytest.raises(UsageError, match=f"workers = {workers}"):
        run("lvd2m", media["still"], tmp_path / "set", workers=workers)
    assert not (tmp_path / "set").exists()


def test_what_makes_no_sense_is_refused(media: Media, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cut = 2 should be above 0 and at most 1"):
        find_shots(media["still"], settings={"cut": 2})
    with pytest.raises(UsageError, match="no video in"):
        find_shots(tmp_path)
    with pytest.raises(UsageError, match="one: no such file or folder"):
        run("lvd2m", "one", tmp_path / "set")
