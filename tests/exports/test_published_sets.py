"""Tables in the form of LVD-2M and MiraData, read back by what reads those."""

import ast
import csv
import re
from pathlib import Path

import pytest
from exported import ASIDE, FIELDS, NASTY, captions_of, kept, small_set
from hypothesis import given
from hypothesis import strategies as st

from longtake.exporting import export_set
from longtake.exports import Placed, Row
from longtake.exports._text import clock, on_one_line, span_literal
from longtake.exports.lvd2m import lvd2m
from longtake.exports.miradata import miradata
from longtake.store import Store

LVD2M = (
    "raw_caption,refined_caption,rewritten_caption,key,video_id,url,dataset_src,orig_caption,total score,span,"
    "video_time,orig_span,scene_cut"
)
MIRADATA = (
    "clip_id,source,video_url,video_id,width,height,fps,seconds,timestamp,frame_number,framestamp,file_path,"
    "short_caption,dense_caption,background_caption,main_object_caption,style_caption,camera_caption"
)
MARK = re.compile(r"^Caption (\d+): ", re.MULTILINE)
PACKED = re.compile(r"\|\|\|([\d.]+)\|\|\| ([\d.]+)\|\|\| (.*?) \|\|\|,", re.DOTALL)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_set(tmp_path_factory.mktemp("small"))


def read(path: Path) -> tuple[list[str], list[dict]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        return list(reader.fieldnames), list(reader)


def seconds(text: str) -> float:
    hours, minutes, rest = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def test_lvd2m(made: Path, tmp_path: Path) -> None:
    export_set(made, "lvd2m", tmp_path / "out")
    names, rows = read(tmp_path / "out" / "train.csv")
    clips = kept(made)
    videos = {row["id"]: row["path"] for row in Store(made).read("videos").to_pylist()}
    assert ",".join(names) == LVD2M
    assert [row["refined_caption"] for row in rows] == [f"{NASTY[0]} refined", f"{NASTY[1]} refined", "", ""]
    assert [row["rewritten_caption"] for row in rows] == [f"{NASTY[1]} rewritten", f"{NASTY[2]} rewritten", "", ""]
    for row, clip in zip(rows, clips, strict=True):
        assert row["key"] == clip["id"] and "." not in row["key"]
        assert (tmp_path / "out" / "train" / f"{row['key']}.mp4").read_bytes() == (made / clip["file"]).read_bytes()
        assert (row["video_id"], row["url"]) == (clip["video_id"], videos[clip["video_id"]])
        start, end = ast.literal_eval(row["span"])
        assert (seconds(start), seconds(end)) == pytest.approx((clip["start_s"], clip["end_s"]), abs=0.0005)
        assert re.fullmatch(r"\['\d\d:\d\d:\d\d\.\d{3}', '\d\d:\d\d:\d\d\.\d{3}'\]", row["span"])
        assert float(row["total score"]) == pytest.approx(clip["motion"]["mean"] * 520 * 0.5)
        assert float(row["video_time"]) == clip["duration_s"]
        assert row["orig_caption"] == row["orig_span"] == row["scene_cut"] == ""


def test_lvd2m_marks_segments_only_where_there_are_several(made: Path, tmp_path: Path) -> None:
    export_set(made, "lvd2m", tmp_path / "out")
    several, one, other, none = (row["raw_caption"] for row in read(tmp_path / "out" / "train.csv")[1])
    assert MARK.split(several) == ["", "1", on_one_line(NASTY[0]) + "\n", "2", on_one_line(NASTY[1])]
    assert (one, other, none) == (NASTY[1], NASTY[2], "")


def test_another_captioner_can_be_named(made: Path, tmp_path: Path) -> None:
    export_set(made, "lvd2m", tmp_path / "out", settings=["captioner=internvid_g"])
    rows = read(tmp_path / "out" / "train.csv")[1]
    assert rows[1]["raw_caption"] == f"{NASTY[2]} span 0" and not rows[0]["refined_caption"]


def test_miradata(made: Path, tmp_path: Path) -> None:
    export_set(made, "miradata", tmp_path / "out")
    names, rows = read(tmp_path / "out" / "train.csv")
    assert ",".join(names) == MIRADATA
    for row, clip in zip(rows, kept(made), strict=True):
        assert row["clip_id"] == clip["id"]
        with pytest.raises(ValueError, match="could not convert"):
            float(row["clip_id"])
        assert (tmp_path / "out" / row["file_path"]).read_bytes() == (made / clip["file"]).read_bytes()
        assert (int(row["width"]), int(row["height"])) == (clip["file_width"], clip["file_height"])
        assert (float(row["fps"]), float(row["seconds"])) == (clip["fps"], clip["duration_s"])
        assert ast.literal_eval(row["framestamp"]) == [clip["start_frame"], clip["end_frame"]]
        assert int(row["frame_number"]) == clip["end_frame"] - clip["start_frame"]
        start, end = ast.literal_eval(row["timestamp"])
        assert (seconds(start), seconds(end)) == pytest.approx((clip["start_s"], clip["end_s"]), abs=0.0005)
        assert ASIDE not in row.values()


def test_miradata_packs_windows_in_order_of_time(made: Path, tmp_path: Path) -> None:
    export_set(made, "miradata", tmp_path / "out")
    rows, clip = read(tmp_path / "out" / "train.csv")[1], kept(made)[0]
    middle, end = round(clip["duration_s"] / 2, 3), round(clip["duration_s"], 3)
    for field in FIELDS:
        expected = [c["text"] for c in captions_of(made, clip["id"], field) if c["step"] == "miradata"]
        packed = rows[0][f"{field}_caption"]
        assert packed[0] == "[" and packed[-1] == "]" and PACKED.sub("", packed) == "[]"
        found = PACKED.findall(packed)
        assert [(float(a), float(b)) for a, b, _ in found] == [(0.0, middle), (middle, end)]
        assert [text for *_, text in found] == expected
    assert rows[1]["dense_caption"] == f"{NASTY[1]} dense 0"
    assert rows[2]["short_caption"] == rows[3]["short_caption"] == ""


def clip_row(captions: list[dict]) -> Row:
    clip = {"id": "v-1_0_9", "video_id": "v-1", "start_s": 0.0, "end_s": 300.0, "duration_s": 300.0, "fps": 24.0}
    clip |= {"start_frame": 0, "end_frame": 7200, "motion.mean": None}
    return Row(clip, {"path": "v.mp4"}, captions, "train", Path("a.mp4"))


def caption(step: str, kind: str, number: int, start_s: float, end_s: float, text: str) -> dict:
    return {"step": step, "kind": kind, "number": number, "start_s": start_s, "end_s": end_s, "text": text}


def test_a_window_left_of_several_is_not_taken_for_the_whole(tmp_path: Path) -> None:
    """The first window's captions were set aside."""
    placed = Placed(tmp_path / "a.mp4", 1, 64, 64, 24.0, 7200, 300.0)
    late = clip_row([caption("lvd2m", "raw", 1, 30, 60, "b"), caption("miradata", "short", 1, 120, 240, "b ||| c")])
    lvd2m([late], tmp_path / "l", lambda *_: placed)
    miradata([late], tmp_path / "m", lambda *_: placed)
    [row] = read(tmp_path / "l" / "train.csv")[1]
    assert (row["raw_caption"], row["total score"]) == ("Caption 2: b", "")
    [row] = read(tmp_path / "m" / "train.csv")[1]
    assert row["short_caption"] == "[|||120||| 240||| b | | | c |||,]"


@given(st.floats(0, 400_000), st.floats(0, 400_000))
def test_times_come_back_to_the_millisecond(start_s: float, end_s: float) -> None:
    found = ast.literal_eval(span_literal(start_s, end_s))
    assert [seconds(text) for text in found] == pytest.approx([start_s, end_s], abs=0.00051)
    assert found == [clock(start_s), clock(end_s)]
