"""The clips that captioners and judges are to be run on, each with what is known of it, a few at a time.

Voters are run on stretches: rows like those of clips, each two neighbouring shots with the transition between them.
"""

import asyncio
import reprlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from types import NoneType
from typing import Any

import numpy as np
import pyarrow as pa

from longtake.captioning.answers import Answers
from longtake.captioning.interview import Interview, Missing, Send, model_identity
from longtake.captions import Look, View
from longtake.facts import gather_facts
from longtake.listing import rows_for
from longtake.places import Place
from longtake.planning import PASSING
from longtake.recipe import Recipe
from longtake.records import Caption, Clip, Series, Vote
from longtake.schemas import SCHEMAS
from longtake.sections import Use
from longtake.sources.placing import rows_about
from longtake.steps import fingerprint
from longtake.store import Store, one_of, score_columns
from longtake.voting import stretch_of, work_of

AT_ONCE = 64
"""Clips read together: few enough that their signals stay small, enough to make a read cheap."""
AT_ONCE_PLAIN = 512
"""Where no step is told of signals."""

Doubts = Mapping[tuple[str, str], Mapping[tuple[str, int], str]]
"""Clip id and step label -> question name and number -> what is wrong with the first answer."""


@dataclass(slots=True)
class Subject:
    """One clip or stretch, and the captioners, judges or voters to run on it."""

    clip: dict[str, Any]
    """Its row."""
    video: dict[str, Any]
    """Its video's row."""
    view: View
    uses: list[Use]
    known: dict[str, Mapping[str, Any]]
    """Answers given before, by key; new ones are added as they come."""
    stale: Collection[str]
    """Labels of the captioners whose captions are there, and will be replaced."""
    anew: Mapping[str, Mapping[tuple[str, int], int]]
    """Label -> the questions to ask anew, by name and number, and at which attempt their answers were found wanting."""
    pictures: dict[Look, list[bytes]] = field(default_factory=dict)
    """The files a model is shown for each look that was taken."""
    models: dict[str, str] = field(default_factory=dict)
    """Who gave the answers that a step got last, by its label, as servers name them."""

    @property
    def id(self) -> str:
        """The clip's id."""
        return str(self.clip["id"])


class NotAnsweredError(Exception):
    """A question has no stored answer."""


def step_name(use: Use) -> str:
    """Return how a captioner, judge or voter is called in the tables `answers` and `failures`: `captions.lvd2m`."""
    return f"{use.step.kind}.{use.label}"


def work_key(recipe: Recipe, use: Use) -> str:
    """Return the name of exactly this work: the step, its parameters, the model it asks, the signals it is told of."""
    settings = recipe.settings_of(use)
    signals = {label: recipe.signals[label].key for label in use.step.signals}
    return fingerprint([use.key, model_identity(settings) if settings else None, signals])


def kept_clips(store: Store) -> pa.Table:
    """Return the kept clips in the order of their videos, so that what one video shares is read once."""
    return store.read("clips", where="kept").sort_by([("video_id", "ascending"), ("start_s", "ascending")])


def subjects(
    store: Store,
    recipe: Recipe,
    answers: Answers,
    clips: pa.Table,
    pending: "Pending",
) -> Iterator[tuple[int, list[Subject]]]:
    """Yield for every few clips how many they are, and those with something to do."""
    keys = {use.key: label for label, use in recipe.signals.items() if label in pending.signals}
    at_once = AT_ONCE if keys else AT_ONCE_PLAIN
    for start in range(0, clips.num_rows, at_once):
        part = clips.slice(start, at_once)
        rows = part.to_pylist()
        pending.load(store, rows)
        todo = [(row, uses) for row in rows if (uses := pending.of(row))]
        if not todo:
            yield part.num_rows, []
            continue
        videos = {row["video_id"] for row, _ in todo}
        known: dict[str, dict[str, Mapping[str, Any]]] = {row["id"]: {} for row, _ in todo}
        for key, answer in answers.of(list(known), sorted(videos)).items():
            known[answer["clip_id"]][key] = answer
        stored = store.signals_of(sorted(videos), list(keys))
        about = {row["id"]: row for row in store.read("videos", where=one_of("id", videos)).to_pylist()}
        listed = rows_for(store, [row["path"] for row in about.values()]) if pending.listed else {}
        scores = score_columns(part)
        numbers = {row["id"]: k for k, row in enumerate(rows)}
        found = []
        for row, uses in todo:
            series = {keys[key]: Series(**parts) for key, parts in stored[row["video_id"]].items()}
            values = {key: column[numbers[row["id"]]] for key, column in scores.items() if "." in key}
            stale = {use.label for use in uses if (row["id"], use.label) in pending.done}
            anew = {use.label: pending.anew(row["id"], use, known[row["id"]]) for use in uses}
            video = about[row["video_id"]]
            view = replace(_view(row, values, series), listed=_listed(row, video, listed))
            found.append(Subject(row, video, view, uses, known[row["id"]], stale, anew))
        yield part.num_rows, found


def _view(row: Mapping[str, Any], scores: Mapping[str, float], series: Mapping[str, Series]) -> View:
    spans = {name: row[name] for name in ("start_s", "end_s", "start_frame", "end_frame")}
    known = {key: None if np.isnan(value) else float(value) for key, value in scores.items()}
    clip = Clip(row["id"], row["video_id"], **spans, scores=known)
    inside = {label: _from_start(rows.between(clip.start_s, clip.end_s), clip) for label, rows in series.items()}
    transition = None
    if "transition_start_s" in row:
        transition = (row["transition_start_s"] - clip.start_s, row["transition_end_s"] - clip.start_s)
    return View(clip, inside, gather_facts(clip.duration_s, inside), transition)


def _listed(
    row: Mapping[str, Any], video: Mapping[str, Any], listed: Mapping[str, Sequence[Mapping[str, Any]]]
) -> list[Mapping[str, Any]]:
    """Return the rows of lists that are about a clip."""
    rows = listed.get(video["path"], ())
    return rows_about(rows, row["start_s"], row["end_s"], video_s=video["duration_s"], fps=video["fps"])


def _from_start(rows: Series, clip: Clip) -> Series:
    return Series(rows.columns, rows.times - clip.start_s, rows.frames - clip.start_frame, rows.values)


class Pending:
    """Which captioners, judges or voters each clip still needs: those whose work isn't there, nor failed before."""

    def __init__(
        self,
        recipe: Recipe,
        uses: Sequence[Use],
        failed: Mapping[tuple[str, str], Mapping[str, Any]],
        retry: Collection[str],
        doubts: Doubts,
    ) -> None:
        self.uses, self.failed, self.retry, self.doubts = uses, failed, retry, doubts
        self.keys = {use.label: work_key(recipe, use) for use in uses}
        self.signals = {label for use in uses for label in use.step.signals}
        self.listed = any(use.step.listed for use in uses)
        self.done: dict[tuple[str, str], tuple[str, set[str]]] = {}
        """Clip id and label -> the work that is there, and the answers behind what of it is set aside."""
        self.passed_over: dict[str, str] = {}
        """Clips that failed before and are left alone -> the kind of failure."""

    def load(self, store: Store, rows: Sequence[Mapping[str, Any]]) -> None:
        """Read what some clips have."""
        self.done = {}
        if self.uses[0].step.kind == "captions":
            columns = ["clip_id", "step", "work", "problems", "answer"]
            for made in store.read("captions", columns, one_of("clip_id", [row["id"] for row in rows])).to_pylist():
                _, aside = self.done.setdefault((made["clip_id"], made["step"]), (made["work"], set()))
                aside.update([made["answer"] or ""] if made["problems"] else [])
        elif self.uses[0].step.kind == "voters":
            ids = {row["id"] for row in rows}
            where = f"{one_of('video_id', {row['video_id'] for row in rows})} AND {one_of('voter', self.keys)}"
            for vote in store.read("votes", ["video_id", "voter", "work"], where).to_pylist():
                if (about := stretch_of(vote)) in ids:
                    self.done[about, vote["voter"]] = (work_of(vote), set())
        else:
            key = judge_key(self.keys)
            judged = [row["id"] for row in rows if row["judge_key"] == key]
            self.done = {(clip_id, label): (work, set()) for clip_id in judged for label, work in self.keys.items()}

    def of(self, row: Mapping[str, Any]) -> list[Use]:
        """Return what is to be done on a clip: of judges all or none, for their scores are stored as one."""
        due = [use for use in self.uses if self._is_due(row["id"], use)]
        return list(self.uses) if due and due[0].step.kind == "judges" else due

    def _is_due(self, clip_id: str, use: Use) -> bool:
        if self.doubts:  # the rest was tried a moment ago
            return (clip_id, use.label) in self.doubts
        work, aside = self.done.get((clip_id, use.label), ("", set()))
        if work == self.keys[use.label]:
            return bool(aside) and self._again("quarantined")
        before = self.failed.get((clip_id, step_name(use)))
        if not before or before["work"] != self.keys[use.label] or self._again(before["kind"]):
            return True
        self.passed_over[clip_id] = before["kind"]
        return False

    def anew(self, clip_id: str, use: Use, known: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, int], int]:
        """Return the questions about a clip that are to be asked anew, and the attempt that was found wanting."""
        work, aside = self.done.get((clip_id, use.label), ("", set()))
        if work != self.keys[use.label] or not self._again("quarantined"):
            return {}
        return {(row["question"], row["number"]): row["attempt"] for row in known.values() if row["key"] in aside}

    def _again(self, kind: str) -> bool:
        return kind in (*PASSING, *self.retry) or "all" in self.retry


def judge_key(keys: Mapping[str, str]) -> str:
    """Return the name of the work of all judges together, as clips carry it."""
    return fingerprint(dict(keys))


def forget_other_judges(store: Store, recipe: Recipe) -> None:
    """Take back what other judges, or these asked otherwise, said of clips, so that no rule goes by it."""
    if any(recipe.waits(use) for use in recipe.judges.values()):
        return  # without a model at hand, what was said stays said
    key = judge_key({use.label: work_key(recipe, use) for use in recipe.judges.values()})
    others = store.read("clips", ["id"], f"judge_key != '{key}'").to_pylist()
    store.update("clips", "id", others, pa.schema([SCHEMAS["clips"].field(name) for name in ("id", "judge_key")]))


async def run_step(use: Use, subject: Subject, recipe: Recipe, send: Send, doubts: Doubts) -> Any:
    """Run one captioner, judge or voter on one clip and return what it gives."""
    settings = recipe.settings_of(use)
    if settings is None:
        made = use.step.call(subject.view, **use.parameters)
    else:
        own = doubts.get((subject.id, use.label))
        ask = Interview(step_name(use), subject.id, settings, subject.known, send, own, subject.anew[use.label])
        made = await use.step.call(subject.view, ask, **use.parameters)
        subject.models[use.label] = ", ".join(sorted(ask.models))
    _check_form(use, made)
    return made


def _check_form(use: Use, made: Any) -> None:
    """Raise `TypeError` where a step, which anybody may write, gives what can't be stored."""
    if use.step.kind == "voters":
        told = (type(made.joins), type(made.score)) if isinstance(made, Vote) else (None, None)
        if told[0] not in (bool, NoneType) or told[1] not in (int, float, NoneType):
            raise TypeError(f"a voter returns a Vote, not {reprlib.repr(made)}")
    elif use.step.kind == "captions":
        if not (isinstance(made, list) and all(isinstance(one, Caption) for one in made)):
            raise TypeError(f"a captioner returns a list of captions, not {reprlib.repr(made)}")
    elif not (isinstance(made, dict) and all(type(value) in (int, float, NoneType) for value in made.values())):
        raise TypeError(f"a judge returns a number or None for each score, not {reprlib.repr(made)}")


@dataclass(slots=True)
class Survey:
    """What can be said of a clip without asking anything, each by label."""

    made: dict[str, Any] = field(default_factory=dict)
    """What stored answers are enough for."""
    missing: list[Missing] = field(default_factory=list)
    """The first questions that have no answer."""
    faults: dict[str, str] = field(default_factory=dict)
    """What steps of the recipe did wrong themselves."""


def survey(subject: Subject, recipe: Recipe, doubts: Doubts, loop: asyncio.AbstractEventLoop) -> Survey:
    """Run the steps of a clip on stored answers alone."""
    found = Survey()

    async def note(question: Missing) -> Mapping[str, Any]:
        found.missing.append(question)
        raise NotAnsweredError

    for use in subject.uses:
        try:
            found.made[use.label] = loop.run_until_complete(run_step(use, subject, recipe, note, doubts))
        except NotAnsweredError:
            continue
        except Exception as error:  # a step's own fault is this clip's failure, told in full
            found.faults[use.label] = fault_of(error)
    return found


def fault_of(error: Exception) -> str:
    """Return what a step's own fault is called in `failures`."""
    return f"{type(error).__name__}: {error}"


def picture_job(folder: Place, subject: Subject, looks: Sequence[Look]) -> dict[str, Any]:
    """Return the job that takes pictures of a clip: from its own file where there is one, else from its video."""
    clip, video = subject.clip, subject.video
    file = folder / clip["file"] if clip["file"] else None
    whole = {
        "path": video["path"],
        "video_id": video["id"],
        "bytes": video["bytes"],
        "modified_ns": video["modified_ns"],
        "start_s": clip["start_s"],
        "first_timestamp_s": video["first_timestamp_s"],
        "seekable": video["seekable"],
    }
    own = {"path": str(file), "start_s": 0.0, "first_timestamp_s": 0.0, "seekable": True}
    return {**(own if file and file.is_file() else whole), "looks": [asdict(look) for look in looks]}
