"""In the form of InternVid-G: its final records, the files of every step before them, and its instructions."""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from longtake.errors import UsageError
from longtake.exports import Grounded
from longtake.exports._instructions import FORMS, instruction
from longtake.exports._scenes import Floats, of_scenes, of_shots, scenes_of, shots_of
from longtake.exports._spans import Names, to_ms
from longtake.exports._text import TextFiles, to_json

VERSION = 1
SHOT_DECIMALS, SCENE_DECIMALS = 3, 6
"""More of scenes, since spans are checked by them: three would lift what is just under a threshold over it."""

Rejected = Callable[[Grounded], Sequence[Mapping[str, Any]]]


def internvid_g(
    videos: Iterable[Grounded],
    folder: Path,
    rejected: Rejected,
    *,
    similarity: bool = True,
    most_scenes: int = 0,
    instructions: bool = True,
    names: str = "file",
) -> None:
    """All files of InternVid-G (HawkEye, arXiv 2403.10228), JSON lines that its scripts and trainers read.

    Layout: a folder `train`, and the same for every other split. Format: the scripts in internvid_g/code and
    data_preparing of yellow-binary-tree/HawkEye, keys in their order. Times are seconds of the video, to the
    millisecond.

    final_dataset.jsonl: the good records. `neg_start_scene` and `neg_end_scene` are null where no scene bounds the
        negative span; scenes are numbered from 0 on as in `scenes-merged.jsonl`.
    scenes.jsonl, scenes-merged.jsonl: the shots and the scenes of each video; without a cut it has one of each.
    scenes_similarity.jsonl, scenes_merged_similarity.jsonl: a square matrix of cosines for each video, of shots with
        three decimals, of scenes with six; two scenes are as alike as their two most alike shots. NaN, as Python's
        `json` writes it, where nothing was measured. Videos that were not scanned for the signal of grounding are
        missing.
    scenes-blip2.jsonl: every caption with the stretch it was made of, whatever made it.
    scenes-blip2-filtered.jsonl: those with a score, as `clip_sim`.
    scenes-blip2-filtered-high_sims.jsonl: those of good records.
    instructions/: `grounding.json` and `captioning.json`, which ask for seconds and are asked by them (HawkEye's
        grounding method `second`), `choice.json` and `choice_captioning.json`, which do so by four places (its method
        `choice`). The words are ours, chosen by a hash. Sentences begin with a capital and lose their last full stop,
        and the first two have ` percent` for `%`, which their reader fills in.

    HawkEye's scripts cut the names of videos at the first dot.

    similarity: whether the two files of similarities are written; each grows with the square of the scenes.
    most_scenes: rows and columns that a matrix has at most; HawkEye's script takes 100 scenes and expects no more;
        0: all.
    instructions: whether the folder of instructions is written.
    names: what videos are called: `file`, by their file names, or `id`, by their ids in the set with the extension.
    """
    if most_scenes < 0:
        raise UsageError(f"most_scenes={most_scenes}: 0 or more")
    known = Names(names, suffix=True)
    with TextFiles(folder) as lines, TextFiles(folder, first="[\n", between=",\n", last="\n]\n") as lists:
        for video in videos:
            name = known.of(video)
            for file, text in _lines(video, name, rejected(video)):
                lines.write(f"{video.split}/{file}.jsonl", text + "\n")
            for file, pieces in _matrices(video, name, most_scenes) if similarity else ():
                for piece in pieces:
                    lines.write(f"{video.split}/{file}.jsonl", piece)
            for span, form in itertools.product(video.spans, FORMS) if instructions else ():
                row = {"video": name, "QA": [instruction(form, video, span)]}
                lists.write(f"{video.split}/instructions/{form}.json", to_json(row))


def _lines(video: Grounded, name: str, rejected: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the lines of all files but the matrices: the file's name without extension, and the line."""
    for file, found in (("scenes", shots_of(video)), ("scenes-merged", scenes_of(video))):
        rows = [[to_ms(start_s), to_ms(end_s)] for start_s, end_s in found.tolist()]
        yield file, to_json({"video_fname": name, "scenes": rows})
    said = sorted([*video.spans, *rejected], key=_place)
    for at, some in itertools.groupby(said, key=_stretch):
        yield "scenes-blip2", to_json({"video_fname": name, **at, "captions": [one["text"] for one in some]})
    for one in said:
        if one["score"] is not None:
            row = {"video_fname": name, **_stretch(one), "caption": one["text"], "clip_sim": one["score"]}
            yield "scenes-blip2-filtered", to_json(row)
    for at, some in itertools.groupby(sorted(video.spans, key=_place), key=_stretch):
        row = {"video_fname": name, **at, "captions": [one["text"] for one in some]}
        yield "scenes-blip2-filtered-high_sims", to_json(row)
    for span in video.spans:
        yield "final_dataset", to_json(_record(video, name, span))


def _place(span: Mapping[str, Any]) -> tuple[Any, ...]:
    return (*_stretch(span).values(), span["step"], span["kind"], span["number"])


def _stretch(span: Mapping[str, Any]) -> dict[str, float]:
    return {"start_sec": to_ms(span["caption_start_s"]), "end_sec": to_ms(span["caption_end_s"])}


def _record(video: Grounded, name: str, span: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "video": name,
        "duration": to_ms(video.video["duration_s"]),
        "start_sec": to_ms(span["start_s"]),
        "end_sec": to_ms(span["end_s"]),
        "neg_start_sec": to_ms(span["neg_start_s"]),
        "neg_end_sec": to_ms(span["neg_end_s"]),
        "caption": span["text"],
        "start_scene": span["start_scene"],
        "end_scene": span["end_scene"],
        "neg_start_scene": span["neg_start_scene"],
        "neg_end_scene": span["neg_end_scene"],
    }


def _matrices(video: Grounded, name: str, most: int) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield the two files of similarities, and what is written to each, piece by piece."""
    if video.timeline is not None:
        yield "scenes_similarity", _matrix(name, of_shots(video.timeline, most), SHOT_DECIMALS)
        yield "scenes_merged_similarity", _matrix(name, of_scenes(video.timeline, most), SCENE_DECIMALS)


def _matrix(name: str, blocks: Iterator[Floats], decimals: int) -> Iterator[str]:
    """Yield a line with a matrix, a row at a time."""
    yield to_json({"video_fname": name})[:-1] + ', "similarity_matrix": ['
    between = ""
    for block in blocks:
        for row in np.round(block.astype(np.float64), decimals).tolist():
            yield between + json.dumps(row)
            between = ", "
    yield "]}\n"
