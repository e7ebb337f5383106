"""Videos on an object store give the set that the same files here give, and only what is needed of them is read."""

import asyncio
import json
import shutil
from pathlib import Path

import av
import numpy as np
import pytest
from media import write_video

from longtake.errors import UsageError, VideoError
from longtake.places import Remote, place, ranges, stores
from longtake.running import run
from longtake.schemas import SCHEMAS
from longtake.sources.files import find_videos
from longtake.store import Store
from longtake.video import Quality, probe, scan, video_id, write_clip
from longtake.viewer.far import Far

SETTINGS = ["select.keep=['duration_s >= 3']", "files.preset='ultrafast'"]
OF_A_PLACE = {"path", "item", "message", "modified_ns"}


@pytest.fixture(scope="module")
def films(media, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of films and of files that are none."""
    folder = tmp_path_factory.mktemp("films")
    (folder / "deep").mkdir()
    for name, to in [("with_sound", "with sound.mp4"), ("cut", "deep/cut.mp4"), ("empty", "empty.mp4")]:
        shutil.copy(media[name], folder / to)
    for name in ("text", "no_index"):
        shutil.copy(media[name], folder / f"{name}.mp4")
    return folder


@pytest.fixture(scope="module")
def local(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("local") / "set"
    run("lvd2m", [films], folder, settings=SETTINGS)
    return folder


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 8 s that hardly compresses: several megabytes, a key frame each second, its index at the end."""
    rng = np.random.default_rng(3)
    pictures = (rng.integers(0, 256, (180, 320, 3), np.uint8) for _ in range(192))
    path = tmp_path_factory.mktemp("heavy") / "heavy.mp4"
    return write_video(path, pictures, options={"g": "24", "preset": "ultrafast", "crf": "12"})


def put(folder: Path, to: Remote) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            (to / path.relative_to(folder).as_posix()).put(path)


def tables(folder: Path) -> dict[str, list[str]]:
    """All rows of all tables as sorted text, but for what tells places and times of day."""
    store = Store(folder)
    found = {}
    for table in set(SCHEMAS) - {"runs"}:
        rows = [{k: v for k, v in row.items() if k not in OF_A_PLACE} for row in store.read(table).to_pylist()]
        found[table] = sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)
    return found


def clips(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in (folder / "clips").rglob("*.*")}


def test_a_set_of_videos_on_a_store_equals_one_of_files(
    way, bucket: Remote, films: Path, local: Path, tmp_path
) -> None:
    put(films, bucket / "films")
    way.clear()
    made = run("lvd2m", [f"{bucket}/films"], tmp_path / "set", settings=SETTINGS)
    assert tables(tmp_path / "set") == tables(local)
    assert clips(tmp_path / "set") == clips(local)
    assert len(clips(local)) >= 2
    assert made.failures == {"empty": 1, "not_a_video": 1, "damaged": 1}
    paths = {row["path"] for row in Store(tmp_path / "set").read("videos").to_pylist()}
    assert paths == {f"{bucket}/films/with sound.mp4", f"{bucket}/films/deep/cut.mp4"}

    way.clear()
    again = run("lvd2m", [f"{bucket}/films"], tmp_path / "set", settings=SETTINGS)
    assert again.plan.done_before == 2
    assert not again.measured.videos
    # Only what failed is named anew, for no table holds its content.
    assert not way.of("GET", "cut.mp4") + way.of("GET", "with%20sound.mp4")


def test_a_replaced_object_is_done_anew(way, bucket: Remote, media, tmp_path: Path) -> None:
    (bucket / "film.mp4").put(media["cut"])
    before = run("lvd2m", [f"{bucket}/film.mp4"], tmp_path, settings=SETTINGS)
    (bucket / "film.mp4").put(media["still"])
    after = run("lvd2m", [f"{bucket}/film.mp4"], tmp_path, settings=SETTINGS)
    assert (before.measured.videos, after.measured.videos) == (1, 1)
    assert len(Store(tmp_path).read("videos")) == 2


def test_no_clip_is_cut_from_an_object_that_was_replaced(way, bucket: Remote, media, tmp_path: Path) -> None:
    (bucket / "film.mp4").put(media["with_sound"])
    run("lvd2m", [f"{bucket}/film.mp4"], tmp_path, settings=["select.keep=['duration_s >= 1000']"])
    (bucket / "film.mp4").put(media["cut"])
    done = run("lvd2m", [f"{bucket}/film.mp4"], tmp_path, settings=SETTINGS)
    old, new = Store(tmp_path).read("videos").to_pylist()
    written = {clip["video_id"] for clip in Store(tmp_path).read("clips").to_pylist() if clip["file"]}
    assert set(done.failures) == {"changed"} and written <= {new["id"]} and old["path"] == new["path"]


def test_a_set_in_a_bucket_of_videos_is_passed_over(way, bucket: Remote, media) -> None:
    names = ["film.mp4", "a/deep/film.mp4", "a/set/clips/film/clip.mp4", "old/clips/film/clip.mp4", "a/settled.mp4"]
    for name in names:
        (bucket / name).put(media["still"])
    for name in ("a/set/set.toml", "old/videos.lance/data/1.lance", "notes.txt"):
        (bucket / name).write_bytes(b"...")
    found = find_videos([str(bucket)])
    assert {str(video) for video in found.videos} == {f"{bucket}/{name}" for name in (names[0], names[1], names[4])}
    assert found.sets == (f"{bucket}/a/set", f"{bucket}/old") and found.others == 1
    assert [str(video) for video in find_videos([f"{bucket}/a/set"]).videos] == [f"{bucket}/{names[2]}"]
    for name in (names[0], names[1], names[4]):
        (bucket / name).unlink()
    with pytest.raises(UsageError, match=r"no video there.*/a/set was passed over"):
        find_videos([str(bucket)])


def test_a_broken_way_stops_no_run(way, bucket: Remote, media, tmp_path: Path) -> None:
    for name in ("one", "other", "third"):
        (bucket / f"{name}.mp4").put(media["cut" if name == "one" else "still"])
    # The object's own answers are refused in planning and in the work; the other meets faults that pass.
    way.fail("403", times=50, path="one.mp4")
    for kind in ("503", "cut", "reset", "429"):
        way.fail(kind, path="other.mp4")
    made = run("lvd2m", [str(bucket)], tmp_path, settings=SETTINGS)
    assert made.failures == {"unreadable": 1}
    assert made.measured.videos == 2

    way.clear()
    made = run("lvd2m", [str(bucket)], tmp_path, settings=SETTINGS)
    assert made.failures == {}
    assert made.measured.videos == 1


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process give a store up after a second."""
    monkeypatch.setitem(stores.RETRY, "max_retries", 1)
    monkeypatch.setattr(ranges, "TRY_S", 0.5)
    stores.store.cache_clear()


@pytest.mark.parametrize(
    ("fault", "kind"), [("503", "unreachable"), ("reset", "unreachable"), ("403", "unreadable"), ("gone", "missing")]
)
def test_why_an_object_gives_no_video(way, bucket: Remote, media, hasty: None, fault: str, kind: str) -> None:
    path = bucket / "film.mp4"
    path.put(media["with_sound"])
    known = path.known()
    if fault == "gone":
        path.unlink()
    else:
        way.fail(fault, times=1000)
    with pytest.raises(VideoError) as told:
        scan(known, {})
    assert told.value.kind == kind
    assert str(path) in told.value.message


@pytest.mark.parametrize("fault", ["503", "replaced"])
def test_what_goes_wrong_in_the_middle_is_told_and_leaves_no_trace(
    way, bucket: Remote, heavy: Path, media, hasty: None, fault: str
) -> None:
    path = bucket / "heavy.mp4"
    path.put(heavy)

    def break_off(time: float) -> None:
        if fault == "503" and not way.faults:
            way.fail("503", times=1000, path="heavy")
        elif fault == "replaced":
            path.put(media["cut"])

    with pytest.raises(VideoError) as told:
        scan(path, {}, on_progress=break_off)
    assert told.value.kind == {"503": "unreachable", "replaced": "changed"}[fault]
    way.clear()
    assert probe(media["cut"]).frames  # nothing of it is told of the next one


def test_a_scan_reads_what_it_decodes_and_a_clip_its_part(way, bucket: Remote, heavy: Path, tmp_path: Path) -> None:
    path, size = bucket / "heavy.mp4", heavy.stat().st_size
    path.put(heavy)
    assert size > 4_000_000
    way.clear()
    found = scan(path, {})
    read = sum(one.sent for one in way.passed)
    assert read < size + 4 * ranges.FIRST_BYTES
    assert len(way.passed) < 14
    assert found.video.frames == 192
    assert (found.video.id, found.video.bytes) == (video_id(heavy), size)

    way.clear()
    made = write_clip(found.video, (5.0, 6.0), 24, tmp_path / "clip.mp4", Quality(crf=20, preset="ultrafast"))
    assert made.frames == 24
    assert sum(one.sent for one in way.passed) < size


def test_what_follows_a_video_in_its_object_is_not_read(way, bucket: Remote, media, tmp_path: Path) -> None:
    with (
        av.open(str(media["cut"])) as source,
        av.open(str(tmp_path / "a.mp4"), "w", options={"movflags": "faststart"}) as to,
    ):
        stream = to.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                to.mux(packet)
    free = (12_000_000).to_bytes(4, "big") + b"free" + bytes(12_000_000 - 8)
    (bucket / "padded.mp4").write_bytes((tmp_path / "a.mp4").read_bytes() + free)
    way.clear()
    assert scan(bucket / "padded.mp4", {}).video.frames == probe(media["cut"]).frames
    assert sum(one.sent for one in way.passed) < 2_000_000


def test_a_part_of_a_video_for_a_browser(way, bucket: Remote) -> None:
    data = bytes(range(256)) * 4000
    (bucket / "film.mp4").write_bytes(data)
    assert ask(bucket / "film.mp4") == (200, data, {"content-length": str(len(data))})
    for asked, start, end in [("0-", 0, len(data)), ("5-9", 5, 10), ("-7", len(data) - 7, len(data))]:
        status, body, headers = ask(bucket / "film.mp4", f"bytes={asked}")
        assert (status, body) == (206, data[start:end])
        assert headers["content-range"] == f"bytes {start}-{end - 1}/{len(data)}"
    assert ask(bucket / "film.mp4", f"bytes={len(data)}-")[0] == 416
    assert ask(place(f"{bucket}/no.mp4"))[0] == 502


def ask(path: Remote, asked: str = "") -> tuple[int, bytes, dict[str, str]]:
    """Let the viewer's answer speak as a server would have it."""
    said: list[dict] = []

    async def send(message) -> None:
        said.append(message)

    async def receive() -> dict:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    scope = {"type": "http", "headers": [(b"range", asked.encode())] if asked else [], "asgi": {"spec_version": "2.4"}}
    asyncio.run(Far(path, "video/mp4", {})(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in said[0]["headers"]}
    wanted = {name: value for name, value in headers.items() if name in ("content-length", "content-range")}
    return said[0]["status"], b"".join(one.get("body", b"") for one in said[1:]), wanted
