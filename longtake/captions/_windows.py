"""Parts of a clip, which frames of each a model sees, how a prompt tells of both, and the captions of a part."""

import math
from dataclasses import dataclass

from longtake.captions import Answer, Look
from longtake.errors import UsageError
from longtake.facts import Facts
from longtake.records import Caption

TAIL_S = 10.0
"""A last part at least this long stands on its own."""
ROUNDING_S = 1e-6
"""A part no longer than this comes from the arithmetic, not from the clip."""
LEAST_PX = 16
"""Longer side of the smallest frame that a model is shown."""
MOST_FPS = 8.0
"""Frames per second that a model is shown of a video, at most."""


@dataclass(frozen=True, slots=True)
class Window:
    """One of the parts that tile a clip. Times are seconds of the clip, half-open."""

    number: int
    """Place in order of time, from 0."""
    count: int
    """How many parts the clip has."""
    start_s: float
    end_s: float

    def look(self, frames: int, *, columns: int, cell_px: int) -> Look:
        """Return a look at the centres of `frames` equal parts of the window. Raises `UsageError` for no frame."""
        if frames < 1:
            raise UsageError(f"frames = {frames}: a model has to see at least one")
        if columns < 0:
            raise UsageError(f"columns = {columns}: give a number of frames side by side, or 0 for single pictures")
        _check_size(cell_px)
        step = (self.end_s - self.start_s) / frames
        return Look(tuple(self.start_s + (i + 0.5) * step for i in range(frames)), columns, cell_px)

    def video_look(self, *, fps: float, cell_px: int) -> Look:
        """Return a look at the window as a small video of so many frames per second. Raises `UsageError`."""
        if not 0 < fps <= MOST_FPS:
            raise UsageError(f"video_fps = {fps:g}: give a rate above 0, of at most {MOST_FPS:g} frames per second")
        _check_size(cell_px)
        # The first frame of a window that is shorter than one frame's time is shown all the same.
        frames = max(1, math.ceil((self.end_s - self.start_s - ROUNDING_S) * fps))
        return Look(tuple(self.start_s + k / fps for k in range(frames)), cell_px=cell_px, fps=fps)

    def caption(
        self, kind: str, text: str, answer: Answer, problems: tuple[str, ...], look: Look | None = None
    ) -> Caption:
        """Return what an answer says of this part as a caption."""
        seen = look.times if look else ()
        return Caption(kind, self.number, self.start_s, self.end_s, text, problems, answer.model, answer.key, seen)


def segments(duration_s: float, *, segment_s: float) -> list[Window]:
    """Cut a clip into full segments and a tail; a tail under `TAIL_S` and the last full one are cut in equal halves.

    65 s in segments of 30 s are 0-30, 30-47.5 and 47.5-65. How LVD-2M treats the tail is not published.
    """
    _check_length(segment_s)
    full = int((duration_s + ROUNDING_S) // segment_s)
    edges = [i * segment_s for i in range(full + 1)]
    tail = duration_s - edges[-1]
    if tail <= ROUNDING_S and full:
        edges.pop()
    elif tail < TAIL_S and full:
        edges[-1] = (edges[-2] + duration_s) / 2
    return _windows([*edges, duration_s])


def equal_windows(duration_s: float, *, window_s: float) -> list[Window]:
    """Cut a clip into the fewest equal parts of at most `window_s`."""
    _check_length(window_s)
    count = max(1, math.ceil((duration_s - ROUNDING_S) / window_s))
    return _windows([*(i * duration_s / count for i in range(count)), duration_s])


def shown(window: Window, look: Look, *, duration_s: float) -> str:
    """Return the sentences that tell a model which part of which video it sees, and how its frames are laid out.

    A look that is a video says itself how it runs.
    """
    if look.fps and window.count > 1:
        part = f"part {window.number + 1} of {window.count} of a video, {span(window.start_s, window.end_s)}"
        return f"You see {part} of its {seconds(duration_s)}. Only this part is asked about."
    words = f"You see a video of {seconds(duration_s)}."
    if window.count > 1:
        part = f"part {window.number + 1} of {window.count}, {span(window.start_s, window.end_s)}"
        words += f" Only its {part}, is shown and asked about."
    if look.fps:
        return words
    frames = len(look.times)
    if frames == 1:
        return f"{words} The picture is the frame in the middle of it."
    if not look.columns:
        return f"{words} The {frames} pictures are frames of it, equally spaced and in order of time."
    return (
        f"{words} The picture is a grid of {frames} frames of it, {look.columns} side by side, with white borders "
        "around them. The frames are equally spaced in time, which runs from left to right in each row, and from the "
        "top row to the bottom row."
    )


def unnamed(look: Look) -> str:
    """Return what a text must not speak of: that it was made from frames, and how those were laid out."""
    return "frames" if look.fps else "frames, pictures, panels, borders or a grid"


def evidence(facts: Facts | None) -> str:
    """Return what was measured of the whole clip, for a prompt; empty where nothing was."""
    words = facts.words() if facts else ""
    return f"{words} This was measured over the whole video: trust it over your own impression." if words else ""


def span(start_s: float, end_s: float) -> str:
    """Return `from 30 s to 47.5 s`."""
    return f"from {seconds(start_s)} to {seconds(end_s)}"


def seconds(time_s: float) -> str:
    """Return `17.5 s`, to a tenth of a second."""
    return f"{round(time_s, 1):g} s"


def _check_length(limit_s: float) -> None:
    if not limit_s > 0:  # nor is it anything that is no number
        raise UsageError(f"parts of {limit_s:g} s: a clip can't be cut into them; give a length above 0")


def _check_size(cell_px: int) -> None:
    if cell_px < LEAST_PX:
        raise UsageError(f"cell_px = {cell_px}: give at least {LEAST_PX} pixels, or a model sees nothing")


def _windows(edges: list[float]) -> list[Window]:
    count = len(edges) - 1
    return [Window(i, count, edges[i], edges[i + 1]) for i in range(count)]
