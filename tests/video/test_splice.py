"""Clip files made of a video's own packets: exact, and what is copied is the video's own to the bit."""

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from footage import FOOTAGE
from hypothesis import given
from hypothesis import strategies as st
from media import FLASHES_S, FPS, pan, read_beeps, read_flashes, read_frames, read_number, write_number, write_video

from longtake.video import Quality, clipfile, h264, scan, write_clip
from longtake.video.splice import plan

FAST = Quality(crf=20, preset="ultrafast")
LENGTH = 150
KINDS = {
    "pyramid": {"g": "24", "bf": "3"},
    "plain B-frames": {"g": "30", "bf": "2", "x264-params": "b-pyramid=none"},
    "no B-frames": {"g": "25", "bf": "0"},
    "many held": {"g": "40", "bf": "8", "refs": "9"},
    "baseline": {"g": "20", "profile": "baseline"},
    "main": {"g": "31", "profile": "main", "level": "4.2"},
    "buffers told": {"g": "24", "b": "400k", "maxrate": "400k", "bufsize": "800k", "x264-params": "nal-hrd=vbr:aud=1"},
    "numbers taken": {"g": "24", "x264-params": "sps-id=1"},
}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("films")
    frames = [write_number(picture, i) for i, picture in enumerate(pan(LENGTH, seed=3, speed=0.3, size=(192, 110)))]
    return {
        kind: write_video(folder / f"{kind}.mp4", frames, options={"preset": "fast", **options}, start_s=1.5)
        for kind, options in KINDS.items()
    }


def pictures(path: Path) -> Iterator[np.ndarray]:
    """Decode a file to what is stored."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray()


def spliced(path: Path, start: int, stop: int, target: Path, quality: Quality = FAST):
    found = scan(path, {})
    times = [*found.times, found.video.duration_s]
    span = (float(times[start]), float(times[stop]))
    return write_clip(found.video, span, stop - start, target, quality), plan(found.video, span, stop - start), times


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("start", "stop"), [(0, LENGTH), (7, LENGTH - 6), (61, 141)])
def test_every_frame_is_there_and_what_is_copied_is_equal(films, tmp_path, kind: str, start: int, stop: int) -> None:
    clip, how, times = spliced(films[kind], start, stop, tmp_path / "clip.mp4")
    assert how is not None and clip.copied == len(how.copied) >= (stop - start) / 4
    shown = list(read_frames(clip.path))
    assert [read_number(picture) for _, picture in shown] == list(range(start, stop))
    np.testing.assert_allclose([time for time, _ in shown], np.array(times[start:stop]) - times[start], atol=1e-3)
    assert clip.duration_s == pytest.approx(times[stop] - times[start], abs=0.002)
    source, written = list(pictures(films[kind]))[start:stop], list(pictures(clip.path))
    for number, (ours, theirs) in enumerate(zip(written, source, strict=True)):
        if number in how.copied:
            np.testing.assert_array_equal(ours, theirs)
        else:
            assert np.abs(ours.astype(int) - theirs).mean() < 4
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4", "clip.jpg"}


@pytest.mark.parametrize("kind", KINDS)
def test_another_reader_sees_the_same(films, tmp_path, kind: str) -> None:
    """OpenCV brings its own decoders; it seeks, too."""
    clip, _, _ = spliced(films[kind], 7, 143, tmp_path / "clip.mp4")
    reader = cv2.VideoCapture(str(clip.path))
    seen = []
    while (found := reader.read())[0]:
        seen.append(read_number(found[1]))
    assert seen == list(range(7, 143))
    for number in (120, 3, 60, 135):
        reader.set(cv2.CAP_PROP_POS_FRAMES, number)
        assert read_number(reader.read()[1]) == number + 7


def test_times_of_decoding_grow_and_are_never_late(films, tmp_path) -> None:
    clip, _, _ = spliced(films["many held"], 7, 143, tmp_path / "clip.mp4")
    with av.open(str(clip.path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    assert all(packet.dts <= packet.pts for packet in packets)
    assert all(a.dts < b.dts for a, b in pairwise(packets))


def test_groups_that_refer_to_the_one_before_are_no_joints(tmp_path) -> None:
    """Key frames of open groups: what follows them in the file may show before them."""
    frames = [write_number(picture, i) for i, picture in enumerate(pan(90, seed=3, speed=0.3))]
    options = {"g": "24", "bf": "3", "x264-params": "open-gop=1:keyint-min=1"}
    path = write_video(tmp_path / "film.mp4", frames, options=options)
    clip, how, _ = spliced(path, 7, 83, tmp_path / "inside" / "clip.mp4")
    assert how is None and clip.copied == 0
    clip, how, _ = spliced(path, 0, 83, tmp_path / "start" / "clip.mp4")
    assert how is not None and clip.copied >= 76
    assert [read_number(picture) for _, picture in read_frames(clip.path)] == list(range(83))


def test_a_clip_that_starts_at_a_key_frame_needs_no_encoder(films, tmp_path) -> None:
    clip, how, _ = spliced(films["no B-frames"], 25, 117, tmp_path / "clip.mp4")
    assert (how.head, how.tail, clip.copied) == (0, 0, 92)
    with av.open(str(clip.path)) as ours, av.open(str(films["no B-frames"])) as theirs:
        assert ours.streams.video[0].codec_context.extradata == theirs.streams.video[0].codec_context.extradata


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_frames_of_variable_rate(tmp_path, suffix: str) -> None:
    rng = np.random.default_rng(4)
    times = np.concatenate([[0.0], np.cumsum(rng.choice([0.02, 0.033, 0.05, 0.2], 119))]).round(3)
    frames = [write_number(picture, i) for i, picture in enumerate(pan(120, seed=5, speed=0.3))]
    path = write_video(tmp_path / f"film.{suffix}", frames, times=times.tolist(), options={"g": "20", "bf": "3"})
    clip, how, found = spliced(path, 33, 101, tmp_path / "out" / "clip.mp4")
    assert how is not None and clip.copied
    shown = list(read_frames(clip.path))
    assert [read_number(picture) for _, picture in shown] == list(range(33, 101))
    np.testing.assert_allclose([time for time, _ in shown], np.array(found[33:101]) - found[33], atol=1e-3)


def test_sound_stays_with_the_picture(tmp_path, media) -> None:
    """As the same film with more key frames, so that there is something to copy."""
    source = tmp_path / "film.mp4"
    with av.open(str(media["with_sound"])) as old, av.open(str(source), "w") as new:
        sound = new.add_stream_from_template(old.streams.audio[0])
        video = new.add_stream("libx264", rate=FPS, options={"g": "30", "preset": "ultrafast", "crf": "20"})
        video.width, video.height = old.streams.video[0].width, old.streams.video[0].height
        for packet in old.demux():
            if packet.stream.type == "audio" and packet.size:
                packet.stream = sound
                new.mux(packet)
            elif packet.stream.type == "video":
                for frame in packet.decode():
                    frame.pict_type = 0
                    new.mux(video.encode(frame))
        new.mux(video.encode(None))
    clip, how, _ = spliced(source, 41, 300, tmp_path / "out" / "clip.mp4")
    assert how is not None and clip.copied > 200 and clip.has_audio
    expected = [time - 41 / FPS for time in FLASHES_S if 41 / FPS < time < 300 / FPS]
    np.testing.assert_allclose(read_flashes(clip.path), expected, atol=1e-3)
    np.testing.assert_allclose(read_beeps(clip.path), expected, atol=0.005)


def test_what_can_not_be_copied_is_encoded(tmp_path, media) -> None:
    turned, long_group = scan(media["tall"], {}).video, scan(media["numbered"], {})
    assert plan(turned, (0.0, 1.0), 24) is None
    times = [float(time) for time in long_group.times]
    assert plan(long_group.video, (times[50], times[300]), 250) is None  # one key frame, and not inside
    assert plan(long_group.video, (0.0, times[301]), 301) is None  # too long to look into
    whole, frames = (0.0, times[300]), 300
    assert plan(long_group.video, whole, frames) is not None
    assert plan(long_group.video, whole, frames + 1) is None
    assert plan(replace(long_group.video, damage=("3 corrupt packets skipped",)), whole, frames) is None
    assert plan(replace(long_group.video, seekable=False), whole, frames) is None
    frames = pan(60, seed=1, speed=0.2)
    others = {
        "interlaced.mp4": {"options": {"g": "10", "x264-params": "tff=1"}},
        "ten_bits.mp4": {"pixel_format": "yuv420p10le"},
        "other.webm": {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8", "g": "10"}},
        "start_codes.ts": {"options": {"g": "10"}},
    }
    for name, how in others.items():
        path = write_video(tmp_path / name, list(frames) or list(pan(60, seed=1, speed=0.2)), fps=Fraction(FPS), **how)
        clip, planned, _ = spliced(path, 5, 55, tmp_path / "out" / f"{name}.mp4")
        assert planned is None and (clip.frames, clip.copied) == (50, 0)


def test_a_splice_that_came_out_wrong_is_encoded_instead(films, tmp_path, monkeypatch) -> None:
    """Two frames swapped, a frame lost, packets cut off: the check sees each, and the user a whole file."""
    path, write = films["plain B-frames"], clipfile.write_splice
    for number, spoil in enumerate((_one_lost, _tail_of_the_head, _zeros)):
        with monkeypatch.context() as patched:
            patched.setattr(clipfile, "write_splice", lambda *given, spoil=spoil: spoil(write, *given))
            clip, how, _ = spliced(path, 7, 143, tmp_path / f"{number}.mp4")
        assert how is not None and clip.copied == 0
        assert [read_number(picture) for _, picture in read_frames(clip.path)] == list(range(7, 143))


def _one_lost(write, video, span, splice, *rest):
    write(video, span, replace(splice, ticks=splice.ticks[:-1], times=splice.times[:-1]), *rest)


def _tail_of_the_head(write, video, span, splice, *rest):
    write(video, span, replace(splice, head=splice.head - 1), *rest)


def _zeros(write, video, span, splice, target, *rest):
    write(video, span, splice, target, *rest)
    whole = target.read_bytes()
    middle = len(whole) // 2
    target.write_bytes(whole[:middle] + bytes(5000) + whole[middle + 5000 :])


def test_parameter_sets_say_what_the_decoder_says() -> None:
    for path in sorted((FOOTAGE / "dev" / "videos").glob("*h264*")) or pytest.skip("no footage here"):
        with av.open(str(path)) as container:
            context = container.streams.video[0].codec_context
            sets = h264.read_box(context.extradata)
            found = h264.read_sequence(sets.sequences[0])
            across, down, left, right, top, bottom = found.shape
            assert (across * 16 - 2 * (left + right), down * 16 - 2 * (top + bottom)) == (context.width, context.height)
            assert h264.PROFILES[found.profile].lower() == context.profile.lower()
            assert sets.box(h264.Sets((), ())) == context.extradata


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=5))
def test_units_survive_both_ways_of_writing_them(given: list[bytes]) -> None:
    plain = [re.sub(rb"\x00", b"\x07", unit) for unit in given]
    packet = h264.with_lengths(b"".join(b"\x00\x00\x01" + unit for unit in plain))
    assert [bytes(unit) for unit in h264.units(memoryview(packet))] == plain


@given(st.binary(max_size=60))
def test_nonsense_is_no_box(box: bytes) -> None:
    found = h264.read_box(box)
    assert found is None or (found.sequences and found.pictures)
