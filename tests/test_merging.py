"""Shards run apart and joined are the set that one run leaves; whatever happens in between."""

import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import cv2
import pyarrow as pa
import pytest
from click.testing import CliRunner
from media import pan, write_video

from longtake.cli import main
from longtake.errors import SetError, UsageError
from longtake.lock import Lock
from longtake.merging import MARK, merge_sets
from longtake.planning import REMOVED, hash_of
from longtake.removing import remove_videos
from longtake.running import run
from longtake.schemas import SCHEMAS
from longtake.shards import ALL, read_shard
from longtake.sources.files import find_videos
from longtake.store import Store

RECIPE = """
name = "parted"
[shots]
step = "content"
[clips]
step = "takes"
[scores.motion]
[copies]
best = "height, duration_s"
[select]
keep = ["duration_s >= 1", "copies.rank <= 1"]
[files]
preset = "ultrafast"
[captions.measured]
[grounding]
"""
SHARDS = 3
MACHINE = {"runs"}
"""Tables that tell of the runs themselves."""
LOOKED = ("file_transitions", "file_transitions_at", "file_verify_key")
"""What was seen in the files of clips that turn out to be copies of clips in other shards stays known, and so do their
captions."""


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five videos in two folders, one of them there twice, one smaller footage of another, and one broken."""
    folder = tmp_path_factory.mktemp("films")
    for part in ("a", "b/é"):
        (folder / part).mkdir(parents=True)
    shown = list(pan(72, seed=3, speed=0.2))
    write_video(folder / "a/one.mp4", shown)
    write_video(folder / "b/small.mp4", [cv2.resize(one, (240, 134)) for one in shown])
    cut = [*pan(48, seed=4, speed=0.3, size=(160, 90)), *pan(60, seed=7, speed=0.3, size=(160, 90))]
    write_video(folder / "a/cut.mp4", cut)
    for seed, name in ((11, "a/three.mp4"), (12, "b/é/four.mp4")):
        write_video(folder / name, pan(60, seed=seed, speed=0.4, size=(160, 90)))
    shutil.copy(folder / "a/three.mp4", folder / "b/three.mp4")
    (folder / "b/broken.mp4").write_text("no video")
    return folder


@pytest.fixture(scope="module")
def made(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the set of one run, `whole`, and those of three shards, `1` to `3`."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "recipe.toml").write_text(RECIPE)
    run(str(folder / "recipe.toml"), [films], folder / "whole", workers=1)
    for number in range(1, SHARDS + 1):
        done = run(str(folder / "recipe.toml"), [films], folder / f"{number}", shard=f"{number}/{SHARDS}", workers=1)
        assert 0 < done.plan.videos < 6
    return folder


@pytest.fixture
def parts(made: Path, tmp_path: Path) -> list[Path]:
    """Copies of the shards' sets."""
    return [Path(shutil.copytree(made / f"{n}", tmp_path / f"{n}")) for n in range(1, SHARDS + 1)]


def contents(folder: Path, *, leave_out: set[str] = frozenset()) -> dict[str, list[str]]:
    """All rows of all tables but those of runs, in an order of their own."""
    store = Store(folder)
    kept = set(store.read("clips", ["id"], "kept")["id"].to_pylist())
    tables = {}
    for table in SCHEMAS.keys() - MACHINE - leave_out:
        rows = store.read(table).to_pylist()
        if table == "captions":
            rows = [row for row in rows if row["clip_id"] in kept]
        if table == "clips":
            rows = [row | ({} if row["kept"] else dict.fromkeys(LOOKED)) for row in rows]
        tables[table] = sorted(repr(sorted(row.items())) for row in rows)
    return tables


def files(folder: Path) -> dict[str, bytes]:
    found = [path for top in ("clips", "previews") for path in (folder / top).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found if not path.name.startswith(".")}


def test_a_part_goes_by_names_that_every_machine_knows(films, tmp_path):
    elsewhere = Path(shutil.copytree(films, tmp_path / "mounted" / "elsewhere"))
    inside: list[str] = []
    for number in range(1, SHARDS + 1):
        part = read_shard(f"{number}/{SHARDS}")
        here = [path.relative_to(films) for path in find_videos([films], part).videos]
        assert here == [path.relative_to(elsewhere) for path in find_videos([elsewhere], part).videos]
        inside += map(str, here)
    assert sorted(inside) == [str(path.relative_to(films)) for path in find_videos([films], ALL).videos]


def test_videos_of_lists_are_in_the_part_that_fetches_them(tmp_path):
    fetched = tmp_path / "set.fetched"
    (fetched / "videos").mkdir(parents=True)
    (fetched / "list.jsonl").write_text("")
    (fetched / "fetched.sqlite").touch()
    names = [f"video{i}" for i in range(20)]
    for name in names:
        (fetched / "videos" / f"{name}.mp4").touch()
    part = read_shard("2/4")
    assert [path.stem for path in find_videos([fetched], part).videos] == sorted(n for n in names if part.has(n))


def test_joined_shards_are_the_set_of_one_run(made, parts, tmp_path):
    done = merge_sets(parts, tmp_path / "joined")
    assert contents(tmp_path / "joined") == contents(made / "whole")
    assert files(tmp_path / "joined") == files(made / "whole")
    assert (done.videos, done.came, done.lacking) == (5, 5, [])
    assert [hash_of(name) for name in done.twice] == [hash_of(name) for name in done.twice if "three" in name]
    assert Store(tmp_path / "joined").count("failures") == 1
    assert not (tmp_path / "joined" / MARK).exists()
    assert (tmp_path / "joined" / "report.html").is_file()
    assert {row["shard"] for row in Store(tmp_path / "joined").read("runs").to_pylist()} == {"1/3", "2/3", "3/3"}
    assert Store(tmp_path / "joined").key("vectors") == Store(made / "whole").key("vectors")


def test_joining_again_changes_nothing_and_a_run_finds_nothing_to_do(made, films, parts, tmp_path):
    joined = tmp_path / "joined"
    merge_sets(parts, joined)
    before = contents(joined)
    again = merge_sets(parts, joined)
    assert again.came == 0 and contents(joined) == before
    done = run(str(made / "recipe.toml"), [films], joined)
    assert (done.measured.videos, done.written.written, done.plan.failed_before) == (0, 0, 1)
    assert contents(joined) == before


def test_sets_join_one_after_the_other_and_tell_which_shard_is_lacking(made, parts, tmp_path):
    joined = tmp_path / "joined"
    assert merge_sets(parts[:1], joined).lacking == ["2/3", "3/3"]
    assert merge_sets(parts[2:], joined).lacking == ["2/3"]
    assert merge_sets(parts[1:2], joined).lacking == []
    assert contents(joined, leave_out={"videos"}) == contents(made / "whole", leave_out={"videos"})
    mine = {row["id"] for row in Store(joined).read("videos", ["id"]).to_pylist()}
    assert mine == {row["id"] for row in Store(made / "whole").read("videos", ["id"]).to_pylist()}


def test_moved_files_leave_the_parts(made, parts, tmp_path):
    done = merge_sets(parts, tmp_path / "joined", move=True)
    assert files(tmp_path / "joined") == files(made / "whole")
    left = [name for part in parts for name in files(part)]
    assert done.files.copied_bytes == 0 and all("three" in name for name in left)


def test_removed_anywhere_stays_removed(made, parts, tmp_path):
    joined = tmp_path / "joined"
    merge_sets(parts[:2], joined)
    whole = Path(shutil.copytree(made / "whole", tmp_path / "whole"))
    gone = sorted(row["id"] for row in Store(joined).read("videos", ["id"]).to_pylist())[0]
    remove_videos(whole, [gone])
    done = merge_sets([whole, parts[2]], joined)
    assert gone not in {row["id"] for row in Store(joined).read("videos", ["id"]).to_pylist()}
    assert hash_of(gone) in (joined / REMOVED).read_text()
    assert not any(hash_of(gone) in name for name in files(joined))
    assert done.videos == 4
    other = merge_sets([*parts, whole], tmp_path / "other")
    assert (other.videos, other.removed) == (4, 1)
    assert not any(hash_of(gone) in row for rows in contents(tmp_path / "other").values() for row in rows)


def test_what_was_paid_for_or_said_is_kept_whoever_gives_the_video(parts, tmp_path):
    stores = [Store(part) for part in parts]
    holding = [s for s in stores if any("three" in row["id"] for row in s.read("videos", ["id"]).to_pylist())]
    assert len(holding) == 2, "the twice-named video is to be in two shards"
    for number, store in enumerate(holding):
        clip = next(row for row in store.read("clips").to_pylist() if "three" in row["video_id"])
        about = {"clip_id": clip["id"], "video_id": clip["video_id"]}
        answers = [{**about, "key": key, "text": key} for key in ("both", f"only {number}")]
        store.append("answers", answers)
        when = datetime(2026, 1, 1, tzinfo=UTC)
        store.append("judgements", [{**about, "judge": judge, "made": when} for judge in ("ann", f"judge {number}")])
    merge_sets(parts, tmp_path / "joined")
    joined = Store(tmp_path / "joined")
    assert sorted(joined.read("answers")["key"].to_pylist()) == ["both", "only 0", "only 1"]
    assert sorted(joined.read("judgements")["judge"].to_pylist()) == ["ann", "judge 0", "judge 1"]


def test_scores_that_one_set_lacks_are_null(parts, tmp_path):
    extra = Store(parts[0])
    clip = extra.read("clips", ["id"])["id"][0].as_py()
    schema = pa.schema([("id", pa.string()), ("motion", pa.struct([("odd", pa.float64())]))])
    extra.widen("clips", schema)
    merge_sets(parts, tmp_path / "joined")
    rows = Store(tmp_path / "joined").read("clips", ["id", "motion.odd", "motion.mean"]).to_pylist()
    assert clip in {row["id"] for row in rows}
    assert all(row["motion.odd"] is None and row["motion.mean"] is not None for row in rows)


def test_other_recipes_are_named_before_anything_is_written(parts, films, tmp_path):
    text = (parts[1] / "recipe.toml").read_text()
    (parts[1] / "recipe.toml").write_text(text.replace("duration_s >= 1", "duration_s >= 2"))
    with pytest.raises(UsageError, match=r"select\.keep.*duration_s >= 1.*duration_s >= 2"):
        merge_sets(parts, tmp_path / "joined")
    assert not (tmp_path / "joined").exists()


def test_what_a_machine_calls_its_model_by_may_differ(parts, tmp_path):
    text = (parts[1] / "recipe.toml").read_text()
    assert 'url = ""' in text
    (parts[1] / "recipe.toml").write_text(text.replace('url = ""', 'url = "http://localhost:1/v1"'))
    assert merge_sets(parts, tmp_path / "joined").videos == 5


def test_sets_that_do_not_go_together_are_refused(parts, tmp_path):
    with pytest.raises(SetError, match="no set"):
        merge_sets([parts[0], tmp_path], tmp_path / "joined")
    with pytest.raises(UsageError, match="named once"):
        merge_sets([parts[0], parts[0]], tmp_path / "joined")
    with pytest.raises(UsageError, match="named once"):
        merge_sets(parts, parts[0])
    with Lock(parts[1]), pytest.raises(SetError, match="another run"):
        merge_sets(parts, tmp_path / "joined")
    (parts[2] / ".removing.json").write_text("{}")
    with pytest.raises(SetError, match="finish it first"):
        merge_sets(parts, tmp_path / "joined")


def test_a_shard_without_a_video_is_a_part_like_others(made, films, parts, tmp_path):
    empty = next(f"{n}/200" for n in range(1, 201) if not find_videos([films], read_shard(f"{n}/200")).videos)
    done = run(str(made / "recipe.toml"), [films], tmp_path / "empty", shard=empty)
    assert done.plan.videos == 0 and Store(tmp_path / "empty").count("runs") == 1
    assert merge_sets([*parts, tmp_path / "empty"], tmp_path / "joined").videos == 5


KILLED = """
import os, signal, sys
from longtake import merging
from longtake.store import Store

at = int(sys.argv[1])
def counted(name):
    do = getattr(Store, name)
    def call(self, *args, **kwargs):
        global at
        at -= 1
        if at == 0 and name != "extend":
            os.kill(os.getpid(), signal.SIGKILL)
        found = do(self, *args, **kwargs)
        if at == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return found
    setattr(Store, name, call)
for name in ("extend", "replace", "append", "update", "compact"):
    counted(name)
merging.merge_sets(sys.argv[3:], sys.argv[2])
"""


@pytest.mark.parametrize("at", [8, 20, 31])
def test_killed_and_called_again_it_is_the_same(made, parts, tmp_path, at):
    joined = tmp_path / "joined"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(at), str(joined), *map(str, parts)], check=False)
    assert killed.returncode == -signal.SIGKILL and (joined / MARK).exists()
    done = merge_sets(parts, joined)
    assert contents(joined) == contents(made / "whole") and files(joined) == files(made / "whole")
    assert [hash_of(name) for name in done.twice] == [hash_of(name) for name in done.twice if "three" in name]


def test_killed_and_a_part_grown_meanwhile(made, films, parts, tmp_path):
    joined = tmp_path / "joined"
    subprocess.run([sys.executable, "-c", KILLED, "20", str(joined), *map(str, parts)], check=False)
    run(str(made / "recipe.toml"), [films / "a"], parts[0], workers=1)
    merge_sets(parts, joined)
    leave = {"videos", "failures"}
    assert contents(joined, leave_out=leave) == contents(made / "whole", leave_out=leave)


def test_on_the_command_line(made, films, tmp_path):
    recipe = str(made / "recipe.toml")
    for number in ("1/2", "2/2"):
        part = ["run", recipe, str(films), "--to", str(tmp_path / number[0]), "--shard", number]
        assert CliRunner().invoke(main, part).exit_code in (0, 3)
    said = CliRunner().invoke(main, ["merge", str(tmp_path / "1"), str(tmp_path / "2"), "--to", str(tmp_path / "set")])
    assert said.exit_code == 0, said.output
    assert "5 videos, 5 of them new" in said.output
    assert contents(tmp_path / "set") == contents(made / "whole")
