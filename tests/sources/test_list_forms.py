"""Lists as they are published, each with its traps; rows are made up, in the columns and the writing of real ones."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from listing import YOUTUBE, bad, good, write_csv, write_json

from longtake.sources import BadRow, Listed, ListedCaption
from longtake.sources.lists import form_of, read_list

LVD2M = {
    "raw_caption": "A dog runs.",
    "refined_caption": "A dog runs on.",
    "rewritten_caption": "dog, running",
    "key": "-RCZ_gmjtLU.14_2",
    "video_id": "BlUTkf-_GTg",
    "url": YOUTUBE,
    "dataset_src": "panda70m",
    "orig_caption": "a dog",
    "total score": 47.8,
    "span": "['00:00:17.759', '00:00:28.279']",
    "video_time": 10.52,
}
HDVG = {name: value for name, value in LVD2M.items() if name != "span"} | {
    "key": "BlUTkf-_GTg.66_3",
    "dataset_src": "hdvg",
    "orig_span": "['00:01:35.750', '00:02:58.750']",
    "scene_cut": "[120, 455]",
    "video_time": 335 / 25,
}
WEBVID = {name: value for name, value in LVD2M.items() if name != "span"} | {
    "key": "31353427",
    "video_id": "31353427",
    "url": "https://stock.example/31353427.mp4",
    "dataset_src": "webvid",
    "total score": "",
}


def one(tmp_path: Path, row: dict[str, Any]) -> Listed:
    [found] = good(write_csv(tmp_path / "list.txt", list(row), [row]))
    return found


def problem(tmp_path: Path, row: dict[str, Any]) -> str:
    [found] = bad(write_csv(tmp_path / "list.txt", list(row), [row])).values()
    return found


@pytest.mark.parametrize("row", [LVD2M, HDVG, WEBVID])
def test_all_three_tables_of_lvd2m_are_told_by_their_columns(tmp_path: Path, row: dict[str, Any]) -> None:
    assert form_of(write_csv(tmp_path / "list.txt", list(row), [row])) == "lvd2m"


def test_a_row_of_lvd2m(tmp_path: Path) -> None:
    found = one(tmp_path, LVD2M)
    assert (found.dataset, found.video, found.url) == ("lvd2m", "BlUTkf-_GTg", YOUTUBE)
    assert (found.start_s, found.end_s, found.clip) == (17.759, 28.279, "-RCZ_gmjtLU.14_2")
    kinds = {caption.kind: (caption.text, caption.start_s, caption.end_s) for caption in found.captions}
    assert kinds["raw"] == ("A dog runs.", 0.0, None) and kinds["orig"][0] == "a dog"
    assert (kinds["refined"][0], kinds["rewritten"][0]) == ("A dog runs on.", "dog, running")
    assert found.scores == {"total_score": 47.8}
    assert found.fields == {"dataset_src": "panda70m", "video_time": "10.52"} and found.row == 1


def test_a_clip_of_webvid_is_the_whole_of_its_address(tmp_path: Path) -> None:
    found = one(tmp_path, WEBVID)
    assert (found.video, found.url) == ("webvid-31353427", WEBVID["url"])
    assert (found.start_s, found.end_s, found.scores) == (None, None, {})
    assert one(tmp_path, WEBVID | {"video_id": ""}).video == "webvid-31353427"
    assert "no span" in problem(tmp_path, LVD2M | {"span": ""})


@pytest.mark.parametrize(
    ("change", "span", "by"),
    [
        ({}, (95.75 + 4.8, 95.75 + 18.2), "video_time"),
        ({"video_time": 13.4 * 1.004}, (95.75 + 4.8, 95.75 + 18.2), "video_time"),
        ({"fps": 30.0}, (99.75, 95.75 + 455 / 30), "fps"),
        ({"fps": 30.0, "video_time": ""}, (99.75, 95.75 + 455 / 30), "fps"),
        ({"scene_cut": "[0, -1]", "video_time": ""}, (95.75, 178.75), ""),
        ({"scene_cut": "[120, -1]", "fps": 24}, (100.75, 178.75), "fps"),
        ({"scene_cut": "[120, -1]", "video_time": 70}, (108.75, 178.75), "video_time"),
        ({"scene_cut": "[0, 335.0]"}, (95.75, 95.75 + 13.4), "video_time"),
    ],
)
def test_hdvg_gives_the_clip_and_never_its_parent(tmp_path: Path, change: dict, span: tuple, by: str) -> None:
    found = one(tmp_path, HDVG | {"fps": ""} | change)
    assert (found.start_s, found.end_s) == pytest.approx(span, abs=1e-6)
    assert found.fields.get("inexact", "").endswith(by) and bool(by) == ("inexact" in found.fields)
    assert found.fields["orig_span"] == HDVG["orig_span"] and "scene_cut" in found.fields


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"video_time": ""}, "neither fps nor video_time"),
        ({"video_time": 83.0}, "neither fps nor video_time"),  # that of the parent
        ({"scene_cut": ""}, "more than the clip"),
        ({"scene_cut": "[455, 120]"}, "ends before"),
        ({"scene_cut": "[-3, 120]"}, "two numbers"),
        ({"scene_cut": "[1]"}, "two numbers"),
        ({"scene_cut": "[0, 9000]", "video_time": 360}, "over the end"),
        ({"scene_cut": "[120, -1]", "video_time": 99}, "neither"),
        ({"orig_span": ""}, "no list"),
        ({"scene_cut": "exit()"}, "no number"),
    ],
)
def test_hdvg_whose_frames_cannot_be_told_in_seconds_is_a_bad_row(tmp_path: Path, change: dict, words: str) -> None:
    assert words in problem(tmp_path, HDVG | change)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Caption 1: One. Caption 2: Two.", [("One.", 0, 30), ("Two.", 30, None)]),
        (
            "Caption 0: One.\nCaption 1: Two.\nCaption 2: Three.",
            [("One.", 0, 30), ("Two.", 30, 60), ("Three.", 60, None)],
        ),
        ("Caption 1: Alone.", [("Alone.", 0, None)]),
        ("He reads Caption 2: aloud.", [("He reads Caption 2: aloud.", 0, None)]),
        (
            "Caption 1: On a sign is Caption 7: no. Caption 2: Two.",
            [("On a sign is Caption 7: no.", 0, 30), ("Two.", 30, None)],
        ),
        ("No marker.", [("No marker.", 0, None)]),
    ],
)
def test_raw_captions_are_taken_apart(tmp_path: Path, text: str, parts: list) -> None:
    found = one(tmp_path, LVD2M | {"raw_caption": text, "span": "['00:00:00.000', '00:01:05.000']"})
    raw = [(part.text, part.start_s, part.end_s) for part in found.captions if part.kind == "raw"]
    assert raw == parts


def test_more_parts_than_the_clip_has_room_for_have_no_times(tmp_path: Path) -> None:
    found = one(tmp_path, LVD2M | {"raw_caption": "Caption 1: a Caption 2: b"})
    assert [(part.start_s, part.end_s) for part in found.captions[:2]] == [(0.0, None)] * 2


@pytest.mark.parametrize(
    "change",
    [
        {"url": "file:///etc/passwd"},
        {"url": "/etc/passwd"},
        {"span": "['00:00:28.279', '00:00:17.759']"},
        {"span": "__import__('os').system('id')"},
        {"span": "['99:00:00.000', '99:00:10.000']"},
        {"url": "", "video_id": ""},
    ],
)
def test_bad_rows_of_lvd2m(tmp_path: Path, change: dict[str, str]) -> None:
    assert problem(tmp_path, LVD2M | change)


MIRADATA = {
    "clip_id": "7.10",
    "source": "youtube, movies",
    "video_url": YOUTUBE,
    "video_id": "BlUTkf-_GTg",
    "width": 1280,
    "height": 720,
    "fps": 23.97602398,
    "seconds": 123.24137931034484,
    "timestamp": "['00:06:21.300', '00:10:42.133']",
    "frame_number": 2425,
    "framestamp": "[11439, 13864.0]",
    "file_path": "video_clips/000000000/000000000007.10.mp4",
    **{f"{kind}_caption": f"A {kind}." for kind in ("short", "dense", "background", "main_object", "style", "camera")},
}


def test_a_row_of_miradata(tmp_path: Path) -> None:
    rows = [MIRADATA, MIRADATA | {"clip_id": "7.1", "dense_caption": "nan", "style_caption": ""}]
    path = write_csv(tmp_path / "a", list(MIRADATA), rows)
    assert form_of(path) == "miradata"
    found, other = good(path)
    assert (found.clip, other.clip, found.video) == ("7.10", "7.1", "BlUTkf-_GTg")
    assert (found.start_s, found.end_s) == (381.3, 642.133)
    kinds = [caption.kind for caption in found.captions]
    assert kinds == ["short", "dense", "background", "main_object", "style", "camera"]
    assert [caption.kind for caption in other.captions] == ["short", "background", "main_object", "camera"]
    assert found.fields["framestamp"] == "[11439, 13864.0]" and "timestamp" not in found.fields


def test_stock_sites_count_their_videos_each_for_itself(tmp_path: Path) -> None:
    row = MIRADATA | {"video_id": "852363", "clip_id": "4000052.0"}
    rows = [
        row | {"source": f"{site}, nature", "video_url": f"https://{site}.example/v.mp4"}
        for site in ("videvo", "pexels")
    ]
    found = good(write_csv(tmp_path / "a", list(row), rows))
    assert [one.video for one in found] == ["videvo-852363", "pexels-852363"]
    assert [one.fields["video_id"] for one in found] == ["852363"] * 2


def test_captions_of_long_clips_are_captions_of_their_windows_in_order(tmp_path: Path) -> None:
    packed = "[|||120||| 240||| Second. |||,|||0||| 120||| First,\nreally. |||,|||240||| 260.5|||   |||,]"
    found = one(tmp_path, MIRADATA | {"dense_caption": packed})
    dense = [caption for caption in found.captions if caption.kind == "dense"]
    assert dense == [
        ListedCaption("dense", "First,\nreally.", 0.0, 120.0),
        ListedCaption("dense", "Second.", 120.0, 240.0),
    ]


@pytest.mark.parametrize("text", ["[|||1||| 0||| x |||,]", "[|||0||| a||| x |||,]", "[|||0||| 1||| x ||| y |||,]"])
def test_what_cannot_be_unpacked_is_no_caption_and_not_lost(tmp_path: Path, text: str) -> None:
    found = one(tmp_path, MIRADATA | {"dense_caption": text})
    assert "dense" not in [caption.kind for caption in found.captions] and found.fields["dense_caption"] == text


def test_frames_stand_in_for_times_that_are_not_there(tmp_path: Path) -> None:
    found = one(tmp_path, MIRADATA | {"timestamp": "", "fps": 25, "framestamp": "[100, 500.0]"})
    assert (found.start_s, found.end_s) == (4.0, 20.0)
    assert "fps" in problem(tmp_path, MIRADATA | {"timestamp": "", "fps": 0})
    assert "no list" in problem(tmp_path, MIRADATA | {"timestamp": "", "framestamp": ""})


V0 = {
    "": "0",
    "index": "000000008783_AJp_A-XoG_M-000114",
    "video_id": "AJp_A-XoG_M",
    "start_frame": 3600,
    "end_frame": "5400.0",
    "main_object_caption": "A car.",
    "short_caption": "Cars.",
    "fps": 30.0,
    "start_timestep": "0:02:00",
    "end_timestep": "0:03:00",
}


def test_miradata_v0(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a", list(V0), [V0, V0 | {"video_id": ""}, dict.fromkeys(V0, "")])
    assert form_of(path) == "miradata_v0"
    found, unnamed = good(path)  # and none for the row of empty cells
    assert (found.video, found.start_s, found.end_s, found.clip) == ("AJp_A-XoG_M", 120.0, 180.0, V0["index"])
    assert found.url == unnamed.url == "https://www.youtube.com/watch?v=AJp_A-XoG_M"
    assert [(caption.kind, caption.text) for caption in found.captions] == [
        ("short", "Cars."),
        ("main_object", "A car."),
    ]
    assert "" not in found.fields and found.fields["start_timestep"] == "0:02:00"
    assert "fps" in problem(tmp_path, V0 | {"fps": ""})


FINAL = {
    "video": "UkQzZimp7Qs.mp4",
    "duration": 533.8,
    "start_sec": 36.64,
    "end_sec": 38.64,
    "neg_start_sec": 32.68,
    "neg_end_sec": 533.8,
    "caption": "a man sits at a desk",
    "start_scene": 6,
    "neg_end_scene": None,
}


@pytest.mark.parametrize("packed", [False, True])
def test_internvid_g(tmp_path: Path, packed: bool) -> None:
    bare = {name: FINAL[name] for name in ("video", "start_sec", "end_sec", "caption")}
    path = write_json(tmp_path / "a", [FINAL, bare | {"video": "my film.v2.mkv"}], packed=packed)
    assert form_of(path) == "internvid_g"
    found, other = good(path)
    assert (found.video, found.url) == ("UkQzZimp7Qs", "https://www.youtube.com/watch?v=UkQzZimp7Qs")
    assert (found.start_s, found.end_s) == (36.64, 38.64)
    assert found.captions == (ListedCaption("short", "a man sits at a desk"),)
    assert found.fields == {"duration": "533.8", "neg_start_sec": "32.68", "neg_end_sec": "533.8", "start_scene": "6"}
    assert (
        other.url == "" and other.video.startswith("my_film_v2_mkv.id") and other.fields == {"video": "my film.v2.mkv"}
    )


def test_internvid_g_before_its_last_step(tmp_path: Path) -> None:
    rows = [
        {"video_fname": "UkQzZimp7Qs.mp4", "start_sec": 1, "end_sec": 2, "captions": ["One.", "Two."]},
        {"video_fname": "UkQzZimp7Qs.mp4", "start_sec": 1, "end_sec": 2, "caption": "Three.", "clip_sim": 0.25},
        {"video_fname": "UkQzZimp7Qs.mp4", "start_sec": 1, "end_sec": 2, "captions": []},
        {"video_fname": "UkQzZimp7Qs.mp4", "start_sec": None, "end_sec": 2, "captions": []},
    ]
    path = write_json(tmp_path / "a", rows)
    found = [one for one in read_list(path) if isinstance(one, Listed)]
    assert [[caption.text for caption in one.captions] for one in found] == [["One.", "Two."], ["Three."], []]
    assert [one.scores for one in found] == [{}, {"clip_sim": 0.25}, {}] and list(bad(path)) == [4]


def test_internvids_own_records(tmp_path: Path) -> None:
    row = {
        "YoutubeID": "-RCZ_gmjtLU",
        "Start_timestamp": "00:10:02.005",
        "End_timestamp": "00:10:04.500",
        "Caption": "A dog.",
        "Aesthetic_Score": 4.5,
        "UMT_Score": 0.41,
    }
    path = write_json(tmp_path / "a", [row, row | {"Start_timestamp": "soon"}, row | {"YoutubeID": ""}])
    assert form_of(path) == "internvid" and list(bad(path)) == [2, 3]
    found = next(iter(read_list(path)))
    assert (found.start_s, found.end_s, found.captions[0].text) == (602.005, 604.5, "A dog.")
    assert found.scores == {"Aesthetic_Score": 4.5, "UMT_Score": 0.41}
    assert found.url.endswith("=-RCZ_gmjtLU") and found.fields == {"YoutubeID": "-RCZ_gmjtLU"}


PANDA = {
    "videoID": "BlUTkf-_GTg",
    "url": YOUTUBE,
    "timestamp": "[['0:02:20.520', '0:02:29.000'], ['0:03:00.500', '0:03:09.250'], ['0:04:00', '0:03:00']]",
    "caption": """["It's a dog.", 'A "cat".', 'No.']""",
    "matching_score": "[0.43, 0.5, 0.6]",
    "desirable_filtering": "['desirable', '1_still_foreground_image', 'desirable']",
    "shot_boundary_detection": "[[['0:00:00.000', '0:00:08.480']],"
    " [['0:00:00.000', '0:00:02.000'], ['0:00:02.000', '0:00:08.750']], []]",
}


def test_a_row_of_panda70m_is_all_clips_of_its_video(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a", list(PANDA), [PANDA, PANDA | {"caption": "['one']"}])
    assert form_of(path) == "panda70m"
    first, second, third, fourth = read_list(path)
    assert isinstance(third, BadRow) and "clip 3 of 3" in third.problem and third.row == 1
    assert isinstance(fourth, BadRow) and "1 values for 3 clips" in fourth.problem and fourth.row == 2
    assert (first.start_s, first.end_s, first.captions) == (140.52, 149.0, (ListedCaption("short", "It's a dog."),))
    assert (second.start_s, second.captions[0].text) == (180.5, 'A "cat".')
    assert [one.scores for one in (first, second)] == [{"matching_score": 0.43}, {"matching_score": 0.5}]
    assert second.fields["desirable_filtering"] == "1_still_foreground_image"
    assert second.fields["shot_boundary_detection"].count("0:00:02.000") == 2


def test_one_clip_a_row_in_its_style(tmp_path: Path) -> None:
    row = {
        "videoID": "BlUTkf-_GTg_4_25to110",
        "url": YOUTUBE,
        "timestamp": "['0:00:04.500', '0:00:09.000']",
        "caption": "A dog.",
        "clarity_score": 0.9,
    }
    found = one(tmp_path, row)
    assert (found.video, found.clip) == ("BlUTkf-_GTg", "BlUTkf-_GTg_4_25to110")
    assert (found.start_s, found.end_s, found.scores) == (4.5, 9.0, {"clarity_score": 0.9})


def test_hdvila(tmp_path: Path) -> None:
    clips = [
        {"clip_id": "BlUTkf-_GTg.1.mp4", "span": ["00:00:17.759", "00:00:23.279"]},
        {"clip_id": "../x", "span": ["00:00:17.759", "00:00:23.279"]},
        {"clip_id": "BlUTkf-_GTg.3.mp4", "span": ["00:00:23.279"]},
        "x",
    ]
    path = write_json(tmp_path / "a", [{"video_id": "BlUTkf-_GTg", "url": YOUTUBE, "clip": clips}, {"clip": 5}])
    assert form_of(path) == "hdvila"
    first, second, *rest = read_list(path)
    assert (first.video, first.clip, first.start_s, first.end_s) == ("BlUTkf-_GTg", "BlUTkf-_GTg.1.mp4", 17.759, 23.279)
    assert "/" not in second.clip and second.fields == {"clip_id": "../x"}
    assert [isinstance(one, BadRow) for one in rest] == [True] * 3 and [one.row for one in rest] == [1, 1, 2]


def test_a_published_form_may_be_in_a_parquet_file_with_types(tmp_path: Path) -> None:
    row = MIRADATA | {"timestamp": ["00:06:21.300", "00:10:42.133"], "framestamp": [11439.0, 13864.0]}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "a")
    [found] = good(tmp_path / "a")
    assert form_of(tmp_path / "a") == "miradata" and (found.start_s, found.end_s, found.clip) == (
        381.3,
        642.133,
        "7.10",
    )


@pytest.mark.parametrize(
    ("columns", "ids", "addresses"),
    [
        ("key,video_id,url,span,raw_caption", ("BlUTkf-_GTg", "BlUTkf-_GTg"), (YOUTUBE, f"{YOUTUBE}&t=9")),
        ("key,video_id,url,dataset_src,raw_caption", ("12", "12"), ("https://a.example/12", "https://b.example/12")),
        ("clip_id,video_id,video_url,source,timestamp", ("7", "7"), ("https://a.example/7?k=1", "https://a.example/7")),
        ("videoID,url,timestamp,caption", ("BlUTkf-_GTg", "x"), (YOUTUBE, "https://youtu.be/BlUTkf-_GTg")),
    ],
)
def test_rows_of_one_video_share_its_name(tmp_path: Path, columns: str, ids: tuple[str], addresses: tuple[str]) -> None:
    rows = []
    for number, (own, url) in enumerate(zip(ids, addresses, strict=True)):
        row = {"key": f"k{number}", "clip_id": f"c{number}", "video_id": own, "videoID": own, "url": url}
        row |= {"video_url": url, "span": "['00:00:01', '00:00:02']", "timestamp": "['00:00:01', '00:00:02']"}
        row |= {"dataset_src": "webvid", "source": "videvo", "raw_caption": "x", "caption": "x"}
        rows.append({name: row[name] for name in columns.split(",")})
    one, other = good(write_csv(tmp_path / "l.csv", columns.split(","), rows))
    assert one.video == other.video and one.dataset != "table"
