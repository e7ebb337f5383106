"""Two sets of the same videos: which kept clips entered, which left, and what said no to them.

A clip of one set is the same as a clip of the other where both are of one video and the longer part of the shorter one
is in both.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from starlette.requests import Request
from starlette.routing import Route

from longtake.errors import UsageError
from longtake.planning import hash_of
from longtake.viewer.asking import get, post
from longtake.viewer.columns import PLACE, Clips, Floats, Mask, Recent, Rows
from longtake.viewer.grid import PAGE, records_of
from longtake.viewer.notes import Notes
from longtake.viewer.shelf import Chosen, Shelf

SAME_SHARE = 0.5
MOVED_S = 0.1
"""Ends that lie further apart were moved."""
OTHER = "other/"
VIDEO_S = 1e7
"""All videos one after the other on one line, each with more room than any lasts: a third of a year."""


@dataclass(frozen=True, slots=True)
class SideAsked:
    """Which part of a comparison, and which of its clips."""

    side: Literal["entered", "left", "both"]
    offset: int = 0
    limit: int = 60


@dataclass(frozen=True, slots=True)
class Compared:
    """The kept clips of two sets."""

    entered: Rows
    """Of this set, in order of place."""
    left: Rows
    """Of the other."""
    both: Rows
    """Of this set."""
    moved: int
    why: list[dict[str, Any]]


def routes(shelf: Shelf, notes: Notes, other: Shelf | None) -> list[Route]:
    """Return what answers about two sets."""
    kept = Recent(2)

    def compared() -> tuple[Compared, Chosen, Chosen]:
        if other is None:
            raise UsageError("there is nothing to compare with; name another set: longtake view SET --with OTHER")
        now, before = shelf.chosen(shelf.rules()), other.chosen(other.rules())
        name = (now.clips.version, now.reasons, before.clips.version, before.reasons)
        return kept.get(name, lambda: _compare(now, before)), now, before

    def told(_: Request) -> dict[str, Any]:
        found, _now, before = compared()
        assert other is not None
        return {
            "other": str(other.folder.resolve().name),
            "recipe": other.recipe().get("name", ""),
            "rules": list(before.reasons),
            "entered": len(found.entered),
            "left": len(found.left),
            "both": len(found.both),
            "moved": found.moved,
            "why": found.why,
        }

    def clips(asked: SideAsked) -> dict[str, Any]:
        if asked.offset < 0 or not 1 <= asked.limit <= PAGE:
            raise UsageError(f"offset: 0 or more; limit: 1 to {PAGE}")
        found, now, before = compared()
        assert other is not None
        of, chosen = (other, before) if asked.side == "left" else (shelf, now)
        rows = {"entered": found.entered, "left": found.left, "both": found.both}[asked.side]
        shown = rows[asked.offset : asked.offset + asked.limit]
        return {
            # Where what is played and shown of these clips is asked for.
            "prefix": OTHER if of is other else "",
            "total": len(rows),
            "seconds": float(chosen.clips.column("duration_s")[rows].sum()),
            "clips": records_of(of, chosen, shown, notes.judgements(), judge=None),
        }

    return [get("/api/compare", told), post("/api/compare/clips", SideAsked, clips)]


def _compare(now: Chosen, before: Chosen) -> Compared:
    videos: dict[str, int] = {}
    here, there = (_line(chosen.clips, videos) for chosen in (now, before))
    kept_here, kept_there = now.selection.kept, before.selection.kept
    rows_here, rows_there = _kept(now.clips, kept_here), _kept(before.clips, kept_there)
    match = _match(here[:, rows_here], there[:, rows_there])
    back = _match(there[:, rows_there], here[:, rows_here])
    entered, both, left = rows_here[match < 0], rows_here[match >= 0], rows_there[back < 0]
    twins = rows_there[match[match >= 0]]
    moved = int((np.abs(here[:, both] - there[:, twins]) > MOVED_S).any(axis=0).sum())
    why = [
        *_why("entered", here[:, entered], there, before),
        *_why("left", there[:, left], here, now),
    ]
    return Compared(entered, left, both, moved, why)


def _kept(clips: Clips, kept: Mask) -> Rows:
    order = clips.order(PLACE)
    return order[kept[order]]


def _line(clips: Clips, videos: dict[str, int]) -> Floats:
    """Return starts and ends on one line of all videos, shape (2, count); a video is known by its content."""
    codes, names = clips.owners()
    begins = np.array([videos.setdefault(hash_of(name), len(videos)) * VIDEO_S for name in names])
    starts = begins[codes] if clips.count else np.empty(0)
    return np.stack([starts + clips.column("start_s"), starts + clips.column("end_s")])


def _match(these: Floats, those: Floats) -> Rows:
    """Return for each span the place of that which shares most with it, and enough; -1 where none does."""
    order = np.argsort(those[0], kind="stable")
    starts, ends = those[0][order], those[1][order]
    longest = float((ends - starts).max(initial=0.0))
    low = np.searchsorted(starts, these[0] - longest, side="left")
    high = np.searchsorted(starts, these[1], side="left")
    best, shared = np.full(these.shape[1], -1, np.int64), np.zeros(these.shape[1])
    for step in range(int((high - low).max(initial=0))):
        place = low + step
        near = np.flatnonzero(place < high)
        of = place[near]
        common = np.minimum(these[1][near], ends[of]) - np.maximum(these[0][near], starts[of])
        shorter = np.minimum(these[1][near] - these[0][near], ends[of] - starts[of])
        better = (common > SAME_SHARE * shorter) & (common > shared[near])
        best[near[better]], shared[near[better]] = order[of[better]], common[better]
    return best


def _why(side: str, spans: Floats, others: Floats, chosen: Chosen) -> list[dict[str, Any]]:
    """Return what the other set says of the clips that it doesn't keep, the most frequent first; None: no such clip."""
    match = _match(spans, others)
    there = match[match >= 0]
    rules, counts = np.unique(chosen.selection.said_no[there], return_counts=True)
    named = [
        {"side": side, "rule": chosen.reasons[rule] if rule >= 0 else None, "n": int(n)}
        for rule, n in zip(rules.tolist(), counts.tolist(), strict=True)
        if rule >= 0
    ]
    missing = int((match < 0).sum()) + int((chosen.selection.said_no[there] < 0).sum())
    named += [{"side": side, "rule": None, "n": missing}] if missing else []
    return sorted(named, key=lambda row: -row["n"])
