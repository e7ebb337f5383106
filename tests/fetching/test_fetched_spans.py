"""Only the wanted spans of videos: what is asked for, what comes, and that clips of it are those of the whole video."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fileserver import FileServer
from media import pan, read_frames, read_number, write_number, write_video
from test_fetch_list import HOME, left_overs, row

from longtake.fetching import Limits, Manner, fetch_list, hosts, ranges, worker
from longtake.fetching.ledger import Ledger
from longtake.fetching.pieces import MOST, Whole, fetch_pieces
from longtake.running import run
from longtake.shards import Part
from longtake.sources import Listed, ListedCaption
from longtake.sources.files import find_videos
from longtake.sources.lists import to_json
from longtake.store import Store

FPS, FRAMES = 15, 600
SPANS = {"manner": Manner(allow_private=True, spans=True), "rate": 500.0, "limits": Limits(reserve_bytes=0)}
WHOLE = SPANS | {"manner": HOME}
Spans = Sequence[tuple[float | None, float | None]]
Names = Callable[..., Path]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Shorten what is waited for, and ask for as little as suits a small file."""
    monkeypatch.setattr(hosts, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(worker, "BACKOFF_S", 0.05)
    monkeypatch.setattr(ranges, "FIRST_BYTES", 8192)


@pytest.fixture(scope="session")
def long(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return 40 s of numbered frames with noise on them, a key frame every 4 s."""
    rng = np.random.default_rng(3)
    pictures = []
    for i, picture in enumerate(pan(FRAMES, seed=16, speed=0.1, fps=FPS, size=(160, 90))):
        picture[40:] = rng.integers(0, 255, (50, 160, 3))
        pictures.append(write_number(picture, i))
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    options = {"g": "60", "bf": "3", "sc_threshold": "0", "crf": "35"}
    return write_video(path, pictures, fps=FPS, options=options).read_bytes()


@pytest.fixture
def named(tmp_path: Path) -> Names:
    """Return what writes a list of spans of videos at a server."""

    def write(server: FileServer, videos: Mapping[str, Spans], name: str = "list.jsonl") -> Path:
        rows = [
            Listed("plain", video, f"{server.url}/{video}.mp4", *span, f"{video}-{i}", (ListedCaption("raw", f"{i}."),))
            for video, spans in videos.items()
            for i, span in enumerate(spans)
        ]
        path = tmp_path / name
        path.write_text("".join(f"{to_json(one)}\n" for one in rows))
        return path

    return write


def files(to: Path) -> list[str]:
    return sorted(file.name for file in (to / "videos").iterdir())


def parts(to: Path) -> list[dict[str, Any]]:
    if not (to / "pieces.jsonl").exists():
        return []
    return [json.loads(line) for line in (to / "pieces.jsonl").read_text().splitlines()]


def numbers(path: Path) -> list[int]:
    return [read_number(picture) for _, picture in read_frames(path)]


def test_clips_are_those_of_the_whole_video(tmp_path, long, named: Names):
    """The same list, fetched in parts and whole: the same clips, frame by frame, with their captions."""
    spans = [(9.7, 11.5), (12.0, 13.0), (30.0, 31 + 1 / 3), (39.0, 55.0), (70.0, 71.0)]
    sets = {}
    with FileServer({"/a.mp4": long}) as server:
        path = named(server, {"a": spans})
        found = fetch_list([path], tmp_path / "parts", **SPANS)
        assert found.counts == {"done": 1} and found.notes == ()
        assert found.came_bytes == server.sent.total() < 0.6 * len(long)
    (tmp_path / "whole/videos").mkdir(parents=True)
    (tmp_path / "whole/videos/a.mp4").write_bytes(long)
    (tmp_path / "whole/list.jsonl").write_bytes((tmp_path / "parts/list.jsonl").read_bytes())
    for how in ("parts", "whole"):
        settings = ["files.preset='ultrafast'", "files.copy=false"]
        sets[how] = tmp_path / f"{how}.set"
        run("listed", [tmp_path / how], sets[how], settings=settings, workers=1)
    assert files(tmp_path / "parts") == ["a@30-31.334.mp4", "a@39-55.mp4", "a@9.7-13.mp4"]
    assert row(tmp_path / "parts", "a")["message"] == "1 of the spans wanted of it begin after its end"
    shifts = {part["name"]: part["shift_s"] for part in parts(tmp_path / "parts")}
    assert shifts == {"a@9.7-13": 8.0, "a@30-31.334": 28.0, "a@39-55": 36.0}
    told = {}
    for how, made in sets.items():
        videos = {one["id"]: Path(one["path"]).stem for one in Store(made).read("videos").to_pylist()}
        captions = {
            one["clip_id"]: one["text"] for one in Store(made).read("captions", where="step = 'listed'").to_pylist()
        }
        told[how] = []
        for clip in Store(made).read("clips").to_pylist():
            shift_s = shifts.get(videos[clip["video_id"]], 0.0)
            shown = list(read_frames(made / clip["file"]))
            times = [clip["start_s"] + shift_s, clip["end_s"] + shift_s, *(time for time, _ in shown)]
            told[how].append((captions[clip["id"]], times, [picture for _, picture in shown]))
        told[how].sort(key=lambda one: one[0])
    assert [one[0] for one in told["parts"]] == ["0.", "1.", "2.", "3."]
    for mine, theirs in zip(told["parts"], told["whole"], strict=True):
        assert mine[0] == theirs[0] and mine[1] == pytest.approx(theirs[1], abs=1e-6)
        assert all(np.array_equal(a, b) for a, b in zip(mine[2], theirs[2], strict=True))
    assert read_number(told["parts"][0][2][0]) == 146
    assert [read_number(picture) for picture in told["parts"][3][2]] == [*range(585, 600)]


WHOLES: dict[str, tuple[list[str], Spans, str]] = {
    "none": (["no-range"], [(9.0, 10.0)], "doesn't send parts of files"),
    "wrong": (["wrong-range"] * 2 + ["ok"], [(9.0, 10.0)], "doesn't always send parts of files"),
    "changed": (["ok", "ok", "other"], [(9.0, 10.0)], "doesn't always send parts of files"),
    "long": (["ok"], [(0.0, 25.0)], "more than half of it"),
    "scattered": (["ok"], [(i + 3.4, i + 3.9) for i in range(0, 40, 6)], "more than half of its bytes"),
    "all": (["ok"], [(9.0, 10.0), (None, None)], ""),
}
"""Videos that come whole: what their host does, what is wanted of them, and why."""


def test_where_parts_cannot_be_had_or_are_not_worth_it_all_of_it_comes(tmp_path, long, named: Names):
    to = tmp_path / "to"
    scripts = {f"/{name}.mp4": actions for name, (actions, _, _) in WHOLES.items()}
    with FileServer(dict.fromkeys(scripts, long), scripts) as server:
        found = fetch_list([named(server, {name: spans for name, (_, spans, _) in WHOLES.items()})], to, **SPANS)
        for name in ("long", "scattered"):
            assert server.sent[f"/{name}.mp4"] == len(long), "each byte comes once"
    assert found.counts == {"done": len(WHOLES)}
    assert files(to) == sorted(f"{name}.mp4" for name in WHOLES) and parts(to) == []
    for name, (_, _, why) in WHOLES.items():
        assert (to / f"videos/{name}.mp4").read_bytes() == long
        said = row(to, name)["message"]
        assert why in said and bool(said) == bool(why)
    assert len(found.notes) == 1 and "came whole, though only spans were asked for: 5:" in found.notes[0]
    assert left_overs(to) == []


def test_little_more_comes_than_is_wanted_and_spans_behind_the_end_are_a_failure(tmp_path, long, named: Names):
    """One second of 40: its group of pictures, a tenth of the file, the index and the file's beginning."""
    with FileServer({"/a.mp4": long, "/b.mp4": long}) as server:
        path = named(server, {"a": [(21.0, 22.0)], "b": [(40.0, 41.0), (100.0, 110.0)]})
        found = fetch_list([path], tmp_path / "to", **SPANS)
        assert server.sent["/a.mp4"] < 0.2 * len(long)
        assert found.counts == {"done": 1, "no_format": 1} and "after its end" in found.reasons["no_format"]
        asked = server.asked.total()
        assert fetch_list([path], tmp_path / "to", **SPANS).counts == found.counts
        assert server.asked.total() == asked
        path = named(server, {"a": [(21.0, 22.0)], "b": [(40.0, 41.0), (10.00021, 11.0)]})
        assert fetch_list([path], tmp_path / "to", **SPANS).counts == {"done": 2}
    assert files(tmp_path / "to") == ["a@21-22.mp4", "b@10-11.mp4"] and left_overs(tmp_path / "to") == []


def test_what_came_is_not_asked_for_again_and_what_is_lost_or_new_is(tmp_path, long, named: Names):
    to = tmp_path / "to"
    with FileServer({"/a.mp4": long}) as server:
        path = named(server, {"a": [(9.0, 10.0), (80.0, 81.0)]})
        for call in (SPANS, SPANS, WHOLE):  # also without the wish
            assert fetch_list([path], to, **call).counts == {"done": 1}
            assert files(to) == ["a@9-10.mp4"]
        asked = server.asked.total()
        path = named(server, {"a": [(9.0, 10.0), (80.0, 81.0), (25.0, 26.0)]})
        found = fetch_list([path], to, **SPANS)
        assert (found.counts, found.came) == ({"done": 1}, 1) and server.asked.total() > asked
        assert files(to) == ["a@25-26.mp4", "a@9-10.mp4"]
        kept = (to / "videos/a@25-26.mp4").read_bytes()
        (to / "videos/a@25-26.mp4").unlink()
        assert fetch_list([], to, **SPANS).came == 1
        assert (to / "videos/a@25-26.mp4").read_bytes() == kept, "the same file to the bit"
        assert row(to, "a")["bytes"] == sum(file.stat().st_size for file in (to / "videos").iterdir())
        named(server, {"a": [(1.0, 2.0)]})
        assert fetch_list([path], to, **WHOLE).counts == {"done": 1}
        assert files(to) == ["a.mp4"], "the whole takes the place of its parts"
    assert parts(to) == []


def test_a_file_of_others_is_left_alone(tmp_path, long, named: Names):
    to = tmp_path / "to"
    with FileServer({"/a.mp4": long}, {"/a.mp4": ["404", "ok"]}) as server:
        path = named(server, {"a": [(9.0, 10.0)]})
        fetch_list([path], to, **SPANS)
        (to / "videos/a@9-10.mp4").write_text("mine")
        assert fetch_list([path], to, retry_failed=["gone"], **SPANS).counts == {"other": 1}
    assert (to / "videos/a@9-10.mp4").read_text() == "mine"


def test_what_breaks_off_goes_on(tmp_path, long, named: Names):
    scripts = {"/a.mp4": ["ok", "503", "cut:100", "500", "ok"], "/b.mp4": ["404"], "/c.mp4": ["html"]}
    with FileServer({"/a.mp4": long}, scripts) as server:
        path = named(server, {name: [(9.0, 10.0)] for name in "abc"})
        found = fetch_list([path], tmp_path / "to", **SPANS)
        assert found.counts == {"done": 1, "gone": 1, "bad_file": 1}
        assert files(tmp_path / "to") == ["a@9-10.mp4"]
        assert server.ranges["/a.mp4"].count("bytes=0-8191") == 1
        assert numbers(tmp_path / "to/videos/a@9-10.mp4")[15:30] == [*range(135, 150)]


def test_addresses_are_looked_at_for_each_part(tmp_path, long, named: Names):
    with FileServer({"/a.mp4": long}) as server:
        path = named(server, {"a": [(9.0, 10.0)]})
        found = fetch_list([path], tmp_path / "to", **SPANS | {"manner": Manner(spans=True)})
        assert found.counts == {"refused": 1} and server.asked.total() == 0
        server.scripts["/a.mp4"] = ["ok", "redirect:file:///etc/passwd"]
        found = fetch_list([path], tmp_path / "to", **SPANS)
    assert found.counts == {"refused": 1} and files(tmp_path / "to") == []


def test_too_many_parts_are_no_parts(tmp_path):
    spans = [(10.0 * i, 10.0 * i + 1) for i in range(MOST + 1)]
    found = fetch_pieces("http://never.invalid/a.mp4", spans, tmp_path, None, None, None)  # nobody is asked
    assert isinstance(found, Whole) and found.got is None


def test_all_parts_of_a_video_go_to_one_shard(tmp_path, long, named: Names):
    to, names = tmp_path / "to", [f"v{i}" for i in range(3)]
    with FileServer({f"/{name}.mp4": long for name in names}) as server:
        fetch_list([named(server, {name: [(1.0, 2.0), (30.0, 31.0)] for name in names})], to, **SPANS)
    shards = [find_videos([to], Part(number, 2)).videos for number in (1, 2)]
    owners = [{path.stem.partition("@")[0] for path in shard} for shard in shards]
    assert sorted(map(len, shards)) == sorted(2 * len(owner) for owner in owners)
    assert owners[0] | owners[1] == set(names) and not owners[0] & owners[1]


CALL = """
import sys
from longtake.fetching import Limits, Manner, fetch_list, ranges
ranges.FIRST_BYTES = ranges.MOST_BYTES = 8192
fetch_list([sys.argv[1]], sys.argv[2], rate=500.0, manner=Manner(allow_private=True, spans=True),
           limits=Limits(reserve_bytes=0))
"""


def killed(path: Path, to: Path, ready: Callable[[], bool]) -> None:
    process = subprocess.Popen([sys.executable, "-c", CALL, str(path), str(to)], cwd=Path(__file__).parents[2])
    try:
        while not ready():
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.01)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()


def test_killed_in_the_middle(tmp_path, long, named: Names, monkeypatch):
    to = tmp_path / "to"
    monkeypatch.setattr(ranges, "MOST_BYTES", 8192)
    with FileServer({"/a.mp4": long}, default=["ok"] * 8 + ["hang", "ok"]) as server:
        path = named(server, {"a": [(9.0, 11.0), (30.0, 31.0)]})
        killed(path, to, lambda: server.asked.total() == 9)
        assert files(to) == []
        assert fetch_list([path], to, **SPANS).counts == {"done": 1}
        asked = [one for one in server.ranges["/a.mp4"] if one]
        assert len(set(asked)) == len(asked) - 1, "only what hung is asked for again"
    assert numbers(to / "videos/a@30-31.mp4")[30:45] == [*range(450, 465)]
    assert left_overs(to) == []


def test_killed_between_a_part_and_its_note(tmp_path, long, named: Names):
    to = tmp_path / "to"
    with FileServer({"/a.mp4": long}) as server:
        path = named(server, {"a": [(9.0, 10.0)]})
        fetch_list([path], to, **SPANS)
        asked = server.asked.total()
        with Ledger(to) as ledger:
            ledger._db.execute("UPDATE videos SET state = 'wanted'")
        assert fetch_list([path], to, **SPANS).counts == {"done": 1}
        assert server.asked.total() == asked
        with Ledger(to) as ledger:  # noted, and not yet where it belongs
            ledger._db.execute("UPDATE videos SET state = 'wanted'")
        (to / "videos/a@9-10.mp4").unlink()
        assert fetch_list([path], to, **SPANS).counts == {"done": 1} and files(to) == ["a@9-10.mp4"]
