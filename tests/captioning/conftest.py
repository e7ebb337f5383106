"""Fixtures for tests of captioning: videos whose frames carry numbers, and a set of them."""

import subprocess
from pathlib import Path

import pytest
from media import SIZE, texture, write_number, write_video
from told import FILMS, FPS, FRAMES, RECIPE

from longtake import run


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Videos of 12 s; each frame of each carries a number of its own."""
    folder = tmp_path_factory.mktemp("films")
    for film in range(FILMS):
        background = texture(*SIZE, seed=film)
        pictures = (write_number(background, film * FRAMES + frame) for frame in range(FRAMES))
        write_video(folder / f"film{film}.mp4", pictures, fps=FPS)
    return folder


@pytest.fixture(scope="session")
def plain(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of them that waits for its captions: no model was named."""
    folder = tmp_path_factory.mktemp("plain")
    (folder / "told.toml").write_text(RECIPE)
    result = run(str(folder / "told.toml"), [films], folder / "set")
    assert result.captioned.waiting == ["lvd2m"] and result.kept == FILMS
    return folder / "set"


@pytest.fixture
def made(plain: Path, tmp_path: Path) -> Path:
    """A copy to work on."""
    subprocess.run(["cp", "-r", plain, tmp_path / "set"], check=True)
    return tmp_path / "set"
