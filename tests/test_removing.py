"""Removing a video: nothing of it is left, all else is as before, and it does not come back."""

import json
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import lance
import pytest
from click.testing import CliRunner
from exported import FILMS, SETTINGS, small_set
from lance.file import LanceFileReader
from media import pan, write_video

from longtake.captioning.answers import Answers
from longtake.cli import main
from longtake.errors import SetError, UsageError
from longtake.exporting import export_set
from longtake.lock import Lock
from longtake.planning import REMOVED, hash_of
from longtake.removing import PENDING, remove_videos
from longtake.running import run
from longtake.schemas import SCHEMAS
from longtake.select_set import select_set
from longtake.store import Store
from longtake.watch import Plan

SAID = "Only a narwhal polishes this one trombone."
"""A text about the video that goes."""
FOUR = {"where": ["motion.mean > 0.1"], "split": "train:0.5,val:0.5", "parameters": {"caption": "raw"}}
SIZE = {"width": 64, "height": 64, "fps": 8.0, "sides": 2, "frames": 4, "plus_one": True, "crf": 18}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of three videos with rows in every table: answers in their journal too, failures, two exports."""
    folder = small_set(tmp_path_factory.mktemp("removing"))
    store = Store(folder)
    clips = {row["video_id"]: row["id"] for row in store.read("clips").to_pylist()}
    with Answers(store) as answers:
        for video, clip in clips.items():
            answers.add(answer(video, clip, "stored"))
        answers.close = lambda: None  # as after a kill: the journal stays
    (folder / "answers.journal").rename(folder / "kept")
    with Answers(store):
        pass
    store.append("answers", [answer(video, clip, "table") for video, clip in clips.items()])
    (folder / "kept").rename(folder / "answers.journal")
    row = {"step": "lvd2m", "kind": "raw", "number": 50, "start_s": 0.0, "end_s": 1.0, "problems": [], "frames_s": []}
    captions = [{**row, "clip_id": clip, "video_id": video, "text": said(video)} for video, clip in clips.items()]
    store.append("captions", captions)
    span = {"step": "lvd2m", "kind": "raw", "number": 0, "start_s": 0.0, "end_s": 1.0, "places": [], "similar": []}
    store.append("spans", [{**span, "clip_id": clip, "video_id": video} for video, clip in clips.items()])
    store.append("texts", [{"key": f"text-{video}", "video_id": video, "vector": [0.5]} for video in clips])
    store.append("vectors", [{"clip_id": clip, "video_id": video, "vector": [0.5]} for video, clip in clips.items()])
    place = {"folder": str(folder), "row": 1, "captions": [], "scores": [], "fields": []}
    named = [(row["id"], Path(row["path"])) for row in store.read("videos", ["id", "path"]).to_pylist()]
    rows = [{**place, "folder": str(path.parent.parent), "video": path.stem, "url": name} for name, path in named]
    store.append("listed", rows)
    store.append("votes", [{"video_id": video, "number": 0, "voter": "colour", "joins": True} for video in clips])
    for table in ("judgements", "choices", "samples"):
        store.append(table, [{"clip_id": clip, "video_id": video, "judge": "me"} for video, clip in clips.items()])
    failures = [{"item": clip, "step": "write", "kind": "inexact", "message": clip} for clip in clips.values()]
    failures += [{"item": f"{gone(folder)}_00000001_00000002", "step": "captions", "kind": "error", "message": "old"}]
    store.append("failures", failures)
    every, one = sorted(clips), [min(set(clips) - {gone(folder)})]
    made = [
        {"folder": "/exports/all of it", "format": "jsonl", "options": json.dumps({**FOUR, "size": SIZE})},
        {"folder": "/exports/other", "format": "csv", "options": json.dumps({**FOUR, "size": None})},
    ]
    held = [{**facts, "video_ids": ids, "clips": 1} for facts, ids in zip(made, (every, one), strict=True)]
    store.append("exports", held)
    return folder


@pytest.fixture
def made(small: Path, tmp_path: Path) -> Path:
    """A copy to work on."""
    return Path(shutil.copytree(small, tmp_path / "set"))


def answer(video: str, clip: str, key: str) -> dict:
    asked = {"clip_id": clip, "video_id": video, "step": "lvd2m", "question": "raw", "asked": datetime.now(UTC)}
    return {**asked, "key": f"{key}-{clip}", "prompt": f"Tell of {said(video)}", "text": said(video)}


def said(video: str) -> str:
    return SAID if video.startswith("x-test-y") else f"Nothing odd in {video}."


def gone(folder: Path) -> str:
    """Return the id of the video that goes."""
    (found,) = (name for name in Store(folder).read("videos")["id"].to_pylist() if name.startswith("x-test-y"))
    return found


def traces(folder: Path) -> set[str]:
    """Return the files that name the video, its file or its text, as bytes or in rows that Lance wrote."""
    needles = ("x-test-y", "x_test_y", SAID)
    found = set()
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if any(needle in name for needle in needles):
            found.add(name)
        if path.is_file() and any(needle.encode() in path.read_bytes() for needle in needles):
            found.add(name)
        if path.suffix == ".lance" and path.is_file():
            rows = LanceFileReader(str(path)).read_all().to_table()
            found |= {name for row in rows.to_pylist() if any(needle in str(row) for needle in needles)}
    return found


def rows_without(folder: Path, video: str) -> dict[str, list[str]]:
    """Return all rows as text, those about a video left out; of exports, which videos they hold left out."""
    found = {}
    for table in SCHEMAS:
        rows = [str({**row, "video_ids": None}) for row in Store(folder).read(table).to_pylist()]
        found[table] = sorted(row for row in rows if video not in row)
    return found


def files_without(folder: Path, video: str) -> dict[str, bytes]:
    paths = [path for top in ("clips", "previews") for path in (folder / top).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths if video not in str(path)}


def test_no_byte_is_left_and_all_else_is_as_before(made: Path) -> None:
    video = gone(made)
    tables = {name.partition(".")[0] for name in traces(made) if ".lance" in name}
    assert tables == set(SCHEMAS) - {"runs"}, "the search finds it in every table while it is there"
    assert {"answers.journal", "report.html", f"clips/{video}", f"previews/{video}-0.jpg"} <= traces(made)
    rows, files = rows_without(made, video), files_without(made, video)
    rows["answers"] += [str(row) for row in journal(made) if row["video_id"] != video]
    done = remove_videos(made, [video])
    assert traces(made) == set()
    after = rows_without(made, video)
    assert {table: len(some) for table, some in after.items()} == {table: len(some) for table, some in rows.items()}
    assert {table: some for table, some in after.items() if table != "answers"} == {
        table: some for table, some in rows.items() if table != "answers"
    }
    assert files_without(made, video) == files
    assert (done.videos, done.clips, done.files) == ([video], 2, 2)
    assert done.captions > 0
    assert (made / REMOVED).read_text().splitlines()[1:] == [hash_of(video)]
    assert not (made / PENDING).exists()
    assert "Nothing odd in" in (made / "report.html").read_text()


def journal(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "answers.journal").read_text().splitlines()]


def test_only_what_the_newest_versions_name_is_on_disk(made: Path) -> None:
    remove_videos(made, [gone(made)])
    for table in SCHEMAS:
        dataset = lance.dataset(str(made / f"{table}.lance"))
        fragments = dataset.get_fragments()
        assert len(dataset.versions()) == 1
        assert all(fragment.metadata.deletion_file is None for fragment in fragments)
        named = {file.path for fragment in fragments for file in fragment.metadata.files}
        assert {path.name for path in (made / f"{table}.lance" / "data").glob("*")} == named
        assert not list((made / f"{table}.lance").glob("_deletions/*"))


def test_a_later_run_leaves_it_out_under_any_name(made: Path, small: Path, tmp_path: Path) -> None:
    video = gone(made)
    films = Path(shutil.copytree(small.parent / "films", tmp_path / "films"))
    shutil.copy(films / FILMS[1], films / "other name.mp4")
    remove_videos(made, [video])
    seen: list = []
    run("lvd2m", [films], made, settings=[*SETTINGS, "clips.trim_s=0.1"], watch=seen.append)
    (plan,) = (news for news in seen if isinstance(news, Plan))
    assert (plan.videos, plan.removed, plan.copies) == (2, 2, 0)
    assert traces(made) == set()
    assert Store(made).read("videos").num_rows == 2


def test_the_same_video_under_other_names_goes_too(made: Path, small: Path, tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    moved = Path(shutil.copy(small.parent / "films" / FILMS[1], tmp_path / "films" / "renamed.mp4"))
    run("lvd2m", [moved], made, settings=SETTINGS)
    assert Store(made).read("videos").num_rows == 4
    done = remove_videos(made, [str(moved)])
    assert [name.rpartition("-")[0] for name in done.videos] == ["renamed", "x-test-y"]
    assert traces(made) == set()
    assert Store(made).read("videos").num_rows == 2


@pytest.mark.parametrize("name", ["as stored", "moved"])
def test_a_video_is_named_by_its_file_too(name: str, made: Path, small: Path, tmp_path: Path) -> None:
    stored = Path(next(p for p in Store(made).read("videos")["path"].to_pylist() if "x_test_y" in p))
    path = stored if name == "as stored" else shutil.copy(stored, tmp_path / "elsewhere.mp4")
    remove_videos(made, [str(path)])
    assert traces(made) == set()


def test_a_file_that_never_could_be_scanned_goes_as_well(made: Path, tmp_path: Path) -> None:
    (tmp_path / "x_test_y").mkdir()
    broken = tmp_path / "x_test_y" / "broken.mp4"
    broken.write_text("no video")
    run("lvd2m", [broken], made, settings=SETTINGS)
    assert "failures" in str(traces(made))
    remove_videos(made, [str(broken), gone(made)])
    assert traces(made) == set()
    seen: list = []
    run("lvd2m", [broken], made, settings=SETTINGS, retry_failed=["all"], watch=seen.append)
    assert (seen[0].videos, seen[0].removed) == (0, 1)


def test_names_that_only_look_alike_stay(made: Path, tmp_path: Path) -> None:
    """A file named like another video's id, and a user's own sheet."""
    video = gone(made)
    write_video(tmp_path / f"{video}.mp4", pan(40, seed=9, speed=0.3, size=(96, 64)))
    (tmp_path / f"{video}.mp4").rename(tmp_path / f"{hash_of(video)}.mp4")
    run("lvd2m", [tmp_path / f"{hash_of(video)}.mp4"], made, settings=SETTINGS)
    own = made / "previews" / f"{hash_of(video)}.txt"
    own.write_text("mine")
    like = [name for name in Store(made).read("videos")["id"].to_pylist() if name.startswith(hash_of(video))]
    assert len(like) == 1
    remove_videos(made, [video])
    assert own.exists() and (made / "previews" / f"{like[0]}-0.jpg").is_file()
    assert like[0] in Store(made).read("clips")["video_id"].to_pylist()
    assert traces(made) == set()


def test_exports_that_hold_it_are_named_now_and_later(made: Path) -> None:
    video = gone(made)
    (holder,) = remove_videos(made, [video]).exports
    assert (holder.folder, holder.format) == ("/exports/all of it", "jsonl")
    assert holder.command == (
        f"longtake export {made} jsonl --to '/exports/all of it' --where 'motion.mean > 0.1' "
        "--split train:0.5,val:0.5 --size 64x64 --fps 8 --frames 4n+1 --sides 2 -s 'caption=\"raw\"'"
    )
    rows = {row["folder"]: row["video_ids"] for row in Store(made).read("exports").to_pylist()}
    assert hash_of(video) in rows["/exports/all of it"] and len(rows["/exports/all of it"]) == 3
    again = remove_videos(made, [video])
    assert (again.videos, again.clips, again.exports) == ([], 0, [holder])


def test_an_export_whose_folder_is_gone_holds_nothing(made: Path, tmp_path: Path) -> None:
    for name in ("out", "gone"):
        export_set(made, "jsonl", tmp_path / name, copy=True)
    shutil.rmtree(tmp_path / "gone")
    holders = {Path(holder.folder).name: holder.command for holder in remove_videos(made, [gone(made)]).exports}
    assert set(holders) == {"all of it", "out"}, "one may lie on a disk that is away"
    assert holders["out"].endswith("--copy")


def test_the_command_that_makes_an_export_anew_can_be_parsed(made: Path) -> None:
    (holder,) = remove_videos(made, [gone(made)]).exports
    _, command, *words = shlex.split(holder.command)
    parsed = main.commands[command].make_context(command, words).params
    assert (parsed["size"], parsed["fps"], parsed["frames"], parsed["sides"]) == ("64x64", 8.0, "4n+1", 2)
    assert (parsed["to"], parsed["where"], parsed["settings"]) == (
        "/exports/all of it",
        ("motion.mean > 0.1",),
        ('caption="raw"',),
    )


def test_what_is_unknown_is_refused_before_anything_is_done(made: Path, tmp_path: Path) -> None:
    video = gone(made)
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file() and path.name != ".lock"}
    near = rf"no video .* did you mean '{video}'"
    for name, says in [(video[:-1] + "z", near), ("nothing like it", "by id or path"), ("", "no video ''")]:
        with pytest.raises(UsageError, match=says):
            remove_videos(made, [video, name])
    assert {path: path.read_bytes() for path in made.rglob("*") if path.is_file() and path.name != ".lock"} == before
    with pytest.raises(SetError, match="is no set"):
        remove_videos(tmp_path / "nowhere", [video])
    assert not (tmp_path / "nowhere").exists()


def test_a_run_at_work_is_not_disturbed(made: Path) -> None:
    with Lock(made), pytest.raises(SetError, match="another run"):
        remove_videos(made, [gone(made)])
    assert not (made / REMOVED).exists()


def test_a_set_without_its_last_video_opens_and_reports(made: Path, small: Path) -> None:
    remove_videos(made, Store(made).read("videos")["id"].to_pylist())
    for table in set(SCHEMAS) - {"runs", "exports"}:
        assert Store(made).read(table).num_rows == 0
    assert traces(made) == set()
    assert not list(made.rglob("*.mp4")) and not list(made.rglob("*.jpg"))
    assert select_set(made).funnel[-1].clips == 0
    result = run("lvd2m", [small.parent / "films"], made, settings=SETTINGS)
    assert (result.plan.videos, result.plan.removed, result.kept) == (0, 3, 0)


KILLER = """
import os, signal, sys
from longtake.removing import remove_videos
FILES = (
    "longtake/removing.py",
    "longtake/store/reading.py",
    "longtake/store/writing.py",
    "longtake/captioning/answers.py",
    "longtake/report/__init__.py",
)
left = int(sys.argv[3])
def count(frame, event, _):
    global left
    if event in ("call", "return") and frame.f_code.co_filename.endswith(FILES):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.setprofile(count)
remove_videos(sys.argv[1], [sys.argv[2]])
sys.setprofile(None)
print(int(sys.argv[3]) - left)
"""


def test_kill_9_at_any_step_and_the_same_command_ends_it(small: Path, tmp_path: Path) -> None:
    """The process kills itself as it enters or leaves a function of ours; points are spread over the whole removal."""
    video = gone(small)
    want: dict[str, list[str]] = {}
    steps = 10**9
    killed = set()
    for point in [None, 0.02, 0.25, 0.45, 0.6, 0.95]:
        made = Path(shutil.copytree(small, tmp_path / f"set{point}"))
        at = steps if point is None else int(steps * point)
        command = [sys.executable, "-c", KILLER, str(made), video, str(at)]
        ended = subprocess.run(command, capture_output=True, text=True)
        if point is None:
            assert ended.returncode == 0, ended.stderr
            steps, want = int(ended.stdout), {table: sorted(map(str, rows)) for table, rows in rows_of(made).items()}
            continue
        assert ended.returncode == -9
        killed.add((made / REMOVED).exists() + (not (made / "clips" / video).exists()))
        remove_videos(made, [video])
        assert traces(made) == set()
        assert {table: sorted(map(str, rows)) for table, rows in rows_of(made).items()} == want
        assert not [path for path in made.rglob("*") if ".tmp" in path.name or path.name == PENDING]
        shutil.rmtree(made)
    assert killed == {0, 1, 2}, "some before the list, some before the files went, some after"


def rows_of(folder: Path) -> dict[str, list[dict]]:
    return {table: Store(folder).read(table).to_pylist() for table in SCHEMAS}


def test_the_command_says_what_went_and_who_still_holds_it(made: Path) -> None:
    video = gone(made)
    result = CliRunner().invoke(main, ["remove", str(made), video])
    assert result.exit_code == 0
    for words in ("Removed 1 video, 2 clips, 2 clip files, ", f"  {video}", REMOVED, "1 export", "longtake export "):
        assert words in result.output
    result = CliRunner().invoke(main, ["remove", str(made), "nothing like it"])
    assert result.exit_code == 1 and "no video 'nothing like it'" in result.output
