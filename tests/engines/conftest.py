"""Engines under test: this machine's, Ray on this machine, and a Ray cluster of two nodes that are both here."""

import importlib.util
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from longtake.engines import connect

STORE = {"object_store_memory": 100 * 2**20}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes with two CPUs each; more can be added, and must be removed again."""
    pytest.importorskip("ray")
    os.environ |= dict.fromkeys(
        ("RAY_USAGE_STATS_ENABLED", "RAY_enable_metrics_collection", "RAY_worker_niceness"), "0"
    )
    from ray.cluster_utils import Cluster

    with warnings.catch_warnings():
        # What is forked for is to start another program at once.
        warnings.filterwarnings("ignore", "lance is not fork-safe")
        head = {"num_cpus": 2, "include_dashboard": False, **STORE, "_system_config": {"health_check_period_ms": 500}}
        made = Cluster(initialize_head=True, head_node_args=head)
        try:
            made.add_node(num_cpus=2, **STORE)
            yield made
        finally:
            made.shutdown()


@pytest.fixture(scope="module", params=["local", "ray", "cluster"])
def engine(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Each engine in turn, with two workers."""
    if request.param != "local" and importlib.util.find_spec("ray") is None:
        pytest.skip("no ray")
    name = "local" if request.param == "local" else "ray"
    address = request.getfixturevalue("cluster").address if request.param == "cluster" else None
    with connect(name, workers=2, address=address) as engine:
        yield engine


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A folder in which tasks note that they began on an item."""
    folder = tmp_path / "log"
    folder.mkdir()
    return folder
