import inspect

import pytest
from scripted import Script, run, view_of

from longtake.judges.lvd2m import SCORES, lvd2m


def judged(varied: str, appealing: str) -> dict[str, float | None]:
    return run(lvd2m(view_of(16.0), Script(lambda q: {"varied": varied, "appealing": appealing}[q.name])))


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("GOOD", 1.0),
        ("BAD", 0.0),
        (" **good**.\n", 1.0),
        ('"Bad!"', 0.0),
        ("UNKNOWN", None),
        ("", None),
        ("GOOD or BAD", None),
        ("GOOD, since the scene changes.", None),
        ("The answer is BAD", None),
        ("NOT GOOD", None),
        ("GOODBAD", None),
        ("YES", None),
    ],
)
def test_only_one_of_the_words_is_an_answer(answer: str, value: float | None) -> None:
    assert judged(answer, "GOOD") == {"varied": value, "appealing": 1.0}
    assert judged("BAD", answer) == {"varied": 0.0, "appealing": value}


@pytest.mark.parametrize(("answer", "wrong"), [("GOOD.", False), ("unknown", False), ("Yes", True), ("", True)])
def test_what_is_no_answer_is_asked_again(answer: str, wrong: bool) -> None:
    ask = Script(lambda _: answer)
    run(lvd2m(view_of(16.0), ask))
    problems = [question.check(answer) for questions in ask.rounds for question in questions]
    assert [bool(found) for found in problems] == [wrong, wrong]
    assert all("GOOD, BAD or UNKNOWN" in problem for found in problems for problem in found)


def test_both_questions_are_asked_at_once_about_the_same_eight_frames() -> None:
    ask = Script(lambda _: "GOOD")
    run(lvd2m(view_of(16.0), ask))
    [[varied, appealing]] = ask.rounds
    assert varied.look == appealing.look
    assert varied.look.times == (1, 3, 5, 7, 9, 11, 13, 15)
    assert (varied.look.columns, varied.look.cell_px) == (4, 336)
    assert varied.prompt != appealing.prompt
    again = Script(lambda _: "GOOD")
    run(lvd2m(view_of(16.0), again))
    assert again.questions == ask.questions


def test_every_score_is_told_in_the_docstring() -> None:
    told = [line.split(":")[0] for line in inspect.getdoc(lvd2m).splitlines() if ":" in line]
    assert tuple(judged("GOOD", "BAD")) == SCORES
    assert set(SCORES) <= set(told)
