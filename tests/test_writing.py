"""The second look at written files: what it finds, what rules make of it, and that it is taken once."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import lance
import pytest
from media import FPS

from longtake.errors import UsageError
from longtake.jobs import verify, write
from longtake.recipe import load, resolve
from longtake.report.data import collect
from longtake.running import RunResult, run
from longtake.schemas import SCHEMAS
from longtake.select_set import select_set
from longtake.steps import fingerprint
from longtake.store import Store
from longtake.video import scan
from longtake.watch import Progress, Watch
from longtake.writing import WRITER_VERSION, sweep, work_keys

STEPS = '''
"""Steps that make a clip with a cut in it: a detector that is blind in long videos, and clips that ignore shots."""
from longtake.records import Shot
from longtake.shots.change import change

SIGNAL = "change"


def blind(series, *, from_s: float = 20.0):
    """The default detector, which sees nothing in what lasts `from_s` and more."""
    return change(series) if len(series) and series.times[-1] < from_s else []


def windows(shots, times, end_s):
    """Two clips of 12 s: in `long_takes` the first holds nothing, the second a cut at its eighth second."""
    starts = [0, 144]
    return [Shot(float(times[i]), float(times[i + 288]), i, i + 288) for i in starts]
'''
RECIPE = """
[shots]
step = "second_look_steps:blind"

[clips]
step = "second_look_steps:windows"

[select]
keep = ["duration_s >= 10"]

[files]
preset = "ultrafast"
"""
LATE = "select.keep=['duration_s >= 10', 'file_transitions <= 0', 'fps >= 1']"

Go = Callable[..., RunResult]


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make the steps of this file importable, here and in workers, and return the folder they are in."""
    folder = tmp_path_factory.mktemp("steps")
    (folder / "second_look_steps.py").write_text(STEPS)
    (folder / "second_look.toml").write_text(RECIPE)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield folder


@pytest.fixture(scope="module")
def go(media, steps: Path) -> Go:
    """Return a function that makes, or goes on with, a set of one video: two clips, the second with a cut in it."""

    def go(folder: Path, *settings: str, recipe: Path = steps / "second_look.toml", watch: Watch = lambda _: None):
        return run(str(recipe), [media["long_takes"]], folder, settings=settings, workers=1, watch=watch)

    return go


@pytest.fixture(scope="module")
def made(go: Go, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "set"
    go(folder)
    return folder


@pytest.fixture
def copy_of_made(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "set"))


def rows(folder: Path) -> list[dict[str, object]]:
    return sorted(Store(folder).read("clips").to_pylist(), key=lambda row: row["start_s"])


def tables(folder: Path) -> dict[str, list[str]]:
    """All rows of all tables but `runs` as sorted text."""
    found = {name: Store(folder).read(name).to_pylist() for name in set(SCHEMAS) - {"runs"}}
    return {name: sorted(json.dumps(row, sort_keys=True, default=str) for row in some) for name, some in found.items()}


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {str(p.relative_to(folder)): (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*.mp4")}


def job(media, folder: Path, start: int, stop: int, **more: object) -> dict[str, object]:
    """Make what a worker is asked: to write some frames of `long_takes`, which has a cut at frame 336."""
    found = scan(media["long_takes"], {})
    clip = {
        "id": "v_00000000_00000001",
        "start_s": float(found.times[start]),
        "end_s": float(found.times[stop]),
        "start_frame": start,
        "end_frame": stop,
        "transitions_at": [],
    }
    plain = load("lvd2m").as_dict()
    detector = {"shots": plain["shots"], "signals": {"transitions": plain["signals"]["transitions"]}}
    payload = {"video": asdict(found.video), "clip": clip, "set": str(folder), "files": {"preset": "ultrafast"}}
    return {**payload, "detector": detector, **more}


# The job


def test_a_file_with_a_cut_in_it_says_where(media, tmp_path: Path) -> None:
    done = write(job(media, tmp_path, 288, 432), lambda _: None)
    assert done["file_transitions"] == 1
    (cut,) = done["file_transitions_at"]
    assert (cut["kind"], cut["start_frame"], cut["end_frame"]) == ("cut", 336 - 288, 336 - 288)
    assert cut["start_s"] == pytest.approx(2.0, abs=1e-3)
    assert cut["confidence"] > 0.5


def test_a_clean_file_holds_none(media, tmp_path: Path) -> None:
    done = write(job(media, tmp_path, 0, 336), lambda _: None)
    assert (done["file_transitions"], done["file_transitions_at"]) == (0, [])


@pytest.mark.parametrize("stray", [1, 2])
def test_a_clip_with_some_frames_too_many_is_found(media, tmp_path: Path, stray: int) -> None:
    """At the very end of a file the detector has next to nothing to go by; what it finds there is kept."""
    done = write(job(media, tmp_path, 240, 336 + stray), lambda _: None)
    assert [found["start_frame"] for found in done["file_transitions_at"]] == [96]


def test_without_a_detector_nothing_is_said(media, tmp_path: Path) -> None:
    assert "file_transitions" not in write(job(media, tmp_path, 0, 48, detector=None), lambda _: None)


def test_a_file_that_is_there_gives_the_same_when_looked_at_alone(media, tmp_path: Path) -> None:
    asked = job(media, tmp_path, 288, 432)
    done = write(asked, lambda _: None)
    again = verify({**asked, "clip": {**asked["clip"], "file": done["file"]}}, lambda _: None)
    assert again == {name: done[name] for name in ("id", "file_transitions", "file_transitions_at")}


TAKES_APART = [("cut", 336, 336), ("dissolve", 432, 456)]
"""The transitions of `long_takes`: kind and frames."""


def known(asked: dict[str, object], *transitions: tuple[str, int, int], fps: float = FPS) -> dict[str, object]:
    """Return a job whose clip was stitched over these transitions, seconds and frames of the video."""
    at = [
        {"kind": kind, "start_s": a / fps, "end_s": b / fps, "start_frame": a, "end_frame": b, "confidence": 1.0}
        for kind, a, b in transitions
    ]
    return {**asked, "clip": {**asked["clip"], "transitions_at": at}}


def test_transitions_that_a_stitched_clip_is_known_to_hold_do_not_count(media, tmp_path: Path) -> None:
    whole = job(media, tmp_path, 120, 600)
    assert write(whole, lambda _: None)["file_transitions"] == 2
    done = write(known(whole, *TAKES_APART), lambda _: None)
    assert (done["file_transitions"], done["file_transitions_at"]) == (0, [])
    again = known(whole, *TAKES_APART)
    assert verify({**again, "clip": {**again["clip"], "file": done["file"]}}, lambda _: None)["file_transitions"] == 0


def test_one_that_it_is_not_known_to_hold_still_counts(media, tmp_path: Path) -> None:
    done = write(known(job(media, tmp_path, 120, 600), TAKES_APART[1]), lambda _: None)
    (cut,) = done["file_transitions_at"]
    assert (done["file_transitions"], cut["kind"], cut["start_frame"]) == (1, "cut", 336 - 120)


@pytest.mark.parametrize(("off", "counts"), [(6, 0), (-6, 0), (9, 1), (-9, 1)])
def test_found_within_three_tenths_of_a_second_it_is_the_same(media, tmp_path: Path, off: int, counts: int) -> None:
    asked = known(job(media, tmp_path, 288, 432), ("cut", 336 + off, 336 + off))
    assert write(asked, lambda _: None)["file_transitions"] == counts


@pytest.mark.parametrize(("start", "end", "counts"), [(300, 372, 0), (345, 372, 1)])
def test_found_within_a_gradual_one_it_is_the_same(media, tmp_path: Path, start: int, end: int, counts: int) -> None:
    asked = known(job(media, tmp_path, 288, 432), ("dissolve", start, end))
    assert write(asked, lambda _: None)["file_transitions"] == counts


# A set


def test_what_was_found_is_on_the_clip_and_in_the_result(go: Go, copy_of_made: Path) -> None:
    clean, cut = rows(copy_of_made)
    assert (clean["file_transitions"], clean["file_transitions_at"]) == (0, [])
    assert cut["file_transitions"] == 1
    assert cut["file_transitions_at"][0]["start_frame"] == 336 - 144
    assert cut["kept"] and cut["file"], "no rule asked for it"
    look = go(copy_of_made).second_look
    assert (look.every.files, look.every.clean, look.unseen) == (2, 1, 0)
    assert look.words()[0] == (
        "Second look: 1 of 2 files of 10 s and more hold no transition: 50 % (95 % interval 9.5 to 90.5 %)."
    )


def test_the_report_has_it(made: Path) -> None:
    data = collect(made)
    assert data["second_look"]["words"][0].startswith("Second look: 1 of 2 files")
    assert [[found[2] for found in clip["found"]] for clip in data["clips"]] == [[], ["cut"]]


def test_a_second_run_looks_at_nothing(go: Go, copy_of_made: Path) -> None:
    before, seen = (tables(copy_of_made), files(copy_of_made)), []
    done = go(copy_of_made, watch=seen.append)
    assert not [news for news in seen if isinstance(news, Progress)]
    assert (done.written.written, done.written.verified) == (0, 0)
    assert (tables(copy_of_made), files(copy_of_made)) == before


@pytest.mark.parametrize("change", ["shots.cut=50", "signals.change.flash_s=0.14", "shots.from_s=1"])
def test_a_changed_detector_looks_again_and_writes_nothing(go: Go, copy_of_made: Path, change: str) -> None:
    settings = [change] if "cut" not in change else ["shots.step='change'", change]
    before, seen = files(copy_of_made), []
    done = go(copy_of_made, *settings, watch=seen.append)
    assert (done.written.written, done.written.verified) == (0, 2)
    assert {news.phase for news in seen if isinstance(news, Progress)} - {"scan"} == {"verify"}
    assert files(copy_of_made) == before
    assert [row["file_transitions"] for row in rows(copy_of_made)] == [0, int("flash_s" in change)]


def test_other_encoder_settings_write_and_look_again(go: Go, copy_of_made: Path) -> None:
    before = {row["id"]: row["file_verify_key"] for row in rows(copy_of_made)}
    done = go(copy_of_made, "files.crf=30")
    assert (done.written.written, done.written.verified) == (2, 0)
    assert [row["file_transitions"] for row in rows(copy_of_made)] == [0, 1]
    assert all(row["file_verify_key"] not in (None, before[row["id"]]) for row in rows(copy_of_made))


def test_it_can_be_turned_off_and_on(go: Go, made: Path, tmp_path: Path) -> None:
    off = go(tmp_path, "files.verify=false")
    assert off.second_look.words() == ["Not looked at a second time: 2 files."]
    for row in rows(tmp_path):
        assert row["file"]
        assert [row[name] for name in ("file_transitions", "file_transitions_at", "file_verify_key")] == [None] * 3
    on = go(tmp_path)
    assert (on.written.written, on.written.verified) == (0, 2)
    assert tables(tmp_path) == tables(made)


def test_a_file_that_is_no_longer_what_was_written_is_written_again(go: Go, copy_of_made: Path) -> None:
    clean, cut = (copy_of_made / row["file"] for row in rows(copy_of_made))
    content = clean.read_bytes()
    clean.write_bytes(content[: len(content) // 2])
    cut.write_text("somebody's notes")
    done = go(copy_of_made, "shots.from_s=21")
    assert (done.written.written, done.written.verified, done.written.failed) == (2, 0, 0)
    assert clean.read_bytes() == content
    assert not done.failures


# Rules


def test_a_rule_about_the_look_removes_what_it_found_and_stays_settled(
    go: Go, made: Path, copy_of_made: Path, tmp_path: Path
) -> None:
    for folder in (tmp_path / "fresh", copy_of_made):
        done = go(folder, LATE)
        clean, cut = rows(folder)
        assert (done.kept, [row.rejected for row in done.funnel]) == (1, [0, 0, 1, 0])
        assert clean["kept"] and not cut["kept"] and cut["rejected_by"] == "file_transitions <= 0"
        assert (cut["file"], cut["file_transitions"]) == (None, 1)
        assert list(files(folder)) == [clean["file"]]
        assert done.second_look.every.files == 2, "the share is that of all files, not of those the rule left"
        before = tables(folder)
        again = go(folder, LATE)
        assert (again.written.written, again.written.verified, again.kept) == (0, 0, 1)
        assert tables(folder) == before
    assert tables(tmp_path / "fresh") == tables(copy_of_made)


def test_a_detector_that_no_longer_finds_it_brings_the_clip_back(go: Go, tmp_path: Path) -> None:
    go(tmp_path, LATE)
    done = go(tmp_path, LATE, "shots.from_s=1")
    assert (done.kept, done.written.written, done.written.verified) == (2, 1, 1)
    assert [row["file_transitions"] for row in rows(tmp_path)] == [0, 0]


def test_a_look_stays_known_only_where_the_file_went_for_it(tmp_path: Path) -> None:
    """What a set holds hangs on no earlier choice: one made in two runs has the same hash as one made at once."""
    store = Store(tmp_path)
    looked = {"video_id": "v", "file_transitions": 1, "file_transitions_at": [], "file_verify_key": "k"}
    reasons = {"kept": None, "copy": "copies.rank <= 1", "found": "file_transitions <= 0"}
    rows = [{**looked, "id": name, "kept": not why, "rejected_by": why} for name, why in reasons.items()]
    store.append("clips", rows)
    sweep(store)
    found = {row["id"]: row["file_transitions"] for row in store.read("clips").to_pylist()}
    assert found == {"kept": 1, "copy": None, "found": 1}


def test_select_can_ask_for_it_afterwards(go: Go, copy_of_made: Path) -> None:
    rules = ["duration_s >= 10", "file_transitions <= 0"]
    assert select_set(copy_of_made, rules, save=True).funnel[-1].clips == 1
    done = go(copy_of_made, recipe=copy_of_made / "recipe.toml")
    assert (done.kept, done.written.removed) == (1, 1)
    assert select_set(copy_of_made, ["file_transitions > 0"]).funnel[-1].clips == 1


def test_of_a_clip_without_a_file_a_rule_about_files_says_nothing_yet(go: Go, tmp_path: Path) -> None:
    go(tmp_path, "select.keep=['duration_s >= 1000']")
    last = select_set(tmp_path, ["file_transitions <= 0"], save=True).funnel[-1]
    assert (last.clips, last.not_asked) == (2, 2)
    assert {row["rejected_by"] for row in rows(tmp_path)} == {None}
    assert collect(tmp_path)["funnel"][-1]["clips"] == 2, "the report says the same"
    # A run writes them, and then the rule takes one.
    assert go(tmp_path, recipe=tmp_path / "recipe.toml").kept == 1


@pytest.mark.parametrize("off", [{}, {"files": {"verify": False}}])
def test_a_rule_about_a_look_that_is_off_is_refused(off: dict[str, dict[str, bool]]) -> None:
    with pytest.raises(UsageError, match="verify = true"):
        resolve({"select": {"keep": ["file_transitions <= 0"]}, **off})
    with pytest.raises(UsageError, match="should be of type bool"):
        load("lvd2m", ["files.verify='no'"])


# Sets of another version, and kills


def test_a_set_of_an_older_version_gets_the_columns(go: Go, made: Path, copy_of_made: Path) -> None:
    names = ["file_transitions", "file_transitions_at", "file_verify_key"]
    lance.dataset(str(copy_of_made / "clips.lance")).drop_columns(names)
    before = files(copy_of_made)
    assert collect(copy_of_made)["second_look"]["words"] == ["Not looked at a second time: 2 files."]
    assert select_set(copy_of_made, ["file_transitions <= 0"]).funnel[-1].not_asked == 2
    done = go(copy_of_made)
    assert (done.written.written, done.written.verified) == (0, 2)
    assert files(copy_of_made) == before
    assert tables(copy_of_made) == tables(made)


KILLED = """
import os, signal, sys
from longtake import run
from longtake.store import Store

calls = 0

def mortal(write):
    def wrapped(*arguments, **more):
        global calls
        calls += 1
        if calls == int(sys.argv[1]):
            os.kill(os.getpid(), signal.SIGKILL)
        return write(*arguments, **more)
    return wrapped

for name in ("append", "update", "delete"):
    setattr(Store, name, mortal(getattr(Store, name)))
run(sys.argv[2], [sys.argv[3]], sys.argv[4], settings=sys.argv[5:], workers=1)
"""


def test_kill_9_before_any_write_to_the_store_and_the_same_command_ends_the_same(
    go: Go, media, made: Path, copy_of_made: Path, steps: Path, tmp_path: Path
) -> None:
    """From another detector's set, with a rule that removes a file: each run gets some writes further than the last."""
    whole, settings = shutil.copytree(made, tmp_path / "whole"), [LATE, "shots.from_s=19"]
    go(whole, *settings)
    for last in range(1, 60, 5):
        arguments = [str(last), str(steps / "second_look.toml"), str(media["long_takes"]), str(copy_of_made), *settings]
        done = subprocess.run([sys.executable, "-c", KILLED, *arguments], env={**os.environ, "PYTHONPATH": str(steps)})
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
    assert done.returncode == 0 and last > 5
    assert tables(copy_of_made) == tables(whole)
    assert {name: content for name, (_, content) in files(copy_of_made).items()} == {
        name: content for name, (_, content) in files(whole).items()
    }


def test_files_encoded_before_there_was_a_choice_stay() -> None:
    """What a recipe asks for by default they are, too; encoding everything is other work."""
    as_ever, encoded = work_keys(load("lvd2m")), work_keys(load("lvd2m", ["files.copy=false"]))
    assert as_ever[0] == fingerprint([WRITER_VERSION, {"crf": 18, "preset": "veryfast"}])
    assert encoded[0] != as_ever[0] and encoded[1] != as_ever[1]
