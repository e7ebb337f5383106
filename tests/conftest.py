"""Fixtures for all tests: videos made once per run, and the footage of a development machine where it exists."""

import signal
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from footage import FOOTAGE, Corrupt, corrupt_expected
from hypothesis import settings
from media import Media

# Where a shell runs this in the background, Ctrl-C is ignored, and so it would be by what tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no reason to fail, and a test that passed once passes again.
settings.register_profile("longtake", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("longtake")


@pytest.fixture(autouse=True, scope="session")
def one_worker() -> Iterator[None]:
    """Let runs that are not told how many workers to have take one: each costs its start, and tests have few videos."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("longtake.engines.default_workers", lambda: 1)
        yield


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Media:
    """Videos by name: `media["cut"]` is a path, `media.truth["cut"]` its transitions; see `media.MAKERS`."""
    return Media(tmp_path_factory.mktemp("media"))


@pytest.fixture(scope="session")
def footage() -> Path:
    """Return the folder of real footage with exact truth, which is not part of this repository."""
    if not (FOOTAGE / "dev").is_dir():
        pytest.skip(f"no footage at {FOOTAGE}: set LONGTAKE_FOOTAGE to a folder that has it")
    return FOOTAGE


@pytest.fixture(scope="session")
def corrupt(tmp_path_factory: pytest.TempPathFactory) -> Corrupt:
    """Unpack the corrupt files of the footage."""
    expected = corrupt_expected()
    if not expected:
        pytest.skip(f"no corrupt.tar.gz at {FOOTAGE}: set LONGTAKE_FOOTAGE to a folder that has it")
    folder = tmp_path_factory.mktemp("corrupt")
    with tarfile.open(FOOTAGE / "corrupt.tar.gz") as tar:
        tar.extractall(folder, filter="data")
    return Corrupt(next(folder.rglob("expected.json")).parent, expected)
