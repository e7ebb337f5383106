"""The tables: what goes in comes out, schemas grow, and one writer at a time."""

import os
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import pytest
from lance.file import LanceFileReader

from longtake.errors import SetError
from longtake.lock import Lock
from longtake.schemas import SCHEMAS, score_schema
from longtake.store import INDEX_FROM_ROWS, Snapshot, Store, one_of, score_columns


def clip(name: str, **scores: dict[str, float | None]) -> dict[str, object]:
    return {"id": name, "video_id": "v", "start_s": 0.0, "end_s": 1.0, "duration_s": 1.0, "fps": 25.0, **scores}


@pytest.mark.parametrize("table", sorted(SCHEMAS))
def test_a_table_not_written_yet_is_empty(table: str, tmp_path) -> None:
    store = Store(tmp_path / "set")
    assert store.read(table).num_rows == 0
    assert store.read(table).schema == SCHEMAS[table]


def test_scores_become_columns_and_new_ones_join_later(tmp_path) -> None:
    store = Store(tmp_path)
    first = score_schema(SCHEMAS["clips"], ["motion.mean", "motion.p10"])
    store.append("clips", [clip("a", motion={"mean": 0.5, "p10": None})], first)
    second = score_schema(SCHEMAS["clips"], ["motion.mean", "motion.p90", "look.luma"])
    store.append("clips", [clip("b", motion={"mean": 0.25, "p90": 1.0}, look={"luma": 0.75})], second)
    table = store.read("clips").sort_by("id")
    columns = score_columns(table)
    np.testing.assert_array_equal(columns["motion.mean"], [0.5, 0.25])
    np.testing.assert_array_equal(columns["motion.p10"], [np.nan, np.nan])
    np.testing.assert_array_equal(columns["motion.p90"], [np.nan, 1.0])
    np.testing.assert_array_equal(columns["look.luma"], [np.nan, 0.75])
    np.testing.assert_array_equal(columns["fps"], [25, 25])


def test_a_rule_is_a_filter_of_the_store(tmp_path) -> None:
    store = Store(tmp_path)
    schema = score_schema(SCHEMAS["clips"], ["motion.mean"])
    store.append("clips", [clip("a", motion={"mean": 0.5}), clip("b", motion={"mean": 0.1})], schema)
    assert store.read("clips", ["id", "motion.mean"], "motion.mean >= 0.3")["id"].to_pylist() == ["a"]


def test_an_update_touches_its_columns_alone(tmp_path) -> None:
    store = Store(tmp_path)
    schema = score_schema(SCHEMAS["clips"], ["motion.mean"])
    store.append("clips", [clip("a", motion={"mean": 0.5}), clip("b", motion={"mean": 0.1})], schema)
    columns = SCHEMAS["clips"]
    store.update("clips", "id", [{"id": "b", "kept": True}], columns.empty_table().select(["id", "kept"]).schema)
    rows = {row["id"]: row for row in store.read("clips").to_pylist()}
    assert (rows["a"]["kept"], rows["b"]["kept"]) == (None, True)
    assert (rows["a"]["motion"], rows["b"]["motion"]) == ({"mean": 0.5}, {"mean": 0.1})


def test_a_table_of_an_older_version_has_nulls_where_it_lacks_columns(tmp_path) -> None:
    store = Store(tmp_path)
    old = pa.schema([field for field in SCHEMAS["clips"] if not field.name.startswith("file_")])
    store.append("clips", [clip("a"), clip("b")], old)
    assert store.read("clips", ["id", "file_transitions", "fps"], "id = 'a'").to_pylist() == [
        {"id": "a", "file_transitions": None, "fps": 25.0}
    ]
    assert np.isnan(score_columns(store.read("clips"))["file_transitions"]).all()
    found = {"kind": "cut", "start_s": 2.0, "end_s": 2.0, "start_frame": 48, "end_frame": 48, "confidence": 0.75}
    new = pa.schema([SCHEMAS["clips"].field(name) for name in ("id", "file_transitions", "file_transitions_at")])
    rows = [{"id": "a", "file_transitions": 1, "file_transitions_at": [found]}, {"id": "b", "file_transitions_at": []}]
    store.update("clips", "id", rows, new)
    assert store.read("clips", list(new.names)).sort_by("id").to_pylist() == [
        rows[0],
        {"id": "b", "file_transitions": None, "file_transitions_at": []},
    ]
    assert store.read("clips", ["id"], "file_transitions <= 1")["id"].to_pylist() == ["a"]


def test_a_pinned_reader_sees_no_later_write(tmp_path) -> None:
    store = Store(tmp_path)
    store.append("clips", [clip("a")])
    reader = store.pinned()
    assert reader.count("clips") == 1 and not reader.has("videos")
    store.append("clips", [clip("b")])
    store.append("videos", [{"id": "v", "path": "v.mp4"}])
    assert reader.read("clips")["id"].to_pylist() == ["a"]
    assert Snapshot(reader, "clips").rows == 1 and reader.read("videos").num_rows == 0
    assert store.count("clips") == 2 and store.pinned().count("clips") == 2 and store.pinned().has("videos")


def test_deleting_is_by_exact_text(tmp_path) -> None:
    store = Store(tmp_path)
    names = ["plain", "quote's", 'double"', "a' OR 'x'='x", "%", "ünï"]
    schema = score_schema(SCHEMAS["clips"], [])
    store.append("clips", [clip(name) for name in names], schema)
    store.delete("clips", "id", ["a' OR 'x'='x", "quote's", "%"])
    assert sorted(store.read("clips")["id"].to_pylist()) == sorted(["plain", 'double"', "ünï"])
    store.delete("clips", "id", [])
    assert store.read("clips").num_rows == 3
    assert store.read("clips", where=one_of("id", [])).num_rows == 0


def test_series_come_back_bit_for_bit(tmp_path) -> None:
    rng = np.random.default_rng(0)
    store = Store(tmp_path)
    rows = []
    for video, n, columns in (("a", 100, ("x", "y")), ("a", 7, ()), ("b", 0, ("x",))):
        series = {
            "columns": columns,
            "times": np.sort(rng.random(n)) * 1e4,
            "frames": np.arange(n, dtype=np.int32),
            "values": rng.random((n, len(columns))).astype(np.float32),
        }
        key = f"{len(columns)}"
        rows.append({"video_id": video, "key": key, "label": "l", "step": "s", "version": 1, "parameters": {}})
        rows[-1]["series"] = series
    store.add_signals(rows)
    found = store.signals_of(["a", "b", "c"])
    assert {video: set(keys) for video, keys in found.items()} == {"a": {"2", "0"}, "b": {"1"}, "c": set()}
    for row in rows:
        there = found[row["video_id"]][row["key"]]
        for name, value in row["series"].items():
            if name == "columns":
                assert there[name] == value
            else:
                np.testing.assert_array_equal(there[name], value)
                assert there[name].dtype == value.dtype


def test_compacting_keeps_every_row(tmp_path) -> None:
    store = Store(tmp_path)
    schema = score_schema(SCHEMAS["clips"], ["motion.mean"])
    for k in range(20):
        store.append("clips", [clip(f"{k}", motion={"mean": float(k)})], schema)
    before = len(list((tmp_path / "clips.lance" / "data").iterdir()))
    store.compact()
    assert len(list((tmp_path / "clips.lance" / "data").iterdir())) < before
    assert sorted(score_columns(store.read("clips"))["motion.mean"].tolist()) == list(range(20))


def test_what_a_killed_commit_left_goes_with_the_next_compaction(tmp_path) -> None:
    with Lock(tmp_path) as lock:
        for store, goes in ((Store(tmp_path), False), (Store(tmp_path, lock), True)):
            for table in ("failures", "judgements"):
                for k in range(8):
                    store.append(table, [{"item": f"{k}"} if table == "failures" else {"clip_id": f"{k}"}])
                data = tmp_path / f"{table}.lance" / "data"
                left = data / "0123456789abcdef.lance"
                left.write_bytes(next(data.iterdir()).read_bytes())
                store.compact([table])
                # A viewer may be about to commit just this one.
                assert left.exists() == (table == "judgements" or not goes)
        assert store.count("failures") == store.count("judgements") == 16


@pytest.mark.parametrize("fate", ["among others", "alone in a file", "all there is"])
def test_a_purge_leaves_no_byte_of_deleted_rows(fate: str, tmp_path) -> None:
    """Not in data, indices, old versions, nor in the note of what was deleted."""
    store = Store(tmp_path)
    names = [] if fate == "all there is" else [f"name{k}" for k in range(INDEX_FROM_ROWS)]
    if fate == "alone in a file":
        store.append("captions", [{"clip_id": name, "video_id": "v"} for name in names])
        names = []
    store.append("captions", [{"clip_id": name, "video_id": "v", "text": name} for name in [*names, "forgotten"]])
    lance.dataset(str(tmp_path / "captions.lance")).create_scalar_index("clip_id", "BTREE")
    assert store.search("captions", "forgotten", ["clip_id"])["clip_id"].to_pylist() == ["forgotten"]
    assert index_values(tmp_path) >= {"forgotten"}, "the search finds it in the index while it is there"
    kept = store.read("captions", ["clip_id"])["clip_id"].to_pylist()[:-1]
    store.delete("captions", "clip_id", ["forgotten"])
    store.purge()
    assert not [
        path for path in (tmp_path / "captions.lance").rglob("*") if path.is_file() and holds(path, b"forgotten")
    ]
    assert "forgotten" not in index_values(tmp_path)
    assert store.read("captions", ["clip_id"])["clip_id"].to_pylist() == kept
    dataset = lance.dataset(str(tmp_path / "captions.lance"))
    indices = [["clip_id"], ["text"], ["video_id"]] if kept else []
    assert sorted(index.field_names for index in dataset.describe_indices()) == indices
    assert len(dataset.versions()) == 1
    assert store.read("captions", where="clip_id = 'name7'").num_rows == bool(kept)
    assert store.search("captions", "forgotten", ["clip_id"]).num_rows == 0


def test_a_purge_writes_even_a_full_file_anew_for_one_row(tmp_path) -> None:
    """Lance lets a file of so many rows be until a tenth of them is deleted."""
    rows = pa.table({"clip_id": [str(k) for k in range(1 << 20)] + ["gone"]})
    lance.write_dataset(rows, str(tmp_path / "captions.lance"), max_rows_per_file=1 << 21)
    store = Store(tmp_path)
    before = set((tmp_path / "captions.lance" / "data").iterdir())
    store.delete("captions", "clip_id", ["gone"])
    store.purge()
    dataset = lance.dataset(str(tmp_path / "captions.lance"))
    assert [fragment.metadata.deletion_file for fragment in dataset.get_fragments()] == [None]
    assert dataset.count_rows() == 1 << 20
    # Not by its bytes: texts are packed, and among millions of packed ones any four bytes turn up by chance.
    assert before and not before & set((tmp_path / "captions.lance" / "data").iterdir())


def index_values(folder: Path) -> set[str]:
    """Return all texts in a table's indices."""
    pages = (folder / "captions.lance" / "_indices").rglob("*.lance")
    rows = [row for path in pages for row in LanceFileReader(str(path)).read_all().to_table().to_pylist()]
    return {value for row in rows for value in row.values() if isinstance(value, str)}


def holds(path: Path, text: bytes) -> bool:
    return text in path.read_bytes()


def test_a_table_that_is_no_table_says_so(tmp_path) -> None:
    (tmp_path / "clips.lance").mkdir()
    (tmp_path / "clips.lance" / "readme").write_text("not a table")
    with pytest.raises(SetError, match=r"clips\.lance"):
        Store(tmp_path).read("clips")


def test_one_writer_at_a_time(tmp_path) -> None:
    with Lock(tmp_path / "set"), pytest.raises(SetError, match="another run"), Lock(tmp_path / "set"):
        raise AssertionError("two writers")
    with Lock(tmp_path / "set"):
        pass


def test_a_table_whose_making_was_killed_is_none_and_is_made_anew(tmp_path) -> None:
    store = Store(tmp_path)
    for folder in ("data", "_versions", "_transactions"):
        (tmp_path / "failures.lance" / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / "failures.lance" / "data" / "half.lance").write_bytes(b"half")
    half = tmp_path / "failures.lance" / "_versions" / "18446744073709551614.manifest#1"
    half.write_bytes(b"half")
    assert not store.has("failures") and store.read("failures").num_rows == 0
    store.append("failures", [{"item": "a"}])
    assert store.read("failures", ["item"])["item"].to_pylist() == ["a"]
    with Lock(tmp_path) as lock:
        assert Store(tmp_path, lock).count("failures") == 1 and not half.exists()


def test_what_a_killed_writer_left_half_written_goes_with_the_next_one(tmp_path) -> None:
    store = Store(tmp_path)
    store.append("failures", [{"item": "a"}])
    store.append("judgements", [{"clip_id": "a"}])
    left, new, old = (
        tmp_path / f"{table}.lance" / "_versions" / name
        for table, name in (("failures", ".tmpX1"), ("judgements", ".tmpX2"), ("judgements", ".tmpX3"))
    )
    for path in (left, new, old):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    with Lock(tmp_path) as lock:
        store = Store(tmp_path, lock)
    # A viewer writes beside: what is new may be its own.
    assert (left.exists(), new.exists(), old.exists()) == (False, True, False)
    assert store.read("failures", ["item"])["item"].to_pylist() == ["a"]


def test_signals_of_no_videos_open_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    monkeypatch.setattr(Store, "read", lambda *_, **__: pytest.fail("each look opens every commit so far"))
    assert store.signals_of([]) == {}
