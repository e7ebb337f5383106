"""Phases of a run that ask models: pictures of clips go out, answers come back as captions, scores or votes."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from longtake.ask import AskError
from longtake.captioning.answers import Answers
from longtake.captioning.asker import Asker, StoppedError, UnseenError, check_budget
from longtake.captioning.interview import Missing
from longtake.captioning.repeats import find_repeats, set_repeats_aside
from longtake.captioning.results import Results
from longtake.captioning.subjects import Doubts, Pending, Subject, fault_of, kept_clips, picture_job, run_step, survey
from longtake.captioning.subjects import subjects as few_at_a_time
from longtake.captioning.terms import Asked, Terms
from longtake.captions import Look
from longtake.engines import Item
from longtake.errors import FailureKind
from longtake.recipe import Recipe
from longtake.sections import Use
from longtake.store import Store
from longtake.watch import Progress, Watch

__all__ = ["Asked", "Terms", "ask_about", "caption_clips", "judge_clips"]

TICK_S = 0.25
NAMES = {"captions": "caption", "judges": "judge", "voters": "vote"}
"""What watchers know a phase by."""


def caption_clips(store: Store, recipe: Recipe, terms: Terms, watch: Watch) -> Asked:
    """Make the captions that kept clips lack; an answer stored earlier is used, not asked for again."""
    uses = list(recipe.captions.values())
    asked = ask_about(kept_clips, store, recipe, uses, terms, watch)
    doubts = find_repeats(store, uses)
    if doubts and terms.asks and not asked.stopped:
        # What was asked anew a moment ago is not to be asked anew once more.
        again = ask_about(kept_clips, store, recipe, uses, replace(terms.less(asked), retry_failed=()), watch, doubts)
        asked.spent.merge(again.spent)
        asked.stopped = again.stopped
        asked.failures += again.failures
        asked.quarantined += again.quarantined
        asked.elapsed_s += again.elapsed_s
        if not again.stopped:
            asked.quarantined += set_repeats_aside(store, uses)
    return asked


def judge_clips(store: Store, recipe: Recipe, terms: Terms, watch: Watch) -> Asked:
    """Ask the judges about kept clips; their answers become scores."""
    return ask_about(kept_clips, store, recipe, list(recipe.judges.values()), terms, watch)


def ask_about(
    clips: Callable[[Store], pa.Table],
    store: Store,
    recipe: Recipe,
    uses: Sequence[Use],
    terms: Terms,
    watch: Watch,
    doubts: Doubts = MappingProxyType({}),
) -> Asked:
    """Run captioners, judges or voters on clips, or on what else has a span of a video; return what came of it."""
    ready = [use for use in uses if not recipe.waits(use)]
    asked = Asked(waiting=[use.label for use in uses if recipe.waits(use)])
    if not ready:
        return asked
    if terms.budget_usd is not None:
        check_budget(recipe)
    with Answers(store) as answers:
        _Phase(clips(store), store, recipe, ready, terms, watch, doubts, answers, asked).run()
    return asked


Faults = dict[str, tuple[FailureKind, str]]
"""Why steps could not be done on a clip, by label: the kind of failure, and a message."""


class _Phase:
    """Takes pictures in worker processes while models answer: a thread feeds the clips, a loop asks about them."""

    def __init__(
        self,
        clips: pa.Table,
        store: Store,
        recipe: Recipe,
        uses: Sequence[Use],
        terms: Terms,
        watch: Watch,
        doubts: Doubts,
        answers: Answers,
        asked: Asked,
    ) -> None:
        self.store, self.recipe, self.uses, self.terms, self.doubts = store, recipe, uses, terms, doubts
        self.watch, self.answers, self.asked = watch, answers, asked
        self.phase = NAMES[uses[0].step.kind]
        failed = {(row["item"], row["step"]): row for row in store.read("failures").to_pylist()}
        self.pending = Pending(recipe, uses, failed, terms.retry_failed, doubts)
        self.results = Results(store, recipe, uses, failed)
        self.asker = Asker(recipe, answers, terms.budget_usd)
        self.clips = clips
        if doubts:
            self.clips = clips.filter(pc.is_in(clips["id"], pa.array([clip for clip, _ in doubts])))
        self.done, self.done_s = 0, 0.0
        self.waiting: dict[str, tuple[Subject, list[Look]]] = {}
        """Clips whose pictures are being taken."""
        self.again: list[tuple[Subject, list[Look]]] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.ending = False
        self.begun = time.monotonic()

    def run(self) -> None:
        """Ask all there is to ask, or until it must stop; what came is stored either way."""
        try:
            asyncio.run(self._main())
        finally:
            self.results.commit()
            results, asked = self.results, self.asked
            asked.clips, asked.captions = len(results.clips), results.made
            asked.quarantined, asked.failures = results.quarantined, Counter(results.failed.values())
            asked.passed_over = Counter(self.pending.passed_over.values())
            asked.spent, asked.stopped = self.asker.spent, self.asker.stopped
            asked.elapsed_s = time.monotonic() - self.begun

    async def _main(self) -> None:
        self.loop = asyncio.get_running_loop()
        # So many clips have their pictures in memory: enough that no model waits for one.
        self.room = asyncio.Semaphore(max(4, 2 * self.asker.most_at_once))
        try:
            await self._round(self._items_of_all())
            while self.again and not self.asker.stopped:  # captioners that ask to see more after an answer
                again, self.again = self.again, []
                await self._round(self._item(subject, looks) for subject, looks in again)
        finally:
            await self.asker.close()
        if self.results.clips or self.results.failed or self.asker.spent.answers:
            self._tell()

    async def _round(self, items: Iterator[Item]) -> None:
        """Feed items until all clips they are about are done with; store what comes, and tell how far it is."""
        feeder = self.loop.run_in_executor(None, self._feed, items)
        try:
            while self.tasks or not feeder.done():
                await asyncio.wait([feeder, *self.tasks], timeout=TICK_S)
                self.results.commit_if_due()
                if self.done < self.clips.num_rows and (self.tasks or self.waiting):
                    self._tell()
                if feeder.done():
                    feeder.result()  # raises what the feeding thread raised
        finally:
            self.ending = True
            for task in self.tasks:
                task.cancel()
            await asyncio.wait([feeder])
            self.ending = False

    # In the feeding thread.

    def _feed(self, items: Iterator[Item]) -> None:
        """Take the pictures of clips, and hand each on as soon as it has them."""
        outcomes = self.terms.engine.run_items("longtake.jobs:look", items, on_progress=self._go_on)
        try:
            for outcome in outcomes:
                subject, looks = self.waiting.pop(outcome.item.name)
                if outcome.failure:
                    self._hand(self._fail, subject, *outcome.failure)
                else:
                    subject.pictures |= dict(zip(looks, outcome.result, strict=True))
                    self._enter(subject)
        except CancelledError:
            return  # the loop is ending, and with it this thread
        finally:
            outcomes.close()

    def _go_on(self, _: dict[str, float]) -> None:
        """Leave the pictures under way where the loop is ending."""
        if self.ending:
            raise CancelledError

    def _items_of_all(self) -> Iterator[Item]:
        """Look over all clips; yield those that need pictures, and hand on those that need none."""
        loop = asyncio.new_event_loop()
        try:
            for clips, found in few_at_a_time(self.store, self.recipe, self.answers, self.clips, self.pending):
                self._hand(self._count, clips - len(found), 0.0)
                for subject in found:
                    if self.asker.stopped:  # on to what needs no model
                        self.pending.uses = [use for use in self.uses if not use.step.asks]
                    if self.ending or not self.pending.uses:
                        return
                    missing = self._look_over(subject, loop)
                    if self.asker.stopped or not self.terms.asks:
                        continue
                    looks = list(dict.fromkeys(m.question.look for m in missing if m.question.look))
                    if looks:
                        yield self._item(subject, looks)
                    elif missing:
                        self._enter(subject)
        finally:
            loop.close()

    def _look_over(self, subject: Subject, loop: asyncio.AbstractEventLoop) -> list[Missing]:
        """Take what can be had without asking, and return the first questions that have no answer."""
        found = survey(subject, self.recipe, self.doubts, loop)
        faults: Faults = {label: ("error", message) for label, message in found.faults.items()}
        self._hand(self._settle, subject, *self._done_with(subject, found.made, faults))
        return found.missing if subject.uses else []

    def _item(self, subject: Subject, looks: list[Look]) -> Item:
        self.waiting[subject.id] = (subject, looks)
        return Item(subject.id, picture_job(self.store.folder, subject, looks))

    def _enter(self, subject: Subject) -> None:
        """Hand a clip to the loop; wait while it has enough of them."""

        async def enter() -> None:
            await self.room.acquire()
            if self.ending:
                raise asyncio.CancelledError
            task = self.loop.create_task(self._ask_about(subject))
            self.tasks.add(task)
            task.add_done_callback(self._leave)

        if self.ending:
            raise CancelledError
        asyncio.run_coroutine_threadsafe(enter(), self.loop).result()

    def _hand(self, call: Callable[..., None], *args: Any) -> None:
        """Have the loop's thread do something, which alone touches results."""
        self.loop.call_soon_threadsafe(call, *args)

    # In the loop's thread.

    def _leave(self, task: "asyncio.Task[None]") -> None:
        self.tasks.discard(task)
        self.room.release()

    async def _ask_about(self, subject: Subject) -> None:
        """Run the steps on one clip, asking what has no answer yet; what befalls one is no other's."""
        made: dict[str, Any] = {}
        faults: Faults = {}
        unseen: list[Look] = []
        for use in subject.uses:
            send = self.asker.send_for(subject, use.model or "")
            try:
                made[use.label] = await run_step(use, subject, self.recipe, send, self.doubts)
            except UnseenError as more:
                unseen.append(more.look)
            except StoppedError:
                continue
            except AskError as error:
                faults[use.label] = (error.kind, error.message)
            except Exception as error:  # a step's own fault is this clip's failure, told in full
                faults[use.label] = ("error", fault_of(error))
        self._settle(subject, *self._done_with(subject, made, faults))
        if unseen:
            self.again.append((subject, list(dict.fromkeys(unseen))))
        else:
            subject.pictures.clear()

    def _done_with(self, subject: Subject, made: dict[str, Any], faults: Faults) -> tuple[dict[str, Any], Faults]:
        """Take the steps that are at an end off a clip's list; of judges all or none, for their scores are one."""
        if self.phase == "judge" and faults:
            made, faults = {}, dict.fromkeys((use.label for use in subject.uses), next(iter(faults.values())))
        elif self.phase == "judge" and len(made) < len(subject.uses):
            made = {}
        subject.uses = [use for use in subject.uses if use.label not in made and use.label not in faults]
        return made, faults

    def _settle(self, subject: Subject, made: dict[str, Any], faults: Faults) -> None:
        """Take what came of a clip's steps."""
        self.results.add(subject, made)
        for label, fault in faults.items():
            self.results.fail(subject, label, *fault)
        if not subject.uses:
            self._count(1, subject.view.duration_s)

    def _fail(self, subject: Subject, kind: FailureKind, message: str) -> None:
        """Take note that no picture could be taken."""
        faults = dict.fromkeys((use.label for use in subject.uses), (kind, message))
        self._settle(subject, *self._done_with(subject, {}, faults))

    def _count(self, clips: int, seconds: float) -> None:
        self.done += clips
        self.done_s += seconds

    def _tell(self) -> None:
        elapsed_s = time.monotonic() - self.begun
        spent = self.asker.spent
        words = f"{spent.answers:,} answers" if self.asker.models else ""
        words += f", ${spent.cost_usd:.2f}" if spent.cost_usd else ""
        failed, total = len(self.results.failed), self.clips.num_rows
        self.watch(Progress(self.phase, self.done, total, failed, self.done_s, 0.0, elapsed_s, words))
