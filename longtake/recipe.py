"""Recipes: TOML files that name steps, parameters and rules; checked before any decode, kept with the set."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from longtake import __version__
from longtake.ask import ModelSettings
from longtake.clip_facts import CLIP_FACTS, COPY_FACTS, FILE_FACTS
from longtake.duplicates import EVIDENCE, Copies
from longtake.errors import UsageError
from longtake.models import read_models, told
from longtake.places import place
from longtake.records import Series, Votes
from longtake.sections import (
    EXACT,
    FAST,
    Use,
    asked_of,
    borders_of,
    check_fast,
    check_labels,
    copies_of,
    files_of,
    grounding_of,
    rules_of,
    scans_fast,
    tables_of,
    texts_of,
    use_of,
    voter_of,
)
from longtake.select import Rule
from longtake.settings import merge, read_settings
from longtake.steps import fingerprint, look_in, nearest, tried
from longtake.video import Quality

SECTIONS = (
    *("name", "about", "source", "not_run", "scan", "models", "signals", "shots", "voters", "clips", "scores"),
    *("judges", "copies", "select", "files", "captions", "grounding", "made_with"),
)

ONE_TABLE = ("shots", "clips", "copies", "select", "files", "grounding")
"""Sections of parameters; the others hold a table for each step, or a value."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe with every step found and every parameter set."""

    name: str
    about: str
    source: str
    not_run: tuple[str, ...]
    """Steps of the paper that this version does not run."""
    fast: bool
    """Whether a scan may leave out frames on which nothing hangs."""
    signals: dict[str, Use]
    shots: Use
    voters: dict[str, Use]
    """Who says of each transition whether what it parts belongs together; for clips that join shots."""
    clips: Use
    scores: dict[str, Use]
    rules: tuple[Rule, ...]
    files: Quality | None
    """None: no clip files are written."""
    verify: bool
    """Whether the detector looks a second time, at the written files."""
    crop: str | None
    """Label of the score that says which borders files are written without; None: they are written whole."""
    models: dict[str, ModelSettings]
    copies: Copies | None
    """None: nobody looks for copies."""
    judges: dict[str, Use]
    """What a model is asked about clips that the rules on measured scores keep; its answers are scores too."""
    captions: dict[str, Use]
    grounding: Use | None

    @property
    def key(self) -> str:
        """Name of all the work up to the scores: what a video's rows in the set were made with."""
        uses = [*self.signals.values(), self.shots, *self.voters.values(), self.clips, *self.scores.values()]
        fast = {"scan": FAST} if self.fast else {}
        return fingerprint({f"{use.step.kind}.{use.label}": use.key for use in uses} | fast)

    def settings_of(self, use: Use) -> ModelSettings | None:
        """Return how to reach the model that a captioner or judge asks; None where no model is configured."""
        settings = self.models[use.model] if use.model else None
        return settings if settings and settings.url else None

    def waits(self, use: Use) -> bool:
        """Return whether a captioner or judge can't be run for want of a model."""
        return use.step.asks and self.settings_of(use) is None

    def score(self, use: Use, rows: Any) -> dict[str, float | None]:
        """Return what a score says of the rows of its signal, or of a list, inside a clip."""
        of_signal = [self.signals[use.signal or ""].parameters] if "signal" in use.step.wants else []
        scores: dict[str, float | None] = use.step.call(rows, *of_signal, **use.parameters)
        return scores

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data, in the form of the TOML file."""
        more = {"verify": self.verify, "crop": self.crop is not None}
        files = {"files": {**asdict(self.files), **more}} if self.files else {}
        return {
            "name": self.name,
            "about": self.about,
            "source": self.source,
            "not_run": list(self.not_run),
            "scan": FAST if self.fast else EXACT,
            "signals": {label: use.as_dict() for label, use in self.signals.items()},
            "shots": self.shots.as_dict(),
            "voters": {label: use.as_dict() for label, use in self.voters.items()},
            "clips": self.clips.as_dict(),
            "scores": {label: use.as_dict() for label, use in self.scores.items()},
            **({"copies": asdict(self.copies)} if self.copies else {}),
            "judges": {label: use.as_dict() for label, use in self.judges.items()},
            "select": {"keep": [str(rule) for rule in self.rules]},
            **files,
            "captions": {label: use.as_dict() for label, use in self.captions.items()},
            **({"grounding": self.grounding.as_dict()} if self.grounding else {}),
            "models": {name: told(settings) for name, settings in self.models.items()},
        }

    def to_toml(self) -> str:
        """Return the resolved recipe as text, with every parameter and the versions it was made with."""
        asked = [*self.judges.values(), *self.captions.values(), *([self.grounding] if self.grounding else [])]
        measured = [*self.signals.values(), self.shots, *self.voters.values(), self.clips, *self.scores.values()]
        uses = [*measured, *asked]
        versions = {f"{use.step.kind}.{use.step.name}": use.step.version for use in uses}
        return tomli_w.dumps({**self.as_dict(), "made_with": {"longtake": __version__, "steps": versions}})


def names() -> list[str]:
    """Return the names of the recipes that come with the package."""
    folder = resources.files("longtake.recipes")
    return sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml"))


def load(name: str, settings: Sequence[str] = ()) -> Recipe:
    """Return a recipe by name or by the path of a TOML file, with settings such as `signals.motion.pairs_hz=4`.

    Where settings name another step than the recipe, it has the parameters given with it and else its own defaults.
    Raises `UsageError` for an unknown name, section, step or parameter, each with the nearest right one.
    """
    if (path := place(name)).suffix == ".toml":
        if isinstance(path, Path):
            look_in(path.absolute().parent)
        try:
            text = path.read_text(encoding="utf-8") if path.is_file() else None
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{name} can't be read: {error}") from error
        if text is None:
            raise UsageError(f"no recipe file {name}")
    elif name in names():
        text = (resources.files("longtake.recipes") / f"{name}.toml").read_text(encoding="utf-8")
    else:
        raise UsageError(f"no recipe {name!r}{nearest(name, names())} (or give the path of a .toml file)")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"recipe {name}: {error}") from error
    merge(data, read_settings(settings))
    return resolve(data)


def resolve(data: Mapping[str, Any]) -> Recipe:
    """Check a recipe given as plain data and find all its steps. Raises `UsageError`."""
    for section in data:
        if section not in SECTIONS:
            raise UsageError(f"a recipe has no section {section!r}{nearest(section, SECTIONS)}")
        if section in ONE_TABLE and not isinstance(data[section], dict):
            raise UsageError(f"[{section}] is a table of parameters, not {data[section]!r}")
    shots = use_of("shots", "shots", data.get("shots", {"step": "transitions"}))
    clips = use_of("clips", "clips", data.get("clips", {"step": "takes"}))
    scores = {label: use_of("scores", label, given) for label, given in tables_of(data, "scores").items()}
    models = read_models(tables_of(data, "models"))
    voters = {label: voter_of(label, given, models) for label, given in tables_of(data, "voters").items()}
    judges = {label: asked_of("judges", label, given, models) for label, given in tables_of(data, "judges").items()}
    said = tables_of(data, "captions")
    captions = {label: asked_of("captions", label, given, models) for label, given in said.items()}
    copies = copies_of(data["copies"]) if "copies" in data else None
    check_labels(scores, judges, copies=copies is not None)
    grounding = grounding_of(data["grounding"]) if "grounding" in data else None
    readers = [shots, *voters.values(), clips, *scores.values(), *([grounding] if grounding else [])]
    needed = {use.signal for use in readers if use.signal}
    needed |= {signal for use in [*judges.values(), *captions.values()] for signal in use.step.signals}
    needed |= {copies.signal, EVIDENCE} if copies else set()
    declared = tables_of(data, "signals")
    unused = sorted(set(declared) - needed)
    if unused and "made_with" not in data:  # a set's own recipe lists them all, and may have been given other steps
        raise UsageError(f"nothing reads the signal {unused[0]!r}{nearest(unused[0], needed)}")
    signals = {label: use_of("signals", label, declared.get(label, {})) for label in sorted(needed)}
    files, verify, cropped = files_of(data["files"]) if "files" in data else (None, False, False)
    recipe = Recipe(
        name=str(data.get("name", "unnamed")),
        about=str(data.get("about", "")),
        source=str(data.get("source", "")),
        not_run=texts_of("not_run", data.get("not_run", [])),
        fast=scans_fast(data.get("scan", EXACT)),
        signals=signals,
        shots=shots,
        voters=voters,
        clips=clips,
        scores=scores,
        rules=rules_of(data.get("select", {})),
        files=files,
        verify=verify,
        crop=borders_of(scores) if cropped else None,
        models=models,
        copies=copies,
        judges=judges,
        captions=captions,
        grounding=grounding,
    )
    if "votes" in clips.step.wants:
        with tried(clips.step):
            clips.step.call([], np.empty(0), 0.0, Votes(tuple(voters)), **clips.parameters)  # says what is wrong
    for use in voters.values():
        if use.signal and (columns := signals[use.signal].step.columns):
            with tried(use.step):
                use.step.call(_nothing(columns), [], **use.parameters)
    if recipe.fast:
        check_fast([*signals.values(), *readers])
    check_rules(recipe, recipe.rules)
    check_best(recipe)
    return recipe


def _nothing(columns: Sequence[str]) -> Series:
    """Return a series without rows."""
    return Series(tuple(columns), np.empty(0), np.empty(0, np.int32), np.empty((0, len(columns)), np.float32))


def check_rules(recipe: Recipe, rules: Sequence[Rule]) -> None:
    """Raise `UsageError` for a rule about a score that the recipe does not make."""
    known = [*CLIP_FACTS, *FILE_FACTS, *score_keys(recipe)]
    for rule in rules:
        if rule.score in FILE_FACTS and not recipe.verify:
            raise UsageError(f"rule '{rule}': no file is looked at; the recipe needs [files] with verify = true")
        if rule.score not in known:
            raise UsageError(f"rule '{rule}': no score {rule.score!r}{nearest(rule.score, known)}")


def check_best(recipe: Recipe) -> None:
    """Raise `UsageError` where copies are weighed by what the recipe does not measure."""
    measured = [key for key in score_keys(recipe) if key.partition(".")[0] in recipe.scores]
    known = [*CLIP_FACTS, *measured]
    best = recipe.copies.scores if recipe.copies else []
    for score in (score for scores, _ in best for score in scores):
        if score not in known:
            raise UsageError(f"[copies]: best names no score {score!r}{nearest(score, known)}")


def score_keys(recipe: Recipe) -> list[str]:
    """Return the keys of all scores a recipe makes, such as `motion.mean`: what each says of no frames at all."""
    keys = []
    for label, use in recipe.scores.items():
        signal = recipe.signals[use.signal].step if use.signal else None
        nothing: Any = () if use.step.listed else _nothing(signal.columns if signal else ())
        with tried(use.step, signal):
            parts = recipe.score(use, nothing)
        if not isinstance(parts, Mapping):
            raise UsageError(
                f"step {use.step.name!r} returned {parts!r}: a score returns named numbers, as {{'share': 0.5}}"
            )
        for part in parts:
            if not re.fullmatch(r"\w+", str(part)):  # a rule and a column could not name it
                raise UsageError(f"step {use.step.name!r}: a score's name is letters, digits and _, not {part!r}")
        keys += [f"{label}.{part}" for part in parts]
    keys += COPY_FACTS if recipe.copies else ()
    return keys + [f"{label}.{part}" for label, use in recipe.judges.items() for part in use.step.scores]
