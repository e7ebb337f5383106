"""What a folder of fetched videos takes in, and what it leaves as it is: files of others, lists that are no good."""

from pathlib import Path

import httpx2
import pytest
from conftest import Lister
from fileserver import FileServer

from longtake.errors import SetError, UsageError
from longtake.fetching import FetchError, Limits, Manner, fetch_list, hosts, listing, worker
from longtake.fetching.http import of_status
from longtake.fetching.site_errors import plain
from longtake.sources import Listed
from longtake.sources.lists import read_list

QUICK = {"manner": Manner(allow_private=True), "rate": 500.0, "limits": Limits(reserve_bytes=0)}


@pytest.fixture(autouse=True)
def little_patience(monkeypatch):
    """Shorten what is waited for, and nothing else."""
    monkeypatch.setattr(hosts, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(worker, "BACKOFF_S", 0.05)


def table(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["list.jsonl", "videos/a.mp4", "parts/a/body.part", "mine.mp4", "mine/of/mine.mp4"])
def test_files_of_others_in_a_new_folder_stay(tmp_path, lister: Lister, name):
    mine = tmp_path / "to" / name
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    with pytest.raises(UsageError, match=f"{name.partition('/')[0]}.*name a new folder"):
        fetch_list([lister({"a": "http://127.0.0.1:1/a.mp4"})], tmp_path / "to", **QUICK)
    assert mine.read_bytes() == b"mine"
    assert [path for path in (tmp_path / "to").rglob("*") if path.is_file()] == [mine]


def test_a_folder_with_other_things_and_empty_places_is_taken(tmp_path, mp4, lister: Lister):
    (tmp_path / "to" / "videos").mkdir(parents=True)
    table(tmp_path / "to" / "list.jsonl", "")
    table(tmp_path / "to" / "notes.txt", "mine")
    with FileServer({"/a.mp4": mp4}) as server:
        found = fetch_list([lister({"a": f"{server.url}/a.mp4"})], tmp_path / "to", **QUICK)
    assert found.counts == {"done": 1}


def test_a_list_in_the_place_of_the_folders_own_stays(tmp_path, mp4, lister: Lister):
    path = lister({"a": "http://127.0.0.1:1/a.mp4"}, name="list.jsonl")
    text = path.read_bytes()
    with pytest.raises(UsageError, match="keeps its rows"):
        fetch_list([path], tmp_path, **QUICK)
    assert path.read_bytes() == text and list(tmp_path.iterdir()) == [path]
    with FileServer({"/a.mp4": mp4}) as server:
        fetch_list([lister({"a": f"{server.url}/a.mp4"})], tmp_path / "to", **QUICK)
    with pytest.raises(UsageError, match="keeps its rows"):
        fetch_list([tmp_path / "to" / "list.jsonl"], tmp_path / "to", **QUICK)


def test_a_file_in_a_videos_place_stays(tmp_path, mp4, lister: Lister):
    with FileServer({"/a.mp4": mp4}, {"/a.mp4": ["404", "ok"]}) as server:
        fetch_list([lister({"a": f"{server.url}/a.mp4"})], tmp_path / "to", **QUICK)
        mine = tmp_path / "to" / "videos" / "a.mp4"
        mine.write_bytes(bytes(len(mp4)))  # as long as what comes
        found = fetch_list([], tmp_path / "to", retry_failed=["gone"], **QUICK)
        assert found.counts == {"other": 1} and "another file is there" in found.reasons["other"]
        assert mine.read_bytes() == bytes(len(mp4))
        mine.write_bytes(mp4)
        assert fetch_list([], tmp_path / "to", retry_failed=["other"], **QUICK).counts == {"done": 1}


def test_a_video_whose_file_is_gone_comes_again(tmp_path, mp4, lister: Lister):
    with FileServer({"/a.mp4": mp4, "/b.mp4": mp4}) as server:
        path = lister({name: f"{server.url}/{name}.mp4" for name in "ab"})
        fetch_list([path], tmp_path / "to", **QUICK)
        (tmp_path / "to" / "videos" / "a.mp4").unlink()
        found = fetch_list([], tmp_path / "to", **QUICK)
        assert (found.counts, found.came) == ({"done": 2}, 1)
        assert server.asked == {"/a.mp4": 2, "/b.mp4": 1}
    assert (tmp_path / "to" / "videos" / "a.mp4").read_bytes() == mp4


def test_a_place_that_can_not_be_made_is_said(tmp_path, lister: Lister):
    path = lister({"a": "http://127.0.0.1:1/a.mp4"})
    file = table(tmp_path / "file", "mine")
    for to in (file, file / "below", tmp_path / ("x" * 300)):
        with pytest.raises(SetError, match="name another folder"):
            fetch_list([path], to, **QUICK)
    assert file.read_text() == "mine"


def test_a_call_that_can_not_be_begun_leaves_nothing(tmp_path, lister: Lister):
    fine = lister({"a": "http://127.0.0.1:1/a.mp4"})
    unknown = table(tmp_path / "unknown.csv", "a,b\n1,2\n")
    fit = table(tmp_path / "fit.csv", "link\nhttp://127.0.0.1:1/b.mp4\n")
    for lists, options, words in (
        ([fine, unknown], {}, "say which"),
        ([fit, unknown], {"mapping": {"url": "link"}}, "no column"),
        ([fine], {"manner": Manner(size="big")}, "no size"),
        ([fine], {"manner": Manner(proxy="nonsense://x")}, "proxy"),
    ):
        with pytest.raises(UsageError, match=words):
            fetch_list(lists, tmp_path / "to", **options)
        assert not (tmp_path / "to").exists()


def test_one_id_in_two_lists_is_two_videos(tmp_path, mp4):
    with FileServer({"/a.mp4": mp4, "/b.mp4": mp4}) as server:
        lists = [
            table(tmp_path / f"{name}.csv", f"videoid,url,caption\n1,{server.url}/{name}.mp4,{name}\n") for name in "ab"
        ]
        found = fetch_list(lists, tmp_path / "to", **QUICK)
        assert found.counts == {"done": 2} and server.asked == {"/a.mp4": 1, "/b.mp4": 1}
    rows = [row for row in read_list(tmp_path / "to" / "list.jsonl") if isinstance(row, Listed)]
    assert len({row.video for row in rows}) == 2
    assert [(row.url[-5:], row.captions[0].text) for row in rows] == [("a.mp4", "a"), ("b.mp4", "b")]


def test_one_address_with_two_ids_is_one_video(tmp_path, mp4, monkeypatch):
    monkeypatch.setattr(listing, "ROWS", 2)
    with FileServer({"/a.mp4": mp4}) as server:
        path = table(tmp_path / "l.csv", "videoid,url\n" + "".join(f"clip{i},{server.url}/a.mp4\n" for i in range(5)))
        assert fetch_list([path], tmp_path / "to", **QUICK).counts == {"done": 1}
        path.write_text(path.read_text().replace("clip0", "new"))  # that which it is called by is gone
        assert fetch_list([path], tmp_path / "to", **QUICK).came == 0
        assert server.asked == {"/a.mp4": 1}
    rows = [row for row in read_list(tmp_path / "to" / "list.jsonl") if isinstance(row, Listed)]
    assert {row.video for row in rows} == {file.stem for file in (tmp_path / "to" / "videos").iterdir()}
    assert sorted(row.fields["videoid"] for row in rows) == ["clip1", "clip2", "clip3", "clip4", "new"]


def test_what_was_guessed_is_told(tmp_path, mp4):
    with FileServer({"/a.mp4": mp4}) as server:
        path = table(tmp_path / "l.csv", f"link\n{server.url}/a.mp4\n")
        first = fetch_list([path], tmp_path / "to", **QUICK)
        assert first.notes == ("l.csv: url=link, no start, no end: whole videos",)
        assert fetch_list([path], tmp_path / "to", **QUICK).notes == first.notes
        assert fetch_list([path], tmp_path / "to", mapping={"url": "link"}, **QUICK).notes == (), "it reads the same"
        path.write_text(f"link,from,to\n{server.url}/a.mp4,0,1\n")
        notes = fetch_list([path], tmp_path / "to", **QUICK).notes
        assert notes[0] == "l.csv: url=link, start=from, end=to" and "changed" in notes[1]


def test_refused_videos_come_once_private_hosts_are_allowed(tmp_path, mp4, lister: Lister):
    with FileServer({"/a.mp4": mp4}) as server:
        path = lister({"a": f"{server.url}/a.mp4"})
        refused = fetch_list([path], tmp_path / "to", rate=500.0, limits=Limits(reserve_bytes=0))
        assert refused.counts == {"refused": 1} and "--allow-private" in refused.reasons["refused"]
        assert fetch_list([], tmp_path / "to", **QUICK).counts == {"done": 1}


def test_nothing_that_a_stranger_says_reaches_the_terminal(tmp_path):
    evil = "\x1b]0;owned\x07\x1b[2Jno\nway\u202e"
    assert FetchError("other", evil).message.isprintable() and str(FetchError("other", evil)).isprintable()
    response = httpx2.Response(404, extensions={"reason_phrase": b"Not\x1b[2J Found"})
    assert of_status(404, "https://a.example/", response).message == "https://a.example/: 404 Not?[2J Found"
    assert plain(f"ERROR: {evil} at all") == "?[2Jno way? at all"
    path = table(tmp_path / "l.csv", f"video,url\n1,{'file:///x'}\n2,https://a.example/\x1b[2J\n")
    found = fetch_list([path], tmp_path / "to", **QUICK)
    assert found.bad_rows == 2 and all(problem.isprintable() for problem in found.problems)
