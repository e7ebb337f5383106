"""What `probe` says about videos that are known in all their facts."""

import dataclasses
import os
from pathlib import Path

import pytest
from media import BROKEN, GOOD, NTSC, NUMBERED_FRAMES, NUMBERED_START_S, pan, texture, write_video

from longtake.errors import VideoError
from longtake.video import probe, scan, video_id


def test_facts_of_a_plain_video(media):
    video = probe(media["cut"])
    assert video.path == str(media["cut"])
    assert video.bytes == media["cut"].stat().st_size
    assert "mp4" in video.container
    assert (video.codec, video.pixel_format, video.audio_codec) == ("h264", "yuv420p", None)
    assert (video.width, video.height, video.rotation) == (320, 180, 0)
    assert (video.frames, video.variable_fps, video.damage) == (96, False, ())
    assert video.fps == pytest.approx(24)
    assert video.duration_s == pytest.approx(4, abs=1e-6)


def test_a_turned_video_is_as_large_as_it_shows(media):
    video = probe(media["tall"])
    assert (video.width, video.height, video.rotation) == (180, 320, 90)


def test_variable_frame_rate(media):
    video = probe(media["vfr"])
    assert video.variable_fps
    assert video.frames == 80
    assert video.duration_s == pytest.approx(4, abs=0.001)
    assert video.fps == pytest.approx(79 / 3.9)


def test_a_clock_that_does_not_start_at_zero(media):
    video = probe(media["numbered"])
    assert video.first_timestamp_s == pytest.approx(NUMBERED_START_S, abs=0.001)
    assert video.duration_s == pytest.approx(float(NUMBERED_FRAMES / NTSC), abs=0.001)
    assert video.frames == NUMBERED_FRAMES
    assert not video.variable_fps


def test_sound_is_named(media):
    assert probe(media["with_sound"]).audio_codec == "aac"


def test_one_frame_lasts_as_long_as_its_packet(media):
    video = probe(media["one_frame"])
    assert video.frames == 1
    assert video.duration_s == pytest.approx(1 / 24, abs=0.001)
    assert video.fps == pytest.approx(24)


@pytest.mark.parametrize("name", GOOD)
def test_probing_agrees_with_decoding_everything(media, name):
    probed, scanned = (dataclasses.asdict(v) for v in (probe(media[name]), scan(media[name], {}).video))
    assert probed == {key: pytest.approx(v) if isinstance(v, float) else v for key, v in scanned.items()}


@pytest.mark.parametrize("suffix", ["mkv", "ts", "mov", "avi", "webm"])
def test_containers(tmp_path, suffix):
    codec = {"webm": "libvpx-vp9", "avi": "mpeg4"}.get(suffix, "libx264")
    options = {"deadline": "realtime", "cpu-used": "8"} if suffix == "webm" else {}
    path = write_video(tmp_path / f"a.{suffix}", pan(48, seed=1, speed=0.2), fps=25, codec=codec, options=options)
    video = probe(path)
    assert (video.width, video.height, video.frames, video.variable_fps) == (320, 180, 48, False)
    assert video.duration_s == pytest.approx(48 / 25, abs=0.001)
    assert video.fps == pytest.approx(25, rel=0.001)
    assert video.damage == ()


def test_lesser_known_pixel_formats(tmp_path):
    path = write_video(tmp_path / "a.mp4", pan(5, seed=1, speed=0.2, size=(322, 182)), pixel_format="yuv444p")
    assert (probe(path).pixel_format, probe(path).width, probe(path).height) == ("yuv444p", 322, 182)


@pytest.mark.parametrize(("name", "kind"), BROKEN.items())
def test_failures_have_a_kind_and_name_the_file(media, name, kind):
    with pytest.raises(VideoError, match=name) as failed:
        probe(media[name])
    assert failed.value.kind == kind


def test_what_is_not_a_file(tmp_path):
    link = tmp_path / "link.mp4"
    link.symlink_to(tmp_path / "nothing.mp4")
    for path, kind in ((tmp_path / "nothing.mp4", "missing"), (link, "missing"), (tmp_path, "unreadable")):
        with pytest.raises(VideoError) as failed:
            probe(path)
        assert failed.value.kind == kind


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="this user may read everything")
def test_no_permission(tmp_path):
    path = write_video(tmp_path / "a.mp4", [texture(64, 64, seed=1)])
    path.chmod(0)
    with pytest.raises(VideoError) as failed:
        probe(path)
    assert failed.value.kind == "unreadable"


@pytest.mark.parametrize(
    "name", ["-dash.mp4", "per%20cent%d.mp4", "new\nline.mp4", "semi;colon:.mp4", "ünï 日本 😀.mp4", "file:a.mp4"]
)
def test_hostile_names(media, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(media["one_frame"].read_bytes())
    assert probe(name).frames == 1
    assert probe(tmp_path / name).frames == 1


def test_an_id_follows_the_content_and_not_the_place(media, tmp_path):
    data = media["cut"].read_bytes()
    copy, changed = tmp_path / "cut.mp4", tmp_path / "changed" / "cut.mp4"
    changed.parent.mkdir()
    copy.write_bytes(data)
    changed.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert video_id(copy) == video_id(media["cut"]) == probe(media["cut"]).id
    assert video_id(changed) != video_id(copy)
    assert video_id(copy).startswith("cut-")
