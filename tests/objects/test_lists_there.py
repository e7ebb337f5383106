"""Lists that name objects on stores: whole or in spans, gone on with after a kill, and why one may not come."""

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from media import pan, read_frames, read_number, write_number, write_video

from longtake.cli import main
from longtake.fetching import Limits, Manner, fetch_list, hosts, objects, ranges, worker
from longtake.places import Remote, stores
from longtake.store import Store
from longtake.video.pieces import cut_pieces

QUICK = {"rate": 500.0, "limits": Limits(reserve_bytes=0)}
FPS = 15
PATIENCE_S = 60


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten what is waited for, and ask for as little as suits small files."""
    monkeypatch.setattr(hosts, "FIRST_WAIT_S", 0.02)
    monkeypatch.setattr(worker, "BACKOFF_S", 0.02)
    monkeypatch.setattr(ranges, "FIRST_BYTES", 8192)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 20 s of numbered frames with noise on them, a key frame every 2 s."""
    rng = np.random.default_rng(3)
    pictures = []
    for i, picture in enumerate(pan(20 * FPS, seed=16, speed=0.1, fps=FPS, size=(160, 90))):
        picture[40:] = rng.integers(0, 255, (50, 160, 3))
        pictures.append(write_number(picture, i))
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    return write_video(path, pictures, fps=FPS, options={"g": "30", "preset": "ultrafast", "crf": "30"})


def written(path: Path, *lines: object) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def files(to: Path) -> list[str]:
    return sorted(file.name for file in (to / "videos").iterdir())


def only(to: Path) -> bytes:
    [file] = (to / "videos").iterdir()
    return file.read_bytes()


def ledger(to: Path) -> Mapping[str, dict[str, Any]]:
    """Return what the ledger says of each address."""
    db = sqlite3.connect(to / "fetched.sqlite")
    db.row_factory = sqlite3.Row
    found = {row["url"]: dict(row) for row in db.execute("SELECT * FROM videos")}
    db.close()
    return found


def starts(way, path: str) -> list[int]:
    """Return the first bytes that were asked for of an object, in order."""
    return [int(one.range.removeprefix("bytes=").partition("-")[0]) for one in way.of("GET", path)]


def test_objects_are_videos_of_lists_of_all_kinds(way, bucket: Remote, media, tmp_path: Path) -> None:
    for name, film in (("a b%20c.mp4", "cut"), ("deep/still.mp4", "still"), ("third.mp4", "with_sound")):
        (bucket / name).put(media[film])
    way.clear()
    plain = written(tmp_path / "plain.txt", f"{bucket}/a b%20c.mp4")
    table = written(tmp_path / "table.csv", "where,from,until", f"{bucket}/deep/still.mp4,0,1")
    lines = written(tmp_path / "lines.jsonl", f'{{"url": "{bucket}/third.mp4", "start": 0.5, "end": 1}}')
    to = tmp_path / "to"
    assert fetch_list([plain, lines], to, **QUICK).counts == {"done": 2}
    found = fetch_list([table], to, mapping={"url": "where", "start": "from", "end": "until"}, **QUICK)
    assert (found.counts, found.came, found.bad_rows) == ({"done": 3}, 1, 0)
    assert found.came_bytes == media["still"].stat().st_size
    kept = {url: (to / row["path"], row) for url, row in ledger(to).items()}
    assert {url.removeprefix(f"{bucket}/") for url in kept} == {"a b%20c.mp4", "deep/still.mp4", "third.mp4"}
    for name, film in (("a b%20c", "cut"), ("deep/still", "still"), ("third", "with_sound")):
        path, row = kept[f"{bucket}/{name}.mp4"]
        data = media[film].read_bytes()
        assert path.read_bytes() == data
        assert (row["bytes"], row["sha256"], row["host"]) == (len(data), hashlib.sha256(data).hexdigest(), str(bucket))
    assert len(way.passed) == 3 and all(one.signed for one in way.passed), "one request each, nothing else"


CALL = """
import sys
from longtake.fetching import Limits, fetch_list
fetch_list([sys.argv[1]], sys.argv[2], limits=Limits(reserve_bytes=0))
"""


def test_killed_in_the_middle_it_goes_on_at_the_byte_it_had(way, bucket: Remote, long: Path, tmp_path: Path) -> None:
    (bucket / "long.mp4").put(long)
    data, to = long.read_bytes(), tmp_path / "to"
    path = written(tmp_path / "list.txt", f"{bucket}/long.mp4")
    way.clear()
    way.faults += [("cut", "GET", "long"), *[("503", "GET", "long")] * 50]  # half of it comes, then it is to wait
    process = subprocess.Popen([sys.executable, "-c", CALL, str(path), str(to)], cwd=Path(__file__).parents[2])
    give_up = time.monotonic() + PATIENCE_S
    try:
        while not sum(part.stat().st_size for part in (to / "parts").glob("*/body.part")) > 300_000:
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < give_up
            time.sleep(0.005)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert files(to) == [], "no file has its name before it is whole"
    [part] = (to / "parts").glob("*/body.part")
    here = part.stat().st_size
    assert 300_000 < here < len(data)
    way.clear()
    found = fetch_list([path], to, **QUICK)
    assert found.counts == {"done": 1} and found.came_bytes == len(data) - here
    assert starts(way, "long") == [here] and only(to) == data
    assert list((to / "parts").iterdir()) == []


def test_what_breaks_off_is_gone_on_with_and_another_object_is_begun_anew(
    way, bucket: Remote, long: Path, media, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(objects, "PIECE_BYTES", 400_000)
    (bucket / "film.mp4").put(long)
    path, to, size = written(tmp_path / "list.txt", f"{bucket}/film.mp4"), tmp_path / "to", long.stat().st_size
    way.clear()
    way.fail("cut")
    assert fetch_list([path], to, **QUICK).counts == {"done": 1}
    begun = starts(way, "film")
    assert only(to) == long.read_bytes() and begun == sorted(set(begun)) and 0 < begun[1] <= 200_000
    assert sum(one.sent for one in way.passed) < size + (1 << 17)

    (to / "videos" / files(to)[0]).unlink()
    way.clear()
    way.faults += [("cut", "GET", "film"), *[("503", "GET", "film")] * 50]
    assert fetch_list([path], to, **QUICK).counts == {"throttled": 1}
    (bucket / "film.mp4").put(media["cut"])
    way.clear()
    found = fetch_list([path], to, **QUICK)
    assert found.counts == {"done": 1} and only(to) == media["cut"].read_bytes()
    assert starts(way, "film")[:2] == [begun[1], 0], "what was here is asked about, and not used"


def test_why_an_object_does_not_come(way, bucket: Remote, media, tmp_path: Path) -> None:
    (bucket / "good.mp4").put(media["cut"])
    (bucket / "text.mp4").put(media["text"])
    (bucket / "empty.mp4").write_bytes(b"")
    (bucket / "mine.mp4").put(media["cut"])
    way.clear()
    way.fail("403", path="mine", times=10)
    way.fail("500", path="far", times=10)
    names = ("good", "text", "empty", "mine", "none", "far")
    path = written(tmp_path / "list.txt", *(f"{bucket}/{name}.mp4" for name in names), "s3://no-such-bucket/a.mp4")
    found = fetch_list([path], tmp_path / "to", **QUICK)
    rows = ledger(tmp_path / "to")
    states = {name: rows[f"{bucket}/{name}.mp4"]["state"] for name in names}
    assert states == {
        "good": "done",
        "text": "bad_file",
        "empty": "bad_file",
        "mine": "private",
        "none": "gone",
        "far": "network",
    }
    assert rows["s3://no-such-bucket/a.mp4"]["state"] == "gone" and found.counts["done"] == 1
    said = {url.rpartition("/")[2]: row["message"] for url, row in rows.items()}
    assert said["a.mp4"] == "s3://no-such-bucket/a.mp4: no such bucket"
    assert said["none.mp4"] == f"{bucket}/none.mp4: no such object"
    assert "AWS_PROFILE" in said["mine.mp4"] and "docs/objects.md" in said["mine.mp4"]
    assert "the object is empty" in said["empty.mp4"] and "500" in said["far.mp4"]
    assert len(way.of("GET", "far")) == worker.TRIES, "tried again by us alone"


def test_a_bucket_that_is_not_there_is_not_asked_for_each_object(way, tmp_path: Path) -> None:
    path = written(tmp_path / "list.txt", *(f"s3://no-such-bucket/{i}.mp4" for i in range(40)))
    found = fetch_list([path], tmp_path / "to", workers=2, **QUICK)
    assert "no such bucket" in found.hosts["s3://no-such-bucket"]
    assert found.counts["wanted"] >= 15 and found.counts["gone"] >= 20


def test_nobody_reads_what_only_somebody_may(way, bucket: Remote, media, monkeypatch, tmp_path: Path) -> None:
    (bucket / "a.mp4").put(media["cut"])
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    stores.store.cache_clear()
    way.clear()
    path = written(tmp_path / "list.txt", f"{bucket}/a.mp4", "az://container/a.mp4")
    assert fetch_list([path], tmp_path / "to", **QUICK).counts == {"private": 2}
    assert way.passed and not any(one.signed for one in way.passed)
    assert "AZURE_STORAGE_ACCOUNT_NAME" in ledger(tmp_path / "to")["az://container/a.mp4"]["message"]


def test_google_is_asked_as_nobody_where_nobody_is_named(way, monkeypatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("GOOGLE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert stores.settings("gs", "bucket") == {"skip_signature": "true"}
    kept = tmp_path / ".config/gcloud/application_default_credentials.json"
    kept.parent.mkdir(parents=True)
    kept.write_text("{}")
    stores.settings.cache_clear()
    assert stores.settings("gs", "bucket") == {}


def test_a_bucket_that_is_asked_too_often_gets_its_peace_from_all(way, bucket: Remote, media, tmp_path: Path) -> None:
    names = [f"{i}.mp4" for i in range(6)]
    for name in names:
        (bucket / name).put(media["cut"])
    path = written(tmp_path / "list.txt", *(f"{bucket}/{name}" for name in names))
    way.clear()
    way.fail("503", times=2)
    found = fetch_list([path], tmp_path / "to", workers=1, **QUICK)
    assert found.counts == {"done": 6} and found.hosts == {}
    assert len(way.passed) == 8, "the store's library doesn't ask again by itself"

    way.clear()
    way.fail("503", times=1000)
    found = fetch_list([path], tmp_path / "other", workers=2, **QUICK)
    assert set(found.hosts) == {str(bucket)} and "refused 5 times in a row" in found.hosts[str(bucket)]
    assert found.counts["wanted"] >= 4 and len(way.passed) <= 6


def test_only_the_spans_come_and_equal_those_of_the_whole(way, bucket: Remote, long: Path, tmp_path: Path) -> None:
    (bucket / "long.mp4").put(long)
    spans = [(7.0, 8.0), (16.5, 17.0)]
    path = written(tmp_path / "list.csv", "url,start,end", *(f"{bucket}/long.mp4,{a},{b}" for a, b in spans))
    to = tmp_path / "to"
    way.clear()
    found = fetch_list([path], to, manner=Manner(spans=True), **QUICK)
    assert (found.counts, found.notes[1:]) == ({"done": 1}, ())
    assert found.came_bytes == sum(one.sent for one in way.passed) < 0.4 * long.stat().st_size
    size = long.stat().st_size
    (tmp_path / "cut").mkdir()
    cut = cut_pieces(long, [(0, size)], size, spans, tmp_path / "cut", gaps=False, alive=lambda: None)
    assert isinstance(cut, list)
    came = [(to / "videos" / name).read_bytes() for name in files(to)]
    assert sorted(came) == sorted(one.path.read_bytes() for one in cut)
    shown = [[read_number(picture) for _, picture in read_frames(to / "videos" / name)] for name in files(to)]
    for (start, end), numbers in zip(reversed(spans), shown, strict=True):  # by name, @16.5-17 is the first
        assert {*range(round(start * FPS), round(end * FPS))} <= {*numbers}


def test_spans_of_another_object_are_begun_anew(way, bucket: Remote, long: Path, tmp_path: Path) -> None:
    (bucket / "long.mp4").put(long)
    path, to = written(tmp_path / "list.csv", "url,start,end", f"{bucket}/long.mp4,7,8"), tmp_path / "to"
    way.clear()
    way.faults += [("trickle", "GET", "long")] * 2 + [("503", "GET", "long")] * 50
    assert fetch_list([path], to, manner=Manner(spans=True), **QUICK).counts == {"throttled": 1}
    [left] = (to / "parts").glob("*/ranges.json")
    assert len(way.of("GET", "long")) > 2 and json.loads(left.read_bytes())["have"][0] == [0, 8192]
    (bucket / "long.mp4").write_bytes(long.read_bytes() + b"\0\0\0\x08free")
    way.clear()
    found = fetch_list([path], to, manner=Manner(spans=True), **QUICK)
    assert (found.counts, found.notes[1:]) == ({"done": 1}, ()) and found.came_bytes < long.stat().st_size / 2
    assert "@7-8" in files(to)[0]


def test_a_run_takes_a_list_of_objects(way, bucket: Remote, long: Path, tmp_path: Path) -> None:
    (bucket / "long.mp4").put(long)
    path = written(tmp_path / "list.csv", "url,start,end,caption", f"{bucket}/long.mp4,6.2,8.2,A pan.")
    made = tmp_path / "set"
    done = CliRunner().invoke(main, ["run", "listed", str(path), "--spans", "--to", str(made)])
    assert done.exit_code == 0, done.output
    [clip] = Store(made).read("clips").to_pylist()
    assert [read_number(picture) for _, picture in read_frames(made / clip["file"])] == [*range(93, 123)]
    captions = Store(made).read("captions", where="step = 'listed'").to_pylist()
    assert [row["text"] for row in captions] == ["A pan."]


def test_without_the_library_all_else_comes_and_it_is_named(way, bucket, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    addresses = [f"{bucket}/{i}.mp4" for i in range(30)]
    path = written(tmp_path / "list.txt", "file:///etc/passwd", "http://127.0.0.1:9/a.mp4", *addresses)
    found = fetch_list([path], tmp_path / "to", **QUICK)
    assert found.counts == {"refused": 1, "wanted": 30} and found.bad_rows == 1
    assert "pip install 'longtake[objects]'" in found.hosts[str(bucket)]
    assert way.passed == []
