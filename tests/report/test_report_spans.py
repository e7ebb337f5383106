"""What the report knows of spans and of clips joined from shots, from tables made by hand and from a real small set."""

from collections import Counter
from pathlib import Path

import pytest
import tomli_w
from exported import kept, small_set
from hypothesis import given
from hypothesis import strategies as st

from longtake.report import data, joins, spans
from longtake.report.data import collect
from longtake.store import Store

RECIPE = {
    "name": "placed",
    "about": "",
    "source": "",
    "not_run": [],
    "clips": {"step": "scenes"},
    "select": {"keep": []},
}
GROUNDED = {**RECIPE, "grounding": {"step": "internvid_g", "least_s": 0.5, "most_s": 10.0}}


def made(folder: Path, videos: int = 1, scenes: int = 10, recipe: dict = GROUNDED) -> Store:
    """Make a set of videos with scenes of 10 s each."""
    folder.mkdir()
    (folder / "recipe.toml").write_text(tomli_w.dumps(recipe))
    store = Store(folder)
    names = [f"v{number:03}" for number in range(videos)]
    store.append("videos", [{"id": v, "path": f"{v}.mp4", "duration_s": 10.0 * scenes, "damage": []} for v in names])
    places = [(v, 10.0 * scene) for v in names for scene in range(scenes)]
    rows = [{"id": clip(v, at), "video_id": v, "start_s": at, "end_s": at + 10, "kept": True} for v, at in places]
    store.append("clips", [{**row, "duration_s": 10.0} for row in rows])
    return store


def clip(video: str, start_s: float) -> str:
    return f"{video}-{start_s:g}"


def span(video: str = "v000", start_s: float = 20.0, **more: object) -> dict:
    """Return a good record of one scene, in a negative span of three."""
    end_s = start_s + 10
    named = {"video_id": video, "clip_id": clip(video, start_s), "step": "lvd2m", "kind": "raw", "number": 0}
    times = {"caption_start_s": start_s, "caption_end_s": end_s, "start_s": start_s, "end_s": end_s}
    around = {"neg_start_s": start_s - 10, "neg_end_s": end_s + 10, "left": "similar", "right": "video"}
    return {**named, **times, **around, "text": "A man walks.", "places": ["middle"], "similar": [], **more}


def drawn(store: Store) -> list[tuple[str, dict]]:
    """Return the path of its video and what is drawn, for each span on the page."""
    found = collect(store.folder)
    paths = [video["path"] for video in found["videos"]]
    return [(paths[film["video"]], one) for film in found["spans"]["films"] for one in film["spans"]]


def test_a_recipe_without_grounding_shows_no_spans_even_where_old_ones_are(tmp_path: Path) -> None:
    store = made(tmp_path / "set", recipe=RECIPE)
    store.append("spans", [span()])
    assert collect(store.folder)["spans"] is None


def test_without_spans_the_command_that_makes_them_is_there(tmp_path: Path) -> None:
    found = collect(made(tmp_path / "my set").folder)["spans"]
    assert (found["count"], found["good"], found["films"], found["histograms"]) == (0, 0, [], [])
    assert found["command"] == "longtake ground 'my set'"


def test_a_span_is_drawn_with_its_edges_in_words_and_what_looks_like_it(tmp_path: Path) -> None:
    store = made(tmp_path / "set")
    similar = [{"start_s": 0.0, "end_s": 10.0, "similarity": 0.91}, {"start_s": 60.0, "end_s": 70.0, "similarity": 0.8}]
    store.append("spans", [span(end_s=35.0, similar=similar, score=0.31, rival=0.25)])
    [(path, one)] = drawn(store)
    assert path == "v000.mp4"
    assert (one["said"], one["positive"], one["negative"]) == ([20.0, 30.0], [20.0, 35.0], [10.0, 40.0])
    assert one["edges"] == ["a scene before looks alike", "the video ends"]
    assert one["similar"] == [[0.0, 10.0, 0.91], [60.0, 70.0, 0.8]]
    assert (one["score"], one["rival"], one["places"], one["rejected_by"]) == (0.31, 0.25, ["middle"], None)


def test_counts_are_over_all_captions_and_reasons_stand_most_first(tmp_path: Path) -> None:
    store = made(tmp_path / "set", videos=2)
    rejected = [span(number=i, rejected_by="no context") for i in range(3)] + [span(number=9, rejected_by="too long")]
    store.append("spans", [span(), span("v001", score=0.3, rival=0.1), *rejected])
    found = collect(store.folder)["spans"]
    assert (found["count"], found["good"], found["videos"], found["scored"]) == (6, 2, 2, 1)
    assert found["rejected"] == [["no context", 3], ["too long", 1]]


def test_histograms_hold_every_caption_and_the_limits_of_its_length(tmp_path: Path) -> None:
    store = made(tmp_path / "set")
    long = span(end_s=95.0, neg_end_s=100.0, number=1, rejected_by="positive too long")
    wide = span(start_s=40.0, neg_start_s=0.0, neg_end_s=90.0)
    store.append("spans", [span(score=0.3, rival=0.1), wide, long])
    positive, over, margin = collect(store.folder)["spans"]["histograms"]
    assert [one["key"] for one in (positive, over, margin)] == ["positive", "negative over positive", "margin"]
    assert [(sum(one["kept"]), sum(one["rejected"])) for one in (positive, over, margin)] == [(2, 1), (2, 1), (1, 0)]
    assert [(t["number"], t["comparison"]) for t in positive["thresholds"]] == [(0.5, ">="), (10.0, "<=")]
    at = over["kept"].index(1)
    assert over["edges"][at] <= 30 / 10 <= over["edges"][at + 1]


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([None, "a", "b"])), max_size=60), st.integers(1, 8))
def test_an_even_choice_is_in_order_without_repeats_and_holds_both_ends(items: list, most: int) -> None:
    places = list(range(len(items)))
    chosen = spans._evenly(places, most)
    assert chosen == sorted(set(chosen))
    assert len(chosen) == min(most, len(places))
    assert not places or chosen[0] == 0
    assert most == 1 or not places or chosen[-1] == places[-1]


def test_a_set_of_any_size_shows_few_spans_of_few_videos_and_one_of_every_reason(tmp_path: Path) -> None:
    store = made(tmp_path / "set", videos=60, scenes=4)
    good = [span(f"v{v:03}", 10.0, number=i) for v in range(60) for i in range(30)]
    rare = span("v037", 20.0, rejected_by="rare")
    store.append("spans", [*good, *(span("v001", 20.0, number=i, rejected_by="often") for i in range(50)), rare])
    shown = drawn(store)
    reasons = Counter(one["rejected_by"] for _, one in shown)
    assert reasons["rare"] == 1
    assert reasons["often"] == spans.REJECTED_SHOWN
    assert 0.7 * spans.GOOD_SHOWN <= reasons[None] <= spans.GOOD_SHOWN
    assert 10 <= len({path for path, _ in shown}) <= spans.FILMS_SHOWN
    assert shown == drawn(store)


def test_where_all_were_rejected_some_are_shown(tmp_path: Path) -> None:
    store = made(tmp_path / "set", videos=30, scenes=3)
    store.append("spans", [span(f"v{v:03}", 10.0, rejected_by="no context") for v in range(30)])
    shown = drawn(store)
    assert {one["rejected_by"] for _, one in shown} == {"no context"}
    assert 1 <= len(shown) <= spans.REJECTED_SHOWN


def test_the_videos_and_clips_of_shown_spans_are_on_the_page_however_many_others_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "VIDEOS_SHOWN", 4)
    monkeypatch.setattr(data, "CLIPS_SHOWN", 6)
    store = made(tmp_path / "set", videos=40, scenes=3)
    store.append("spans", [span("v013", 10.0), span("v029", 10.0)])
    found = collect(store.folder)
    assert {path for path, _ in drawn(store)} == {"v013.mp4", "v029.mp4"}
    assert {one["clip_id"] for _, one in drawn(store)} <= {one["id"] for one in found["clips"]}
    assert len(found["clips"]) == 6


def test_long_texts_reasons_and_lists_are_cut_and_what_a_page_lacks_is_counted(tmp_path: Path) -> None:
    store = made(tmp_path / "set")
    similar = [{"start_s": float(i), "end_s": i + 1.0, "similarity": i / 100} for i in range(100)]
    endless = "w" * 100_000
    store.append("spans", [span(text=endless, similar=similar, rejected_by=endless, left=endless)])
    found = collect(store.folder)["spans"]
    [one] = found["films"][0]["spans"]
    assert len(one["text"]) == spans.TEXT_CHARS
    assert max(map(len, [one["rejected_by"], one["edges"][0], found["rejected"][0][0]])) <= 200
    assert (len(one["similar"]), one["similar_left_out"]) == (spans.SIMILAR_SHOWN, 100 - spans.SIMILAR_SHOWN)
    assert one["similar"][0][2] == pytest.approx(0.60)


def test_spans_of_a_video_that_is_gone_are_counted_but_not_drawn(tmp_path: Path) -> None:
    store = made(tmp_path / "set")
    store.append("spans", [span("gone"), span()])
    assert collect(store.folder)["spans"]["count"] == 2
    assert [path for path, _ in drawn(store)] == ["v000.mp4"]


# Clips joined from shots


def transition(start_s: float, end_s: float, kind: str = "cut") -> dict:
    return {"kind": kind, "start_s": start_s, "end_s": end_s, "start_frame": 0, "end_frame": 0, "confidence": 1.0}


def vote(start_s: float, end_s: float, voter: str, **more: object) -> dict:
    return {"video_id": "v000", "start_s": start_s, "end_s": end_s, "voter": voter, **more}


def joined(store: Store, inside: list[dict]) -> dict:
    """Give the set one more clip with transitions inside it, and return what the page shows of it."""
    span = {"id": "j", "video_id": "v000", "start_s": 200.0, "end_s": 300.0, "duration_s": 100.0, "kept": True}
    store.append("clips", [{**span, "transitions": len(inside), "transitions_at": inside}])
    return {one["id"]: one for one in collect(store.folder)["clips"]}["j"]


def test_a_joined_clip_lists_its_transitions_in_its_own_time_with_all_votes_on_each(tmp_path: Path) -> None:
    store = made(tmp_path / "set")
    yes = {"joins": True, "score": 0.9, "model": None}
    store.append(
        "votes",
        [
            vote(212.4, 212.4, "colour", **yes),
            vote(212.4000004, 212.4, "model_a", joins=None, model="Some/Model-8B"),
            vote(250.0, 250.0, "colour", joins=False, score=0.1),
            {**vote(212.4, 212.4, "colour", joins=False), "video_id": "another"},
        ],
    )
    found = joined(store, [transition(212.4, 212.4), transition(230.0, 231.5, "dissolve")])
    assert found["joins"] == 2
    first, second = found["joined"]
    assert (first["start_s"], first["end_s"], first["kind"]) == (pytest.approx(12.4), pytest.approx(12.4), "cut")
    assert sorted(first["votes"], key=lambda one: one["voter"]) == [
        {"voter": "colour", **yes},
        {"voter": "model_a", "joins": None, "score": None, "model": "Some/Model-8B"},
    ]
    assert (second["start_s"], second["end_s"], second["votes"]) == (30.0, 31.5, [])
    assert collect(store.folder)["totals"]["joined"] == 1


def test_a_clip_of_one_shot_joins_nothing_and_of_many_joins_the_first_are_shown(tmp_path: Path) -> None:
    store = made(tmp_path / "set", scenes=2)
    found = joined(store, [transition(200.5 + i, 200.5 + i) for i in range(90)])
    assert (found["joins"], len(found["joined"])) == (90, joins.JOINS_SHOWN)
    others = [one for one in collect(store.folder)["clips"] if one["id"] != "j"]
    assert [(one["joins"], one["joined"]) for one in others] == [(0, []), (0, [])]


@pytest.mark.parametrize(
    ("step", "noun"), [("takes", "take"), ("scenes", "scene"), ("stitch", "clip"), ("m:f", "clip")]
)
def test_clips_are_called_what_they_are(tmp_path: Path, step: str, noun: str) -> None:
    store = made(tmp_path / "set", recipe={**RECIPE, "clips": {"step": step}})
    assert collect(store.folder)["noun"] == noun


def test_spans_of_a_real_set_lie_on_its_videos(tmp_path: Path) -> None:
    folder = small_set(tmp_path)
    store = Store(folder)
    with (folder / "recipe.toml").open("a") as toml:
        toml.write('\n[grounding]\nstep = "internvid_g"\n')
    clips = kept(folder)
    at = ("id", "video_id", "start_s", "end_s")
    store.append(
        "spans",
        [
            {**span(video, start_s, end_s=end_s, neg_start_s=0.0, neg_end_s=end_s + 0.5), "clip_id": name}
            for name, video, start_s, end_s in ([one[key] for key in at] for one in clips)
        ],
    )
    found = collect(folder)
    assert sum(len(film["spans"]) for film in found["spans"]["films"]) == len(clips)
    by_id = {one["id"]: one for one in found["clips"]}
    for film in found["spans"]["films"]:
        for one in film["spans"]:
            assert by_id[one["clip_id"]]["video"] == film["video"]
