"""What a model is shown: the right frames, in the right cells, on white, or in a small video at the right rate."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from media import FPS, SIZE, Media, read_frames, read_number, texture, write_number, write_video

from longtake.captions import Look
from longtake.looks import grid, hash_of, lay_out, take_looks
from longtake.video import scan


def decoded(jpeg: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def test_a_grid_runs_row_by_row_with_a_white_border() -> None:
    cells = [np.full((18, 32, 3), shade, np.uint8) for shade in (10, 60, 110, 160, 210)]
    whole = grid(cells, 2, 4)
    assert whole.shape == (4 + 3 * 22, 4 + 2 * 36, 3)
    assert [int(whole[4 + 22 * (k // 2) + 9, 4 + 36 * (k % 2) + 16, 0]) for k in range(5)] == [10, 60, 110, 160, 210]
    assert (whole[:4] == 255).all() and (whole[:, :4] == 255).all() and (whole[22:26] == 255).all()
    assert (whole[-22:, 40:] == 255).all(), "an empty cell is white"


def test_looks_show_the_frames_asked_for_from_one_decode(media: Media) -> None:
    video = scan(media["numbered"], {}).video
    start_s = 30 / video.fps
    times = tuple(k / video.fps + 0.01 for k in (5, 40, 77, 120))
    single, whole = take_looks(
        media["numbered"],
        [Look(times[1:2]), Look(times, columns=2, cell_px=320)],
        start_s=start_s,
        first_timestamp_s=video.first_timestamp_s,
        seekable=True,
    )
    assert [read_number(decoded(jpeg)) for jpeg in single] == [70]
    (sheet,) = (decoded(jpeg) for jpeg in whole)
    height, width = 180, 320
    seen = [
        read_number(sheet[8 + (height + 8) * r : 8 + (height + 8) * r + height, 8 + (width + 8) * c :][:, :width])
        for r in (0, 1)
        for c in (0, 1)
    ]
    assert seen == [35, 70, 107, 150]


@pytest.mark.parametrize("seekable", [True, False])
def test_a_video_shows_the_frames_displayed_at_its_times(media: Media, tmp_path: Path, seekable: bool) -> None:
    video = scan(media["numbered"], {}).video
    start_s = 30 / video.fps
    looks = [  # two windows that follow each other, and pictures from both
        Look(tuple(k / 5 + 0.01 for k in range(12)), cell_px=161, fps=5.0),
        Look((1.0, 3.0)),
        Look(tuple(2.4 + k / 5 + 0.01 for k in range(12)), cell_px=161, fps=5.0),
    ]
    taken = take_looks(
        media["numbered"],
        looks,
        start_s=start_s,
        first_timestamp_s=video.first_timestamp_s,
        seekable=seekable,
    )
    assert [len(files) for files in taken] == [1, 2, 1]
    shown = [30 + int((k / 5 + 0.01) * video.fps + 0.5e-6) for k in range(24)]
    for files, expected in ((taken[0], shown[:12]), (taken[2], shown[12:])):
        (tmp_path / "small.mp4").write_bytes(files[0])
        frames = list(read_frames(tmp_path / "small.mp4"))
        assert [read_number(picture) for _, picture in frames] == expected
        assert [time for time, _ in frames] == pytest.approx([k / 5 for k in range(12)], abs=1e-3)
        assert frames[0][1].shape == (90, 160, 3), "even sides, none longer than asked for"
    assert [read_number(decoded(jpeg)) for jpeg in taken[1]] == [59, 119]


def test_a_look_asked_for_twice_is_the_same_twice(tmp_path: Path) -> None:
    path = write_video(tmp_path / "few.mp4", [write_number(texture(*SIZE, seed=1), k) for k in range(FPS)])
    look = Look((0.0, 0.5), fps=2.0)
    one, other = take_looks(path, [look, look], start_s=0.0, first_timestamp_s=0.0, seekable=True)
    assert one == other
    (tmp_path / "small.mp4").write_bytes(one[0])
    assert [read_number(picture) for _, picture in read_frames(tmp_path / "small.mp4")] == [0, FPS // 2]


def test_a_cell_has_the_size_asked_for_and_no_more() -> None:
    frame = np.zeros((90, 160, 3), np.uint8)
    (small,) = lay_out([frame], Look((0.0,), cell_px=80))
    (large,) = lay_out([frame], Look((0.0,), cell_px=800))
    assert decoded(small).shape == (45, 80, 3) and decoded(large).shape == (90, 160, 3)


@pytest.mark.parametrize("other", [[b"b", b"a"], [b"ab"], [b"a"], []])
def test_a_hash_names_pictures_in_their_order(other: list[bytes]) -> None:
    assert hash_of([b"a", b"b"]) == hash_of([b"a", b"b"]) != hash_of(other)
