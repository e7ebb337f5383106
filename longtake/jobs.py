"""What a worker does with one item: plain data in, plain data out, so that any engine can carry it.

Steps that share pixels travel together: `measure` is the one look at a video, `write` the one look at a kept clip's
span and at the file it becomes; `verify` looks at a file that is there; `look` takes the pictures a model is shown.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from longtake.captions import Look
from longtake.errors import VideoError
from longtake.looks import take_looks
from longtake.previews import Previews
from longtake.recipe import Recipe, Use, resolve
from longtake.records import Clip, Series, Shot, Transition, Video
from longtake.shots import shots_between
from longtake.video import Quality, Signal, scan, write_clip

FRAMES = "frames"
"""The series without columns that holds the time of every frame; the scan always gives it."""

Progress = Callable[[float], None]


def measure(job: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Scan one video for the signals that are missing, then find its shots, make its clips, and score them.

    `job`: `path`, `recipe` (as plain data), `threads`, `set` (folder), and for a video scanned before: `video` and
    `known` (label -> series). Without a missing signal the file isn't even opened.
    """
    cv2.setNumThreads(1)
    recipe = resolve(job["recipe"])
    known: dict[str, Series] = {label: Series(**parts) for label, parts in job.get("known", {}).items()}
    missing = {label: use for label, use in recipe.signals.items() if label not in known}
    new: dict[str, Series] = {}
    previews: dict[str, object] | None = job.get("previews")
    if missing or FRAMES not in known:
        signals = {label: use.step.call(**use.parameters) for label, use in missing.items()}
        pictures = Previews()
        found = scan(job["path"], {**signals, "": pictures}, threads=job.get("threads", 1), on_progress=progress)
        video = found.video
        sheets = pictures.write(Path(job["set"]) / "previews", video.id)
        previews = sheets.as_dict() if sheets else None
        numbers = np.arange(len(found.times), dtype=np.int32)
        frames = Series((), found.times, numbers, np.empty((len(found.times), 0), np.float32))
        new = {label: found.series[label] for label in missing}
        if FRAMES not in known:
            new[FRAMES] = frames
    else:
        video = Video(**job["video"])
    shots, transitions, clips = derive(recipe, video, known | new)
    return {
        "video": asdict(video),
        "previews": previews,
        "series": {label: _plain(series) for label, series in new.items()},
        "shots": [asdict(shot) for shot in shots],
        "transitions": [asdict(transition) for transition in transitions],
        "clips": [asdict(clip) for clip in clips],
    }


def list_shots(job: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Scan one video for what its detector needs and return its transitions and shots as plain data."""
    cv2.setNumThreads(1)
    recipe = resolve(job["recipe"])
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


def derive(
    recipe: Recipe, video: Video, series: Mapping[str, Series]
) -> tuple[list[Shot], list[Transition], list[Clip]]:
    """Return what follows from a video's signals by arithmetic: its shots, transitions and scored clips."""
    transitions = find_transitions(recipe.shots, series)
    times = series[FRAMES].times
    shots = shots_between(transitions, times, video.duration_s)
    spans = recipe.clips.step.call(shots, times, video.duration_s, **recipe.clips.parameters)
    return shots, transitions, [_score(recipe, video, span, series) for span in spans]


def find_transitions(use: Use, series: Mapping[str, Series]) -> list[Transition]:
    """Run a detector on the signal it reads."""
    assert use.signal is not None
    transitions: list[Transition] = use.step.call(series[use.signal], **use.parameters)
    return transitions


def _score(recipe: Recipe, video: Video, span: Shot, series: Mapping[str, Series]) -> Clip:
    scores: dict[str, float | None] = {}
    for label, use in recipe.scores.items():
        assert use.signal is not None
        inside = series[use.signal].between(span.start_s, span.end_s)
        for part, value in use.step.call(inside, **use.parameters).items():
            scores[f"{label}.{part}"] = value
    return Clip(clip_id(video.id, span), video.id, span.start_s, span.end_s, span.start_frame, span.end_frame, scores)


def clip_id(video_id: str, span: Shot) -> str:
    """Name a clip after its video and its span in milliseconds: the same span has the same id in any recipe."""
    return f"{video_id}_{round(span.start_s * 1000):08d}_{round(span.end_s * 1000):08d}"


def _plain(series: Series) -> dict[str, Any]:
    return {"columns": series.columns, "times": series.times, "frames": series.frames, "values": series.values}


def write(job: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Write the file of one kept clip; where the job names a detector, it looks at the written file in its check.

    `job`: `video`, `clip` (id, span, frames), `set` (folder), `files` (crf, preset), and perhaps `detector` (a recipe
    as plain data, of which only the detector and its signal are used).
    """
    cv2.setNumThreads(1)
    video = Video(**job["video"])
    clip = job["clip"]
    name = f"clips/{video.id}/{clip['id']}.mp4"
    span = (clip["start_s"], clip["end_s"])
    frames = clip["end_frame"] - clip["start_frame"]
    detector = resolve(job["detector"]) if job.get("detector") else None
    signals = _signals(detector) if detector else {}
    made = write_clip(video, span, frames, Path(job["set"]) / name, Quality(**job["files"]), progress, signals)
    return {
        "id": clip["id"],
        "file": name,
        "file_bytes": made.bytes,
        "file_width": made.width,
        "file_height": made.height,
        "file_audio": made.has_audio,
        **(_inside(detector, made.series) if detector else {}),
    }


def verify(job: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Let a detector look at a clip's file that is there already: one decode, nothing is written.

    `job`: as for `write`; the clip has a `file`. Raises `VideoError` where it isn't the file that was written.
    """
    cv2.setNumThreads(1)
    clip = job["clip"]
    detector = resolve(job["detector"])
    found = scan(Path(job["set"]) / clip["file"], _signals(detector), on_progress=progress)
    wanted = clip["end_frame"] - clip["start_frame"]
    if found.video.frames != wanted:
        raise VideoError("inexact", f"{clip['file']}: holds {found.video.frames} frames of {wanted}")
    return {"id": clip["id"], **_inside(detector, found.series)}


def look(job: Mapping[str, Any], progress: Progress) -> list[list[bytes]]:
    """Take what a model is shown of one clip: JPEG files, or one small mp4 file, for each of `looks`.

    `job`: `path` of the clip's file or its video, `start_s` of the clip in it, `first_timestamp_s`, `seekable`, and
    `looks` as plain data.
    """
    cv2.setNumThreads(1)
    wanted = [Look(**{**plain, "times": tuple(plain["times"])}) for plain in job["looks"]]
    where = {name: job[name] for name in ("start_s", "first_timestamp_s", "seekable")}
    return take_looks(job["path"], wanted, on_progress=progress, **where)


def _inside(detector: Recipe, series: Mapping[str, Series]) -> dict[str, Any]:
    """Return what a detector finds in a written file: all of it, for a clip is to hold nothing, up to its ends."""
    transitions = find_transitions(detector.shots, series)
    return {
        "file_transitions": len(transitions),
        "file_transitions_at": [asdict(transition) for transition in transitions],
    }
