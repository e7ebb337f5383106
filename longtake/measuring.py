"""The scan phase of a run: doing what is to be done, and committing the results as they come."""

import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from longtake import __version__
from longtake.deriving import FRAMES
from longtake.engines import Engine, Item, Outcome, stop_where_unwritable
from longtake.errors import UsageError
from longtake.listing import rows_for, uses_lists
from longtake.planning import ANY_WORK, MISSED, WORK_KINDS, Candidate, Work
from longtake.recipe import Recipe, score_keys
from longtake.schemas import SCHEMAS, score_schema
from longtake.sections import Use
from longtake.steps import fingerprint
from longtake.store import Store, one_of
from longtake.voting import asking_voters, by_voter, numbers_of, stretch_of
from longtake.watch import Progress, Watch

COMMIT_ITEMS = 64
COMMIT_S = 2.0
LOAD_AT_ONCE = 16
FILE_COLUMNS = ("file", "file_key", "file_bytes", "file_width", "file_height", "file_audio")
VERIFY_COLUMNS = ("file_transitions", "file_transitions_at", "file_verify_key")
"""What the second look found: it stays known where the file was removed for it."""


@dataclass
class Measured:
    """What the phase did."""

    videos: int = 0
    failed: int = 0
    scanned_s: float = 0.0
    """Seconds of video decoded."""
    elapsed_s: float = 0.0
    no_numbers: Counter[str] = field(default_factory=Counter)
    """Scores that said NaN or infinite -> of how many clips; what is stored is that they were not measured."""


def measure_videos(store: Store, recipe: Recipe, work: Work, engine: Engine, watch: Watch) -> Measured:
    """Bring every video that has work to do to what the recipe asks: signals, shots, clips, scores."""
    return _Phase(store, recipe, work, engine, watch).run()


def prepare(
    uses: Iterable[Use],
    engine: Engine,
    watch: Watch,
    *,
    signals: Mapping[str, Use] = MappingProxyType({}),
    columns: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> None:
    """Let signals and scores get what they need once on each machine, before many workers do, however long it takes.

    Scores read `signals`, whose `columns` may be known. Raises `UsageError` for what can't be had.
    """
    wanting = [use for use in uses if use.step.prepare]
    begun = time.monotonic()
    tell = Progress("load", 0, len(wanting), 0, 0.0, 0.0, 0.0, f"for {', '.join(use.label for use in wanting)}")
    items = []
    for use in wanting:
        job: dict[str, Any] = {"kind": use.step.kind, "step": use.step.name, "parameters": use.parameters}
        if use.step.kind == "scores":
            reads = signals[use.signal or ""]
            job |= {"reads": reads.step.name, "of_signal": reads.parameters, "columns": columns.get(reads.label)}
        items.append(Item(f"{use.step.kind.removesuffix('s')} {use.label}", job))
    if items:
        watch(tell)
    for done, outcome in enumerate(engine.run_everywhere("longtake.jobs:prepare", items), 1):
        if outcome.failure:
            raise UsageError(f"{outcome.item.name}: {outcome.failure[1]}")
        watch(replace(tell, done=done, elapsed_s=time.monotonic() - begun))


class _Phase:
    """Hands videos to the engine and commits what comes back in small batches."""

    def __init__(self, store: Store, recipe: Recipe, work: Work, engine: Engine, watch: Watch) -> None:
        self.store, self.recipe, self.work, self.engine, self.watch = store, recipe, work, engine, watch
        # With fewer videos than workers the spare cores help to decode.
        self.threads = max(1, min(engine.cores, engine.workers // max(1, len(work.todo))))
        self.plain_recipe = recipe.as_dict()
        self.clip_schema = score_schema(SCHEMAS["clips"], score_keys(recipe))
        self.has_shots = store.distinct("shots", "video_id")
        self.has_clips = store.distinct("clips", "video_id")
        self.has_failed = store.distinct("failures", "item")
        self.goes_by_lists = uses_lists(recipe)
        self.askers = [use.label for use in asking_voters(recipe)]
        self.said: dict[str, list[dict[str, Any]]] = {}
        """Rows of what models voted, by video; of videos under way."""
        self.revoted: set[str] = set()
        """Videos whose clips go by votes that are void: on a transition that parts other shots now."""
        self.batch: list[tuple[Candidate, Outcome]] = []
        self.begun = self.committed_at = time.monotonic()
        self.measured = Measured()

    def run(self) -> Measured:
        todo = self.work.todo
        if todo:
            self._prepare(todo)
        by_name = {str(candidate.path): candidate for candidate in todo}
        outcomes = self.engine.run_items(
            "longtake.jobs:measure",
            self._items(todo),
            at_most=len(todo),
            cores=self.threads,
            gpu=bool(self.work.plan.to_scan) and any(use.step.uses_gpu for use in self.recipe.signals.values()),
            on_progress=self._tell,
        )
        try:
            for outcome in outcomes:
                stop_where_unwritable(outcome, self.store.folder)
                self.batch.append((by_name[outcome.item.name], outcome))
                self._count(outcome)
                if len(self.batch) >= COMMIT_ITEMS or time.monotonic() - self.committed_at >= COMMIT_S:
                    self._commit()
        finally:
            outcomes.close()
            self._commit()  # also on Ctrl-C: what is done stays done
        self.measured.elapsed_s = time.monotonic() - self.begun
        return self.measured

    def _prepare(self, todo: list[Candidate]) -> None:
        """Let the signals that are to be measured, and all scores, get what they need."""
        stored, keys, recipe = self.work.stored, self.work.keys, self.recipe
        signals = [
            use
            for label, use in recipe.signals.items()
            if any(keys[label] not in stored.get(candidate.id, ()) for candidate in todo)
        ]
        columns = {}
        for use in recipe.scores.values():
            if use.step.prepare and use.signal and recipe.signals[use.signal] not in signals:
                # No model is loaded only to learn how many numbers the stored vectors have.
                where = f"{one_of('video_id', [todo[0].id])} AND {one_of('key', [keys[use.signal]])}"
                columns[use.signal] = self.store.read("signals", ["columns"], where)["columns"][0].as_py()
        prepare([*signals, *recipe.scores.values()], self.engine, self.watch, signals=recipe.signals, columns=columns)

    def _items(self, todo: list[Candidate]) -> Iterator[Item]:
        """Make items as the engine asks for them, with the signals already stored."""
        for start in range(0, len(todo), LOAD_AT_ONCE):
            some = todo[start : start + LOAD_AT_ONCE]
            there = [c.id for c in some if c.id in self.work.known]
            # Where nothing is there, a look would still open each of the commits so far.
            found = self.store.read("videos", where=one_of("id", there)).to_pylist() if there else []
            rows = {row["id"]: row for row in found}
            loaded = self.store.signals_of([name for name in there if name in self.work.stored])
            listed = rows_for(self.store, [c.name for c in some]) if self.goes_by_lists else {}
            self._load_votes(there)
            for candidate in some:
                series = loaded.get(candidate.id, {})
                known = {label: series[key] for label, key in self.work.keys.items() if key in series}
                fast = self.work.keys.items() if self.recipe.fast else ()
                missed = {label: series[key + MISSED] for label, key in fast if key + MISSED in series}
                row = rows.get(candidate.id)
                payload = {
                    "path": str(candidate.path),
                    "set": str(self.store.folder),
                    "recipe": self.plain_recipe,
                    "threads": self.threads,
                    "known": missed | known,
                    "missed": sorted(missed.keys() - known),
                    "video": video_fields(row) if row else None,
                    "previews": row["previews"] if row else None,
                    "votes": by_voter(self.said.get(candidate.id, ())),
                    "listed": listed.get(candidate.name, []),
                }
                yield Item(str(candidate.path), payload)

    def _load_votes(self, video_ids: Sequence[str]) -> None:
        if self.askers and video_ids:
            where = f"{one_of('video_id', video_ids)} AND {one_of('voter', self.askers)}"
            for row in self.store.read("votes", where=where).to_pylist():
                self.said.setdefault(row["video_id"], []).append(row)

    def _count(self, outcome: Outcome) -> None:
        if outcome.failure:
            self.measured.failed += 1
        else:
            self.measured.videos += 1
            if outcome.result["series"]:
                self.measured.scanned_s += outcome.result["video"]["duration_s"]

    def _tell(self, running: Mapping[str, float]) -> None:
        measured = self.measured
        done = measured.videos + measured.failed
        reached_s = measured.scanned_s + sum(running.values())
        plan = self.work.plan
        total = plan.to_scan + plan.to_derive
        elapsed_s = time.monotonic() - self.begun
        self.watch(Progress("scan", done, total, measured.failed, reached_s, plan.to_scan_s, elapsed_s))

    def _commit(self) -> None:
        """Write a batch; after an error half of it is stored, which the next run does anew and this one not again."""
        try:
            self._store_batch()
        finally:
            self.batch = []
        self.committed_at = time.monotonic()

    def _store_batch(self) -> None:
        """Store a batch; the videos rows go last, for they say that the rest is there."""
        good = [(c, outcome.result) for c, outcome in self.batch if not outcome.failure]
        bad = [(c, outcome.failure) for c, outcome in self.batch if outcome.failure]
        ids = [result["video"]["id"] for _, result in good]
        store = self.store
        store.add_signals([row for _, result in good for row in self._signal_rows(result)])
        store.delete("shots", "video_id", self.has_shots.intersection(ids))
        store.append("shots", [row for _, result in good for row in _shot_rows(result)])
        changed, kept = self._kept_votes([result for _, result in good])
        before = [name for name in ids if name in self.has_shots or name in self.work.known]
        store.delete("votes", "video_id", before, also=f"NOT {one_of('voter', self.askers)}")
        store.delete("votes", "video_id", changed)
        store.append("votes", kept + [row for _, result in good for row in self._vote_rows(result)])
        files = self._written_files(self.has_clips.intersection(ids))
        store.delete("clips", "video_id", self.has_clips.intersection(ids))
        store.append("clips", [row for _, r in good for row in self._clip_rows(r, files)], self.clip_schema)
        store.delete("failures", "item", self.has_failed.intersection(c.name for c, _ in self.batch))
        store.append("failures", [self._failure_row(c, failure) for c, failure in bad if failure])
        store.delete("videos", "id", [video for video in ids if video in self.work.known])
        store.append("videos", [self._video_row(c, result) for c, result in good])

    def _signal_rows(self, result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for label, series in result["series"].items():
            use = self.recipe.signals.get(label)
            yield {
                "video_id": result["video"]["id"],
                "key": self.work.keys[label] + (MISSED if label in result["missed"] else ""),
                "label": label,
                "step": use.step.name if use else FRAMES,
                "version": use.step.version if use else 1,
                "parameters": use.parameters if use else {},
                "series": series,
            }

    def _kept_votes(self, results: Sequence[Mapping[str, Any]]) -> tuple[set[str], list[dict[str, Any]]]:
        """Return the videos some of whose stretches are others now, and what models voted on those that stayed."""
        changed, kept = set(), []
        for result in results:
            name = result["video"]["id"]
            before, numbers = self.said.pop(name, []), numbers_of(result)
            now = [{**row, "number": numbers[stretch_of(row)]} for row in before if stretch_of(row) in numbers]
            if len(now) < len(before):
                self.revoted.add(name)
            if now != before:
                changed.add(name)
                kept += now
        return changed, kept

    def _vote_rows(self, result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for label, votes in result["votes"].items():
            use = self.recipe.voters[label]
            work = fingerprint([use.key, self.work.keys[use.signal or ""]])
            for number, (transition, vote) in enumerate(zip(result["transitions"], votes, strict=True)):
                span = {name: transition[name] for name in ("start_s", "end_s")}
                yield {
                    "video_id": result["video"]["id"],
                    "number": number,
                    **span,
                    "voter": label,
                    **vote,
                    "work": work,
                }

    def _clip_rows(self, result: Mapping[str, Any], files: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        for clip in result["clips"]:
            row = {name: value for name, value in clip.items() if name not in ("scores", "transitions")}
            row |= {"transitions": len(clip["transitions"]), "transitions_at": list(clip["transitions"])}
            for key, value in clip["scores"].items():
                is_number = value is None or math.isfinite(value)
                if not is_number:
                    self.measured.no_numbers[key] += 1
                label, _, part = key.partition(".")
                row.setdefault(label, {})[part] = value if is_number else None
            yield {**row, **_facts(result["video"], clip), **files.get(clip["id"], {})}

    def _written_files(self, video_ids: set[str]) -> dict[str, dict[str, Any]]:
        """Return what is known of clip files already written, by clip id: the same span needs no new file."""
        if not video_ids:
            return {}
        columns = ["id", *FILE_COLUMNS, *VERIFY_COLUMNS]
        rows = self.store.read("clips", columns, one_of("video_id", video_ids)).to_pylist()
        return {row.pop("id"): row for row in rows if row["file"] or row["file_verify_key"]}

    def _failure_row(self, candidate: Candidate, failure: tuple[str, str]) -> dict[str, Any]:
        return {
            "item": candidate.name,
            "step": "scan",
            "kind": failure[0],
            "message": failure[1],
            "work": self.recipe.key if failure[0] in WORK_KINDS else ANY_WORK,
            "bytes": candidate.bytes,
            "modified_ns": candidate.modified_ns,
        }

    def _video_row(self, candidate: Candidate, result: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **result["video"],
            "path": str(candidate.path),
            "damage": list(result["video"]["damage"]),
            "previews": result["previews"],
            "modified_ns": candidate.modified_ns,
            "made_by": self.recipe.key,
            "version": __version__,
            "revoted": result["video"]["id"] in self.revoted,
        }


def _facts(video: Mapping[str, Any], clip: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a clip's row says of its size and rate: a rate that varies is that of its own frames."""
    duration_s = clip["end_s"] - clip["start_s"]
    facts = {name: video[name] for name in ("width", "height", "fps")} | {"duration_s": duration_s}
    if video["variable_fps"] and duration_s > 0:
        facts["fps"] = round((clip["end_frame"] - clip["start_frame"]) / duration_s, 6)
    return facts


def video_fields(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a `Video` from its row."""
    extra = ("modified_ns", "previews", "made_by", "version", "revoted")
    return {name: value for name, value in row.items() if name not in extra} | {"damage": tuple(row["damage"])}


def _shot_rows(result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    endings = [*result["transitions"], None]
    for number, (shot, ending) in enumerate(zip(result["shots"], endings, strict=True)):
        yield {"video_id": result["video"]["id"], "number": number, **shot, "ends_in": ending}
