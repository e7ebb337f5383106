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
