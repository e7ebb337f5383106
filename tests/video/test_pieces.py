"""Parts of videos as files: their frames are the video's, to the bit and at their times, or there are none."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from media import pan, read_number, write_number, write_video

from longtake.video.holes import Missing, Range
from longtake.video.pieces import Piece, Unfit, cut_pieces
from longtake.video.stretches import Span

FPS, FRAMES = 15, 300
LONG = {"g": "75", "bf": "3", "sc_threshold": "0", "crf": "28"}
"""Five seconds from key frame to key frame, and frames out of their order."""
STEP = 4096

Make = Callable[..., Path]
Frames = list[tuple[float, Any]]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Return what makes 20 seconds of numbered frames."""
    pictures = [write_number(p, i) for i, p in enumerate(pan(FRAMES, seed=16, speed=0.1, fps=FPS, size=(160, 90)))]
    folder = tmp_path_factory.mktemp("long")

    def made(name: str, **how: Any) -> Path:
        if not (folder / name).exists():
            write_video(folder / name, pictures, fps=FPS, **how)
        return folder / name

    return made


def cut(path: Path, spans: Sequence[Span], folder: Path) -> list[Piece] | Unfit:
    """Cut spans out of a file that comes bit by bit."""
    body, here = path.read_bytes(), set[Range]()
    came = bytearray(len(body))
    part = folder / "part"
    wanted: Sequence[Range] = [(0, STEP)]
    while True:
        for start, stop in wanted:
            stop = min(max(stop, start + STEP), len(body))
            here.add((start, stop))
            came[start:stop] = body[start:stop]
        part.write_bytes(bytes(came))
        found = cut_pieces(part, sorted(here), len(body), spans, folder)
        if not isinstance(found, Missing):
            return found
        wanted = found.ranges


def frames(path: Path) -> Frames:
    """Decode a file: its frames with their times from the first one on."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        found = [
            (float(frame.pts * stream.time_base), frame.to_ndarray(format="rgb24")) for frame in file.decode(stream)
        ]
    return [(time - found[0][0], picture) for time, picture in found]


def inside(found: Frames, span: Span, shift_s: float = 0.0) -> Iterator[tuple[float, Any]]:
    return ((time + shift_s, picture) for time, picture in found if span[0] - 1e-3 <= time + shift_s < span[1] - 1e-3)


def check(path: Path, pieces: list[Piece]) -> None:
    """Compare the frames of pieces with the video's, one by one."""
    whole = frames(path)
    for piece in pieces:
        assert piece.path
        own = frames(piece.path)
        theirs = list(inside(whole, piece.span))
        for (time, picture), (own_time, own_picture) in zip(
            theirs, inside(own, piece.span, piece.shift_s), strict=True
        ):
            assert abs(time - own_time) < 1e-6
            assert np.array_equal(picture, own_picture)
        assert np.ptp(np.diff([time for time, _ in own])) < 2e-3, "no frame is missing in between"
        assert len(theirs) == round((min(piece.span[1], FRAMES / FPS) - piece.span[0]) * FPS)


SOUND = np.random.default_rng(7).normal(0, 0.1, 48_000 * FRAMES // FPS).astype(np.float32)
VIDEOS: Mapping[str, dict[str, Any]] = {
    "front.mp4": {"options": LONG, "container_options": {"movflags": "faststart"}},
    "behind.mp4": {"options": LONG},
    "late.mp4": {"options": LONG, "start_s": 1.4},
    "sound.mp4": {"options": LONG, "audio": SOUND},
    "turned.mp4": {"options": LONG, "rotation": 90},
    "pieces.mp4": {"options": LONG, "container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "indexed.mp4": {"options": LONG, "container_options": {"movflags": "frag_keyframe+empty_moov+dash+global_sidx"}},
    "open.mp4": {"options": {**LONG, "x264-params": "open-gop=1"}},
    "deep.mov": {"options": {**LONG, "x264-params": "b-pyramid=normal:bframes=8"}},
    "matroska.mkv": {"options": LONG},
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"g": "75", "deadline": "realtime", "cpu-used": "8"}},
    "av1.webm": {"codec": "libsvtav1", "options": {"preset": "13", "crf": "50", "svtav1-params": "keyint=75:lp=1"}},
    "hevc.mp4": {
        "codec": "libx265",
        "options": {"preset": "ultrafast", "x265-params": "keyint=75:open-gop=1:bframes=4:log-level=none"},
    },
}


@pytest.mark.parametrize("name", VIDEOS)
def test_frames_are_the_videos(name, make: Make, tmp_path):
    path = make(name, **VIDEOS[name])
    found = cut(path, [(9.7, 11.5), (15.0, 15.0 + 1 / FPS), (19.0, 40.0)], tmp_path)
    assert isinstance(found, list)
    check(path, found)
    if name != "open.mp4":  # whose key frames later ones reach back over, all but the first
        assert [round(piece.shift_s * FPS) for piece in found] == [75, 225, 225]


def test_sound_comes_along(make: Make, tmp_path):
    path = make("sound.mp4", **VIDEOS["sound.mp4"])
    found = cut(path, [(11.0, 12.0)], tmp_path)
    assert isinstance(found, list) and found[0].path
    heard = []
    for file, shift_s in ((path, 0.0), (found[0].path, found[0].shift_s)):
        with av.open(str(file)) as opened:
            stream = opened.streams.audio[0]
            frame = [frame for frame in opened.decode(stream) if 11.3 < frame.time + shift_s < 11.33]
            heard.append((frame[0].time + shift_s, frame[0].to_ndarray()))
    assert heard[0][0] == pytest.approx(heard[1][0], abs=1e-3)
    assert np.allclose(heard[0][1], heard[1][1], atol=1e-4)


def test_a_turned_video_stays_turned(make: Make, tmp_path):
    path = make("turned.mp4", **VIDEOS["turned.mp4"])
    found = cut(path, [(11.0, 12.0)], tmp_path)
    assert isinstance(found, list) and found[0].path
    with av.open(str(found[0].path)) as file:
        assert next(file.decode(video=0)).rotation == 90


def test_spans_behind_the_end_have_no_file(make: Make, tmp_path):
    path = make("front.mp4", **VIDEOS["front.mp4"])
    found = cut(path, [(2.0, 3.0), (20.0, 23.0), (400.0, 410.0)], tmp_path)
    assert isinstance(found, list)
    assert [piece.path is None for piece in found] == [False, True, True]
    check(path, found[:1])


def test_a_span_to_the_end(make: Make, tmp_path):
    path = make("front.mp4", **VIDEOS["front.mp4"])
    found = cut(path, [(17.0, float("inf"))], tmp_path)
    assert isinstance(found, list) and found[0].path
    assert read_number(frames(found[0].path)[-1][1]) == FRAMES - 1
    check(path, found)


@pytest.mark.parametrize(
    ("name", "spans", "why"),
    [
        ("front.mp4", [(0.0, 11.0)], "more than half"),
        ("stream.ts", [(9.0, 10.0)], "format"),
        ("old.mkv", [(9.0, 10.0)], "codec"),
    ],
)
def test_what_is_better_taken_whole(name, spans, why, make: Make, tmp_path):
    how = {"stream.ts": {"options": LONG}, "old.mkv": {"codec": "mjpeg", "pixel_format": "yuvj420p"}}
    found = cut(make(name, **{**VIDEOS, **how}[name]), spans, tmp_path)
    assert isinstance(found, Unfit) and why in found.why


def test_a_file_that_ends_too_early(make: Make, tmp_path):
    """A span that is there comes; one that isn't is told as such, or the video comes whole."""
    path = make("front.mp4", **VIDEOS["front.mp4"])
    short = tmp_path / "short.mp4"
    short.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    found = cut(short, [(5.0, 6.0)], tmp_path)
    assert isinstance(found, list)
    check(path, found)
    lost = cut(short, [(18.0, 19.0)], tmp_path)
    assert isinstance(lost, Unfit) or lost[0].path is None
