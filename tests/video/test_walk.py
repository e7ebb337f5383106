"""A fast scan leaves frames out, and yet tells the time and number of every frame as an exact one does."""

from fractions import Fraction

import av
import numpy as np
import pytest
from footage import FOOTAGE
from media import BROKEN, MAKERS, pan, read_number, texture, write_number, write_video

from longtake.records import Series
from longtake.video import NeedsAllError, Tap, scan
from longtake.video.walk import GAP_S, ROUNDED_S

SIZE = (160, 96)
WHOLE = Tap((160, 96), "rgb24")
BUILDS = {
    "as x264 does": ("mp4", "libx264", {}),
    "without b-frames": ("mp4", "libx264", {"bf": "0"}),
    "two by two": ("mp4", "libx264", {"bf": "2", "x264-params": "b-pyramid=none:b-adapt=0"}),
    "seven in a row": ("mkv", "libx264", {"bf": "7", "x264-params": "b-adapt=0"}),
    "open gops": ("mp4", "libx264", {"g": "12", "x264-params": "open-gop=1"}),
    "stream with start codes": ("ts", "libx264", {}),
    "hevc": ("mp4", "libx265", {"preset": "ultrafast", "x265-params": "log-level=none:b-adapt=0:bframes=4"}),
    "av1": ("mp4", "libsvtav1", {"preset": "12", "svtav1-params": "lp=1"}),
    "av1 of low delay": ("webm", "libsvtav1", {"preset": "12", "svtav1-params": "lp=1:pred-struct=1"}),
    "av1 in few layers": (
        "mkv",
        "libsvtav1",
        {"preset": "12", "svtav1-params": "lp=1:hierarchical-levels=2"},
    ),
    "hevc in layers": ("mkv", "libx265", {"preset": "ultrafast", "x265-params": "log-level=none:temporal-layers=1"}),
}


class Watch:
    """A signal that remembers what it sees."""

    columns = ()

    def __init__(self, tap):
        self.tap = tap
        self.pixels = []

    def __call__(self, frames):
        self.pixels += list(frames.pixels.copy())
        empty = np.empty((len(frames.times), 0), np.float32)
        return Series((), frames.times.copy(), frames.numbers.copy(), empty)


def watch(path, tap, *, fast):
    signal = Watch(tap)
    done = scan(path, {"seen": signal}, fast=fast)
    return done, done.series["seen"], signal.pixels


def numbered(path, codec, options, **more):
    """Write a slow pan whose frames carry their numbers."""
    frames = (write_number(one, i) for i, one in enumerate(pan(75, seed=3, speed=0.1, size=SIZE)))
    return write_video(path, frames, fps=25, codec=codec, options=options, **more)


@pytest.mark.parametrize("name", sorted(MAKERS.keys() - BROKEN.keys()))
def test_a_fast_scan_tells_every_frame_s_time_or_gives_up(media, name):
    exact = scan(media[name], {})
    try:
        fast = scan(media[name], {}, fast=True)
    except NeedsAllError:
        assert exact.video.damage
    else:
        assert fast.times.tolist() == exact.times.tolist()
        assert fast.video == exact.video


@pytest.mark.parametrize("build", BUILDS)
def test_each_picture_seen_is_the_one_of_its_number_and_time(tmp_path, build):
    container, codec, options = BUILDS[build]
    path = numbered(tmp_path / f"video.{container}", codec, options)
    (exact, _, pictures), (fast, rows, pixels) = (watch(path, WHOLE, fast=mode) for mode in (False, True))
    assert fast.video == exact.video
    assert fast.times.tolist() == exact.times.tolist()
    assert rows.times.tolist() == exact.times[rows.frames].tolist()
    assert np.array_equal(pixels, [pictures[number] for number in rows.frames])
    assert bool(fast.missed) == (len(rows) < 75)


@pytest.mark.parametrize(("build", "share"), [("as x264 does", 0.7), ("two by two", 0.8), ("hevc", 0.7), ("av1", 0.7)])
def test_frames_are_left_out_where_others_stand_near(tmp_path, build, share):
    container, codec, options = BUILDS[build]
    path = numbered(tmp_path / f"video.{container}", codec, options)
    _, rows, _ = watch(path, WHOLE, fast=True)
    assert len(rows) < share * 75
    assert np.diff(rows.times).max() <= GAP_S + ROUNDED_S
    assert {0, 74} <= set(rows.frames.tolist())


def test_times_that_vary_and_begin_below_zero(tmp_path):
    times = np.cumsum(np.random.default_rng(1).choice([0.02, 0.04, 0.06], 75)).tolist()
    path = numbered(tmp_path / "vfr.mkv", "libx264", {}, times=times, start_s=-0.5)
    exact, (fast, rows, pixels) = scan(path, {}), watch(path, WHOLE, fast=True)
    assert fast.missed
    assert (fast.video, fast.times.tolist()) == (exact.video, exact.times.tolist())
    assert [read_number(picture) for picture in pixels] == rows.frames.tolist()


@pytest.mark.parametrize("threads", [1, 2])
def test_who_takes_samples_sees_just_what_an_exact_scan_shows(tmp_path, threads):
    path = numbered(tmp_path / "video.mp4", "libx264", {})
    for hz in (0.7, 2, 10):
        signals = [{"seen": Watch(Tap(SIZE, "gray", hz=hz)), "all": Watch(WHOLE)} for _ in range(2)]
        exact = scan(path, signals[0])
        fast = scan(path, signals[1], fast=True, threads=threads)
        assert fast.missed == {"all"}
        assert fast.series["seen"].frames.tolist() == exact.series["seen"].frames.tolist()
        assert fast.series["seen"].times.tolist() == exact.series["seen"].times.tolist()
        assert np.array_equal(signals[1]["seen"].pixels, signals[0]["seen"].pixels)


def test_a_stream_that_begins_inside_a_gop_needs_all_frames(tmp_path):
    whole = numbered(tmp_path / "whole.ts", "libx264", {"g": "40"})
    packets = whole.read_bytes()
    cut = tmp_path / "cut.ts"
    cut.write_bytes(packets[: 188 * 3] + packets[len(packets) // 3 // 188 * 188 :])
    assert scan(cut, {}).video.damage
    with pytest.raises(NeedsAllError):
        scan(cut, {}, fast=True)


def test_two_frames_of_one_time_need_all_frames(tmp_path):
    whole, doubled = numbered(tmp_path / "whole.mp4", "libx264", {"bf": "0"}), tmp_path / "doubled.mkv"
    with av.open(str(whole)) as source, av.open(str(doubled), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if packet.size:
                packet.stream = stream
                if number == 30:
                    packet.pts = packet.dts = packet.pts - round(Fraction(1, 25) / packet.time_base)
                target.mux(packet)
    with pytest.raises(NeedsAllError):
        scan(doubled, {}, fast=True)


@pytest.mark.parametrize(("codec", "container"), [("mpeg4", "mp4"), ("libvpx-vp9", "webm")])
def test_of_other_codecs_every_frame_is_decoded(tmp_path, codec, container):
    path = write_video(tmp_path / f"video.{container}", [texture(*SIZE, seed=1)] * 20, codec=codec)
    fast, rows, _ = watch(path, WHOLE, fast=True)
    assert rows.frames.tolist() == list(range(20))
    assert not fast.missed


@pytest.mark.parametrize("name", ["r_nasa13013.mp4", "r_omni6.mp4", "r_pmndrs10.mp4"])
def test_real_videos_have_the_same_times(footage, name):
    path = FOOTAGE / "dev" / "videos" / name
    exact, fast = scan(path, {}), scan(path, {}, fast=True)
    assert (fast.video, fast.times.tolist()) == (exact.video, exact.times.tolist())


def test_where_something_new_begins_every_frame_is_seen(tmp_path):
    # A cut, and no key frame there.
    shots = [*pan(61, seed=3, speed=0.1, size=SIZE), *pan(60, seed=4, speed=0.1, size=SIZE)]
    frames = (write_number(one, i) for i, one in enumerate(shots))
    options = {"g": "250", "sc_threshold": "0"}
    path = write_video(tmp_path / "cut.mp4", frames, fps=25, codec="libx264", options=options)
    _, rows, _ = watch(path, WHOLE, fast=True)
    assert {59, 60, 61, 62, 63} <= set(rows.frames.tolist())
    assert len(rows) < 0.75 * 121
