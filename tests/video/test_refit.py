"""Files cropped, scaled and re-timed: the frames that are displayed at each time, of the size asked for, and whole."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media import (
    FLASHES_S,
    FPS,
    NTSC,
    SIZE,
    pan,
    read_beeps,
    read_flashes,
    read_frames,
    read_number,
    texture,
    write_number,
    write_video,
)

from longtake.errors import UsageError, VideoError
from longtake.video import Refit, refit, scan
from longtake.video.refit import parse_refit


def numbered(path: Path, count: int, fps: Fraction | int, size: tuple[int, int] = SIZE) -> Path:
    background = texture(*size, seed=3)
    return write_video(path, [write_number(background, number) for number in range(count)], fps=fps)


def numbers(path: Path) -> list[int]:
    return [read_number(picture) for _, picture in read_frames(path)]


@pytest.mark.parametrize("fps", [16.0, 8.0, 24.0, 60.0, 29.97, 23.976])
def test_output_frame_k_is_the_one_displayed_at_k_over_fps(media, tmp_path: Path, fps: float) -> None:
    """The source has 30000/1001 frames per second, B-frames, and a clock that doesn't start at zero."""
    _, width, height, rate, frames, seconds = refit(media["numbered"], tmp_path / "a.mp4", Refit(fps=fps))
    times = np.arange(frames) / fps
    assert numbers(tmp_path / "a.mp4") == np.floor(times * float(NTSC) + 1e-6).astype(int).tolist()
    assert times[-1] < 390 / float(NTSC) - 1e-4 <= frames / fps, "to the end, and no further"
    shown = [time for time, _ in read_frames(tmp_path / "a.mp4")]
    np.testing.assert_allclose(shown, times, atol=1e-4)
    assert (width, height, rate, seconds) == (*SIZE, fps, frames / fps)


def test_the_rate_that_the_file_tells_is_the_one_asked_for(media, tmp_path: Path) -> None:
    refit(media["numbered"], tmp_path / "a.mp4", Refit(fps=16))
    with av.open(str(tmp_path / "a.mp4")) as file:
        assert file.streams.video[0].average_rate == 16
        assert file.streams.video[0].guessed_rate == 16


def test_varying_times_become_constant(media, tmp_path: Path) -> None:
    """30 frames per second for 2 s, then 10 for 2 s."""
    times = [*(i / 30 for i in range(60)), *(2 + i / 10 for i in range(20))]
    path = write_video(tmp_path / "vfr.mp4", [write_number(texture(*SIZE, seed=4), i) for i in range(80)], times=times)
    refit(path, tmp_path / "a.mp4", Refit(fps=15))
    wanted = np.searchsorted(times, np.arange(60) / 15 + 1e-4, side="right") - 1
    assert numbers(tmp_path / "a.mp4") == wanted.tolist()


@pytest.mark.parametrize(
    ("frames", "plus_one", "fps", "count"),
    [(4, True, 0.0, 389), (8, True, 0.0, 385), (16, False, 0.0, 384), (4, True, 16.0, 209), (1, False, 0.0, 390)],
)
def test_frames_are_cut_to_a_multiple(media, tmp_path: Path, frames: int, plus_one: bool, fps: float, count: int):
    """390 frames of 29.97 a second; 209 of 16 a second."""
    how = Refit(fps=fps, frames=frames, plus_one=plus_one)
    *_, given, seconds = refit(media["numbered"], tmp_path / "a.mp4", how)
    shown = numbers(tmp_path / "a.mp4")
    assert given == len(shown) == count
    assert shown == [int(k / fps * float(NTSC) + 1e-6) if fps else k for k in range(count)]
    assert seconds == pytest.approx(count / (fps or float(NTSC)), abs=1e-3)
    assert scan(tmp_path / "a.mp4", {}).video.duration_s == pytest.approx(seconds, abs=1e-3)


@pytest.mark.parametrize("how", [Refit(frames=16), Refit(frames=12, plus_one=True), Refit(fps=4, frames=4)])
def test_a_clip_too_short_is_said_and_nothing_is_left(tmp_path: Path, how: Refit) -> None:
    source = numbered(tmp_path / "short.mp4", 12, 24)
    with pytest.raises(VideoError, match=r"too few .* leave shorter clips out") as error:
        refit(source, tmp_path / "out" / "a.mp4", how)
    assert error.value.kind == "inexact"
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("source", "how", "size"),
    [
        ((320, 180), Refit(128, 128), (128, 128)),
        ((320, 180), Refit(width=160), (160, 90)),
        ((320, 180), Refit(height=64), (112, 64)),  # 113.8
        ((180, 320), Refit(height=64), (36, 64)),
        ((180, 320), Refit(128, 128), (128, 128)),
        ((320, 180), Refit(640, 640), (640, 640)),
        ((320, 180), Refit(sides=32), (320, 160)),
        ((322, 186), Refit(sides=16), (320, 176)),
        ((320, 180), Refit(100, 100, sides=32), (96, 96)),
        ((320, 180), Refit(height=90, sides=32), (160, 64)),
        ((320, 180), Refit(sides=3), (318, 180)),
    ],
)
def test_sizes(tmp_path: Path, source: tuple[int, int], how: Refit, size: tuple[int, int]) -> None:
    path = write_video(tmp_path / "film.mp4", [texture(*source, seed=3)] * 4)
    _, *given, _, frames, _ = refit(path, tmp_path / "a.mp4", how)
    (_, picture), *_ = read_frames(tmp_path / "a.mp4")
    assert tuple(given) == size == picture.shape[1::-1]
    assert frames == 4


def test_what_is_cropped_lies_around_the_middle_and_keeps_its_shape(tmp_path: Path) -> None:
    """A circle stays one, and as much goes on the left as on the right, above as below."""
    rows, columns = np.mgrid[:180, :320]
    circle = np.where(np.hypot(rows - 89.5, columns - 159.5) < 60, 235, 16).astype(np.uint8)
    path = write_video(tmp_path / "film.mp4", [np.repeat(circle[..., None], 3, axis=2)] * 4)
    for name, how in {"a": Refit(90, 90), "b": Refit(160, 60), "c": Refit(540, 540)}.items():
        refit(path, tmp_path / f"{name}.mp4", how)
        (_, picture), *_ = read_frames(tmp_path / f"{name}.mp4")
        inside = picture[..., 1] > 128
        ys, xs = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        height, width = picture.shape[:2]
        scale = max(width / 320, height / 180)
        assert len(xs) == pytest.approx(120 * scale, abs=3)
        assert len(ys) == pytest.approx(min(120 * scale, height), abs=3)
        assert xs.mean() == pytest.approx((width - 1) / 2, abs=1.5)
        assert ys.mean() == pytest.approx((height - 1) / 2, abs=1.5)


def test_files_that_are_turned_are_written_upright(media, tmp_path: Path) -> None:
    """Shown 180x320, red above, blue below, a white bar of 30 on the left."""
    assert refit(media["tall"], tmp_path / "a.mp4", Refit(90, 160))[1:3] == (90, 160)
    (_, picture), *_ = read_frames(tmp_path / "a.mp4")
    assert picture[5:35, 45:].mean(axis=(0, 1)).argmax() == 0
    assert picture[125:155, 45:].mean(axis=(0, 1)).argmax() == 2
    assert picture[:, 2:12].mean() > 225


def test_pixels_become_square(tmp_path: Path) -> None:
    """180x180 whose pixels are twice as wide as high is shown 360x180."""
    path = numbered(tmp_path / "film.mp4", 6, 24, (180, 180))
    wide = tmp_path / "wide.mp4"
    with av.open(str(path)) as source, av.open(str(wide), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        stream.sample_aspect_ratio = Fraction(2)
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    assert scan(wide, {}).video.width == 360, "the fixture is what it says"
    assert refit(wide, tmp_path / "a.mp4", Refit(height=90))[1:3] == (180, 90)
    assert refit(wide, tmp_path / "b.mp4", Refit(fps=12))[1:3] == (360, 180)
    assert numbers(tmp_path / "a.mp4") == list(range(6)), "nothing is cropped, so that the numbers are whole"


def test_sound_stays_with_the_picture_and_ends_with_it(media, tmp_path: Path) -> None:
    *_, frames, seconds = refit(media["with_sound"], tmp_path / "a.mp4", Refit(160, 90, frames=100))
    assert (frames, seconds) == (300, pytest.approx(12.5, abs=1e-3))
    expected = [time for time in FLASHES_S if time < 12.5]
    np.testing.assert_allclose(read_flashes(tmp_path / "a.mp4"), expected, atol=1e-3)
    np.testing.assert_allclose(read_beeps(tmp_path / "a.mp4"), expected, atol=0.005)
    with av.open(str(tmp_path / "a.mp4")) as file:
        sound = file.streams.audio[0]
        assert sound.codec_context.name == "aac"
        assert float(sound.duration * sound.time_base) == pytest.approx(12.5, abs=0.03)


def test_sound_of_another_rate_stays_with_the_picture(media, tmp_path: Path) -> None:
    refit(media["with_sound"], tmp_path / "a.mp4", Refit(fps=FPS / 2))
    np.testing.assert_allclose(read_flashes(tmp_path / "a.mp4"), [2, 5, 8, 11, 13], atol=1e-3)
    np.testing.assert_allclose(read_beeps(tmp_path / "a.mp4"), FLASHES_S, atol=0.005)


def test_equal_input_gives_equal_files_and_one_that_is_there_is_kept(media, tmp_path: Path) -> None:
    """The size is one at which x264's fastest code was seen to differ from run to run."""
    path = write_video(tmp_path / "film.mp4", pan(60, seed=3, speed=0.3))
    how = Refit(322, 182, fps=16, frames=4, plus_one=True)
    made = [refit(path, tmp_path / f"{k}.mp4", how) for k in range(4)]
    assert len(set(made)) == 1
    assert len({(tmp_path / f"{k}.mp4").read_bytes() for k in range(4)}) == 1
    stamp = (tmp_path / "0.mp4").stat().st_mtime_ns
    assert refit(path, tmp_path / "0.mp4", how) == made[0]
    assert (tmp_path / "0.mp4").stat().st_mtime_ns == stamp


def test_frames_that_do_not_decode_are_no_clip(media, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="frames decode of") as error:
        refit(media["bad_packets"], tmp_path / "out" / "a.mp4", Refit(128, 128))
    assert error.value.kind == "inexact"
    assert list((tmp_path / "out").iterdir()) == []


def test_too_small_a_picture(tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.mp4", [texture(48, 32, seed=3)] * 4)
    with pytest.raises(VideoError, match="48x32 is too small for sides of 64"):
        refit(path, tmp_path / "a.mp4", Refit(sides=64))


@pytest.mark.parametrize(
    ("given", "how"),
    [
        ({}, None),
        ({"size": "512x512"}, Refit(512, 512)),
        ({"size": "512x"}, Refit(512)),
        ({"size": "x480", "sides": 16}, Refit(height=480, sides=16)),
        ({"fps": 16}, Refit(fps=16.0)),
        ({"frames": "4n+1"}, Refit(frames=4, plus_one=True)),
        ({"frames": "8n + 1", "fps": 24.0}, Refit(fps=24.0, frames=8, plus_one=True)),
        ({"frames": "16n"}, Refit(frames=16)),
        ({"sides": 32}, Refit(sides=32)),
    ],
)
def test_what_users_write(given: dict, how: Refit | None) -> None:
    assert parse_refit(**given) == how


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"size": "512"}, "as in 512x512"),
        ({"size": "x"}, "as in 512x512"),
        ({"size": "0x512"}, "0 is no multiple of 2"),
        ({"size": "511x512"}, "the nearest is 512"),
        ({"size": "500x500", "sides": 32}, "the nearest is 512"),
        ({"size": "99999x99999"}, "up to 8192"),
        ({"fps": -1.0}, "as in 16"),
        ({"fps": float("nan")}, "as in 16"),
        ({"frames": "17"}, r"4n\+1"),
        ({"frames": "0n"}, r"4n\+1"),
        ({"frames": "4n+2"}, r"4n\+1"),
        ({"sides": 7}, "an even number"),
        ({"sides": 0}, "an even number"),
    ],
)
def test_what_users_write_wrongly(given: dict, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_refit(**given)


@given(st.text(max_size=12), st.text(alphabet="0123456789n+ ", max_size=6))
def test_any_text_is_read_or_a_usage_error(size: str, frames: str) -> None:
    try:
        how = parse_refit(size=size, frames=frames)
    except UsageError:
        return
    assert how is None or (how.width % 2 == how.height % 2 == 0 and how.frames >= 1)
