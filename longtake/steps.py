"""Finding steps by name: the file name is the registration.

`find("scores", "motion")` is `longtake/scores/motion.py`; its callable is named like the file (a signal's class in
CamelCase) and its module says `VERSION`, `SIGNAL` where it reads one (`SIGNALS` where it is told of several),
`SCORES` where a model answers with them, and `NEEDS` where it takes a package that longtake doesn't install. A signal
that puts texts into the space of its pictures does so with `embed_texts`; a signal or score that needs weights gets
them with `prepare`. A step that goes by what a list says of a fetched video's clips is `LISTED`; one that is wrong
where a fast scan leaves frames out says `EVERY_FRAME`. A third party's step is named `my_package.my_file:my_score`,
and looked for where Python looks, beside the recipe's file, and in the working folder. Listing names imports nothing.
"""

import difflib
import hashlib
import importlib
import importlib.util
import inspect
import json
import pkgutil
import re
import shlex
import sys
import traceback
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from longtake.errors import LongtakeError, UsageError
from longtake.records import Range

Kind = Literal["signals", "shots", "voters", "clips", "scores", "judges", "captions", "grounding", "exports"]
KINDS: tuple[Kind, ...] = typing.get_args(Kind)

Plain = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Step:
    """One step as its file defines it."""

    kind: Kind
    name: str
    version: int
    signal: str | None
    """The signal it reads, for detectors, scores, voters, and ways to make clips and spans."""
    signals: tuple[str, ...]
    """The signals that captioners and judges are told of."""
    scores: tuple[str, ...]
    """The scores that a judge gives."""
    needs: dict[str, str]
    """Modules beyond longtake's own requirements that it imports when used -> what pip installs each by."""
    defaults: dict[str, Plain]
    call: Callable[..., Any]
    embed_texts: Callable[..., Any] | None = None
    """For a signal: texts, and its parameters, to vectors in the space of its rows."""
    listed: bool = False
    """Whether it goes by what a list says of the clips of a fetched video."""
    every_frame: bool = False
    """Whether it is wrong where frames are left out, as a fast scan does."""
    prepare: Callable[..., None] | None = None
    """With its parameters, gets what it needs onto this machine, or raises `VideoError`; of a signal or a score, which
    is given the columns and parameters of its signal first."""

    @property
    def wants(self) -> tuple[str, ...]:
        """What it is given, by position and the names of its parameters."""
        parameters = inspect.signature(self.call).parameters.values()
        return tuple(p.name for p in parameters if p.kind is not p.KEYWORD_ONLY)

    @property
    def uses_gpu(self) -> bool:
        """Whether it runs on a GPU where there is one: whatever needs torch does."""
        return "torch" in self.needs

    @property
    def asks(self) -> bool:
        """Whether it asks a model."""
        return inspect.iscoroutinefunction(self.call)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a signal."""
        return tuple(getattr(self.call, "columns", ()))

    @property
    def doc(self) -> str:
        """What it says of itself: meaning, units, ranges, sources."""
        return inspect.getdoc(self.call) or ""

    def meaning(self, part: str) -> str:
        """Return what its docstring says of one column or score: the text after `part:`, to the end of its item.

        Columns that are many of a kind, as `shape_00` and on, have one item: `shape:`.
        """
        kind = re.sub(r"_\d+$", "", part)
        found = re.search(rf"^(?:{re.escape(part)}|{re.escape(kind)}): (.*(?:\n[ \t]+\S.*)*)", self.doc, re.MULTILINE)
        return " ".join(found[1].split()) if found else ""


@cache
def names(kind: Kind) -> tuple[str, ...]:
    """Return the names of the built-in steps of a kind, without importing them."""
    package = importlib.import_module(f"longtake.{kind}")
    return tuple(sorted(m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_")))


def find(kind: Kind, name: str) -> Step:
    """Return a step by name. Raises `UsageError` with the nearest right name."""
    if not isinstance(name, str):  # as a recipe may have it
        raise UsageError(f"a step in {kind} has a name, not {told(name)}")
    if ":" in name:
        module_name, _, attribute = name.partition(":")
        look_in(Path.cwd())
    else:
        if name not in names(kind):
            raise UsageError(f"no step {name!r} in {kind}{nearest(name, names(kind))}")
        module_name = f"longtake.{kind}.{name}"
        attribute = "".join(part.title() for part in name.split("_")) if kind == "signals" else name
    module = _load(name, module_name)
    call = getattr(module, attribute, None)
    if not callable(call):
        there = nearest(attribute, (key for key in vars(module) if not key.startswith("_")))
        raise UsageError(f"step {name!r} can't be loaded: {module_name} has no function {attribute!r}{there}")
    return Step(
        kind,
        name,
        version=int(getattr(module, "VERSION", 1)),
        signal=getattr(module, "SIGNAL", None),
        signals=tuple(getattr(module, "SIGNALS", ())),
        scores=tuple(getattr(module, "SCORES", ())),
        needs=dict(getattr(module, "NEEDS", {})),
        defaults=_defaults(call),
        call=call,
        embed_texts=getattr(module, "embed_texts", None),
        listed=bool(getattr(module, "LISTED", False)),
        every_frame=bool(getattr(module, "EVERY_FRAME", False)),
        prepare=getattr(module, "prepare", None),
    )


def look_in(folder: Path) -> None:
    """Let steps of one's own be found in a folder too, after all places where Python looks; also by workers."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))  # which workers are started with
    importlib.invalidate_caches()


def _load(name: str, module_name: str) -> types.ModuleType:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise UsageError(f"step {name!r} can't be loaded: {error}") from error  # it imports what isn't there
        file = f"{error.name.replace('.', '/')}.py"
        raise UsageError(
            f"step {name!r} can't be loaded: there is no {file} in {Path.cwd()}, beside the recipe's file, or where "
            "Python looks; go to the folder that holds it, or name that in PYTHONPATH"
        ) from error
    except Exception as error:  # whatever a file of the user's does wrong
        raise UsageError(f"step {name!r} can't be loaded: {where_wrong(error)}") from error


@contextmanager
def tried(step: Step, reads: Step | None = None) -> Iterator[None]:
    """While a step is called before any work, on nothing: raise `UsageError` that says where it is wrong.

    `reads` is the signal that a recipe gives it.
    """
    try:
        yield
    except LongtakeError:
        raise
    except Exception as error:  # a user's function may raise anything
        if ":" not in step.name:
            if reads is None or reads.name == step.signal:  # a fault of ours, to be told in full
                raise
            raise UsageError(
                f"step {step.name!r} can't go by the signal {reads.name!r}; it reads {step.signal!r}"
            ) from error
        raise UsageError(
            f"step {step.name!r} fails when it is given nothing, as for a clip without rows: {where_wrong(error)}"
        ) from error


def where_wrong(error: Exception) -> str:
    """Return an error with the file and line that it came from."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}, line {error.lineno}: {error.msg}"
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}, line {last.lineno}: {type(error).__name__}: {error}"


def _defaults(call: Callable[..., Any]) -> dict[str, Plain]:
    signature = inspect.signature(call)
    keyword = [p for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY]
    return {p.name: (None if p.default is p.empty else p.default) for p in keyword}


def missing(step: Step) -> list[str]:
    """Return what has to be installed before a step can be used, as pip names it. Imports nothing."""
    return [package for module, package in step.needs.items() if importlib.util.find_spec(module) is None]


def check_installed(step: Step) -> None:
    """Raise `UsageError` with the command to type where a step can't be used for want of a package."""
    packages = missing(step)
    if packages:
        raise UsageError(f"step {step.name!r} needs what is not installed; type: pip install {shlex.join(packages)}")


def check_parameters(step: Step, given: Mapping[str, Any]) -> dict[str, Plain]:
    """Return a step's parameters with the given ones set. Raises `UsageError` for an unknown name or a wrong value."""
    call = step.call.__init__ if inspect.isclass(step.call) else step.call
    hints = typing.get_type_hints(call, include_extras=True)
    for name, value in given.items():
        where = f"{step.kind} step {step.name!r}"
        if name not in step.defaults:
            raise UsageError(f"{where} has no parameter {name!r}{nearest(name, step.defaults)}")
        if name in hints:
            check_value(f"{where}: {name}", value, hints[name])
    return {**step.defaults, **given}


def check_value(what: str, value: object, hint: Any) -> None:
    """Raise `UsageError` for a value that is not of a type, or outside the `Range` that stands beside it."""
    hint, *more = typing.get_args(hint) if typing.get_origin(hint) is Annotated else [hint]
    if not _fits(value, hint):
        raise UsageError(f"{what} = {told(value)} should be {_expected(hint)}")
    for limits in more:
        if isinstance(limits, Range) and isinstance(value, int | float) and value not in limits:
            raise UsageError(f"{what} = {told(value)} should be {limits}")


def _expected(hint: Any) -> str:
    if typing.get_origin(hint) is Literal:
        return " or ".join(map(told, typing.get_args(hint)))
    return f"of type {getattr(hint, '__name__', None) or hint}"


def told(value: object) -> str:
    """Return a parameter's value as it is written in a recipe, and after `-s`."""
    return "none" if value is None else json.dumps(value, ensure_ascii=False, default=str)  # TOML has dates, too


def _fits(value: object, hint: Any) -> bool:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, part) for part in typing.get_args(hint))
    if origin is Literal:
        return value in typing.get_args(hint)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint) if isinstance(hint, type) else True


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean ...?`, or what there is where nothing is near."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there is {', '.join(known)}" if known else "; it takes none"


def fingerprint(value: object) -> str:
    """Return 16 hex digits that name plain data: equal data, equal digits, on any machine."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
