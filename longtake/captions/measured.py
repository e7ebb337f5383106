"""Captions of what was measured: the camera, where something moves, light and colours. No model, and no guess."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import TypeVar

from longtake.captions import View
from longtake.facts import Facts, Span
from longtake.moves import BLIP_S, Kind, Move
from longtake.records import Caption

VERSION = 2
SIGNALS = ("motion", "look", "colour")

DOES: dict[Kind, tuple[str, str]] = {
    "static": ("holds still", "keeps still"),
    "pan left": ("pans left", "keeps panning left"),
    "pan right": ("pans right", "keeps panning right"),
    "tilt up": ("tilts up", "keeps tilting up"),
    "tilt down": ("tilts down", "keeps tilting down"),
    "zoom in": ("draws closer", "keeps drawing closer"),
    "zoom out": ("draws back", "keeps drawing back"),
    "roll clockwise": ("rolls clockwise", "keeps rolling clockwise"),
    "roll anticlockwise": ("rolls anticlockwise", "keeps rolling anticlockwise"),
    "handheld": ("shakes", "keeps shaking"),
    "moving": ("moves", "keeps moving"),
}
"""What a camera does, and what it still does. Of an unknown one nothing is told."""
PACE = {"pan": (0.06, 0.4), "tilt": (0.06, 0.4), "zoom": (0.05, 0.3), "roll": (5.0, 30.0)}
"""Speeds, as `Move` has them, below which a move is slow and above which it is quick."""
BRIGHTER = ("very dark", "dark", "medium", "bright")
USUAL = 0.6
"""What holds for this share of the clip is told of the whole."""


Timed = TypeVar("Timed", Move, Span)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the clip in which nothing that is told changes."""

    start_s: float
    end_s: float
    camera: Move | None
    action: str
    light: str
    colours: str

    @property
    def look(self) -> str:
        """As in `bright, mostly green`; empty where there is nothing to tell."""
        return ", ".join(word for word in (self.light, self.colours) if word not in ("", "medium"))

    @property
    def kind(self) -> Kind:
        """What the camera does."""
        return self.camera.kind if self.camera else "unknown"


def measured(view: View) -> list[Caption]:
    """Sentences made of measurements alone, without a model: the camera, where something moves, light and colours.

    measured: a sentence for each part of the clip in which these stay the same; the parts tile the clip, and each is
        at least a second long where the clip is.
    short: one sentence on the whole clip.

    Nothing is said of what the video shows. `draws closer` is a zoom or a camera that moves forward, `pans` also one
    that moves aside. A camera among near things, and one behind which only a plain wall stands, can be misread. None
    where the signals weren't measured.
    """
    facts = view.facts
    if facts is None:
        return []
    parts = find_parts(facts)
    sentences = [_sentence(part, before) for before, part in zip([None, *parts], parts, strict=False)]
    timed = [
        Caption("measured", number, part.start_s, part.end_s, sentence)
        for number, (part, sentence) in enumerate(zip(parts, sentences, strict=True))
    ]
    return [*timed, Caption("short", 0, 0.0, facts.duration_s, _short(facts, parts))]


def timeline(captions: Sequence[Caption]) -> str:
    """Return captions as one line: `0-4 s: The camera holds still. 4-9 s: The camera pans right.`."""
    return " ".join(f"{_tenths(caption.start_s)}-{_tenths(caption.end_s)} s: {caption.text}" for caption in captions)


def _tenths(time: float) -> str:
    return f"{time:.1f}".removesuffix(".0")


def find_parts(facts: Facts) -> list[Part]:
    """Return parts that tile the clip, of a second and more: the camera's moves are cut first, then all else."""
    borders = [0.0, facts.duration_s]
    tracks: tuple[Sequence[Move | Span], ...] = (facts.moves, facts.action, facts.light, facts.colours)
    for track in tracks:
        for span in track:
            if all(abs(span.start_s - border) >= BLIP_S for border in borders):
                borders.append(span.start_s)
    borders.sort()
    parts: list[Part] = []
    for start_s, end_s in pairwise(borders):
        words = [_main(track, start_s, end_s) for track in (facts.action, facts.light, facts.colours)]
        part = Part(start_s, end_s, _longest(facts.moves, start_s, end_s), *words)
        if parts and _same(parts[-1], part):
            part = replace(parts.pop(), end_s=end_s)
        parts.append(part)
    return parts


def _longest(track: Sequence[Timed], start_s: float, end_s: float) -> Timed | None:
    """Return what of a track holds longest within a span."""
    return max(track, key=lambda part: min(part.end_s, end_s) - max(part.start_s, start_s), default=None)


def _main(track: Sequence[Span], start_s: float, end_s: float) -> str:
    span = _longest(track, start_s, end_s)
    return span.words if span else ""


def _same(part: Part, other: Part) -> bool:
    """Whether another part would be told in the same words."""
    return part.kind == other.kind and part.action == other.action and not _change(other, part)


def _sentence(part: Part, before: Part | None) -> str:
    """Return a part in words; of what is as it was before only as much as a sentence needs."""
    if before is None or part.kind != before.kind:
        return _whole(part, part.look if before is None or _change(part, before) else "")
    still = f" while the camera {DOES[part.kind][1]}" if part.kind in DOES else ""
    change = _change(part, before)
    if part.action == before.action:
        return f"{change}{still}."
    if not part.action and part.kind != "static":
        return f"{change}{still}." if change else _whole(part, "")
    action = f"Something moves {part.action}" if part.action else "Little moves"
    return f"{action}{still}{f', and {change[0].lower()}{change[1:]}' if change else ''}."


def _change(part: Part, before: Part) -> str:
    """Return how the picture's look changes, empty where it doesn't: a colour must be new and the old ones gone."""
    words = []
    if part.light != before.light:
        brighter = BRIGHTER.index(part.light) > BRIGHTER.index(before.light)
        words = [("brighter" if brighter else "darker") if part.light == "medium" else part.light]
    old, new = (set(colours.split()) - {"mostly", "and"} for colours in (before.colours, part.colours))
    if old and new and not old & new:
        words.append(part.colours)
    return f"The picture turns {' and '.join(words)}" if words else ""


def _whole(part: Part, look: str) -> str:
    """Return all of a part in one sentence."""
    if part.camera is None or part.kind not in DOES:
        action = f"Something moves {part.action}" if part.action else "Something moves, or the camera does"
        return f"{action}; the picture is {look}." if look else f"{action}."
    does = " ".join(word for word in (DOES[part.kind][0], _pace(part.camera)) if word)
    return _put_together(does, look, part.action, still=part.kind == "static")


def _put_together(does: str, look: str, action: str, *, still: bool) -> str:
    article = "an" if look[:1] in tuple("aeiou") else "a"
    picture = f" {'on' if still else 'over'} {article} {look} picture" if look else ""
    return f"The camera {does}{picture}{f' while something moves {action}' if action else ''}."


def _pace(move: Move) -> str:
    slow, quick = PACE.get(move.kind.split()[0], (0.0, float("inf")))
    return "slowly" if move.speed < slow else "quickly" if move.speed > quick else ""


def _short(facts: Facts, parts: Sequence[Part]) -> str:
    """Return one sentence on the whole clip: what the camera does in turn, and what holds for most of the time."""
    light, colours, action = (_usual(track, facts.duration_s) for track in (facts.light, facts.colours, facts.action))
    whole = replace(parts[0], light=light, colours=colours, action=action)
    kinds = [kind for kind, _ in groupby(part.kind for part in parts if part.kind in DOES)]
    if not kinds:
        return _whole(replace(whole, camera=None), whole.look)
    if len(kinds) == 1:
        return _whole(replace(whole, camera=_longest(facts.moves, 0, facts.duration_s)), whole.look)
    if len(kinds) <= 3:
        *turns, last = (DOES[kind][0] for kind in kinds)
        does = f"first {', then '.join([*turns, f'{last} again' if last in turns else last])}"
    else:
        times: dict[Kind, float] = {}
        for move in facts.moves:
            times[move.kind] = times.get(move.kind, 0.0) + move.duration_s
        often = sorted((kind for kind in times if kind in DOES), key=lambda kind: -times[kind])
        first, *others = (DOES[kind][0] for kind in often[:3])
        mostly = times[often[0]] >= USUAL * facts.duration_s
        does = (
            f"mostly {first} and at times {others[0]}"
            if mostly
            else f"by turns {', '.join([first, *others[:-1]])} and {others[-1]}"
        )
    return _put_together(does, whole.look, action, still=set(kinds) == {"static"})


def _usual(track: Sequence[Span], duration_s: float) -> str:
    """Return the words that hold for most of the clip, empty for none."""
    times: dict[str, float] = {}
    for span in track:
        times[span.words] = times.get(span.words, 0.0) + span.end_s - span.start_s
    return next((words for words, time in times.items() if time >= USUAL * duration_s), "")
