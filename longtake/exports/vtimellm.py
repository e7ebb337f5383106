"""In the form that VTimeLLM trains on."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from longtake.errors import UsageError
from longtake.exports import Grounded
from longtake.exports._spans import Names, chance, piece_of
from longtake.exports._text import TextFiles, to_json

VERSION = 1
TASKS = ("grounding", "captioning")
GROUNDING = (
    "When does this happen in the video: {}",
    "Find the moment of the video that this sentence is about: {}",
    "Between which points of the video does this hold? {}",
)
CAPTIONING = (
    "Tell in a sentence what happens from <s0> to <e0>.",
    "What does the video show between <s0> and <e0>?",
    "Give a short account of the part from <s0> to <e0>.",
)
ANSWER = "From <s0> to <e0>."
MARKERS = re.compile(r"<(/?(?:s\d*|e\d+|video|image))>")
"""What VTimeLLM's reader, or the tokens it makes, would take for something else than text."""


def vtimellm(
    videos: Iterable[Grounded], folder: Path, *, task: str = "", longest_s: float = 150.0, names: str = "file"
) -> None:
    """Conversations in a JSON list, as VTimeLLM (arXiv 2311.18445) trains on it: docs/data.md of huangb23/VTimeLLM.

    Layout: `train.json`, and the same for every other split. For each span and task an object with `source`, `id`,
    `conversations` and `meta`. VTimeLLM's evaluation reads the format `activitynet`.

    source: `longtake`.
    id: the name of the piece, `VIDEO_START_END` in seconds, so that features of each piece have a file of their own; of
        a whole video its name.
    conversations: a question that begins with `<video>` and its answer; `<s0>` and `<e0>` stand for the positive's
        start and end, which the reader puts in. Markers of that kind in a sentence lose their angle brackets.
    meta: `split`, the piece in seconds of the video (missing for a whole one); `duration`, its length; `token`, what
        `<s0>` and `<e0>` stand for in seconds of the piece.

    task: `grounding`, from a sentence to its time; `captioning`, from a time to its sentence; empty: both.
    longest_s: seconds that a piece has at most, unless the positive is longer. Pieces lie inside the negative span, so
        that the sentence holds once in them, at a place drawn by a hash; 0: the whole video, where the sentence may
        hold elsewhere too.
    names: what videos are called: `file`, by their file names without extension, or `id`, by their ids in the set.
    """
    if task not in ("", *TASKS) or longest_s < 0:
        raise UsageError(f"task={task}, longest_s={longest_s:g}: grounding, captioning or nothing, and 0 or more")
    known = Names(names)
    with TextFiles(folder, first="[\n", between=",\n", last="\n]\n") as files:
        for video in videos:
            for span in video.spans:
                piece = piece_of(video, span, longest_s)
                place = [piece.start / 1000, piece.end / 1000]
                name = known.of(video)
                start_s, end_s = piece.window
                meta = {"duration": piece.length / 1000, "token": {"<s0>": start_s, "<e0>": end_s}}
                for one in (task,) if task else TASKS:
                    row = {
                        "source": "longtake",
                        "id": f"{name}_{place[0]}_{place[1]}" if longest_s else name,
                        "conversations": _talk(one, video, span),
                        "meta": {"split": place, **meta} if longest_s else meta,
                    }
                    files.write(f"{video.split}.json", to_json(row))


def _talk(task: str, video: Grounded, span: Mapping[str, Any]) -> list[dict[str, str]]:
    text = MARKERS.sub(r"(\1)", span["text"])
    questions = GROUNDING if task == "grounding" else CAPTIONING
    question = questions[int(chance(video, span, task) * len(questions))].format(text)
    answer = ANSWER if task == "grounding" else text
    return [{"from": "human", "value": f"<video>\n{question}"}, {"from": "gpt", "value": answer}]
