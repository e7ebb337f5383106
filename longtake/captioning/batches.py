"""Captions through batch files: the requests that have no answer yet as files, and the answers from such files.

A batch service or `vllm run-batch` answers them, at half the price or without a server. Questions that build on others
come with the next files, once the first ones are answered.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from longtake.ask import AskError, ModelSettings, Reply
from longtake.ask.batch import read_line, request_line
from longtake.ask.prices import cost, price
from longtake.captioning.answers import Answers
from longtake.captioning.asker import answer_row, files_for, request_for
from longtake.captioning.interview import Missing
from longtake.captioning.subjects import Pending, Subject, kept_clips, picture_job, subjects, survey
from longtake.captions import Look
from longtake.engines import Engine, Item
from longtake.errors import UsageError
from longtake.looks import hash_of
from longtake.recipe import Recipe
from longtake.store import Store, one_of

MAX_REQUESTS = 50_000
MAX_BYTES = 190_000_000
"""What one file may hold; OpenAI takes 50,000 requests and 200 MB."""


@dataclass
class Exported:
    """What was written."""

    requests: int = 0
    files: list[Path] = field(default_factory=list)
    failed: int = 0
    """Clips whose pictures could not be taken; the next caption run says why."""


@dataclass
class Imported:
    """What was read."""

    answers: int = 0
    known: int = 0
    """Answers that were stored before."""
    failed: int = 0
    """Requests that the service failed; they are still to be asked."""
    strange: int = 0
    """Lines about nothing that this set asks now: another set's, or asked before the recipe changed."""


def export_requests(store: Store, recipe: Recipe, folder: Path, engine: Engine) -> Exported:
    """Write the requests that have no answer yet to `requests-000.jsonl` and on in a new folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}; name a new folder for the requests") from error
    if any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty; name a new folder for the requests")
    for name, settings in recipe.models.items():
        if settings.url and settings.model == "auto":
            raise UsageError(f"a batch file names its model: set it with --model or in [models.{name}]")
    exported = Exported()
    with Answers(store) as answers, _Files(folder, exported) as files:
        waiting: dict[str, tuple[Subject, list[Missing]]] = {}

        def items() -> Iterator[Item]:
            for subject, missing in _missing(store, recipe, answers):
                looks = _looks(missing)
                if looks:
                    waiting[subject.id] = (subject, missing)
                    yield Item(subject.id, picture_job(store.folder, subject, looks))
                else:
                    files.add(_lines(subject, missing, recipe))

        for outcome in engine.run_items("longtake.jobs:look", items()):
            subject, missing = waiting.pop(outcome.item.name)
            if outcome.failure:
                exported.failed += 1
                continue
            subject.pictures |= dict(zip(_looks(missing), outcome.result, strict=True))
            files.add(_lines(subject, missing, recipe))
    return exported


def _missing(store: Store, recipe: Recipe, answers: Answers) -> Iterator[tuple[Subject, list[Missing]]]:
    """Yield the clips that have unanswered questions, and the first of them; again for each round of answers."""
    uses = [use for use in recipe.captions.values() if use.step.asks and not recipe.waits(use)]
    if not uses:
        raise UsageError("no captioner here asks a model; name one with --step, and its model with --url and --model")
    loop = asyncio.new_event_loop()
    try:
        pending = Pending(recipe, uses, {}, (), {})
        for _, some in subjects(store, recipe, answers, kept_clips(store), pending):
            for subject in some:
                while missing := survey(subject, recipe, {}, loop).missing:
                    known = len(subject.known)
                    yield subject, missing
                    if len(subject.known) == known:  # else whoever took them knew answers: there may be more to ask
                        break
    finally:
        loop.close()


def _looks(missing: Sequence[Missing]) -> list[Look]:
    return list(dict.fromkeys(m.question.look for m in missing if m.question.look))


def _settings(recipe: Recipe, missing: Missing) -> ModelSettings:
    settings = recipe.settings_of(recipe.captions[missing.step.partition(".")[2]])
    assert settings is not None
    return settings


def _lines(subject: Subject, missing: Sequence[Missing], recipe: Recipe) -> Iterator[str]:
    for asked in missing:
        files = files_for(subject, asked.question)
        # The id names question, clip and pictures: it comes back with the answer, and says where that belongs.
        name = f"{asked.key}-{hash_of(files)}" if files else asked.key
        yield request_line(request_for(asked, name, files), _settings(recipe, asked))


class _Files:
    """Files of requests, a new one as soon as one is full."""

    def __init__(self, folder: Path, exported: Exported) -> None:
        self.folder, self.exported = folder, exported
        self.file: TextIO | None = None
        self.requests = self.bytes = 0

    def __enter__(self) -> "_Files":
        return self

    def __exit__(self, *_: object) -> None:
        if self.file:
            self.file.close()

    def add(self, lines: Iterable[str]) -> None:
        """Write requests."""
        for line in lines:
            if self.file is None or self.requests == MAX_REQUESTS or self.bytes + len(line) >= MAX_BYTES:
                self._next()
            assert self.file is not None
            self.file.write(line + "\n")
            self.requests += 1
            self.bytes += len(line) + 1
            self.exported.requests += 1

    def _next(self) -> None:
        if self.file:
            self.file.close()
        path = self.folder / f"requests-{len(self.exported.files):03d}.jsonl"
        self.exported.files.append(path)
        self.file = path.open("w", encoding="utf-8")
        self.requests = self.bytes = 0


def import_results(store: Store, recipe: Recipe, paths: Sequence[Path]) -> Imported:
    """Store the answers that batch services wrote; each goes where its id says, or nowhere."""
    imported = Imported()
    replies: dict[str, Reply] = {}
    shown: dict[str, str] = {}
    for path in paths:
        for key, frames_hash, reply in _results(path, imported):
            replies.setdefault(key, reply)
            shown.setdefault(key, frames_hash)
    with Answers(store) as answers:
        stored = set(store.read("answers", ["key"], one_of("key", replies))["key"].to_pylist())
        imported.known = len(stored)
        for subject, missing in _missing(store, recipe, answers):
            for asked in missing:
                if asked.key not in replies:
                    continue
                reply = replies[asked.key]
                settings = _settings(recipe, asked)
                tokens = (reply.prompt_tokens, reply.completion_tokens, reply.cached_tokens)
                spent = cost(price(settings, reply.model), *tokens)
                row = answer_row(subject, asked, reply, shown[asked.key], spent)
                answers.add(row)
                subject.known[asked.key] = row
                stored.add(asked.key)
                imported.answers += 1
    imported.strange = len(replies.keys() - stored)
    return imported


def _results(path: Path, imported: Imported) -> Iterator[tuple[str, str, Reply]]:
    """Yield key, hash of the pictures and reply of each answered request in a file."""
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    name, reply = read_line(line)
                except ValueError as error:
                    raise UsageError(f"{path}, line {number}: {error}") from error
                if isinstance(reply, AskError):
                    imported.failed += 1
                    continue
                key, _, frames_hash = name.partition("-")
                yield key, frames_hash, reply
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: no file of a batch's results, for it is no text") from error
