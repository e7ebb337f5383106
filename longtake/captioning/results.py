"""What captioners, judges and voters gave, committed to the set in small batches."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from longtake.captioning.subjects import Subject, judge_key, step_name, work_key
from longtake.errors import FailureKind
from longtake.planning import mark_revoted
from longtake.recipe import Recipe
from longtake.records import Caption, Vote
from longtake.schemas import SCHEMAS, score_schema
from longtake.sections import Use
from longtake.store import Store
from longtake.voting import vote_work

COMMIT_CLIPS = 256
COMMIT_S = 2.0
COMMIT_SHARE = 0.01
"""Of the time so far: each commit leaves a list of all earlier ones, so a long phase must not have too many."""


class Results:
    """Collects the results of a phase; a clip's results of one step are stored together or not at all."""

    def __init__(self, store: Store, recipe: Recipe, uses: Sequence[Use], failed: Collection[tuple[str, str]]) -> None:
        self.store = store
        self.uses = {use.label: use for use in uses}
        self.keys = {use.label: work_key(recipe, use) for use in uses}
        self.has_failed = set(failed)
        self.captions: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.scores: dict[str, dict[str, Any]] = {}
        self.votes: list[dict[str, Any]] = []
        self.stale: set[tuple[str, str]] = set()
        self.tried: set[tuple[str, str]] = set()
        self.failures: list[dict[str, Any]] = []
        self.begun = time.monotonic()
        self.commit_at = self.begun + COMMIT_S
        self.clips: set[str] = set()
        """Clips that something was made for."""
        self.failed: dict[str, FailureKind] = {}
        """Clips that something could not be done on, and why not."""
        self.made = 0
        self.quarantined = 0
        keys = [f"{use.label}.{part}" for use in uses for part in use.step.scores]
        plain = pa.schema([SCHEMAS["clips"].field(name) for name in ("id", "judge_key")])
        self.score_schema = score_schema(plain, keys)

    def add(self, subject: Subject, made: Mapping[str, Any]) -> None:
        """Take what steps gave of one clip, by label: captions or votes of some, or the scores of all judges."""
        if not made:
            return
        self.clips.add(subject.id)
        self.tried.update((subject.id, step_name(self.uses[label])) for label in made)
        kind = next(iter(self.uses.values())).step.kind
        if kind == "judges":
            self.scores[subject.id] = {"id": subject.id, **made, "judge_key": judge_key(self.keys)}
            return
        for label, given in made.items():
            if kind == "voters":
                self._add_vote(subject, label, given)
            else:
                self._add_captions(subject, self.uses[label], given)

    def _add_vote(self, subject: Subject, label: str, vote: Vote) -> None:
        stretch = subject.clip
        row = {
            "video_id": stretch["video_id"],
            "number": stretch["number"],
            "start_s": stretch["transition_start_s"],
            "end_s": stretch["transition_end_s"],
            "voter": label,
            **asdict(vote),
            "model": subject.models.get(label),
            "work": vote_work(self.keys[label], stretch["video_id"], subject.id),
        }
        self.votes.append(row)

    def _add_captions(self, subject: Subject, use: Use, captions: Sequence[Caption]) -> None:
        self.made += len(captions)
        self.quarantined += sum(bool(caption.problems) for caption in captions)
        if use.label in subject.stale:
            self.stale.add((subject.id, use.label))
        self.captions[subject.id, use.label] = [
            {
                "clip_id": subject.id,
                "video_id": subject.clip["video_id"],
                "step": use.label,
                **{name: getattr(caption, name) for name in ("kind", "number", "start_s", "end_s", "text")},
                "problems": list(caption.problems),
                "model": caption.model,
                "answer": caption.answer,
                "frames_s": list(caption.frames_s),
                "work": self.keys[use.label],
            }
            for caption in captions
        ]

    def fail(self, subject: Subject, label: str, kind: FailureKind, message: str) -> None:
        """Take note that a step could not be done on one clip; what was answered till then stays answered."""
        self.failed[subject.id] = kind
        step = step_name(self.uses[label])
        self.tried.add((subject.id, step))
        row = {"item": subject.id, "step": step, "kind": kind, "message": message}
        self.failures.append({**row, "work": self.keys[label]})

    def commit_if_due(self) -> None:
        """Store what was collected, if that is enough, or some time has gone."""
        if self.tried and (len(self.tried) >= COMMIT_CLIPS or time.monotonic() >= self.commit_at):
            self.commit()

    def commit(self) -> None:
        """Store what was collected; after an error half of it is stored, and this run tries it no second time."""
        try:
            self._store()
        finally:
            self.captions, self.scores, self.votes = {}, {}, []
            self.stale, self.tried, self.failures = set(), set(), []
        now = time.monotonic()
        self.commit_at = now + max(COMMIT_S, COMMIT_SHARE * (now - self.begun))

    def _store(self) -> None:
        store = self.store
        for label in {label for _, label in self.stale}:
            clips = [clip_id for clip_id, of in self.stale if of == label]
            store.delete("captions", "clip_id", clips, also=f"step = '{label}'")
        store.append("captions", [row for rows in self.captions.values() for row in rows])
        store.update("clips", "id", list(self.scores.values()), self.score_schema)
        if self.votes:
            mark_revoted(store, {row["video_id"] for row in self.votes})
            store.append("votes", self.votes)
        for step in {step for _, step in self.tried & self.has_failed}:
            store.delete("failures", "item", [c for c, of in self.tried if of == step], also=f"step = '{step}'")
        store.append("failures", self.failures)
