"""Black borders around real pictures, coded anew, to the pixel; and what is none."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from media import write_video
from wheel import pictures

from longtake.records import Series
from longtake.scores.borders import borders
from longtake.signals.borders import Borders
from longtake.video import scan

SIDES = ("top", "bottom", "left", "right")
Picture = np.ndarray


def street(count: int = 5) -> list[Picture]:
    """640x272, a second apart; the last rows are as dark as any."""
    return pictures("bikes", every=25, count=count, pixels="rgb24")


def boxed(shown: Picture, top: int, bottom: int, left: int, right: int, *, level: int = 0) -> Picture:
    return cv2.copyMakeBorder(shown, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(level,) * 3)


def scores(folder: Path, shown: Sequence[Picture], *, crf: int = 20, **more: object) -> dict[str, float | None]:
    """One frame per second: every one or two are looked at."""
    path = write_video(folder / "film.mp4", shown, fps=1, options={"crf": str(crf), "preset": "veryfast"}, **more)
    return borders(scan(path, {"borders": Borders()}).series["borders"])


def sides(found: dict[str, float | None]) -> list[float | None]:
    return [found[side] for side in SIDES]


@pytest.mark.parametrize("crf", [18, 30])
@pytest.mark.parametrize(
    "lines", [(0, 0, 0, 0), (44, 44, 0, 0), (45, 43, 0, 0), (0, 0, 80, 80), (37, 51, 33, 61), (2, 0, 0, 6)]
)
def test_borders_are_found_to_the_pixel(tmp_path, lines: tuple[int, int, int, int], crf: int) -> None:
    found = scores(tmp_path, [boxed(picture, *lines) for picture in street()], crf=crf)
    assert sides(found) == list(lines)
    height, width = 272 + lines[0] + lines[1], 640 + lines[2] + lines[3]
    assert found["share"] == pytest.approx(1 - 272 * 640 / (height * width))
    assert found["text"] == 0


def test_they_are_those_of_the_upright_picture(tmp_path) -> None:
    stored = [np.rot90(boxed(picture, 40, 60, 10, 24), -1) for picture in street()]
    assert sides(scores(tmp_path, stored, rotation=90)) == [40, 60, 10, 24]


@pytest.mark.parametrize("level", [8, 24])
def test_borders_that_are_not_quite_black_and_noisy(tmp_path, level: int) -> None:
    rng = np.random.default_rng(0)
    shown = [boxed(picture, 44, 44, 0, 0, level=level) for picture in street()]
    noisy = [np.clip(picture + rng.normal(0, 1.5, picture.shape), 0, 255).astype(np.uint8) for picture in shown]
    assert sides(scores(tmp_path, noisy)) == [44, 44, 0, 0]


def test_a_soft_edge_belongs_to_the_border(tmp_path) -> None:
    """Half size and back again: a line of half brightness at the edge."""
    shown = [boxed(picture, 44, 44, 0, 0) for picture in street()]
    soft = [cv2.resize(cv2.resize(p, (320, 180), interpolation=cv2.INTER_AREA), (640, 360)) for p in shown]
    found = sides(scores(tmp_path, soft))
    assert 44 <= found[0] <= 46 and 44 <= found[1] <= 46 and found[2:] == [0, 0]


def test_a_subtitle_in_the_bar_leaves_it_a_bar_and_is_told(tmp_path) -> None:
    shown = [boxed(picture, 60, 60, 0, 0) for picture in street(8)]
    for k in (2, 3, 4, 5):
        cv2.putText(shown[k], "and that is what he said", (120, 372), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (240,) * 3, 2)
    found = scores(tmp_path, shown)
    assert sides(found) == [60, 60, 0, 0]
    assert 0.2 < found["text"] < 0.8


def test_a_logo_that_never_goes_ends_the_bar(tmp_path) -> None:
    shown = [boxed(picture, 60, 60, 0, 0) for picture in street()]
    for picture in shown:
        picture[20:50, 560:620] = 200
    assert sides(scores(tmp_path, shown)) == [0, 60, 0, 0]


def test_a_bar_that_comes_or_goes_counts_as_far_as_it_always_holds(tmp_path) -> None:
    narrow, wide = ([cv2.resize(boxed(picture, n, n, 0, 0), (640, 360)) for picture in street()] for n in (0, 100))
    middle = [boxed(picture, 44, 44, 0, 0) for picture in street()]
    assert sides(scores(tmp_path, [*middle, *wide])) == [44, 44, 0, 0]
    assert sides(scores(tmp_path, [*middle, *narrow])) == [0, 0, 0, 0]


def test_a_dark_scene_has_no_border_and_keeps_the_one_it_has(tmp_path) -> None:
    """Night: the upper half black, the lower one fading into it."""
    shade = np.clip(np.linspace(-0.6, 0.5, 272), 0, 1)[:, None, None]
    night = [(picture * shade).astype(np.uint8) for picture in street()]
    assert sides(scores(tmp_path, night)) == [0, 0, 0, 0]
    day_and_night = [boxed(picture, 44, 44, 0, 0) for picture in (*night, *street())]
    assert sides(scores(tmp_path, day_and_night)) == [44, 44, 0, 0]


def test_a_title_on_black_has_no_border(tmp_path) -> None:
    card = np.zeros((360, 640, 3), np.uint8)
    cv2.putText(card, "A FILM BY", (190, 190), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (250,) * 3, 5)
    assert sides(scores(tmp_path, [card] * 4)) == [0, 0, 0, 0]


def test_white_and_blurred_borders_are_none(tmp_path) -> None:
    white = [boxed(picture, 44, 44, 0, 0, level=255) for picture in street()]
    blurred = []
    for picture in street():
        back = cv2.GaussianBlur(cv2.resize(picture, (640, 360)), (0, 0), 20)
        back[44:316] = picture
        blurred.append(back)
    assert sides(scores(tmp_path, white)) == sides(scores(tmp_path, blurred)) == [0, 0, 0, 0]


def test_a_black_clip_has_none_that_could_be_told(tmp_path) -> None:
    found = scores(tmp_path, [np.zeros((180, 320, 3), np.uint8)] * 3)
    assert found == dict.fromkeys((*SIDES, "share", "text"))


def test_black_frames_at_a_fade_do_not_count(tmp_path) -> None:
    shown = [boxed(picture, 44, 44, 0, 0) for picture in street()]
    faded = [(picture * part).astype(np.uint8) for picture, part in zip(shown, (0, 0.2, 1, 1, 0), strict=True)]
    assert sides(scores(tmp_path, faded)) == [44, 44, 0, 0]


def test_the_frame_rate_does_not_matter(tmp_path) -> None:
    shown = [boxed(picture, 44, 44, 0, 0) for picture in street(3)]
    path = write_video(tmp_path / "fast.mp4", [picture for picture in shown for _ in range(25)], fps=25)
    series = scan(path, {"borders": Borders()}).series["borders"]
    assert sides(borders(series)) == [44, 44, 0, 0]
    assert len(series) == 3


@pytest.mark.parametrize(
    ("name", "span", "expected"),
    [
        ("r_sintel_film.mp4", (0.0, 26.0), (59, 60, 0, 0)),
        ("r_sintel_trailer.mp4", (20.0, 42.0), (88, 87, 0, 0)),
        ("d01_mixed_720p30_h264.mp4", (37.9, 40.9), (0, 0, 144, 146)),
        ("d08_portrait_720x1280p30_h264.mp4", (0.0, 40.0), (0, 0, 0, 0)),
    ],
)
def test_real_films(footage, name: str, span: tuple[float, float], expected: tuple[int, ...]) -> None:
    found = scan(footage / "dev" / "videos" / name, {"borders": Borders()}).series["borders"]
    np.testing.assert_allclose(sides(borders(found.between(*span))), expected, atol=1)


def test_no_rows_give_the_same_keys() -> None:
    columns = Borders.columns
    nothing = Series(columns, np.empty(0), np.empty(0, np.int32), np.empty((0, len(columns)), np.float32))
    assert borders(nothing) == dict.fromkeys((*SIDES, "share", "text"))
