"""InternVid-G's files: each as its own scripts read it, equal to the set, and sound when checked as published."""

import json
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exported import FILMS, NASTY, NO_RECORD, grounded_set, spans_of

from longtake.corpus import SetCorpus, timeline_of
from longtake.exporting import export_set
from longtake.exports import Grounded
from longtake.exports._instructions import instruction
from longtake.exports._scenes import of_scenes, of_shots
from longtake.exports.internvid_g import _matrix, internvid_g
from longtake.grounding import Sentence, Timeline
from longtake.grounding.internvid_g import internvid_g as ground
from longtake.published import Lines, check_spans, read_captions, read_scenes, read_similarity, read_spans
from longtake.recipe import resolve
from longtake.records import Series
from longtake.settings import read_recipe
from longtake.store import Store

KEYS = [
    "video",
    "duration",
    "start_sec",
    "end_sec",
    "neg_start_sec",
    "neg_end_sec",
    "caption",
    "start_scene",
    "end_scene",
    "neg_start_scene",
    "neg_end_scene",
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return grounded_set(tmp_path_factory.mktemp("grounded"))


@pytest.fixture(scope="module")
def out(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_set(made, "internvid_g", tmp_path_factory.mktemp("export") / "out").folder / "train"


def read(path: Path) -> list[dict[str, Any]]:
    """As the scripts read: `json.loads` of each line of an open file."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def ms(seconds: float) -> float:
    return round(seconds, 3)


def test_final_records_have_the_published_keys_and_the_spans_of_the_set(made: Path, out: Path) -> None:
    rows = read(out / "final_dataset.jsonl")
    assert [list(row) for row in rows] == [KEYS] * 5
    for row, span in zip(rows, spans_of(made), strict=True):
        assert row["video"] == Path(span["video"]["path"]).name and row["caption"] == span["text"]
        assert row["duration"] == ms(span["video"]["duration_s"])
        for key in ("start", "end", "neg_start", "neg_end"):
            assert row[f"{key}_sec"] == ms(span[f"{key}_s"]) and row[f"{key}_scene"] == span[f"{key}_scene"]
    assert any(row["neg_end_scene"] is None for row in rows) and any(row["neg_end_scene"] == 1 for row in rows)


def test_reading_it_back_gives_the_same_spans(made: Path, out: Path) -> None:
    lines = Lines(out / "final_dataset.jsonl")
    for record, span in zip(read_spans(lines), spans_of(made), strict=True):
        found = record.span
        assert found.caption == span["text"] and not record.more
        for name in ("start_s", "end_s", "neg_start_s", "neg_end_s"):
            assert getattr(found, name) == pytest.approx(span[name], abs=5e-4)
        for name in ("start_scene", "end_scene", "neg_start_scene", "neg_end_scene"):
            assert getattr(found, name) == span[name]
    assert not lines.bad and not lines.blank


def test_scenes_and_their_similarities_fit_each_other(made: Path, out: Path) -> None:
    """As `ground_data_construction.py` puts files together: by video, rows of a matrix by scenes."""
    store = Store(made)
    scenes = dict(read_scenes(Lines(out / "scenes-merged.jsonl")))
    shots = dict(read_scenes(Lines(out / "scenes.jsonl")))
    alike = dict(read_similarity(Lines(out / "scenes_merged_similarity.jsonl")))
    shots_alike = dict(read_similarity(Lines(out / "scenes_similarity.jsonl")))
    assert set(scenes) == set(shots) == set(alike) == set(shots_alike) == set(FILMS), "films without spans too"
    corpus = SetCorpus(store, resolve(read_recipe(made)))
    films = {row["id"]: row for row in store.read("videos").to_pylist()}
    for timeline, _ in corpus.read(sorted(films)):
        name = Path(films[timeline.video_id]["path"]).name
        assert scenes[name][0][0] == 0 and scenes[name][-1][1] == ms(timeline.duration_s)
        assert scenes[name] == [(ms(a), ms(b)) for a, b in zip(timeline.starts_s, timeline.ends_s, strict=True)]
        assert len(shots[name]) == len(shots_alike[name]) == len(timeline.shots)
        owners = [next(i for i, (a, b) in enumerate(scenes[name]) if a <= (s + e) / 2 < b) for s, e in shots[name]]
        assert owners == timeline.scene_of.tolist()
        np.testing.assert_allclose(shots_alike[name], timeline.shots @ timeline.shots.T, atol=6e-4)
        assert alike[name].shape == (len(scenes[name]),) * 2
    rows = store.read("shots").to_pylist()
    cut = sorted((row["start_s"], row["end_s"]) for row in rows if films[row["video_id"]]["path"].endswith(FILMS[1]))
    assert len(cut) == 2 and shots[FILMS[1]][0][0] == cut[0][0]


def test_shots_have_a_row_each_in_the_matrix_though_one_was_too_short_to_be_measured(tmp_path: Path) -> None:
    """Two scenes; the first shot reaches into both, and nothing fell into the third."""
    times = np.array([0.5, 1.0, 2.5, 4.0, 5.0])
    series = Series(("a", "b"), times, np.arange(5, dtype=np.int32), np.ones((5, 2), np.float32))
    shots = [{"start_s": a, "end_s": b} for a, b in ((0.0, 3.0), (3.0, 3.2), (3.2, 3.5), (3.5, 6.0))]
    timeline = timeline_of("v", 6.0, [(0.0, 2.0), (2.0, 6.0)], shots, series)
    video = Grounded({"id": "v", "path": "v.mp4", "duration_s": 6.0}, "train", shots, [], [], [], timeline)
    internvid_g([video], tmp_path, lambda _: [])
    [(_, cut)] = read_scenes(Lines(tmp_path / "train" / "scenes.jsonl"))
    [(_, matrix)] = read_similarity(Lines(tmp_path / "train" / "scenes_similarity.jsonl"))
    assert cut == [(0.0, 2.0), (2.0, 3.0), (3.5, 6.0)]
    assert matrix.shape == (3, 3) and not np.isnan(matrix).any()


def test_without_a_signal_shots_go_out_as_they_are(tmp_path: Path) -> None:
    shots = [{"start_s": 0.0, "end_s": 3.0}, {"start_s": 3.0, "end_s": 6.0}]
    video = Grounded({"id": "v", "path": "v.mp4", "duration_s": 6.0}, "train", shots, [], [], [], None)
    internvid_g([video], tmp_path, lambda _: [])
    assert list(read_scenes(Lines(tmp_path / "train" / "scenes.jsonl"))) == [("v.mp4", [(0.0, 3.0), (3.0, 6.0)])]


def test_captions_before_and_after_the_filter(made: Path, out: Path) -> None:
    rows = Store(made).read("spans").to_pylist()
    every = list(read_captions(Lines(out / "scenes-blip2.jsonl")))
    assert sorted(one.caption for one in every) == sorted(row["text"] for row in rows)
    assert {one.video for one in every} == set(FILMS) and NO_RECORD in [one.caption for one in every]
    scored = [row for row in rows if row["score"] is not None]
    filtered = list(read_captions(Lines(out / "scenes-blip2-filtered.jsonl")))
    assert sorted((one.caption, one.score, one.start_s, one.end_s) for one in filtered) == sorted(
        (row["text"], row["score"], ms(row["caption_start_s"]), ms(row["caption_end_s"])) for row in scored
    )
    assert 0 < len(filtered) < len(every)
    best = read(out / "scenes-blip2-filtered-high_sims.jsonl")
    assert all(list(row) == ["video_fname", "start_sec", "end_sec", "captions"] for row in best)
    assert sorted(text for row in best for text in row["captions"]) == sorted(NASTY)


def test_captions_of_one_stretch_are_one_row(tmp_path: Path) -> None:
    video = _grounded(_timeline(4, 4), [])
    spans = [_row(0, "One."), _row(1, "Two."), _row(2, "Three.") | {"caption_end_s": 1.5}]
    internvid_g([_with(video, spans)], tmp_path, lambda _: [_row(3, "Four.")])
    assert [row["captions"] for row in read(tmp_path / "train" / "scenes-blip2.jsonl")] == [
        ["Three."],
        ["One.", "Two.", "Four."],
    ]


def _hawkeye(qa: dict[str, Any], place: str, start_s: float, end_s: float, method: str) -> tuple[str, str]:
    """Return question and answer as `dataset/it_dataset.py` fills them in."""
    qa = dict(qa)
    if method == "choice":
        for key in ("q", "a"):
            if isinstance(qa[key], list):
                qa[key] = next(option for name, option in qa[key] if name == place)
    else:
        for key in ("q", "a"):
            if "%" in qa[key]:
                qa[key] = qa[key] % (start_s, end_s)
    return qa["q"], qa["a"]


@pytest.mark.parametrize("place", ["beginning", "middle", "end", "throughout"])
def test_instructions_are_what_the_reader_expects(made: Path, out: Path, place: str) -> None:
    forms = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (out / "instructions").iterdir()}
    assert set(forms) == {"grounding", "captioning", "choice", "choice_captioning"}
    for number, span in enumerate(spans_of(made)):
        sentence = (span["text"][0].upper() + span["text"][1:]).removesuffix(".")
        without = sentence.replace("%", " percent")
        time = "From second 1.5 to second 3.2."
        for form, rows in forms.items():
            assert rows[number]["video"] == Path(span["video"]["path"]).name
            [qa] = rows[number]["QA"]
            assert list(qa) == ["start_sec", "end_sec", "neg_start_sec", "neg_end_sec", "i", "q", "a"] and qa["i"]
            assert [qa["start_sec"], qa["neg_end_sec"]] == [ms(span["start_s"]), ms(span["neg_end_s"])]
            q, a = _hawkeye(qa, place, 1.5, 3.2, "choice" if form.startswith("choice") else "second")
            if form == "grounding":
                assert q.endswith(without) and a == time
            elif form == "captioning":
                assert (q, a) == (time, without)
            elif form == "choice":
                assert sentence in q and a in q.splitlines() and place in a.lower()
                assert [line[:3] for line in q.splitlines()[-4:]] == ["(A)", "(B)", "(C)", "(D)"]
            else:
                assert place in q.lower() and a == sentence


def test_options_stand_in_every_order_and_so_does_the_right_one() -> None:
    video = _grounded(_timeline(4, 4), [])
    firsts = {instruction("choice", video, _row(number, "A dog."))["a"][0][0] for number in range(60)}
    assert firsts == {"beginning", "middle", "end", "throughout"}


def test_files_can_be_left_out(made: Path, tmp_path: Path) -> None:
    export_set(made, "internvid_g", tmp_path / "out", settings=["similarity=false", "instructions=false"])
    names = {path.name for path in (tmp_path / "out" / "train").iterdir()}
    assert "final_dataset.jsonl" in names and "scenes-merged.jsonl" in names
    assert not any("similarity" in name or name == "instructions" for name in names)


def test_similarities_in_blocks_are_those_of_the_whole_matrix() -> None:
    timeline = _timeline(90, 300)
    timeline.shots[[5, 250]] = np.nan
    shots = timeline.shots @ timeline.shots.T
    np.testing.assert_allclose(np.concatenate(list(of_shots(timeline))), shots, atol=1e-6)
    expected = np.array([[np.nanmax(shots[np.ix_(a, b)]) for b in _members(timeline)] for a in _members(timeline)])
    np.testing.assert_allclose(np.concatenate(list(of_scenes(timeline))), expected, atol=1e-6)
    np.testing.assert_allclose(np.concatenate(list(of_scenes(timeline, 7))), expected[:7, :7], atol=1e-6)
    assert np.concatenate(list(of_shots(timeline, 7))).shape == (7, 7)


def test_a_scene_that_was_not_measured_is_nan_and_read_as_such(tmp_path: Path) -> None:
    timeline = _timeline(3, 3)
    timeline.shots[1] = np.nan
    internvid_g([_grounded(timeline, [])], tmp_path, lambda _: [])
    [(_, matrix)] = read_similarity(Lines(tmp_path / "train" / "scenes_merged_similarity.jsonl"))
    assert np.isnan(matrix).tolist() == [[False, True, False], [True] * 3, [False, True, False]]


def test_no_matrix_is_held_as_a_whole() -> None:
    timeline = _timeline(1500, 1500)
    tracemalloc.start()
    length = sum(len(piece) for piece in _matrix("x.mp4", of_scenes(timeline), 6))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert length > 15_000_000 > 5 * peak


def test_what_grounding_makes_is_sound_when_it_is_read_as_published(tmp_path: Path) -> None:
    """Spans of random films, by the step, through the export, into the check of published files: nothing is broken."""
    rng = np.random.default_rng(5)
    films = []
    for number in range(12):
        timeline = _timeline(int(rng.integers(1, 30)), 40, seed=number, alike=0.75)
        said = [
            Sentence(f"c{i}", "a", "short", 0, f"Thing {rng.integers(6)} moves.", float(a), float(b))
            for i, (a, b) in enumerate(zip(timeline.starts_s, timeline.ends_s, strict=True))
        ]
        films.append((timeline, said))
    grounded = [(timeline, spans) for timeline, spans in ground(films)]
    videos = [
        _with(_grounded(timeline, []), [_plain(span) for span in spans if span.rejected_by is None], f"{number}.mp4")
        for number, (timeline, spans) in enumerate(grounded)
    ]
    internvid_g(videos, tmp_path, lambda _: [])
    files = [
        tmp_path / "train" / f"{name}.jsonl" for name in ("final_dataset", "scenes-merged", "scenes_merged_similarity")
    ]
    checked = check_spans(*files)
    assert checked.records == sum(len(video.spans) for video in videos) > 20
    assert [(one.invariant, one.records) for one in checked.broken if one.records] == []
    assert checked.sound == checked.records and not checked.bad_lines and not checked.not_tested


def _members(timeline: Timeline) -> list[np.ndarray]:
    return [np.flatnonzero(timeline.scene_of == scene) for scene in range(len(timeline.starts_s))]


def _timeline(scenes: int, shots: int, *, seed: int = 1, alike: float = 0.0) -> Timeline:
    """Return a made-up video: scenes of 2 to 6 s, shots spread over them."""
    rng = np.random.default_rng(seed)
    shots = max(scenes, shots)
    owners = np.sort(np.concatenate([np.arange(scenes), rng.integers(0, scenes, shots - scenes)])).astype(np.int32)
    edges = np.concatenate([[0.0], np.cumsum(rng.uniform(2.0, 6.0, scenes))])
    centres = rng.normal(size=(5, 16))
    vectors = (1 - alike) * rng.normal(size=(shots, 16)) + alike * centres[rng.integers(0, 5, shots)]
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    frames = np.stack([unit[np.searchsorted(owners, np.arange(scenes))]] * 3, axis=1)
    counts = np.bincount(owners)
    parts = [np.linspace(a, b, n + 1) for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)]
    at = np.concatenate([np.stack([part[:-1], part[1:]], axis=1) for part in parts])
    return Timeline(f"v{seed}-{scenes}", float(edges[-1]), edges[:-1], edges[1:], unit, owners, frames, at)


def _grounded(timeline: Timeline, spans: Sequence[dict[str, Any]], name: str = "x.mp4") -> Grounded:
    video = {"id": timeline.video_id, "path": f"/films/{name}", "duration_s": timeline.duration_s}
    return Grounded(video, "train", [], [], [], spans, timeline)


def _with(video: Grounded, spans: Sequence[dict[str, Any]], name: str = "x.mp4") -> Grounded:
    assert video.timeline is not None
    return _grounded(video.timeline, spans, name)


def _row(number: int, text: str) -> dict[str, Any]:
    times = {"caption_start_s": 0.0, "caption_end_s": 2.0, "start_s": 0.0, "end_s": 2.0, "neg_start_s": 0.0}
    scenes = {"start_scene": 0, "end_scene": 0, "neg_start_scene": None, "neg_end_scene": None}
    named = {"clip_id": "c", "step": "a", "kind": "short", "number": number, "text": text}
    return {**named, **times, "neg_end_s": 8.0, **scenes, "score": 0.5}


def _plain(span: Any) -> dict[str, Any]:
    return {name: getattr(span, name) for name in type(span).__slots__}
