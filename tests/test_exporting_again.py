"""An export again, elsewhere, or of a set that has changed: never a stale one for a new one, and never a traceback."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from exported import kept, small_set

from longtake.cli import main
from longtake.errors import SetError, UsageError
from longtake.exporting import export_set
from longtake.exporting.folder import MANIFEST, as_it_was, unfinished
from longtake.schemas import SCHEMAS, score_schema
from longtake.store import Store
from longtake.video import Refit

KEY = "0123456789abcdef"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_set(tmp_path_factory.mktemp("again"))


@pytest.fixture
def made(small: Path, tmp_path: Path) -> Path:
    """A copy to work on."""
    return Path(shutil.copytree(small, tmp_path / "set"))


def new_score(made: Path) -> None:
    schema = score_schema(pa.schema([SCHEMAS["clips"].field("id")]), ["camera.shake"])
    Store(made).update("clips", "id", [{"id": c["id"], "camera": {"shake": 0.5}} for c in kept(made)], schema)


def moved_videos(made: Path) -> None:
    rows = [{"id": row["id"], "path": f"/moved{row['path']}"} for row in Store(made).read("videos").to_pylist()]
    Store(made).update("videos", "id", rows, pa.schema([SCHEMAS["videos"].field(name) for name in ("id", "path")]))


def other_recipe(made: Path) -> None:
    text = (made / "recipe.toml").read_text()
    (made / "recipe.toml").write_text(text.replace('name = "lvd2m"', 'name = "ours"'))


@pytest.mark.parametrize(
    ("form", "change"), [("jsonl", new_score), ("jsonl", moved_videos), ("videofolder", other_recipe)]
)
def test_what_would_say_something_else_now_was_not_made_before(made: Path, tmp_path: Path, form: str, change) -> None:
    export_set(made, form, tmp_path / "out")
    assert export_set(made, form, tmp_path / "out").was_there
    change(made)
    with pytest.raises(UsageError, match="isn't this export"):
        export_set(made, form, tmp_path / "out")


def test_copied_files_are_another_export_than_linked_ones(made: Path, tmp_path: Path) -> None:
    export_set(made, "jsonl", tmp_path / "out")
    with pytest.raises(UsageError, match="isn't this export"):
        export_set(made, "jsonl", tmp_path / "out", copy=True)


def test_files_that_are_gone_are_missed(made: Path, tmp_path: Path) -> None:
    export_set(made, "jsonl", tmp_path / "out")
    (tmp_path / "out" / "train" / "cache.latents").write_text("a trainer's own")
    assert export_set(made, "jsonl", tmp_path / "out").was_there
    next((tmp_path / "out" / "train").glob("*.mp4")).unlink()
    with pytest.raises(UsageError, match=r"1 of its files is gone; remove .*out"):
        export_set(made, "jsonl", tmp_path / "out")


def test_a_clip_whose_file_is_gone_is_named_before_the_work(made: Path, tmp_path: Path) -> None:
    (made / kept(made)[-1]["file"]).unlink()
    for size in (None, Refit(fps=8.0)):
        with pytest.raises(SetError, match=r"mp4 is gone; longtake run writes it again"):
            export_set(made, "jsonl", tmp_path / "out", size=size)
    assert not list(tmp_path.glob("out*"))


def test_captions_of_several_models_are_told(made: Path, tmp_path: Path) -> None:
    assert export_set(made, "jsonl", tmp_path / "one").mixed == {}
    store = Store(made)
    rows = [row for row in store.read("captions").to_pylist() if row["kind"] == "refined" and not row["problems"]]
    store.delete("captions", "clip_id", [rows[0]["clip_id"]], also="kind = 'refined'")
    store.append("captions", [rows[0] | {"model": "another"}])
    for form in ("jsonl", "lvd2m"):
        done = export_set(made, form, tmp_path / form)
        assert done.mixed["lvd2m.refined"] == {"another": 1, "fake": len(rows) - 1}
        assert export_set(made, form, tmp_path / form).mixed == done.mixed
    result = CliRunner().invoke(main, ["export", str(made), "jsonl", "--to", str(tmp_path / "told")])
    assert "captions lvd2m.refined by another, fake" in result.output


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_times_end_with_a_file_that_was_cut(small: Path, tmp_path: Path, form: str) -> None:
    names = "id,duration_s,start_s,end_s,start_frame,end_frame,frames,captions"
    settings = [f"columns={names}"]
    export_set(small, form, tmp_path / "out", size=Refit(frames=20), settings=settings)
    if form == "jsonl":
        rows = [json.loads(line) for line in (tmp_path / "out" / "train.jsonl").read_text().splitlines()]
    else:
        rows = pa.parquet.read_table(tmp_path / "out" / "train.parquet").to_pylist()
    whole = {clip["id"]: clip["duration_s"] for clip in kept(small)}
    assert any(row["duration_s"] < whole[row["id"]] - 0.1 for row in rows), "else this says little"
    for row in rows:
        np.testing.assert_allclose(row["end_s"] - row["start_s"], row["duration_s"])
        assert row["end_frame"] - row["start_frame"] == row["frames"]
        for caption in row["captions"]:
            assert caption["start_s"] < caption["end_s"] <= row["duration_s"]
            assert all(at_s < row["duration_s"] for at_s in caption["frames_s"] or ())


@pytest.mark.parametrize("text", ["[]", "{", '"key"', "\udcff"])
def test_a_strange_manifest_is_no_export(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(UsageError, match="isn't this export"):
        as_it_was(tmp_path, KEY)


def test_a_place_where_no_folder_can_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="isn't this export"):
        as_it_was(tmp_path / "file", KEY)
    for place in (tmp_path / "file" / "below", Path("/proc/x")):
        assert as_it_was(place, KEY) is None
        with pytest.raises(UsageError, match="no folder can be made there"):
            unfinished(place, KEY)


def test_a_folder_that_must_stay_is_refused_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out").mkdir()

    def busy(_: Path) -> None:
        raise OSError(16, "Device or resource busy")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rmdir", busy)  # as a mount point says
        with pytest.raises(UsageError, match=r"name a new folder in it, as .*out/dataset"):
            unfinished(tmp_path / "out", KEY)
    assert not (tmp_path / "out.partial").exists()
    assert unfinished(tmp_path / "out", KEY).is_dir() and (tmp_path / "out").is_dir()


def test_a_link_to_a_folder_is_that_folder(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    assert not export_set(small, "jsonl", tmp_path / "out").was_there
    assert (tmp_path / "out").is_symlink() and (tmp_path / "disk" / "train.jsonl").is_file()
    assert export_set(small, "jsonl", tmp_path / "out").was_there
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert export_set(small, "jsonl", ".").folder == tmp_path / "here"
