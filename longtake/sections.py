"""Sections of a recipe, each checked on its own: plain data in, steps with all their parameters out."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, Literal

from longtake.ask import ModelSettings
from longtake.captions import try_out
from longtake.duplicates import Copies
from longtake.errors import UsageError
from longtake.models import DEFAULT_MODEL
from longtake.records import Range
from longtake.select import Rule, parse_rule
from longtake.settings import DEFAULT_GROUNDING
from longtake.steps import (
    Kind,
    Plain,
    Step,
    check_installed,
    check_parameters,
    check_value,
    find,
    fingerprint,
    nearest,
    told,
    tried,
)
from longtake.video import Quality

BORDERS = "borders"
"""The score that [files] crop goes by."""
EXACT, FAST = "exact", "fast"
TAKEN = (
    *("id", "video_id", "start_s", "end_s", "start_frame", "end_frame", "duration_s", "width", "height", "fps"),
    *("kept", "rejected_by", "file", "file_key", "file_bytes", "file_width", "file_height", "file_audio"),
    *("file_transitions", "file_transitions_at", "file_verify_key", "judge_key", "transitions", "transitions_at"),
)
"""What every clip has a column of: no label of a score, which is a column too."""
Preset = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo"
]
FILES: dict[str, Any] = {
    **{"crf": Annotated[int, Range(least=0, most=51)], "preset": Preset},
    **dict.fromkeys(("copy", "verify", "crop"), bool),
}
"""What the parameters of [files] may be; the encoder, x264, takes no others."""


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


def scans_fast(given: object) -> bool:
    """Return whether a scan may leave frames out."""
    if given not in (EXACT, FAST):
        raise UsageError(f"scan = {given!r} should be '{EXACT}' or '{FAST}'")
    return given == FAST


def check_fast(uses: Iterable[Use]) -> None:
    """Raise `UsageError` for the first step that is wrong where frames are left out."""
    for use in uses:
        if use.step.every_frame:
            raise UsageError(
                f"scan = '{FAST}' leaves frames out, and {use.step.name} in {use.step.kind} needs every one: "
                f"take it out of the recipe, or set scan = '{EXACT}'"
            )


def rules_of(given: Mapping[str, Any]) -> tuple[Rule, ...]:
    """Return the rules of [select]."""
    for name in given:
        if name != "keep":
            raise UsageError(f"[select] has no parameter {name!r}{nearest(name, ['keep'])}")
    keep = given.get("keep", [])
    if not (isinstance(keep, list) and all(isinstance(text, str) for text in keep)):
        raise UsageError(f"[select]: keep is a list of rules, as ['duration_s >= 10'], not {keep!r}")
    return tuple(parse_rule(text) for text in keep)


def texts_of(name: str, given: object) -> tuple[str, ...]:
    """Return a list of texts."""
    if not (isinstance(given, list) and all(isinstance(text, str) for text in given)):
        raise UsageError(f"{name} is a list of texts, not {given!r}")
    return tuple(given)


def check_labels(scores: Collection[str], judges: Collection[str], *, copies: bool) -> None:
    """Raise `UsageError` for the label of a score or judge that something else has."""
    for label in sorted({*scores, *judges}):
        if label in scores and label in judges:
            raise UsageError(f"a score and a judge share the label {label!r}; name one of them otherwise")
        if label in TAKEN:
            raise UsageError(
                f"a score or a judge has the label {label!r}, and so has a column of clips; name it otherwise"
            )
        if copies and label == "copies":
            raise UsageError(
                f"a score or a judge has the label {label!r}, and so has what [copies] finds; name it otherwise"
            )


def tables_of(data: Mapping[str, Any], section: str) -> dict[str, dict[str, Any]]:
    """Return the tables of a section that holds one a step."""
    tables = data.get(section, {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise UsageError(f"[{section}] holds one table a step, as in [{section}.motion]")
    return tables


def use_of(kind: Kind, label: str, given: Mapping[str, Any]) -> Use:
    """Return a step with its parameters checked and set, and the signal it reads."""
    if not label.isidentifier():
        raise UsageError(f"{kind}: {label!r} can't be a label; use letters, digits and _")
    parameters = dict(given)
    step = find(kind, parameters.pop("step", label))
    check_installed(step)
    signal = parameters.pop("signal", step.signal) if step.signal else None
    if signal is not None and not isinstance(signal, str):
        raise UsageError(f"[{kind}.{label}]: signal = {told(signal)} should be the label of a signal")
    return Use(label, step, check_parameters(step, parameters), signal)


def asked_of(kind: Kind, label: str, given: Mapping[str, Any], models: Mapping[str, ModelSettings]) -> Use:
    """Return a captioner or judge with the model it asks, where it asks one."""
    parameters = dict(given)
    model = parameters.pop("model", DEFAULT_MODEL)
    use = use_of(kind, label, parameters)
    if not isinstance(model, str):
        raise UsageError(f"[{kind}.{label}]: model = {told(model)} should be the name of a model")
    if model not in models:
        raise UsageError(f"[{kind}.{label}]: no model {model!r}{nearest(model, models)}; name it in [models.{model}]")
    try:
        with tried(use.step):
            try_out(use.step.call, use.parameters)
    except UsageError as error:
        raise UsageError(f"[{kind}.{label}] {error}") from error
    return replace(use, model=model if use.step.asks else None)


def voter_of(label: str, given: Mapping[str, Any], models: Mapping[str, ModelSettings]) -> Use:
    """Return a voter, which goes by a signal or asks a model."""
    step = find("voters", given.get("step", label))
    return asked_of("voters", label, given, models) if step.asks else use_of("voters", label, given)


def grounding_of(given: Mapping[str, Any]) -> Use:
    """Return how captions become spans, and which captions."""
    parameters = dict(given)
    step = parameters.pop("step", DEFAULT_GROUNDING)
    caption = parameters.pop("caption", "")
    if not isinstance(caption, str):
        raise UsageError(f"[grounding]: caption = {caption!r} should name a kind of captions, as short or lvd2m.raw")
    use = replace(use_of("grounding", "grounding", {"step": step, **parameters}), caption=caption)
    with tried(use.step):
        use.step.call((), **use.parameters)  # says which parameter is out of its range
    return use


def copies_of(given: Mapping[str, Any]) -> Copies:
    """Return how copies are found."""
    known = asdict(Copies())
    for name, value in given.items():
        if name not in known:
            raise UsageError(f"[copies] has no parameter {name!r}{nearest(name, known)}")
        if isinstance(known[name], str) != isinstance(value, str) or isinstance(value, bool):
            raise UsageError(f"[copies]: {name} = {value!r} should be of type {type(known[name]).__name__}")
        if not isinstance(value, str) and not 0 < value <= 1:
            raise UsageError(f"[copies]: {name} = {value!r} should be above 0 and at most 1")
    copies = Copies(**{**known, **given})
    if not copies.scores:
        raise UsageError(
            f"[copies]: best = {copies.best!r} names no score; write what makes a copy the best, as 'height'"
        )
    return copies


def files_of(given: Mapping[str, Any]) -> tuple[Quality, bool, bool]:
    """Return how clip files are encoded, whether they are looked at once more, and whether borders are left out."""
    for name, value in given.items():
        if name not in FILES:
            raise UsageError(f"[files] has no parameter {name!r}{nearest(name, FILES)}")
        check_value(f"[files]: {name}", value, FILES[name])
    chosen = {**asdict(Quality()), "verify": True, "crop": False, **given}
    verify, crop = bool(chosen.pop("verify")), bool(chosen.pop("crop"))
    return Quality(**chosen), verify, crop


def borders_of(scores: Mapping[str, Use]) -> str:
    """Return the label of the one score that measures borders. Raises `UsageError`."""
    labels = [label for label, use in scores.items() if use.step.name == BORDERS]
    if len(labels) != 1:
        there = f"; here are {' and '.join(labels)}" if labels else ""
        raise UsageError(f"[files]: crop = true needs one score that measures borders: [scores.{BORDERS}]{there}")
    return labels[0]
