"""MiraData's six captions of a clip, or of each part of a long one: a short one, and five about one thing each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, Field

from longtake.captions import Answer, Ask, Look, Question, View
from longtake.captions._checks import check, contradicted
from longtake.captions._windows import Window, equal_windows, evidence, shown, unnamed
from longtake.records import Caption

VERSION = 1
SIGNALS = ("motion", "look", "colour")

SHORT = """\
{shown}

Tell in one sentence of 8 to 25 words what happens in it: who or what is seen, what they do, and where. State what can \
be seen and nothing else. Don't mention {unnamed}. Give that sentence alone, in plain English."""

FIVE = """\
{shown}

{hint}Describe it in five texts, so exactly that a model could make the video again from them. Each stands for itself, \
in whole sentences of plain English. State what can be seen; where something can't be told, leave it out. Write about \
the video as one: no account frame by frame, no word about {unnamed}, no summary at the end.

{evidence}"""

HINT = """\
A first look at it said: "{short}" Correct that where you see otherwise.

"""

NUMBERED = """\


Number the five texts and write nothing else:
{items}"""


@dataclass(frozen=True, slots=True)
class Item:
    """One of the five texts: what it has to tell, and how long it is."""

    asks: str
    least_words: int
    most_words: int
    least_sentences: int = 1


ITEMS = {
    "dense": Item(
        "the whole video in detail, in at least four sentences and 70 to 150 words: what happens in order of time, who"
        " and what is seen, and where",
        40, 260, 4,
    ),
    "main_object": Item(
        "the main person, animal or object: its looks, what it does or how it changes, one thing after the other, where"
        " it is and how it moves; in 30 to 90 words; where there is none, say so in a sentence",
        4, 180,
    ),
    "background": Item(
        "the setting behind it: the place and the objects in it, the weather, the light and the time of day; in 20 to"
        " 80 words",
        6, 160,
    ),
    "camera": Item(
        "the camera: the size of the shot and the view, how the camera moves and how its angle changes; in 10 to 70"
        " words",
        4, 140,
    ),
    "style": Item(
        "the visual, photographic and artistic style, in one short sentence",
        3, 60,
    ),
}  # fmt: skip
"""By kind of caption, in the paper's order."""
SEEN_IN = ("dense", "camera")
"""The kinds that tell of the camera, and are held against what was measured."""


class Five(BaseModel):
    """The form of the answer."""

    dense_caption: str = Field(description=ITEMS["dense"].asks)
    main_object_caption: str = Field(description=ITEMS["main_object"].asks)
    background_caption: str = Field(description=ITEMS["background"].asks)
    camera_caption: str = Field(description=ITEMS["camera"].asks)
    style_caption: str = Field(description=ITEMS["style"].asks)


async def miradata(
    view: View,
    ask: Ask,
    *,
    window_s: float = 120.0,
    frames: int = 8,
    columns: int = 4,
    cell_px: int = 512,
    video: bool = False,
    video_fps: float = 2.0,
    hint: bool = True,
    numbered: bool = False,
) -> list[Caption]:
    """Six captions as in MiraData (arXiv 2407.06358), in our own prompts, of a clip or of each part of a long one.

    short: one sentence of about 8 to 25 words on the whole part.
    dense: at least four sentences, about 70 to 150 words.
    main_object: the main subject, its looks and what it does.
    background: place, objects, weather, light and time of day.
    camera: shot, view and camera movement.
    style: visual style in one sentence.

    The last five come from one answer about one grid of frames. Where motion, look and colour were measured, the
    model is told what they say, and `dense` and `camera` must not contradict it.

    window_s: longest part in seconds; a longer clip is cut into equal parts, without a gap.
    frames: how many frames of a part the model sees, at the centres of as many equal parts of it.
    columns: frames side by side in the grid; 0 sends a picture for each frame.
    cell_px: longer side of a frame in the grid, or of the video, in pixels.
    video: whether the model sees a part as a small silent video instead; for models that take video.
    video_fps: frames per second of that video, at most 8; `frames` and `columns` then have no meaning.
    hint: whether the short caption, where nothing is wrong with it, is told to the model that writes the others.
    numbered: whether the five texts come as a numbered list, as in the paper, instead of fields.
    """
    windows = equal_windows(view.duration_s, window_s=window_s)
    looks = [
        window.video_look(fps=video_fps, cell_px=cell_px)
        if video
        else window.look(frames, columns=columns, cell_px=cell_px)
        for window in windows
    ]
    places = list(zip(windows, looks, strict=True))
    short = [_short(window, look, view) for window, look in places]
    if hint:
        first = await ask(*short)
        hints = ["" if answer.problems else HINT.format(short=answer.text.strip()) for answer in first]
        five = [_five(window, look, view, words, numbered) for (window, look), words in zip(places, hints, strict=True)]
        answers = [*first, *await ask(*five)]
    else:
        answers = await ask(*short, *(_five(window, look, view, "", numbered) for window, look in places))
    captions = []
    for i, (window, look) in enumerate(places):
        said, fields = answers[i], answers[len(places) + i]
        captions.append(window.caption("short", said.text.strip(), said, said.problems, look))
        captions += _captions(fields, window, look, view, numbered)
    return captions


def _short(window: Window, look: Look, view: View) -> Question:
    prompt = SHORT.format(shown=shown(window, look, duration_s=view.duration_s), unnamed=unnamed(look))
    return Question("short", prompt, window.number, look, max_tokens=96, check=_short_problems)


def _short_problems(text: str) -> list[str]:
    return check(text, least_words=4, most_words=45, most_sentences=1)


def _five(window: Window, look: Look, view: View, hint: str, numbered: bool) -> Question:
    def problems(answer: str | Five) -> list[str]:
        found = _problems(_texts(answer), window, view)
        return [f"{_name(kind)}: {problem}" for kind in ITEMS for problem in found[kind]]

    words = shown(window, look, duration_s=view.duration_s)
    prompt = FIVE.format(shown=words, unnamed=unnamed(look), hint=hint, evidence=evidence(view.facts)).strip()
    if numbered:
        items = (f"{n}. {_name(kind).capitalize()}: {item.asks}." for n, (kind, item) in enumerate(ITEMS.items(), 1))
        prompt += NUMBERED.format(items="\n".join(items))
    return Question("five", prompt, window.number, look, None if numbered else Five, max_tokens=1024, check=problems)


def _captions(answer: Answer, window: Window, look: Look, view: View, numbered: bool) -> list[Caption]:
    """Return the five captions of a part, each with its own problems and with those of the answer as a whole."""
    texts = _texts(answer.text if numbered else answer.value)
    own = _problems(texts, window, view)
    labelled = {f"{_name(kind)}: {problem}" for kind in ITEMS for problem in own[kind]}
    whole = [problem for problem in answer.problems if problem not in labelled]
    return [window.caption(kind, texts.get(kind, ""), answer, (*own[kind], *whole), look) for kind in ITEMS]


def _texts(answer: str | Five | None) -> dict[str, str]:
    """Return the texts of an answer by kind, without those that it lacks."""
    if answer is None:
        return {}
    if isinstance(answer, str):
        return read_numbered(answer)
    return {kind: getattr(answer, f"{kind}_caption").strip() for kind in ITEMS}


def _problems(texts: Mapping[str, str], window: Window, view: View) -> dict[str, list[str]]:
    """Return what is wrong with each of the five texts, by kind."""
    found = {}
    for kind, item in ITEMS.items():
        if kind not in texts:
            found[kind] = ["it is missing; write all five texts"]
            continue
        found[kind] = check(
            texts[kind],
            least_words=item.least_words,
            most_words=item.most_words,
            least_sentences=item.least_sentences,
        )
        if kind in SEEN_IN:
            found[kind] += contradicted(texts[kind], view.facts, window)
    return found


def _name(kind: str) -> str:
    return kind.replace("_", " ")


NUMBER = re.compile(r"[\s#>*_(]*([1-5])\s*[.):][\s*_]*")
LABELS = {
    "dense": r"(?:dense|detailed)",
    "main_object": r"main (?:object|subject)s?",
    "background": r"background",
    "camera": r"camera",
    "style": r"(?:visual |artistic )?style",
}
LABEL = {
    kind: re.compile(rf"[\s#>*_]*{words}(?: (?:caption|description|movement))?[*_\s]*(?::|–|—|\s-\s|$)[\s*_]*", re.I)
    for kind, words in LABELS.items()
}


def read_numbered(text: str) -> dict[str, str]:
    """Read a list of five texts by kind, whether its items carry numbers, labels or both, on one line or several.

    What stands before the first item is dropped, and of two items of one kind the second is part of what it stands in.
    """
    found: dict[str, list[str]] = {}
    reading: list[str] | None = None
    for line in text.splitlines():
        number = NUMBER.match(line)
        rest = line[number.end() :] if number else line
        labels = [(kind, match) for kind, pattern in LABEL.items() if (match := pattern.match(rest))]
        kind = labels[0][0] if labels else [*ITEMS][int(number[1]) - 1] if number else None
        if kind is not None and kind not in found:
            reading = found[kind] = []
            line = rest[labels[0][1].end() :] if labels else rest
        if reading is not None:
            reading.append(line)
    return {kind: "\n".join(lines).strip() for kind, lines in found.items()}
