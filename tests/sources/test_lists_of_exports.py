"""What this package exports in published forms, it reads back: the same clips, spans and captions."""

import csv
from pathlib import Path

import pytest
from exported import FIELDS, captions_of, grounded_set, kept, spans_of
from listing import good

from longtake.exporting import export_set
from longtake.exports._text import on_one_line
from longtake.sources.lists import form_of, from_json, to_json
from longtake.sources.lists._names import safe_name

MS = 0.0005
"""Times are written to the millisecond."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return grounded_set(tmp_path_factory.mktemp("set"))


@pytest.mark.parametrize("name", ["lvd2m", "miradata"])
def test_the_same_clips(made: Path, tmp_path: Path, name: str) -> None:
    path = export_set(made, name, tmp_path / "out").folder / "train.csv"
    assert form_of(path) == name
    found = good(path)
    for one, clip in zip(found, kept(made), strict=True):
        assert (one.clip, one.video, one.url) == (clip["id"], clip["video_id"], "")
        assert (one.start_s, one.end_s) == pytest.approx((clip["start_s"], clip["end_s"]), abs=MS)
        assert from_json(to_json(one)) == one


def test_captions_and_score_of_lvd2m(made: Path, tmp_path: Path) -> None:
    path = export_set(made, "lvd2m", tmp_path / "out").folder / "train.csv"
    found = good(path)
    with path.open(newline="") as file:
        written = [float(row["total score"]) for row in csv.DictReader(file)]
    assert [one.scores["total_score"] for one in found] == written
    for one, clip in zip(found, kept(made), strict=True):
        expected = []
        for kind in ("raw", "refined", "rewritten"):
            rows = [row for row in captions_of(made, clip["id"], kind) if row["step"] == "lvd2m"]
            expected += [(kind, on_one_line(row["text"]) if len(rows) > 1 else row["text"]) for row in rows]
        assert [(caption.kind, caption.text) for caption in one.captions] == expected
    assert sum(len(one.captions) for one in found) > 6


def test_captions_of_miradata_with_their_windows(made: Path, tmp_path: Path) -> None:
    found = good(export_set(made, "miradata", tmp_path / "out").folder / "train.csv")
    windows = 0
    for one, clip in zip(found, kept(made), strict=True):
        for kind in FIELDS:
            rows = [row for row in captions_of(made, clip["id"], kind) if row["step"] == "miradata"]
            read = [caption for caption in one.captions if caption.kind == kind]
            several = len(rows) > 1
            assert [caption.text for caption in read] == [
                row["text"].strip() if several else row["text"] for row in rows
            ]
            for caption, row in zip(read, rows, strict=True):
                if several:
                    assert (caption.start_s, caption.end_s) == pytest.approx((row["start_s"], row["end_s"]), abs=MS)
                    windows += 1
                else:
                    assert (caption.start_s, caption.end_s) == (0.0, None)
    assert windows == 2 * len(FIELDS)


@pytest.mark.parametrize("names", ["file", "id"])
def test_records_of_internvid_g(made: Path, tmp_path: Path, names: str) -> None:
    path = export_set(made, "internvid_g", tmp_path / "out", settings=[f"names='{names}'"]).folder
    found = good(path / "train" / "final_dataset.jsonl")
    spans = spans_of(made)
    for one, span in zip(found, spans, strict=True):
        video = Path(span["video"]["path"])
        name = video.name if names == "file" else span["video_id"] + video.suffix
        assert one.video == safe_name(name) and one.fields.get("video", one.video) == name
        assert [caption.text for caption in one.captions] == [span["text"]]
        assert (one.start_s, one.end_s) == pytest.approx((span["start_s"], span["end_s"]), abs=MS)
        negative = [float(one.fields[f"neg_{end}_sec"]) for end in ("start", "end")]
        assert negative == pytest.approx([span["neg_start_s"], span["neg_end_s"]], abs=MS)
    assert len(spans) > 3
    for file in ("scenes-blip2.jsonl", "scenes-blip2-filtered.jsonl", "scenes-blip2-filtered-high_sims.jsonl"):
        assert good(path / "train" / file)
