"""Fixtures for all tests: videos made once per run, and the footage of a development machine where it exists."""

import json
import os
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from media import Media

# A busy machine is no reason to fail, and a test that passed once passes again.
settings.register_profile("longtake", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("longtake")

FOOTAGE = Path(os.environ.get("LONGTAKE_FOOTAGE") or Path(__file__).resolve().parents[2] / "shared" / "footage")


@dataclass(frozen=True)
class Corrupt:
    """Files that break readers, and what a good reader does with each."""

    folder: Path
    expected: Mapping[str, Mapping[str, Any]]


def corrupt_expected() -> dict[str, dict[str, Any]]:
    """Read what is expected of the corrupt files without unpacking them; empty where there are none."""
    archive = FOOTAGE / "corrupt.tar.gz"
    if not archive.is_file():
        return {}
    with tarfile.open(archive) as tar:
        member = tar.extractfile(next(m for m in tar if Path(m.name).name == "expected.json"))
        return json.load(member)


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
