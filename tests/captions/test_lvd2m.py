import pytest
from scripted import Script, run, view_of

from longtake.captions import Question
from longtake.captions.lvd2m import lvd2m
from longtake.facts import Facts
from longtake.moves import Move

RAW = (
    "A cyclist in a yellow jacket rides along a lake at dawn, past a row of poplars and a moored boat. She slows down "
    "at a wooden bridge, gets off and wheels the bicycle across. On the other bank two dogs run up to her, and she "
    "kneels to stroke them while mist lifts from the water. The camera follows from behind at walking pace and "
    "turns to her side."
)
REFINED = (
    "CAPTION: A cyclist in a yellow jacket rides along a misty lake at dawn, wheels her bicycle over a wooden bridge "
    "and kneels to stroke two dogs on the other bank. The camera follows from behind and ends at her side."
)
REWRITTEN = (
    "CAPTION: A wide shot of a cyclist in a yellow jacket riding along a misty lake at dawn, crossing a wooden "
    "bridge on foot and stroking two dogs."
)
ANSWERS = {"raw": RAW, "refined": REFINED, "rewritten": REWRITTEN}


def good(question: Question) -> str:
    return ANSWERS[question.name]


def test_three_levels_of_one_short_clip() -> None:
    ask = Script(good)
    raw, refined, rewritten = run(lvd2m(view_of(12.0), ask))
    assert [caption.kind for caption in (raw, refined, rewritten)] == ["raw", "refined", "rewritten"]
    assert not raw.problems + refined.problems + rewritten.problems
    assert raw.text == RAW
    assert refined.text == REFINED.removeprefix("CAPTION: ")
    assert {(one.start_s, one.end_s, one.number, one.model) for one in (raw, refined, rewritten)} == {
        (0, 12.0, 0, "scripted")
    }
    assert raw.frames_s == (1, 3, 5, 7, 9, 11)
    assert refined.frames_s == ()
    assert [caption.answer for caption in (raw, refined, rewritten)] == ["raw-0", "refined-0", "rewritten-0"]


def test_all_parts_are_asked_about_at_once_and_merged_in_order() -> None:
    ask = Script(
        lambda question: RAW.replace("two dogs", f"{question.number + 2} dogs") if question.look else good(question)
    )
    captions = run(lvd2m(view_of(65.0), ask))
    assert [[question.name for question in questions] for questions in ask.rounds] == [
        ["raw"] * 3,
        ["refined"],
        ["rewritten"],
    ]
    assert [(one.number, one.start_s, one.end_s) for one in captions if one.kind == "raw"] == [
        (0, 0, 30),
        (1, 30, 47.5),
        (2, 47.5, 65),
    ]
    assert [(one.start_s, one.end_s) for one in captions[3:]] == [(0, 65), (0, 65)]
    prompt = ask.rounds[1][0].prompt
    places = [prompt.index(words) for words in ("From 0 s to 30 s:", "2 dogs", "From 30 s", "3 dogs", "4 dogs")]
    assert places == sorted(places)
    assert "one story" in prompt


def test_each_level_reads_the_one_below() -> None:
    ask = Script(good)
    run(lvd2m(view_of(12.0), ask))
    raw, refined, rewritten = ask.questions
    assert (raw.look.columns, raw.look.cell_px, len(raw.look.times)) == (2, 448, 6)
    assert refined.look is None
    assert rewritten.look is None
    assert RAW in refined.prompt
    assert "one story" not in refined.prompt
    assert REFINED.removeprefix("CAPTION: ") in rewritten.prompt
    assert "CAPTION: A" not in rewritten.prompt


@pytest.mark.parametrize(
    ("bad", "text", "levels", "reason"),
    [
        ("raw", "In the first frame, " + RAW, ["raw"], "single frames"),
        ("raw", "A cyclist rides along a lake.", ["raw"], "at least 40"),
        ("refined", REFINED.removeprefix("CAPTION: "), ["raw", "refined"], "CAPTION:"),
        ("refined", "CAPTION: Too short.", ["raw", "refined"], "at least 30"),
        ("rewritten", REFINED + " " + RAW, ["raw", "refined", "rewritten"], "at most 54"),
    ],
)
def test_nothing_is_built_on_a_caption_with_problems(bad: str, text: str, levels: list[str], reason: str) -> None:
    captions = run(lvd2m(view_of(12.0), Script(lambda question: text if question.name == bad else good(question))))
    assert [caption.kind for caption in captions] == levels
    assert any(reason in problem for problem in captions[-1].problems)
    assert not any(caption.problems for caption in captions[:-1])


def test_one_bad_part_of_three_keeps_the_others() -> None:
    ask = Script(lambda question: "" if question.number == 1 else good(question))
    captions = run(lvd2m(view_of(65.0), ask))
    assert [(caption.kind, bool(caption.problems)) for caption in captions] == [
        ("raw", False),
        ("raw", True),
        ("raw", False),
    ]
    assert len(ask.rounds) == 1


def test_a_model_that_takes_video_is_shown_one_of_each_part() -> None:
    ask = Script(good)
    captions = run(lvd2m(view_of(65.0), ask, video=True, cell_px=320))
    first, second, third, refined, _ = ask.questions
    assert [(one.look.fps, one.look.cell_px, one.look.columns) for one in (first, second, third)] == [(2.0, 320, 0)] * 3
    assert second.look.times == captions[1].frames_s == tuple(30 + k / 2 for k in range(35))
    assert "part 2 of 3 of a video, from 30 s to 47.5 s" in second.prompt
    assert not any(word in one.prompt for one in (first, second, third) for word in ("grid", "picture", "panel"))
    assert refined.look is None


def test_the_last_level_can_be_left_out() -> None:
    ask = Script(good)
    assert [one.kind for one in run(lvd2m(view_of(12.0), ask, rewrite=False))] == ["raw", "refined"]
    assert [question.name for question in ask.questions] == ["raw", "refined"]


def test_the_same_clip_asks_the_same_questions() -> None:
    first, second = Script(good), Script(good)
    assert run(lvd2m(view_of(65.3), first)) == run(lvd2m(view_of(65.3), second))
    assert first.questions == second.questions


def test_what_was_measured_is_told_and_held_against_each_part() -> None:
    facts = Facts(65.0, (Move("static", 0.0, 30.0, 0.0), Move("pan right", 30.0, 65.0, 0.3)), (), (), ())
    static = RAW[: RAW.index("The camera")] + "The camera remains static."
    ask = Script(lambda _: static)
    captions = run(lvd2m(view_of(65.0, facts), ask))
    assert all("static 0-30 s; pans right 30-65 s" in question.prompt for question in ask.questions)
    assert [bool(caption.problems) for caption in captions] == [False, True, True]
    assert "static" in captions[1].problems[0]


@pytest.mark.parametrize(("bad", "levels"), [("refined", 2), ("rewritten", 3)])
def test_and_against_what_is_made_of_the_parts(bad: str, levels: int) -> None:
    facts = Facts(12.0, (Move("pan right", 0.0, 12.0, 0.3),), (), (), ())
    answers = ANSWERS | {"raw": RAW[: RAW.index("The camera")] + "The camera pans right with her."}
    answers |= {"refined": REFINED[: REFINED.index("The camera")] + "The camera pans right."}
    answers |= {bad: answers[bad].replace("The camera pans right.", "") + " The camera remains static."}
    captions = run(lvd2m(view_of(12.0, facts), Script(lambda question: answers[question.name])))
    assert [bool(caption.problems) for caption in captions] == [False] * (levels - 1) + [True]
