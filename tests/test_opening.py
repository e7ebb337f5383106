"""Sets in Python and PyTorch: tables as they are, and exactly the frames that a time names."""

import importlib
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media import Media, read_number

import longtake
from longtake.errors import SetError, UsageError
from longtake.lock import Lock
from longtake.opening import Set
from longtake.running import run
from longtake.select import parse_rule
from longtake.selecting import apply_rules
from longtake.store import Store

ROOT = Path(__file__).resolve().parents[1]
WITH_FILES = """
[shots]
step = "transitions"
[clips]
step = "takes"
[scores.motion]
[select]
keep = ["duration_s >= 3"]
[files]
preset = "ultrafast"
"""
WITHOUT_FILES = WITH_FILES.partition("[files]")[0]


@pytest.fixture(scope="module")
def sets(media: Media, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Set]:
    """The same clips with files and without; each video's frames carry numbers or lie sideways."""
    folder = tmp_path_factory.mktemp("opening")
    made = {}
    for name, recipe in {"files": WITH_FILES, "spans": WITHOUT_FILES}.items():
        (folder / f"{name}.toml").write_text(recipe)
        run(str(folder / f"{name}.toml"), [media["numbered"], media["long_takes"]], folder / name, workers=1)
        store = Store(folder / name)
        rows = [
            caption(clip, kind, number, f"{kind} {number} of {clip['id']}", problems=problems)
            for clip in store.read("clips", ["id", "video_id"], "kept").to_pylist()
            for kind, number, problems in [("raw", 1, []), ("raw", 0, []), ("dense", 0, []), ("short", 0, ["empty"])]
        ]
        store.append("captions", rows)
        made[name] = longtake.open_set(folder / name)
    return made


def caption(clip: dict[str, Any], kind: str, number: int, text: str, problems: list[str]) -> dict[str, Any]:
    span = {"start_s": float(number), "end_s": number + 1.0}
    facts = {"clip_id": clip["id"], "video_id": clip["video_id"], "step": "lvd2m", "kind": kind, "number": number}
    return {**facts, **span, "text": text, "problems": problems, "model": "m", "work": "w"}


def numbered_clip(made: Set) -> dict[str, Any]:
    (clip,) = [c for c in made.clips().to_pylist() if c["video_id"].startswith("numbered")]
    return clip


def expected(clip: dict[str, Any], times: np.ndarray) -> list[int]:
    """Return the numbers of the frames displayed at times of a clip."""
    return (clip["start_frame"] + np.floor(times * 30_000 / 1001 + 1e-4)).astype(int).tolist()


def test_a_folder_that_is_no_set(tmp_path: Path) -> None:
    with pytest.raises(SetError, match=r"no recipe\.toml"):
        longtake.open_set(tmp_path)


def test_clips_are_the_kept_ones_with_scores_by_their_keys(sets: dict[str, Set]) -> None:
    made = sets["files"]
    kept, every = made.clips(), made.clips(None)
    assert set(kept["kept"].to_pylist()) == {True}
    assert every.num_rows == made.read("clips").num_rows >= kept.num_rows > 1
    assert min(kept["motion.mean"].to_pylist()) >= 0
    assert made.clips("kept AND motion.mean > 99").num_rows == 0
    assert made.clips("id != 'a; b'").num_rows == every.num_rows, "rejected ones too: it takes the place of kept"
    assert made.clips(columns=["id", "motion.mean"]).column_names == ["id", "motion.mean"]
    assert made.read("clips", ["id", "motion.mean"], where="kept").column_names == ["id", "motion.mean"]


def test_captions_are_the_good_ones_unless_asked(sets: dict[str, Set]) -> None:
    made = sets["files"]
    count = made.clips().num_rows
    assert made.captions().num_rows == 3 * count
    assert made.captions("kind = 'short'").num_rows == 0
    assert made.captions("kind = 'short'", set_aside=True).num_rows == count
    assert made.videos().num_rows == 2


def test_rows_have_files_videos_and_captions(sets: dict[str, Set]) -> None:
    rows = list(sets["files"].rows())
    assert [row.id for row in rows] == sorted(row.id for row in rows)
    assert len(rows) == sets["files"].clips().num_rows
    for row in rows:
        assert row.file.is_file()
        assert row.video["id"] == row.clip["video_id"]
        assert row.text() == f"dense 0 of {row.id}"
        assert row.text("raw") == f"raw 0 of {row.id} raw 1 of {row.id}"
        assert row.clip["motion.mean"] is not None
    assert list(sets["spans"].rows()) == [], "without files there is nothing to hand on"


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_tables_for_others(sets: dict[str, Set], package: str) -> None:
    made = sets["files"]
    convert = getattr(made, f"to_{package}")
    try:
        importlib.import_module(package)
    except ImportError:
        with pytest.raises(UsageError, match=f"pip install {package}"):
            convert()
    else:
        table = convert()
        assert list(table["id"]) == made.clips()["id"].to_pylist()
        assert list(table["motion.mean"]) == made.clips()["motion.mean"].to_pylist()


@pytest.mark.parametrize("name", ["files", "spans"])
@pytest.mark.parametrize(
    ("start_s", "frames", "fps"), [(0.0, 8, 8.0), (0.01, 1, 8.0), (3.21, 17, 29.97), (7.7, 9, 4.0), (2.0, 5, 120.0)]
)
def test_frames_are_those_displayed_at_their_times(sets: dict[str, Set], name: str, start_s, frames, fps) -> None:
    clip = numbered_clip(sets[name])
    pictures = sets[name].frames(clip["id"], start_s, frames, fps)
    assert pictures.shape == (frames, 180, 320, 3)
    assert [read_number(p) for p in pictures] == expected(clip, start_s + np.arange(frames) / fps)


def test_the_last_frame_of_a_span_is_the_clips_own(sets: dict[str, Set]) -> None:
    """Just before the end of a clip that another shot follows."""
    for made in sets.values():
        clip = made.clips("kept", ["id", "duration_s", "fps"]).to_pylist()[0]
        ends = clip["duration_s"] - 1e-6, clip["duration_s"] - 0.6 / clip["fps"]
        last, same = (made.frames(clip["id"], end_s, 1, 1.0)[0].astype(int) for end_s in ends)
        assert np.abs(last - same).max() == 0


@pytest.mark.parametrize("size", [(64, 64), (320, 180), (400, 100), (33, 51), (640, 640), (8, 8)])
def test_frames_of_a_size(sets: dict[str, Set], size: tuple[int, int]) -> None:
    clip = numbered_clip(sets["files"])
    whole = sets["files"].frames(clip["id"], 1.0, 1, 1.0)[0]
    (picture,) = sets["files"].frames(clip["id"], 1.0, 1, 1.0, size)
    assert picture.shape == (size[1], size[0], 3)
    shape = size[0] / size[1]
    wide, high = min(320, 180 * shape), min(180, 320 / shape)
    middle = whole[
        round(90 - high / 2) : max(round(90 + high / 2), 1), round(160 - wide / 2) : max(round(160 + wide / 2), 1)
    ]
    np.testing.assert_allclose(picture.mean(axis=(0, 1)), middle.mean(axis=(0, 1)), atol=6)


@pytest.mark.parametrize(
    ("start_s", "frames", "fps", "words"),
    [
        (-0.5, 2, 8.0, "not all in clip"),
        (12.0, 60, 8.0, "not all in clip"),
        (0.0, 0, 8.0, "above 0"),
        (0.0, 8, 0.0, "above 0"),
        (0.0, 8, float("inf"), "above 0"),
        (float("nan"), 1, 2.0, "not all in clip"),
    ],
)
def test_times_outside_a_clip_are_a_mistake(sets: dict[str, Set], start_s, frames, fps, words) -> None:
    with pytest.raises(UsageError, match=words):
        sets["files"].frames(numbered_clip(sets["files"])["id"], start_s, frames, fps)
    with pytest.raises(UsageError, match="no clip 'x'"):
        sets["files"].frames("x", 0.0, 1, 1.0)


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda made: made.read("clip"), "no table 'clip'; did you mean 'clips'"),
        (
            lambda made: made.clips(columns=["motion.men"]),
            "no column 'motion.men' in clips; did you mean 'motion.mean'",
        ),
        (lambda made: made.read("spans", ["gone"]), "no column 'gone' in spans; there is "),
        (lambda made: made.clips(["kept"]), r"where = \['kept'\] is no filter; write SQL"),
        (lambda made: made.clips("motion.men > 3"), "'motion.men > 3' is no filter of clips: .*men not found"),
        (lambda made: list(made.rows("kept >>>")), "'kept >>>' is no filter of clips: .*parse"),
        (lambda made: made.clips("kept; NOT kept"), "write one condition, without ';'"),
        (lambda made: made.clips(columns=[]), "columns names none"),
    ],
)
def test_what_is_asked_of_tables_wrongly(sets: dict[str, Set], ask: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        ask(sets["files"])
    assert "/rust/" not in str(caught.value)


def test_one_column_may_be_named_alone(sets: dict[str, Set]) -> None:
    assert sets["files"].read("clips", "id").column_names == ["id"]


def test_what_there_is_to_use_is_listed() -> None:
    assert {"run", "find_shots", "open_set"} <= set(dir(longtake))


# PyTorch


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


@pytest.mark.parametrize("name", ["files", "spans"])
def test_windows_hold_the_frames_at_their_times(sets: dict[str, Set], torch, name: str) -> None:
    made = sets[name]
    clip = numbered_clip(made)
    windows = made.torch(frames=12, fps=10.0, size=(320, 180), where="video_id LIKE 'numbered%'")
    assert isinstance(windows, torch.utils.data.Dataset)
    assert len(windows) == 1
    starts = set()
    for epoch in range(8):
        windows.set_epoch(epoch)
        item = windows[0]
        assert item["video"].shape == (12, 3, 180, 320)
        assert item["video"].dtype == torch.uint8
        times = item["start_s"] + np.arange(12) / 10
        assert times[-1] < clip["duration_s"]
        assert [read_number(p) for p in item["video"].permute(0, 2, 3, 1).numpy()] == expected(clip, times)
        assert (item["id"], item["caption"]) == (clip["id"], f"dense 0 of {clip['id']}")
        starts.add(item["start_s"])
    assert len(starts) == 8, "each epoch has its own window"


def test_windows_are_the_same_for_the_same_seed_and_epoch(sets: dict[str, Set], torch) -> None:
    made = sets["files"]
    one, same, other = (made.torch(frames=2, size=(16, 16), seed=seed) for seed in (3, 3, 4))
    assert len(one) == made.clips().num_rows
    for index in range(len(one)):
        assert torch.equal(one[index]["video"], same[index]["video"])
        assert one[index]["start_s"] == same[index]["start_s"] != other[index]["start_s"]
    assert one[-1]["id"] == one[len(one) - 1]["id"]
    with pytest.raises(IndexError):
        one[len(one)]


def test_where_narrows_the_kept_clips(sets: dict[str, Set], torch, tmp_path: Path) -> None:
    folder = shutil.copytree(sets["spans"].folder, tmp_path / "set")
    with Lock(folder) as lock:
        apply_rules(Store(folder, lock), [parse_rule("duration_s >= 10")])
    made = longtake.open_set(folder)
    kept = set(made.clips()["id"].to_pylist())
    assert 0 < len(kept) < made.clips(None).num_rows
    for where in (None, "duration_s > 0 OR NOT kept", "kept AND duration_s > 0"):
        windows = made.torch(frames=1, size=(16, 16), where=where)
        assert {windows[i]["id"] for i in range(len(windows))} == kept


def test_windows_travel(sets: dict[str, Set], torch) -> None:
    windows = sets["files"].torch(frames=2, size=(16, 16))
    windows.set_epoch(5)
    copy = pickle.loads(pickle.dumps(windows))
    assert [copy[i]["start_s"] for i in range(len(copy))] == [windows[i]["start_s"] for i in range(len(windows))]


def test_workers_that_stay_see_the_next_epoch(sets: dict[str, Set], torch) -> None:
    windows = sets["files"].torch(frames=4, fps=8.0, size=(32, 32), caption="raw")
    loader = torch.utils.data.DataLoader(
        windows, batch_size=2, num_workers=2, multiprocessing_context="forkserver", persistent_workers=True
    )
    for epoch in range(3):
        windows.set_epoch(epoch)
        batches = list(loader)
        assert all(batch["video"].shape[1:] == (4, 3, 32, 32) for batch in batches)
        there = [start for batch in batches for start in batch["start_s"].tolist()]
        assert there == [windows[i]["start_s"] for i in range(len(windows))]
        texts = [text for batch in batches for text in batch["caption"]]
        assert texts == [windows[i]["caption"] for i in range(len(windows))]
        assert all(text.startswith("raw 0 of ") for text in texts)


def test_clips_shorter_than_a_window_are_left_out_and_counted(sets: dict[str, Set], torch) -> None:
    made = sets["files"]
    lengths = sorted(made.clips()["duration_s"].to_pylist())
    windows = made.torch(frames=2, fps=1 / (lengths[0] + 0.1), size=(16, 16))
    assert (len(windows), windows.too_short) == (len(lengths) - 1, 1)
    with pytest.raises(UsageError, match=f"{len(lengths)} of them too short"):
        made.torch(frames=1000, fps=1.0)


def test_what_is_asked_of_windows_wrongly(sets: dict[str, Set], torch) -> None:
    with pytest.raises(UsageError, match=r"no caption of kind 'refined'; there is dense, raw"):
        sets["files"].torch(caption="refined")
    with pytest.raises(UsageError, match="width, height"):
        sets["files"].torch(size=(0, 16))
    with pytest.raises(UsageError, match="above 0"):
        sets["files"].torch(fps=-1.0)


@pytest.mark.parametrize("size", [(0, 16), (16, -1)])
def test_a_size_that_no_picture_has_is_refused(sets: dict[str, Set], size: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="width, height"):
        sets["spans"].frames(numbered_clip(sets["spans"])["id"], 0.0, 1, 1.0, size)


@given(start=st.floats(0, 11.9), fps=st.floats(1, 60))
def test_any_time_gives_its_frame(sets: dict[str, Set], start: float, fps: float) -> None:
    """Away from the moments at which one frame follows another by less than a tick."""
    clip = numbered_clip(sets["files"])
    times = start + np.arange(3) / fps
    edge = np.abs(times * 30_000 / 1001 - np.round(times * 30_000 / 1001)) < 0.01
    if times[-1] < clip["duration_s"] and not edge.any():
        pictures = sets["files"].frames(clip["id"], start, 3, fps)
        assert [read_number(p) for p in pictures] == expected(clip, times)


def test_the_example_trains(sets: dict[str, Set], torch) -> None:
    command = [sys.executable, str(ROOT / "examples" / "train_on_a_set.py"), str(sets["files"].folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    losses = [float(line.split()[-1]) for line in done.stdout.splitlines() if line.startswith("step")]
    assert len(losses) == 3
    assert losses[-1] < losses[0]


def test_opening_a_set_loads_no_torch() -> None:
    code = "import sys, longtake; longtake.open_set; print('torch' in sys.modules, 'longtake.opening' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.split() == ["False", "True"], done.stderr
