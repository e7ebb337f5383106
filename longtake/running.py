"""The main job: sources in, a selected set out, what is there not done again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from longtake import __version__
from longtake.captioning.asker import check_budget
from longtake.captioning.phase import caption_clips, judge_clips
from longtake.captioning.subjects import forget_other_judges
from longtake.captioning.terms import Asked, Terms
from longtake.captioning.votes import ask_voters
from longtake.engines import check_workers, connect
from longtake.errors import UsageError
from longtake.grouping import Grouped, group_copies
from longtake.listing import take_lists, uses_lists
from longtake.lock import Lock
from longtake.measuring import Measured, measure_videos
from longtake.places import Place, set_folder, write_whole
from longtake.planning import check_kinds, drop_gone, drop_unfinished, note_moved, plan_revoted, plan_work
from longtake.purity import COLUMNS, SecondLook, second_look
from longtake.recipe import Recipe, load
from longtake.report import write_report
from longtake.select import FunnelRow
from longtake.selecting import apply_rules
from longtake.settings import RECIPE
from longtake.shards import ALL, Part, read_shard
from longtake.sources.files import find_videos
from longtake.spanning import Spanned, ground_captions
from longtake.standing import check_folder, notes
from longtake.store import Store
from longtake.watch import Plan, Watch
from longtake.writing import Written, forget_other_looks, sweep, write_clips

CHECKED_VIDEOS = 3
"""About how many videos a cluster's nodes are asked for before anything is done."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run left in the set."""

    folder: Place
    funnel: list[FunnelRow]
    kept: int
    plan: Plan
    measured: Measured
    grouped: Grouped | None
    """None where the recipe looks for no copies."""
    voted: Asked
    judged: Asked
    written: Written
    captioned: Asked
    spanned: Spanned | None
    """None where the recipe makes no spans."""
    second_look: SecondLook
    """In how many of the set's files the detector found no transition."""
    failures: dict[str, int] = field(default_factory=dict)
    """All failures in the set by kind, from this run and earlier ones."""

    @property
    def failed(self) -> int:
        """How many items of the set have failed."""
        return sum(self.failures.values())


def run(
    recipe: str | Recipe,
    sources: str | Place | Sequence[str | Place],
    to: str | Place,
    *,
    settings: Sequence[str] = (),
    workers: int | None = None,
    retry_failed: Sequence[str] = (),
    budget_usd: float | None = None,
    shard: str = "",
    engine: str = "local",
    address: str | None = None,
    watch: Watch = lambda _: None,
) -> RunResult:
    """Scan videos, find their shots, make, score and select clips, write and caption the kept ones, and report.

    `settings` change the recipe (`signals.motion.pairs_hz=4`); `retry_failed` names the failure kinds to try again
    (`all` for every one); models are asked until `budget_usd` is spent; `shard` is written `3/16`: the third of sixteen
    parts of the videos, by a hash of their names in the sources. The `engine` is `local`, or `ray` with the `address`
    of a cluster; without one it starts Ray here. `watch` gets `Plan` once and `Progress` as it goes. The same call
    again does only what is missing. Raises `UsageError` before anything is done, `SetError` where the set can't be
    written.
    """
    recipe = recipe if isinstance(recipe, Recipe) else load(recipe, settings)
    folder = set_folder(to)
    check_folder(folder)
    check_kinds(retry_failed)
    check_workers(workers)
    if budget_usd is not None:
        if not budget_usd >= 0:
            raise UsageError(f"a budget of {budget_usd} US dollars can't be spent; give 0 or more")
        check_budget(recipe)
    part = read_shard(shard)
    found = find_videos(sources, part)
    if uses_lists(recipe) and not found.lists:
        raise UsageError(
            f"the recipe {recipe.name} goes by a list, and no folder named here holds one; make one with: "
            "longtake fetch LIST --to FOLDER"
        )
    started = datetime.now(UTC)
    with Lock(folder) as lock, connect(engine, workers=workers, address=address) as machines:
        store = Store(folder, lock)
        take_lists(store, recipe, found, watch)
        drop_unfinished(store)
        drop_gone(store, found)
        work = plan_work(store, recipe, found, machines, retry_failed)
        machines.check([folder, *(one.path for one in work.todo[:: 1 + len(work.todo) // CHECKED_VIDEOS])])
        watch(replace(work.plan, notes=notes(store, recipe, found)))
        if not (folder / RECIPE).is_file():
            write_whole(folder / RECIPE, recipe.to_toml().encode())  # a first scan that is stopped leaves a set, too
        note_moved(store, work.moved)
        measured = measure_videos(store, recipe, work, machines, watch)
        write_whole(folder / RECIPE, recipe.to_toml().encode())
        terms = Terms(machines, retry_failed, budget_usd)
        voted = ask_voters(store, recipe, terms, watch)
        revoted = plan_revoted(store, recipe, work)
        if revoted.todo:
            measure_videos(store, recipe, revoted, machines, watch)  # clips that go by what they said
        grouped = group_copies(store, recipe, watch)
        terms = terms.less(voted)
        forget_other_judges(store, recipe)
        apply_rules(store, recipe.rules, judges=recipe.judges)
        judged = judge_clips(store, recipe, terms, watch)
        written = Written()
        if recipe.files:
            forget_other_looks(store, recipe)
            apply_rules(store, recipe.rules, judges=recipe.judges)
            written = write_clips(store, recipe, machines, retry_failed, watch)
        rows, kept = apply_rules(store, recipe.rules, judges=recipe.judges)
        if recipe.files:
            written.removed += sweep(store)  # what a rule about the files themselves took
        captioned = caption_clips(store, recipe, terms.less(judged), watch)
        asked = sum(phase.clips + phase.failed for phase in (voted, judged, captioned))
        if measured.videos or measured.failed or written.written or written.verified or written.failed or asked:
            _log(store, recipe, started, machines.workers, measured, written, part)
            store.compact()
        elif part != ALL and not store.count("runs"):
            _log(store, recipe, started, machines.workers, measured, written, part)  # an empty part is done too
        spanned = ground_captions(store, recipe, machines, watch)
        write_report(folder)
        failures = Counter(store.read("failures", ["kind"])["kind"].to_pylist())
        looked = second_look(store.read("clips", COLUMNS))
    return RunResult(
        folder,
        rows,
        kept,
        work.plan,
        measured,
        grouped,
        voted,
        judged,
        written,
        captioned,
        spanned,
        looked,
        dict(sorted(failures.items())),
    )


def _log(
    store: Store,
    recipe: Recipe,
    started: datetime,
    workers: int,
    measured: Measured,
    written: Written,
    part: Part,
) -> None:
    """Add a row to `runs`."""
    row = {
        "started": started,
        "ended": datetime.now(UTC),
        "recipe": recipe.to_toml(),
        "version": __version__,
        "workers": workers,
        "videos": measured.videos,
        "video_s": measured.scanned_s,
        "scan_s": measured.elapsed_s,
        "written": written.written,
        "write_s": written.elapsed_s,
        "failed": measured.failed + written.failed,
        "shard": str(part),
    }
    store.append("runs", [row])
