"""Tables of anybody: columns told by the user, or by their names."""

from pathlib import Path

import pytest
from listing import YOUTUBE, bad, good, write, write_csv, write_json

from longtake.errors import UsageError
from longtake.sources import ListedCaption
from longtake.sources.lists import form_of, guess_of, read_list

ROW = {
    "id": "0.10",
    "where": "https://a.example/v.mp4",
    "t0": "1500",
    "t1": "00:00:04.250",
    "says": "=SUM(A1)",
    "long": "A long one.",
    "good score": "0.5",
    "note": "kept",
}


def test_a_mapping_says_what_columns_hold(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a", list(ROW), [ROW])
    mapping = {"url": "where", "start": "t0@ms", "end": "t1", "caption": "says", "caption:dense": "long", "clip": "id"}
    [one] = good(path, mapping=mapping)
    assert (one.dataset, one.url, one.start_s, one.end_s, one.clip) == ("table", ROW["where"], 1.5, 4.25, "0.10")
    assert one.captions == (ListedCaption("raw", "=SUM(A1)"), ListedCaption("dense", "A long one."))
    assert one.scores == {"good_score": 0.5} and one.fields == {"note": "kept"}
    [one] = good(path, mapping={"url": "where", "score:x": "t0"})
    assert one.scores == {"x": 1500.0} and one.fields["good score"] == "0.5" and one.start_s is None
    [one] = good(path, mapping={"url": "where", "score:my quality": "good score", "score": "t0"})
    assert one.scores == {"my_quality": 0.5, "t0": 1500.0}


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"url": "wher"}, "no column 'wher'; did you mean 'where'"),
        ({"url": "zzz"}, "there is 'id', 'where'"),
        ({"start": "t0"}, "neither url nor video"),
        ({"url": "where", "beginning": "t0"}, "there is url, video"),
        ({"url": "where", "start": "t0@frames"}, "@s or @ms"),
        ({"url": "where@ms"}, "nothing else has a unit"),
        ({"url": "where", "caption:a b": "says"}, "caption:KIND"),
        ({"url": "where", "span": "t0", "end": "t1"}, "start and end in one"),
    ],
)
def test_a_mapping_that_says_nothing_is_refused(tmp_path: Path, mapping: dict[str, str], words: str) -> None:
    path = write_csv(tmp_path / "a", list(ROW), [ROW])
    with pytest.raises(UsageError, match=words):
        read_list(path, mapping=mapping)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"video_url": YOUTUBE}, (None, None, "")),
        ({"contentUrl": YOUTUBE, "page_dir": "x", "videoid": "1", "name": "A dog."}, (None, None, "A dog.")),
        ({"YouTube ID": "BlUTkf-_GTg", "start_time": 1, "end_time": 2, "text": "x"}, (1.0, 2.0, "x")),
        ({"ytid": "BlUTkf-_GTg", "start_ms": 1500, "end_ms": "2000"}, (1.5, 2.0, "")),
        ({"url": YOUTUBE, "span": ["00:00:01.5", "00:00:02"], "prompt": "x"}, (1.5, 2.0, "x")),
        ({"url": YOUTUBE, "timestamps": [1.25, 2]}, (1.25, 2.0, "")),
        ({"url": YOUTUBE, "start": "", "end": "nan"}, (None, None, "")),
        ({"url": YOUTUBE, "start": 3}, (3.0, None, "")),
    ],
)
def test_columns_that_say_by_their_names_what_they_hold(tmp_path: Path, row: dict, expected: tuple) -> None:
    for path in (write_json(tmp_path / "a", [row]), write_csv(tmp_path / "b", list(row), [row])):
        assert form_of(path) == "table"
        [one] = good(path)
        texts = "".join(caption.text for caption in one.captions)
        assert (one.video, one.url, one.start_s, one.end_s, texts) == ("BlUTkf-_GTg", YOUTUBE, *expected)


def test_a_column_twice_and_one_without_name(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("url,note,note,\nhttps://a.example/1,x,y,z\n")
    [one] = good(path)
    assert one.fields == {"note": "x", "note_3": "y"}


def test_ids_stay_texts_and_hostile_ones_are_made_safe(tmp_path: Path) -> None:
    ids = ["0.1", "0.10", "../../etc/x", "a\x07b", "007", "-x", "..", "a/b", "a_b"]
    rows = [{"video_id": name, "clip_id": name, "url": f"https://a.example/{i}"} for i, name in enumerate(ids)]
    found = good(write_csv(tmp_path / "a", list(rows[0]), rows))
    as_they_are = [one.clip for one, name in zip(found, ids, strict=True) if one.clip == name and name[0] != "-"]
    assert as_they_are == ["0.1", "0.10", "007", "a_b"] and found[5].clip == "-x"
    assert len({one.video for one in found}) == len({one.clip for one in found}) == len(ids)
    assert [one.fields.get("video_id", one.video) for one in found] == ids
    assert not any(mark in one.video + one.clip for one in found for mark in "/\\\x07")


def test_absurd_spans_and_addresses_are_bad_rows(tmp_path: Path) -> None:
    rows = [
        {"url": "https://a.example/1", "start": -1, "end": 2},
        {"url": "https://a.example/2", "start": 2, "end": 2},
        {"url": "https://a.example/3", "start": 0, "end": 1e9},
        {"url": "file:///etc/passwd", "start": 0, "end": 1},
        {"url": "", "start": 0, "end": 1},
        {"url": "/etc/passwd", "start": 0, "end": 1},
        {"url": "https://a.example/7", "start": "__import__('os')", "end": 1},
        {"url": "https://a.example/8", "start": True, "end": 1},
        {"url": ["https://a.example/9"], "start": 0, "end": 1},
    ]
    path = write_json(tmp_path / "a", rows)
    assert list(bad(path)) == list(range(1, 10)) and len(list(read_list(path))) == 9


def test_what_is_guessed_of_columns_is_told_in_words(tmp_path: Path) -> None:
    for columns, words in (
        ("link", "url=link, no start, no end: whole videos"),
        ("link,from,to,text", "url=link, start=from, end=to, caption=text"),
        ("url,begin,end", "url=url, start=begin, end=end"),
        ("url,start_ms,end_ms", "url=url, start=start_ms@ms, end=end_ms@ms"),
        ("url,start,from,to", "url=url, start=start, no end"),
        ("url,from", "url=url, no start, no end: whole videos"),
        ("videoid,span", "video=videoid, span=span"),
    ):
        path = write(tmp_path / "l.csv", f"{columns}\n{','.join('x' for _ in columns.split(','))}\n")
        assert guess_of(path) == words
    assert guess_of(write(tmp_path / "plain", f"{YOUTUBE}\n")) == ""
    assert guess_of(write_csv(tmp_path / "p", ["videoID", "url", "timestamp"], [{"videoID": "x"}])) == ""


def test_from_and_to_are_times_where_both_are_there(tmp_path: Path) -> None:
    [one] = good(write(tmp_path / "l.csv", "link,From,To\nhttps://a.example/1,1,00:00:03\n"))
    assert (one.start_s, one.end_s) == (1.0, 3.0)
