"""InternVid-G's caption: one sentence on the frame in the middle."""

from longtake.captions import Ask, Question, View
from longtake.captions._checks import check
from longtake.captions._windows import Window, seconds
from longtake.records import Caption

VERSION = 1
SIGNALS: tuple[str, ...] = ()
"""None: one frame shows no movement that could be checked."""

PROMPT = """\
You see the frame in the middle of a video of {duration}.

Tell in one sentence of 8 to 30 words what happens there: who or what is seen, what they do, and where. State what can \
be seen and nothing else. Write about the scene itself, never about a frame, an image or a picture. Give that sentence \
alone, in plain English."""


async def internvid_g(view: View, ask: Ask, *, cell_px: int = 768) -> list[Caption]:
    """One sentence from the middle frame, as InternVid-G (arXiv 2403.10228) has it from BLIP-2; our own prompt.

    short: what is seen in the middle of the clip, in one sentence of about 8 to 30 words. One frame shows no action
    and no order of time.

    cell_px: longer side of the frame, in pixels.
    """
    whole = Window(0, 1, 0.0, view.duration_s)
    look = whole.look(1, columns=0, cell_px=cell_px)
    prompt = PROMPT.format(duration=seconds(view.duration_s))
    [answer] = await ask(Question("short", prompt, look=look, max_tokens=96, check=_problems))
    return [whole.caption("short", answer.text.strip(), answer, answer.problems, look)]


def _problems(text: str) -> list[str]:
    return check(text, least_words=4, most_words=60, most_sentences=1)
