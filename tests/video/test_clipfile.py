"""Clip files hold exactly the frames asked for, with their sound, and are nothing less than whole."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from media import FLASHES_S, FPS, pan, read_beeps, read_flashes, read_frames, read_number, write_number, write_video

from longtake.errors import VideoError
from longtake.video import Quality, scan, write_clip

FAST = Quality(crf=20, preset="ultrafast", copy=False)


def written(path: Path, start: int, stop: int, target: Path, quality: Quality = FAST):
    found = scan(path, {})
    times = [*found.times, found.video.duration_s]
    return write_clip(found.video, (times[start], times[stop]), stop - start, target, quality), times


@pytest.mark.parametrize(("start", "stop"), [(0, 40), (1, 2), (133, 200), (350, 390), (0, 390)])
def test_a_clip_holds_the_frames_asked_for_and_no_other(media, tmp_path, start: int, stop: int) -> None:
    """The source has one key frame, B-frames, and a clock that doesn't start at zero."""
    clip, times = written(media["numbered"], start, stop, tmp_path / "clip.mp4")
    shown = list(read_frames(clip.path))
    assert [read_number(picture) for _, picture in shown] == list(range(start, stop))
    np.testing.assert_allclose([time for time, _ in shown], np.array(times[start:stop]) - times[start], atol=1e-3)
    assert clip.frames == stop - start
    assert clip.duration_s == pytest.approx(times[stop] - times[start], abs=0.002)
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4", "clip.jpg"}


def test_equal_frames_give_equal_files(tmp_path) -> None:
    """The size is one at which x264's fastest code was seen to differ from run to run."""
    path = write_video(tmp_path / "film.mp4", pan(60, seed=3, speed=0.3, size=(322, 182)))
    files = []
    for k in range(4):
        clip, _ = written(path, 0, 50, tmp_path / f"{k}.mp4", Quality(copy=False))
        files.append(clip.path.read_bytes())
    assert len(set(files)) == 1


def test_variable_frame_times_are_kept(media, tmp_path) -> None:
    clip, times = written(media["vfr"], 30, 75, tmp_path / "clip.mp4")
    shown = [time for time, _ in read_frames(clip.path)]
    np.testing.assert_allclose(shown, np.array(times[30:75]) - times[30], atol=1e-3)


def test_sound_stays_with_the_picture(media, tmp_path) -> None:
    start, stop = 41, 300
    clip, _ = written(media["with_sound"], start, stop, tmp_path / "clip.mp4")
    expected = [time - start / FPS for time in FLASHES_S if start / FPS < time < stop / FPS]
    np.testing.assert_allclose(read_flashes(clip.path), expected, atol=1e-3)
    np.testing.assert_allclose(read_beeps(clip.path), expected, atol=0.005)
    assert clip.has_audio


@pytest.mark.parametrize("start", [0, 41])
def test_sound_that_comes_before_the_first_picture(media, tmp_path, start: int) -> None:
    """As in many streams: packets of sound stand before those of the pictures that they go with."""
    late = tmp_path / "late.mkv"
    with av.open(str(media["with_sound"])) as source, av.open(str(late), "w") as target:
        streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
        packets = [packet for packet in source.demux() if packet.size]
        for packet in packets:
            if packet.stream.type == "video":  # pictures and sound both a second later, the packets far apart
                packet.pts, packet.dts = packet.pts + FPS * 512, packet.dts + FPS * 512
            else:
                packet.pts, packet.dts = packet.pts + 48_000, packet.dts + 48_000
        for packet in sorted(packets, key=lambda p: (p.stream.type == "video", p.dts)):
            packet.stream = streams[packet.stream.index]
            target.mux_one(packet)
    clip, _ = written(late, start, 300, tmp_path / "out" / "clip.mp4")
    expected = [time - start / FPS for time in FLASHES_S if start / FPS < time < 300 / FPS]
    np.testing.assert_allclose(read_beeps(clip.path), expected, atol=0.02)
    np.testing.assert_allclose(read_flashes(clip.path), expected, atol=0.02)


def test_a_turned_video_comes_out_upright(media, tmp_path) -> None:
    clip, _ = written(media["tall"], 5, 40, tmp_path / "clip.mp4")
    assert (clip.width, clip.height) == (180, 320)
    picture = next(iter(read_frames(clip.path)))[1].astype(int)
    top, bottom = picture[20, 100], picture[300, 100]
    assert top[0] > 150 > top[2] and bottom[2] > 150 > bottom[0]
    assert picture[160, 10].min() > 200
    poster = cv2.imread(str(clip.path.with_suffix(".jpg")))
    assert poster.shape[0] > poster.shape[1] and poster[20, 100, 2] > 150


def test_odd_sides_lose_a_pixel_and_ten_bits_become_eight(tmp_path) -> None:
    path = write_video(tmp_path / "odd.mkv", pan(30, seed=1, speed=0.2, size=(161, 91)), pixel_format="yuv444p10le")
    clip, _ = written(path, 3, 20, tmp_path / "out" / "clip.mp4")
    assert (clip.width, clip.height) == (160, 90)
    with av.open(str(clip.path)) as container:
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"


def test_a_picture_size_that_changes_is_brought_to_the_first(corrupt, tmp_path) -> None:
    clip, _ = written(corrupt.folder / "resolution_change.ts", 20, 100, tmp_path / "clip.mp4")
    assert (clip.width, clip.height, clip.frames) == (640, 360, 80)


def test_a_video_without_timestamps_is_cut_by_counting(corrupt, tmp_path) -> None:
    clip, _ = written(corrupt.folder / "raw_es_no_timestamps.h264", 30, 90, tmp_path / "clip.mp4")
    assert clip.frames == 60


@pytest.mark.parametrize("suffix", ["mkv", "webm", "ts"])
def test_other_containers(suffix: str, tmp_path) -> None:
    frames = [write_number(picture, i) for i, picture in enumerate(pan(120, seed=3, speed=0.2))]
    codec = "libvpx-vp9" if suffix == "webm" else "libx264"
    options = {"deadline": "realtime", "cpu-used": "8"} if codec == "libvpx-vp9" else {"g": "40", "bf": "2"}
    path = write_video(tmp_path / f"film.{suffix}", frames, codec=codec, options=options, fps=Fraction(FPS))
    clip, _ = written(path, 50, 97, tmp_path / "out" / "clip.mp4")
    assert [read_number(picture) for _, picture in read_frames(clip.path)] == list(range(50, 97))


def test_a_clip_that_is_not_what_was_asked_leaves_nothing(media, tmp_path) -> None:
    found = scan(media["numbered"], {})
    span = (float(found.times[10]), float(found.times[60]))
    with pytest.raises(VideoError, match="50 frames where the scan saw 51") as error:
        write_clip(found.video, span, 51, tmp_path / "clip.mp4", FAST)
    assert error.value.kind == "inexact"
    assert not list(tmp_path.iterdir())


def test_a_written_file_that_shows_something_else_is_thrown_away(media, tmp_path, monkeypatch) -> None:
    """The check is a real one: with a target that was encoded from other pictures it fails."""
    from longtake.video import clipfile

    encode = clipfile._encode

    def swapped(video, span, *rest):
        seen = encode(video, (span[0] + 2.0, span[1] + 2.0), *rest)
        seen.times = [time - 2.0 for time in seen.times]
        seen.pictures[0] = 255 - seen.pictures[0]
        return seen

    monkeypatch.setattr(clipfile, "_encode", swapped)
    found = scan(media["fast_pan"], {})
    with pytest.raises(VideoError, match="clip's own pictures"):
        write_clip(found.video, (0.0, float(found.times[20])), 20, tmp_path / "clip.mp4", FAST)
    assert not list(tmp_path.iterdir())


def test_a_source_that_went_away_says_so(media, tmp_path) -> None:
    found = scan(media["still"], {})
    with pytest.raises(VideoError, match="no such file"):
        write_clip(replace(found.video, path=str(tmp_path / "gone.mp4")), (0.0, 1.0), 24, tmp_path / "c.mp4", FAST)
