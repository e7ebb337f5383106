"""What captioners and judges gave, committed to the set in small batches."""

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pyarrow as pa

from longtake.captioning.subjects import Subject, judge_key, step_name, work_key
from longtake.errors import FailureKind
from longtake.recipe import Recipe, Use
from longtake.records import Caption
from longtake.schemas import SCHEMAS, score_schema
from longtake.store import Store

COMMIT_CLIPS = 256
COMMIT_S = 2.0


class Results:
    """Collects the results of a phase; a clip's results of one step are stored together or not at all."""

    def __init__(self, store: Store, recipe: Recipe, uses: Sequence[Use], failed: Collection[tuple[str, str]]) -> None:
        self.store = store
        self.keys = {use.label: work_key(recipe, use) for use in uses}
        self.has_failed = set(failed)
        self.captions: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.scores: dict[str, dict[str, Any]] = {}
        self.tried: set[tuple[str, str]] = set()
        self.failures: list[dict[str, Any]] = []
        self.committed_at = time.monotonic()
        self.clips: set[str] = set()
        """Clips that something was made for."""
        self.failed: set[str] = set()
        self.made = 0
        self.quarantined = 0
        keys = [f"{use.label}.{part}" for use in uses for part in use.step.scores]
        plain = pa.schema([SCHEMAS["clips"].field(name) for name in ("id", "judge_key")])
        self.score_schema = score_schema(plain, keys)

    def add(self, subject: Subject, made: Mapping[str, Any]) -> None:
        """Take what the steps gave of one clip, by label: captions, or the scores of all judges."""
        self.clips.add(subject.id)
        self.tried.update((subject.id, step_name(use)) for use in subject.uses)
        if subject.uses[0].step.kind == "judges":
            self.scores[subject.id] = {"id": subject.id, **made, "judge_key": judge_key(self.keys)}
        else:
            for use in subject.uses:
                self._add_captions(subject, use, made[use.label])
        self._commit_if_due()

    def _add_captions(self, subject: Subject, use: Use, captions: Sequence[Caption]) -> None:
        self.made += len(captions)
        self.quarantined += sum(bool(caption.problems) for caption in captions)
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

    def fail(self, subject: Subject, kind: FailureKind, message: str) -> None:
        """Take note that the steps could not be done on one clip; what was answered till then stays answered."""
        self.failed.add(subject.id)
        for use in subject.uses:
            self.tried.add((subject.id, step_name(use)))
            row = {"item": subject.id, "step": step_name(use), "kind": kind, "message": message}
            self.failures.append({**row, "work": self.keys[use.label]})
        self._commit_if_due()

    def _commit_if_due(self) -> None:
        if len(self.tried) >= COMMIT_CLIPS or time.monotonic() - self.committed_at >= COMMIT_S:
            self.commit()

    def commit(self) -> None:
        """Store what was collected."""
        store = self.store
        for label in {label for _, label in self.captions}:
            clips = [clip_id for clip_id, of in self.captions if of == label]
            store.delete("captions", "clip_id", clips, also=f"step = '{label}'")
        store.append("captions", [row for rows in self.captions.values() for row in rows])
        store.update("clips", "id", list(self.scores.values()), self.score_schema)
        for step in {step for _, step in self.tried & self.has_failed}:
            store.delete("failures", "item", [c for c, of in self.tried if of == step], also=f"step = '{step}'")
        store.append("failures", self.failures)
        self.captions, self.scores, self.tried, self.failures = {}, {}, set(), []
        self.committed_at = time.monotonic()
