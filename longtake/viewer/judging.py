"""Judging clips: what people say of them is written down, and the samples that they judge are drawn."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from starlette.requests import Request
from starlette.routing import Route

from longtake.errors import UsageError
from longtake.viewer.asking import MissingError, get, post, rules_in
from longtake.viewer.counting import count
from longtake.viewer.notes import Notes
from longtake.viewer.shelf import Shelf

NAME_CHARS, NOTE_CHARS, FLAG_CHARS, MOST_FLAGS = 100, 4000, 40, 20
MOST_DRAWN = 10_000
MOST_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Judged:
    """What one says of a clip."""

    clip_id: str
    keep: bool | None = None
    flags: tuple[str, ...] = ()
    note: str = ""
    judge: str = ""


@dataclass(frozen=True, slots=True)
class CaptionName:
    """A kind of captions of one captioner."""

    step: str
    kind: str

    def __str__(self) -> str:
        return f"{self.step}.{self.kind}"


@dataclass(frozen=True, slots=True)
class Chose:
    """Which of two captions one finds better."""

    clip_id: str
    shown: tuple[CaptionName, CaptionName]
    chosen: Literal[0, 1] | None = None
    judge: str = ""


@dataclass(frozen=True, slots=True)
class Draw:
    """How many clips are to be judged: some of those that rules keep, some of the others."""

    kept: int
    rejected: int
    seed: int = 0
    rules: list[str] | None = None
    """None: the set's own."""


def routes(shelf: Shelf, notes: Notes) -> list[Route]:
    """Return what takes and counts judgements."""

    def judge(asked: Judged) -> dict[str, bool]:
        if len(asked.flags) > MOST_FLAGS or any(not 0 < len(flag) <= FLAG_CHARS for flag in asked.flags):
            raise UsageError(f"flags: at most {MOST_FLAGS} words of at most {FLAG_CHARS} letters")
        if len(asked.note) > NOTE_CHARS:
            raise UsageError(f"note: at most {NOTE_CHARS} letters, not {len(asked.note)}")
        row = {"keep": asked.keep, "flags": sorted(set(asked.flags)), "note": asked.note}
        notes.add("judgements", [{**_about(shelf, asked.clip_id, asked.judge), **row}])
        return {"saved": True}

    def choose(asked: Chose) -> dict[str, bool]:
        first, second = map(str, asked.shown)
        chosen = None if asked.chosen is None else (first, second)[asked.chosen]
        row = {"first": first, "second": second, "chosen": chosen}
        notes.add("choices", [{**_about(shelf, asked.clip_id, asked.judge), **row}])
        return {"saved": True}

    def told(request: Request) -> dict[str, Any]:
        return count(shelf, notes, rules_in(request, shelf.rules), request.query_params.get("judge"))

    return [
        post("/api/judgements", Judged, judge),
        post("/api/choices", Chose, choose),
        post("/api/sample", Draw, lambda asked: _draw(shelf, notes, asked)),
        get("/api/judging", told),
    ]


def _about(shelf: Shelf, clip_id: str, judge: str) -> dict[str, str]:
    """Return a clip, its video and who judges it. Raises `MissingError`, `UsageError`."""
    name = judge.strip()
    if not 0 < len(name) <= NAME_CHARS:
        raise UsageError(f"judge: say who judges, in at most {NAME_CHARS} letters")
    clips = shelf.clips()
    found = clips.take(clips.with_ids([clip_id]), ["video_id"])
    if not found:
        raise MissingError(f"the set has no clip {clip_id!r}")
    return {"clip_id": clip_id, "video_id": found[0]["video_id"], "judge": name}


def _draw(shelf: Shelf, notes: Notes, asked: Draw) -> dict[str, Any]:
    """Draw clips at random, each as likely as any other of its side, and write down which."""
    if min(asked.kept, asked.rejected, asked.seed) < 0 or not 0 < asked.kept + asked.rejected <= MOST_DRAWN:
        raise UsageError(f"kept, rejected, seed: 0 or more, and 1 to {MOST_DRAWN:,} clips in all")
    if asked.seed > MOST_SEED:
        raise UsageError(f"seed: at most {MOST_SEED}")
    chosen = shelf.chosen(shelf.rules() if asked.rules is None else asked.rules)
    order = chosen.clips.order("place")
    kept = chosen.selection.kept[order]
    random = np.random.default_rng(asked.seed)
    sides = [
        random.choice(rows, min(n, len(rows)), replace=False)
        for rows, n in ((order[kept], asked.kept), (order[~kept], asked.rejected))
    ]
    if not sum(map(len, sides)):
        raise UsageError(f"nothing to draw: the rules keep {kept.sum():,} clips and reject {(~kept).sum():,}")
    # Mixed, so that whoever judges can't tell what the rules said.
    drawn = chosen.clips.take(random.permutation(np.concatenate(sides)), ["id", "video_id"])
    common = {"rules": list(chosen.reasons), "seed": asked.seed}
    rows = [
        {"clip_id": row["id"], "video_id": row["video_id"], "number": number, **common}
        for number, row in enumerate(drawn)
    ]
    notes.add("samples", rows, "drawn")
    return {"ids": [row["id"] for row in drawn]}
