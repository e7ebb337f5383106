"""Sets for the viewer: tables without videos, as `benchmarks/viewer.py` makes large ones, and one of small films."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from filmed import Filmed, make_filmed
from looking import Asker, served

from longtake.schemas import score_schema
from longtake.store import Store
from longtake.viewer.playing import PLAY

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

from viewer import make_set

CLIPS = 390


def without_numbers(folder: Path) -> None:
    """Take a score from every ninth clip, as where nothing was measured."""
    store = Store(folder)
    rows = store.read("clips", ["id", "look"]).to_pylist()[::9]
    gone = [{"id": row["id"], "look": {"luma": None}} for row in rows]
    schema = score_schema([], ["look.luma"]).insert(0, store.columns("clips").field("id"))
    store.update("clips", "id", gone, schema)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of 390 clips of 8 videos, a ninth of them without one score."""
    folder = tmp_path_factory.mktemp("viewer") / "made"
    make_set(folder, CLIPS)
    without_numbers(folder)
    return folder


@pytest.fixture(scope="module")
def asker(made: Path) -> Asker:
    with served(made) as opened:
        yield opened


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A small set to write to."""
    folder = tmp_path / "own"
    make_set(folder, 120)
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Filmed:
    return make_filmed(tmp_path_factory.mktemp("filmed"))


@pytest.fixture(scope="module")
def shown(filmed: Filmed) -> Iterator[Asker]:
    with served(filmed.folder) as opened:
        yield opened


@pytest.fixture
def own_set(filmed: Filmed, tmp_path: Path) -> Path:
    """A copy of that set to write to; its films are the same files."""
    return Path(shutil.copytree(filmed.folder, tmp_path / "set", ignore=shutil.ignore_patterns(PLAY.name)))
