"""Tables that are gone through and added to in streams."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from longtake import selecting
from longtake.errors import UsageError
from longtake.schemas import SCHEMAS, score_schema
from longtake.select import parse_rule
from longtake.selecting import Numbers, apply_rules, clips_for
from longtake.store import Store


def shots(store: Store, video: str | None, count: int) -> pa.RecordBatch:
    rows = [{"video_id": video, "number": n} for n in range(count)]
    return pa.RecordBatch.from_pylist(rows, schema=SCHEMAS["shots"])


def test_a_stream_is_all_rows_a_few_at_a_time(tmp_path: Path):
    store = Store(tmp_path)
    assert list(store.stream("shots")) == [] and store.distinct("shots", "video_id") == set()
    store.append("shots", [{"video_id": f"v{n % 3}", "number": n} for n in range(100)])
    batches = list(store.stream("shots", ["number"], at_once=32))
    assert max(len(batch) for batch in batches) <= 32
    assert [n for batch in batches for n in batch["number"].to_pylist()] == list(range(100))
    assert store.distinct("shots", "video_id") == {"v0", "v1", "v2"}


def test_rows_are_added_in_one_commit_or_none(tmp_path: Path):
    store = Store(tmp_path)
    store.widen("shots", SCHEMAS["shots"])
    before = store.version("shots")
    store.extend("shots", iter([]))
    assert store.version("shots") == before
    store.extend("shots", (shots(store, video, 5) for video in ("a", None, "b")))
    assert store.version("shots") == before + 1 and store.count("shots") == 15
    assert store.distinct("shots", "video_id") == {"a", "b"}


def test_a_table_gets_columns_and_parts_that_it_lacks(tmp_path: Path):
    store = Store(tmp_path)
    store.append("clips", [{"id": "a", "motion": {"mean": 1.0}}], score_schema(SCHEMAS["clips"], ["motion.mean"]))
    store.widen("clips", score_schema(SCHEMAS["clips"], ["motion.mean", "motion.peak", "look.luma"]))
    row = store.read("clips", ["id", "motion", "look"]).to_pylist()[0]
    assert row == {"id": "a", "motion": {"mean": 1.0, "peak": None}, "look": None}
    assert {"motion.peak", "look.luma"} <= set(Numbers(store))
    assert np.isnan(Numbers(store)["look.luma"]).all() and Numbers(store)["motion.mean"].tolist() == [1.0]
    with pytest.raises(KeyError):
        Numbers(store)["motion.nothing"]


def test_only_what_rules_ask_of_is_read_and_only_what_changed_is_written(tmp_path: Path):
    store = Store(tmp_path)
    schema = score_schema(SCHEMAS["clips"], ["motion.mean", "look.luma"])
    rows = [
        {"id": f"c{n}", "duration_s": float(n), "motion": {"mean": n / 10 if n % 2 else None}, "look": {"luma": 0.5}}
        for n in range(10)
    ]
    store.append("clips", rows, schema)
    rules = [parse_rule("duration_s >= 3"), parse_rule("motion.mean >= 0.5")]
    assert clips_for(store, rules, also=["id"]).column_names == ["duration_s", "motion.mean", "judge_key", "id"]
    funnel, kept = apply_rules(store, rules)
    assert kept == funnel[-1].clips == 3
    said = {row["id"]: (row["kept"], row["rejected_by"]) for row in store.read("clips").to_pylist()}
    assert said["c9"] == (True, None) and said["c1"] == (False, "duration_s >= 3")
    assert said["c3"] == (False, "motion.mean >= 0.5") and said["c4"] == (False, "motion.mean >= 0.5 (not measured)")
    version = store.version("clips")
    assert apply_rules(store, rules) == (funnel, kept) and store.version("clips") == version
    with pytest.raises(UsageError, match=r"did you mean 'motion\.mean'"):
        clips_for(store, [parse_rule("motion.means >= 1")])
    clips_for(store, [parse_rule("judge.score >= 1")], judges={"judge"})


def test_columns_of_all_rows_are_rewritten_in_one_commit(tmp_path: Path):
    store = Store(tmp_path)
    schema = score_schema(SCHEMAS["clips"], ["motion.mean"])
    for start in (0, 10, 20):
        store.append("clips", [{"id": f"c{n}", "motion": {"mean": n / 1}} for n in range(start, start + 10)], schema)
    store.delete("clips", "id", ["c3", "c25"])
    ids = store.read("clips", ["id"])["id"].to_pylist()
    before = store.version("clips")
    kept = pa.array([int(name[1:]) % 2 == 0 for name in ids])
    why = pa.array([f"why {name}" if int(name[1:]) % 2 else None for name in ids])
    for _ in range(2):  # also where it was done before
        store.rewrite("clips", pa.table({"kept": kept, "rejected_by": why}))
    assert store.version("clips") == before + 2
    rows = store.read("clips", ["id", "kept", "rejected_by", "motion.mean"]).to_pylist()
    assert len(rows) == 28
    for row in rows:
        number = int(row["id"][1:])
        assert row["kept"] == (number % 2 == 0) and row["motion.mean"] == number
        assert row["rejected_by"] == (f"why {row['id']}" if number % 2 else None)
    assert len(store.read("clips", ["id"], "kept")) == 15
    store.update("clips", "id", [{"id": "c4", "kept": False}], pa.schema([("id", pa.string()), ("kept", pa.bool_())]))
    assert len(store.read("clips", ["id"], "kept")) == 14


def test_columns_that_a_table_lacked_are_rewritten_too(tmp_path: Path):
    store = Store(tmp_path)
    store.append("shots", [{"video_id": "a", "number": n} for n in range(5)], pa.schema(list(SCHEMAS["shots"])[:2]))
    store.rewrite("shots", pa.table({"start_s": pa.array([n / 2 for n in range(5)])}))
    assert store.read("shots", ["start_s"])["start_s"].to_pylist() == [0.0, 0.5, 1.0, 1.5, 2.0]


def test_many_changes_say_the_same_as_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rules, said = [parse_rule("duration_s >= 3")], []
    for most in (1, 10**9):
        monkeypatch.setattr(selecting, "REWRITTEN_FROM", most)
        store = Store(tmp_path / str(most))
        store.append("clips", [{"id": f"c{n}", "duration_s": float(n)} for n in range(10)])
        apply_rules(store, rules)
        said.append(sorted(store.read("clips", ["id", "kept", "rejected_by"]).to_pylist(), key=lambda row: row["id"]))
    assert said[0] == said[1]
