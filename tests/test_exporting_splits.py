"""Who is kin to whom, and that none changes sides when the set grows."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from longtake.exporting.splits import first_of_kin
from longtake.planning import hash_of
from longtake.schemas import SCHEMAS, score_schema
from longtake.store import Store

VIDEOS = pa.schema([("id", pa.string()), ("path", pa.string())])


class Grown:
    """The part of a store that splits read: clips with their groups of copies, and exports."""

    def __init__(self) -> None:
        self.groups: dict[str, float] = {}
        self.exports: list[dict] = []
        self.paths: dict[str, str] = {}

    def columns(self, _: str) -> pa.Schema:
        return score_schema(SCHEMAS["clips"], ["copies.group"])

    def read(self, table: str, columns: list[str]) -> pa.Table:
        if table == "exports":
            return pa.Table.from_pylist(self.exports, SCHEMAS["exports"]).select(columns)
        if table == "videos":
            return pa.Table.from_pylist([{"id": name, "path": path} for name, path in self.paths.items()], VIDEOS)
        rows = [{"video_id": name, "copies.group": group} for name, group in self.groups.items()]
        return pa.Table.from_pylist(rows, pa.schema([("video_id", pa.string()), ("copies.group", pa.float64())]))

    def export(self, folder: str = "out", split: str = "train:0.5,val:0.5") -> dict[str, str]:
        """Note an export of all videos, in place of one in the same folder; return whose side each video takes."""
        kin = first_of_kin(self)
        self.exports = [row for row in self.exports if row["folder"] != folder]
        made = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=len(self.exports))
        options = json.dumps({"split": split, "kin": kin})
        row = {"folder": folder, "options": options, "made": made, "video_ids": sorted(self.groups)}
        self.exports.append(row)
        return {name: kin.get(hash_of(name), hash_of(name)) for name in self.groups}


def test_a_group_keeps_the_side_of_who_was_exported_first() -> None:
    grown = Grown()
    grown.groups = {"street-8": 1.0, "copy-9": 1.0, "alone-5": 2.0}
    first = grown.export()
    assert first == {"street-8": "8", "copy-9": "8", "alone-5": "5"}
    grown.groups |= {"late-3": 1.0, "later-1": 2.0}
    second = grown.export()
    assert second == first | {"late-3": "8", "later-1": "5"}
    del grown.groups["street-8"]  # removed for good; the others still take its side
    grown.groups["last-0"] = 1.0
    assert {name: grown.export()[name] for name in ("copy-9", "late-3", "last-0")} == dict.fromkeys(
        ("copy-9", "late-3", "last-0"), "8"
    )


def test_two_that_turn_out_to_be_kin_meet_on_one_side_and_stay() -> None:
    grown = Grown()
    grown.groups = {"a-5": 1.0, "b-7": 2.0}
    assert grown.export() == {"a-5": "5", "b-7": "7"}
    grown.groups = dict.fromkeys(("a-5", "b-7", "between-1"), 1.0)
    together = grown.export("elsewhere")
    assert together == dict.fromkeys(grown.groups, "5") and grown.export() == together


def test_parts_of_one_video_are_on_one_side() -> None:
    names = {"film-2-4-9": "film@2-4", "film-40-5": "film@40.5-end", "other-7": "other@2-4", "me-1": "me@home"}
    grown = Grown()
    grown.paths = {name: f"/lists/a/parts/{stem}.mp4" for name, stem in names.items()} | {"same-3": "/b/film@2-4.mp4"}
    assert first_of_kin(grown) == {"9": "5"}
    grown.groups = {"film-2-4-9": 1.0, "me-1": 1.0}
    assert first_of_kin(grown) == {"9": "1", "5": "1"}


def test_an_export_without_a_split_promises_nothing() -> None:
    grown = Grown()
    grown.groups = {"a-5": 1.0}
    grown.export(split="")
    grown.groups["b-1"] = 1.0
    assert set(grown.export().values()) == {"1"}


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5)), max_size=30), st.integers(1, 4))
def test_none_changes_sides_while_groups_only_grow(videos: list[tuple[int, int]], folders: int) -> None:
    grown = Grown()
    before: dict[str, str] = {}
    for (number, group), folder in zip(videos, itertools.cycle(range(folders)), strict=False):
        grown.groups.setdefault(f"video-{number:02d}", float(group))
        now = grown.export(str(folder))
        assert before.items() <= now.items()
        sides = [{now[name] for name, own in grown.groups.items() if own == g} for g in set(grown.groups.values())]
        assert all(len(side) == 1 for side in sides), "kin are on one side"
        before = now


def test_it_is_noted_in_the_set(tmp_path: Path) -> None:
    """With a real store: what an earlier longtake noted has no word of kin."""
    store = Store(tmp_path)
    schema = score_schema(pa.schema([SCHEMAS["clips"].field(name) for name in ("id", "video_id")]), ["copies.group"])
    rows = [{"id": name, "video_id": name, "copies": {"group": 1.0}} for name in ("old-8", "old-9", "new-1")]
    store.append("clips", [{"id": row["id"], "video_id": row["video_id"]} for row in rows])
    store.update("clips", "id", rows, schema)
    assert first_of_kin(store) == {"8": "1", "9": "1"}
    noted = {"folder": "out", "options": '{"split": "a:1"}', "made": datetime.now(UTC), "video_ids": ["old-8", "old-9"]}
    store.append("exports", [noted])
    assert first_of_kin(store) == {"1": "8", "9": "8"}
