"""The plain data everything else passes around: videos, series, transitions, shots, votes, clips, captions, spans.

Time is seconds from the video's first frame, half-open `[start_s, end_s)`. Frame numbers count displayed
frames from 0 and stand beside seconds for people; they are never the only truth. No pixels and no models here.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from longtake.errors import FailureKind

TransitionKind = Literal["cut", "dissolve", "fade", "wipe"]


@dataclass(frozen=True, slots=True)
class Video:
    """One source file, as probing or scanning found it. Sizes are as displayed: after rotation and pixel aspect."""

    id: str
    path: str
    bytes: int
    container: str
    codec: str
    pixel_format: str
    width: int
    height: int
    rotation: int
    """Degrees the stored picture was turned by for display: 0, 90, 180 or 270."""
    duration_s: float
    """From the first frame to the end of the last one."""
    frames: int
    fps: float
    """Mean frames per second over the whole video."""
    variable_fps: bool
    """Whether over 1 % of the frame intervals differ from the median by more than a tenth (and 2 ms)."""
    audio_codec: str | None
    first_timestamp_s: float
    """The container's own time of the first frame; all times here are relative to it."""
    seekable: bool
    """Whether all frames carry sound timestamps, so that seeking by time finds them."""
    damage: tuple[str, ...] = ()
    """What was wrong and worked around, in words; empty for a sound file."""


@dataclass(frozen=True, slots=True)
class Series:
    """What one signal measured on one video: row i holds for the frame at `times[i]`."""

    columns: tuple[str, ...]
    times: NDArray[np.float64]
    """Shape (n,): seconds from the first frame."""
    frames: NDArray[np.int32]
    """Shape (n,): the numbers of those frames."""
    values: NDArray[np.float32]
    """Shape (n, len(columns)); NaN where nothing could be measured."""

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.times), len(self.columns)) or len(self.frames) != len(self.times):
            shapes = f"{self.times.shape} times, {self.frames.shape} frames, {self.values.shape} values"
            raise ValueError(f"a series of {len(self.columns)} columns with {shapes}")

    def __len__(self) -> int:
        return len(self.times)

    def column(self, name: str) -> NDArray[np.float32]:
        """Return one column, shape (n,)."""
        values: NDArray[np.float32] = self.values[:, self.columns.index(name)]
        return values

    def between(self, start_s: float, end_s: float) -> "Series":
        """Return the rows with `start_s <= time < end_s`."""
        rows = slice(*np.searchsorted(self.times, [start_s, end_s]))
        return Series(self.columns, self.times[rows], self.frames[rows], self.values[rows])


@dataclass(frozen=True, slots=True)
class Transition:
    """Where one shot ends and the next begins.

    `start_frame` is the first frame that is no longer purely the old shot, `end_frame` the first that is purely
    the new one, so a cut has `start_frame == end_frame`; where a fast scan left frames out beside it, the first that
    may be of the new shot and the first that surely is. `confidence` is in [0, 1].
    """

    kind: TransitionKind
    start_s: float
    end_s: float
    start_frame: int
    end_frame: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Shot:
    """The span between two transitions. Shots and transitions together tile the video."""

    start_s: float
    end_s: float
    start_frame: int
    end_frame: int


@dataclass(frozen=True, slots=True)
class Vote:
    """What one voter says of a transition: whether what it parts belongs together."""

    joins: bool | None
    """None: no vote, for it could not be told."""
    score: float | None = None
    """What the vote goes by, where that is a number."""


@dataclass(frozen=True, slots=True)
class Votes:
    """All votes about the transitions of one video."""

    voters: tuple[str, ...]
    """The labels of the recipe's voters."""
    cast: tuple[Mapping[str, bool | None], ...] = ()
    """For each transition in order: voter -> vote; one that is missing has not voted."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A span of one video that may become a row of the dataset, and all the scores about it."""

    id: str
    video_id: str
    start_s: float
    end_s: float
    start_frame: int
    end_frame: int
    scores: dict[str, float | None] = field(default_factory=dict)
    """Key `label.part`, None where it could not be measured."""
    transitions: tuple[Transition, ...] = ()
    """Those that lie inside it, where shots were joined; seconds and frames of the video."""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Caption:
    """A text about a span of a clip. Times are seconds of the clip, half-open."""

    kind: str
    """`raw`, `refined`, `rewritten`, `short`, `dense`, `main_object`, `background`, `style`, `camera`, `measured`."""
    number: int
    """Place among the clip's captions of this kind and captioner, from 0, in order of time."""
    start_s: float
    end_s: float
    text: str
    problems: tuple[str, ...] = ()
    """What is wrong with it. Such a caption is set aside: kept in the set with its reasons, and used for nothing."""
    model: str | None = None
    """The model's name; None for one that no model wrote."""
    answer: str | None = None
    """Key of the model's answer in the set's table `answers`."""
    frames_s: tuple[float, ...] = ()
    """Times of the frames that the model saw."""


Edge = Literal["video", "similar", "caption", "unseen", "none"]
"""Why a negative span ends where it does: the video ends there; a scene that looks alike; one that the caption fits as
well, or whose caption says the same; one that nothing was measured of; or there is no context, and it ends with the
positive."""


@dataclass(frozen=True, slots=True)
class Similar:
    """A scene outside a positive that looks like it: a hard negative, or a barrier."""

    start_s: float
    end_s: float
    similarity: float


@dataclass(frozen=True, slots=True)
class Span:
    """A caption's place in time: the positive, where it holds, and the negative around it, where it holds nowhere else.

    Times are seconds of the video, half-open; scenes are counted from 0.
    """

    clip_id: str
    step: str
    """The captioner's label; with `kind` and `number` it names the caption."""
    kind: str
    number: int
    text: str
    caption_start_s: float
    """The stretch that was captioned."""
    caption_end_s: float
    start_s: float
    """The positive: that stretch, grown over neighbours that look alike and that the caption fits."""
    end_s: float
    neg_start_s: float
    """The negative span contains the positive."""
    neg_end_s: float
    start_scene: int
    end_scene: int
    """The positive's last scene, included."""
    neg_start_scene: int | None
    """The scene that bounds the negative span on the left, itself outside; None where none does."""
    neg_end_scene: int | None
    left: Edge
    right: Edge
    places: tuple[str, ...]
    """Where a random crop may put the positive: `beginning`, `end`, `middle`, `throughout`."""
    similar: tuple[Similar, ...] = ()
    """The scenes outside the positive that look most like it, in order of time."""
    score: float | None = None
    """How well the caption fits the pictures it was made of: cosine of text and frames; None: not measured."""
    rival: float | None = None
    """The best score of the caption on another scene of the negative span; None where there is none."""
    rejected_by: str | None = None
    """Why it is no good record; None for one that is."""


@dataclass(frozen=True, slots=True)
class Range:
    """Which numbers a step's parameter may be, beside its type: `Annotated[float, Range(above=0, most=5)]`."""

    least: float = -math.inf
    most: float = math.inf
    above: float = -math.inf
    """It is more than that."""

    def __contains__(self, number: float) -> bool:
        return math.isfinite(number) and self.above < number and self.least <= number <= self.most

    def __str__(self) -> str:
        bounds = (("above", self.above), ("at least", self.least), ("at most", self.most))
        return " and ".join(f"{words} {bound:g}" for words, bound in bounds if math.isfinite(bound)) or "finite"


@dataclass(frozen=True, slots=True)
class Failure:
    """One step that could not be done on one item."""

    item: str
    """The video's path, or the clip's id."""
    step: str
    kind: FailureKind
    message: str
