"""Spans as questions and answers for instruction tuning, in the forms of HawkEye's readers and our own words."""

from collections.abc import Mapping
from typing import Any

from longtake.exports import Grounded
from longtake.exports._spans import chance, to_ms

FORMS = ("grounding", "captioning", "choice", "choice_captioning")
TIME = "From second %.1f to second %.1f."
"""The reader fills in the seconds of the crop it drew."""
PLACES = {
    "beginning": "At the beginning of the video.",
    "middle": "In the middle of the video.",
    "end": "At the end of the video.",
    "throughout": "Throughout the whole video.",
}
TASKS = {
    "grounding": (
        "Watch the video and say from which second to which second the sentence holds.",
        "You get a video and a sentence. Answer with the stretch of time that the sentence is about.",
        "Find the one stretch of the video that shows what is written, and give its start and end in seconds.",
    ),
    "captioning": (
        "Watch the video and tell in one sentence what happens in the stretch of time that is given.",
        "You get a video and two times in seconds. Describe what can be seen between them, and nothing else.",
        "Write one sentence about the named part of the video.",
    ),
    "choice": (
        "Watch the video and pick the option that says where in it the sentence holds.",
        "You get a video, a sentence and four places in time. Answer with the right one.",
        "Decide in which part of the video this is shown, and answer with one of the options.",
    ),
    "choice_captioning": (
        "Watch the video and tell in one sentence what happens at the place that is given.",
        "You get a video and a part of it. Describe what can be seen there, and nothing else.",
        "Write one sentence about the named part of the video.",
    ),
}
QUESTIONS = {
    "grounding": ("When does this happen? {}", "Which seconds show this? {}", "Find the time of: {}"),
    "choice": ("Where in the video does this happen? {}", "Which part shows this? {}", "Find the place of: {}"),
}


def instruction(form: str, video: Grounded, span: Mapping[str, Any]) -> dict[str, Any]:
    """Return a span as one question with its answer in a form; the wording is drawn by a hash."""
    text = _sentence(span["text"])
    if form in ("grounding", "captioning"):
        text = text.replace("%", " percent")
    question: Any
    answer: Any
    if form == "grounding":
        question, answer = _draw(QUESTIONS[form], video, span, form).format(text), TIME
    elif form == "captioning":
        question, answer = TIME, text
    elif form == "choice":
        options = _options(video, span)
        asked = _draw(QUESTIONS[form], video, span, form).format(text)
        question = "\n".join([f"Question: {asked}", "Options:", *(option for _, option in options)])
        answer = options
    else:
        question, answer = _options(video, span), text
    return {
        "start_sec": to_ms(span["start_s"]),
        "end_sec": to_ms(span["end_s"]),
        "neg_start_sec": to_ms(span["neg_start_s"]),
        "neg_end_sec": to_ms(span["neg_end_s"]),
        "i": _draw(TASKS[form], video, span, f"{form} task"),
        "q": question,
        "a": answer,
    }


def _sentence(text: str) -> str:
    """Return a text that begins with a capital and has no full stop at its end."""
    return text[:1].upper() + text[1:].removesuffix(".")


def _options(video: Grounded, span: Mapping[str, Any]) -> list[list[str]]:
    """Return the four places in an order drawn by a hash: each with its name and what the option says."""
    places = sorted(PLACES, key=lambda place: chance(video, span, place))
    return [[place, f"({letter}) {PLACES[place]}"] for letter, place in zip("ABCD", places, strict=True)]


def _draw(choices: tuple[str, ...], video: Grounded, span: Mapping[str, Any], purpose: str) -> str:
    return choices[int(chance(video, span, purpose) * len(choices))]
