"""One captioner's questions about one clip: asked once, examined, asked again once with the reason."""

import asyncio
import inspect

import pytest
from pydantic import BaseModel, Field

from longtake.ask import ModelSettings
from longtake.captioning.interview import LONGEST, Interview, Missing
from longtake.captions import Look, Question

SETTINGS = ModelSettings(url="http://localhost/v1", model="m")


class Fields(BaseModel):
    dense: str = Field(description="what happens")


class Server:
    """Answers from a script, each request once; keeps what it was asked."""

    def __init__(self, *texts: str, finish: str = "stop") -> None:
        self.texts, self.finish = list(texts), finish
        self.asked: list[Missing] = []

    async def __call__(self, missing: Missing) -> dict:
        self.asked.append(missing)
        return {"key": missing.key, "text": self.texts.pop(0), "finish": self.finish, "model": "m-1"}


def ask(server: Server, *questions: Question, known=None, doubts=None, anew=None, settings=SETTINGS, clip="clip_1"):
    interview = Interview("captions.x", clip, settings, known or {}, server, doubts, anew)
    return asyncio.run(interview(*questions))


def short(text: str) -> list[str]:
    return [] if len(text.split()) < 4 else ["use fewer words"]


def test_a_good_answer_is_asked_for_once() -> None:
    server = Server("<think>hm</think> A dog runs.")
    (answer,) = ask(server, Question("raw", "What happens?", check=short))
    assert (answer.text, answer.problems, answer.model) == ("A dog runs.", (), "m-1")
    assert answer.key == server.asked[0].key and server.asked[0].attempt == 1


def test_a_bad_answer_is_asked_for_again_with_the_reason() -> None:
    server = Server("A dog runs over the whole of the grass.", "A dog runs.")
    (answer,) = ask(server, Question("raw", "What happens?", check=short))
    assert answer.text == "A dog runs." and not answer.problems
    said, wrong = server.asked[1].before
    assert said == "A dog runs over the whole of the grass." and "use fewer words" in wrong
    assert server.asked[1].attempt == 2 and answer.key == server.asked[1].key != server.asked[0].key


def test_twice_bad_is_told_and_not_asked_a_third_time() -> None:
    server = Server("one two three four", "one two three four five", "never asked for")
    (answer,) = ask(server, Question("raw", "What?", check=short))
    assert answer.problems == ("use fewer words",) and len(server.asked) == 2


@pytest.mark.parametrize(
    ("text", "finish", "words"),
    [
        ("", "refused", "would not answer"),
        (" ", "stop", "empty"),
        ("A dog", "length", "cut off"),
        ("no object", "stop", "JSON"),
    ],
)
def test_refusals_cuts_and_broken_forms_are_problems(text: str, finish: str, words: str) -> None:
    schema = Fields if words == "JSON" else None
    (answer,) = ask(Server(text, text, finish=finish), Question("raw", "What?", schema=schema))
    assert any(words in problem for problem in answer.problems)


def test_what_is_asked_anew_is_asked_once_counts_from_then_on_and_loses_nothing() -> None:
    question, known = Question("raw", "What?", check=short), {"": {}}
    ask(Server("one two three four", "five six seven eight"), question, known=known)
    server = Server("A dog runs.")
    for _ in range(2):  # what came of the first was not stored yet when it was stopped
        (answer,) = ask(server, question, known=known, anew={("raw", 0): 2})
    (after,) = ask(Server(), question, known=known)
    assert after == answer and (answer.text, answer.problems) == ("A dog runs.", ())
    assert [missing.attempt for missing in server.asked] == [3] and len(known) == 1 + 3


def test_an_answer_that_was_cut_off_may_be_longer_the_second_time() -> None:
    server = Server("A dog", "A dog.", finish="length")
    ask(server, Question("raw", "What?", max_tokens=100))
    assert [missing.question.max_tokens for missing in server.asked] == [100, 200]


def test_an_endless_answer_is_told_of_and_not_sent_back_whole() -> None:
    server = Server("word. " * 100_000, "A dog.")
    (answer,) = ask(server, Question("raw", "What?", check=lambda text: [] if text == "A dog." else ["no"]))
    assert (answer.text, answer.problems) == ("A dog.", ())
    said, wrong = server.asked[1].before
    assert len(said) == LONGEST and "600000 characters" in wrong


def test_a_schema_gives_its_value_and_checks_see_that() -> None:
    question = Question("fields", "Say.", schema=Fields, check=lambda value: short(value.dense))
    (answer,) = ask(Server('{"dense": "a b c d"}', '```json\n{"dense": "a dog"}\n```'), question)
    assert answer.value == Fields(dense="a dog")


def test_what_was_answered_before_is_not_asked_again() -> None:
    question = Question("raw", "What?", check=short)
    first = Server("one two three four", "fine")
    ask(first, question)
    known = {
        missing.key: {"key": missing.key, "text": text, "finish": "stop", "model": "m-1"}
        for missing, text in zip(first.asked, ("one two three four", "fine"), strict=True)
    }
    second = Server()
    (answer,) = ask(second, question, known=known)
    assert answer.text == "fine" and second.asked == []


OTHERS = {
    "prompt": Question("raw", "What then?"),
    "number": Question("raw", "What?", number=1),
    "name": Question("refined", "What?"),
    "look": Question("raw", "What?", look=Look((1.0,))),
    "times": Question("raw", "What?", look=Look((2.0,))),
    "size": Question("raw", "What?", look=Look((1.0,), cell_px=99)),
    "schema": Question("raw", "What?", schema=Fields),
}


def test_another_question_clip_or_model_is_another_key() -> None:
    keys = []
    for question in (Question("raw", "What?"), *OTHERS.values()):
        server = Server('{"dense": "x"}')
        ask(server, question)
        keys.append(server.asked[0].key)
    for clip, settings in (
        ("clip_2", SETTINGS),
        ("clip_1", ModelSettings(url="http://localhost/v1", model="n")),
        ("clip_1", ModelSettings(url="http://localhost/v1", model="m", temperature=0.9)),
    ):
        server = Server('{"dense": "x"}')
        ask(server, Question("raw", "What?"), clip=clip, settings=settings)
        keys.append(server.asked[0].key)
    assert len(set(keys)) == len(keys)


def test_the_same_model_elsewhere_or_more_at_once_is_the_same_key() -> None:
    keys = set()
    for settings in (SETTINGS, ModelSettings(url="http://other/v1", model="m", concurrency=99, timeout_s=1)):
        server = Server('{"dense": "x"}')
        ask(server, Question("raw", "What?"), settings=settings)
        keys.add(server.asked[0].key)
    assert len(keys) == 1


def test_one_that_fails_does_not_take_the_others_with_it() -> None:
    answered = []

    async def send(missing: Missing) -> dict:
        if missing.question.number == 0:
            raise RuntimeError("no")
        await asyncio.sleep(0.01)
        answered.append(missing.question.number)
        return {"key": missing.key, "text": "fine", "finish": "stop", "model": "m"}

    interview = Interview("captions.x", "clip_1", SETTINGS, {}, send)
    with pytest.raises(RuntimeError):
        asyncio.run(interview(*(Question("raw", "What?", number=n) for n in range(3))))
    assert answered == [1, 2]


def test_a_doubt_asks_again_though_the_answer_looks_well() -> None:
    server = Server("fine", "better")
    (answer,) = ask(server, Question("raw", "What?"), doubts={("raw", 0): "the same stands elsewhere"})
    assert answer.text == "better" and "the same stands elsewhere" in server.asked[1].before[1]


def test_asking_is_a_coroutine() -> None:
    assert inspect.iscoroutinefunction(Interview.__call__)
