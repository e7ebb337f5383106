"""From a kept clip to texts about it: each file holds one captioner.

A captioner is a function of what is known of a clip. One that needs a model is `async` and gets `ask`; it may be run
any number of times, for what was answered before is not asked again. So it holds no state, draws no random numbers,
and asks in the same order each time.
"""

import contextlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from longtake.facts import Facts
from longtake.records import Clip, Series

if TYPE_CHECKING:  # every worker would load it, and asks no model
    from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Look:
    """Which frames of a clip a model sees, and how they are laid out. Times are seconds of the clip."""

    times: tuple[float, ...]
    """The frame shown at each time is the one displayed then."""
    columns: int = 0
    """Frames side by side in one picture, row by row; 0: a picture for each frame."""
    cell_px: int = 448
    """Longer side of a frame in the picture; smaller frames are not enlarged."""
    border_px: int = 8
    """White border around and between the frames of a grid."""
    fps: float = 0.0
    """Frames per second of a small silent video instead of pictures, whose frames are equally spaced; 0: pictures."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question about a clip. Equal questions about one clip are asked once."""

    name: str
    """What it asks for, as `raw`; with `number` it names the question within its captioner."""
    prompt: str
    number: int = 0
    look: Look | None = None
    schema: "type[BaseModel] | None" = None
    max_tokens: int = 512
    check: Callable[[Any], list[str]] = lambda _: []
    """Says what is wrong with an answer, in words that tell the model what to do better; gets text, or the schema's
    value. Where it says anything the model is asked again, once."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said in the end."""

    text: str
    value: Any = None
    """The schema's value, None where there is no schema or the text doesn't fit it."""
    problems: tuple[str, ...] = ()
    """What is still wrong with it after it was asked again."""
    model: str = ""
    key: str = ""
    """Its key in the set's table `answers`."""


class Ask(Protocol):
    """Asks some questions at once and returns their answers in order."""

    async def __call__(self, *questions: Question) -> list[Answer]:
        """Return an answer for each question, each with its problems, if it still has any."""


@dataclass(frozen=True, slots=True)
class View:
    """What a captioner knows of a clip."""

    clip: Clip
    signals: Mapping[str, Series] = field(default_factory=dict)
    """Rows inside the clip by signal, their times counted from the clip's start; what the set has of `SIGNALS`."""
    facts: Facts | None = None
    """What those signals say in words, None where they weren't measured."""
    transition: tuple[float, float] | None = None
    """For voters: start and end, in seconds of the clip, of the transition that they are asked about."""
    listed: Sequence[Mapping[str, Any]] = ()
    """For captioners that are `LISTED`: rows of a list about just this clip, as table `listed` has them."""

    @property
    def duration_s(self) -> float:
        """Length of the clip in seconds."""
        return self.clip.duration_s


class _AskedError(Exception):
    """A captioner got as far as its first question."""


def try_out(call: Callable[..., Any], parameters: Mapping[str, Any]) -> None:
    """Run a captioner or judge up to its first question, on a clip of nothing.

    A parameter out of range shows here, as `UsageError`, before any work is done.
    """

    async def ask(*_: Question) -> list[Answer]:
        raise _AskedError

    view = View(Clip("", "", 0.0, 10.0, 0, 250), transition=(5.0, 5.0))
    if not inspect.iscoroutinefunction(call):
        call(view, **parameters)
        return
    with contextlib.suppress(_AskedError, StopIteration):
        call(view, ask, **parameters).send(None)
