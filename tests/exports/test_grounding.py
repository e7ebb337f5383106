"""Formats of grounding: each read back by what its own readers do, and equal to the set's spans."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from exported import FILMS, NASTY, NO_RECORD, grounded_set, spans_of
from hypothesis import given
from hypothesis import strategies as st

from longtake.errors import UsageError
from longtake.exporting import export_set, split_of
from longtake.exports import Grounded
from longtake.exports._spans import piece_of
from longtake.exports.activitynet import activitynet
from longtake.exports.charades_sta import charades_sta
from longtake.exports.qvhighlights import qvhighlights, relevant_clips
from longtake.exports.vtimellm import vtimellm

PARTS = "one:0.28,two:0.72"
"""Parts that both have a film with spans."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return grounded_set(tmp_path_factory.mktemp("grounded"))


def film(
    duration_s: float = 400.0,
    spans: list[tuple[float, float, float, float]] | None = None,
    *,
    path: str = "/films/x.mp4",
    name: str = "x-0000000001",
    text: str = "A dog barks.",
) -> Grounded:
    """Return a film with spans: start and end of the positive, then of the negative."""
    rows = [
        {
            "clip_id": f"{name}_{number}",
            "step": "a",
            "kind": "raw",
            "number": number,
            "text": text,
            **dict(zip(("start_s", "end_s", "neg_start_s", "neg_end_s"), span, strict=True)),
        }
        for number, span in enumerate(spans or [(50.0, 54.0, 10.0, 390.0)])
    ]
    return Grounded({"id": name, "path": path, "duration_s": duration_s}, "train", [], [], [], rows, None)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """As `load_jsonl` of Moment-DETR reads: lines as Python's text files have them."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line.strip("\n")) for line in file.readlines()]


def read_charades(path: Path) -> list[tuple[str, float, float, str]]:
    """As HawkEye's data_preparing/charades.py reads: exactly one `##`, exactly two blanks before it."""
    found = []
    with path.open(encoding="utf-8") as file:
        for line in file:
            info, sentence = line.split("##")
            video, start_s, end_s = info.split(" ")
            found.append((video, float(start_s), float(end_s), sentence.strip()))
    return found


def read_vtimellm(row: dict[str, Any]) -> list[str]:
    """As VTimeLLM's train/dataset.py reads: marks become hundredths of the piece, and what is said comes in turns."""
    meta = row["meta"]
    said = [one["value"] for one in row["conversations"]]
    for mark, time_s in meta["token"].items():
        hundredths = f"{min(round(time_s / meta['duration'] * 100), 99):02d}"
        said = [text.replace(mark, hundredths) for text in said]
    return said


def ms(seconds: float) -> float:
    return round(seconds, 3)


def test_activitynet_says_what_the_set_says(made: Path, tmp_path: Path) -> None:
    done = export_set(made, "activitynet", tmp_path / "out", split=PARTS)
    found = {}
    for split in done.splits:
        films = json.loads((tmp_path / "out" / f"{split}.json").read_text(encoding="utf-8"))
        found |= {name: (split, said) for name, said in films.items()}
    assert done.spans == len(spans_of(made)) == 5 and done.clips == 0 and sum(done.splits.values()) == 5
    for name in FILMS[:2]:
        spans = spans_of(made, name)
        split, said = found.pop(Path(name).stem)
        assert split == split_of(spans[0]["video_id"], [("one", 0.28), ("two", 1.0)])
        assert said["duration"] == ms(spans[0]["video"]["duration_s"])
        assert said["timestamps"] == [[ms(span["start_s"]), ms(span["end_s"])] for span in spans]
        assert said["sentences"] == [span["text"] for span in spans]
    assert found == {}, "a film without a good span is in no file"


def test_charades_sta_says_what_the_set_says(made: Path, tmp_path: Path) -> None:
    export_set(made, "charades_sta", tmp_path / "out")
    found = read_charades(tmp_path / "out" / "train.txt")
    expected = [
        (Path(span["video"]["path"]).stem, ms(span["start_s"]), ms(span["end_s"]), _on_a_line(span["text"]))
        for span in spans_of(made)
    ]
    assert found == expected and any(" #" in sentence for *_, sentence in found) and len(expected) == 5
    with (tmp_path / "out" / "train_durations.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    films = {Path(span["video"]["path"]).stem: span["video"] for span in spans_of(made)}
    assert {row["id"]: (float(row["length"]), row["file"]) for row in rows} == {
        stem: (ms(video["duration_s"]), video["path"]) for stem, video in films.items()
    }


def _on_a_line(text: str) -> str:
    return " ".join(text.splitlines()).replace("##", "#").strip()


@given(st.text(min_size=1))
def test_a_line_of_charades_sta_is_cut_where_it_should(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("line")
    charades_sta([film(text=f"a{text}")], folder)
    [(name, start_s, end_s, sentence)] = read_charades(folder / "train.txt")
    assert (name, start_s, end_s) == ("x", 50.0, 54.0)
    assert re.sub(r"[#\s]", "", sentence) == re.sub(r"[#\s]", "", f"a{text}")


def test_names_are_refused_where_they_would_mislead(tmp_path: Path) -> None:
    two = [film(path="/a/x.mp4"), film(path="/b/x.mp4", name="x-0000000002")]
    for number, export in enumerate((activitynet, charades_sta, qvhighlights, vtimellm)):
        with pytest.raises(UsageError, match=r"two videos, x-0+1 and x-0+2, .* 'x'; write -s names=id"):
            export(iter(two), tmp_path / str(number))
        export(iter(two), tmp_path / f"{number} by id", names="id")
        with pytest.raises(UsageError, match="names=file or names=id"):
            export(iter(two), tmp_path / str(number), names="path")
    with pytest.raises(UsageError, match=r"my film\.mp4: .* blanks"):
        charades_sta([film(path="/a/my film.mp4")], tmp_path / "blank")
    activitynet([film(path="/a/my film.mp4")], tmp_path / "blank")
    assert "my film" in json.loads((tmp_path / "blank" / "train.json").read_text())


def test_unique_leaves_sentences_that_hold_once_in_the_whole_video(tmp_path: Path) -> None:
    video = film(60.0, [(1.0, 2.0, 0.0, 60.0), (3.0, 4.0, 0.0, 59.0), (5.0, 6.0, 1.0, 60.0)])
    activitynet([video, film(name="y-1", path="y.mp4")], tmp_path, unique=True)
    assert json.loads((tmp_path / "train.json").read_text()) == {
        "x": {"duration": 60.0, "timestamps": [[1.0, 2.0]], "sentences": ["A dog barks."]}
    }
    charades_sta([video], tmp_path, unique=True)
    assert (tmp_path / "train.txt").read_text() == "x 1.0 2.0##A dog barks.\n"


def test_qvhighlights_says_what_the_set_says(made: Path, tmp_path: Path) -> None:
    export_set(made, "qvhighlights", tmp_path / "out", settings=["saliency=3"], split=PARTS)
    rows = [row for split in ("one", "two") for row in read_lines(tmp_path / "out" / f"{split}.jsonl")]
    by_query = {row["query"]: row for row in rows}
    assert sorted(row["qid"] for row in rows) == [0, 1, 2, 3, 4] and len(by_query) == 5
    for span in spans_of(made):
        row = by_query[span["text"]]
        name, start, end = row["vid"].rsplit("_", 2)
        start_s, end_s = float(start), float(end)
        [window] = row["relevant_windows"]
        assert name == Path(span["video"]["path"]).stem
        assert ms(start_s + window[0]) == ms(span["start_s"]) and ms(start_s + window[1]) == ms(span["end_s"])
        assert ms(span["neg_start_s"]) <= start_s and end_s <= ms(span["neg_end_s"])
        assert row["duration"] == ms(end_s - start_s)
        assert row["saliency_scores"] == [[3, 3, 3]] * len(row["relevant_clip_ids"])


def test_without_people_there_are_no_scores_and_the_reader_can_tell(tmp_path: Path) -> None:
    """Moment-DETR asks for scores unless a file's path has `subs_train` in it; then it draws two clips outside."""
    qvhighlights([film(spans=[(50.0, 54.0, 10.0, 390.0), (6.0, 8.0, 4.0, 9.0), (6.0, 8.0, 2.0, 8.0)])], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["subs_train"]
    rows = read_lines(tmp_path / "subs_train" / "train.jsonl")
    assert len(rows) == 2 and all("saliency_scores" not in row for row in rows)
    for row in rows:
        clips = row["duration"] // 2
        [window] = row["relevant_windows"]
        first, last = int(window[0] / 2), max(0, min(int(window[1] / 2), clips) - 1)
        assert len([*range(first), *range(last + 1, clips)]) >= 2
    with pytest.raises(UsageError, match="saliency=5"):
        qvhighlights([film()], tmp_path, saliency=5)


def test_pieces_of_qvhighlights_are_those_the_set_was_made_of(tmp_path: Path) -> None:
    """150 s and an even number of seconds, whatever the negative span, and not always around the middle."""
    spans = [(100.0 + n, 103.0 + n, 0.4, 399.7) for n in range(60)]
    qvhighlights([film(spans=spans)], tmp_path)
    rows = read_lines(tmp_path / "subs_train" / "train.jsonl")
    assert {row["duration"] for row in rows} == {150}
    starts = [row["relevant_windows"][0][0] for row in rows]
    assert min(starts) < 20 and max(starts) > 125
    again = tmp_path / "again"
    qvhighlights([film(spans=spans)], again)
    assert (again / "subs_train" / "train.jsonl").read_bytes() == (tmp_path / "subs_train/train.jsonl").read_bytes()
    qvhighlights([film()], tmp_path / "whole", longest_s=0.0)
    [row] = read_lines(tmp_path / "whole" / "subs_train" / "train.jsonl")
    assert (row["vid"], row["duration"], row["relevant_windows"]) == ("x_0.0_400.0", 400, [[50.0, 54.0]])
    assert row["relevant_clip_ids"] == [25, 26]


TIME = st.integers(min_value=0, max_value=400_000)


@given(st.lists(TIME, min_size=4, max_size=4, unique=True).map(sorted), st.sampled_from([0.0, 5.0, 150.0]))
def test_a_piece_holds_the_positive_and_stays_in_the_negative(times: list[int], longest_s: float) -> None:
    low, first, last, high = (time / 1000 for time in times)
    video = film(400.0, [(first, last, low, high)])
    piece = piece_of(video, video.spans[0], longest_s, step=2000)
    assert piece.start <= times[1] < times[2] <= piece.end
    if longest_s:
        assert times[0] <= piece.start and piece.end <= times[3]
        assert piece.length <= max(longest_s * 1000, times[2] - times[1])
        room = piece.length % 2000 == 0
        assert room or piece.length // 2000 * 2000 < times[2] - times[1]
    else:
        assert (piece.start, piece.end) == (0, 400_000)
    clips = relevant_clips(piece)
    whole = int(piece.length / 1000 / 2)
    assert clips and clips == list(range(clips[0], clips[-1] + 1)) and clips[-1] < max(whole, 1)
    start, end = piece.window
    touched = [clip for clip in range(whole) if start < clip * 2 + 2 and end > clip * 2]
    assert not touched or clips == touched


def test_vtimellm_says_what_the_set_says(made: Path, tmp_path: Path) -> None:
    export_set(made, "vtimellm", tmp_path / "out")
    rows = json.loads((tmp_path / "out" / "train.json").read_text(encoding="utf-8"))
    spans = spans_of(made)
    assert len(rows) == 2 * len(spans) and NASTY[2] in [span["text"] for span in spans]
    for number, row in enumerate(rows):
        span = spans[number // 2]
        start_s, end_s = row["meta"]["split"]
        assert row["id"] == f"{Path(span['video']['path']).stem}_{start_s}_{end_s}" and row["source"] == "longtake"
        assert ms(span["neg_start_s"]) <= start_s and end_s <= ms(span["neg_end_s"])
        assert row["meta"]["duration"] == ms(end_s - start_s)
        token = row["meta"]["token"]
        assert ms(start_s + token["<s0>"]) == ms(span["start_s"]) and ms(start_s + token["<e0>"]) == ms(span["end_s"])
        question, answer = read_vtimellm(row)
        assert question.startswith("<video>\n") and question.count("<video>") == 1
        sentence = span["text"].replace("<s0>", "(s0)")
        if number % 2 == 0:
            times = re.search(r"(\d{2}) (to|and) (\d{2})", answer)  # as vtimellm/eval/eval.py looks for them
            assert times and question.endswith(sentence)
            assert int(times[1]) / 100 == pytest.approx(token["<s0>"] / row["meta"]["duration"], abs=0.011)
            assert int(times[3]) / 100 == pytest.approx(token["<e0>"] / row["meta"]["duration"], abs=0.011)
        else:
            assert answer == sentence and not re.search("<[se]", question)


def test_vtimellm_of_one_task_and_of_whole_videos(tmp_path: Path) -> None:
    vtimellm([film(text="He says <video> and </s> {} %s.")], tmp_path, task="captioning", longest_s=0.0)
    [row] = json.loads((tmp_path / "train.json").read_text())
    assert row["id"] == "x" and row["meta"] == {"duration": 400.0, "token": {"<s0>": 50.0, "<e0>": 54.0}}
    assert row["conversations"][1]["value"] == "He says (video) and (/s) {} %s."
    with pytest.raises(UsageError, match="task=counting"):
        vtimellm([film()], tmp_path, task="counting")


def test_no_format_has_a_span_that_is_no_good_record(made: Path, tmp_path: Path) -> None:
    for name, settings in (
        ("activitynet", ()),
        ("charades_sta", ()),
        ("qvhighlights", ("saliency=4",)),
        ("vtimellm", ()),
    ):
        export_set(made, name, tmp_path / name, settings=settings)
        written = [path.read_text(encoding="utf-8") for path in (tmp_path / name).rglob("*.*") if path.is_file()]
        assert not any(NO_RECORD in text for text in written) and any("HYPERLINK" in text for text in written)
