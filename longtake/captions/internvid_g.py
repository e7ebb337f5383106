"""InternVid-G's caption: one sentence on the frame in the middle."""

from longtake.captions import Ask, Question, View
from longtake.captions._checks import check
from longtake.captions._windows import equal_windows, seconds
from longtake.records import Caption

VERSION = 2
SIGNALS: tuple[str, ...] = ()
"""None: one frame shows no movement that could be checked."""

PROMPT = """\
You see the frame in the middle of a video of {duration}.

Tell in one sentence of 8 to 30 words what happens there: who or what is seen, what they do, and where. State what can \
be seen and nothing else. Write about the scene itself, never about a frame, an image or a picture. Give that sentence \
alone, in plain English."""


async def internvid_g(view: View, ask: Ask, *, part_s: float = 10.0, cell_px: int = 768) -> list[Caption]:
    """One sentence from the middle frame, as InternVid-G (arXiv 2403.10228) has it from BLIP-2; our own prompt.

    short: what is seen in the middle of the clip, in one sentence of about 8 to 30 words. One frame shows no action
        and no order of time. A clip longer than `part_s` is cut into the fewest equal parts that are not, and each has
        a sentence of its own: InternVid-G throws scenes of over 10 s away.

    part_s: longest part with one sentence, in seconds.
    cell_px: longer side of the frame, in pixels.
    """
    parts = equal_windows(view.duration_s, window_s=part_s)
    looks = [part.look(1, columns=0, cell_px=cell_px) for part in parts]
    questions = [
        Question(
            "short",
            PROMPT.format(duration=seconds(part.end_s - part.start_s)),
            number=part.number,
            look=look,
            max_tokens=96,
            check=_problems,
        )
        for part, look in zip(parts, looks, strict=True)
    ]
    answers = await ask(*questions)
    return [
        part.caption("short", answer.text.strip(), answer, answer.problems, look)
        for part, look, answer in zip(parts, looks, answers, strict=True)
    ]


def _problems(text: str) -> list[str]:
    return check(text, least_words=4, most_words=60, most_sentences=1)
