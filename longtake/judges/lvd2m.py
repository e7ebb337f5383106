"""LVD-2M's two questions to a vision-language model: does the scene vary, and is it rich and free of text."""

import string

from longtake.captions import Ask, Question, View
from longtake.captions._windows import Window, shown

VERSION = 1
SIGNALS: tuple[str, ...] = ()
"""None: a judge sees the frames alone."""
SCORES = ("varied", "appealing")

COLUMNS = 4
VERDICTS: dict[str, float | None] = {"GOOD": 1.0, "BAD": 0.0, "UNKNOWN": None}
WRONG = "answer with one word and nothing else: GOOD, BAD or UNKNOWN"

VARIED = """\
{shown}

Judge how much this video varies.
GOOD: what is seen changes clearly in the course of the video: the setting, the background, or what the characters or \
objects do.
BAD: background, setting and characters stay much the same from start to end, also where a shaking camera or small \
gestures are all that moves.
UNKNOWN: it can't be told from what is shown.

Answer with one word and nothing else: GOOD, BAD or UNKNOWN."""

APPEALING = """\
{shown}

Judge whether this video is worth watching for its pictures.
GOOD: it is rich and appealing to look at, and what it shows are people, animals, objects or places.
BAD: somebody mainly talks to the camera before a background that stays the same; or there is text instead of objects; \
or laid-over text, logos or graphics take so much room that they spoil the view.
UNKNOWN: it can't be told from what is shown.

Answer with one word and nothing else: GOOD, BAD or UNKNOWN."""


async def lvd2m(view: View, ask: Ask, *, frames: int = 8, cell_px: int = 336) -> dict[str, float | None]:
    """Judge a clip as LVD-2M does (arXiv 2410.10816), with two questions; the paper keeps what is good in both.

    varied: 1 where the scene changes in the course of the clip, 0 where background, setting and characters stay the
        same.
    appealing: 1 where the pictures are rich, 0 for a talking head before a still background, and where text fills
        or hides the picture.

    Not measured where the model says that it can't tell, or gives none of the answers it was offered. The authors
    warn that such models are not reliable judges of quality. The prompts are our own.

    frames: how many frames the model sees, at the centres of as many equal parts of the clip, four side by side.
    cell_px: longer side of a frame in that grid, in pixels.
    """
    whole = Window(0, 1, 0.0, view.duration_s)
    look = whole.look(frames, columns=COLUMNS, cell_px=cell_px)
    words = shown(whole, look, duration_s=view.duration_s)
    answers = await ask(
        *(
            Question(name, prompt.format(shown=words), look=look, max_tokens=16, check=_problems)
            for name, prompt in (("varied", VARIED), ("appealing", APPEALING))
        )
    )
    varied, appealing = (None if answer.problems else VERDICTS.get(_word(answer.text)) for answer in answers)
    return {"varied": varied, "appealing": appealing}


def _word(text: str) -> str:
    return text.strip(string.punctuation + string.whitespace).upper()


def _problems(text: str) -> list[str]:
    return [] if _word(text) in VERDICTS else [WRONG]
