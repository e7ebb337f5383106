"""One Lance table with the videos in it, read back by Lance."""

from pathlib import Path

import lance
import pytest
from exported import kept, small_set
from madeup import ABOUT, Putter, expected_of, row

from longtake.errors import SetError
from longtake.exporting import export_set
from longtake.exports.lance import lance as export
from longtake.store import write_table


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_set(tmp_path_factory.mktemp("lance"))


def test_the_table_is_the_set(made: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    export_set(made, "lance", to, split="train:0.5,val:0.5")
    table = lance.dataset(str(to / "clips.lance"))
    names = [name for name in table.schema.names if name != "video"]
    rows = table.to_table(columns=names).to_pylist()
    assert {one.pop("split") for one in rows} == {"train", "val"}
    assert {one["id"]: one for one in rows} == expected_of(made)
    assert {path.name for path in to.iterdir()} == {"clips.lance", "README.md", "plots", "export.json"}


def test_videos_are_blobs_read_in_part(made: Path, tmp_path: Path) -> None:
    export_set(made, "lance", tmp_path / "out")
    table = lance.dataset(str(tmp_path / "out" / "clips.lance"))
    ids = table.to_table(columns=["id"])["id"].to_pylist()
    files = {clip["id"]: (made / clip["file"]).read_bytes() for clip in kept(made)}
    assert len(ids) == 4
    for clip_id, blob in zip(ids, table.take_blobs("video", indices=list(range(4))), strict=True):
        with blob:
            blob.seek(4)
            assert blob.read(4) == b"ftyp"
            blob.seek(0)
            assert blob.read() == files[clip_id]


def test_a_rule_is_a_filter(made: Path, tmp_path: Path) -> None:
    export_set(made, "lance", tmp_path / "out")
    table = lance.dataset(str(tmp_path / "out" / "clips.lance"))
    still = kept(made)[0]
    limit = still["motion"]["mean"]
    found = table.to_table(columns=["id"], filter=f"scores.motion_mean >= {limit!r}")["id"].to_pylist()
    assert found == [clip["id"] for clip in kept(made) if clip["motion"]["mean"] >= limit]
    assert len(found) > 0


def test_videos_can_stay_files(made: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    export_set(made, "lance", to, settings=["video=false"])
    table = lance.dataset(str(to / "clips.lance")).to_table()
    assert "video" not in table.schema.names
    for clip, file in zip(kept(made), table["file"].to_pylist(), strict=True):
        assert (to / file).read_bytes() == (made / clip["file"]).read_bytes()


def test_many_clips_are_many_batches_and_in_order(tmp_path: Path) -> None:
    film, to = tmp_path / "film.mp4", tmp_path / "out"
    film.write_bytes(b"film")
    rows = [row(film, number) for number in range(600)]
    sizes = []

    def spy(path, schema, batches):
        def seen():
            for batch in batches:
                sizes.append(batch.num_rows)
                yield batch

        write_table(path, schema, seen())

    export(rows, to, Putter(to), ABOUT, spy)
    assert sizes == [256, 256, 88]
    table = lance.dataset(str(to / "clips.lance")).to_table(columns=["id"])
    assert table["id"].to_pylist() == [one.id for one in rows]


def test_a_table_half_written_is_begun_anew(tmp_path: Path) -> None:
    film, to = tmp_path / "film.mp4", tmp_path / "out"
    film.write_bytes(b"film")
    rows = [row(film, number) for number in range(3)]
    for _ in range(2):
        export(rows, to, Putter(to), ABOUT, write_table)
    assert lance.dataset(str(to / "clips.lance")).count_rows() == 3
    assert len(lance.dataset(str(to / "clips.lance")).versions()) == 1


def test_of_no_clip_there_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(SetError, match="no clip"):
        export([], tmp_path, Putter(tmp_path), ABOUT, write_table)
