"""MiraData's question to a vision-language model: whether both sides of a transition are the same scene."""

import math
import string

from longtake.captions import Ask, Look, Question, View
from longtake.captions._windows import Window
from longtake.errors import UsageError
from longtake.records import Vote

VERSION = 1
SIGNALS: tuple[str, ...] = ()
"""None: this voter sees the frames alone."""

AWAY_FRAMES = 2
AWAY_S = 0.08
"""Frames nearer to a transition are not shown: a detector may be a frame off, and encoders blur a cut."""
VERDICTS: dict[str, bool | None] = {"YES": True, "NO": False, "UNKNOWN": None}
WRONG = "answer with one word and nothing else: YES, NO or UNKNOWN"

PROMPT = """\
The picture shows {count} frames of one video in two rows, with white borders around them. In each row time runs from \
left to right. The upper row is what comes right before {transition}, the lower row is what comes right after it.

Judge whether both rows belong to the same scene.
YES: the place is the same and what happens goes on without a leap in time. The camera may have moved, come closer or \
turned to somebody else who takes part. Also where nothing changes from one row to the other but how bright it is.
NO: the place is another, time has passed, or what happens in the lower row doesn't go on from the upper one.
UNKNOWN: it can't be told from what is shown.

Answer with one word and nothing else: YES, NO or UNKNOWN."""


async def same_scene(view: View, ask: Ask, *, frames: int = 3, side_s: float = 1.0, cell_px: int = 336) -> Vote:
    """Vote on a transition as MiraData's two language models do (arXiv 2407.06358), which have to agree.

    Joins where the model says that place and action go on. No vote where it says that it can't tell, or gives none of
    the answers it was offered. Wording and frames are our own: the paper publishes neither.

    frames: how many frames of each side the model sees, at the centres of as many equal parts of that side.
    side_s: seconds before and after the transition that they come from, less where a shot is shorter; of these, the
        0.08 s next to the transition are left out, and two frames at least.
    cell_px: longer side of a frame in the picture, in pixels.
    """
    if not 0 < side_s < math.inf:
        raise UsageError(f"side_s = {side_s:g}: give the seconds on each side that frames come from, above 0")
    look = _look(view, frames, side_s, cell_px)
    question = Question("same_scene", _prompt(view, look), look=look, max_tokens=16, check=_problems)
    (answer,) = await ask(question)
    return Vote(None if answer.problems else VERDICTS.get(_word(answer.text)))


def _look(view: View, frames: int, side_s: float, cell_px: int) -> Look:
    """Return a look at both sides of the transition, a row for each."""
    assert view.transition is not None
    start_s, end_s = view.transition
    frame_s = view.duration_s / max(1, view.clip.end_frame - view.clip.start_frame)
    away_s = max(AWAY_S, AWAY_FRAMES * frame_s)
    before_s, after_s = min(side_s, start_s), min(side_s, view.duration_s - end_s)
    sides = (
        Window(0, 2, start_s - before_s, start_s - min(away_s, before_s / 2)),  # half of a shot of a few frames
        Window(1, 2, end_s + min(away_s, after_s / 2), end_s + after_s),
    )
    before, after = (side.look(frames, columns=frames, cell_px=cell_px) for side in sides)
    return Look(before.times + after.times, before.columns, before.cell_px)


def _prompt(view: View, look: Look) -> str:
    assert view.transition is not None
    start_s, end_s = view.transition
    transition = "a cut" if start_s == end_s else "a gradual change of the picture, as a dissolve"
    return PROMPT.format(count=len(look.times), transition=transition)


def _word(text: str) -> str:
    return text.strip(string.punctuation + string.whitespace).upper()


def _problems(text: str) -> list[str]:
    return [] if _word(text) in VERDICTS else [WRONG]
