"""What stands where a set is to be written: nothing yet, a set, or what is somebody else's; and what a run replaces."""

import shlex
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from longtake.errors import SetError
from longtake.places import Place, text_of
from longtake.planning import REMOVED
from longtake.recipe import Recipe
from longtake.schemas import SCHEMAS
from longtake.settings import RECIPE
from longtake.sources.files import Found, is_set
from longtake.store import Store

OWN = ("name", "about", "source", "not_run", "made_with")
"""Parts of a recipe that no work depends on."""
NAMED = ("captions", "judges", "voters", "models", "signals", "scores")
"""Sections that hold a table for each of several steps or models."""


def check_folder(folder: Place) -> None:
    """Raise `SetError` for a folder that is no set and holds anything but what a set may be begun with."""
    if isinstance(folder, Path) and folder.exists() and not folder.is_dir():
        raise SetError(f"{folder} is a file; name a folder for the set")
    try:
        if is_set(folder) or (isinstance(folder, Path) and not folder.exists()):
            return
        names = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    except OSError:
        return  # who writes there says what is wrong
    tables = {f"{table}.lance" for table in SCHEMAS}
    strange = sorted(names - {RECIPE, REMOVED})
    if strange and names.isdisjoint(tables):
        raise SetError(
            f"{folder} is no set, and holds other things, as {text_of(Path(strange[0]))}; "
            "name a new or an empty folder for the set"
        )


def notes(store: Store, recipe: Recipe, found: Found) -> tuple[str, ...]:
    """Return what is worth a line before work starts: sets passed over, and what of the set's recipe is replaced."""
    told = [f"{one} is a set: its clips are not taken for videos" for one in found.sets[:1]]
    if len(found.sets) > 1:
        told = [f"{len(found.sets):,} sets lie among the videos ({found.sets[0]}, ...): their clips are not taken"]
    return (*told, *_replaced(store, recipe))


def _replaced(store: Store, recipe: Recipe) -> Iterator[str]:
    """Say in a line what of the set's own recipe goes, if anything does."""
    path = store.folder / RECIPE
    try:
        before = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, ValueError):
        return  # nobody can read what goes
    if not before:
        return
    now = tomllib.loads(recipe.to_toml())
    command = shlex.join(["longtake", "run", text_of(path), "VIDEOS", "--to", text_of(store.folder)])
    if before.get("name") != recipe.name:
        files = store.read("clips", ["id"], "file IS NOT NULL").num_rows
        stake = f"; of its {files:,} clip files those go that it does not keep" if files else ""
        yield (
            f"the recipe {recipe.name} replaces the set's own, {before.get('name')}{stake}; "
            f"to go on with the set's own: {command}"
        )
    elif lost := _lost(before, now):
        yield f"what was saved in the set as {', '.join(lost)} is replaced by this recipe's; to keep it: {command}"


def _lost(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the parts of a recipe that have another content in another one, or are not there, as TOML names them."""
    parts = []
    for name, value in before.items():
        other = now.get(name)
        if name in OWN or _is_in(value, other):
            continue
        if name in NAMED and isinstance(value, dict) and isinstance(other, dict):
            # A model without an address is none yet.
            there = {label: one for label, one in value.items() if name != "models" or one.get("url")}
            parts += [f"[{name}.{label}]" for label, one in there.items() if not _is_in(one, other.get(label))]
        else:
            parts.append(f"[{name}]" if isinstance(value, dict) else name)
    return parts


def _is_in(value: Any, other: Any) -> bool:
    """Return whether another value says the same, and perhaps more: a file written by hand leaves out what is usual."""
    if isinstance(value, dict) and isinstance(other, dict):
        return all(name in other and _is_in(one, other[name]) for name, one in value.items())
    return bool(value == other)
