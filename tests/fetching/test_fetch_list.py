"""Lists become videos on disk, from a real server: what comes, what doesn't, and that nothing is asked for twice."""

import hashlib
import sqlite3
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conftest import Lister
from fileserver import FileServer

from longtake.errors import SetError, UsageError
from longtake.fetching import Limits, Manner, fetch_list, fetched, hosts, run, worker
from longtake.lock import Lock
from longtake.sources.lists import read_list
from longtake.watch import Progress

HOME = Manner(allow_private=True)


@pytest.fixture(autouse=True)
def little_patience(monkeypatch):
    """Shorten what is waited for, and nothing else."""
    monkeypatch.setattr(hosts, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(worker, "BACKOFF_S", 0.05)


QUICK = {"manner": HOME, "rate": 500.0, "limits": Limits(reserve_bytes=0)}


def urls(server: FileServer, names: Mapping[str, str] | list[str] | str) -> dict[str, str]:
    """Return addresses of a server by video id: `{"a": "/a.mp4"}`, or ids alone."""
    if not isinstance(names, Mapping):
        names = {name: f"/{name}.mp4" for name in names}
    return {video: server.url + path for video, path in names.items()}


def row(folder: Path, video: str) -> dict[str, Any]:
    """Return what the ledger says of a video."""
    db = sqlite3.connect(folder / "fetched.sqlite")
    db.row_factory = sqlite3.Row
    found = dict(db.execute("SELECT * FROM videos WHERE video = ?", (video,)).fetchone())
    db.close()
    return found


def left_overs(folder: Path) -> list[Path]:
    return list((folder / "parts").rglob("*"))


def test_each_video_comes_once_however_many_clips_it_has(tmp_path, mp4, lister: Lister):
    names = [f"v{i:02d}" for i in range(24)]
    with FileServer({f"/{name}.mp4": mp4 for name in names}) as server:
        path = lister(urls(server, names), clips=5)
        found = fetch_list([path], tmp_path / "to", workers=8, **QUICK)
        assert found.counts == {"done": 24}
        assert (found.came, found.came_bytes, found.rows, found.failed) == (24, 24 * len(mp4), 120, 0)
        assert set(server.asked.values()) == {1} and len(server.asked) == 24
        again = fetch_list([path], tmp_path / "to", workers=8, **QUICK)
        assert (again.counts, again.came, again.came_bytes) == ({"done": 24}, 0, 0)
        assert server.asked.total() == 24, "the second call asks nothing"
    files = sorted((tmp_path / "to" / "videos").iterdir())
    assert [file.name for file in files] == [f"{name}.mp4" for name in names]
    assert all(file.read_bytes() == mp4 for file in files)
    found = row(tmp_path / "to", "v07")
    assert (found["path"], found["bytes"]) == ("videos/v07.mp4", len(mp4))
    assert found["sha256"] == hashlib.sha256(mp4).hexdigest()
    assert left_overs(tmp_path / "to") == []


def test_the_folder_keeps_each_row_of_its_lists_once(tmp_path, mp4, lister: Lister):
    with FileServer({"/a.mp4": mp4, "/b.mp4": mp4, "/c.mp4": mp4}) as server:
        first = lister(urls(server, "ab"), clips=3)
        fetch_list([first], tmp_path / "to", **QUICK)
        grown = lister(urls(server, "abc"), clips=4, name="grown.jsonl")
        fetch_list([first, grown], tmp_path / "to", **QUICK)
        assert server.asked == {"/a.mp4": 1, "/b.mp4": 1, "/c.mp4": 1}
    rows = list(read_list(tmp_path / "to" / "list.jsonl"))
    assert sorted(r.clip for r in rows) == sorted(f"{v}-{i}" for v in "abc" for i in range(4))


def test_what_hosts_answer_becomes_a_state(tmp_path, mp4, lister: Lister):
    scripts = {
        "/gone.mp4": ["404"],
        "/removed.mp4": ["410"],
        "/private.mp4": ["403"],
        "/login.mp4": ["401"],
        "/legal.mp4": ["451"],
        "/broken.mp4": ["500"],
        "/teapot.mp4": ["418"],
        "/page.mp4": ["html"],
        "/named.mp4": ["page"],
        "/half.mp4": [f"short:{len(mp4) // 2}"],
        "/open.mp4": [f"cut:{len(mp4)}", "ok"],
        "/empty.mp4": ["ok"],
        "/picture.mp4": ["ok"],
        "/fine.mp4": ["ok"],
        "/loop.mp4": ["redirect:/loop.mp4"],
    }
    files = dict.fromkeys(scripts, mp4) | {"/empty.mp4": b"", "/picture.mp4": b"\x89PNG\r\n\x1a\n" + bytes(500)}
    with FileServer(files, scripts) as server:
        path = lister(urls(server, [name[1:-4] for name in scripts]))
        found = fetch_list([path], tmp_path / "to", **QUICK)
    states = {name[1:-4]: row(tmp_path / "to", name[1:-4])["state"] for name in scripts}
    assert states == {
        "gone": "gone",
        "removed": "gone",
        "private": "private",
        "login": "private",
        "legal": "geo",
        "broken": "network",
        "teapot": "other",
        "page": "bad_file",
        "named": "bad_file",
        "half": "done",  # all that the host has, which is told
        "open": "done",
        "empty": "bad_file",
        "picture": "bad_file",
        "fine": "done",
        "loop": "other",
    }
    assert found.counts == {s: list(states.values()).count(s) for s in set(states.values())}
    assert found.failed == len(states) - 3
    assert server.asked["/gone.mp4"] == 1 and server.asked["/broken.mp4"] == 4
    assert row(tmp_path / "to", "broken")["attempts"] == 4
    assert "404" in row(tmp_path / "to", "gone")["message"]
    assert "web page" in row(tmp_path / "to", "named")["message"]
    assert "declared" in row(tmp_path / "to", "half")["message"]
    assert sorted(file.name for file in (tmp_path / "to/videos").iterdir()) == ["fine.mp4", "half.mp4", "open.mp4"]


def test_failures_are_asked_again_by_name_only_but_for_those_that_may_pass(tmp_path, mp4, lister: Lister):
    scripts = {"/gone.mp4": ["404", "ok"], "/private.mp4": ["403", "ok"], "/shaky.mp4": ["500"] * 4 + ["ok"]}
    with FileServer(dict.fromkeys(scripts, mp4), scripts) as server:
        path = lister(urls(server, ["gone", "private", "shaky"]))
        assert fetch_list([path], tmp_path / "to", **QUICK).counts == {"gone": 1, "private": 1, "network": 1}
        assert fetch_list([path], tmp_path / "to", **QUICK).counts == {"gone": 1, "private": 1, "done": 1}
        assert fetch_list([], tmp_path / "to", retry_failed=["gone"], **QUICK).counts == {"private": 1, "done": 2}
        assert fetch_list([], tmp_path / "to", retry_failed=["all"], **QUICK).counts == {"done": 3}
    with pytest.raises(UsageError, match="no state of a failed video"):
        fetch_list([], tmp_path / "to", retry_failed=["done"], **QUICK)


def test_a_page_without_yt_dlp_says_what_to_install(tmp_path, mp4, lister: Lister, monkeypatch):
    monkeypatch.setattr(run, "find_spec", lambda _: None)
    with FileServer({}, {"/watch": ["html"], "/live.m3u8": ["m3u8"]}) as server:
        videos = urls(server, {"page": "/watch", "hls": "/live.m3u8"}) | {"tube": "https://www.youtube.com/watch?v=x"}
        found = fetch_list([lister(videos)], tmp_path / "to", **QUICK)
    assert found.counts == {"no_format": 2, "wanted": 1}
    assert "longtake[download]" in row(tmp_path / "to", "page")["message"]
    assert "longtake[download]" in found.hosts["youtube.com"], "not asked even once"


def test_a_host_that_is_busy_is_left_in_peace_by_all_workers(tmp_path, mp4, lister: Lister):
    names = [f"v{i}" for i in range(8)]
    scripts = {"/v0.mp4": ["429:1", "ok"]}
    with FileServer({f"/{name}.mp4": mp4 for name in names}, scripts) as server:
        path = lister(urls(server, names))
        # At this rate the others would be asked for in 0.7 s.
        found = fetch_list([path], tmp_path / "to", workers=4, **{**QUICK, "rate": 10.0})
        assert found.counts == {"done": 8}
        assert server.asked["/v0.mp4"] == 2 and server.asked.total() == 9
        pauses = [b - a for a, b in pairwise(server.times)]
    # It asked for a second of peace, and got it after those requests that were sent before its answer came.
    assert max(pauses) > 0.85


def test_requests_to_one_host_keep_their_distance(tmp_path, mp4, lister: Lister):
    names = [f"v{i}" for i in range(6)]
    with FileServer({f"/{name}.mp4": mp4 for name in names}) as server:
        fetch_list([lister(urls(server, names))], tmp_path / "to", workers=6, **{**QUICK, "rate": 5.0})
    assert server.times[-1] - server.times[0] > 0.9, "six in a row, 0.2 s apart"


def test_a_host_that_refuses_is_asked_no_more_and_others_go_on(tmp_path, mp4, lister: Lister):
    names = [f"v{i:02d}" for i in range(40)]
    with (
        FileServer({}, default=["429:0"]) as busy,
        FileServer({}, default=["403"]) as shut,
        FileServer({f"/{name}.mp4": mp4 for name in names}) as fine,
    ):
        videos = {f"{kind}-{name}": url for kind, server in (("busy", busy), ("shut", shut), ("fine", fine))
                  for name, url in urls(server, names).items()}  # fmt: skip
        found = fetch_list([lister(videos)], tmp_path / "to", workers=4, **QUICK)
        assert found.counts["done"] == 40
        assert set(found.hosts) == {f"127.0.0.1:{busy.port}", f"127.0.0.1:{shut.port}"}
        assert "429" in found.hosts[f"127.0.0.1:{busy.port}"]
        # Those on their way when it was given up count on top.
        assert 5 <= busy.asked.total() <= 8
        assert 20 <= shut.asked.total() <= 23
        assert found.counts["wanted"] >= 50, "the rest stays for another call"
        assert found.stopped == ""


def test_shards_are_parts(tmp_path, mp4, lister: Lister):
    names = [f"v{i:02d}" for i in range(15)]
    with FileServer({f"/{name}.mp4": mp4 for name in names}) as server:
        path = lister(urls(server, names))
        parts = []
        for i in (1, 2, 3):
            found = fetch_list([path], tmp_path / f"to{i}", shard=f"{i}/3", **QUICK)
            parts.append({file.stem for file in (tmp_path / f"to{i}" / "videos").iterdir()})
            assert found.counts == {"done": len(parts[-1])} and parts[-1]
            assert fetched(tmp_path / f"to{i}").counts["wanted"] == 15 - len(parts[-1])
        assert set.union(*parts) == set(names) and sum(map(len, parts)) == 15
        assert set(server.asked.values()) == {1}
        backwards = lister(dict(reversed(urls(server, names).items())), name="backwards.jsonl")
        fetch_list([backwards], tmp_path / "other", shard="2/3", **QUICK)
        assert {file.stem for file in (tmp_path / "other" / "videos").iterdir()} == parts[1], "whatever the order"
    for text in ("0/3", "4/3", "3", "a/b", "1/0", "-1/3"):
        with pytest.raises(UsageError, match="no shard"):
            fetch_list([path], tmp_path / "to", shard=text, **QUICK)


def test_it_stops_before_the_budget_is_spent_and_goes_on_with_a_larger_one(tmp_path, big, lister: Lister):
    names = [f"v{i}" for i in range(6)]
    with FileServer({f"/{name}.mp4": big for name in names}) as server:
        path = lister(urls(server, names))
        few = {**QUICK, "limits": Limits(budget_bytes=int(2.5 * len(big)), reserve_bytes=0)}
        # Those that are under way come to their end, and no other is begun.
        found = fetch_list([path], tmp_path / "to", workers=4, **few)
        assert found.counts == {"done": 2, "wanted": 4} and "budget" in found.stopped
        taken = sum(file.stat().st_size for file in (tmp_path / "to").rglob("*") if file.suffix in (".mp4", ".part"))
        assert taken <= 2.5 * len(big)
        assert fetch_list([path], tmp_path / "to", **QUICK).counts == {"done": 6}


def test_it_stops_while_the_disk_still_has_what_is_kept_free(tmp_path, mp4, lister: Lister):
    with FileServer({"/a.mp4": mp4}) as server:
        full = {**QUICK, "limits": Limits(reserve_bytes=1 << 60)}
        found = fetch_list([lister(urls(server, "a"))], tmp_path / "to", **full)
        assert found.counts == {"wanted": 1} and "disk would be full" in found.stopped
        assert server.asked.total() == 0


def test_a_file_that_is_too_large_is_left(tmp_path, mp4, big, lister: Lister):
    scripts = {"/unsaid.mp4": ["no-length"]}
    with FileServer({"/a.mp4": mp4, "/big.mp4": big, "/unsaid.mp4": big}, scripts) as server:
        small = {**QUICK, "limits": Limits(most_bytes=1_000_000, reserve_bytes=0)}
        found = fetch_list([lister(urls(server, ["a", "big", "unsaid"]))], tmp_path / "to", **small)
        assert found.counts == {"done": 1, "too_large": 2}
        assert server.sent["/big.mp4"] < len(big)
    assert left_overs(tmp_path / "to") == []


def test_progress_says_what_came_and_what_did_not(tmp_path, mp4, lister: Lister):
    names = [f"v{i:02d}" for i in range(25)]
    told: list[Progress] = []
    with FileServer({f"/{name}.mp4": mp4 for name in names[1:]}) as server:
        found = fetch_list([lister(urls(server, names))], tmp_path / "to", watch=told.append, **QUICK)
        assert 1 <= server.heads.total() <= 5, "the sizes of a few are asked for, to guess at all"
    assert found.counts == {"done": 24, "gone": 1}
    assert [told[0].phase, told[1].phase, told[-1].phase] == ["list", "fetch", "fetch"]
    assert (told[0].done, told[1].done, told[1].total) == (25, 0, 25) and "to come" in told[1].words
    assert (told[-1].done, told[-1].total, told[-1].failed) == (24, 25, 1)
    assert "1 gone" in told[-1].words and "/s" in told[-1].words


def test_rows_that_name_nothing_are_told(tmp_path, mp4):
    with FileServer({"/a.mp4": mp4}) as server:
        path = tmp_path / "videos.csv"
        path.write_text(
            f"url,start,end\n{server.url}/a.mp4,0,1\nfile:///etc/passwd,0,1\n,0,1\n{server.url}/a.mp4,5,1\n"
        )
        found = fetch_list([path], tmp_path / "to", **QUICK)
    assert found.counts == {"done": 1}
    assert found.bad_rows == len(found.problems) == 3 and found.rows == 4
    assert all("videos.csv, row" in problem for problem in found.problems)


def test_what_cannot_be_used_is_said_before_anything_is_asked(tmp_path, lister: Lister):
    path = lister({"a": "http://127.0.0.1:1/a.mp4"})
    for lists, options, words in (
        ([tmp_path / "no.csv"], {}, "no such list"),
        ([], {}, "name a list"),
        ([path], {"workers": 0}, "workers"),
        ([path], {"rate": 0.0}, "rate"),
        ([path], {"manner": Manner(proxy="nonsense://x")}, "proxy"),
        ([path], {"manner": Manner(cookies=tmp_path / "no.txt")}, "cookies"),
    ):
        with pytest.raises(UsageError, match=words):
            fetch_list(lists, tmp_path / "to", **options)
    with Lock(tmp_path / "to"), pytest.raises(SetError, match="another run"):
        fetch_list([path], tmp_path / "to")
    with pytest.raises(UsageError, match="nothing was fetched"):
        fetched(tmp_path)


def test_cookies_are_sent_and_their_file_stays_as_it_is(tmp_path, mp4, lister: Lister):
    cookies = tmp_path / "cookies.txt"
    text = "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\tsecret\n"
    cookies.write_text(text)
    with FileServer({"/a.mp4": mp4}) as server:
        manner = Manner(allow_private=True, cookies=cookies)
        found = fetch_list([lister(urls(server, "a"))], tmp_path / "to", **{**QUICK, "manner": manner})
        assert found.counts == {"done": 1}
        assert server.headers["/a.mp4"][0]["Cookie"] == "session=secret"
    assert cookies.read_text() == text


def test_workers_work_at_once_and_hosts_beside_each_other(tmp_path, mp4, lister: Lister):
    names = [f"v{i:02d}" for i in range(8)]
    files = {f"/{name}.mp4": mp4 for name in names}
    with (
        FileServer(files, default=["slow"], slow_s=0.25) as one,
        FileServer(files, default=["slow"], slow_s=0.25) as two,
    ):
        videos = {f"{kind}{name}": url for kind, s in (("a", one), ("b", two)) for name, url in urls(s, names).items()}
        assert fetch_list([lister(videos)], tmp_path / "to", workers=8, **QUICK).counts == {"done": 16}
        assert one.peak + two.peak >= 6
        assert min(one.peak, two.peak) >= 2


def test_a_list_that_knows_a_new_address_is_heard(tmp_path, mp4, lister: Lister):
    with FileServer({"/a.mp4": mp4, "/new.mp4": mp4}) as server:
        old = lister({"a": f"{server.url}/a.mp4", "b": f"{server.url}/old.mp4"})
        assert fetch_list([old], tmp_path / "to", **QUICK).counts == {"done": 1, "gone": 1}
        new = lister(dict.fromkeys("ab", f"{server.url}/new.mp4"), name="new.jsonl")
        assert fetch_list([new], tmp_path / "to", **QUICK).counts == {"done": 2}
        assert server.asked == {"/a.mp4": 1, "/old.mp4": 1, "/new.mp4": 1}


def test_many_bytes_that_are_no_video_are_not_waited_for(tmp_path, lister: Lister):
    with FileServer({"/a.mp4": b"PK\x03\x04" + bytes(30_000_000)}) as server:
        found = fetch_list([lister(urls(server, "a"))], tmp_path / "to", **QUICK)
        assert found.counts == {"bad_file": 1}
        assert found.came_bytes == 0 and server.sent.total() < 20_000_000
