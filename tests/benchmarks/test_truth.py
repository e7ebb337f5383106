"""The formats of sets are read as they are: ours, and those of BBC Planet Earth, RAI, ClipShots and SHOT."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from media import FPS

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

from truth import LAYOUTS, Span, Truth, read, read_shot_list

CUTS = [Span("cut", 10, 10), Span("gradual", 21, 29), Span("cut", 60, 60)]
"""Transitions as every layout can say them."""


@pytest.fixture
def video(media, tmp_path):
    """Return a function that puts the same short video wherever it is asked for."""

    def put(path: str) -> Path:
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return shutil.copy(media["cut"], target)

    return put


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def shot_list(between: str = "\t") -> str:
    """Return `CUTS` as the lists of BBC, RAI and SHOT say them: a shot a line, by its first and last frame."""
    return "".join(f"{first}{between}{last}\n" for first, last in ((0, 9), (10, 20), (30, 59), (60, 89)))


@pytest.mark.parametrize(
    ("layout", "video_path", "list_path", "between"),
    [
        ("bbc", "bbc_01.mp4", "annotations/shots/01_From_Pole_to_Pole.txt", "\t"),
        ("bbc", "videos/bbc_03.mp4", "fixed/03-scenes.txt", "\t"),
        ("bbc", "bbc_11.mp4", "bbc_11.txt", "\t"),
        ("rai", "video_rai/25010.mp4", "video_rai/25010_gt.txt", " "),
        ("rai", "21829.mp4", "labels/21829_gt.txt", "\t"),
        ("shot", "videos/31602670982.mp4", "annotations/31602670982.txt", " "),
        ("shot", "31602670982.mp4", "31602670982.txt", "\t"),
    ],
)
def test_lists_of_shots(layout, video_path, list_path, between, video, tmp_path) -> None:
    path = video(video_path)
    video("unlisted/77.mp4")
    write(tmp_path / list_path, shot_list(between))
    write(tmp_path / "annotations" / "scenes" / "annotator_0" / Path(list_path).name, "0,3,5\n")
    (found,) = read(tmp_path, layout)
    assert found.path == path
    assert found.name == Path(video_path).stem
    assert found.transitions == tuple(CUTS)
    assert found.fps == pytest.approx(FPS)
    assert found.frames > 60


def test_clipshots(video, tmp_path) -> None:
    video("videos/test/1t9hqz2sqqc.mp4")
    video("videos/test/XT62u6XwSCU.mp4")
    video("videos/train/5p14VILXiJA.mp4")
    known = {
        "1t9hqz2sqqc.mp4": {"transitions": [[9, 10], [20, 30], [59, 60]], "frame_num": 90.0},
        "XT62u6XwSCU.mp4": {"transitions": [], "frame_num": 90.0},
        "gone.mp4": {"transitions": [[1, 2]], "frame_num": 90.0},
    }
    write(tmp_path / "annotations" / "test.json", json.dumps(known))
    write(tmp_path / "annotations" / "train.json", json.dumps({"5p14VILXiJA.mp4": {"transitions": [[4, 5]]}}))
    first, second = read(tmp_path, "clipshots")
    assert (first.name, first.transitions) == ("1t9hqz2sqqc", tuple(CUTS))
    assert (second.name, second.transitions) == ("XT62u6XwSCU", ())
    assert read(tmp_path, "clipshots", split="train")[0].transitions == (Span("cut", 5, 5),)


def test_the_one_list_of_shot(video, tmp_path) -> None:
    """Typing errors as they stand there: two commas, a point, brackets, two pairs in one line, a missing digit."""
    for name in ("31602670982", "32098094732", "33338203782", "34527445239"):
        video(f"video_download/{name}.mp4")
    lines = [
        *("31602670982.mp4 1499", "9,,10", "[20,30]", "59.60", ""),
        *("32098094732.mp4", "9,10", "128,129152,153", ""),
        *("33338203782.mp4  3449", "5,6", "722,57", "", "34527445239.mp4 90", "60,61", "9,10", ""),
    ]
    write(tmp_path / "kuaishou_v2.txt", "\n".join(lines))
    (found,) = read(tmp_path, "shot")
    assert (found.name, found.transitions) == ("31602670982", tuple(CUTS))


def test_dev(tmp_path) -> None:
    plain = {
        "video": "one.mkv",
        "fps": 25.0,
        "frames": 500,
        "transitions": [{"type": "fade_black", "first_frame": 10, "last_frame": 40, "frames": 31}],
        "distractors": [{"kind": "flash", "first_frame": 100, "last_frame": 102}],
        "ignore": [[0, 5]],
        "long_takes": [{"first_frame": 41, "last_frame": 499, "t_first": 1.64, "t_last": 20.0}],
        "frame_times": [0.0, 0.04],
    }
    write(tmp_path / "truth" / "one.json", json.dumps(plain))
    assert read(tmp_path) == [
        Truth(
            name="one",
            path=tmp_path / "videos" / "one.mkv",
            fps=25.0,
            frames=500,
            transitions=(Span("fade_black", 10, 40),),
            distractors=(Span("flash", 100, 102),),
            ignore=((0, 5),),
            long_takes=((41, 499),),
            frame_times=(0.0, 0.04),
        )
    ]


def test_only_some_videos(video, tmp_path) -> None:
    for name in ("a1", "a2", "b1"):
        video(f"{name}.mp4")
        write(tmp_path / f"{name}.txt", shot_list())
    assert [one.name for one in read(tmp_path, "shot", only="2")] == ["a1", "a2"]
    assert [one.name for one in read(tmp_path, "shot", only="b")] == ["b1"]


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout != "clipshots"])
def test_an_empty_folder_says_so(layout, tmp_path) -> None:
    with pytest.raises(ValueError, match="no annotated video"):
        read(tmp_path, layout)


@pytest.mark.parametrize("line", ["12", "12 13 14", "20 10", "first last"])
def test_a_line_that_is_no_shot_is_named(line, tmp_path) -> None:
    write(tmp_path / "list.txt", f"0 10\n{line}\n")
    with pytest.raises(ValueError, match=r"list\.txt, line 2"):
        read_shot_list(tmp_path / "list.txt")


def test_long_takes_follow_from_transitions(media, tmp_path) -> None:
    path = shutil.copy(media["long_takes"], tmp_path / "1.mp4")
    write(tmp_path / "1.txt", "0 29\n40 10000\n")
    (found,) = read(tmp_path, "shot")
    assert found.path == path
    assert found.long_takes == ((40, found.frames - 1),)


def test_times_of_frames() -> None:
    path = Path("video.mp4")
    steady = Truth("steady", path, 25.0, 100, ())
    varying = Truth("varying", path, 25.0, 4, (), frame_times=(0.0, 0.1, 0.5, 0.6))
    assert steady.frame_at(0.41) == 10
    assert [varying.frame_at(time_s) for time_s in (0.0, 0.2, 0.45, 9.0)] == [0, 1, 2, 3]
    assert steady.seconds(0, 50) == 2.0
    assert varying.seconds(1, 3) == pytest.approx(0.5)
    assert varying.seconds(2, 4) == pytest.approx(0.14)
