"""Sends the questions of captioners to their models, keeps each answer as it comes, and counts what it costs."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from longtake.ask import AskError, Model, Reply, Request, connect
from longtake.ask.prices import cost, price
from longtake.captioning.answers import Answers
from longtake.captioning.estimating import prompt_tokens
from longtake.captioning.interview import Missing, Send
from longtake.captioning.subjects import Subject
from longtake.captions import Look, Question
from longtake.errors import SetError, UsageError
from longtake.looks import hash_of
from longtake.recipe import Recipe

AHEAD = 2
"""Questions handed to a model, in multiples of what it answers at once; a stop holds all others back."""


class UnseenError(Exception):
    """A question shows frames that were not taken yet."""

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.look = look


class StoppedError(Exception):
    """No more questions are to be asked."""


@dataclass
class Spent:
    """What the answers of a phase cost."""

    answers: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    """Answers whose price isn't known; the cost is without them."""

    def merge(self, other: "Spent") -> None:
        """Add what another phase cost."""
        for name in ("answers", "prompt_tokens", "completion_tokens", "cost_usd", "unpriced"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def add(self, reply: Reply, cost_usd: float | None) -> None:
        """Count one answer."""
        self.answers += 1
        self.prompt_tokens += reply.prompt_tokens or 0
        self.completion_tokens += reply.completion_tokens or 0
        self.cost_usd += cost_usd or 0.0
        self.unpriced += cost_usd is None


Sort = tuple[str, str, bool]
"""Step and name of a question, and whether it is asked again with the reason: such questions cost much the same."""


@dataclass
class Budget:
    """Holds back questions that might cost more than is left."""

    limit_usd: float
    under_way: list[float] = field(default_factory=list)
    """What each question that has no answer yet may cost."""
    dearest: dict[Sort, float] = field(default_factory=dict)
    """What the dearest answer so far cost, of each sort of question: the next one is taken to cost as much."""
    back: asyncio.Condition = field(default_factory=asyncio.Condition)
    """Told of each answer."""

    def left_usd(self, spent: Spent) -> float:
        """Return what may still be spent."""
        return self.limit_usd - spent.cost_usd - sum(self.under_way)


class Asker:
    """The models of a recipe, as one phase asks them."""

    def __init__(self, recipe: Recipe, answers: Answers, budget_usd: float | None) -> None:
        self.answers = answers
        self.spent = Spent()
        self.stopped = ""
        """Why no more is asked; empty while it is."""
        self.budget = Budget(budget_usd) if budget_usd is not None else None
        self.models: dict[str, Model] = {}
        self.places: dict[str, asyncio.Semaphore] = {}
        for name, settings in recipe.models.items():
            if settings.url:
                self.models[name] = connect(settings)
                self.places[name] = asyncio.Semaphore(AHEAD * settings.concurrency)

    @property
    def most_at_once(self) -> int:
        """How many questions may be under way."""
        return sum(model.settings.concurrency for model in self.models.values())

    def send_for(self, subject: Subject, model: str) -> Send:
        """Return what sends one captioner's questions about one clip."""

        async def send(missing: Missing) -> Mapping[str, Any]:
            async with self.places[model]:
                return await self._ask(subject, self.models[model], missing)

        return send

    async def close(self) -> None:
        """Let go of all models."""
        for model in self.models.values():
            await model.close()

    async def _ask(self, subject: Subject, model: Model, missing: Missing) -> Mapping[str, Any]:
        question = missing.question
        files = files_for(subject, question)
        shown = hash_of(files) if files else ""
        name = f"{subject.id}/{missing.step}.{question.name}.{question.number}/{missing.key}/{shown}"
        request = request_for(missing, name, files)
        async with self._within_budget(subject, model, missing):
            reply = await self._reply(model, request)
            spent = cost(
                price(model.settings, reply.model), reply.prompt_tokens, reply.completion_tokens, reply.cached_tokens
            )
            # The row is made of the very objects that were sent, so an answer can't land on another clip.
            row = answer_row(subject, missing, reply, shown, spent)
            await self._keep(row)
            self._count(model, missing, reply, spent)
        return row

    async def _reply(self, model: Model, request: Request) -> Reply:
        if self.stopped:
            raise StoppedError
        try:
            return await model.ask(request)
        except AskError as error:
            if not error.fatal:
                raise
            self.stop(error.message)
            raise StoppedError from error

    def stop(self, why: str) -> None:
        """Let no more be asked; the first reason is the one that is told."""
        self.stopped = self.stopped or why

    @asynccontextmanager
    async def _within_budget(self, subject: Subject, model: Model, missing: Missing) -> AsyncIterator[None]:
        """Hold a place in the budget, once this answer surely fits; stop where it never will."""
        budget = self.budget
        if budget is None:
            yield
            return
        longest_usd = _longest_usd(subject, model, missing)

        def may_cost() -> float:
            return budget.dearest.get(_sort(missing), longest_usd)

        def fits() -> bool:
            return may_cost() <= budget.left_usd(self.spent)

        async with budget.back:
            await budget.back.wait_for(lambda: self.stopped or not budget.under_way or fits())
            if not (self.stopped or fits()):
                left = f"${max(0.0, budget.left_usd(self.spent)):.4g} of the budget is left"
                more = "" if self.spent.answers else "; give more"
                self.stop(f"{left}, and the next answer may cost ${may_cost():.4g}{more}")
            if self.stopped:
                raise StoppedError
            held_usd = may_cost()
            budget.under_way.append(held_usd)
        try:
            yield
        finally:
            budget.under_way.remove(held_usd)
            async with budget.back:
                budget.back.notify_all()

    async def _keep(self, row: Mapping[str, Any]) -> None:
        try:
            if self.answers.is_far:
                await asyncio.to_thread(self.answers.add, row)
            else:
                self.answers.add(row)
        except (OSError, SetError) as error:  # as a full disk: what can't be kept must not be asked for
            self.stop(f"answers can't be kept: {error}")
            raise StoppedError from error

    def _count(self, model: Model, missing: Missing, reply: Reply, spent: float | None) -> None:
        self.spent.add(reply, spent)
        if self.budget is None:
            return
        if spent is None:
            url = model.settings.url
            if price(model.settings, reply.model) is None:
                why = (
                    f"the price of {reply.model} at {url} isn't known; set price_in and price_out of the model, or give"
                )
            else:
                why = f"{url} doesn't say how many tokens an answer took, so nobody knows what it cost; give"
            self.stop(f"{why} no budget")
            raise StoppedError
        sort = _sort(missing)
        self.budget.dearest[sort] = max(self.budget.dearest.get(sort, 0.0), spent)


def _sort(missing: Missing) -> Sort:
    return missing.step, missing.question.name, missing.before is not None


def _longest_usd(subject: Subject, model: Model, missing: Missing) -> float:
    """Return about what an answer costs that is as long as it may be."""
    tokens = min(missing.question.max_tokens, model.settings.max_tokens)
    asked = price(model.settings, model.settings.model)
    return cost(asked, round(prompt_tokens(missing, subject)), tokens) or 0.0


def files_for(subject: Subject, question: Question) -> list[bytes]:
    """Return the files a question shows: JPEG files or one mp4 file. Raises `UnseenError` where they weren't taken."""
    if question.look is None:
        return []
    if question.look not in subject.pictures:
        raise UnseenError(question.look)
    return subject.pictures[question.look]


def request_for(missing: Missing, name: str, files: Sequence[bytes]) -> Request:
    """Return the request that asks a question under a name and shows its files."""
    question = missing.question
    is_video = question.look is not None and question.look.fps > 0
    return Request(
        name,
        question.prompt,
        () if is_video else tuple(files),
        files[0] if is_video else b"",
        question.schema,
        question.max_tokens,
        missing.before,
    )


def answer_row(
    subject: Subject, missing: Missing, reply: Reply, frames_hash: str, cost_usd: float | None
) -> dict[str, Any]:
    """Return the row of `answers` for one answer."""
    question = missing.question
    return {
        "key": missing.key,
        "clip_id": subject.id,
        "video_id": subject.clip["video_id"],
        "step": missing.step,
        "question": question.name,
        "number": question.number,
        "attempt": missing.attempt,
        "model": reply.model,
        "prompt": question.prompt,
        "frames_s": list(question.look.times) if question.look else [],
        "frames_hash": frames_hash,
        "text": reply.text,
        "finish": reply.finish,
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "cached_tokens": reply.cached_tokens,
        "cost_usd": cost_usd,
        "elapsed_s": reply.elapsed_s,
        "tries": reply.tries,
        "asked": datetime.now(UTC),
    }


def check_budget(recipe: Recipe) -> None:
    """Raise `UsageError` where a budget can't be kept: a model's price must be known before anything is asked."""
    for name, settings in recipe.models.items():
        if settings.url and price(settings, settings.model) is None:
            named = ", or name the model" if settings.model == "auto" else ""
            wanted = f"set models.{name}.price_in and models.{name}.price_out{named}"
            raise UsageError(f"no budget without a price: {wanted}")
