"""An `ask` for tests of captioners and judges: answers come from a script, checks are the questions' own."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import ValidationError

from longtake.captions import Answer, Question, View
from longtake.records import Clip

T = TypeVar("T")


class Script:
    """Answers each question with `answer(question)`, checked once and not asked again; keeps what was asked when."""

    def __init__(self, answer: Callable[[Question], str]) -> None:
        self.answer = answer
        self.rounds: list[tuple[Question, ...]] = []

    async def __call__(self, *questions: Question) -> list[Answer]:
        self.rounds.append(questions)
        return [self._answer(question) for question in questions]

    def _answer(self, question: Question) -> Answer:
        text, key = self.answer(question), f"{question.name}-{question.number}"
        if question.schema is None:
            return Answer(text, None, tuple(question.check(text)), "scripted", key)
        try:
            value = question.schema.model_validate_json(text)
        except ValidationError:
            return Answer(text, None, ("it doesn't have the form asked for",), "scripted", key)
        return Answer(text, value, tuple(question.check(value)), "scripted", key)

    @property
    def questions(self) -> list[Question]:
        """All questions in the order in which they were asked, with no check, so that equal ones are equal."""
        return [replace(question, check=list) for questions in self.rounds for question in questions]


def view_of(duration_s: float, facts: Any = None) -> View:
    """A clip of that length that starts somewhere inside its video."""
    return View(Clip("clip", "video", 100.0, 100.0 + duration_s, 2500, 2500 + round(25 * duration_s)), {}, facts)


def run(step: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(step)
