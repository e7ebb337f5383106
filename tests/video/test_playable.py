"""Small files that browsers play show exactly the span's frames at their times, upright, with its sound."""

import av
import numpy as np
import pytest
from media import FLASHES_S, FPS, pan, read_beeps, read_flashes, read_frames, read_number, write_number, write_video

from longtake.errors import VideoError
from longtake.video import scan, write_playable


def played(path, start, stop, target):
    """Write frames `start` to `stop` of a video; return what is shown when, and when it should be."""
    found = scan(path, {})
    times = [*found.times, found.video.duration_s]
    known = {"first_timestamp_s": found.video.first_timestamp_s, "seekable": found.video.seekable}
    write_playable(path, (times[start], times[stop]), target, **known)
    return list(read_frames(target)), np.array(times[start:stop]) - times[start]


@pytest.mark.parametrize(("start", "stop"), [(0, 40), (1, 2), (133, 200), (350, 390)])
def test_it_shows_the_frames_of_the_span_at_their_times(media, tmp_path, start, stop) -> None:
    """The source has one key frame, B-frames, and a clock that doesn't start at zero."""
    shown, times = played(media["numbered"], start, stop, tmp_path / "small.mp4")
    assert [read_number(picture) for _, picture in shown] == list(range(start, stop))
    np.testing.assert_allclose([time for time, _ in shown], times, atol=1e-3)
    assert [path.name for path in tmp_path.iterdir()] == ["small.mp4"]


def test_what_browsers_do_not_play_becomes_what_they_do(tmp_path) -> None:
    """HEVC with 10 bits in Matroska, 576 pixels high, becomes H.264 with 8 and 480."""
    frames = (write_number(picture, i) for i, picture in enumerate(pan(30, seed=1, speed=0.1, size=(1026, 576))))
    coding = {"codec": "libx265", "pixel_format": "yuv420p10le"}
    fast = {"preset": "ultrafast", "x265-params": "log-level=none"}
    source = write_video(tmp_path / "film.mkv", frames, **coding, options=fast)
    shown, _ = played(source, 6, 24, tmp_path / "small.mp4")
    assert [read_number(picture) for _, picture in shown] == list(range(6, 24))
    with av.open(str(tmp_path / "small.mp4")) as container:
        stream = container.streams.video[0].codec_context
        assert (stream.name, stream.pix_fmt, stream.height, stream.width) == ("h264", "yuv420p", 480, 856)


def test_it_is_upright(media, tmp_path) -> None:
    """The source is stored lying on its side: red above, blue below, as it is shown."""
    shown, _ = played(media["tall"], 10, 20, tmp_path / "small.mp4")
    for _, picture in shown:
        assert picture.shape[:2] == (320, 180)
        assert picture[:60, 60:].mean(axis=(0, 1)).argmax() == 0
        assert picture[-60:, 60:].mean(axis=(0, 1)).argmax() == 2


def test_frame_times_that_vary_are_kept(media, tmp_path) -> None:
    shown, times = played(media["vfr"], 30, 75, tmp_path / "small.mp4")
    np.testing.assert_allclose([time for time, _ in shown], times, atol=1e-3)


def test_sound_is_with_its_pictures(media, tmp_path) -> None:
    start, stop = 41, 300
    played(media["with_sound"], start, stop, tmp_path / "small.mp4")
    expected = [time - start / FPS for time in FLASHES_S if start / FPS < time < stop / FPS]
    np.testing.assert_allclose(read_flashes(tmp_path / "small.mp4"), expected, atol=1e-3)
    np.testing.assert_allclose(read_beeps(tmp_path / "small.mp4"), expected, atol=0.005)


def test_a_span_without_frames_leaves_nothing_behind(media, tmp_path) -> None:
    with pytest.raises(VideoError, match="not one frame") as raised:
        write_playable(media["cut"], (100.0, 101.0), tmp_path / "small.mp4")
    assert raised.value.kind == "no_frames"
    assert list(tmp_path.iterdir()) == []
