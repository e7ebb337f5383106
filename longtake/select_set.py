"""Other rules on a set: what they would keep, and the new choice stored where it is to be."""

import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tomli_w

from longtake.clip_facts import CLIP_FACTS, FILE_FACTS
from longtake.errors import UsageError
from longtake.lock import Lock
from longtake.places import Place, place, set_folder, write_whole
from longtake.select import FunnelRow, Rule, parse_rule
from longtake.selecting import apply_rules, choose, clips_for
from longtake.settings import RECIPE, read_recipe
from longtake.steps import find, nearest
from longtake.store import Store


@dataclass(frozen=True, slots=True)
class Choice:
    """What some rules would keep of a set."""

    folder: Place
    funnel: list[FunnelRow]
    before: int
    """How many clips the set's stored choice keeps."""
    without_file: int
    """Kept clips that have no file yet."""
    grounds: bool
    """Whether the set's recipe makes spans."""
    writes_files: bool
    """Whether the set's recipe has files written."""
    saved: bool
    elapsed_s: float


def select_set(folder: str | Place, keep: Sequence[str] = (), *, save: bool = False) -> Choice:
    """Apply rules (the set's own where none are given) to all clips of a set; store the choice only with `save`.

    Raises `SetError` where there is no set, `UsageError` for a bad rule.
    """
    folder = set_folder(folder)
    recipe = read_recipe(folder)
    judges = recipe.get("judges", {})
    check_judged(judges, keep)
    rules = [parse_rule(text) for text in keep or recipe["select"]["keep"]]
    if save:
        check_saved(rules)
    store = Store(folder)
    begun = time.perf_counter()
    clips = clips_for(store, rules, judges, also=("kept", "file"))
    selection, rows = choose(clips, rules, judges=judges)
    has_file = clips["file"].is_valid().to_numpy()
    choice = Choice(
        folder,
        rows,
        before=int(clips["kept"].fill_null(False).to_numpy().sum()),
        without_file=int((selection.kept & ~has_file).sum()),
        grounds="grounding" in recipe,
        writes_files="files" in recipe,
        saved=save,
        elapsed_s=time.perf_counter() - begun,
    )
    if save:
        from longtake.report import write_report  # takes longer to load than rules take to try

        with Lock(folder) as lock:
            apply_rules(Store(folder, lock), rules, judges=judges)
            recipe["select"]["keep"] = [str(rule) for rule in rules]
            write_whole(folder / RECIPE, tomli_w.dumps(recipe).encode())
            write_report(folder)
    return choice


def check_judged(judges: Mapping[str, Mapping[str, Any]], keep: Sequence[str]) -> None:
    """Raise `UsageError` for a rule about a score that a judge doesn't give; most scores show in the set's columns."""
    for rule in map(parse_rule, keep):
        label, _, part = rule.score.partition(".")
        if label in judges and part not in (known := find("judges", judges[label]["step"]).scores):
            raise UsageError(f"rule '{rule}': no score {rule.score!r}{nearest(part, known)}")


def check_saved(rules: Sequence[Rule]) -> None:
    """Raise `UsageError` for a rule that can be tried, but is no rule of a recipe: about a clip's place or file."""
    for rule in rules:
        if "." not in rule.score and rule.score not in (known := CLIP_FACTS | FILE_FACTS):
            words = f"rule '{rule}' can't be saved: a run chooses by scores, {', '.join(known)}"
            raise UsageError(f"{words}; to take such clips out once, export with --where '{rule}'")


def read_rules(path: str | Place) -> list[str]:
    """Return the rules of a file, TOML with `keep = ["motion.mean >= 0.1", ...]`. Raises `UsageError`."""
    path = place(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} can't be read as a file of rules: {error}") from error
    keep = data.get("keep")
    if not (isinstance(keep, list) and keep and all(isinstance(text, str) for text in keep)):
        raise UsageError(f"{path} holds no rules; write: keep = ['motion.mean >= 0.1']")
    return [str(parse_rule(text)) for text in keep]
