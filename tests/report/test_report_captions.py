"""What the report knows of captions, answers and judges, from the tables of sets made by hand."""

from pathlib import Path

import pyarrow as pa
import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from longtake.errors import SetError
from longtake.report import captions, data, write_report
from longtake.report.captions import LINE_CHARS, TEXT_CHARS, best_line, cut
from longtake.report.data import collect
from longtake.schemas import SCHEMAS, score_schema
from longtake.select_set import select_set
from longtake.store import Store

RECIPE = {"name": "told", "about": "", "source": "", "not_run": [], "scores": {}, "select": {"keep": []}}
SERVED = {"default": {"url": "http://localhost:8000/v1", "model": "m"}}
JUDGED = {"judges": {"judge": {"step": "lvd2m"}}, "select": {"keep": ["judge.varied >= 1"]}}


def made(folder: Path, clips: int = 3, **recipe: object) -> Store:
    """Make a set of one video with clips of 10 s, all of which the rules keep unless `recipe` has others."""
    folder.mkdir()
    (folder / "recipe.toml").write_text(tomli_w.dumps({**RECIPE, **recipe}))
    store = Store(folder)
    store.append("videos", [{"id": "v", "path": "v.mp4", "duration_s": 10.0 * clips, "damage": []}])
    rows = [
        {"id": f"c{i}", "video_id": "v", "start_s": 10.0 * i, "end_s": 10.0 * i + 10, "duration_s": 10.0}
        for i in range(clips)
    ]
    store.append("clips", [{**row, "kept": True} for row in rows])
    return store


def caption(clip: str, kind: str, text: str, **more: object) -> dict:
    span = {"number": 0, "start_s": 0.0, "end_s": 10.0}
    about = {"step": "lvd2m", "problems": [], "model": "m", "frames_s": [1.0, 2.0], "work": "w"}
    return {"clip_id": clip, "video_id": "v", "kind": kind, "text": text, **span, **about, **more}


def answer(model: str, **more: object) -> dict:
    return {"key": "k", "model": model, "prompt_tokens": 1000, "completion_tokens": 50, "cost_usd": 0.25, **more}


def shown(store: Store) -> dict[str, dict]:
    return {clip["id"]: clip for clip in collect(store.folder)["clips"]}


def test_the_best_caption_stands_under_the_picture_and_all_of_them_in_order(tmp_path: Path) -> None:
    store = made(tmp_path / "set", captions={"lvd2m": {}, "measured": {}})
    store.append(
        "captions",
        [
            caption("c0", "measured", "Timed.", step="measured", model=None, frames_s=[]),
            caption("c0", "raw", "Second part.", number=1, start_s=5.0),
            caption("c0", "raw", "First part.", end_s=5.0),
            caption("c0", "rewritten", "A man walks.", frames_s=[]),
            caption("c0", "refined", "A man walks along a pier.", frames_s=[]),
            caption("c1", "measured", "Timed.", step="measured", model=None, frames_s=[]),
            caption("c1", "short", "The camera pans.", step="measured", model=None, frames_s=[]),
        ],
    )
    clips = shown(store)
    assert [clips[name]["line"] for name in ("c0", "c1", "c2")] == ["A man walks.", "The camera pans.", None]
    assert [(one["step"], one["kind"], one["text"]) for one in clips["c0"]["captions"]] == [
        ("lvd2m", "rewritten", "A man walks."),
        ("lvd2m", "refined", "A man walks along a pier."),
        ("lvd2m", "raw", "First part."),
        ("lvd2m", "raw", "Second part."),
        ("measured", "measured", "Timed."),
    ]
    first = clips["c0"]["captions"][2]
    assert (first["start_s"], first["end_s"], first["model"], first["frames"]) == (0.0, 5.0, "m", 2)
    assert clips["c2"]["captions"] == []


def test_a_clips_line_is_never_one_that_was_set_aside_and_a_models_before_a_measured_one() -> None:
    wrong = caption("c", "rewritten", "Wrong.", problems=["too short"])
    measured = caption("c", "short", "The camera pans.", step="measured", model=None)
    seen, part = caption("c", "short", "A dog runs."), caption("c", "raw", "Long.")
    assert best_line([wrong, measured, seen, part]) == "A dog runs."
    assert best_line([wrong, measured, part, part]) == "The camera pans."
    assert best_line([wrong, part, part]) is None


def test_where_a_model_said_one_raw_thing_that_is_the_line() -> None:
    measured = caption("c", "short", "The camera pans.", step="measured", model=None)
    raw = caption("c", "raw", "A dog runs.", step="internvid_g")
    assert best_line([measured, raw]) == "A dog runs."
    assert best_line([measured, {**raw, "problems": ["too long"]}]) == "The camera pans."


@given(st.text(), st.integers(1, 20))
def test_a_cut_text_is_no_longer_than_asked_and_begins_as_before(text: str, most: int) -> None:
    short = cut(text, most)
    assert len(short) <= most
    assert short == text if len(text) <= most else short.endswith("…") and text.startswith(short[:-1])


def test_the_page_stays_small_whatever_models_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = made(tmp_path / "set", clips=6)
    monkeypatch.setattr(data, "CLIPS_SHOWN", 4)
    monkeypatch.setattr(captions, "SET_ASIDE_SHOWN", 2)
    monkeypatch.setattr(captions, "CAPTIONS_A_CLIP", 3)
    endless = "w" * 100_000
    timed = [caption("c0", "measured", "Still.", number=i) for i in range(5)]
    aside = [caption(f"c{i}", "dense", endless, problems=[endless]) for i in range(6)]
    store.append("captions", [*timed, *aside, caption("c0", "rewritten", endless, model=endless)])
    store.append("answers", [answer(f"{endless}{i}") for i in range(50)])
    page = write_report(store.folder)
    found = collect(store.folder)
    assert [len(clip["captions"]) for clip in found["clips"]] == [3, 1, 1, 1]
    assert found["clips"][0]["captions_left_out"] == 4
    assert len(found["clips"][0]["captions"][0]["text"]) == TEXT_CHARS
    assert len(found["clips"][0]["line"]) == LINE_CHARS
    assert (len(found["captions"]["set_aside"]), found["captions"]["set_aside_total"]) == (2, 6)
    bare = write_report(made(tmp_path / "bare", clips=6).folder).stat().st_size
    assert page.stat().st_size - bare < 20 * (TEXT_CHARS + 500)


def test_counts_are_over_kept_clips_and_words_over_what_can_be_used(tmp_path: Path) -> None:
    store = made(tmp_path / "set", captions={"lvd2m": {}}, select={"keep": ["start_s <= 10"]})
    store.append(
        "captions",
        [
            caption("c0", "rewritten", "one two three"),
            caption("c1", "rewritten", " one  two\nthree four five "),
            caption("c1", "raw", "one", problems=["too short", "no verb"]),
            caption("c2", "raw", "of a clip that the rule takes"),
        ],
    )
    found = collect(store.folder)["captions"]
    assert (found["count"], found["of_other_clips"], found["clips"]) == (3, 1, 2)
    rewritten, raw = found["kinds"]
    assert (rewritten["kind"], rewritten["count"], rewritten["set_aside"], rewritten["mean_words"]) == (
        ("rewritten", 2, 0, 4.0)
    )
    assert rewritten["kept"][3] == rewritten["kept"][5] == 1
    assert (raw["count"], raw["set_aside"], raw["mean_words"]) == (1, 1, None)
    assert found["set_aside"] == [
        {"clip": "c1", "step": "lvd2m", "kind": "raw", "problems": ["too short", "no verb"], "text": "one"}
    ]


@given(st.lists(st.tuples(st.integers(0, 400), st.booleans()), min_size=1, max_size=40))
def test_each_caption_is_in_one_bar_of_its_histogram(counts: list[tuple[int, bool]]) -> None:
    rows = [caption("c", "raw", " ".join(["w"] * n), problems=[] if good else ["no"]) for n, good in counts]
    good = [not row["problems"] for row in rows]
    [kind] = captions.lengths(pa.Table.from_pylist(rows, SCHEMAS["captions"]), pa.array(good).to_numpy(False), [])
    assert (sum(kind["kept"]), sum(kind["rejected"])) == (sum(good), len(good) - sum(good))
    assert len(kind["edges"]) == len(kind["kept"]) + 1


def test_a_clip_whose_caption_was_set_aside_is_never_left_out_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = made(tmp_path / "set", clips=50)
    store.append("captions", [caption("c31", "raw", "Frame 1 shows.", problems=["it speaks of frames"])])
    monkeypatch.setattr(data, "CLIPS_SHOWN", 3)
    assert "c31" in shown(store)


def test_what_answers_cost_and_where_the_price_is_not_known(tmp_path: Path) -> None:
    store = made(tmp_path / "set")
    free = {"prompt_tokens": None, "completion_tokens": None, "cost_usd": None}
    store.append("answers", [answer("a"), answer("a"), answer("a", cost_usd=None), answer("b", **free)])
    assert collect(store.folder)["captions"]["answers"] == [
        {
            "model": "a",
            "count": 3,
            "prompt_tokens": 3000,
            "completion_tokens": 150,
            "cost_usd": 0.5,
            "unpriced": 1,
        },
        {
            "model": "b",
            "count": 1,
            "prompt_tokens": None,
            "completion_tokens": None,
            "cost_usd": None,
            "unpriced": 1,
        },
    ]


def test_captioners_without_a_model_are_named_with_the_command_that_helps(tmp_path: Path) -> None:
    own = {"mine": {"step": "not_on_this_machine:weather"}}  # of which nobody can say here what it waits for
    told = {"lvd2m": {}, **own, "measured": {}, "more": {"step": "miradata", "model": "big"}}
    name = "my set"
    store = made(tmp_path / name, captions=told, models={"big": {}})
    waiting = collect(store.folder)["captions"]["waiting"]
    assert waiting["steps"] == ["lvd2m", "more"]
    url = "http://localhost:8000/v1"
    assert waiting["command"] == f"longtake caption '{name}' --url {url} -s models.big.url={url}"
    assert (
        collect(made(tmp_path / "b", captions=told, models=SERVED | {"big": SERVED["default"]}).folder)["captions"][
            "waiting"
        ]
        is None
    )
    assert collect(made(tmp_path / "c", captions={"measured": {}}).folder)["captions"]["waiting"] is None


def test_a_set_whose_recipe_says_less_than_ours_has_a_report_and_can_be_selected_from(tmp_path: Path) -> None:
    store = made(tmp_path / "set")
    (store.folder / "recipe.toml").write_text("about = 'Edited by hand.'")
    assert collect(store.folder)["recipe"] == {
        **{"name": "", "about": "Edited by hand.", "source": "", "rules": []},
        "toml": "about = 'Edited by hand.'",
    }
    assert select_set(store.folder).funnel[-1].clips == 3
    select_set(store.folder, ["duration_s >= 5"], save=True)
    assert collect(store.folder)["recipe"]["rules"] == ["duration_s >= 5"]
    (store.folder / "recipe.toml").write_text("select = 5")
    with pytest.raises(SetError, match="holds no list of rules"):
        collect(store.folder)


def test_clips_no_model_was_asked_about_are_not_rejected_and_are_counted(tmp_path: Path) -> None:
    store = made(tmp_path / "set", **JUDGED)
    assert [(row["clips"], row["not_asked"]) for row in collect(store.folder)["funnel"]] == [(3, 0), (3, 3)]
    plain = pa.schema([SCHEMAS["clips"].field(name) for name in ("id", "judge_key")])
    said = [{"id": f"c{i}", "judge_key": "k", "judge": {"varied": value}} for i, value in enumerate((1.0, 0.0))]
    store.update("clips", "id", said, score_schema(plain, ["judge.varied"]))
    found = collect(store.folder)
    assert [(row["clips"], row["not_asked"]) for row in found["funnel"]] == [(3, 0), (2, 1)]
    [varied] = [h for h in found["histograms"] if h["key"] == "judge.varied"]
    assert varied["about"].startswith("1 where the scene changes")
    assert {clip["id"]: clip["rejected_by"] for clip in found["clips"]}["c1"] == "judge.varied >= 1"


def test_a_set_of_a_version_without_captions_and_judges_has_a_report(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "recipe.toml").write_text(tomli_w.dumps(RECIPE))
    store = Store(folder)
    before = pa.schema([field for field in SCHEMAS["clips"] if field.name != "judge_key"])
    clip = {"id": "c0", "video_id": "v", "start_s": 0.0, "end_s": 9.0, "duration_s": 9.0, "kept": True}
    store.append("clips", [clip], before)
    store.append("videos", [{"id": "v", "path": "v.mp4", "duration_s": 9.0, "damage": []}])
    assert write_report(folder).is_file()
    found = collect(folder)
    assert found["clips"][0]["captions"] == []
    assert (found["captions"]["count"], found["captions"]["answers"], found["captions"]["waiting"]) == (0, [], None)
