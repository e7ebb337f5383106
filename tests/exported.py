"""A small real set for tests of exports: made by `longtake.run`, with captions that break careless writers.

`small_set(folder)` takes some seconds: make it once a module, and don't change it.
"""

from pathlib import Path
from typing import Any

from media import pan, write_video

from longtake.running import run
from longtake.store import Store

FILMS = ("a.val.b.mp4", "x_test_y.mp4", "=1+1 -clip.mp4")
"""Names that readers of folders take for splits, for two suffixes, and for a formula."""

SETTINGS = ("select.keep=['duration_s >= 1']", "files.preset='ultrafast'")

NASTY = (
    'He says "yes, no",\nthen leaves.\r\nA tab\there; a semicolon, a pipe | and a \\n that is none.',
    '=HYPERLINK("http://a.example";"1")',
    "+1 people; @home -- 😀👩‍👩‍👧 é e\u0301 שלום עולם </script><b>& &amp; 'single' {braces} %s <s0> ##",
    "Caption 1: it says Caption 2: in the middle",
    "-5 degrees, 中文。\u2028A line separator.  Two blanks ",
)
"""Texts of captions: newlines, quotes, formulas, emoji, right to left, markup, markers of other formats."""

ASIDE = "This text is set aside and must be in no export."

FIELDS = ("short", "dense", "background", "main_object", "style", "camera")
"""MiraData's kinds of captions."""


def small_set(folder: Path) -> Path:
    """Make a set in `folder/set` from three videos in `folder/films` and return it.

    Four kept clips with files, the last two of them of the video with a cut. All have `measured` captions (kinds
    `measured` and `short`); beside them the clips have in turn: those of `lvd2m`, `miradata` and `internvid_g`, raw and
    fields in two windows or spans; the same in one; `lvd2m.raw` alone; none that is good.
    """
    films = folder / "films"
    films.mkdir(parents=True)
    write_video(films / FILMS[0], pan(60, seed=21, speed=0.3, size=(128, 96)))
    cut = [*pan(48, seed=4, speed=0.3, size=(160, 90)), *pan(60, seed=7, speed=0.3, size=(160, 90))]
    write_video(films / FILMS[1], cut)
    write_video(films / FILMS[2], pan(49, seed=22, speed=0.3, size=(96, 128), fps=30), fps=30)
    made = folder / "set"
    run("lvd2m", [films], made, settings=SETTINGS, workers=1)
    Store(made).append("captions", [row for number, clip in enumerate(kept(made)) for row in _captions(number, clip)])
    return made


def kept(made: Path) -> list[dict[str, Any]]:
    """Return the set's kept clips with files, in the order of export."""
    clips = Store(made).read("clips", where="kept AND file IS NOT NULL").to_pylist()
    return sorted(clips, key=lambda clip: (clip["video_id"], clip["start_s"]))


def captions_of(made: Path, clip_id: str, kind: str = "") -> list[dict[str, Any]]:
    """Return a clip's good captions, all or those of a kind, by captioner, kind and number."""
    rows = Store(made).read("captions", where=f"clip_id = '{clip_id}'").to_pylist()
    good = [row for row in rows if not row["problems"] and kind in ("", row["kind"])]
    return sorted(good, key=lambda row: (row["step"], row["kind"], row["number"]))


def _captions(number: int, clip: dict[str, Any]) -> list[dict[str, Any]]:
    end_s = clip["duration_s"]
    if number == 3:
        return [_row(clip, "lvd2m", "refined", 0, 0.0, end_s, ASIDE, problems=["repeats"])]
    spans = [(0.0, end_s / 2), (end_s / 2, end_s)] if number == 0 else [(0.0, end_s)]
    rows = [_row(clip, "lvd2m", "raw", i, *span, NASTY[(number + i) % 5]) for i, span in enumerate(spans)]
    if number == 2:
        return rows
    rows.append(_row(clip, "lvd2m", "refined", 0, 0.0, end_s, f"{NASTY[number]} refined"))
    rows.append(_row(clip, "lvd2m", "rewritten", 0, 0.0, end_s, f"{NASTY[number + 1]} rewritten"))
    for place, kind in enumerate(FIELDS):
        for i, span in enumerate(spans):
            rows.append(_row(clip, "miradata", kind, i, *span, f"{NASTY[(place + i) % 5]} {kind} {i}"))
    for i, (start_s, stop_s) in enumerate(spans):
        rows.append(_row(clip, "internvid_g", "raw", i, start_s, stop_s, f"{NASTY[(i + 2) % 5]} span {i}"))
        rows.append(_row(clip, "internvid_g", "raw", i + 9, start_s, stop_s, ASIDE, problems=["too long"]))
    return rows


def _row(
    clip: dict[str, Any],
    step: str,
    kind: str,
    number: int,
    start_s: float,
    end_s: float,
    text: str,
    problems: list[str] | None = None,
) -> dict[str, Any]:
    return {
        "clip_id": clip["id"],
        "video_id": clip["video_id"],
        "step": step,
        "kind": kind,
        "number": number,
        "start_s": start_s,
        "end_s": end_s,
        "text": text,
        "problems": problems or [],
        "model": "fake",
        "answer": f"{step}-{kind}-{number}",
        "frames_s": [start_s, (start_s + end_s) / 2],
        "work": step,
    }


NO_RECORD = "This text belongs to a span that is no good record."


def grounded_set(folder: Path) -> Path:
    """Make `small_set` with spans, as a recipe that grounds would have made them, and return it.

    The film without a cut has four, one of them no good record; the one with a cut has one in each shot, both without
    scores; the third has only one that is no good record. Texts are all of `NASTY`.
    """
    made = small_set(folder)
    recipe = made / "recipe.toml"
    recipe.write_text(f'{recipe.read_text()}\n[grounding]\nstep = "internvid_g"\nsignal = "look"\n')
    store = Store(made)
    videos = {Path(row["path"]).name: row for row in store.read("videos").to_pylist()}
    clips = kept(made)
    rows = []
    for name in FILMS:
        video = videos[name]
        end_s = video["duration_s"]
        own = [clip for clip in clips if clip["video_id"] == video["id"]]
        if name == FILMS[0]:
            rows += [
                _span(own[0], 0, (0.0, end_s / 4), (0.0, end_s), right="video", score=0.25),
                _span(own[0], 1, (end_s / 4, end_s / 2), (end_s / 4, end_s), left="none", score=0.3, scene=1),
                _span(own[0], 2, (end_s / 2, end_s / 1.5), (0.0, end_s), score=0.5, scene=2),
                _span(own[0], 9, (end_s / 1.5, end_s), (0.0, end_s), score=0.1, rejected_by="caption fits too little"),
            ]
        elif name == FILMS[1]:
            cut_s = own[0]["end_s"]
            rows += [
                _span(own[0], 3, (0.0, cut_s), (0.0, cut_s + 0.5), bounds=(None, 1)),
                _span(own[1], 4, (cut_s, end_s), (0.0, end_s), scene=1),
            ]
        else:
            rows.append(_span(own[0], 0, (0.0, end_s), (0.0, end_s), score=0.2, rejected_by="no context"))
    store.append("spans", rows)
    return made


def spans_of(made: Path, film: str = "") -> list[dict[str, Any]]:
    """Return the good spans of a set, all or those of a film, in the order of videos and time."""
    videos = {row["id"]: row for row in Store(made).read("videos").to_pylist()}
    rows = [row for row in Store(made).read("spans").to_pylist() if row["rejected_by"] is None]
    rows = [row | {"video": videos[row["video_id"]]} for row in rows]
    found = [row for row in rows if film in ("", Path(row["video"]["path"]).name)]
    return sorted(found, key=lambda row: (row["video_id"], row["start_s"], row["end_s"]))


def _span(
    clip: dict[str, Any],
    number: int,
    positive: tuple[float, float],
    negative: tuple[float, float],
    *,
    scene: int = 0,
    bounds: tuple[int | None, int | None] = (None, None),
    left: str = "video",
    right: str = "similar",
    score: float | None = None,
    rejected_by: str | None = None,
) -> dict[str, Any]:
    return {
        "video_id": clip["video_id"],
        "clip_id": clip["id"],
        "step": "lvd2m",
        "kind": "raw",
        "number": number,
        "text": NO_RECORD if rejected_by else NASTY[number],
        "caption_start_s": positive[0],
        "caption_end_s": positive[1],
        "start_s": positive[0],
        "end_s": positive[1],
        "neg_start_s": negative[0],
        "neg_end_s": negative[1],
        "start_scene": scene,
        "end_scene": scene,
        "neg_start_scene": bounds[0],
        "neg_end_scene": bounds[1],
        "left": left,
        "right": right,
        "places": ["end", "throughout"],
        "similar": [],
        "score": score,
        "rival": None,
        "rejected_by": rejected_by,
    }
