"""Shards, read back by `webdataset` and `datasets`; the same bytes again after a kill."""

import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from exported import kept, small_set
from madeup import ABOUT, Putter, expected_of, row, until

from longtake.errors import SetError, UsageError
from longtake.exporting import export_set
from longtake.exports import Row
from longtake.exports.webdataset import webdataset

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_set(tmp_path_factory.mktemp("webdataset"))


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(bytes(range(256)) * 100)
    return path


def shards(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.tar"))}


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_webdataset_reads_it(made: Path, tmp_path: Path) -> None:
    """The library leaves its files open, hence the filters."""
    reader = pytest.importorskip("webdataset", reason="webdataset is not installed: requirements/exports.txt")
    to = tmp_path / "out"
    export_set(made, "webdataset", to, settings=["shard_clips=3"])
    paths = [str(path) for path in sorted(to.glob("train-*.tar"))]
    assert len(paths) == 2
    found = {one["__key__"]: one for one in reader.WebDataset(paths, shardshuffle=False).decode()}
    expected = expected_of(made)
    assert list(found) == [clip["id"] for clip in kept(made)]
    for clip in kept(made):
        one = found[clip["id"]]
        assert one["mp4"] == (made / clip["file"]).read_bytes()
        assert one["json"] == expected[clip["id"]]
        assert one["txt"] == expected[clip["id"]]["caption"]


def test_datasets_reads_it_with_its_splits(made: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="datasets is not installed: requirements/exports.txt")
    to = tmp_path / "out"
    done = export_set(made, "webdataset", to, split="test:0.5,val:0.5")
    loaded = datasets.load_dataset(str(to), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == done.splits and len(done.splits) == 2
    rows = [one for part in loaded.values() for one in part.cast_column("mp4", datasets.Video(decode=False))]
    assert {one["__key__"]: one["json"] for one in rows} == expected_of(made)
    for clip in kept(made):
        (video,) = [one["mp4"]["bytes"] for one in rows if one["__key__"] == clip["id"]]
        assert video == (made / clip["file"]).read_bytes()


def test_a_score_that_the_first_clips_lack(film: Path, tmp_path: Path) -> None:
    """`datasets` guesses types by five samples, if no card says them."""
    datasets = pytest.importorskip("datasets", reason="datasets is not installed: requirements/exports.txt")
    to = tmp_path / "out"
    rows = [
        row(film, number, score=0.5 if number > 7 else None, text="A." if number > 7 else "") for number in range(9)
    ]
    webdataset(rows, to, Putter(to), ABOUT)
    loaded = datasets.load_dataset(str(to), cache_dir=str(tmp_path / "cache"))["train"]
    found = loaded.remove_columns("mp4")["json"]
    assert [one["scores"]["motion_mean"] for one in found] == [None] * 8 + [0.5]
    assert [len(one["captions"]) for one in found] == [0] * 8 + [1]


def test_a_sample_is_three_neighbours_without_times_or_owners(made: Path, tmp_path: Path) -> None:
    export_set(made, "webdataset", tmp_path / "out")
    data = (tmp_path / "out" / "train-000000.tar").read_bytes()
    with tarfile.open(tmp_path / "out" / "train-000000.tar") as tar:
        members = tar.getmembers()
    names = [member.name for member in members]
    assert names == [f"{clip['id']}.{kind}" for clip in kept(made) for kind in ("mp4", "json", "txt")]
    assert all(name.count(".") == 1 for name in names)
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.type) for m in members} == {(0, 0, 0, "", "", tarfile.REGTYPE)}
    assert all(data[m.offset + 257 : m.offset + 265] == b"ustar\x0000" for m in members)


def test_the_same_set_gives_the_same_bytes(made: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        export_set(made, "webdataset", tmp_path / name, copy=name == "two")
    assert shards(tmp_path / "one") == shards(tmp_path / "two") != {}
    assert (tmp_path / "one" / "README.md").read_bytes() == (tmp_path / "two" / "README.md").read_bytes()


def test_a_shard_is_as_large_as_asked_at_most(film: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    to.mkdir()
    rows = [row(film, number) for number in range(100)]
    webdataset(rows, to, Putter(to), ABOUT, shard_mb=1)
    sizes = [len(data) for data in shards(to).values()]
    sample = 512 * 3 + len(film.read_bytes()) + 3 * 1024
    assert all(1_000_000 - sample < size <= 1_000_000 for size in sizes[:-1]) and len(sizes) == 3
    assert sizes[-1] <= 1_000_000
    keys = [key for path in sorted(to.glob("*.tar")) for key in keys_of(path)]
    assert keys == [one.id for one in rows]


def test_a_clip_larger_than_a_shard_has_its_own(tmp_path: Path) -> None:
    large, to = tmp_path / "large.mp4", tmp_path / "out"
    large.write_bytes(bytes(1_500_000))
    to.mkdir()
    webdataset([row(large, number) for number in range(3)], to, Putter(to), ABOUT, shard_mb=1)
    assert [len(keys_of(path)) for path in sorted(to.glob("*.tar"))] == [1, 1, 1]


def test_each_split_has_its_shards(film: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    to.mkdir()
    rows = [row(film, number, split="val" if number // 10 % 2 else "train") for number in range(50)]
    webdataset(rows, to, Putter(to), ABOUT, shard_clips=8)
    counts = {path.name: len(keys_of(path)) for path in sorted(to.glob("*.tar"))}
    assert [name for name in counts if name.startswith("train")] == [f"train-{n:06d}.tar" for n in range(4)]
    assert list(counts.values()) == [8, 8, 8, 6, 8, 8, 4]
    assert not (to / ".work").exists()


def test_a_caption_is_byte_by_byte_what_it_was(film: Path, tmp_path: Path) -> None:
    text = "a\r\nb\u2028c \x7f\x00 \U0001f600 שלום"
    to = tmp_path / "out"
    to.mkdir()
    webdataset([row(film, 0, text=text), row(film, 1, text="")], to, Putter(to), ABOUT)
    with tarfile.open(to / "train-000000.tar") as tar:
        said = [tar.extractfile(m).read() for m in tar.getmembers() if not m.name.endswith(".mp4")]
    assert json.loads(said[0])["caption"] == text and said[1] == text.encode()
    assert json.loads(said[2])["captions"] == [] and said[3] == b""


KILLED = """
import os, signal, sys
from longtake.exporting import clips, export_set
put = clips.Writer.place
def place(self, row, path):
    if self.count == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return put(self, row, path)
clips.Writer.place = place
export_set(sys.argv[1], "webdataset", sys.argv[2], settings=["shard_clips=2"])
"""


def test_after_a_kill_whole_shards_are_kept_and_the_rest_is_the_same(made: Path, tmp_path: Path) -> None:
    export_set(made, "webdataset", tmp_path / "whole", settings=["shard_clips=2"])
    to = tmp_path / "out"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(made), str(to)], check=False)
    assert killed.returncode == -signal.SIGKILL
    partial = to.with_name("out.partial")
    assert not to.exists() and [path.name for path in partial.glob("*.tar")] == ["train-000000.tar"]
    assert (partial / ".train-000001.tar.tmp").exists()
    was = (partial / "train-000000.tar").stat().st_ino
    done = export_set(made, "webdataset", to, settings=["shard_clips=2"])
    assert not done.was_there and (to / "train-000000.tar").stat().st_ino == was
    assert shards(to) == shards(tmp_path / "whole")
    names = {path.relative_to(to) for path in to.rglob("*") if path.is_file()}
    whole = tmp_path / "whole"
    assert names == {path.relative_to(whole) for path in whole.rglob("*") if path.is_file()}
    for name in names:
        assert (to / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize("stop", range(1, 24, 3))
def test_wherever_it_breaks_no_file_of_a_whole_shard_is_made_again(film: Path, tmp_path: Path, stop: int) -> None:
    """Two splits by turns, and files that are re-encoded: the costly case."""

    def rows() -> Iterator[Row]:
        return (row(film, number, split="val" if number // 10 % 2 else "train") for number in range(24))

    whole, to = tmp_path / "whole", tmp_path / "out"
    whole.mkdir(), to.mkdir()
    all_of_it = Putter(whole, b"more")
    webdataset(rows(), whole, all_of_it, ABOUT, shard_clips=4)
    with pytest.raises(KeyboardInterrupt):
        webdataset(until(rows(), stop), to, Putter(to, b"more"), ABOUT, shard_clips=4)
    there = [key for path in to.glob("*.tar") for key in keys_of(path)]
    again = Putter(to, b"more")
    webdataset(rows(), to, again, ABOUT, shard_clips=4)
    assert not set(again.made) & set(there) and len(again.made) + len(there) == 24
    assert again.bytes == all_of_it.bytes
    assert shards(to) == shards(whole)
    assert (to / "README.md").read_bytes() == (whole / "README.md").read_bytes()
    for left_open in to.glob(".*.tmp"):
        pytest.fail(f"{left_open} is left")


def keys_of(path: Path) -> list[str]:
    with tarfile.open(path) as tar:
        names = tar.getnames()
    keys = [name.partition(".")[0] for name in names]
    return list(dict.fromkeys(keys))


def test_a_shard_of_another_export_is_not_taken(film: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    to.mkdir()
    webdataset([row(film, 3)], to, Putter(to), ABOUT)
    with pytest.raises(SetError, match="not of this export"):
        webdataset([row(film, 4)], to, Putter(to), ABOUT)


@pytest.mark.parametrize("parameters", [{"shard_mb": 0}, {"shard_clips": -1}])
def test_no_shard_is_of_nothing(film: Path, tmp_path: Path, parameters: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=next(iter(parameters))):
        webdataset([row(film, 0)], tmp_path, Putter(tmp_path), ABOUT, **parameters)
