"""Sets made of parts of the videos, joined into one: what one run over all of them would have left.

Tables are streamed, one commit for each table of each set, videos last; what was joined before a kill is not joined
again. What goes over a whole set (copies, rules, spans, the report) is worked out anew. No video is opened.
"""

import time
import tomllib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from longtake.engines import Engine, connect
from longtake.errors import SetError
from longtake.grouping import Grouped, group_copies
from longtake.lock import Lock
from longtake.merging.files import Brought, bring_files
from longtake.merging.parts import open_parts, share_out
from longtake.merging.steps import merge_tables
from longtake.places import Place, place, set_folder, write_whole
from longtake.planning import hash_of, removed_before
from longtake.recipe import Recipe, resolve
from longtake.removing import block, remove_videos
from longtake.report import write_report
from longtake.select import FunnelRow
from longtake.selecting import apply_rules
from longtake.settings import RECIPE
from longtake.spanning import Spanned, ground_captions
from longtake.standing import check_folder
from longtake.store import Store
from longtake.watch import Progress, Watch
from longtake.writing import sweep

MARK = ".merging.json"
"""In the joined set, while it is made: how far that has come."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What joining left in the set."""

    folder: Place
    funnel: list[FunnelRow]
    videos: int
    came: int
    """Videos of the parts that weren't in the set before."""
    twice: list[str]
    """Ids of videos that more than one part had; each is there once."""
    removed: int
    """Videos of the parts that were left out, for they were removed from one of the sets for good."""
    lacking: list[str]
    """Shards that no part is of: `3/16`."""
    files: Brought
    swept: int
    """Files of clips that are no longer kept: copies of clips of other parts."""
    grouped: Grouped | None
    spanned: Spanned | None
    samples: int
    """Clips of samples drawn for judging, left out: a sample of a part is none of the whole."""
    waiting: list[str] = field(default_factory=list)
    """Captioners that ask a model: texts that came too often are looked for by `longtake caption`."""


def merge_sets(
    sets: Sequence[str | Place],
    to: str | Place,
    *,
    move: bool = False,
    workers: int | None = None,
    watch: Watch = lambda _: None,
) -> Merged:
    """Join sets of one recipe into the set `to`, which may be there already and then counts as the first of them.

    Clip files and previews are linked, or copied to another disk; with `move` they leave the parts. A video that was
    removed from any of the sets for good stays removed. The same call after a kill goes on. Raises `UsageError` where
    the recipes differ, before anything is written, and `SetError`.
    """
    to = set_folder(to)
    check_folder(to)
    begun = time.monotonic()
    recipe = _recipe(sets[0] if sets else to)
    with ExitStack() as held:
        parts = open_parts([place(one) for one in sets], to, held)
        removed = set().union(*(removed_before(part.store.folder) for part in parts), removed_before(to))
        gone = [one for one in Store(to).distinct("videos", "id") if hash_of(one) in removed]
        if gone:
            remove_videos(to, gone)
        there = Store(to, held.enter_context(Lock(to)))
        block(to, removed)
        if not (to / RECIPE).exists():
            write_whole(to / RECIPE, (parts[0].store.folder / RECIPE).read_bytes())
        sharing = share_out(there, parts, recipe.key, removed)
        before = there.count("videos")

        def tell(done: int, total: int, words: str) -> None:
            watch(Progress("merge", done, total, 0, 0.0, 0.0, time.monotonic() - begun, words))

        files = Brought()
        merge_tables(to / MARK, sharing, lambda: bring_files(sharing, files, move=move), tell)
        with connect(workers=workers) as engine:
            found = _work_out(there, recipe, engine, watch)
        there.compact()
        write_report(to)
        (to / MARK).unlink()
        return Merged(
            to,
            videos=there.count("videos"),
            came=there.count("videos") - before,
            twice=sharing.twice,
            removed=sharing.removed,
            lacking=sharing.lacking,
            files=files,
            samples=sum(part.store.count("samples") for part in parts),
            waiting=[use.label for use in recipe.captions.values() if use.step.asks],
            **found,
        )


def _work_out(store: Store, recipe: Recipe, engine: Engine, watch: Watch) -> dict[str, Any]:
    """Do anew what goes over the whole set."""
    grouped = group_copies(store, recipe, watch)
    funnel, _ = apply_rules(store, recipe.rules, judges=recipe.judges)
    swept = sweep(store) if recipe.files else 0
    spanned = ground_captions(store, recipe, engine, watch)
    return {"grouped": grouped, "funnel": funnel, "swept": swept, "spanned": spanned}


def _recipe(folder: str | Place) -> Recipe:
    path = place(folder) / RECIPE
    if not path.is_file():
        raise SetError(f"{folder} is no set: it has no {RECIPE}")
    return resolve(tomllib.loads(path.read_text(encoding="utf-8")))
