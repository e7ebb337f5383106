"""The sets that are joined: checked against each other, and which of their videos each one gives."""

import json
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from longtake.captioning.answers import Answers
from longtake.errors import SetError, UsageError
from longtake.lock import Lock
from longtake.places import Place
from longtake.planning import hash_of
from longtake.removing import PENDING
from longtake.settings import RECIPE
from longtake.shards import ALL, Part, read_shard
from longtake.store import Store

DIFFER = ("models", "made_with.longtake", "about", "name", "source", "not_run")
"""What recipes of one set may differ in: how a model is reached is each machine's own."""
TOLD = 8


@dataclass(slots=True)
class Giver:
    """One of the sets, and what it gives; the set that is made is the first, and gives nothing but keeps its own."""

    store: Store
    ids: set[str] = field(default_factory=set)
    """Of the videos that it has."""
    not_given: set[str] = field(default_factory=set)
    """Of those of them that another set gives, or that were removed for good."""
    removed: set[str] = field(default_factory=set)
    """Of those of them that were removed for good from one of the sets."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """Who gives which video."""

    to: Giver
    parts: list[Giver]
    twice: list[str]
    removed: int
    lacking: list[str]


def open_parts(folders: Sequence[Place], to: Place, held: ExitStack) -> list[Giver]:
    """Lock the sets, take in what a kill left in their journals, and see that they go together.

    Raises `UsageError`, `SetError`.
    """
    if not folders:
        raise UsageError("name the sets to be joined")
    if len({_real(folder) for folder in [*folders, to]}) <= len(folders):
        raise UsageError("every set is named once, and --to is another one: name it by --to alone")
    for folder in folders:
        if not (folder / RECIPE).is_file():
            raise SetError(f"{folder} is no set: it has no {RECIPE}")
        if (folder / PENDING).exists():
            raise SetError(f"{folder}: a removal was stopped half-way; finish it first: longtake remove {folder} VIDEO")
    recipes = {str(folder): _flat(folder / RECIPE) for folder in [*folders, to] if (folder / RECIPE).is_file()}
    check_recipes(recipes)
    parts = []
    for folder in folders:
        store = Store(folder, held.enter_context(Lock(folder)))
        with Answers(store):
            pass  # folds what a killed run left in the journal
        parts.append(Giver(store))
    return parts


def _real(folder: Place) -> str:
    return str(folder.resolve() if isinstance(folder, Path) else folder)


def check_recipes(recipes: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise `UsageError` where recipes, given by their folders, differ in what a set is made of; it names what."""
    (first, wanted), *others = recipes.items()
    for folder, recipe in others:
        differ = sorted(key for key in wanted.keys() | recipe.keys() if wanted.get(key) != recipe.get(key))
        if differ:
            said = [f"{key}: {_told(wanted, key)} in {first}, {_told(recipe, key)} in {folder}" for key in differ]
            more = f"; and {len(said) - TOLD} more" if len(said) > TOLD else ""
            raise UsageError(f"the sets were not made by one recipe: {'; '.join(said[:TOLD])}{more}")


def _told(recipe: Mapping[str, Any], key: str) -> str:
    return json.dumps(recipe[key]) if key in recipe else "none"


def _flat(path: Place) -> dict[str, Any]:
    """Return a recipe's values by their whole names, without what may differ."""

    def walk(table: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
        for name, value in table.items():
            key = f"{above}{name}"
            if any(f"{key}.".startswith(f"{one}.") for one in DIFFER):
                continue
            if isinstance(value, dict):
                yield from walk(value, f"{key}.")
            else:
                yield key, value

    return dict(walk(tomllib.loads(path.read_text(encoding="utf-8")), ""))


def share_out(there: Store, parts: Sequence[Giver], key: str, removed: Collection[str]) -> Sharing:
    """Say who gives which video: of two sets that have one, that which did the whole recipe, then the first path.

    What the set that is made has already stays. `removed` are contents that nobody gives.
    """
    to = Giver(there)
    givers = [to, *parts]
    owner: dict[str, tuple[tuple[bool, str], Giver]] = {}
    twice: set[str] = set()
    for giver in givers:
        for batch in giver.store.stream("videos", ["id", "path", "made_by"]):
            for name, path, made_by in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                giver.ids.add(name)
                if hash_of(name) in removed:
                    giver.not_given.add(name)
                    giver.removed.add(name)
                    continue
                if giver is to:
                    continue
                rank = (made_by != key, path)
                if name in owner:
                    twice.add(name)
                    other = owner[name]
                    (giver if other[0] <= rank else other[1]).not_given.add(name)
                if name not in owner or rank < owner[name][0]:
                    owner[name] = (rank, giver)
                if name in to.ids:
                    giver.not_given.add(name)
    gone = {hash_of(name) for giver in parts for name in giver.removed}
    return Sharing(to, list(parts), sorted(twice), len(gone), _lacking(givers))


def _lacking(givers: Sequence[Giver]) -> list[str]:
    """Return the shards that none of the sets is of, where they say that they are shards of so many."""
    there = {read_shard(text) for giver in givers for text in giver.store.distinct("runs", "shard")} - {ALL}
    return [
        str(Part(n, of))
        for of in sorted({one.of for one in there})
        for n in range(1, of + 1)
        if Part(n, of) not in there
    ]
