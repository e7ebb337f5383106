import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import Script, run, view_of

from longtake.captions import Question
from longtake.captions.miradata import ITEMS, Five, miradata, read_numbered
from longtake.facts import Facts
from longtake.moves import Move

SHORT = "A cyclist in a yellow jacket rides along a misty lake and meets two dogs."
FIVE = {
    "dense": "A cyclist in a yellow jacket rides along a lake at dawn, past a row of poplars. She slows down at a "
    "wooden bridge, gets off and wheels the bicycle across. On the other bank two dogs run up to her and jump around "
    "the front wheel. She kneels, strokes them and laughs while mist lifts from the water.",
    "main_object": "The cyclist is a young woman in a yellow jacket who rides, dismounts and kneels beside two dogs.",
    "background": "A still lake with poplars along the shore and a wooden bridge, in thin mist and early light.",
    "camera": "A medium shot follows from behind at walking pace and turns slowly to her side.",
    "style": "Naturalistic, with soft light and muted colours.",
}
LABELS = ["Dense caption", "Main object caption", "Background caption", "Camera caption", "Style caption"]


def form(**texts: str) -> str:
    return json.dumps({f"{kind}_caption": text for kind, text in {**FIVE, **texts}.items()})


def numbered(texts: list[str]) -> str:
    return "\n".join(f"{n}. {text}" for n, text in enumerate(texts, 1))


def good(question: Question) -> str:
    if question.name == "short":
        return SHORT
    return form() if question.schema else numbered(list(FIVE.values()))


@pytest.mark.parametrize("as_list", [False, True])
def test_six_captions_of_a_clip(as_list: bool) -> None:
    captions = run(miradata(view_of(16.0), Script(good), numbered=as_list))
    assert {caption.kind: caption.text for caption in captions} == {"short": SHORT, **FIVE}
    assert not any(caption.problems for caption in captions)
    assert {(one.number, one.start_s, one.end_s, one.frames_s) for one in captions} == {
        (0, 0, 16.0, (1, 3, 5, 7, 9, 11, 13, 15))
    }
    assert [caption.answer for caption in captions] == ["short-0", *["five-0"] * 5]


def test_a_long_clip_has_equal_windows_all_asked_at_once() -> None:
    ask = Script(good)
    captions = run(miradata(view_of(300.0), ask))
    assert [[question.name for question in questions] for questions in ask.rounds] == [["short"] * 3, ["five"] * 3]
    for kind in ("short", *ITEMS):
        assert [(one.number, one.start_s, one.end_s) for one in captions if one.kind == kind] == [
            (0, 0, 100),
            (1, 100, 200),
            (2, 200, 300),
        ]
    assert "part 3 of 3, from 200 s to 300 s" in ask.questions[-1].prompt
    look = ask.questions[-1].look
    assert (look.columns, look.cell_px, len(look.times)) == (4, 512, 8)


def test_the_short_caption_is_the_hint() -> None:
    ask = Script(good)
    run(miradata(view_of(16.0), ask))
    assert SHORT in ask.questions[1].prompt


@pytest.mark.parametrize("short", ["In the first frame, a cyclist rides.", "A cyclist rides. A dog waits there.", ""])
def test_a_short_caption_with_problems_is_no_hint(short: str) -> None:
    ask = Script(lambda question: short if question.name == "short" else good(question))
    captions = run(miradata(view_of(16.0), ask))
    assert captions[0].problems
    assert not any(caption.problems for caption in captions[1:])
    without = Script(good)
    run(miradata(view_of(16.0), without, hint=False))
    assert ask.questions[1] == without.questions[1]


@pytest.mark.parametrize("as_list", [False, True])
def test_a_model_that_takes_video_is_shown_one_of_each_part(as_list: bool) -> None:
    ask = Script(good)
    captions = run(miradata(view_of(240.0), ask, video=True, video_fps=0.5, numbered=as_list))
    assert len(ask.questions) == 4
    for question in ask.questions:
        assert question.look.fps == 0.5 and question.look.columns == 0
        assert question.look.times == tuple(120 * question.number + 2.0 * k for k in range(60))
        assert f"part {question.number + 1} of 2 of a video" in question.prompt
        assert not any(word in question.prompt for word in ("grid", "picture", "panel"))
    assert [one.frames_s for one in captions if one.kind == "camera"] == [one.look.times for one in ask.questions[2:]]


def test_without_hint_everything_is_asked_at_once() -> None:
    ask = Script(good)
    captions = run(miradata(view_of(300.0), ask, hint=False))
    assert [[question.name for question in questions] for questions in ask.rounds] == [["short"] * 3 + ["five"] * 3]
    assert captions == run(miradata(view_of(300.0), Script(good)))


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("camera", "in the first frame the camera is low and it rises later.", "single frames"),
        ("camera", "some are walking past the camera from both sides.", "beginning"),
        (
            "dense",
            "A cyclist rides along a lake. She wears a yellow jacket.",
            "at least 40",
        ),
        ("style", "", "empty"),
        ("background", "**A still lake** with poplars along the shore and a bridge.", "not the caption"),
    ],
)
@pytest.mark.parametrize("as_list", [False, True])
def test_a_problem_stays_with_its_own_caption(kind: str, text: str, reason: str, as_list: bool) -> None:
    answer = numbered(list({**FIVE, kind: text}.values())) if as_list else form(**{kind: text})
    ask = Script(lambda question: SHORT if question.name == "short" else answer)
    captions = run(miradata(view_of(16.0), ask, numbered=as_list))
    assert [caption.kind for caption in captions if caption.problems] == [kind]
    own = next(caption for caption in captions if caption.kind == kind)
    assert any(reason in problem for problem in own.problems)
    question = ask.rounds[1][0]
    told = question.check(answer if as_list else Five.model_validate_json(answer))
    assert told == [f"{kind}: {problem}" for problem in own.problems]


@pytest.mark.parametrize("as_list", [False, True])
def test_an_answer_of_no_form_gives_no_text(as_list: bool) -> None:
    ask = Script(lambda question: SHORT if question.name == "short" else "A lake, I think.")
    captions = run(miradata(view_of(16.0), ask, numbered=as_list))
    assert [caption.kind for caption in captions] == ["short", *ITEMS]
    assert all(caption.text == "" and caption.problems for caption in captions[1:])


def test_a_missing_item_is_told() -> None:
    texts = list(FIVE.values())
    ask = Script(lambda question: SHORT if question.name == "short" else numbered(texts[:3]) + f"\n5. {texts[4]}")
    captions = run(miradata(view_of(16.0), ask, numbered=True))
    assert [caption.kind for caption in captions if caption.problems] == ["camera"]
    assert "missing" in captions[4].problems[0]


def test_a_problem_of_the_whole_answer_is_one_of_each_caption() -> None:
    class CutOff(Script):
        def _answer(self, question: Question):
            answer = super()._answer(question)
            return type(answer)(
                answer.text, answer.value, (*answer.problems, "it was cut off"), answer.model, answer.key
            )

    captions = run(miradata(view_of(16.0), CutOff(good)))
    assert {caption.problems for caption in captions} == {("it was cut off",)}


def test_the_form_has_the_papers_names_and_says_what_each_holds() -> None:
    fields = Five.model_fields
    assert list(fields) == [f"{kind}_caption" for kind in ("dense", "main_object", "background", "camera", "style")]
    ask = Script(good)
    run(miradata(view_of(16.0), ask))
    assert ask.questions[1].schema is Five
    listed = Script(good)
    run(miradata(view_of(16.0), listed, numbered=True))
    assert listed.questions[1].schema is None
    places = [listed.questions[1].prompt.index(field.description) for field in fields.values()]
    assert places == sorted(places)


def test_the_same_clip_asks_the_same_questions() -> None:
    first, second = Script(good), Script(good)
    assert run(miradata(view_of(301.7), first)) == run(miradata(view_of(301.7), second))
    assert first.questions == second.questions


def test_what_was_measured_is_told_and_held_against_the_camera() -> None:
    facts = Facts(240.0, (Move("static", 0.0, 120.0, 0.0), Move("pan right", 120.0, 240.0, 0.3)), (), (), ())
    still = form(camera="The camera remains static in a wide shot from the bank.")
    ask = Script(lambda question: SHORT if question.name == "short" else still)
    captions = run(miradata(view_of(240.0, facts), ask))
    assert all("static 0-120 s; pans right 120-240 s" in question.prompt for question in ask.rounds[1])
    assert [(one.kind, one.number) for one in captions if one.problems] == [("camera", 1)]


@pytest.mark.parametrize(
    "mark",
    [
        "{n}. {text}",
        "{n}) {text}",
        "{n}: {text}",
        "({n}) {text}",
        " {n}.  {label}: {text}",
        "{n}. **{label}:** {text}",
        "{n}. **{label}**: {text}",
        "**{n}. {label}**\n{text}",
        "### {n}. {label}\n\n{text}\n",
        "{n}. {label} - {text}",
        "**{label}:** {text}",
        "{label}: {text}\n",
        "{n}.\n{text}",
    ],
)
def test_numbered_answers_are_read_however_they_are_marked(mark: str) -> None:
    items = zip(range(1, 6), LABELS, FIVE.values(), strict=True)
    answer = "\n".join(mark.format(n=n, label=label, text=text) for n, label, text in items)
    assert read_numbered(answer) == FIVE
    assert read_numbered("Here are the five texts:\n\n" + answer) == FIVE


def test_an_item_may_have_several_lines_and_numbers_in_it() -> None:
    texts = {**FIVE, "dense": "At 3.5 s a bus passes.\n2024 stands on its side.\n10. Then it stops."}
    assert read_numbered(numbered(list(texts.values()))) == texts


@given(st.lists(st.text("abc XYZ.,:", min_size=1).filter(str.strip), min_size=5, max_size=5))
def test_plain_items_come_back_as_they_are(texts: list[str]) -> None:
    assert list(read_numbered(numbered(texts)).values()) == [text.strip() for text in texts]
