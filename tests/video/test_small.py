"""A small video reads back as the pictures it was made of, at their rate."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media import SIZE, read_frames, read_number, texture, write_number

from longtake.video import SmallVideo

BACKGROUND = texture(*SIZE, seed=5)


def make(path: Path, numbers: list[int], fps: float) -> Path:
    video = SmallVideo(path, fps)
    for number in numbers:
        video.add(write_number(BACKGROUND, number))
    video.close()
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("small")


@given(numbers=st.lists(st.integers(0, 1023), min_size=1, max_size=40), fps=st.integers(1, 80).map(lambda n: n / 10))
def test_all_pictures_in_order_at_their_rate(folder: Path, numbers: list[int], fps: float) -> None:
    frames = list(read_frames(make(folder / "made.mp4", numbers, fps)))
    assert [read_number(picture) for _, picture in frames] == numbers
    assert [time for time, _ in frames] == pytest.approx([k / fps for k in range(len(numbers))], abs=1e-3)


def test_the_file_is_one_that_any_server_takes(folder: Path) -> None:
    path = make(folder / "plain.mp4", list(range(12)), 2.0)
    with av.open(str(path)) as container:
        (stream,) = container.streams
        assert (stream.codec_context.name, stream.pix_fmt, stream.frames) == ("h264", "yuv420p", 12)
        assert stream.average_rate == Fraction(2)
        assert stream.duration * stream.time_base == 6
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "the index comes first"


def test_equal_pictures_give_equal_files(folder: Path) -> None:
    one, other = (make(folder / f"{name}.mp4", list(range(30)), 2.0).read_bytes() for name in "ab")
    assert one == other


def test_a_size_that_changes_midway_becomes_the_first(folder: Path) -> None:
    video = SmallVideo(folder / "sizes.mp4", 2.0)
    for number, size in enumerate(((320, 180), (640, 480), (320, 180))):
        video.add(write_number(texture(*size, seed=number), number))
    video.close()
    pictures = [picture for _, picture in read_frames(folder / "sizes.mp4")]
    assert [picture.shape for picture in pictures] == [(180, 320, 3)] * 3
    assert [read_number(np.asarray(picture)) for picture in pictures] == [0, 1, 2]
