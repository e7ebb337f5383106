"""Spoilt, absurd and endless input: a failure with a kind, or what is right; found by benchmarks/trust/inputs.py."""

import math
import os
import struct
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from media import FPS, beeps, pan, set_rotation, write_video

from longtake.errors import VideoError
from longtake.planning import _identify
from longtake.records import Video
from longtake.video.clipfile import write_clip
from longtake.video.decode import LONGEST_S, Reader, Timeline
from longtake.video.encode import Quality
from longtake.video.frames import read_frames
from longtake.video.scan import Frames, Tap, scan

SIZE = (64, 48)


class Gray:
    """A signal that sees every frame."""

    columns = ("mean",)
    tap = Tap(32, "gray")

    def __call__(self, frames: Frames):
        from longtake.records import Series

        return Series(self.columns, frames.times.copy(), frames.numbers.copy(), frames.pixels.mean((1, 2))[:, None])


def small(path: Path, *, frames: int = 24, **how) -> Path:
    return write_video(path, pan(frames, seed=3, speed=0.3, size=SIZE), **how)


def write_all(video: Video, target: Path):
    """Write the whole of a video as a clip."""
    return write_clip(video, (0.0, video.duration_s), video.frames, target, Quality())


@pytest.mark.parametrize("device", ["pipe", "/dev/zero", "/dev/urandom", "loop"])
def test_what_never_ends_is_not_opened(tmp_path: Path, device: str) -> None:
    path = tmp_path / "endless.mp4"
    if device == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(path if device == "loop" else device)
    with pytest.raises(VideoError) as caught:
        scan(path, {})
    assert caught.value.kind in ("unreadable", "missing")
    assert _identify([path], {})[0].id == ""  # nor does the plan wait for it


LISTS = {
    "videos.mp4": "ffconcat version 1.0\nfile 'plain.mp4'\n",
    "list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nplain.mp4\n#EXT-X-ENDLIST\n",
    "session.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
}


@pytest.mark.parametrize("name", LISTS)
def test_a_file_that_names_others_is_no_video(tmp_path: Path, name: str) -> None:
    small(tmp_path / "plain.mp4")
    (tmp_path / name).write_text(LISTS[name])
    with pytest.raises(VideoError) as caught:
        scan(tmp_path / name, {})
    assert caught.value.kind == "not_a_video"


def jpeg(width: int, height: int, claims: tuple[int, int] | None = None) -> bytes:
    data = bytearray(cv2.imencode(".jpg", np.full((height, width), 99, np.uint8))[1].tobytes())
    if claims:
        struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, *claims)
    return bytes(data)


def test_pictures_that_grow_out_of_measure_in_mid_stream_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "grows.mjpeg"
    path.write_bytes(jpeg(*SIZE) * 20 + jpeg(*SIZE, claims=(16_000, 16_000)) * 20)
    video = scan(path, {"": Gray()}).video
    assert video.frames == 20
    assert "20 corrupt packets skipped" in video.damage


@pytest.mark.parametrize("degrees", [45, 89, 91, 134])
def test_a_crooked_turn_is_rounded_to_a_right_angle(tmp_path: Path, degrees: int) -> None:
    path = small(tmp_path / "crooked.mp4")
    set_rotation(path, 90)
    data = bytearray(path.read_bytes())
    one, turn = 1 << 16, math.radians(degrees)
    cosine, sine = round(math.cos(turn) * one), round(math.sin(turn) * one)
    struct.pack_into(">9i", data, data.index(b"tkhd") + 4 + 40, cosine, -sine, 0, sine, cosine, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    found = scan(path, {"": Gray()})
    turned = found.video.rotation % 180 != 0
    assert (found.video.width, found.video.height) == (SIZE[::-1] if turned else SIZE)
    assert len(found.series[""]) == 24
    made = write_all(found.video, tmp_path / "clip.mp4")
    assert (made.width, made.height) == (found.video.width, found.video.height)


def test_sound_of_an_unknown_codec_is_no_sound(tmp_path: Path) -> None:
    path = small(tmp_path / "video.mkv", audio=beeps(1, [0.2], 0.1))
    data = path.read_bytes()
    assert data.count(b"A_AAC") == 1
    path.write_bytes(data.replace(b"A_AAC", b"A_AAX"))
    video = scan(path, {}).video
    made = write_all(video, tmp_path / "clip.mp4")
    assert made.frames == 24 and not made.has_audio


def test_sound_may_change_its_channels_in_mid_stream(tmp_path: Path) -> None:
    """Two transport streams one after the other, mono and stereo, as broadcasts do it."""
    path = tmp_path / "joined.ts"
    parts = []
    for number, layout in enumerate(("mono", "stereo")):
        part = tmp_path / f"{layout}.ts"
        with av.open(str(part), "w", format="mpegts") as file:
            video = file.add_stream("mpeg2video", rate=25)
            video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
            sound = file.add_stream("aac", rate=48_000, layout=layout)
            for i, picture in enumerate(pan(25, seed=4, speed=0.3, size=SIZE)):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
                frame.pts, frame.time_base = number * 25 + i, Fraction(1, 25)
                file.mux(video.encode(frame))
                samples = np.full((1 if layout == "mono" else 2, 1920), 0.1, np.float32)
                heard = av.AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
                heard.pts, heard.time_base, heard.sample_rate = (number * 25 + i) * 1920, Fraction(1, 48_000), 48_000
                file.mux(sound.encode(heard))
            file.mux(video.encode(None))
            file.mux(sound.encode(None))
        parts.append(part.read_bytes())
    path.write_bytes(b"".join(parts))
    video = scan(path, {}).video
    made = write_all(video, tmp_path / "clip.mp4")
    assert made.frames == video.frames >= 49 and made.has_audio


def test_two_frames_a_rounding_apart_are_one() -> None:
    """A made-up time and a real one that mean the same tick."""
    line = Timeline(1 / 90_000, 0.04)
    given = [50_400, 54_000, 57_600, 61_200, None, 64_800, 68_400]
    times = [line.place(pts, 3600) for pts in given]
    kept = [round(time * 90_000) for time in times if time is not None]
    assert kept == [0, 3600, 7200, 10_800, 14_400, 18_000] and line.disordered == 1


@pytest.mark.parametrize("ticks", [2**40, 2**62])
def test_a_frame_does_not_stay_for_days(ticks: int) -> None:
    line = Timeline(1 / 1000, 0.04)
    line.place(0, 40)
    line.place(40, ticks)
    assert line.expected_s == pytest.approx(0.08)
    line.place(80, int(LONGEST_S * 1000))
    assert line.expected_s == pytest.approx(LONGEST_S + 0.08)


def test_a_stream_that_turns_up_late_does_no_harm(tmp_path: Path) -> None:
    """PyAV counts streams once, at the start; what it does then with a later one depends on chance."""
    data = bytearray(small(tmp_path / "plain.flv", options={"bf": "0", "g": "8"}).read_bytes())
    sound = b"\x08\x00\x00\x04\x00\x00\x40\x00\x00\x00\x00" + b"\x2e\x00\x00\x00" + b"\x00\x00\x00\x0f"
    at = len(data) // 2
    at = data.index(b"\x09\x00", at) if b"\x09\x00" in data[at:] else len(data)
    path = tmp_path / "late.flv"
    path.write_bytes(bytes(data[:at]) + sound * 40 + bytes(data[at:]))
    for _ in range(5):
        assert scan(path, {}).video.frames > 8


def test_a_container_that_cannot_seek_is_read_from_its_beginning(tmp_path: Path) -> None:
    """The table of key frames leaves out the first."""
    path = small(tmp_path / "lost_keys.mp4", options={"g": "8", "bf": "0", "sc_threshold": "0"})
    data = bytearray(path.read_bytes())
    at = data.index(b"stss") + 12
    assert struct.unpack_from(">3I", data, at) == (1, 9, 17)
    struct.pack_into(">3I", data, at, 22, 23, 24)
    path.write_bytes(data)
    video = scan(path, {}).video
    with Reader(path) as reader:
        assert not reader.seek(0.5, video.first_timestamp_s)
    assert len(list(read_frames(path, [0.5, 0.6], long_side_px=32))) == 2
    start = 12
    made = write_clip(video, (start / FPS, video.duration_s), video.frames - start, tmp_path / "clip.mp4", Quality())
    assert made.frames == video.frames - start


def test_times_that_a_container_guesses_behind_a_seek_are_not_believed(tmp_path: Path) -> None:
    """An MPEG program stream tells the time of some frames only: they came out half a frame late."""
    path = small(tmp_path / "program.mpg", codec="mpeg2video", frames=100, fps=25, options={"g": "12"})
    video = scan(path, {}).video
    for start in (30, 41, 72, 85):
        span = (start / 25, video.duration_s)
        made = write_clip(video, span, video.frames - start, tmp_path / "clip.mp4", Quality())
        assert made.frames == video.frames - start


def test_a_video_that_hardly_moves_in_time_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "million_a_second.y4m"
    path.write_bytes(b"YUV4MPEG2 W8 H8 F1000000:1 C420jpeg\n" + (b"FRAME\n" + bytes(96)) * 300)
    assert scan(path, {}).video.frames == 300
    for name in ("PATIENCE_S", "SLOWEST"):
        monkeypatch.setattr(sys.modules["longtake.video.scan"], name, 0.0)
    with pytest.raises(VideoError, match=r"only 0\.000 s of it, \d+ frames") as caught:
        scan(path, {})
    assert caught.value.kind == "timeout"
