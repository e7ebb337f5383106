"""What captioning a set would take: clips, calls, frames, tokens, money. Nothing is asked and no picture is taken."""

import asyncio
import contextlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow.compute as pc

from longtake.ask.prices import cost, price
from longtake.captioning.answers import Answers
from longtake.captioning.interview import Interview, Missing
from longtake.captioning.subjects import Pending, Subject, kept_clips, step_name, subjects
from longtake.captions import Answer, Look, Question
from longtake.recipe import Recipe
from longtake.sections import Use
from longtake.store import Store
from longtake.watch import Estimate

CHARACTERS_A_TOKEN = 4.0
"""Of English text, about; tokenizers differ."""
PIXELS_A_TOKEN = 28 * 28
"""As Qwen2.5-VL counts pictures; others take up to twice as many, or a fixed number."""
SHARE_OF_LIMIT = 0.5
"""How much of its token limit an answer takes where no such question was answered yet."""


def estimate(store: Store, recipe: Recipe, uses: Sequence[Use], retry_failed: Sequence[str] = ()) -> Estimate:
    """Walk through all that captioners would ask about the kept clips of a set, with made-up answers."""
    kept = kept_clips(store)
    waiting = [use.label for use in uses if recipe.waits(use)]
    found = Estimate(str(store.folder), [use.label for use in uses if not recipe.waits(use)], waiting, kept.num_rows)
    ready = [use for use in uses if not recipe.waits(use)]
    if not ready:
        return found
    failed = {(row["item"], row["step"]): row for row in store.read("failures").to_pylist()}
    pending = Pending(recipe, ready, failed, retry_failed, {})
    usual = _usual_answers(store)
    loop = asyncio.new_event_loop()
    with Answers(store) as answers:
        for _, some in subjects(store, recipe, answers, kept, pending):
            for subject in some:
                asking = [use for use in subject.uses if use.step.asks]
                found.clips += bool(asking)
                for use in asking:
                    # A captioner may do with a made-up answer what it does with no real one. Then it is counted as
                    # far as it came; a fault of its own is told when it is run.
                    with contextlib.suppress(Exception):
                        loop.run_until_complete(_walk(found, recipe, use, subject, usual))
    loop.close()
    return found


async def _walk(found: Estimate, recipe: Recipe, use: Use, subject: Subject, usual: Mapping[Any, Any]) -> None:
    settings = recipe.settings_of(use)
    assert settings is not None
    guess = _Guess(found, use, subject, settings, usual)
    await use.step.call(subject.view, guess, **use.parameters)


class _Guess(Interview):
    """Counts the questions that have no answer yet, and makes one up for each."""

    def __init__(self, found: Estimate, use: Use, subject: Subject, settings: Any, usual: Mapping[Any, Any]) -> None:
        anew = subject.anew[use.label]
        super().__init__(step_name(use), subject.id, settings, subject.known, self._count, anew=anew)
        self.found, self.subject, self.usual = found, subject, usual

    async def _try(self, question: Question, attempt: int) -> Answer:
        if self.key_of(question, attempt) in self.known:
            self.found.answered += 1
            return await super()._try(question, attempt)
        row = await self._count(Missing("", self.step, self.clip_id, question))
        return Answer(row["text"], _made_up(question), (), "", "")

    async def _count(self, missing: Missing) -> Mapping[str, Any]:
        """Count one call, and return a row that stands for its answer."""
        question, found = missing.question, self.found
        prompt = prompt_tokens(missing, self.subject)
        found.frames += len(question.look.times) if question.look else 0
        limit = min(question.max_tokens, self.settings.max_tokens)
        tokens, seconds = self.usual.get((self.step, question.name), (SHARE_OF_LIMIT * limit, None))
        found.calls += 1
        found.prompt_tokens += round(prompt)
        found.completion_tokens += round(tokens)
        spent = cost(price(self.settings, self.settings.model), round(prompt), round(tokens))
        found.cost_usd = None if spent is None or found.cost_usd is None else found.cost_usd + spent
        if seconds is not None:
            found.seconds = (found.seconds or 0.0) + seconds / self.settings.concurrency
        words = " ".join(["word"] * max(1, round(tokens * 0.75)))
        return {"text": words, "finish": "stop", "model": "", "key": ""}


def _made_up(question: Question) -> Any:
    if question.schema is None:
        return None
    return question.schema.model_construct(None, **dict.fromkeys(question.schema.model_fields, "word"))


def prompt_tokens(missing: Missing, subject: Subject) -> float:
    """Return about how many tokens a request has, its pictures among them."""
    question = missing.question
    words = len(question.prompt) + sum(map(len, missing.before or ()))
    shown = picture_tokens(question.look, subject.video["width"], subject.video["height"]) if question.look else 0.0
    return words / CHARACTERS_A_TOKEN + shown


def picture_tokens(look: Look, width: int, height: int) -> float:
    """Return about how many tokens the pictures of a look cost, of a video of that size.

    A look that is a video costs half as many as single pictures: Qwen2.5-VL and Qwen3-VL merge frames by twos.
    """
    factor = min(1.0, look.cell_px / max(width, height, 1))
    wide, high = width * factor, height * factor
    if not look.columns:
        return len(look.times) * wide * high / PIXELS_A_TOKEN / (2 if look.fps else 1)
    rows, gap = math.ceil(len(look.times) / look.columns), look.border_px
    columns = min(look.columns, len(look.times))
    return (columns * (wide + gap) + gap) * (rows * (high + gap) + gap) / PIXELS_A_TOKEN


def _usual_answers(store: Store) -> dict[tuple[str, str], tuple[float, float | None]]:
    """Return how long stored answers are, in tokens, and how long they took, by step and question."""
    rows = store.read("answers", ["step", "question", "completion_tokens", "elapsed_s"])
    rows = rows.filter(pc.is_valid(rows["completion_tokens"]))
    means = rows.group_by(["step", "question"]).aggregate([("completion_tokens", "mean"), ("elapsed_s", "mean")])
    return {
        (row["step"], row["question"]): (row["completion_tokens_mean"], row["elapsed_s_mean"])
        for row in means.to_pylist()
    }
