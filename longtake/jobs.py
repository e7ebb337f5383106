"""What a worker does with one item: plain data in, plain data out, so that any engine can carry it.

Steps that share pixels travel together: `measure` is the one look at a video, `write` the one look at a kept clip's
span and at the file it becomes; `verify` looks at a file that is there; `look` takes the pictures a model is shown.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from longtake.captions import Look
from longtake.deriving import FRAMES, derive, find_transitions
from longtake.errors import VideoError
from longtake.looks import take_looks
from longtake.places import place
from longtake.places.landing import landing, sending
from longtake.previews import Previews
from longtake.recipe import Recipe, resolve
from longtake.records import Series, Shot, Transition, Video
from longtake.sections import Use
from longtake.shots import shots_between
from longtake.steps import find
from longtake.video import Border, NeedsAllError, Quality, Scan, Signal, check_same, scan, write_clip, write_playable

NEAR_S = 0.3
"""Found so near a transition that a clip is known to hold, or within its extent, it is that one."""

Progress = Callable[[float], None]


def measure(job: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Scan one video for the signals that are missing, then find its shots, make its clips, and score them.

    `job`: `path`, `recipe` (as plain data), `threads`, `set` (folder), and for a video scanned before: `video` and
    `known` (label -> series), `missed` (labels of those that did not see every frame). Without a missing signal the
    file isn't even opened.
    """
    cv2.setNumThreads(1)
    recipe = _recipe(job["recipe"])
    known: dict[str, Series] = {label: Series(**parts) for label, parts in job.get("known", {}).items()}
    missing = {label: use for label, use in recipe.signals.items() if label not in known}
    new: dict[str, Series] = {}
    previews: dict[str, object] | None = job.get("previews")
    missed = frozenset(job.get("missed", ()))
    if missing or FRAMES not in known:
        found, pictures = _scan(job, missing, progress, fast=recipe.fast)
        missed |= found.missed
        video = found.video
        folder = place(job["set"])
        with sending(folder):
            sheets = pictures.write(folder / "previews", video.id)
        previews = sheets.as_dict() if sheets else None
        numbers = np.arange(len(found.times), dtype=np.int32)
        frames = Series((), found.times, numbers, np.empty((len(found.times), 0), np.float32))
        new = {label: found.series[label] for label in missing}
        if FRAMES not in known:
            new[FRAMES] = frames
    else:
        video = Video(**job["video"])
    derived = derive(recipe, video, known | new, job.get("votes", {}), job.get("listed", ()), missed)
    return {
        "video": asdict(video),
        "previews": previews,
        "series": {label: _plain(series) for label, series in new.items()},
        "missed": sorted(missed.intersection(new)),
        "shots": [asdict(shot) for shot in derived.shots],
        "transitions": [asdict(transition) for transition in derived.transitions],
        "votes": {label: [asdict(vote) for vote in votes] for label, votes in derived.votes.items()},
        "clips": [asdict(clip) for clip in derived.clips],
    }


def _scan(job: Mapping[str, Any], uses: Mapping[str, Use], progress: Progress, *, fast: bool) -> tuple[Scan, Previews]:
    """Look at a video once; or twice, where it turns out that no frame can be left out."""
    pictures = Previews()
    signals = {"": pictures, **{label: use.step.call(**use.parameters) for label, use in uses.items()}}
    try:
        return scan(job["path"], signals, threads=job.get("threads", 1), fast=fast, on_progress=progress), pictures
    except NeedsAllError:
        return _scan(job, uses, progress, fast=False)


def _recipe(plain: Mapping[str, Any]) -> Recipe:
    """Return the recipe that came as plain data: for thousands of items it is the same one."""
    return _resolved(json.dumps(plain))


@lru_cache(maxsize=4)
def _resolved(text: str) -> Recipe:
    return resolve(json.loads(text))


def list_shots(job: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Scan one video for what its detector needs and return its transitions and shots as plain data."""
    cv2.setNumThreads(1)
    recipe = _recipe(job["recipe"])
    found = scan(job["path"], _signals(recipe), threads=job["threads"], on_progress=progress)
    transitions = find_transitions(recipe.shots, found.series)
    shots = shots_between(transitions, found.times, found.video.duration_s)
    return {
        "duration_s": round(found.video.duration_s, 6),
        "fps": round(found.video.fps, 6),
        "damage": list(found.video.damage),
        "transitions": [_rounded(transition) for transition in transitions],
        "shots": [_rounded(shot) for shot in shots],
    }


def _signals(recipe: Recipe) -> dict[str, Signal]:
    return {label: use.step.call(**use.parameters) for label, use in recipe.signals.items()}


def _rounded(record: Transition | Shot) -> dict[str, Any]:
    """Return a record as plain data, seconds to the microsecond."""
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in asdict(record).items()}


def _plain(series: Series) -> dict[str, Any]:
    return {"columns": series.columns, "times": series.times, "frames": series.frames, "values": series.values}


def write(job: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Write the file of one kept clip; where the job names a detector, it looks at the written file in its check.

    `job`: `video`, `modified_ns` (of its file, when it was scanned), `clip` (id, span, frames, `transitions_at`), `set`
    (folder), `files` (crf, preset), and perhaps `borders` (lines at each side to leave out) and `detector` (a recipe as
    plain data, of which only the detector and its signal are used).
    """
    cv2.setNumThreads(1)
    video = Video(**job["video"])
    check_same(video.id, place(video.path), video.bytes, job.get("modified_ns"))
    clip = job["clip"]
    name = f"clips/{video.id}/{clip['id']}.mp4"
    span = (clip["start_s"], clip["end_s"])
    frames = clip["end_frame"] - clip["start_frame"]
    detector = _recipe(job["detector"]) if job.get("detector") else None
    signals = partial(_signals, detector) if detector else dict
    lines = job.get("borders")
    border = Border(**lines, width=video.width, height=video.height) if lines else None
    with landing(place(job["set"]) / name, lambda: progress(clip["end_s"])) as target:
        made = write_clip(video, span, frames, target, Quality(**job["files"]), progress, signals, border)
    return {
        "id": clip["id"],
        "file": name,
        "file_bytes": made.bytes,
        "file_width": made.width,
        "file_height": made.height,
        "file_audio": made.has_audio,
        **(_inside(detector, made.series, clip) if detector else {}),
    }


def verify(job: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Let a detector look at a clip's file that is there already: one decode, nothing is written.

    `job`: as for `write`; the clip has a `file`. Raises `VideoError` where it isn't the file that was written.
    """
    cv2.setNumThreads(1)
    clip = job["clip"]
    detector = _recipe(job["detector"])
    found = scan(place(job["set"]) / clip["file"], _signals(detector), on_progress=progress)
    wanted = clip["end_frame"] - clip["start_frame"]
    if found.video.frames != wanted:
        raise VideoError("inexact", f"{clip['file']}: holds {found.video.frames} frames of {wanted}")
    return {"id": clip["id"], **_inside(detector, found.series, clip)}


def play(job: Mapping[str, Any], progress: Progress) -> None:
    """Write a span of a video as a file that every browser plays.

    `job`: `path`, `start_s`, `end_s`, `first_timestamp_s`, `seekable`, and the file, `target`.
    """
    cv2.setNumThreads(1)
    span = (job["start_s"], job["end_s"])
    known = {name: job[name] for name in ("first_timestamp_s", "seekable")}
    write_playable(job["path"], span, Path(job["target"]), on_progress=progress, **known)


def look(job: Mapping[str, Any], progress: Progress) -> list[list[bytes]]:
    """Take what a model is shown of one clip: JPEG files, or one small mp4 file, for each of `looks`.

    `job`: `path` of the clip's file or its video, `start_s` of the clip in it, `first_timestamp_s`, `seekable`, and
    `looks` as plain data; of a video also `video_id`, and `bytes` and `modified_ns` as they were when it was scanned.
    Raises `VideoError`, also where another video has its place.
    """
    cv2.setNumThreads(1)
    if "video_id" in job:
        check_same(job["video_id"], place(job["path"]), job["bytes"], job["modified_ns"])
    wanted = [Look(**{**plain, "times": tuple(plain["times"])}) for plain in job["looks"]]
    where = {name: job[name] for name in ("start_s", "first_timestamp_s", "seekable")}
    return take_looks(job["path"], wanted, on_progress=progress, **where)


def _inside(detector: Recipe, series: Mapping[str, Series], clip: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a detector finds in a written file, up to its ends, beyond what the clip is known to hold."""
    known = [(one["start_s"] - clip["start_s"], one["end_s"] - clip["start_s"]) for one in clip["transitions_at"] or ()]
    transitions = [
        found
        for found in find_transitions(detector.shots, series)
        if not any(found.start_s < end_s + NEAR_S and start_s - NEAR_S < found.end_s for start_s, end_s in known)
    ]
    return {
        "file_transitions": len(transitions),
        "file_transitions_at": [asdict(transition) for transition in transitions],
    }


TEXTS_AT_ONCE = 32


def embed_texts(job: Mapping[str, Any], progress: Progress) -> Any:
    """Return the vectors of `texts`, shape (n, d), in the space of the rows that the signal `step` gives."""
    step = find("signals", job["step"])
    assert step.embed_texts is not None
    parts = []
    for start in range(0, len(job["texts"]), TEXTS_AT_ONCE):
        parts.append(step.embed_texts(job["texts"][start : start + TEXTS_AT_ONCE], **job["parameters"]))
        progress(start)
    return np.concatenate(parts)


def prepare(job: Mapping[str, Any], _: Progress) -> None:
    """Let a step get what it needs onto this machine, and try it.

    `job`: `kind`, `step` and `parameters`; of a score also `reads`, the signal, its parameters `of_signal`, and its
    `columns` where they are known.
    """
    step = find(job["kind"], job["step"])
    assert step.prepare is not None
    if job["kind"] == "signals":
        step.prepare(**job["parameters"])
        return
    reads = find("signals", job["reads"])
    columns = job["columns"] or reads.columns or reads.call(**job["of_signal"]).columns
    step.prepare(columns, job["of_signal"], **job["parameters"])
