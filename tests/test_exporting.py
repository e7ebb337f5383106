"""What goes out, into which split, and that a half export is never taken for a whole one."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner
from exported import kept, small_set
from hypothesis import given
from hypothesis import strategies as st

from longtake import exporting
from longtake.cli import main
from longtake.errors import SetError, UsageError
from longtake.exporting import export_set, parse_split, split_of
from longtake.exporting.folder import MANIFEST
from longtake.grouping import SCHEMA
from longtake.store import Store
from longtake.video import Refit, probe


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_set(tmp_path_factory.mktemp("exporting"))


@pytest.fixture
def with_copies(made: Path, tmp_path: Path) -> Path:
    """The set, were the first clip of each video a copy of that of the next."""
    folder = Path(shutil.copytree(made, tmp_path / "with copies"))
    first = {clip["video_id"]: clip["id"] for clip in reversed(kept(made))}
    groups = [{"group": 7.0, "size": len(first), "rank": rank} for rank in range(1, len(first) + 1)]
    rows = [{"id": name, "copies": one} for name, one in zip(sorted(first.values()), groups, strict=True)]
    Store(folder).update("clips", "id", rows, SCHEMA)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_all_kept_clips_go_out_once_and_are_linked(made: Path, tmp_path: Path) -> None:
    done = export_set(made, "jsonl", tmp_path / "out")
    rows = [json.loads(line) for line in (tmp_path / "out" / "train.jsonl").read_text().splitlines()]
    assert sorted(row["id"] for row in rows) == sorted(row["id"] for row in kept(made))
    assert done.clips == len(rows) and done.splits == {"train": len(rows)} and not done.was_there
    first = tmp_path / "out" / rows[0]["video"]
    assert first.stat().st_nlink > 1
    copied = export_set(made, "jsonl", tmp_path / "copied", copy=True)
    assert (copied.folder / rows[0]["video"]).stat().st_nlink == 1
    (copied.folder / MANIFEST).unlink()
    (tmp_path / "out" / MANIFEST).unlink()  # they say that they are two
    assert files(copied.folder) == files(tmp_path / "out")


def test_the_same_again_is_there_and_another_is_refused(made: Path, tmp_path: Path) -> None:
    done = export_set(made, "jsonl", tmp_path / "out")
    before = files(done.folder)
    again = export_set(made, "jsonl", tmp_path / "out")
    assert again.was_there and (again.clips, again.bytes, again.splits) == (done.clips, done.bytes, done.splits)
    with pytest.raises(UsageError, match="isn't this export"):
        export_set(made, "jsonl", tmp_path / "out", split="train:0.5,val:0.5")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="isn't this export"):
        export_set(made, "jsonl", tmp_path / "mine")
    assert files(done.folder) == before and (tmp_path / "mine" / "thesis.txt").exists()


@pytest.mark.parametrize("mark", [None, "no key of ours"])
def test_only_what_an_export_left_makes_room_for_another(made: Path, tmp_path: Path, mark: str | None) -> None:
    partial = tmp_path / "out.partial"
    partial.mkdir()
    (partial / "thesis.txt").write_text("years of work")
    if mark:
        (partial / ".key").write_text(mark)
    with pytest.raises(UsageError, match="no export made it: rename it or move it away"):
        export_set(made, "jsonl", tmp_path / "out")
    assert (partial / "thesis.txt").read_text() == "years of work" and not (tmp_path / "out").exists()


@pytest.mark.parametrize("left", [{}, {".key": ""}, {".key": "0123456789abcdef", "old.csv": "a"}])
def test_what_another_export_left_makes_room(made: Path, tmp_path: Path, left: dict[str, str]) -> None:
    (tmp_path / "out.partial").mkdir()
    for name, text in left.items():
        (tmp_path / "out.partial" / name).write_text(text)
    done = export_set(made, "jsonl", tmp_path / "out")
    assert done.clips and not (done.folder / "old.csv").exists() and not (tmp_path / "out.partial").exists()


def test_what_was_killed_before_it_got_its_name_makes_room(made: Path, tmp_path: Path) -> None:
    whole = export_set(made, "jsonl", tmp_path / "out", copy=True)
    before = files(whole.folder)
    whole.folder.rename(tmp_path / "out.partial")
    assert files(export_set(made, "jsonl", tmp_path / "out", copy=True).folder) == before


def test_an_export_is_noted_in_the_set(made: Path, tmp_path: Path) -> None:
    done = export_set(made, "csv", tmp_path / "noted")
    rows = [row for row in Store(made).read("exports").to_pylist() if row["folder"] == str(done.folder.resolve())]
    assert len(rows) == 1 and rows[0]["format"] == "csv"
    assert set(rows[0]["video_ids"]) == {row["video_id"] for row in kept(made)}


def test_where_takes_away_and_says_what_is_wrong(made: Path, tmp_path: Path) -> None:
    limit = max(row["duration_s"] for row in kept(made)) - 0.01
    done = export_set(made, "jsonl", tmp_path / "long", where=[f"duration_s >= {limit:g}"])
    assert 0 < done.clips < len(kept(made))
    with pytest.raises(SetError, match="no kept clip"):
        export_set(made, "jsonl", tmp_path / "none", where=["duration_s > 9999"])
    for arguments, words in (
        ({"where": ["duration >= 3"]}, "did you mean 'duration_s'"),
        ({"split": "train:0.9,val:0.2"}, "add up to 1"),
        ({"split": "train"}, "write NAME:SHARE"),
        ({"split": "tr ain:1"}, "a name of letters"),
        ({"settings": ["captoin=short"]}, "did you mean 'caption'"),
        ({"settings": ["caption=rewriten"]}, "no clip has a caption of kind 'rewriten'"),
    ):
        with pytest.raises(UsageError, match=words):
            export_set(made, "jsonl", tmp_path / "bad", **arguments)
    with pytest.raises(UsageError, match="did you mean 'jsonl'"):
        export_set(made, "json", tmp_path / "bad")
    assert not (tmp_path / "bad").exists()


def test_splits_hold_whole_videos(made: Path, tmp_path: Path) -> None:
    done = export_set(made, "jsonl", tmp_path / "halves", split="one:0.5,two:0.5")
    where: dict[str, set[str]] = {}
    for split in done.splits:
        for line in (tmp_path / "halves" / f"{split}.jsonl").read_text().splitlines():
            row = json.loads(line)
            where.setdefault(row["id"].rsplit("_", 2)[0], set()).add(split)
    assert all(len(splits) == 1 for splits in where.values()) and len(where) == len({r["video_id"] for r in kept(made)})


def test_no_two_splits_hold_the_same_footage(made: Path, with_copies: Path, tmp_path: Path) -> None:
    halves = "one:0.5,two:0.5"
    assert len(export_set(made, "jsonl", tmp_path / "apart", split=halves).splits) == 2
    for form in ("jsonl", "parquet"):
        done = export_set(with_copies, form, tmp_path / form, split=halves)
        first = min(clip["video_id"] for clip in kept(with_copies))
        assert done.splits == {split_of(first, parse_split(halves)): len(kept(with_copies))}
        assert export_set(with_copies, form, tmp_path / form, split=halves).was_there
        noted = Store(with_copies).read("exports", ["options"])["options"].to_pylist()[-1]
        assert len(json.loads(noted)["kin"]) == 2, "those who joined later can't move them"
    Store(with_copies).update("clips", "id", [{"id": c["id"], "copies": None} for c in kept(with_copies)], SCHEMA)
    with pytest.raises(UsageError, match="isn't this export"):  # who goes where is another matter now
        export_set(with_copies, "jsonl", tmp_path / "jsonl", split=halves)


def test_a_rule_of_an_export_counts_copies_among_the_clips_that_go_out(with_copies: Path, tmp_path: Path) -> None:
    best = export_set(with_copies, "jsonl", tmp_path / "best", where=["copies.rank <= 1"])
    assert best.clips == 1


def test_the_same_content_under_other_names_is_in_one_split() -> None:
    for n in range(50):
        video = f"-{n:010x}"
        assert len({split_of(name + video, parse_split("a:0.5,b:0.5")) for name in ("film", "copy-of-film", "x")}) == 1


@pytest.mark.parametrize(
    ("form", "settings", "words"),
    [
        ("csv", ["caption=dens"], "did you mean 'dense'"),
        ("jsonl", ["columns=video=fil"], "did you mean 'file'"),
        ("parquet", ["columns=video=file,text=caption:nope"], "no clip has a caption of kind 'nope'"),
        ("csv", ["columns=captions"], "can't hold all captions"),
        ("lvd2m", ["captioner=lvd2"], "no clip has a caption by 'lvd2'; did you mean 'lvd2m'"),
        ("ltx", [], r"clips don't fit LTX"),
        ("musubi", ["target_frames='24'"], "not 4n"),
    ],
)
def test_what_is_refused_is_refused_before_any_file_is_made(
    made: Path, tmp_path: Path, form: str, settings: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting.clips.Writer, "place", lambda *_: pytest.fail("a file is put"))
    with pytest.raises(UsageError, match=words):
        export_set(made, form, tmp_path / "out", settings=settings)
    assert not list(tmp_path.iterdir())


def test_an_export_without_a_caption_says_so(made: Path, tmp_path: Path) -> None:
    bare = Path(shutil.copytree(made, tmp_path / "bare"))
    mine = [row["clip_id"] for row in Store(bare).read("captions").to_pylist()]
    Store(bare).delete("captions", "clip_id", mine, also="step != 'measured'")
    for form, count in (("lvd2m", len(kept(bare))), ("jsonl", 0)):
        assert export_set(bare, form, tmp_path / form).without_caption == count
    said = CliRunner().invoke(main, ["export", str(bare), "lvd2m", "--to", str(tmp_path / "lvd2m")]).output
    assert "No clip has a caption that this format takes" in said
    said = CliRunner().invoke(main, ["export", str(bare), "jsonl", "--to", str(tmp_path / "jsonl")]).output
    assert "caption" not in said


@given(st.lists(st.text(min_size=1), unique=True, min_size=1, max_size=200))
def test_a_video_has_one_split_whatever_else_there_is(ids: list[str]) -> None:
    shares = parse_split("a:0.7,b:0.2,c:0.1")
    assert [split_of(name, shares) for name in ids] == [
        split_of(name, parse_split("a:0.7,b:0.2,c:0.1")) for name in ids
    ]


def test_shares_are_kept() -> None:
    counts = Counter(split_of(f"video-{n}", parse_split("train:0.9,val:0.1")) for n in range(5000))
    assert 0.08 < counts["val"] / 5000 < 0.12
    wider = parse_split("train:0.95,val:0.05")
    moved = [n for n in range(5000) if split_of(f"video-{n}", wider) == "val"]
    assert all(split_of(f"video-{n}", parse_split("train:0.9,val:0.1")) == "val" for n in moved), "none changes sides"


def test_files_take_the_form_asked_for_and_short_clips_stay_out(made: Path, tmp_path: Path) -> None:
    longest = max(row["duration_s"] for row in kept(made))
    least = int(longest * 8) // 4 * 4 - 3
    done = export_set(
        made, "jsonl", tmp_path / "fit", size=Refit(width=64, height=64, fps=8.0, frames=4, plus_one=True)
    )
    for path in (tmp_path / "fit").rglob("*.mp4"):
        video = probe(path)
        assert (video.width, video.height) == (64, 64) and round(video.duration_s * 8) % 4 == 1
    assert done.clips == len(kept(made))
    only = export_set(made, "jsonl", tmp_path / "long", size=Refit(fps=8.0, frames=least))
    assert only.clips >= 1 and only.clips + only.too_short == len(kept(made))
    with pytest.raises(SetError, match="ask for fewer"):
        export_set(made, "jsonl", tmp_path / "never", size=Refit(fps=8.0, frames=100_000))


KILLED = """
import sys
from longtake.exporting import clips, export_set
place = clips.Writer.place
def slow(self, row, path):
    placed = place(self, row, path)
    print(path, flush=True)
    sys.stdin.readline()
    return placed
clips.Writer.place = slow
export_set(sys.argv[1], "jsonl", sys.argv[2], copy=True)
"""


@pytest.mark.parametrize("after", [1, 2])
def test_kill_9_on_the_way_leaves_nothing_under_the_name_and_the_same_call_ends_it(
    made: Path, tmp_path: Path, after: int
) -> None:
    whole = export_set(made, "jsonl", tmp_path / "whole", copy=True)
    command = [sys.executable, "-c", KILLED, str(made), str(tmp_path / "out")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for number in range(after):
        assert process.stdout.readline()
        if number < after - 1:
            print(file=process.stdin, flush=True)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "out").exists()
    left = next((tmp_path / "out.partial").rglob("*.mp4"))
    stamp = left.stat().st_mtime_ns
    time.sleep(0.01)
    export_set(made, "jsonl", tmp_path / "out", copy=True)
    assert files(tmp_path / "out") == files(whole.folder)
    assert next((tmp_path / "out").rglob(left.name)).stat().st_mtime_ns == stamp, "what was there is used"
    assert not (tmp_path / "out.partial").exists()


KILLED_NOTING = """
import os, signal, sys
from longtake.exporting import export_set
from longtake.store import Store

append = Store.append
def killed(*args):
    if sys.argv[3] == "after":
        append(*args)
    os.kill(os.getpid(), signal.SIGKILL)
Store.append = killed
export_set(sys.argv[1], "jsonl", sys.argv[2])
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_as_it_is_noted_it_is_noted_by_the_same_call(made: Path, tmp_path: Path, when: str) -> None:
    command = [sys.executable, "-c", KILLED_NOTING, str(made), str(tmp_path / "out"), when]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    done = export_set(made, "jsonl", tmp_path / "out")
    rows = Store(made).read("exports", ["folder"])["folder"].to_pylist()
    assert rows.count(str(done.folder.resolve())) == 1


def test_the_command(made: Path, tmp_path: Path) -> None:
    arguments = ["export", str(made), "jsonl", "--to", str(tmp_path / "out"), "--split", "train:0.5,val:0.5"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert (
        f"{len(kept(made))} clips" in result.output
        and "as jsonl" in result.output
        and str(tmp_path / "out") in result.output
    )
    assert "made before" in CliRunner().invoke(main, arguments).output
    result = CliRunner().invoke(main, [*arguments[:3], "--to", str(tmp_path / "x"), "--frames", "many"])
    assert result.exit_code == 1 and "4n+1" in result.output
