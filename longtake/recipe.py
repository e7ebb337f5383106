"""Recipes: TOML files that name steps, parameters and rules; checked before any decode, kept with the set."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from longtake import __version__
from longtake.ask import ModelSettings
from longtake.captions import try_out
from longtake.errors import UsageError
from longtake.models import DEFAULT_MODEL, read_models, told
from longtake.records import Series, Votes
from longtake.select import Rule, parse_rule
from longtake.settings import merge, read_settings
from longtake.steps import Kind, Plain, Step, check_installed, check_parameters, find, fingerprint, nearest
from longtake.video import Quality

CLIP_FACTS: dict[str, tuple[str, str]] = {
    "duration_s": ("s", "length of the clip"),
    "width": ("px", "width of the video as shown"),
    "height": ("px", "height of the video as shown"),
    "fps": ("per s", "mean frame rate of the video"),
    "transitions": ("", "transitions inside it, where shots were joined"),
}
"""What rules can ask of every clip besides its scores: key -> (unit, meaning)."""

FILE_FACTS: dict[str, tuple[str, str]] = {
    "file_transitions": ("", "transitions that the second look found in the written file, beyond joined ones"),
}
"""What rules can ask once a clip's file is written; such a rule removes the file again."""

DEFAULT_GROUNDING = "internvid_g"

SECTIONS = (
    *("name", "about", "source", "not_run", "models", "signals", "shots", "voters", "clips", "scores", "judges"),
    *("select", "files", "captions", "grounding", "made_with"),
)


@dataclass(frozen=True, slots=True)
class Use:
    """One step as a recipe uses it: under a label, with all its parameters."""

    label: str
    step: Step
    parameters: dict[str, Plain]
    signal: str | None
    """Label of the signal it reads."""
    model: str | None = None
    """Name of the model it asks."""
    caption: str | None = None
    """Of grounding: the kind of captions it places, or several in order of wish; empty: the best a clip has."""

    @property
    def key(self) -> str:
        """Name of exactly this work: step, version and parameters."""
        parts = [self.step.kind, self.step.name, self.step.version, self.parameters, self.signal]
        return fingerprint([*parts, self.caption] if self.caption else parts)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data, to travel to a worker or into a file."""
        links = (("signal", self.signal), ("model", self.model), ("caption", self.caption))
        reads = {name: label for name, label in links if label}
        return {"step": self.step.name, **reads, **{k: v for k, v in self.parameters.items() if v is not None}}


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe with every step found and every parameter set."""

    name: str
    about: str
    source: str
    not_run: tuple[str, ...]
    """Steps of the paper that this version does not run."""
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
    models: dict[str, ModelSettings]
    judges: dict[str, Use]
    """What a model is asked about clips that the rules on measured scores keep; its answers are scores too."""
    captions: dict[str, Use]
    grounding: Use | None

    @property
    def key(self) -> str:
        """Name of all the work up to the scores: what a video's rows in the set were made with."""
        uses = [*self.signals.values(), self.shots, *self.voters.values(), self.clips, *self.scores.values()]
        return fingerprint({f"{use.step.kind}.{use.label}": use.key for use in uses})

    def settings_of(self, use: Use) -> ModelSettings | None:
        """Return how to reach the model that a captioner or judge asks; None where no model is configured."""
        settings = self.models[use.model] if use.model else None
        return settings if settings and settings.url else None

    def waits(self, use: Use) -> bool:
        """Return whether a captioner or judge can't be run for want of a model."""
        return use.step.asks and self.settings_of(use) is None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data, in the form of the TOML file."""
        files = {"files": {**asdict(self.files), "verify": self.verify}} if self.files else {}
        return {
            "name": self.name,
            "about": self.about,
            "source": self.source,
            "not_run": list(self.not_run),
            "signals": {label: use.as_dict() for label, use in self.signals.items()},
            "shots": self.shots.as_dict(),
            "voters": {label: use.as_dict() for label, use in self.voters.items()},
            "clips": self.clips.as_dict(),
            "scores": {label: use.as_dict() for label, use in self.scores.items()},
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

    Raises `UsageError` for an unknown name, section, step or parameter, each with the nearest right one.
    """
    path = Path(name)
    if path.suffix == ".toml":
        if not path.is_file():
            raise UsageError(f"no recipe file {name}")
        text = path.read_text(encoding="utf-8")
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
        if section in ("shots", "clips", "select", "files", "grounding") and not isinstance(data[section], dict):
            raise UsageError(f"[{section}] is a table of parameters, not {data[section]!r}")
    shots = _use("shots", "shots", data.get("shots", {"step": "transitions"}))
    clips = _use("clips", "clips", data.get("clips", {"step": "takes"}))
    scores = {label: _use("scores", label, given) for label, given in _tables(data, "scores").items()}
    models = read_models(_tables(data, "models"))
    voters = {label: _voter(label, given, models) for label, given in _tables(data, "voters").items()}
    judges = {label: _asked("judges", label, given, models) for label, given in _tables(data, "judges").items()}
    captions = {label: _asked("captions", label, given, models) for label, given in _tables(data, "captions").items()}
    for label in sorted(judges.keys() & scores.keys()):
        raise UsageError(f"a score and a judge share the label {label!r}; name one of them otherwise")
    grounding = _grounding(data["grounding"]) if "grounding" in data else None
    readers = [shots, *voters.values(), clips, *scores.values(), *([grounding] if grounding else [])]
    needed = {use.signal for use in readers if use.signal}
    needed |= {signal for use in [*judges.values(), *captions.values()] for signal in use.step.signals}
    declared = _tables(data, "signals")
    unused = sorted(set(declared) - needed)
    if unused and "made_with" not in data:  # a set's own recipe lists them all, and may have been given other steps
        raise UsageError(f"nothing reads the signal {unused[0]!r}{nearest(unused[0], needed)}")
    signals = {label: _use("signals", label, declared.get(label, {})) for label in sorted(needed)}
    rules = _rules(data.get("select", {}).get("keep", []))
    files, verify = _files(data["files"]) if "files" in data else (None, False)
    recipe = Recipe(
        name=str(data.get("name", "unnamed")),
        about=str(data.get("about", "")),
        source=str(data.get("source", "")),
        not_run=tuple(data.get("not_run", ())),
        signals=signals,
        shots=shots,
        voters=voters,
        clips=clips,
        scores=scores,
        rules=rules,
        files=files,
        verify=verify,
        models=models,
        judges=judges,
        captions=captions,
        grounding=grounding,
    )
    if "votes" in clips.step.wants:
        clips.step.call([], np.empty(0), 0.0, Votes(tuple(voters)), **clips.parameters)  # says what is wrong with them
    for use in voters.values():
        if use.signal and (columns := signals[use.signal].step.columns):
            use.step.call(_nothing(columns), [], **use.parameters)
    check_rules(recipe, rules)
    return recipe


def _nothing(columns: Sequence[str]) -> Series:
    """Return a series without rows."""
    return Series(tuple(columns), np.empty(0), np.empty(0, np.int32), np.empty((0, len(columns)), np.float32))


def _rules(given: object) -> tuple[Rule, ...]:
    if not (isinstance(given, list) and all(isinstance(text, str) for text in given)):
        raise UsageError(f"[select]: keep is a list of rules, as ['duration_s >= 10'], not {given!r}")
    return tuple(parse_rule(text) for text in given)


def check_rules(recipe: Recipe, rules: Sequence[Rule]) -> None:
    """Raise `UsageError` for a rule about a score that the recipe does not make."""
    known = [*CLIP_FACTS, *FILE_FACTS, *score_keys(recipe)]
    for rule in rules:
        if rule.score in FILE_FACTS and not recipe.verify:
            raise UsageError(f"rule '{rule}': no file is looked at; the recipe needs [files] with verify = true")
        if rule.score not in known:
            raise UsageError(f"rule '{rule}': no score {rule.score!r}{nearest(rule.score, known)}")


def score_keys(recipe: Recipe) -> list[str]:
    """Return the keys of all scores a recipe makes, such as `motion.mean`: what each says of no frames at all."""
    keys = []
    for label, use in recipe.scores.items():
        columns = recipe.signals[use.signal].step.columns if use.signal else ()
        nothing: Any = () if use.step.listed else _nothing(columns)
        keys += [f"{label}.{part}" for part in use.step.call(nothing, **use.parameters)]
    return keys + [f"{label}.{part}" for label, use in recipe.judges.items() for part in use.step.scores]


def _tables(data: Mapping[str, Any], section: str) -> dict[str, dict[str, Any]]:
    tables = data.get(section, {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise UsageError(f"[{section}] holds one table a step, as in [{section}.motion]")
    return tables


def _use(kind: Kind, label: str, given: Mapping[str, Any]) -> Use:
    if not label.isidentifier():
        raise UsageError(f"{kind}: {label!r} can't be a label; use letters, digits and _")
    parameters = dict(given)
    step = find(kind, parameters.pop("step", label))
    check_installed(step)
    signal = parameters.pop("signal", step.signal) if step.signal else None
    return Use(label, step, check_parameters(step, parameters), signal)


def _asked(kind: Kind, label: str, given: Mapping[str, Any], models: Mapping[str, ModelSettings]) -> Use:
    """Return a captioner or judge with the model it asks, where it asks one."""
    parameters = dict(given)
    model = parameters.pop("model", DEFAULT_MODEL)
    use = _use(kind, label, parameters)
    if model not in models:
        raise UsageError(f"[{kind}.{label}]: no model {model!r}{nearest(model, models)}; name it in [models.{model}]")
    try:
        try_out(use.step.call, use.parameters)
    except UsageError as error:
        raise UsageError(f"[{kind}.{label}] {error}") from error
    return replace(use, model=model if use.step.asks else None)


def _voter(label: str, given: Mapping[str, Any], models: Mapping[str, ModelSettings]) -> Use:
    """Return a voter, which goes by a signal or asks a model."""
    step = find("voters", given.get("step", label))
    return _asked("voters", label, given, models) if step.asks else _use("voters", label, given)


def _grounding(given: Mapping[str, Any]) -> Use:
    """Return how captions become spans, and which captions."""
    parameters = dict(given)
    step = parameters.pop("step", DEFAULT_GROUNDING)
    caption = parameters.pop("caption", "")
    if not isinstance(caption, str):
        raise UsageError(f"[grounding]: caption = {caption!r} should name a kind of captions, as short or lvd2m.raw")
    use = replace(_use("grounding", "grounding", {"step": step, **parameters}), caption=caption)
    use.step.call((), **use.parameters)  # says which parameter is out of its range
    return use


def _files(given: Mapping[str, Any]) -> tuple[Quality, bool]:
    """Return how clip files are encoded, and whether they are looked at once more."""
    known = {**asdict(Quality()), "verify": True}
    for name, value in given.items():
        if name not in known:
            raise UsageError(f"[files] has no parameter {name!r}{nearest(name, known)}")
        if type(value) is not type(known[name]):
            raise UsageError(f"[files]: {name} = {value!r} should be of type {type(known[name]).__name__}")
    chosen = {**known, **given}
    verify = bool(chosen.pop("verify"))
    return Quality(**chosen), verify
