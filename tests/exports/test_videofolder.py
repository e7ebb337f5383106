"""Hugging Face's videofolder, read back by `datasets` itself."""

import json
import os
from pathlib import Path

import pytest
from exported import ASIDE, kept, small_set
from madeup import ABOUT, Putter, expected_of, row

from longtake.errors import UsageError
from longtake.exporting import export_set
from longtake.exports import Placed
from longtake.exports._record import record
from longtake.exports.videofolder import videofolder

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_set(tmp_path_factory.mktemp("videofolder"))


def load(folder: Path, cache: Path):
    datasets = pytest.importorskip("datasets", reason="datasets is not installed: requirements/exports.txt")
    loaded = datasets.load_dataset(str(folder), cache_dir=str(cache))
    return {split: rows.cast_column("video", datasets.Video(decode=False)) for split, rows in loaded.items()}


def test_all_clips_come_back_whatever_their_names(made: Path, tmp_path: Path) -> None:
    """Names as `x_test_y` make a split of their own in folders without a card."""
    to = tmp_path / "out"
    export_set(made, "videofolder", to)
    assert any("-test-" in path.name for path in (to / "train").iterdir())
    splits = load(to, tmp_path / "cache")
    assert list(splits) == ["train"]
    found = {one["id"]: one for one in splits["train"]}
    expected = expected_of(made)
    assert len(expected) == 4
    for clip in kept(made):
        video = found[clip["id"]].pop("video")
        assert Path(video["path"]).read_bytes() == (made / clip["file"]).read_bytes()
    assert found == expected


def test_the_folder_holds_one_table_and_what_it_names(made: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    export_set(made, "videofolder", to)
    lines = (to / "train" / "metadata.jsonl").read_bytes().decode().split("\n")
    rows = [json.loads(line) for line in lines if line]
    assert lines[-1] == "" and ASIDE not in "".join(lines)
    assert [one["id"] for one in rows] == [clip["id"] for clip in kept(made)]
    there = {path.name for path in (to / "train").iterdir()}
    assert there == {one["file_name"] for one in rows} | {"metadata.jsonl"}
    assert {path.name for path in to.iterdir()} == {"train", "README.md", "plots", "export.json"}


def test_splits_are_those_of_the_export(made: Path, tmp_path: Path) -> None:
    """`test` and `val` hold films of other names: only the card says which is which."""
    to = tmp_path / "out"
    done = export_set(made, "videofolder", to, split="test:0.5,val:0.5")
    assert len(done.splits) == 2
    splits = load(to, tmp_path / "cache")
    assert {split: len(rows) for split, rows in splits.items()} == done.splits
    found = {one["id"]: {**one, "video": None} for rows in splits.values() for one in rows}
    assert found == {clip: {**one, "video": None} for clip, one in expected_of(made).items()}


def test_another_kind_of_caption(made: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    done = export_set(made, "videofolder", to, settings=["caption=miradata.style"])
    rows = [json.loads(line) for line in (to / "train" / "metadata.jsonl").read_bytes().splitlines()]
    assert done.clips == 4
    for one in rows:
        parts = [c for c in one["captions"] if (c["step"], c["kind"]) == ("miradata", "style")]
        assert one["caption"] == " ".join(c["text"] for c in parts)
        assert one["spans"] == [{name: c[name] for name in ("start_s", "end_s", "text")} for c in parts]
    assert sorted(len(one["spans"]) for one in rows) == [0, 0, 1, 2]


def film(folder: Path) -> Path:
    path = folder / "film.mp4"
    path.write_bytes(b"no real video")
    return path


@pytest.mark.parametrize("lacks", [{"score": None}, {"text": ""}])
def test_a_split_that_lacks_what_another_has(tmp_path: Path, lacks: dict[str, None]) -> None:
    """As JSON its column has no type, and `load_dataset` refuses the set; so it is Parquet."""
    rows = [row(film(tmp_path), 0), row(film(tmp_path), 10, split="val", **lacks)]
    to = tmp_path / "out"
    videofolder(rows, to, Putter(to), ABOUT)
    assert [path.name for path in sorted(to.glob("*/metadata.*"))] == ["metadata.parquet"] * 2
    assert "metadata.parquet" in (to / "README.md").read_text()
    splits = load(to, tmp_path / "cache")
    train, val = splits["train"][0], splits["val"][0]
    assert train["scores"] == {"motion_mean": 0.25} and train["caption"] == "A red car."
    assert val["scores"] == {"motion_mean": lacks.get("score", 0.25)} and len(val["captions"]) == ("text" not in lacks)


def test_a_score_that_comes_late(tmp_path: Path) -> None:
    """Types are taken from the first 10 MiB of JSON; here no score is in them."""
    text = "A red car. " * 1000
    source = film(tmp_path)
    rows = [row(source, number, score=0.5 if number == 899 else None, text=text) for number in range(900)]
    to = tmp_path / "out"
    videofolder(rows, to, Putter(to), ABOUT)
    assert [path.name for path in to.glob("*/metadata.*")] == ["metadata.parquet"]
    found = load(to, tmp_path / "cache")["train"]
    assert [one["motion_mean"] for one in found["scores"]] == [None] * 899 + [0.5]


def test_after_a_kill_one_table_is_left(tmp_path: Path) -> None:
    to = tmp_path / "out"
    rows = [row(film(tmp_path), 0), row(film(tmp_path), 10, split="val", score=None)]
    videofolder(rows, to, Putter(to), ABOUT)
    again = Putter(to)
    videofolder(rows[:1], to, again, ABOUT)
    assert again.made == []
    assert [path.name for path in (to / "train").glob("metadata.*")] == ["metadata.jsonl"]


def test_two_scores_of_one_name(tmp_path: Path) -> None:
    one = row(film(tmp_path), 0)
    clash = type(one)({**one.clip, "a.b_c": 1.0, "a_b.c": 2.0}, one.video, one.captions, one.split, one.file)
    with pytest.raises(UsageError, match=r"'a\.b_c' and 'a_b\.c' are both called 'a_b_c'"):
        videofolder([clash], tmp_path / "out", Putter(tmp_path / "out"), ABOUT)


def test_times_stay_inside_a_file_that_was_cut_shorter(tmp_path: Path) -> None:
    one = row(film(tmp_path), 0)
    (whole,) = one.captions
    parts = [{**whole, "number": i, "start_s": a, "end_s": b} for i, (a, b) in enumerate([(0.0, 1.0), (1.0, 2.0)])]
    late = {**whole, "kind": "dense", "start_s": 1.9, "end_s": 2.0}
    clip = type(one)(one.clip, one.video, [late, *parts], one.split, one.file)
    for cut_s, spans in ((1.5, [(0.0, 1.0), (1.0, 1.5)]), (0.5, [(0.0, 0.5)])):
        placed = Placed(one.file, 13, 32, 16, 24.0, int(cut_s * 24), cut_s)
        made = record(clip, placed, "raw", {})
        for found in (made["spans"], made["captions"]):
            assert [(part["start_s"], part["end_s"]) for part in found] == spans


def test_no_folder_of_the_machine_goes_out(made: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    export_set(made, "videofolder", to)
    for path in (to / "train" / "metadata.jsonl", to / "README.md"):
        assert str(made.parent) not in path.read_text(encoding="utf-8")
