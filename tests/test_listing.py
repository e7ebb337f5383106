"""What a list says of fetched videos: its spans as clips, its captions and scores with them, and all of it anew."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from media import FPS, pan, write_video

from longtake import listing
from longtake.clips.listed import ROUNDING_S
from longtake.clips.listed import listed as clips_listed
from longtake.errors import UsageError
from longtake.listing import take_lists
from longtake.recipe import load
from longtake.removing import remove_videos
from longtake.running import run
from longtake.sources import Listed, ListedCaption
from longtake.sources.files import find_videos
from longtake.sources.lists import to_json
from longtake.sources.placing import rows_about
from longtake.store import Store
from longtake.watch import Progress

LENGTH_S = 8
SETTINGS = ["files.preset='ultrafast'", "scores.listed.names=total_score"]


def row(
    number: int,
    span: tuple[float | None, float | None],
    texts: Sequence[str] = (),
    video: str = "film",
    **scores: float,
) -> Listed:
    captions = tuple(ListedCaption("raw", text) for text in texts)
    address = f"https://example.org/{video}"
    return Listed("lvd2m", video, address, *span, f"{video}.{number}", captions, scores, {"source": "hdvg"}, number)


ROWS = (
    row(1, (1.0, 4.0), ["A dog runs."], total_score=0.25),
    row(2, (1.0, 4.0), ["A dog runs.", "It stops."]),
    row(3, (5.0, 60.0), ["A cat sleeps."]),
    row(4, (70.0, 80.0), ["Nobody sees this."]),
    row(5, (0.0, 2.0), ["Of a video that was never had."], video="other"),
)


def fetched(folder: Path, rows: Sequence[Listed] = ROWS) -> Path:
    """Return a folder as fetching makes it, with one video."""
    (folder / "videos").mkdir(parents=True, exist_ok=True)
    if not (folder / "videos" / "film.mp4").exists():
        write_video(folder / "videos" / "film.mp4", pan(LENGTH_S * FPS, seed=5, speed=0.05))
    (folder / "list.jsonl").write_text("".join(to_json(one) + "\n" for one in rows))
    return folder


def clips(made: Path) -> list[dict]:
    return sorted(Store(made).read("clips").to_pylist(), key=lambda clip: clip["start_s"])


def said(made: Path) -> list[tuple[float, str]]:
    starts = {clip["id"]: clip["start_s"] for clip in clips(made)}
    rows = Store(made).read("captions", where="step = 'listed'").to_pylist()
    return sorted((starts[caption["clip_id"]], caption["text"]) for caption in rows)


def test_the_spans_captions_and_scores_of_a_list_come_along(tmp_path: Path) -> None:
    done = run("listed", [fetched(tmp_path / "fetched")], tmp_path / "set", settings=SETTINGS, workers=1)
    assert not done.failed and done.plan.others == 0
    first, second = clips(tmp_path / "set")
    assert (first["start_s"], first["end_s"]) == pytest.approx((1.0, 4.0), abs=0.5 / FPS)
    assert (second["start_s"], second["end_s"]) == pytest.approx((5.0, LENGTH_S), abs=0.5 / FPS)
    assert (first["listed"], second["listed"]) == ({"total_score": 0.25}, {"total_score": None})
    assert (tmp_path / "set" / first["file"]).is_file()
    assert said(tmp_path / "set") == [
        (first["start_s"], "A dog runs."),
        (first["start_s"], "It stops."),
        (second["start_s"], "A cat sleeps."),
    ]
    again = run("listed", [tmp_path / "fetched"], tmp_path / "set", settings=SETTINGS, workers=1)
    assert (again.measured.videos, again.written.written, again.captioned.captions) == (0, 0, 0)


def test_a_list_that_changed_is_gone_by_without_a_decode(tmp_path: Path) -> None:
    folder = fetched(tmp_path / "fetched")
    run("listed", [folder], tmp_path / "set", settings=SETTINGS, workers=1)
    rows = [row(1, (1.0, 4.0), ["A wolf runs."], total_score=0.5), row(2, (4.0, 8.0), ["It sleeps."])]
    fetched(folder, rows)
    done = run("listed", [folder], tmp_path / "set", settings=SETTINGS, workers=1)
    assert (done.plan.to_scan, done.plan.to_derive) == (0, 1)
    assert [text for _, text in said(tmp_path / "set")] == ["A wolf runs.", "It sleeps."]
    assert [clip["end_s"] for clip in clips(tmp_path / "set")] == pytest.approx([4.0, 8.0], abs=0.5 / FPS)


def test_rules_can_ask_for_a_lists_scores(tmp_path: Path) -> None:
    rule = "select.keep=['listed.total_score >= 0.2']"
    done = run("listed", [fetched(tmp_path / "f")], tmp_path / "set", settings=[*SETTINGS, rule], workers=1)
    assert done.kept == 1
    assert [clip["rejected_by"] for clip in clips(tmp_path / "set")] == [
        None,
        "listed.total_score >= 0.2 (not measured)",
    ]


def test_without_a_list_the_recipe_says_where_one_comes_from(tmp_path: Path) -> None:
    folder = fetched(tmp_path / "fetched")
    with pytest.raises(UsageError, match="longtake fetch LIST --to FOLDER"):
        run("listed", [folder / "videos"], tmp_path / "set", workers=1)


def test_a_removed_videos_rows_of_the_list_go_too(tmp_path: Path) -> None:
    run("listed", [fetched(tmp_path / "fetched")], tmp_path / "set", settings=SETTINGS, workers=1)
    remove_videos(tmp_path / "set", [str(tmp_path / "fetched" / "videos" / "film.mp4")])
    assert {one["video"] for one in Store(tmp_path / "set").read("listed").to_pylist()} == {"other"}
    bytes_left = b"".join(path.read_bytes() for path in (tmp_path / "set").rglob("*") if path.is_file())
    assert not re.search(rb"A dog runs|A cat sleeps", bytes_left)


spans = st.tuples(st.none() | st.floats(0, 30), st.none() | st.floats(0, 40)).filter(
    lambda span: (span[0] or 0.0) < (60.0 if span[1] is None else span[1])
)


@given(st.lists(spans, max_size=12), st.integers(1, 400), st.sampled_from([1.0, 10.0, 24.0, 29.97, 60.0]))
def test_clips_hold_the_frames_of_their_spans_and_no_other(
    asked: list[tuple[float | None, float | None]], frames: int, fps: float
) -> None:
    import numpy as np

    times, end_s = np.arange(frames) / fps, frames / fps
    rows = [{"start_s": start, "end_s": end} for start, end in asked]
    found = clips_listed([], times, end_s, rows)
    assert found == sorted(set(found), key=lambda clip: (clip.start_frame, clip.end_frame))
    for clip in found:
        assert 0 <= clip.start_frame < clip.end_frame <= frames
        assert clip.start_s == times[clip.start_frame]
        assert rows_about(rows, clip.start_s, clip.end_s, video_s=end_s, fps=fps)
    for start, end in asked:
        low, high = start or 0.0, end_s if end is None else min(end, end_s)
        inside = np.flatnonzero((times >= low) & (times < high - ROUNDING_S))
        if len(inside) > 1:
            assert any(c.start_frame <= inside[0] and c.end_frame > inside[-1] for c in found)


def test_of_neighbouring_rows_each_clip_has_its_own(tmp_path: Path) -> None:
    rows = [row(1, (0.0, 3.0), ["one"], total_score=0.1), row(2, (0.2, 3.2), ["near"], total_score=0.9)]
    run("listed", [fetched(tmp_path / "fetched", rows)], tmp_path / "set", settings=SETTINGS, workers=1)
    assert [text for _, text in said(tmp_path / "set")] == ["one", "near"]
    assert [clip["listed"]["total_score"] for clip in clips(tmp_path / "set")] == [0.1, 0.9]


def test_a_second_folder_leaves_the_first_ones_words(tmp_path: Path) -> None:
    run("listed", [fetched(tmp_path / "one")], tmp_path / "set", settings=SETTINGS, workers=1)
    other = tmp_path / "two"
    (other / "videos").mkdir(parents=True)
    write_video(other / "videos" / "film.mp4", pan(3 * FPS, seed=9, speed=0.05))
    fetched(other, [row(1, (0.0, 2.0), ["Of the other."])])
    run("listed", [other], tmp_path / "set", settings=SETTINGS, workers=1)
    texts = {text for _, text in said(tmp_path / "set")}
    assert texts == {"A dog runs.", "It stops.", "A cat sleeps.", "Of the other."}
    again = run("listed", [tmp_path / "one"], tmp_path / "set", settings=SETTINGS, workers=1)
    assert again.measured.videos == 0 and {text for _, text in said(tmp_path / "set")} == texts


def test_lists_of_two_folders_count_for_a_video_that_both_hold(tmp_path: Path) -> None:
    one = fetched(tmp_path / "one", [row(1, (1.0, 4.0), ["Of one."], total_score=0.25)])
    two = tmp_path / "two"
    shutil.copytree(one / "videos", two / "videos")
    fetched(two, [row(1, (1.0, 4.0), ["Of two."], matching_score=0.5), row(2, (5.0, 7.0), ["More of two."])])
    settings = [*SETTINGS, "scores.listed.names=total_score,matching_score"]
    made = tmp_path / "set"
    done = run("listed", [one, two], made, settings=settings, workers=1)
    assert (done.plan.videos, done.plan.copies) == (1, 1)
    assert [text for _, text in said(made)] == ["Of one.", "Of two.", "More of two."]
    assert clips(made)[0]["listed"] == {"total_score": 0.25, "matching_score": 0.5}

    fetched(two, [row(1, (1.0, 4.0), ["Two says else."], matching_score=0.5)])
    done = run("listed", [two], made, settings=settings, workers=1)
    assert (done.plan.to_scan, done.plan.to_derive) == (0, 1)
    assert [text for _, text in said(made)] == ["Of one.", "Two says else."]

    fetched(one, [row(1, (0.0, 1.0), video="other", total_score=0.25)])
    run("listed", [one], made, settings=settings, workers=1)
    assert [text for _, text in said(made)] == ["Two says else."]
    [video] = Store(made).read("videos", ["id"])["id"].to_pylist()
    remove_videos(made, [video])
    left = Store(made).read("listed").to_pylist()
    assert {one["video"] for one in left} == {"other"}, "rows of both folders about the video are gone"


def test_what_is_asked_of_a_list_that_has_it_not(tmp_path: Path) -> None:
    folder = fetched(tmp_path / "fetched")
    for asked, words in (("total_scor", "did you mean 'total_score'"), ("x,total_score", "'x'; there is total_score")):
        with pytest.raises(UsageError, match=rf"scores\.listed\.names: no list here has .*{words}"):
            run("listed", [folder], tmp_path / "set", settings=[f"scores.listed.names={asked}"], workers=1)
        assert not Store(tmp_path / "set").has("videos"), "before the first decode"
    run("listed", [folder], tmp_path / "set", settings=SETTINGS, workers=1)
    with pytest.raises(UsageError, match="did you mean"):  # the list is known by now, and not read again
        run("listed", [folder], tmp_path / "set", settings=["scores.listed.names=total_scores"], workers=1)
    fetched(folder, [row(1, (1.0, 4.0))])
    with pytest.raises(UsageError, match="none has scores"):
        run("listed", [folder], tmp_path / "set", settings=SETTINGS, workers=1)


def test_videos_that_no_row_names_are_told_with_how_far_reading_is(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(listing, "QUIET_S", 0.0)
    monkeypatch.setattr(listing, "ROWS_AT_ONCE", 2)
    folder = fetched(tmp_path / "fetched")
    shutil.copy(folder / "videos" / "film.mp4", folder / "videos" / "extra.mp4")
    told: list[Progress] = []
    recipe, found = load("listed", SETTINGS), find_videos([folder])
    take_lists(Store(tmp_path / "set"), recipe, found, told.append)
    assert [(one.phase, one.done, one.total) for one in told] == [("list", 2, 0), ("list", 4, 0), ("list", 5, 5)]
    assert told[-1].words == "1 videos are named by no row, and give no clips: extra"
    told.clear()
    take_lists(Store(tmp_path / "set"), recipe, found, told.append)
    assert told == []


def test_a_removed_videos_rows_stay_out_and_come_back_with_it(tmp_path: Path) -> None:
    folder = fetched(tmp_path / "fetched")
    run("listed", [folder], tmp_path / "set", settings=SETTINGS, workers=1)
    remove_videos(tmp_path / "set", [str(folder / "videos" / "film.mp4")])
    fetched(folder, [*ROWS, row(6, (0.0, 1.0), video="third")])
    run("listed", [folder], tmp_path / "set", settings=SETTINGS, workers=1)
    assert {one["video"] for one in Store(tmp_path / "set").read("listed").to_pylist()} == {"other", "third"}
    (tmp_path / "set" / "removed.txt").unlink()
    run("listed", [folder], tmp_path / "set", settings=SETTINGS, workers=1)
    assert len(clips(tmp_path / "set")) == 2


def test_a_list_that_cannot_be_read_costs_nothing(tmp_path: Path) -> None:
    folder = fetched(tmp_path / "fetched")
    run("listed", [folder], tmp_path / "set", settings=SETTINGS, workers=1)
    before = said(tmp_path / "set")
    (folder / "fetched.sqlite").touch()
    (folder / "list.jsonl").write_text('{"half')
    with pytest.raises(UsageError):
        run("listed", [folder], tmp_path / "set", settings=SETTINGS, workers=1)
    assert said(tmp_path / "set") == before


def test_what_fetching_left_beside_the_videos_is_none(tmp_path: Path) -> None:
    folder = fetched(tmp_path / "fetched")
    (folder / "parts" / "x").mkdir(parents=True)
    write_video(folder / "parts" / "x" / "x.f137.mp4", pan(FPS, seed=9, speed=0.05))
    found = find_videos([folder])
    assert [path.name for path in found.videos] == ["film.mp4"] and found.others == 0
