"""One captioner's questions about one clip: what was answered before, what is missing, what is wrong with an answer.

A captioner runs anew each time and gets stored answers where its questions were asked before. How a missing answer is
come by is the caller's: `send` asks a model, or only notes that it is missing.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from longtake import looks
from longtake.ask import ModelSettings
from longtake.ask.parse import answer_text, read_answer
from longtake.captions import Answer, Question
from longtake.steps import fingerprint

Row = Mapping[str, Any]
"""A row of `answers`."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A question to a model that has no answer yet."""

    key: str
    step: str
    clip_id: str
    question: Question
    attempt: int = 1
    """Odd: asked for itself, once more for each time that what was made of the answer was set aside and is wanted anew;
    even: asked again with the reason."""
    before: tuple[str, str] | None = None
    """For an even try: the first answer, and what was wrong with it."""


LONGEST = 50_000
"""Characters of an answer that are read: some servers don't hold to the limit of tokens."""

Send = Callable[[Missing], Awaitable[Row]]


def model_identity(settings: ModelSettings) -> list[Any]:
    """Return what tells one model from another: where it is served makes no difference, unless only that names it."""
    where = settings.url if settings.model == "auto" else ""
    return [settings.model, where, settings.temperature, dict(settings.extra)]


class Interview:
    """Asks the questions of one captioner about one clip; it is the captioner's `ask`."""

    def __init__(
        self,
        step: str,
        clip_id: str,
        settings: ModelSettings,
        known: dict[str, Row],
        send: Send,
        doubts: Mapping[tuple[str, int], str] | None = None,
        anew: Mapping[tuple[str, int], int] | None = None,
    ) -> None:
        self.step, self.clip_id, self.settings, self.known, self.send = step, clip_id, settings, known, send
        self.locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.models: set[str] = set()
        """Who gave the answers."""
        self.doubts = doubts or {}
        """What is wrong with first answers though nothing in them says so: question name and number -> words."""
        self.anew = anew or {}
        """Questions that are to be asked anew: name and number -> the attempt whose answer was found wanting."""

    async def __call__(self, *questions: Question) -> list[Answer]:
        """Return the answers in order. All are asked, even where one can't be: what another says is not lost."""
        found = await asyncio.gather(*(self._settle(question) for question in questions), return_exceptions=True)
        answers = []
        for answer in found:
            if isinstance(answer, BaseException):
                raise answer
            self.models.add(answer.model)
            answers.append(answer)
        return answers

    async def _settle(self, question: Question) -> Answer:
        attempt = 1
        while self.key_of(question, attempt + 2) in self.known:  # asked anew before: the last answers count
            attempt += 2
        if attempt <= self.anew.get((question.name, question.number), 0):
            attempt += 2
        return await self._try(question, attempt)

    async def _try(self, question: Question, attempt: int) -> Answer:
        """Ask, and once more with the reason where something is wrong."""
        first = await self._answer(question, attempt, None)
        value, problems = examine(question, first)
        doubt = self.doubts.get((question.name, question.number))
        problems += [doubt] if doubt else []
        if not problems:
            return _answer(first, value, [])
        wrong = "That is not usable yet: " + "; ".join(problems) + ". Answer the first request again, with that mended."
        if first["finish"] == "length":
            question = replace(question, max_tokens=2 * question.max_tokens)
        second = await self._answer(question, attempt + 1, (first["text"][:LONGEST], wrong))
        value, problems = examine(question, second)
        return _answer(second, value, problems)

    async def _answer(self, question: Question, attempt: int, before: tuple[str, str] | None) -> Row:
        key = self.key_of(question, attempt, before)
        async with self.locks[key]:  # the same question at the same time waits for the one answer
            if key not in self.known:
                self.known[key] = await self.send(Missing(key, self.step, self.clip_id, question, attempt, before))
        return self.known[key]

    def key_of(self, question: Question, attempt: int = 1, before: tuple[str, str] | None = None) -> str:
        """Name exactly this request: the clip, what is shown and said, and who is asked."""
        look = [looks.VERSION, asdict(question.look)] if question.look else None
        schema = question.schema.model_json_schema() if question.schema else None
        asked = [question.name, question.number, question.prompt, look, schema]
        return fingerprint([self.clip_id, asked, model_identity(self.settings), attempt, before])


def examine(question: Question, row: Row) -> tuple[Any, list[str]]:
    """Return the value an answer stands for, where a schema wants one, and what is wrong with the answer."""
    if len(row["text"]) > LONGEST:
        return None, [f"it has {len(row['text'])} characters; use far fewer words"]
    text = answer_text(row["text"])
    if row["finish"] == "refused":
        return None, [f"the model would not answer: {text[:200] or 'no reason given'}"]
    problems = ["it was cut off; use fewer words"] if row["finish"] == "length" else []
    if question.schema is None:
        problems += question.check(text)
        return None, problems if text or problems else ["it is empty; answer the question"]
    try:
        value = read_answer(text, question.schema)
    except ValueError as error:
        return None, [*problems, str(error)]
    return value, problems + question.check(value)


def _answer(row: Row, value: Any, problems: list[str]) -> Answer:
    return Answer(answer_text(row["text"][:LONGEST]), value, tuple(problems), row["model"], row["key"])
