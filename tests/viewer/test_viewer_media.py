"""What the page plays is exactly the clip, in a form that browsers play; nothing outside the set is given away."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import httpx2
import numpy as np
import pyarrow as pa
import pytest
from filmed import CUT, CUT_S, DURATION_S, FPS, FRAMES
from looking import PATIENCE_S, Asker, served
from media import read_frames, read_number

from longtake.errors import UsageError, VideoError
from longtake.removing import remove_videos
from longtake.schemas import SCHEMAS
from longtake.store import Store
from longtake.viewer import playing
from longtake.viewer.playing import PLAY, Playable, kind_of, plays

SECRET = b"nobody may see this"
VIDEO = {
    "id": "film-0123456789",
    "path": "/films/film.mp4",
    "container": "mov,mp4,m4a,3gp,3g2,mj2",
    "codec": "h264",
    "pixel_format": "yuv420p",
    "audio_codec": "aac",
    "damage": [],
    "seekable": True,
}


def clip_of(folder: Path, film: str, frame: int) -> dict:
    """Return the clip of a film that holds a frame."""
    rows = Store(folder).read("clips").to_pylist()
    return next(
        row for row in rows if row["id"].startswith(f"{film}-") and row["start_frame"] <= frame < row["end_frame"]
    )


def video_of(folder: Path, film: str) -> dict:
    return next(row for row in Store(folder).read("videos").to_pylist() if row["id"].startswith(f"{film}-"))


def change(folder: Path, table: str, **row) -> None:
    """Write other values into a row, as whoever made a set could."""
    schema = pa.schema([SCHEMAS[table].field(name) for name in row])
    Store(folder).update(table, "id", [row], schema)


def numbers_in(data: bytes, folder: Path) -> list[int]:
    """Return the numbers on the frames of a video file."""
    path = folder / "answer.mp4"
    path.write_bytes(data)
    return [read_number(picture) for _, picture in read_frames(path)]


def refused(asker: Asker, path: str) -> str:
    """Ask for what must not be given; return the words."""
    answer = asker.client.get(path)
    assert answer.status_code == 404
    assert SECRET not in answer.content
    return answer.json()["error"]


# Files


def test_a_clips_file_is_given_in_parts(filmed, shown):
    clip = clip_of(filmed.folder, "plain", CUT)
    data = (filmed.folder / clip["file"]).read_bytes()
    for path in (f"media/clip/{clip['id']}", f"media/play/clip/{clip['id']}"):
        whole = shown.client.get(path)
        assert (whole.status_code, whole.content) == (200, data)
        assert whole.headers["content-type"] == "video/mp4"
        assert whole.headers["x-content-type-options"] == "nosniff"
        part = shown.client.get(path, headers={"Range": "bytes=1000-1999"})
        assert (part.status_code, part.content) == (206, data[1000:2000])
        assert part.headers["content-range"] == f"bytes 1000-1999/{len(data)}"


def test_a_source_is_given_in_parts(filmed, shown):
    for film, kind in (("plain.mp4", "video/mp4"), ("parts.mkv", "video/x-matroska")):
        data = (filmed.films / film).read_bytes()
        part = shown.client.get(
            f"media/video/{video_of(filmed.folder, film[:5])['id']}", headers={"Range": f"bytes=-{500}"}
        )
        assert (part.status_code, part.content, part.headers["content-type"]) == (206, data[-500:], kind)


def test_a_clip_without_a_file_says_so(filmed, shown):
    clip = clip_of(filmed.folder, "plain", 0)
    assert "no file was written" in refused(shown, f"media/clip/{clip['id']}")


def test_sheets_of_pictures_are_given(filmed, shown):
    (sheet, *_) = video_of(filmed.folder, "plain")["previews"]["files"]
    answer = shown.client.get(sheet)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.content == (filmed.folder / sheet).read_bytes()


# Playing


@pytest.mark.parametrize("film", ["plain", "parts", "ten"])
def test_a_clip_without_a_file_plays_exactly_its_frames(filmed, shown, tmp_path, film):
    clip = clip_of(filmed.folder, film, 0)
    answer = shown.client.get(f"media/play/clip/{clip['id']}")
    assert answer.headers["content-type"] == "video/mp4"
    assert numbers_in(answer.content, tmp_path) == list(range(clip["start_frame"], clip["end_frame"]))


def test_what_plays_everywhere_is_given_as_it_is(filmed, shown):
    answer = shown.client.get(f"media/play/video/{video_of(filmed.folder, 'plain')['id']}")
    assert answer.content == (filmed.films / "plain.mp4").read_bytes()


def test_what_does_not_is_made_into_what_does(filmed, shown, tmp_path):
    answer = shown.client.get(f"media/play/video/{video_of(filmed.folder, 'ten')['id']}")
    assert numbers_in(answer.content, tmp_path) == list(range(FRAMES))


@pytest.mark.parametrize("film", ["plain", "ten"])
def test_a_span_of_a_video_begins_with_its_first_frame(filmed, shown, tmp_path, film):
    path = f"media/play/video/{video_of(filmed.folder, film)['id']}?start_s={CUT_S}&end_s={CUT_S + 1}"
    assert numbers_in(shown.client.get(path).content, tmp_path) == list(range(CUT, CUT + FPS))


@pytest.mark.parametrize("span", ["start_s=5&end_s=5", "start_s=inf", f"start_s={DURATION_S + 1}", "end_s=x"])
def test_no_span_is_no_video(filmed, shown, span):
    answer = shown.client.get(f"media/play/video/{video_of(filmed.folder, 'ten')['id']}?{span}")
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_what_many_ask_for_is_made_once(filmed, tmp_path):
    playable = Playable(tmp_path)
    video = video_of(filmed.folder, "ten")
    asked = [playable.get(video, 0.0, 2.0) for _ in range(6)]
    assert all(one is asked[0] for one in asked)
    path = asked[0].result()
    inode = path.stat().st_ino
    assert playable.get(video, 0.0, 2.0).result() == path
    assert path.stat().st_ino == inode
    assert [one.name for one in (tmp_path / PLAY).iterdir()] == [path.name]


def test_many_who_ask_at_once_all_get_it(own_set):
    clip = clip_of(own_set, "ten", 0)
    with served(own_set) as asker, ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: asker.client.get(f"media/play/clip/{clip['id']}"), range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len(list((own_set / PLAY).iterdir())) == 1


def test_what_nobody_waits_for_is_not_made(filmed, tmp_path):
    """As when one leafs through a set; who comes back has it made after all."""
    playable, video = Playable(tmp_path), video_of(filmed.folder, "ten")
    left = [playable.get(video, start_s, start_s + 5) for start_s in (0.0, 1.0, 2.0, 3.0)]
    for made in left:
        playable.leave(made)
    assert all(made.exception() is not None for made in left)
    assert playable.get(video, 0.0, 5.0).result().is_file()
    assert len(list((tmp_path / PLAY).glob("[!.]*"))) == 1


def test_an_asker_who_goes_away_leaves_it_to_the_others(own_set):
    clip = clip_of(own_set, "ten", 0)
    path = f"media/play/clip/{clip['id']}"
    with served(own_set) as asker, ThreadPoolExecutor(1) as pool:
        soon = httpx2.Timeout(PATIENCE_S, read=0.05)  # less than a worker takes to start
        for _ in range(3):
            with pytest.raises(httpx2.ReadTimeout):
                asker.client.get(path, timeout=soon)
        stays = pool.submit(asker.client.get, path)
        with pytest.raises(httpx2.ReadTimeout):
            asker.client.get(path, timeout=soon)
        assert stays.result().status_code == 200


def test_what_was_not_used_for_longest_goes_first(filmed, tmp_path, monkeypatch):
    playable, video = Playable(tmp_path), video_of(filmed.folder, "ten")
    first, second = (playable.get(video, start_s, start_s + 1).result() for start_s in (0.0, 1.0))
    for age, path in ((200, second), (100, first)):
        os.utime(path, (path.stat().st_mtime - age,) * 2)
    playable.get(video, 1.0, 2.0).result()  # used again
    monkeypatch.setattr(playing, "MOST_BYTES", first.stat().st_size + second.stat().st_size + 1000)
    abandoned = tmp_path / PLAY / ".left.1.tmp.mp4"
    abandoned.touch()
    os.utime(abandoned, (0, 0))
    third = playable.get(video, 2.0, 3.0).result()
    assert not abandoned.exists()
    assert not first.exists()
    assert second.exists()
    assert third.exists()


def test_a_set_that_can_only_be_read_is_played_all_the_same(own_set, tmp_path):
    """A file where the folder should be, and a link that leads out: root may write anything else."""
    clip, elsewhere = clip_of(own_set, "ten", 0), tmp_path / "elsewhere"
    (own_set / PLAY).write_text("in the way")
    with served(own_set) as asker:
        assert asker.client.get(f"media/play/clip/{clip['id']}").status_code == 200
    (own_set / PLAY).unlink()
    elsewhere.mkdir()
    (own_set / PLAY).symlink_to(elsewhere)
    with served(own_set) as asker:
        assert asker.client.get(f"media/play/clip/{clip['id']}").status_code == 200
    assert list(elsewhere.iterdir()) == []


def test_why_nothing_can_be_played_is_said(filmed, tmp_path):
    video = {**video_of(filmed.folder, "ten"), "path": str(tmp_path / "gone.mp4")}
    with pytest.raises(VideoError, match="no such file"):
        Playable(tmp_path).get(video, 0.0, 1.0).result()
    with pytest.raises(UsageError, match="too long"):
        Playable(tmp_path).get(video, 0.0, 7200.0)


def test_a_source_that_has_gone_is_said_to_have_gone(filmed, own_set):
    clip, video = clip_of(own_set, "ten", 0), video_of(own_set, "ten")
    change(own_set, "videos", id=video["id"], path=str(filmed.films / "gone.mp4"))
    paths = (f"media/video/{video['id']}", f"media/play/clip/{clip['id']}", f"media/frame/{clip['id']}?t=1")
    with served(own_set) as asker:
        assert all("gone.mp4" in refused(asker, path) for path in paths)


def test_removing_a_video_removes_what_was_made_to_play_it(own_set):
    clip, other = clip_of(own_set, "ten", 0), clip_of(own_set, "parts", 0)
    with served(own_set) as asker:
        for one in (clip, other):
            assert asker.client.get(f"media/play/clip/{one['id']}").status_code == 200
    unfinished = own_set / PLAY / f".{clip['video_id'].rpartition('-')[2]}-0-1-1.77.tmp.mp4"
    unfinished.touch()
    remove_videos(own_set, [clip["video_id"]])
    (left,) = (own_set / PLAY).iterdir()
    assert left.name.startswith(other["video_id"].rpartition("-")[2])


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({}, True),
        ({"audio_codec": None}, True),
        ({"path": "/films/film.MOV"}, True),
        ({"pixel_format": "yuvj420p"}, True),
        ({"pixel_format": "yuv420p10le"}, False),
        ({"pixel_format": "yuv422p"}, False),
        ({"codec": "hevc"}, False),
        ({"codec": "prores"}, False),
        ({"codec": "av1"}, False),
        ({"audio_codec": "ac3"}, False),
        ({"audio_codec": "pcm_s16le"}, False),
        ({"damage": ["3 corrupt packets skipped"]}, False),
        ({"seekable": False}, False),
        ({"container": "avi"}, False),
        ({"container": "mpegts"}, False),
        ({"container": "matroska,webm", "path": "/films/film.mkv"}, False),
        ({"container": "matroska,webm", "path": "/films/film.webm"}, False),
        ({"container": "matroska,webm", "path": "/films/film.webm", "codec": "vp9", "audio_codec": "opus"}, True),
        ({"container": "matroska,webm", "path": "/films/film.webm", "codec": "vp8", "audio_codec": "vorbis"}, True),
        ({"container": None}, False),
    ],
)
def test_what_every_browser_plays_is_known(facts, wanted):
    assert plays({**VIDEO, **facts}) is wanted
    if wanted:
        assert kind_of({**VIDEO, **facts}) in ("video/mp4", "video/webm")


# Frames


@pytest.mark.parametrize("film", ["plain", "parts", "ten"])
@pytest.mark.parametrize("frame", [0, CUT])
def test_a_frame_is_the_one_displayed_then(filmed, shown, film, frame):
    """In clips with a file and without."""
    clip = clip_of(filmed.folder, film, frame)
    for number in (0, 1, 30):
        for late in (0.001, 0.039):  # containers round a frame's time, to 1 ms at worst
            answer = shown.client.get(f"media/frame/{clip['id']}?t={number / FPS + late}")
            assert answer.headers["content-type"] == "image/jpeg"
            picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
            assert read_number(picture) == clip["start_frame"] + number
            assert picture.shape == (180, 320, 3)


def test_a_frame_is_as_wide_as_asked_for(filmed, shown):
    clip = clip_of(filmed.folder, "plain", CUT)
    for width, wide in ((160, 160), (4096, 320)):
        answer = shown.client.get(f"media/frame/{clip['id']}?t=1&width={width}")
        picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape == (wide * 9 // 16, wide, 3)


@pytest.mark.parametrize("query", ["t=-1", "t=6", "t=nan", "t=x", "t=1&width=0", "t=1&width=1e9", "t=1e300"])
def test_a_frame_that_is_not_there_is_said_not_to_be(filmed, shown, query):
    answer = shown.client.get(f"media/frame/{clip_of(filmed.folder, 'plain', CUT)['id']}?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]


# What is none of the page's business


@pytest.mark.parametrize("way", ["up", "absolute", "link", "folder", "other part"])
def test_a_clips_file_is_given_from_the_sets_clips_only(own_set, tmp_path, way):
    """Whatever a set's table says: sets come from others, too."""
    clip = clip_of(own_set, "plain", CUT)
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(SECRET)
    name = {
        "up": "clips/../../secret.mp4",
        "absolute": str(secret),
        "link": "clips/link.mp4",
        "folder": "clips",
        "other part": "recipe.toml",
    }[way]
    if way == "link":
        (own_set / "clips" / "link.mp4").symlink_to(secret)
    change(own_set, "clips", id=clip["id"], file=name)
    with served(own_set) as asker:
        assert refused(asker, f"media/clip/{clip['id']}")
        for path in (f"media/play/clip/{clip['id']}", f"media/frame/{clip['id']}?t=0"):
            assert SECRET not in asker.client.get(path).content


def test_only_the_video_that_was_scanned_is_given(own_set, tmp_path):
    """A table can name any file of this machine as the source."""
    video = video_of(own_set, "plain")
    secret = tmp_path / "secret"
    secret.write_bytes(SECRET)
    for path in (secret, tmp_path, Path("/dev/zero")):
        change(own_set, "videos", id=video["id"], path=str(path))
        with served(own_set) as asker:
            assert refused(asker, f"media/video/{video['id']}")
            assert refused(asker, f"media/play/video/{video['id']}")


def test_a_source_that_was_changed_is_no_more_it(filmed, own_set, tmp_path):
    video = video_of(own_set, "plain")
    copy = Path(shutil.copy(filmed.films / "plain.mp4", tmp_path / "moved.mp4"))
    change(own_set, "videos", id=video["id"], path=str(copy))
    with served(own_set) as asker:
        assert asker.client.get(f"media/video/{video['id']}").status_code == 200
        copy.write_bytes(copy.read_bytes() + b"more")
        assert "changed" in refused(asker, f"media/video/{video['id']}")


@pytest.mark.parametrize(
    "name",
    [
        *("../recipe.toml", "..%2Frecipe.toml", "%2e%2e/recipe.toml", "..%5Crecipe.toml"),
        *(
            "%2Fetc%2Fpasswd",
            "play",
            "play%2Fx.mp4",
            "none-0.jpg",
            "link.jpg",
            "a%00.jpg",
            "..%2Fsecret.jpg",
            "notes.txt",
        ),
    ],
)
def test_only_sheets_are_given_from_the_previews(own_set, tmp_path, name):
    secret = tmp_path / "secret.jpg"
    for path in (secret, own_set / "secret.jpg", own_set / "previews" / "notes.txt"):
        path.write_bytes(SECRET)
    (own_set / "previews" / "link.jpg").symlink_to(secret)
    with served(own_set) as asker:
        answer = asker.client.get(f"previews/{name}")
    assert answer.status_code == 404
    assert SECRET not in answer.content
    assert b"[select]" not in answer.content


@pytest.mark.parametrize("name", ["..%2F..%2Fetc%2Fpasswd", "' OR '1'='1", "%00", "a/../b"])
@pytest.mark.parametrize("kind", ["clip", "video", "play/clip", "play/video", "frame"])
def test_ids_are_only_looked_up(shown, kind, name):
    answer = shown.client.get(f"media/{kind}/{name}")
    assert answer.status_code == 404
    assert answer.json()["error"]
