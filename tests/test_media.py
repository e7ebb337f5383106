"""The videos that other tests trust are what they say they are."""

from itertools import pairwise

import numpy as np
import pytest
from media import (
    BROKEN,
    FLASHES_S,
    FPS,
    GOOD,
    MAKERS,
    NUMBERED_FRAMES,
    NUMBERED_START_S,
    SIZE,
    SPEEDS,
    TRUTH,
    pan,
    read_beeps,
    read_flashes,
    read_frames,
    read_number,
    texture,
    write_number,
    write_video,
)

from longtake.errors import VideoError
from longtake.video import probe

DURATIONS_S = {
    "still": 3,
    "slow_pan": 3,
    "fast_pan": 3,
    "cut": 4,
    "dissolve": 4.5,
    "fade": 124 / 24,
    "flash": 4,
    "vfr": 4,
    "tall": 2,
    "long_takes": 31,
    "with_sound": 14,
    "numbered": NUMBERED_FRAMES * 1001 / 30000,
    "one_frame": 1 / 24,
}


@pytest.mark.parametrize("name", MAKERS)
def test_files_are_small(media, name):
    assert media[name].stat().st_size < 1_000_000


@pytest.mark.parametrize("name", GOOD)
def test_durations(media, name):
    assert probe(media[name]).duration_s == pytest.approx(DURATIONS_S[name], abs=0.001)


@pytest.mark.parametrize(("name", "kind"), BROKEN.items())
def test_broken_files_are_broken(media, name, kind):
    with pytest.raises(VideoError) as failed:
        probe(media[name])
    assert failed.value.kind == kind


def test_numbers_are_read_back_from_the_file(media):
    frames = list(read_frames(media["numbered"]))
    assert [read_number(picture) for _, picture in frames] == list(range(NUMBERED_FRAMES))
    assert frames[0][0] == pytest.approx(NUMBERED_START_S, abs=0.001)


@pytest.mark.parametrize("size", [(320, 180), (180, 320), (97, 55), (641, 361)])
def test_numbers_are_read_at_any_size(size):
    for number in (0, 1, 389, 512, 1023):
        assert read_number(write_number(texture(*size, seed=number), number)) == number


def test_a_picture_without_a_number_is_refused():
    for picture in (texture(*SIZE, seed=1), np.zeros((180, 320, 3), np.uint8), np.full((180, 320, 3), 255, np.uint8)):
        with pytest.raises(ValueError, match=r"neither|no number"):
            read_number(picture)


def test_beeps_begin_with_the_flashes(media):
    assert read_flashes(media["with_sound"]) == pytest.approx(FLASHES_S, abs=1e-4)
    assert read_beeps(media["with_sound"]) == pytest.approx(FLASHES_S, abs=0.002)


@pytest.mark.parametrize("name", SPEEDS)
def test_pictures_move_at_the_speed_told(media, name):
    pictures = [picture.astype(int) for _, picture in read_frames(media[name])]
    shift = round(SPEEDS[name] * SIZE[1] * 24 / FPS)
    error = np.abs(pictures[0][:, shift:] - pictures[24][:, : SIZE[0] - shift]).mean()
    other = np.abs(pictures[0][:, shift + 8 :] - pictures[24][:, : SIZE[0] - shift - 8]).mean()
    assert error < 4 < other


@pytest.mark.parametrize("name", ["cut", "dissolve", "fade", "long_takes"])
def test_transitions_are_where_the_truth_says(media, name):
    """Frames change more inside a transition than anywhere near it, where they only pan."""
    pictures = [picture[:, :, 1].astype(int) for _, picture in read_frames(media[name])]
    changes = [np.abs(a[:, 4:-4] - b[:, 4:-4]).mean() for a, b in pairwise(pictures)]
    calm = np.median(changes)
    for transition in TRUTH[name]["transitions"]:
        start, end = transition["start_frame"], transition["end_frame"]
        inside = changes[start - 1 : max(start, end)]
        around = changes[start - 12 : start - 1] + changes[end + 1 : end + 12]
        assert max(inside) > max(around) > 0
        assert max(around) < 1.6 * calm


def test_flash_is_two_white_frames(media):
    assert [round(time * FPS) for time in read_flashes(media["flash"])] == [47, 48]


@pytest.mark.parametrize("suffix", ["mkv", "ts", "webm"])
def test_other_containers_and_codecs(tmp_path, suffix):
    codec = "libvpx-vp9" if suffix == "webm" else "libx264"
    options = {"deadline": "realtime", "cpu-used": "8"} if suffix == "webm" else {}
    frames = (write_number(picture, i) for i, picture in enumerate(pan(30, seed=1, speed=0.1)))
    path = write_video(tmp_path / f"a.{suffix}", frames, codec=codec, options=options)
    assert [read_number(picture) for _, picture in read_frames(path)] == list(range(30))
