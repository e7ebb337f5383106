"""One decode feeds every tap, with times that are right and only grow, whatever the file is like."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media import BAD_PACKETS, BROKEN, GOOD, NUMBERED_FRAMES, pan, read_number, texture, write_video

from longtake.errors import VideoError
from longtake.records import Series
from longtake.video import Tap, scan
from longtake.video.decode import JUMP_S, Timeline
from longtake.video.scan import join

TINY = Tap((16, 9), "gray")


class Watch:
    """A signal that remembers all it sees; its one column is the mean light."""

    columns = ("light",)

    def __init__(self, tap):
        self.tap = tap
        self.pixels = []
        self.lasts = []

    def __call__(self, frames):
        self.pixels += list(frames.pixels.copy())
        self.lasts.append(frames.last)
        light = frames.pixels.reshape(len(frames.times), -1).mean(1, keepdims=True) if len(frames.times) else None
        values = np.empty((0, 1), np.float32) if light is None else light.astype(np.float32)
        return Series(self.columns, frames.times.copy(), frames.numbers.copy(), values)


def watch(path, *taps, **options):
    """Scan a video with one signal for each tap; return the signals, their series, and the scan."""
    signals = {f"signal{i}": Watch(tap) for i, tap in enumerate(taps)}
    done = scan(path, signals, **options)
    return list(signals.values()), [done.series[label] for label in signals], done


# Taps


def test_all_taps_see_the_same_frames_at_the_same_times(media):
    taps = TINY, Tap(160, "rgb24"), Tap(160, "gray"), Tap(64, "rgb24")
    signals, series, done = watch(media["vfr"], *taps)
    for seen, rows in zip(signals, series, strict=True):
        assert rows.times == pytest.approx([*np.arange(60) / 30, *(2 + np.arange(20) / 10)], abs=1e-4)
        assert rows.frames.tolist() == list(range(80))
        assert len(seen.pixels) == done.video.frames == 80


def test_more_taps_are_no_more_decodes(media):
    once, thrice = [], []
    watch(media["long_takes"], TINY, on_progress=once.append)
    watch(media["long_takes"], TINY, Tap(160, "rgb24"), Tap(64, "gray", hz=2), on_progress=thrice.append)
    assert once == thrice


@pytest.mark.parametrize("hz", [0.5, 1, 2, 3, 8, 23.9])
@pytest.mark.parametrize("name", ["slow_pan", "vfr", "numbered", "with_sound"])
def test_a_rate_takes_the_first_frame_at_each_point_of_its_grid(media, name, hz):
    _, (all_rows, rows), done = watch(media[name], TINY, Tap((16, 9), "gray", hz=hz))
    grid = np.arange(0, done.video.duration_s, 1 / hz)
    first = np.searchsorted(all_rows.times, grid - 5e-4 - 1e-9)  # as forgiving as the scan
    assert rows.frames.tolist() == sorted(set(first[first < len(all_rows)].tolist()))
    assert rows.times.tolist() == all_rows.times[rows.frames].tolist()


def test_a_rate_above_the_video_s_takes_every_frame(media):
    _, (rows,), _ = watch(media["slow_pan"], Tap((16, 9), "gray", hz=100))
    assert rows.frames.tolist() == list(range(72))


@pytest.mark.parametrize(
    ("size", "shape"),
    [(160, (90, 160)), (320, (180, 320)), (4000, (180, 320)), ((48, 48), (48, 48)), ((640, 90), (90, 640))],
)
def test_sizes(media, size, shape):
    (gray, colour), _, _ = watch(media["one_frame"], Tap(size, "gray"), Tap(size, "rgb24"))
    assert gray.pixels[0].shape == shape
    assert colour.pixels[0].shape == (*shape, 3)


def test_the_longer_side_of_a_tall_video_is_its_height(media):
    (seen,), _, _ = watch(media["tall"], Tap(160, "gray"))
    assert seen.pixels[0].shape == (160, 90)


def test_pixels_are_red_green_blue_from_0_to_255(tmp_path):
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)]
    frames = [np.full((64, 96, 3), colour, np.uint8) for colour in colours for _ in range(2)]
    (seen, gray), _, _ = watch(write_video(tmp_path / "a.mp4", frames), Tap(96, "rgb24"), Tap(96, "gray"))
    for i, colour in enumerate(colours):
        assert np.abs(seen.pixels[2 * i].astype(int) - colour).max() <= 6
        assert gray.pixels[2 * i].mean() == pytest.approx(np.dot(colour, [0.299, 0.587, 0.114]), abs=6)


def test_a_turned_picture_arrives_upright(media):
    (seen, gray), _, _ = watch(media["tall"], Tap(320, "rgb24"), Tap(320, "gray"))
    for picture in (seen.pixels[0], seen.pixels[-1]):
        assert picture.shape == (320, 180, 3)
        assert np.abs(picture[10:70, 45:].mean((0, 1)) - (220, 30, 30)).max() < 8
        assert np.abs(picture[250:310, 45:].mean((0, 1)) - (30, 30, 220)).max() < 8
        assert picture[:, 5:25].mean() > 245
    assert gray.pixels[0][10:70, 45:].mean() > gray.pixels[0][250:310, 45:].mean() + 20


def test_frames_come_in_display_order(media):
    (seen,), (rows,), done = watch(media["numbered"], Tap(320, "rgb24"))
    assert [read_number(picture) for picture in seen.pixels] == list(range(NUMBERED_FRAMES))
    assert rows.times == pytest.approx(np.arange(NUMBERED_FRAMES) * 1001 / 30000, abs=1e-3)
    assert done.video.first_timestamp_s > 1


# Blocks


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 127, 128, 129])
def test_no_row_is_lost_between_blocks(tmp_path, count):
    path = write_video(tmp_path / "a.mp4", pan(count, seed=1, speed=0.5, size=(64, 36)))
    (every, some), (rows, some_rows), done = watch(path, TINY, Tap((16, 9), "gray", hz=12))
    assert done.video.frames == count
    assert rows.frames.tolist() == list(range(count))
    assert some_rows.frames.tolist() == list(range(0, count, 2))
    for signal in (every, some):
        assert signal.lasts[-1] is True
        assert not any(signal.lasts[:-1])


def test_a_signal_may_give_its_rows_late(media):
    """One that looks ahead keeps a block back until it sees the next one."""

    class Late(Watch):
        kept = None

        def __call__(self, frames):
            before, self.kept = self.kept, super().__call__(frames)
            empty = Series(self.columns, np.empty(0), np.empty(0, np.int32), np.empty((0, 1), np.float32))
            return join(self.columns, [before or empty, self.kept if frames.last else empty])

    signals = {"late": Late(TINY), "now": Watch(TINY)}
    series = scan(media["flash"], signals).series
    assert series["late"].times.tolist() == series["now"].times.tolist()
    assert series["late"].values.tolist() == series["now"].values.tolist()


@pytest.mark.parametrize("name", ["long_takes", "vfr", "truncated"])
def test_progress_only_grows(media, name):
    told = []
    done = scan(media[name], {}, on_progress=told.append)
    assert told == sorted(set(told))
    assert len(told) >= done.video.frames // 64  # more where frames take long
    assert 0 < told[-1] < done.video.duration_s


def test_threads_change_nothing(media):
    (one,), _, _ = watch(media["numbered"], Tap(160, "gray"))
    (two,), _, _ = watch(media["numbered"], Tap(160, "gray"), threads=2)
    assert np.array_equal(one.pixels, two.pixels)


@pytest.mark.parametrize("name", GOOD)
def test_times_grow_and_stay_inside_the_video(media, name):
    _, (rows,), done = watch(media[name], TINY)
    assert rows.times[0] == 0
    assert (np.diff(rows.times) > 0).all()
    assert rows.times[-1] < done.video.duration_s
    assert done.video.damage == ()


# Damage


def test_corrupt_packets_are_counted_and_skipped(media):
    _, (rows,), done = watch(media["bad_packets"], TINY)
    assert done.video.frames == len(rows) == 144 - len(BAD_PACKETS)
    assert f"{len(BAD_PACKETS)} corrupt packets" in " ".join(done.video.damage)
    assert done.video.duration_s == pytest.approx(6, abs=0.001)


def test_wrong_bits_do_not_end_a_scan(media):
    _, (rows,), done = watch(media["bitflips"], TINY)
    assert 100 < len(rows) <= 144
    assert len(rows) == 144 or "corrupt packets" in " ".join(done.video.damage)


def test_a_truncated_file_keeps_what_is_there_and_says_so(media):
    _, (rows,), done = watch(media["truncated"], TINY)
    assert 60 < len(rows) < 120
    assert done.video.duration_s == pytest.approx(len(rows) / 24, abs=0.05)
    assert "of the declared 6.0 s" in " ".join(done.video.damage)


def test_a_file_cut_off_in_matroska_keeps_what_is_there(tmp_path):
    path = write_video(tmp_path / "a.mkv", pan(96, seed=1, speed=0.3), options={"g": "24"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    done = scan(path, {})
    assert 30 < done.video.frames < 70
    assert done.video.damage


def test_a_size_that_changes_in_mid_stream(tmp_path):
    """Two transport streams, one after the other in one file: another size, and the clock starts again."""
    parts = [
        write_video(tmp_path / f"{i}.ts", pan(48, seed=i, speed=0.3, size=size))
        for i, size in enumerate([(320, 180), (192, 108)])
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    (seen,), (rows,), done = watch(joined, Tap(160, "gray"))
    assert {picture.shape for picture in seen.pixels} == {(90, 160)}
    assert len(rows) == done.video.frames == 96
    assert (np.diff(rows.times) > 0).all()
    assert "size changes 1 times" in " ".join(done.video.damage)


@pytest.mark.parametrize(("name", "kind"), BROKEN.items())
def test_failures_have_a_kind(media, name, kind):
    with pytest.raises(VideoError) as failed:
        scan(media[name], {"watch": Watch(TINY)})
    assert failed.value.kind == kind


def test_a_video_of_which_nothing_decodes(tmp_path):
    path = write_video(tmp_path / "a.mp4", [texture(320, 180, seed=1)] * 24)
    data = bytearray(path.read_bytes())
    start, end = data.index(b"mdat") + 4, data.rindex(b"moov") - 4
    data[start:end] = b"\x7f" * (end - start)
    path.write_bytes(data)
    with pytest.raises(VideoError) as failed:
        scan(path, {})
    assert failed.value.kind == "damaged"


# The time line, by itself

MILLISECONDS = 0.001

stamps = st.lists(
    st.tuples(st.none() | st.integers(-(2**40), 2**40), st.none() | st.integers(0, 10_000)), min_size=1, max_size=50
)


def place(line, pts, duration=None):
    return [line.place(p, duration) for p in pts]


@given(stamps)
def test_times_only_grow_whatever_the_timestamps(frames):
    line = Timeline(MILLISECONDS, 0.04)
    times = [line.place(pts, duration) for pts, duration in frames]
    kept = [time for time in times if time is not None]
    assert kept[0] == 0
    assert all(b > a for a, b in pairwise(kept))
    assert all(math.isfinite(time) for time in kept)
    assert len(kept) + line.disordered == len(frames)


@given(st.lists(st.integers(1, 50_000), min_size=1, max_size=50), st.integers(-(2**33), 2**33))
def test_sound_timestamps_are_kept_as_they_are(steps, first):
    pts = first + np.cumsum([0, *steps])
    line = Timeline(MILLISECONDS, 0.04)
    assert place(line, pts.tolist()) == pytest.approx((pts - first) * MILLISECONDS, abs=1e-6)
    assert (line.made_up, line.jumps, line.disordered) == (0, 0, 0)


@given(st.integers(2, 30), st.integers(2, 30), st.integers(1100, 10_000_000))
def test_a_clock_that_starts_again_goes_on(before, after, back):
    """Timestamps that fall back by over a second count on from the last frame, one step later."""
    old = [10_000_000 + 40 * i for i in range(before)]
    new = [old[-1] - back + 40 * i for i in range(after)]
    line = Timeline(MILLISECONDS, 0.04)
    assert place(line, old + new, 40) == pytest.approx(np.arange(before + after) * 0.04, abs=1e-6)
    assert (line.jumps, line.disordered) == (1, 0)


@given(st.integers(2, 30), st.integers(2, 30), st.integers(100_000, 2**33))
def test_a_clock_that_leaps_ahead_goes_on(before, after, ahead):
    old = [40 * i for i in range(before)]
    new = [old[-1] + ahead + 40 * i for i in range(after)]
    line = Timeline(MILLISECONDS, 0.04)
    assert place(line, old + new, 40) == pytest.approx(np.arange(before + after) * 0.04, abs=1e-6)
    assert (line.jumps, line.disordered) == (1, 0)


def test_a_long_still_whose_duration_says_so_is_no_leap():
    line = Timeline(MILLISECONDS, 0.04)
    assert line.place(0, 300_000) == 0
    assert line.place(300_000, 40) == pytest.approx(300)
    assert line.jumps == 0
    assert JUMP_S < 300


@given(st.integers(1, 900))
def test_a_frame_a_little_too_late_is_dropped(back):
    line = Timeline(MILLISECONDS, 0.04)
    times = place(line, [0, 1000, 1000 - back, 1040], 40)
    assert times == [0, pytest.approx(1), None, pytest.approx(1.04)]
    assert line.disordered == 1


def test_frames_without_timestamps_follow_at_the_usual_step():
    line = Timeline(MILLISECONDS, 0.04)
    assert place(line, [None] * 4) == pytest.approx([0, 0.04, 0.08, 0.12])
    assert line.made_up == 4


def test_a_timestamp_between_missing_ones():
    line = Timeline(MILLISECONDS, 0.04)
    assert place(line, [500, None, 580, None]) == pytest.approx([0, 0.04, 0.08, 0.12])
