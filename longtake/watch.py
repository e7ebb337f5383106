"""What a run tells those who watch it: its plan before the first decode, and how far it has come."""

from collections.abc import Callable
from dataclasses import dataclass

from longtake.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is going to do."""

    recipe: Recipe
    folder: str
    workers: int
    engine: str
    """Where the work runs, empty for this machine."""
    videos: int
    copies: int
    """Files that hold the same video as another one; each video is done once."""
    removed: int
    """Videos that were removed from the set for good, and are left out."""
    others: int
    """Files in the sources that don't look like videos."""
    done_before: int
    failed_before: int
    """Videos that failed in an earlier run and are not tried again."""
    to_scan: int
    to_derive: int
    """Videos whose signals are all stored: no decode, arithmetic only."""
    to_scan_s: float
    """Seconds of video to decode, estimated from a sample of headers."""
    notes: tuple[str, ...] = ()
    """What else is worth a line before work starts: what of the set is replaced, or was passed over."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one phase of a run has come."""

    phase: str
    """`load`, `scan`, `copies`, `vote`, `judge`, `write`, `verify` (a second look at files that were there), `caption`,
    `texts`, `ground`, `export`, `merge`, `list` (reading one) or `fetch`."""
    done: int
    total: int
    failed: int
    reached_s: float
    """Seconds of video worked through, running items included."""
    total_s: float
    elapsed_s: float
    words: str = ""
    """What else there is to say: answers and their price."""


@dataclass
class Estimate:
    """What is still to be asked of models. Calls are exact but for answers that fail their checks; tokens a guess."""

    folder: str
    captioners: list[str]
    waiting: list[str]
    """Captioners that ask a model where none is configured."""
    kept: int
    """Kept clips of the set."""
    clips: int = 0
    """Those with something to ask."""
    calls: int = 0
    answered: int = 0
    """Questions of these clips whose answers are stored."""
    frames: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = 0.0
    """None where a price isn't known."""
    seconds: float | None = None
    """None where no answer tells yet how long one takes."""


Watch = Callable[[Plan | Progress | Estimate], None]
