"""LVD-2M's three captions: raw for each part of a clip, refined for the whole, rewritten as a user would put it."""

from longtake.captions import Ask, Look, Question, View
from longtake.captions._checks import check, check_prefixed, contradicted, without_prefix
from longtake.captions._windows import Window, evidence, segments, shown, span, unnamed
from longtake.records import Caption

VERSION = 1
SIGNALS = ("motion", "look", "colour")

RAW = """\
{shown}

Describe the video as one continuous take, in one paragraph of 100 to 250 words of plain English. Cover:
- what happens: the main actions and events, in the order in which they happen;
- who and what is seen: people, animals and objects, with what tells them apart;
- where: the setting, the background, the light and the weather;
- the camera: its view and distance, how it moves, and where its angle changes.
State what can be seen and nothing else. Write about the video only: no account frame by frame, no word about \
{unnamed}. No heading, no list, no remark before or after.

{evidence}"""

REFINED = """\
{told}

Rewrite this as one caption in the style of a prompt from which a text-to-video model could make the video: clear, \
short and factual, one paragraph of 60 to 110 words. Cover the actions in order of time, the characters and objects, \
the background, the visual style and the movement of the camera.{joined} Keep only what can be seen; leave out \
opinions, moods, guesses and repetition, and add nothing. Don't mention frames, pictures, parts or captions.

Begin the answer with CAPTION: and write nothing but the caption after it."""

JOINED = " Tell it as one story: say once what stays the same, and what changes where it changes."

REWRITTEN = """\
This caption describes a video:

{refined}

Rewrite it as a person would who types what video they want: one or two plain sentences, 25 to 45 words together. \
Keep the main subject, what it does from start to end, the setting, and the movement of the camera or the style if it \
stands out. Drop the rest and add nothing.

Begin the answer with CAPTION: and write nothing but the caption after it."""


async def lvd2m(
    view: View,
    ask: Ask,
    *,
    segment_s: float = 30.0,
    frames: int = 6,
    columns: int = 2,
    cell_px: int = 448,
    video: bool = False,
    video_fps: float = 2.0,
    rewrite: bool = True,
) -> list[Caption]:
    """Three levels of captions as in LVD-2M (arXiv 2410.10816), in our own prompts: raw, refined, rewritten.

    raw: what happens in each part of at most 30 s, from a grid of six frames; about 100 to 250 words.
    refined: the raw texts merged in order of time into one text on the whole clip; about 60 to 110 words.
    rewritten: the refined text as a person would ask for such a video; about 25 to 45 words.

    A caption with problems is the ground of no further one: the levels above it are left out.

    segment_s: longest part in seconds. A last part of 10 s or more stands alone; a shorter one is joined with the
    part before, and the two are cut in equal halves.
    frames: how many frames of a part the model sees, at the centres of as many equal parts of it.
    columns: frames side by side in the grid; 0 sends a picture for each frame.
    cell_px: longer side of a frame in the grid, or of the video, in pixels.
    video: whether the model sees a part as a small silent video instead; for models that take video.
    video_fps: frames per second of that video, at most 8; `frames` and `columns` then have no meaning.
    rewrite: whether to ask for the rewritten caption.
    """
    windows = segments(view.duration_s, segment_s=segment_s)
    looks = [
        window.video_look(fps=video_fps, cell_px=cell_px)
        if video
        else window.look(frames, columns=columns, cell_px=cell_px)
        for window in windows
    ]
    answers = await ask(*(_raw(view, window, look) for window, look in zip(windows, looks, strict=True)))
    raw = [
        window.caption("raw", answer.text.strip(), answer, answer.problems, look)
        for window, look, answer in zip(windows, looks, answers, strict=True)
    ]
    if any(caption.problems for caption in raw):
        return raw
    whole = Window(0, 1, 0.0, view.duration_s)
    refined = await _level("refined", _refine_prompt(raw), (30, 160), view, whole, ask)
    if refined.problems or not rewrite:
        return [*raw, refined]
    # Models miscount: a few words beside the 25 to 45 asked for are no reason to ask again.
    rewritten = await _level("rewritten", REWRITTEN.format(refined=refined.text), (20, 54), view, whole, ask)
    return [*raw, refined, rewritten]


def _raw(view: View, window: Window, look: Look) -> Question:
    def problems(text: str) -> list[str]:
        return [*check(text, least_words=40, most_words=450), *contradicted(text, view.facts, window)]

    words = shown(window, look, duration_s=view.duration_s)
    told = RAW.format(shown=words, unnamed=unnamed(look), evidence=evidence(view.facts))
    return Question("raw", told.strip(), window.number, look, max_tokens=768, check=problems)


def _refine_prompt(raw: list[Caption]) -> str:
    if len(raw) == 1:
        return REFINED.format(told=f"This text describes a video:\n\n{raw[0].text}", joined="")
    parts = [f"{span(one.start_s, one.end_s).capitalize()}:\n{one.text}" for one in raw]
    told = "\n\n".join([f"These {len(raw)} texts describe parts of one video, in order of time:", *parts])
    return REFINED.format(told=told, joined=JOINED)


async def _level(kind: str, prompt: str, words: tuple[int, int], view: View, whole: Window, ask: Ask) -> Caption:
    """Ask for a text about the whole clip that has `words[0]` to `words[1]` words."""

    def problems(text: str) -> list[str]:
        found = check_prefixed(text, least_words=words[0], most_words=words[1])
        return [*found, *contradicted(text, view.facts, whole)]

    [answer] = await ask(Question(kind, prompt, max_tokens=384, check=problems))
    return whole.caption(kind, without_prefix(answer.text), answer, answer.problems)
