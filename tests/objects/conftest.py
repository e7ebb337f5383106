"""An object store on loopback, a bucket of its own for every test, and the environment that leads there."""

import itertools
from collections.abc import Iterator

import pytest
from objectserver import NEEDED, Way, make_bucket, object_server, way_to

from longtake.places import Remote, place, stores

_numbers = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[tuple[str, int]]:
    """Return where the server listens."""
    for name in NEEDED:
        pytest.importorskip(name, reason="needs requirements/objects.txt and requirements/objects-dev.txt")
    with object_server() as where:
        yield where


@pytest.fixture(scope="session")
def whole_way(server: tuple[str, int]) -> Iterator[Way]:
    with way_to(server) as way:
        yield way


@pytest.fixture
def way(whole_way: Way, monkeypatch: pytest.MonkeyPatch, tmp_path) -> Iterator[Way]:
    """Return the way to the server, with nothing on it yet; the environment leads there and nowhere else."""
    for name, value in whole_way.environment.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_SKIP_SIGNATURE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    _forget()
    whole_way.clear()
    yield whole_way
    whole_way.clear()
    _forget()


@pytest.fixture
def bucket(way: Way) -> Remote:
    """Return an empty bucket as a folder."""
    name = f"bucket-{next(_numbers)}"
    make_bucket(way.server, name)
    found = place(f"s3://{name}")
    assert isinstance(found, Remote)
    way.clear()
    return found


def _forget() -> None:
    """Let the next use of a store read the environment again."""
    stores.store.cache_clear()
    stores.settings.cache_clear()
