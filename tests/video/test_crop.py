"""Clip files without the borders of their video: pixel for pixel what is inside."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media import read_frames, write_video
from wheel import pictures

from longtake.errors import VideoError
from longtake.video import Border, Quality, scan, write_clip

FINE = Quality(crf=8, preset="ultrafast")


def film(path: Path, top: int, bottom: int, left: int, right: int, **more: object) -> Path:
    """Twenty frames of a street, 640x272, within black."""
    shown = pictures("bikes", first=80, count=20, pixels="rgb24")
    boxed = [cv2.copyMakeBorder(picture, top, bottom, left, right, cv2.BORDER_CONSTANT) for picture in shown]
    turned = [np.rot90(picture, -(more.get("rotation", 0) // 90)) for picture in boxed]
    return write_video(path, turned, fps=25, options={"crf": "8", "preset": "ultrafast"}, **more)


def cropped(path: Path, target: Path, *lines: int):
    found = scan(path, {})
    border = Border(*lines, found.video.width, found.video.height)
    return write_clip(found.video, (float(found.times[4]), float(found.times[16])), 12, target, FINE, border=border)


def off(shown: np.ndarray, inside: np.ndarray) -> float:
    return float(np.abs(shown.astype(int) - inside).mean())


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("lines", [(44, 44, 0, 0), (0, 0, 80, 64), (38, 26, 34, 22)])
def test_a_file_holds_what_is_inside_to_the_pixel(tmp_path, lines: tuple[int, ...], rotation: int) -> None:
    path = film(tmp_path / "film.mp4", *lines, rotation=rotation)
    clip = cropped(path, tmp_path / "out" / "clip.mp4", *lines)
    assert (clip.width, clip.height, clip.frames) == (640, 272, 12)
    truth = pictures("bikes", first=80, count=20, pixels="rgb24")[4:16]
    for (_, shown), inside in zip(read_frames(clip.path), truth, strict=True):
        assert shown.shape == inside.shape
        assert off(shown, inside) < 6
        moved = [np.roll(inside, step, axis=axis) for axis in (0, 1) for step in (-1, 1)]
        assert off(shown, inside) < min(off(shown, other) for other in moved)
        edges = (shown[0], shown[-1], shown[:, 0], shown[:, -1])
        assert min(edge.mean() for edge in edges) > 20


def test_the_poster_is_cropped_too(tmp_path) -> None:
    clip = cropped(film(tmp_path / "film.mp4", 44, 44, 0, 0, rotation=90), tmp_path / "out" / "clip.mp4", 44, 44, 0, 0)
    poster = cv2.imread(str(clip.path.with_suffix(".jpg")))
    assert poster.shape == (204, 480, 3)
    middle = pictures("bikes", first=80, count=20, pixels="rgb24")[10]
    assert off(poster[..., ::-1], cv2.resize(middle, (480, 204), interpolation=cv2.INTER_AREA)) < 8


def test_an_odd_line_is_lost_rather_than_written_black(tmp_path) -> None:
    clip = cropped(film(tmp_path / "film.mkv", 45, 43, 33, 31), tmp_path / "out" / "clip.mp4", 45, 43, 33, 31)
    assert (clip.width, clip.height) == (638, 270)
    inside = pictures("bikes", first=80, count=20, pixels="rgb24")[4][1:271, 1:639]
    shown = next(iter(read_frames(clip.path)))[1]
    assert off(shown, inside) < min(off(shown, np.roll(inside, step, axis=0)) for step in (-1, 1))


def test_without_borders_the_file_is_the_same(tmp_path) -> None:
    path = film(tmp_path / "film.mp4", 0, 0, 0, 0, rotation=90)
    found = scan(path, {})
    span = (0.0, float(found.times[12]))
    plain = write_clip(found.video, span, 12, tmp_path / "plain" / "clip.mp4", FINE)
    border = Border(0, 0, 0, 0, found.video.width, found.video.height)
    same = write_clip(found.video, span, 12, tmp_path / "same" / "clip.mp4", FINE, border=border)
    assert plain.path.read_bytes() == same.path.read_bytes()


def test_pixels_that_are_not_square(tmp_path) -> None:
    """Stored 640x360, shown half as wide again: borders count as shown."""
    border = Border(44, 44, 120, 60, 960, 360)
    assert border.inside(640, 360) == (80, 44, 520, 272)


def test_a_picture_size_that_changes_is_cropped_alike_and_brought_to_the_first(corrupt, tmp_path) -> None:
    found = scan(corrupt.folder / "resolution_change.ts", {})
    span = (float(found.times[20]), float(found.times[100]))
    border = Border(20, 20, 0, 0, found.video.width, found.video.height)
    clip = write_clip(found.video, span, 80, tmp_path / "clip.mp4", FINE, border=border)
    assert (clip.width, clip.height, clip.frames) == (640, 320, 80)


def test_the_check_compares_with_what_is_inside(tmp_path, monkeypatch) -> None:
    """A file of the whole picture isn't what was asked for."""
    from longtake.video import clipfile

    path = film(tmp_path / "film.mp4", 100, 20, 0, 0)
    encoder = clipfile.Encoder
    monkeypatch.setattr(clipfile, "Encoder", lambda *given: encoder(*given[:4]))
    with pytest.raises(VideoError, match="clip's own pictures"):
        cropped(path, tmp_path / "out" / "clip.mp4", 100, 20, 0, 0)
    assert not list((tmp_path / "out").iterdir())


@given(
    st.tuples(*[st.integers(0, 300)] * 4),
    st.integers(602, 4000),
    st.integers(602, 4000),
    st.sampled_from([(1, 1), (4, 3), (3, 4), (2, 1)]),
)
def test_what_is_inside_is_even_and_within(
    lines: tuple[int, ...], width: int, height: int, aspect: tuple[int, int]
) -> None:
    stored = round(width * aspect[0] / aspect[1])
    x, y, wide, high = Border(*lines, width, height).inside(stored, height)
    top, bottom, left, right = lines
    assert x % 2 == y % 2 == wide % 2 == high % 2 == 0
    assert top <= y < top + 2 and height - bottom - 3 < y + high <= height - bottom
    scale = stored / width
    assert left * scale - 1e-3 <= x < left * scale + 2
    assert (width - right) * scale - 4 < x + wide <= (width - right) * scale + 1e-3
