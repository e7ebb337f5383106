"""The plain tables: JSON lines, CSV and Parquet say what the set says, to the byte."""

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from exported import ASIDE, FILMS, NASTY, captions_of, kept, small_set
from hypothesis import given
from hypothesis import strategies as st

from longtake.errors import UsageError
from longtake.exporting import export_set, split_of
from longtake.exports import Placed, Row
from longtake.exports._text import TextFiles, on_one_line, to_csv, to_json
from longtake.steps import find
from longtake.store import Store

SPLIT = "train:0.5,val:0.5"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_set(tmp_path_factory.mktemp("small"))


def read_jsonl(path: Path) -> list[dict]:
    with path.open(encoding="utf-8", newline="") as file:
        return [json.loads(line) for line in file]


def read_csv(path: Path) -> list[dict]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_parquet(path: Path) -> list[dict]:
    return pq.read_table(path).to_pylist()


READERS = {"jsonl": read_jsonl, "csv": read_csv, "parquet": read_parquet}


def test_the_set_is_worth_testing(made: Path) -> None:
    """Else the tests below say little."""
    clips = kept(made)
    assert len(clips) == 4 and len({clip["video_id"] for clip in clips}) == 3
    counts = [len(captions_of(made, clip["id"], "raw")) for clip in clips]
    assert counts == [4, 2, 1, 0]
    assert all(captions_of(made, clip["id"], "measured") for clip in clips)
    texts = Store(made).read("captions", ["text"])["text"].to_pylist()
    assert ASIDE in texts and set(NASTY) & set(texts)
    assert {Path(row["path"]).name for row in Store(made).read("videos").to_pylist()} == set(FILMS)


@pytest.mark.parametrize("name", ["jsonl", "parquet"])
def test_a_row_says_what_the_set_says(made: Path, tmp_path: Path, name: str) -> None:
    export_set(made, name, tmp_path / "out")
    rows, clips = READERS[name](tmp_path / "out" / f"train.{name}"), kept(made)
    videos = {row["id"]: row for row in Store(made).read("videos").to_pylist()}
    assert [row["id"] for row in rows] == [clip["id"] for clip in clips]
    for row, clip in zip(rows, clips, strict=True):
        assert (tmp_path / "out" / row["video"]).read_bytes() == (made / clip["file"]).read_bytes()
        assert row["source"] == videos[clip["video_id"]]["path"]
        for column in ("start_s", "end_s", "duration_s", "fps", "width", "height"):
            assert row[column] == clip[column]
        assert row["motion.mean"] == clip["motion"]["mean"]
        assert row["look.sharpness"] == clip["look"]["sharpness"]
        expected = captions_of(made, clip["id"])
        assert len(row["captions"]) == len(expected)
        for got, caption in zip(row["captions"], expected, strict=True):
            assert got == {key: caption[key] for key in got} and "text" in got
    assert [row["caption"] for row in rows[:2]] == [f"{NASTY[0]} refined", f"{NASTY[1]} refined"]
    assert ASIDE not in (tmp_path / "out" / f"train.{name}").read_bytes().decode("utf-8", "replace")


def test_csv_is_exact_where_nothing_guards_it(made: Path, tmp_path: Path) -> None:
    export_set(made, "csv", tmp_path / "out", settings=["guard=false", "caption=lvd2m.raw"])
    rows, clips = read_csv(tmp_path / "out" / "train.csv"), kept(made)
    wanted = [
        " ".join(c["text"] for c in captions_of(made, clip["id"], "raw") if c["step"] == "lvd2m") for clip in clips
    ]
    assert [row["caption"] for row in rows] == wanted
    assert wanted[1].startswith("=HYPERLINK") and wanted[3] == "" and "\r\n" in wanted[0]
    assert [float(row["motion.mean"]) for row in rows] == [clip["motion"]["mean"] for clip in clips]
    assert [row["id"] for row in rows] == [clip["id"] for clip in clips]
    assert (tmp_path / "out" / "train.csv").read_bytes().startswith(b"id,video,caption,duration_s,")


def test_csv_is_guarded_against_formulas(made: Path, tmp_path: Path) -> None:
    export_set(made, "csv", tmp_path / "out", settings=["columns='text=caption:lvd2m.raw,start_s,id'"])
    texts = [row["text"] for row in read_csv(tmp_path / "out" / "train.csv")]
    assert texts[1] == "'" + NASTY[1] and texts[2] == "'" + NASTY[2]
    assert texts[0] == f"{NASTY[0]} {NASTY[1]}" and texts[3] == ""


def test_csv_has_no_place_for_all_captions(made: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="jsonl or parquet"):
        export_set(made, "csv", tmp_path / "out", settings=["columns='id,captions'"])


@pytest.mark.parametrize("name", sorted(READERS))
def test_splits_are_files_of_their_own(made: Path, tmp_path: Path, name: str) -> None:
    done = export_set(made, name, tmp_path / "out", split=SPLIT, settings=["columns='id,file,split,video_id'"])
    shares = [("train", 0.5), ("val", 1.0)]
    rows = {split: READERS[name](tmp_path / "out" / f"{split}.{name}") for split in done.splits}
    assert sum(done.splits.values()) == 4
    for split, found in rows.items():
        assert len(found) == done.splits[split]
        for row in found:
            assert row["split"] == split == split_of(row["video_id"], shares)
            assert row["file"] == f"{split}/{row['id']}.mp4" and (tmp_path / "out" / row["file"]).is_file()


@pytest.mark.parametrize("name", sorted(READERS))
def test_a_column_map_names_columns(made: Path, tmp_path: Path, name: str) -> None:
    columns = "video=file, text=caption:rewritten, score=motion.mean, n=frames, sound=file_audio"
    export_set(
        made, name, tmp_path / "out", settings=[f"columns='{columns}'", "guard=false"][: 2 if name == "csv" else 1]
    )
    rows, clips = READERS[name](tmp_path / "out" / f"train.{name}"), kept(made)
    assert list(rows[0]) == ["video", "text", "score", "n", "sound"]
    assert [row["text"] for row in rows] == [f"{NASTY[1]} rewritten", f"{NASTY[2]} rewritten", "", ""]
    assert [int(row["n"]) for row in rows] == [clip["end_frame"] - clip["start_frame"] for clip in clips]
    assert [float(row["score"]) for row in rows] == [clip["motion"]["mean"] for clip in clips]


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ("text=captoin", "did you mean 'caption'"),
        ("motion.maen", "did you mean 'motion.mean'"),
        ("id,file_key", "no 'file_key'"),
        ("x=id,x=file", "two are named 'x'"),
        ("id,", "write NAME=SOURCE"),
        ("=id", "write NAME=SOURCE"),
    ],
)
def test_a_wrong_column_is_told_before_any_file_is_put(
    made: Path, tmp_path: Path, columns: str, complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        export_set(made, "jsonl", tmp_path / "out", settings=[f"columns='{columns}'"])
    assert not (tmp_path / "out").exists() and not list(tmp_path.rglob("*.mp4"))


def test_parquet_has_row_groups_and_fixed_types(made: Path, tmp_path: Path) -> None:
    export_set(made, "parquet", tmp_path / "out", settings=["group=3"])
    file = pq.ParquetFile(tmp_path / "out" / "train.parquet")
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [3, 1]
    types = {field.name: str(field.type) for field in file.schema_arrow}
    assert types["id"] == "string" and types["width"] == "int64" and types["motion.mean"] == "double"


@pytest.mark.parametrize("name", sorted(READERS))
def test_what_was_not_measured_is_missing(tmp_path: Path, name: str) -> None:
    """On the first clip, so that no type is taken from what happens to be there."""
    scores = [None, 0.25]
    rows = [
        Row({"id": f"v-1_{i}", "motion.mean": score, "file_transitions": None}, {}, [], "train", tmp_path / "a.mp4")
        for i, score in enumerate(scores)
    ]
    placed = Placed(tmp_path / "a.mp4", 1, 64, 64, 24.0, 24, 1.0)
    call = find("exports", name).call
    call(rows, tmp_path, lambda *_: placed, columns="id,motion.mean,file_transitions")
    found = [row["motion.mean"] for row in READERS[name](tmp_path / f"train.{name}")]
    assert found == (["", "0.25"] if name == "csv" else scores)


@pytest.mark.parametrize("name", sorted(READERS))
def test_the_same_bytes_each_time(made: Path, tmp_path: Path, name: str) -> None:
    for out in ("one", "two"):
        export_set(made, name, tmp_path / out)
    assert (tmp_path / "one" / f"train.{name}").read_bytes() == (tmp_path / "two" / f"train.{name}").read_bytes()


TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.lists(TEXT, min_size=2, max_size=2), min_size=1))
def test_csv_files_come_back(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    folder = tmp_path_factory.mktemp("csv")
    with TextFiles(folder) as files:
        for row in rows:
            files.write("a.csv", to_csv(row))
    with (folder / "a.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file, strict=True)) == rows


@given(TEXT)
def test_json_lines_are_one_line_for_any_reader(text: str) -> None:
    line = to_json({"text": text})
    assert len(line.splitlines()) == 1 and json.loads(line) == {"text": text}


@given(TEXT)
def test_a_text_on_one_line_has_the_same_words(text: str) -> None:
    assert len((on_one_line(text) + "\n").splitlines()) == 1
    assert on_one_line(text).split() == text.split()
