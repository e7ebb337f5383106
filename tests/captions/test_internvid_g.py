import pytest
from scripted import Script, run, view_of

from longtake.captions.internvid_g import internvid_g


def test_one_sentence_from_the_middle_frame() -> None:
    ask = Script(lambda _: " A man rows a small boat across a still lake at dawn. ")
    [caption] = run(internvid_g(view_of(7.0), ask))
    assert (caption.kind, caption.number, caption.start_s, caption.end_s) == ("short", 0, 0, 7.0)
    assert caption.text == "A man rows a small boat across a still lake at dawn."
    assert caption.problems == ()
    assert caption.frames_s == (3.5,)
    [question] = ask.questions
    assert (question.look.times, question.look.columns, question.look.cell_px) == ((3.5,), 0, 768)
    assert "7 s" in question.prompt


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("A man rows.", "at least 4"),
        ("A man rows a boat. He reaches the far shore.", "write 1"),
        ("The image shows a man who rows a boat.", "single frames"),
        ("A man rows a boat across a still lake " + "and on and off " * 20 + ".", "say each"),
    ],
)
def test_an_answer_that_is_no_such_sentence_is_set_aside(text: str, reason: str) -> None:
    [caption] = run(internvid_g(view_of(7.0), Script(lambda _: text)))
    assert any(reason in problem for problem in caption.problems)


def test_the_same_clip_asks_the_same_question() -> None:
    first, second = Script(lambda _: ""), Script(lambda _: "")
    assert run(internvid_g(view_of(7.3), first)) == run(internvid_g(view_of(7.3), second))
    assert first.questions == second.questions


def test_a_long_clip_has_a_sentence_for_each_part() -> None:
    ask = Script(lambda _: "A man rows a small boat across a still lake at dawn.")
    captions = run(internvid_g(view_of(24.0), ask))
    assert [(c.number, c.start_s, c.end_s) for c in captions] == [(0, 0, 8), (1, 8, 16), (2, 16, 24)]
    assert [c.frames_s for c in captions] == [(4.0,), (12.0,), (20.0,)]
    assert all("8 s" in question.prompt for question in ask.questions)
