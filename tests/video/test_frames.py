"""Single frames by their times, from files whose every frame carries its number."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media import SIZE, Media, read_number, texture, write_number, write_video

from longtake.video import read_frames, scan

FRAMES = 120


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory):
    """Files of many key frames, with and without an index."""
    folder = tmp_path_factory.mktemp("numbered")
    background = texture(*SIZE, seed=3)
    pictures = [write_number(background, number) for number in range(FRAMES)]
    paths = {name: folder / f"numbered.{name}" for name in ("mp4", "mkv", "ts")}
    for path in paths.values():
        write_video(path, pictures, options={"g": "12"})
    return {name: (path, scan(path, {})) for name, path in paths.items()}


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
@given(times=st.lists(st.floats(-1, 6), min_size=1, max_size=5).map(sorted))
def test_each_time_gives_the_frame_displayed_then(numbered, container: str, times: list[float]) -> None:
    path, seen = numbered[container]
    wanted = np.clip(np.searchsorted(seen.times, np.array(times) + 5e-6, side="right") - 1, 0, FRAMES - 1)
    for seekable in (True, False):
        pictures = read_frames(
            path, times, long_side_px=640, first_timestamp_s=seen.video.first_timestamp_s, seekable=seekable
        )
        assert [read_number(picture) for picture in pictures] == wanted.tolist()


def test_one_key_frame_and_a_clock_that_starts_late(media: Media) -> None:
    video = scan(media["numbered"], {}).video
    times = [k / video.fps + 0.01 for k in (0, 1, 2, 200, 201, 389)]
    pictures = read_frames(media["numbered"], times, long_side_px=640, first_timestamp_s=video.first_timestamp_s)
    assert [read_number(picture) for picture in pictures] == [0, 1, 2, 200, 201, 389]


def test_frames_are_upright_scaled_and_never_enlarged(media: Media) -> None:
    (small,) = read_frames(media["tall"], [0.5], long_side_px=160)
    assert small.shape == (160, 90, 3)
    assert small[20:60, 45:].mean(axis=(0, 1)).argmax() == 0, "red above"
    assert small[110:150, 45:].mean(axis=(0, 1)).argmax() == 2, "blue below"
    (large,) = read_frames(media["tall"], [0.5], long_side_px=4000)
    assert large.shape == (320, 180, 3)


def test_times_out_of_order_are_a_mistake(media: Media) -> None:
    with pytest.raises(ValueError, match="out of order"):
        read_frames(media["still"], [2.0, 1.0], long_side_px=64)
