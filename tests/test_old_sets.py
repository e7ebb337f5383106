"""Sets that earlier programs made are opened, chosen from, gone on with and exported; those of later ones refused.

`data/old-sets.tar.xz` holds three small sets of one made video, with the video, as commits bf6d80d (the first),
d6f332f (votes and spans) and 6a1a083 (the viewer) wrote them: recipe lvd2m, 'duration_s >= 1', without report.html.
"""

import csv
import shutil
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from longtake.cli import main
from longtake.errors import SetError
from longtake.exporting import export_set
from longtake.hashing import hash_set
from longtake.lock import Lock
from longtake.opening import Set
from longtake.removing import remove_videos
from longtake.report import write_report
from longtake.running import run
from longtake.schemas import SCHEMAS
from longtake.select_set import select_set
from longtake.settings import ABOUT, FORMAT, read_format
from longtake.store import Store
from longtake.watch import Plan

KINDS = ("first", "spans", "viewer")
SPANS_S = [(0.0, 2.8333), (3.1667, 6.0)]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(Path(__file__).parent / "data" / "old-sets.tar.xz") as tar:
        tar.extractall(folder, filter="data")
    return folder


@pytest.fixture(params=KINDS)
def old(request: pytest.FixtureRequest, unpacked: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(unpacked / request.param, tmp_path / "set"))


def test_they_are_read_as_they_are_without_a_change(old: Path) -> None:
    before = hash_set(old)
    opened = Set(old)
    clips = sorted(opened.clips().to_pylist(), key=lambda clip: clip["start_s"])
    assert [(clip["start_s"], clip["end_s"]) for clip in clips] == [pytest.approx(span, abs=1e-3) for span in SPANS_S]
    for table in SCHEMAS:
        assert set(SCHEMAS[table].names) <= {*opened.read(table).column_names}
    for clip in clips:
        assert opened.frames(clip["id"], 0.0, 4, 4.0).shape == (4, 54, 96, 3)
    assert len(list(opened.rows())) == 2
    assert read_format(old) is None
    assert hash_set(old) == before


def test_they_are_chosen_from_and_reported(old: Path) -> None:
    assert select_set(old).funnel[-1].clips == 2
    assert select_set(old, ["duration_s >= 5"], save=True).funnel[-1].clips == 0
    assert "duration_s" in write_report(old).read_text()
    assert read_format(old) == FORMAT


@pytest.mark.parametrize("form", ["csv", "videofolder", "parquet"])
def test_they_are_exported(old: Path, tmp_path: Path, form: str) -> None:
    done = export_set(old, form, tmp_path / "out")
    assert done.clips == 2
    if form == "csv":
        with (tmp_path / "out" / "train.csv").open(newline="") as lines:
            assert [float(row["end_s"]) for row in csv.DictReader(lines)] == pytest.approx(
                [s[1] for s in SPANS_S], abs=1e-3
            )


def test_the_same_command_goes_on_with_them(old: Path, unpacked: Path) -> None:
    """The video is the same one though it lies elsewhere by now; what is new in the program is measured beside."""
    plans: list[object] = []
    settings = ["select.keep=['duration_s >= 1']", "files.preset='veryslow'", "files.crf=32"]
    done = run("lvd2m", [unpacked / "pans.mp4"], old, settings=settings, workers=1, watch=plans.append)
    (plan,) = [news for news in plans if isinstance(news, Plan)]
    assert (plan.videos, plan.others) == (1, 0) and not done.failures
    assert done.kept == 2
    assert [row["path"] for row in Store(old).read("videos").to_pylist()] == [str((unpacked / "pans.mp4").resolve())]
    again: list[object] = []
    run("lvd2m", [unpacked / "pans.mp4"], old, settings=settings, workers=1, watch=again.append)
    (plan,) = [news for news in again if isinstance(news, Plan)]
    assert (plan.to_scan, plan.to_derive, plan.done_before) == (0, 0, 1)


def test_videos_are_removed_from_them(old: Path) -> None:
    (video,) = Store(old).read("videos", ["id"])["id"].to_pylist()
    assert remove_videos(old, [video]).videos
    assert not Store(old).count("clips")
    assert not list((old / "clips").rglob("*.mp4"))


def test_no_path_of_a_machine_is_inside(unpacked: Path) -> None:
    for kind in KINDS:
        assert [row["path"] for row in Store(unpacked / kind).read("videos").to_pylist()] == ["/videos/pans.mp4"]


def test_a_missing_original_is_said(old: Path) -> None:
    """Clips have files; only what goes by the video itself misses it."""
    store = Store(old)
    clip = store.read("clips", ["id"]).to_pylist()[0]["id"]
    store.update("clips", "id", [{"id": clip, "file": None}], store.read("clips", ["id", "file"]).schema)
    with pytest.raises(Exception, match=r"(?i)no such file") as raised:
        Set(old).frames(clip, 0.0, 1, 1.0)
    assert "/videos/pans.mp4" in str(raised.value)


def test_a_set_of_a_later_program_is_refused_and_not_touched(unpacked: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(unpacked / "viewer", tmp_path / "set"))
    (folder / ABOUT).write_text(f"format = {FORMAT + 1}\nnew = 'words'\n")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    said = f"later longtake: its format is {FORMAT + 1}"
    for call in (
        lambda: Set(folder),
        lambda: select_set(folder),
        lambda: select_set(folder, ["duration_s >= 1"], save=True),
        lambda: write_report(folder),
        lambda: hash_set(folder),
        lambda: export_set(folder, "csv", tmp_path / "out"),
        lambda: remove_videos(folder, ["pans-452712b9cc"]),
        lambda: run("lvd2m", [unpacked / "pans.mp4"], folder),
    ):
        with pytest.raises(SetError, match=said):
            call()
    told = CliRunner().invoke(main, ["report", str(folder)])
    assert told.exit_code == 1 and said in told.stderr and "Traceback" not in told.stderr
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}
    assert after == before


@pytest.mark.parametrize("text", ["format = 'one'", "format = 0", "other = 1", "format = true", "= ="])
def test_a_format_nobody_can_read_says_what_to_write(unpacked: Path, tmp_path: Path, text: str) -> None:
    folder = Path(shutil.copytree(unpacked / "first", tmp_path / "set"))
    (folder / ABOUT).write_text(text)
    with pytest.raises(SetError, match=f"write into it: format = {FORMAT}"):
        Set(folder)


def test_a_new_set_says_its_format(tmp_path: Path) -> None:
    with Lock(tmp_path / "set") as lock:
        Store(tmp_path / "set", lock)
    assert read_format(tmp_path / "set") == FORMAT
