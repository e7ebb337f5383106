"""Search for what is alike: the same with an index as without one, and nothing of what was removed."""

from collections.abc import Iterator
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from longtake.schemas import SCHEMAS
from longtake.similarity import unit
from longtake.store import INDEX_FROM_ROWS, Store

COLUMNS = 16


def vectors(count: int) -> NDArray[np.float32]:
    """Vectors around 50 looks, each with its twin right after it."""
    rng = np.random.default_rng(0)
    looks = rng.normal(size=(50, COLUMNS))[rng.integers(0, 50, count // 2)]
    first = looks + 0.5 * rng.normal(size=looks.shape)
    both = np.stack([first, first + 0.02 * rng.normal(size=first.shape)], axis=1)
    return unit(both.reshape(-1, COLUMNS).astype(np.float32))


def fill(store: Store, rows: NDArray[np.float32], key: str = "k") -> None:
    wide = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), COLUMNS)
    names = [f"v{i // 4:05d}" for i in range(len(rows))]
    clips = [f"{name}_{i:05d}" for i, name in enumerate(names)]
    times = [0.0] * len(rows)
    at = SCHEMAS["vectors"].get_field_index("vector")
    schema = SCHEMAS["vectors"].set(at, pa.field("vector", wide.type))
    batch = pa.record_batch([*map(pa.array, (clips, names, times, times)), wide], schema=schema)

    def batches() -> Iterator[pa.RecordBatch]:
        yield batch

    store.replace("vectors", batches(), key, schema)


def holds(folder: Path, vector: NDArray[np.float32]) -> bool:
    """Whether any file holds the numbers of a vector as they are."""
    return any(vector.tobytes() in path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def big(tmp_path_factory) -> tuple[Store, NDArray[np.float32]]:
    rows = vectors(INDEX_FROM_ROWS + 2000)
    store = Store(tmp_path_factory.mktemp("big"))
    fill(store, rows)
    return store, rows


def test_an_index_finds_what_a_look_at_every_row_finds(big) -> None:
    store, rows = big
    there = lance.dataset(str(store.table_path("vectors"))).describe_indices()
    assert ["vector"] in [index.field_names for index in there]
    some = np.random.default_rng(1).choice(len(rows), 200, replace=False)
    found = store.nearest("vectors", rows[some], 2)
    place = np.array([int(name[-5:]) for name in found["clip_id"].to_pylist()])
    for query, row in enumerate(some.tolist()):
        mine = place[found["query"].to_numpy() == query]
        assert set(mine.tolist()) == set(np.argsort(-(rows @ rows[row]))[:2].tolist()) == {row, row ^ 1}
    cosine = np.einsum("ij,ij->i", rows[place], rows[some][found["query"].to_numpy()])
    np.testing.assert_allclose(found["cosine"].to_numpy(), cosine, atol=1e-5)


def test_the_key_outlives_tidying_and_can_be_set_later(tmp_path: Path) -> None:
    store = Store(tmp_path)
    fill(store, vectors(40), key="")
    assert store.key("vectors") == ""
    store.set_key("vectors", "made of this")
    for _ in range(10):
        store.update("vectors", "clip_id", [{"clip_id": "v00000_00000", "start_s": 1.0}],
                     pa.schema([("clip_id", pa.string()), ("start_s", pa.float64())]))  # fmt: skip
    store.compact()
    assert store.key("vectors") == "made of this"
    fill(store, vectors(20), key="another")
    assert store.key("vectors") == "another"
    assert store.read("vectors").num_rows == 20


def test_what_was_removed_is_not_found_and_its_vector_is_gone(big, tmp_path: Path) -> None:
    _, rows = big
    store = Store(tmp_path)
    fill(store, rows)
    assert holds(tmp_path, rows[0])
    store.delete("vectors", "video_id", ["v00000"])
    found = store.nearest("vectors", rows[:1], 3)
    assert "v00000" not in found["video_id"].to_pylist()
    store.purge()
    assert store.nearest("vectors", rows[:1], 3)["clip_id"].to_pylist() == found["clip_id"].to_pylist()
    assert not holds(tmp_path, rows[0])


def test_a_set_without_vectors_has_nothing_near(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for _ in range(2):
        found = store.nearest("vectors", vectors(2), 5)
        assert found.num_rows == 0
        assert {"query", "clip_id", "cosine"} <= set(found.column_names)
        store.replace("vectors", [], "")
