"""Formats of trainers: read back as the trainer reads them, files found where they say, texts to the byte."""

import csv
import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from exported import NASTY, kept, small_set

from longtake.errors import UsageError
from longtake.exporting import export_set
from longtake.exports import Placed, Row
from longtake.exports.ltx import ltx

EXPECTED = [f"{NASTY[0]} refined", f"{NASTY[1]} refined", "", ""]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_set(tmp_path_factory.mktemp("small"))


def export(made: Path, name: str, to: Path, *settings: str) -> Path:
    """Export refined captions and return the training split's folder."""
    export_set(made, name, to, settings=["caption=refined", *settings])
    return to / "train"


def same_files(folder: Path, paths: list[str], made: Path) -> bool:
    sources = [made / clip["file"] for clip in kept(made)]
    return [(folder / path).read_bytes() for path in paths] == [source.read_bytes() for source in sources]


def read_csv(path: Path) -> list[dict]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_lines(path: Path) -> list[dict]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_diffsynth(made: Path, tmp_path: Path) -> None:
    train = export(made, "diffsynth", tmp_path / "out")
    rows = read_csv(train / "metadata.csv")
    assert list(rows[0]) == ["video", "prompt"]
    assert [row["prompt"] for row in rows] == EXPECTED
    assert same_files(train, [row["video"] for row in rows], made)


def test_diffsynth_as_its_own_reader_sees_it(made: Path, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    train = export(made, "diffsynth", tmp_path / "out")
    assert pandas.read_csv(train / "metadata.csv")["prompt"][:2].tolist() == EXPECTED[:2]


def test_ltx_refuses_sizes_that_do_not_fit(made: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"3 clips don't fit .* 8n\+1 --sides 32"):
        export(made, "ltx", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_ltx_lets_any_size_out_where_asked(made: Path, tmp_path: Path) -> None:
    train = export(made, "ltx", tmp_path / "out", "check=false")
    rows = read_lines(train / "dataset.jsonl")
    assert [row["caption"] for row in rows] == EXPECTED
    assert same_files(train, [row["video"] for row in rows], made)


@pytest.mark.parametrize(
    ("width", "height", "frames", "fits"),
    [
        (960, 544, 121, True),
        (960, 544, 1, True),
        (960, 540, 121, False),
        (950, 544, 121, False),
        (960, 544, 120, False),
    ],
)
def test_what_fits_ltx(tmp_path: Path, width: int, height: int, frames: int, fits: bool) -> None:
    row = Row({"id": "a"}, {}, [], "train", Path("a.mp4"))
    placed = Placed(tmp_path / "a.mp4", 1, width, height, 24.0, frames, frames / 24)
    if fits:
        ltx([row], tmp_path, lambda *_: placed)
    else:
        with pytest.raises(UsageError, match=f"a clip doesn't fit LTX: a has {width}x{height} and {frames} frames"):
            good = iter([placed, replace(placed, width=32, height=32, frames=9)])
            ltx([row, row], tmp_path, lambda *_: next(good))


def test_musubi(made: Path, tmp_path: Path) -> None:
    """A frame rate has a dataset of its own; relative paths are found from the split's folder."""
    train = export(made, "musubi", tmp_path / "out", "target_frames=25,45", "resolution='320x192'")
    config = tomllib.loads((train / "dataset.toml").read_text(encoding="utf-8"))
    assert config["general"]["resolution"] == [320, 192]
    assert [data["source_fps"] for data in config["datasets"]] == [24.0, 30.0]
    assert all(isinstance(data["source_fps"], float) for data in config["datasets"])
    assert len({data["cache_directory"] for data in config["datasets"]}) == 2
    found = {}
    for data in config["datasets"]:
        assert (data["target_frames"], data["frame_extraction"]) == ([25, 45], "head")
        for row in read_lines(train / data["video_jsonl_file"]):
            found[row["video_path"]] = (row["caption"], data["source_fps"])
    paths = sorted(found)
    assert same_files(train, paths, made)
    assert [found[path][0] for path in paths] == EXPECTED
    assert [found[path][1] for path in paths] == [round(clip["fps"]) for clip in kept(made)]


def test_musubi_below_a_root(made: Path, tmp_path: Path) -> None:
    root = tmp_path / "quo\"ted' out"
    train = export(made, "musubi", root, f"root={root}/")
    config = tomllib.loads((train / "dataset.toml").read_text(encoding="utf-8"))
    for data in config["datasets"]:
        rows = read_lines(Path(data["video_jsonl_file"]))
        assert rows and all(Path(row["video_path"]).is_file() for row in rows)


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("target_frames='24'", "4n \\+ 1, as this trainer wants; write 25"),
        ("target_frames='a'", "target_frames"),
        ("resolution='960'", "resolution"),
        ("resolution='0x4'", "resolution"),
        ("frame_extraction='tail'", "head, chunk"),
    ],
)
def test_musubi_says_what_is_wrong(made: Path, tmp_path: Path, setting: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        export(made, "musubi", tmp_path / "out", setting)


def test_opensora(made: Path, tmp_path: Path) -> None:
    train = export(made, "opensora", tmp_path / "out", f"root={tmp_path / 'out'}")
    rows = read_csv(train / "metadata.csv")
    assert list(rows[0]) == ["path", "text", "num_frames", "height", "width", "aspect_ratio", "resolution", "fps"]
    assert [row["text"] for row in rows] == EXPECTED
    assert same_files(Path("/"), [row["path"] for row in rows], made)
    first = rows[0]
    assert (first["num_frames"], first["height"], first["width"], first["fps"]) == ("49", "128", "96", "30.0")
    assert (float(first["aspect_ratio"]), first["resolution"]) == (pytest.approx(128 / 96), str(128 * 96))


def test_videox_fun(made: Path, tmp_path: Path) -> None:
    train = export(made, "videox_fun", tmp_path / "out")
    rows = json.loads((train / "metadata.json").read_bytes())
    assert [row["text"] for row in rows] == EXPECTED
    assert same_files(train, [row["file_path"] for row in rows], made)
    assert {row["type"] for row in rows} == {"video"}
    assert [(row["width"], row["height"]) for row in rows] == [(c["file_width"], c["file_height"]) for c in kept(made)]


def test_finetrainers(made: Path, tmp_path: Path) -> None:
    """Read as `VideoFileCaptionFileListDataset` does."""
    train = export(made, "finetrainers", tmp_path / "out")
    prompts = (train / "prompts.txt").read_text(encoding="utf-8").splitlines()
    videos = (train / "videos.txt").read_text(encoding="utf-8").splitlines()
    assert same_files(train, videos, made)
    assert prompts == [text.replace("\r\n", " ").replace("\n", " ") for text in EXPECTED]


def test_sidecar(made: Path, tmp_path: Path) -> None:
    train = export(made, "sidecar", tmp_path / "out", "frame_buckets='33,1'")
    videos = sorted(path.name for path in train.glob("*.mp4"))
    assert same_files(train, videos, made)
    assert [(train / name).with_suffix(".txt").read_bytes().decode() for name in videos] == EXPECTED
    assert sorted(path.suffix for path in train.iterdir()) == [".mp4"] * 4 + [".txt"] * 4
    config = tomllib.loads((tmp_path / "out" / "dataset-train.toml").read_text(encoding="utf-8"))
    assert config["frame_buckets"] == [1, 33] and config["resolutions"] == [512]
    assert [entry["path"] for entry in config["directory"]] == ["train"]


def test_sidecar_with_other_folders(made: Path, tmp_path: Path) -> None:
    export(made, "sidecar", tmp_path / "a", "toml=false")
    assert not list((tmp_path / "a").glob("*.toml"))
    train = export(made, "sidecar", tmp_path / "b", f"root={tmp_path / 'b'}")
    config = tomllib.loads((tmp_path / "b" / "dataset-train.toml").read_text(encoding="utf-8"))
    assert Path(config["directory"][0]["path"]).samefile(train)


@pytest.mark.parametrize("name", ["diffsynth", "musubi", "opensora", "videox_fun", "finetrainers", "sidecar"])
def test_each_split_stands_alone_and_bytes_are_the_same_each_time(made: Path, tmp_path: Path, name: str) -> None:
    texts = []
    for out in ("one", "two"):
        done = export_set(made, name, tmp_path / out, split="train:0.5,val:0.5")
        assert sorted(done.splits) == sorted(path.name for path in (tmp_path / out).iterdir() if path.is_dir())
        for split, clips in done.splits.items():
            assert len(list((tmp_path / out / split).rglob("*.mp4"))) == clips
        files = [path for path in sorted((tmp_path / out).rglob("*")) if path.is_file() and path.name != "export.json"]
        texts.append({path.relative_to(tmp_path / out): path.read_bytes() for path in files})
    assert texts[0] == texts[1]
