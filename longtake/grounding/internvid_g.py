"""Captions with the stretch where each holds and a wider one where it holds nowhere else, as InternVid-G made them."""

from array import array
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from longtake.grounding import Corpus, Floats, Timeline
from longtake.grounding._alike import Alike
from longtake.grounding._limits import Limits
from longtake.grounding._negative import Around, Flags, Row, between_bars, grow, original
from longtake.grounding._places import places
from longtake.grounding._said import Captions, Said
from longtake.grounding._scenes import INSTANT_S, gaps
from longtake.grounding._weigh import ROUNDING, Pool
from longtake.records import Edge, Similar, Span

VERSION = 2
SIGNAL = "signature"

SHORT = "positive too short"
LONG = "positive too long"
NOWHERE = "not on the edges of scenes"
UNSEEN = "pictures not measured"
WEAK = "caption fits too little"
NO_CONTEXT = "no context"
SHARED = "positive has a better caption"
ROOM_S = 0.003
"""By how much context is larger than it must be: times may be rounded to the millisecond, all four of a record."""
_ORDER = (SHORT, NOWHERE, UNSEEN, WEAK, LONG, NO_CONTEXT)


def internvid_g(
    corpus: Corpus,
    *,
    strict: bool = True,
    similar_above: float = 0.8,
    least_s: float = 0.5,
    most_s: float = 10.0,
    shift_s: float = 0.25,
    quantile: float = 0.5,
    least_score: float = -1.0,
    pool: Pool = "max",
    margin: float = 0.0,
    part_margin: float = 0.0,
    same_caption: float = 0.9,
    most_scenes: int = 0,
    most_similar: int = 100,
) -> Iterator[tuple[Timeline, list[Span]]]:
    """Each caption's positive, where it holds, and its negative span: the time around in which it holds nowhere else.

    The method of InternVid-G (HawkEye, arXiv 2403.10228), with its thresholds. Two scenes are as alike as their two
    most alike shots. The positive is the captioned stretch, grown over neighbours that look alike and that the caption
    fits. The negative span reaches from it to the first scene on each side that bars it. Where the signal has a place
    for texts, a caption's score is its cosine with the frames of its stretch.

    As it is by default, a scene bars the negative span where it looks like the positive (edge `similar`); where the
    caption fits it as well as its own, or a caption of it says the same (`caption`); where a shot of it was not
    measured, or time is missing between scenes (`unseen`). A neighbour that looks alike joins the positive where a
    caption of it says the same, or where it has no caption and this one, said of no other scene, fits it as well;
    without a place for texts, only the former. So the caption's score beats all others in its negative span. Positives
    of different captions may overlap, but are never the same.

    With `strict=False` it does what the published script does, faults and all: times of the captioned stretch stay
    unless it grows; similarities have three decimals; where one edge is found on no scene, the first or the last scene
    is taken; growth looks at pictures alone; the negative span may be the positive, or reach over scenes never
    compared; two captions may have the same positive; nothing bars but looks. A scene that was not measured bars.

    Every caption gives a span. One that is no good record is `rejected_by`, in this order:

    - `positive too short`: under `least_s`.
    - `not on the edges of scenes`: no scenes start and end where the captioned stretch does.
    - `pictures not measured`: a shot of the positive was not, so that nothing can be said of it (strict).
    - `caption fits too little`: its score is under the `quantile` of all, or under `least_score`. Its scenes still bar
      the negative spans of others.
    - `positive too long`: over `most_s`, grown or not.
    - `no context`: a crop could have it neither at the beginning, nor in the middle, nor at the end (strict).
    - `positive has a better caption`: of records with the same positive the one with the best score stays, the first
      of equals (strict).

    Raises `UsageError` for a number that can't be, before anything is gone through.

    strict: whether with the corrections above.
    similar_above: cosine, -1 to 1; scenes as alike as that count as the same.
    least_s: seconds a captioned stretch has at least.
    most_s: seconds a positive has at most; 0 = no limit.
    shift_s: seconds the edges of a captioned stretch may be off those of scenes.
    quantile: 0 to 1, the part of all captions of the set that fit least, and are rejected; the published one is the
        median. 0 = none. Nothing is rejected where the signal has no place for texts.
    least_score: cosine, -1 to 1, that a caption's score has at least.
    pool: `max` or `mean`, how the cosines of a caption with frames become one score.
    margin: cosine by which a caption's score beats that of every other scene in its negative span (strict; ours).
    part_margin: cosine by which a caption's score beats that of another part of its own clip where that part doesn't
        bar though it looks alike. 0 = what looks alike always bars (strict; ours).
    same_caption: cosine of two captions from which on they say the same, or, without a place for texts, the share of
        words they have in common; those of the same words always do (strict; ours).
    most_scenes: scenes from the start of each video that are compared; 0 = all, 100 in the published script. Those
        after bar, where strict.
    most_similar: scenes named in `similar`, the most alike of all that look like the positive; 0 = all.
    """
    limits = Limits(
        similar_above=similar_above,
        least_s=least_s,
        most_s=most_s,
        shift_s=shift_s,
        quantile=quantile,
        least_score=least_score,
        pool=pool,
        margin=margin,
        part_margin=part_margin,
        same_caption=same_caption,
        most_scenes=most_scenes,
        most_similar=most_similar,
    )
    return _ground(corpus, limits, strict)  # a generator would not say what is wrong before it is gone through


def _ground(corpus: Corpus, limits: Limits, strict: bool) -> Iterator[tuple[Timeline, list[Span]]]:
    cut = _least_score(corpus, limits)
    for timeline, sentences in corpus:
        row, alike = _row(timeline), Alike(timeline, limits.most_scenes)
        captions = Captions(timeline, sentences, limits.shift_s)
        spans = []
        for said in captions.weighed(limits.pool, limits.same_caption):
            if strict:
                found, wrong = _place(row, alike, captions, said, limits)
            else:
                found, wrong = _place_as_published(row, alike, said, limits)
            weak = said.score is not None and said.score < cut
            reasons = [reason for reason in _ORDER if reason in wrong or (weak and reason == WEAK)]
            spans.append(_span(row, said, found, reasons[0] if reasons else None, limits))
        yield timeline, _unshared(spans) if strict else spans


def _least_score(corpus: Corpus, limits: Limits) -> float:
    """Return what a caption's score is at least: for the better part of the whole set, and as such."""
    if limits.quantile == 0 or not getattr(corpus, "has_texts", True):
        return limits.least_score
    scores = array("d")
    for timeline, sentences in corpus:
        some = [sentence for sentence in sentences if sentence.vector is not None]
        if some:
            found = Captions(timeline, some, limits.shift_s).scores(limits.pool)
            scores.extend(score for score in found if score is not None)
    return max(limits.least_score, float(np.quantile(np.asarray(scores), limits.quantile)) if scores else -np.inf)


def _row(timeline: Timeline) -> Row:
    edges = [np.clip(edge, 0.0, timeline.duration_s) for edge in (timeline.starts_s, timeline.ends_s)]
    return Row(edges[0], edges[1], timeline.duration_s, gaps(timeline))


def _place(row: Row, alike: Alike, captions: Captions, said: Said, limits: Limits) -> tuple[Around | None, set[str]]:
    """Return a caption's positive and negative span, and all that is wrong with them."""
    short = {SHORT} if limits.too_short(said) else set()
    if said.scenes is None:
        return None, short | {NOWHERE}
    n = len(row.starts_s)
    unseen = alike.unseen.copy()
    fits = np.zeros(n, bool)  # as well as its own scenes
    if said.fits is not None:
        unseen |= np.isnan(said.fits)
        if said.score is not None:
            fits = said.fits > said.score - limits.margin - ROUNDING
    looks = alike.with_all(*said.scenes)
    says = said.same | (~captions.captioned & fits & (not said.elsewhere))
    scenes = grow(said.scenes, (looks >= limits.similar_above) & says & ~unseen, row.gaps)
    looks = alike.with_all(*scenes)
    bars: dict[Edge, Flags] = {
        "similar": (looks > limits.similar_above - ROUNDING) & ~_told_apart(captions, said, limits),
        "caption": fits | said.same,
        "unseen": unseen,
    }
    found = between_bars(row, scenes, looks, bars)
    inside = slice(found.first, found.last + 1)
    checks = {
        UNSEEN: bool(unseen[inside].any() or row.gaps[found.first + 1 : found.last + 1].any()),
        LONG: limits.too_long(found.start_s, found.end_s),
        NO_CONTEXT: _places(found) == ("throughout",),
    }
    return found, short | {reason for reason, wrong in checks.items() if wrong}


def _told_apart(captions: Captions, said: Said, limits: Limits) -> Flags:
    """Return which scenes are parts of a caption's own clip that it fits by `part_margin` less, shape (n,)."""
    if limits.part_margin == 0 or said.fits is None or said.score is None:
        return np.zeros(len(said.same), np.bool_)
    return captions.of_clip(said.sentence.clip_id) & (said.fits <= said.score - limits.part_margin)


def _place_as_published(row: Row, alike: Alike, said: Said, limits: Limits) -> tuple[Around | None, set[str]]:
    """Return what the published script makes of a caption, and why it leaves it out."""
    start_s, end_s = said.sentence.start_s, said.sentence.end_s
    similar_above, shift_s, most_scenes = limits.similar_above, limits.shift_s, limits.most_scenes
    found = original(row, alike, start_s, end_s, similar_above=similar_above, shift_s=shift_s, most_scenes=most_scenes)
    grown = (found.start_s, found.end_s) if found else (start_s, end_s)
    checks = {
        SHORT: limits.too_short(said),
        NOWHERE: found is None,
        LONG: limits.too_long(start_s, end_s) or limits.too_long(*grown),
    }
    return found, {reason for reason, wrong in checks.items() if wrong}


def _places(found: Around) -> tuple[str, ...]:
    return places(found.start_s, found.end_s, found.neg_start_s, found.neg_end_s, room_s=ROOM_S)


def _span(row: Row, said: Said, found: Around | None, rejected_by: str | None, limits: Limits) -> Span:
    sentence = said.sentence
    if found is None:
        at = (sentence.start_s, sentence.end_s)
        found = Around(*at, *at, *said.touches, None, None, "none", "none", np.empty(0))
        allowed: tuple[str, ...] = ()
    else:
        allowed = _places(found)
    return Span(
        clip_id=sentence.clip_id,
        step=sentence.step,
        kind=sentence.kind,
        number=sentence.number,
        text=sentence.text,
        caption_start_s=sentence.start_s,
        caption_end_s=sentence.end_s,
        start_s=found.start_s,
        end_s=found.end_s,
        neg_start_s=found.neg_start_s,
        neg_end_s=found.neg_end_s,
        start_scene=found.first,
        end_scene=found.last,
        neg_start_scene=found.neg_first,
        neg_end_scene=found.neg_last,
        left=found.left,
        right=found.right,
        places=allowed,
        similar=_similar(row, found, limits),
        score=said.score,
        rival=_rival(row, found, said.fits),
        rejected_by=rejected_by,
    )


def _similar(row: Row, found: Around, limits: Limits) -> tuple[Similar, ...]:
    """Return the scenes outside a positive that look like it, the most alike, in order of time."""
    looks = found.similarity
    where = np.flatnonzero(looks >= limits.similar_above)
    where = where[(where < found.first) | (where > found.last)]
    if limits.most_similar and len(where) > limits.most_similar:
        where = np.sort(where[np.argsort(-looks[where], kind="stable")[: limits.most_similar]])
    return tuple(Similar(float(row.starts_s[i]), float(row.ends_s[i]), float(looks[i])) for i in where)


def _rival(row: Row, found: Around, fits: Floats | None) -> float | None:
    """Return the caption's best score on another scene of its negative span."""
    if fits is None:
        return None
    inside = (row.starts_s > found.neg_start_s - INSTANT_S) & (row.ends_s < found.neg_end_s + INSTANT_S)
    inside[found.first : found.last + 1] = False
    others = fits[inside & ~np.isnan(fits)]
    return float(others.max()) if len(others) else None


def _unshared(spans: list[Span]) -> list[Span]:
    """Return spans of which no two good ones have the same positive: of those the best score stays, or the first."""
    best: dict[tuple[int, int], int] = {}
    for number, span in enumerate(spans):
        if span.rejected_by is None:
            at = (span.start_scene, span.end_scene)
            if at not in best or _score_of(span) > _score_of(spans[best[at]]):
                best[at] = number
    kept = set(best.values())
    return [
        span if span.rejected_by or number in kept else replace(span, rejected_by=SHARED)
        for number, span in enumerate(spans)
    ]


def _score_of(span: Span) -> float:
    return -np.inf if span.score is None else span.score
