"""Preview sheets: the right picture at the right place, however long the video is."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from longtake.previews import Previews
from longtake.video import Frames


def feed(previews: Previews, times: list[float], block: int = 16) -> None:
    """Show one flat picture a time, its brightness telling which."""
    for start in range(0, max(1, len(times)), block):
        some = times[start : start + block]
        pixels = np.zeros((len(some), 20, 30, 3), np.uint8)
        for picture, time in zip(pixels, some, strict=True):
            picture[:] = shade(time)
        last = start + block >= len(times)
        previews(Frames(np.array(some), np.arange(len(some), dtype=np.int32), pixels, last))


def shade(time: float) -> int:
    return int(time * 3.1) % 240


def tile(folder: Path, sheets, k: int) -> float:
    per_sheet = sheets.columns * sheets.rows
    sheet = cv2.imread(str(folder / sheets.files[k // per_sheet]))
    assert sheet.shape[:2] == (sheets.rows * sheets.tile_height, sheets.columns * sheets.tile_width)
    row, column = divmod(k % per_sheet, sheets.columns)
    picture = sheet[row * 20 : row * 20 + 20, column * 30 : column * 30 + 30]
    return float(picture[4:-4, 4:-4].mean())


@pytest.mark.parametrize("seconds", [1, 10, 198, 200, 202, 700])
def test_tile_k_is_the_picture_at_its_time(seconds: int, tmp_path: Path) -> None:
    previews = Previews()
    times = [float(time) for time in range(0, seconds, 2)]
    feed(previews, times)
    sheets = previews.write(tmp_path / "previews", "film")
    assert sheets.count == len(times)
    for k in {0, len(times) // 2, len(times) - 1}:
        assert tile(tmp_path, sheets, k) == pytest.approx(shade(times[k]), abs=4)
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_gap_in_the_frames_repeats_the_picture_before_it(tmp_path: Path) -> None:
    previews = Previews()
    feed(previews, [0.0, 2.0, 30.0])
    sheets = previews.write(tmp_path / "previews", "film")
    assert sheets.count == 16
    assert tile(tmp_path, sheets, 14) == pytest.approx(shade(2.0), abs=4)
    assert tile(tmp_path, sheets, 15) == pytest.approx(shade(30.0), abs=4)


def test_no_picture_no_sheet(tmp_path: Path) -> None:
    previews = Previews()
    feed(previews, [])
    assert previews.write(tmp_path / "previews", "film") is None
