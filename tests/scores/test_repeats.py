"""Repeated frames in real pictures that were coded anew, and what must not be taken for them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media import texture, write_video
from wheel import pictures

from longtake.records import Series
from longtake.scores.repeats import repeats
from longtake.signals.transitions import Transitions
from longtake.video import scan

ROUNDING = 0.05


def ride(*, count: int = 60) -> list[np.ndarray]:
    """A shot of a street in which much moves, 25 pictures per second."""
    return pictures("bikes", first=76, count=count, pixels="rgb24")


def scores(folder: Path, shown: Iterable[np.ndarray], fps: int, *, crf: int = 20, start_s: float = 0.0) -> dict:
    path = write_video(folder / f"{fps}_{crf}.mp4", shown, fps=fps, options={"crf": str(crf), "preset": "veryfast"})
    found = scan(path, {"transitions": Transitions()})
    return repeats(found.series["transitions"].between(start_s, found.video.duration_s))


def series(change: Sequence[float], *, fps: float = 25.0) -> Series:
    """Rows of the signal; the first one compares with nothing in the clip."""
    values = np.array([[9.0], *([one] for one in change)], np.float32)
    n = len(values)
    return Series(("change",), np.arange(n) / fps, np.arange(n, dtype=np.int32), values)


@pytest.mark.parametrize("crf", [18, 28])
def test_a_shot_as_it_was_filmed_repeats_nothing(tmp_path, crf: int) -> None:
    found = scores(tmp_path, ride(), 25, crf=crf)
    assert found == pytest.approx({"share": 0, "fps": 25, "frozen_s": 0})


@pytest.mark.parametrize("crf", [18, 28])
def test_24_pictures_in_60_are_known(tmp_path, crf: int) -> None:
    shot = ride()
    found = scores(tmp_path, [shot[k * 2 // 5] for k in range(150)], 60, crf=crf)
    assert found["share"] == pytest.approx(0.6, abs=ROUNDING)
    assert found["fps"] == pytest.approx(24, abs=60 * ROUNDING)
    assert found["frozen_s"] == 0


def test_12_drawings_a_second_at_24_are_known(tmp_path) -> None:
    found = scores(tmp_path, [shown for picture in ride()[:40] for shown in (picture, picture)], 24)
    assert found["share"] == pytest.approx(0.5, abs=ROUNDING)
    assert found["fps"] == pytest.approx(12, abs=24 * ROUNDING)


def test_the_rate_at_which_the_same_is_shown_does_not_matter(tmp_path) -> None:
    """The true rate stays what it is; the share of repeats is what grows."""
    shot = ride()
    for fps, share in ((25, 0.0), (50, 0.5), (100, 0.75)):
        found = scores(tmp_path, [shot[k * 25 // fps] for k in range(min(60 * fps // 25, 160))], fps)
        assert found["share"] == pytest.approx(share, abs=ROUNDING)
        assert found["fps"] == pytest.approx(25, abs=100 * ROUNDING)


def test_size_does_not_matter(tmp_path) -> None:
    shot = [cv2.resize(picture, (320, 136), interpolation=cv2.INTER_AREA) for picture in ride()]
    found = scores(tmp_path, [shot[k * 2 // 5] for k in range(120)], 60)
    assert found["share"] == pytest.approx(0.6, abs=ROUNDING)


def test_dropped_frames_are_counted(tmp_path) -> None:
    shot = ride()
    shown = [shot[k - (k in (20, 33, 47))] for k in range(60)]
    found = scores(tmp_path, shown, 25)
    assert found["share"] == pytest.approx(3 / 59, abs=0.01)
    assert found["frozen_s"] == 0


@pytest.mark.parametrize("crf", [18, 35])
@pytest.mark.parametrize("fps", [25, 50])
def test_a_frozen_stretch_is_timed(tmp_path, fps: int, crf: int) -> None:
    times = fps // 25
    shot = ride()
    shown = [*shot[:20], *([shot[20]] * 37), *shot[21:40]]
    found = scores(tmp_path, [picture for picture in shown for _ in range(times)], fps, crf=crf)
    assert found["frozen_s"] == pytest.approx(37 / 25, abs=0.041)
    # While the picture moves, nothing of it changes the rate.
    assert found["fps"] == pytest.approx(25, abs=1 if crf < 30 else 12)


def test_a_video_that_hangs_at_its_end(tmp_path) -> None:
    shot = ride()
    found = scores(tmp_path, [*shot[:30], *([shot[30]] * 50)], 25, crf=23)
    assert found["frozen_s"] == pytest.approx(2.0, abs=0.041)


def test_a_static_shot_with_grain_is_not_frozen_and_its_frames_are_its_own(tmp_path) -> None:
    rng = np.random.default_rng(0)
    still = texture(320, 180, seed=1).astype(np.int16)
    shown = [np.clip(still + rng.normal(0, 6, still.shape), 0, 255).astype(np.uint8) for _ in range(60)]
    assert scores(tmp_path, shown, 25) == {"share": None, "fps": None, "frozen_s": 0}


def test_of_a_picture_that_stands_still_nothing_can_be_told(tmp_path) -> None:
    assert scores(tmp_path, [texture(320, 180, seed=1)] * 50, 25) == dict.fromkeys(("share", "fps", "frozen_s"))


def test_smooth_slow_motion_has_no_repeated_frames(tmp_path) -> None:
    """A window that moves over a photograph by an eighth of a pixel per frame."""
    photo = pictures("bigbuckbunny", count=1, pixels="rgb24")[0]
    shown = [cv2.getRectSubPix(photo, (640, 360), (400 + k / 8, 300)) for k in range(60)]
    found = scores(tmp_path, shown, 50)
    assert not found["share"] and not found["frozen_s"]


@pytest.mark.parametrize("crf", [18, 28, 35])
@pytest.mark.parametrize("name", ["A79", "A122", "C20", "C22", "A128"])
def test_real_static_shots_and_slow_motion(footage, tmp_path, name: str, crf: int) -> None:
    with av.open(str(footage / "dev" / "singles" / f"{name}.mp4")) as container:
        shot = [
            frame.to_ndarray(format="rgb24") for _, frame in zip(range(90), container.decode(video=0), strict=False)
        ]
    found = scores(tmp_path, shot, 30, crf=crf)
    assert not found["share"] and found["frozen_s"] == 0


@pytest.mark.parametrize(("name", "share"), [("A90", 0.2), ("A154", 0.2), ("A74", 0.5)])
def test_real_shots_whose_rate_was_changed(footage, name: str, share: float) -> None:
    """24 frames made 30 per second by repeating each fourth, and 30 made 60."""
    found = scan(footage / "dev" / "singles" / f"{name}.mp4", {"transitions": Transitions()})
    assert repeats(found.series["transitions"])["share"] == pytest.approx(share, abs=0.06)


def test_a_flash_and_a_single_jolt_make_nothing_repeated() -> None:
    change = [0.5] * 30 + [40.0] + [0.5] * 30
    assert repeats(series(change)) == {"share": None, "fps": None, "frozen_s": 0}


def test_a_shot_that_comes_to_rest_is_not_frozen() -> None:
    """A camera that slows down and sets out again passes through all speeds."""
    slower = list(np.geomspace(6, 0.4, 12))
    change = [6.0] * 20 + slower + [0.4] * 30 + slower[::-1] + [6.0] * 20
    found = repeats(series(change))
    assert (found["share"], found["frozen_s"]) == (0, 0)


def test_the_frame_before_the_clip_does_not_count() -> None:
    assert repeats(series([3.0] * 20))["share"] == 0
    assert repeats(series([]))["share"] is None


def test_no_rows_give_the_same_keys() -> None:
    nothing = Series(("change",), np.empty(0), np.empty(0, np.int32), np.empty((0, 1), np.float32))
    assert repeats(nothing) == dict.fromkeys(repeats(series([3.0] * 20)))


@given(st.lists(st.floats(0, 60, width=32), max_size=120), st.sampled_from([12.0, 25.0, 60.0]))
def test_whatever_changes_the_numbers_stay_in_their_ranges(change: list[float], fps: float) -> None:
    found = repeats(series(change, fps=fps))
    assert found["share"] is None or 0 <= found["share"] <= 1
    assert found["fps"] is None or 0 <= found["fps"] <= fps * 1.001
    assert found["frozen_s"] is None or 0 <= found["frozen_s"] <= (len(change) + 1) / fps + 1e-9
    assert (found["fps"] is None) or found["share"] is not None
