"""The main job: a set from videos, and what happens when it is done again, changed, broken or killed."""

import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from media import read_frames, read_number

from longtake.errors import SetError, UsageError
from longtake.running import run
from longtake.schemas import SCHEMAS
from longtake.select_set import select_set
from longtake.store import Store
from longtake.watch import Plan, Progress

VOLATILE = {"runs"}
"""Tables that hold times of day."""


@pytest.fixture(scope="module")
def films(media, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder such as users have: long takes, short shots, a still, a copy, junk, broken files."""
    folder = tmp_path_factory.mktemp("films")
    (folder / "deep" / "er").mkdir(parents=True)
    for name, to in [
        ("long_takes", "long takes.mp4"),
        ("with_sound", "deep/er/with_sound.mp4"),
        ("cut", "deep/cut.mp4"),
        ("truncated", "truncated.mp4"),
        ("empty", "empty.mp4"),
        ("text", "text.mp4"),
        ("no_index", "no_index.mp4"),
    ]:
        shutil.copy(media[name], folder / to)
    shutil.copy(media["cut"], folder / "deep" / "er" / "cut.mp4")
    (folder / "notes.txt").write_text("not a video")
    (folder / "._long takes.mp4").write_bytes(b"what macOS leaves")
    return folder


SETTINGS = ["select.keep=['duration_s >= 10', 'motion.mean >= 0.05']", "files.preset='ultrafast'"]


@pytest.fixture(scope="module")
def made(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "set"
    run("lvd2m", [films], folder, settings=SETTINGS, workers=2)
    return folder


@pytest.fixture
def copy_of_made(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "set"))


def tables(folder: Path, leave_out: frozenset[str] = frozenset()) -> dict[str, list[str]]:
    """All rows of all tables as sorted text."""
    store = Store(folder)
    found = {}
    for table in set(SCHEMAS) - VOLATILE:
        rows = store.read(table).to_pylist()
        rows = [{name: value for name, value in row.items() if name not in leave_out} for row in rows]
        found[table] = sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)
    return found


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted((folder / "clips").rglob("*")) if p.is_file()}


def test_long_takes_are_kept_and_the_rest_says_why_not(made: Path) -> None:
    clips = Store(made).read("clips").to_pylist()
    kept = [clip for clip in clips if clip["kept"]]
    names = sorted(clip["video_id"].rpartition("-")[0] for clip in kept)
    assert names == ["long-takes", "long-takes", "with-sound"]
    for clip in clips:
        assert clip["kept"] == (clip["rejected_by"] is None) == (clip["file"] is not None)
        assert clip["motion"]["mean"] is not None
        assert clip["duration_s"] == pytest.approx(clip["end_s"] - clip["start_s"])
    assert {clip["rejected_by"] for clip in clips if not clip["kept"]} == {"duration_s >= 10"}


def test_every_file_is_a_clip_and_every_kept_clip_a_file(made: Path) -> None:
    kept = [clip for clip in Store(made).read("clips").to_pylist() if clip["kept"]]
    assert {str(p.relative_to(made)) for p in (made / "clips").rglob("*.mp4")} == {clip["file"] for clip in kept}
    for clip in kept:
        assert (made / clip["file"]).stat().st_size == clip["file_bytes"]
        assert (made / clip["file"]).with_suffix(".jpg").is_file()


def test_failures_have_a_kind_and_a_message(made: Path, films: Path) -> None:
    failures = {Path(row["item"]).name: row for row in Store(made).read("failures").to_pylist()}
    assert {name: row["kind"] for name, row in failures.items()} == {
        "empty.mp4": "empty",
        "text.mp4": "not_a_video",
        "no_index.mp4": "damaged",
    }
    assert all(row["step"] == "scan" and row["message"] for row in failures.values())


def test_a_damaged_video_gives_what_it_has_and_says_so(made: Path) -> None:
    videos = {Path(row["path"]).name: row for row in Store(made).read("videos").to_pylist()}
    assert any("only" in words for words in videos["truncated.mp4"]["damage"])
    assert not videos["cut.mp4"]["damage"]


def test_two_copies_are_one_video(made: Path) -> None:
    cuts = [row for row in Store(made).read("videos").to_pylist() if Path(row["path"]).name == "cut.mp4"]
    assert len(cuts) == 1


def test_shots_and_transitions_tile_every_video(made: Path) -> None:
    store = Store(made)
    shots = store.read("shots").to_pylist()
    for video in store.read("videos").to_pylist():
        mine = sorted((s for s in shots if s["video_id"] == video["id"]), key=lambda s: s["number"])
        assert mine[0]["start_frame"] == 0 and mine[0]["start_s"] == 0
        for before, after in itertools.pairwise(mine):
            assert before["end_frame"] == before["ends_in"]["start_frame"]
            assert before["ends_in"]["end_frame"] == after["start_frame"]
        assert mine[-1]["ends_in"] is None
        assert (mine[-1]["end_frame"], mine[-1]["end_s"]) == (video["frames"], video["duration_s"])


def test_a_second_run_does_nothing(copy_of_made: Path, films: Path) -> None:
    before, seen = tables(copy_of_made), []
    clips = {path: path.stat().st_mtime_ns for path in copy_of_made.rglob("*.mp4")}
    run("lvd2m", [films], copy_of_made, settings=SETTINGS, watch=seen.append)
    assert [type(news) for news in seen] == [Plan]
    assert (seen[0].done_before, seen[0].failed_before, seen[0].to_scan, seen[0].to_derive) == (4, 3, 0, 0)
    assert tables(copy_of_made) == before
    assert {path: path.stat().st_mtime_ns for path in copy_of_made.rglob("*.mp4")} == clips


def test_two_runs_of_one_recipe_give_equal_tables_and_files(made: Path, films: Path, tmp_path: Path) -> None:
    run("lvd2m", [films], tmp_path / "again", settings=SETTINGS, workers=1)
    assert tables(tmp_path / "again") == tables(made)
    assert files(tmp_path / "again") == files(made)


def test_new_arithmetic_needs_no_decode(made: Path, films: Path, tmp_path: Path) -> None:
    """Not even the files: they are overwritten with nonsense of equal size and time."""
    moved = Path(shutil.copytree(films, tmp_path / "films"))
    (moved / "deep" / "er" / "cut.mp4").unlink()
    folder = tmp_path / "set"
    run("lvd2m", [moved], folder, settings=SETTINGS)
    for path in moved.rglob("*.mp4"):
        status = path.stat()
        path.write_bytes(b"x" * status.st_size)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    seen = []
    wider = [*SETTINGS, "clips.trim_s=0.5", "select.keep=['duration_s >= 1000']"]
    result = run("lvd2m", [moved], folder, settings=wider, watch=seen.append)
    assert (seen[0].to_scan, seen[0].to_derive) == (0, 4)
    assert result.measured.scanned_s == 0
    assert result.failures.keys() == {"empty", "not_a_video", "damaged"}
    starts = {clip["start_s"] for clip in Store(folder).read("clips").to_pylist()}
    assert starts != {clip["start_s"] for clip in Store(made).read("clips").to_pylist()}


def test_only_the_missing_signal_is_measured_again(copy_of_made: Path, films: Path) -> None:
    keys = {(r["video_id"], r["key"]): r["times"] for r in Store(copy_of_made).read("signals").to_pylist()}
    seen = []
    run("lvd2m", [films], copy_of_made, settings=[*SETTINGS, "signals.motion.pairs_hz=1"], watch=seen.append)
    assert (seen[0].to_scan, seen[0].to_derive) == (4, 0)
    after = [(r["video_id"], r["key"]) for r in Store(copy_of_made).read("signals").to_pylist()]
    assert len(after) == len(set(after)), "a signal is stored twice"
    new = set(after) - set(keys)
    assert len(new) == 4, "one new signal for each video"


def test_other_rules_write_and_remove_files(copy_of_made: Path, films: Path) -> None:
    only_short = [*SETTINGS, "select.keep=['duration_s < 6']"]
    result = run("lvd2m", [films], copy_of_made, settings=only_short)
    assert result.written.removed == 3 and result.written.written >= 3
    kept = [clip for clip in Store(copy_of_made).read("clips").to_pylist() if clip["kept"]]
    on_disk = {str(p.relative_to(copy_of_made)) for p in (copy_of_made / "clips").rglob("*.mp4")}
    assert on_disk == {clip["file"] for clip in kept}
    assert all(clip["file"] is None for clip in Store(copy_of_made).read("clips").to_pylist() if not clip["kept"])


def test_select_tells_without_changing_and_saves_when_asked(copy_of_made: Path) -> None:
    before = tables(copy_of_made)
    choice = select_set(copy_of_made, ["duration_s >= 3"])
    assert choice.funnel[-1].clips > choice.before == 3
    assert tables(copy_of_made) == before
    saved = select_set(copy_of_made, ["duration_s >= 3"], save=True)
    assert saved.without_file == saved.funnel[-1].clips - 3
    kept = [clip for clip in Store(copy_of_made).read("clips").to_pylist() if clip["kept"]]
    assert len(kept) == saved.funnel[-1].clips
    assert select_set(copy_of_made).funnel == saved.funnel
    with pytest.raises(UsageError, match=r"did you mean 'motion.mean'"):
        select_set(copy_of_made, ["motion.meen > 1"])
    looked = select_set(copy_of_made, ["duration_s >= 3", "file_transitions <= 0"])
    assert looked.funnel[-1].clips == saved.funnel[-1].clips  # of clips without a file it says nothing yet
    assert select_set(copy_of_made, ["start_s >= 1"]).funnel[-1].clips > 0
    with pytest.raises(UsageError, match="can't be saved"):
        select_set(copy_of_made, ["start_s >= 1"], save=True)
    with pytest.raises(SetError, match="is no set"):
        select_set(copy_of_made / "clips")


def test_a_clip_file_that_vanished_is_written_again(copy_of_made: Path, films: Path) -> None:
    lost = next((copy_of_made / "clips").rglob("*.mp4"))
    content = lost.read_bytes()
    lost.unlink()
    result = run("lvd2m", [films], copy_of_made, settings=SETTINGS)
    assert result.written.written == 1
    assert lost.read_bytes() == content


def test_somebodys_own_file_among_the_clips_stays(copy_of_made: Path, films: Path) -> None:
    own = next((copy_of_made / "clips").iterdir()) / "notes.txt"
    own.write_text("mine")
    run("lvd2m", [films], copy_of_made, settings=[*SETTINGS, "select.keep=['duration_s > 1000']"])
    assert own.read_text() == "mine"
    assert not list((copy_of_made / "clips").rglob("*.mp4"))


def test_a_mended_file_is_done_and_a_failed_one_waits(media, films: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(films, tmp_path / "films"))
    run("lvd2m", [folder], tmp_path / "set", settings=SETTINGS)
    shutil.copy(media["still"], folder / "empty.mp4")
    seen = []
    run("lvd2m", [folder], tmp_path / "set", settings=SETTINGS, watch=seen.append)
    assert (seen[0].to_scan, seen[0].failed_before) == (1, 2)
    kinds = {row["kind"] for row in Store(tmp_path / "set").read("failures").to_pylist()}
    assert kinds == {"not_a_video", "damaged"}
    run("lvd2m", [folder], tmp_path / "set", settings=SETTINGS, retry_failed=["damaged"], watch=seen.append)
    plans = [news for news in seen if isinstance(news, Plan)]
    assert (plans[-1].to_scan, plans[-1].failed_before) == (1, 1)


def test_a_moved_folder_is_known_again(films: Path, made: Path, copy_of_made: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(films, tmp_path / "elsewhere"))
    seen = []
    run("lvd2m", [moved], copy_of_made, settings=SETTINGS, watch=seen.append)
    assert seen[0].to_scan == 3, "only the files that failed before, under their new names"


def test_the_plan_comes_before_any_work_and_progress_grows(films: Path, tmp_path: Path) -> None:
    seen = []
    run("lvd2m", [films], tmp_path / "set", settings=SETTINGS, watch=seen.append)
    plan, *progress = seen
    assert isinstance(plan, Plan)
    assert (plan.videos, plan.copies, plan.others, plan.to_scan) == (7, 1, 1, 7)
    assert plan.to_scan_s == pytest.approx(48, rel=0.3)
    for phase in ("scan", "write"):
        mine = [news for news in progress if isinstance(news, Progress) and news.phase == phase]
        assert [news.done for news in mine] == sorted(news.done for news in mine)
        assert mine[-1].done == mine[-1].total


def test_what_makes_no_sense_is_refused_before_any_work(films: Path, tmp_path: Path) -> None:
    for sources, settings, retry, says in [
        ([tmp_path / "nowhere"], [], [], "no such file or folder"),
        ([films], ["clips.trim=1"], [], "did you mean 'trim_s'"),
        ([films], [], ["emtpy"], "did you mean 'empty'"),
    ]:
        with pytest.raises(UsageError, match=says):
            run("lvd2m", sources, tmp_path / "set", settings=settings, retry_failed=retry)
    with pytest.raises(UsageError, match="give 0 or more"):
        run("lvd2m", [films], tmp_path / "set", budget_usd=-1)
    (tmp_path / "no videos").mkdir()
    with pytest.raises(UsageError, match="no video in"):
        run("lvd2m", [tmp_path / "no videos"], tmp_path / "set")
    assert not list(tmp_path.rglob("*.lance"))
    (tmp_path / "file").write_text("")
    with pytest.raises(SetError, match="is a file"):
        run("lvd2m", [films], tmp_path / "file")


def test_hostile_file_names_are_only_names(media, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    names = ["-dash.mp4", "new\nline.mp4", "a' OR 'b.mp4", "<script>alert(1)<_script>.mp4", "%s%d.mp4", "日本語 😀.mp4"]
    for number, name in enumerate(names):
        (folder / name).write_bytes(media["cut"].read_bytes() + bytes(number))  # each a video of its own
    result = run("lvd2m", [folder], tmp_path / "set", settings=["select.keep=['duration_s > 1']", SETTINGS[1]])
    assert not result.failures
    assert {Path(row["path"]).name for row in Store(tmp_path / "set").read("videos").to_pylist()} == {
        path.name for path in folder.iterdir()
    }
    for path in (tmp_path / "set" / "clips").rglob("*"):
        assert path.resolve().is_relative_to((tmp_path / "set").resolve())
        assert path.name.isascii()


def test_the_frames_of_a_kept_clip_are_the_frames_of_its_row(media, tmp_path: Path) -> None:
    # The numbers flicker, which is no transition to the eye; a high threshold sees it so.
    settings = ["shots.step='content'", "shots.threshold=200", "clips.trim_s=0", "select.keep=['duration_s >= 1']"]
    run("lvd2m", [media["numbered"]], tmp_path, settings=[*settings, SETTINGS[1]])
    (clip,) = Store(tmp_path).read("clips").to_pylist()
    numbers = [read_number(picture) for _, picture in read_frames(tmp_path / clip["file"])]
    assert numbers == list(range(clip["start_frame"], clip["end_frame"]))


KILLS = int(os.environ.get("LONGTAKE_KILLS", "2"))


@pytest.mark.parametrize("seed", range(KILLS))
def test_kill_9_at_any_moment_and_the_same_command_ends_the_same(
    seed: int, made: Path, films: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "set"
    code = "import sys; from longtake import run; run('lvd2m', [sys.argv[1]], sys.argv[2], settings=sys.argv[3:])"
    command = [sys.executable, "-c", code, str(films), str(folder), *SETTINGS]
    chance = random.Random(seed)
    kills = 0
    for _ in range(6):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=chance.uniform(0.2, 1.6))
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            for table in SCHEMAS:
                Store(folder).read(table)  # readable at any moment
    else:
        subprocess.run(command, check=True)
    assert kills > 0
    assert tables(folder) == tables(made)
    assert files(folder) == files(made)
    assert not [path for path in folder.rglob("*") if ".tmp" in path.name]
