"""What was measured of a clip, in words: evidence for a prompt, and what a caption must not contradict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from longtake.claims import camera_claims, light_claims
from longtake.moves import BLIP_S, Move, camera_speeds, find_moves, tile
from longtake.records import Series

Floats = NDArray[np.float64]

AROUND_S, LASTS_S = 2.0, 3.0
"""Rows so far before and after count for where something moves, and so long it must, as gestures come and go."""
ACTS = 0.015
"""Heights per second, the mean over a third of the picture, from which something moves there. A person who talks makes
0.02 and more, grain and coding 0.003."""
BEYOND = 3.0
"""So many times the camera's own speed must be added: what stands near a camera that moves seems to move too."""
AT_SIDE = 0.9
"""Heights from the middle to the sides: where zoom and roll are fastest, they count as the camera's speed."""
LIGHT = ((0.12, "very dark"), (0.28, "dark"), (0.58, "medium"), (np.inf, "bright"))
"""Mean luma below which the picture is so. Most pictures in daylight lie between 0.35 and 0.55."""
SURELY = 0.03
"""Luma by which the picture must leave the range of a word before it gets another."""
MOSTLY, PARTLY, TOGETHER = 0.5, 0.25, 0.65
"""Share of the picture of the one main colour; else of each of two and of both together."""

CLEAR = {"pan": 0.05, "tilt": 0.05, "zoom": 0.04, "roll": 4.0, "handheld": 0.15}
"""Speeds, as `Move` has them, that nobody overlooks."""
MOST, ALL, NONE = 0.6, 0.9, 0.05
"""Shares of a caption's span: most of it, all of it, and none."""
OPPOSITES = {"pan left": "pan right", "tilt up": "tilt down", "zoom in": "zoom out"}
OPPOSITES |= {other: one for one, other in OPPOSITES.items()}

WHERE = {
    (False, False, False): "",
    (True, False, False): "on the left",
    (False, True, False): "in the middle",
    (False, False, True): "on the right",
    (True, True, False): "on the left and in the middle",
    (False, True, True): "in the middle and on the right",
    (True, False, True): "on the left and on the right",
    (True, True, True): "all over the picture",
}
"""Whether something moves in the left, the middle and the right third, in words."""
MOVE_WORDS = {
    "static": "static",
    "pan left": "pans left",
    "pan right": "pans right",
    "tilt up": "tilts up",
    "tilt down": "tilts down",
    "zoom in": "zooms in or moves forward",
    "zoom out": "zooms out or moves back",
    "roll clockwise": "rolls clockwise",
    "roll anticlockwise": "rolls anticlockwise",
    "handheld": "shakes as if handheld",
    "moving": "moves without one clear direction",
    "unknown": "",
}


@dataclass(frozen=True, slots=True)
class Span:
    """Words that hold for a span of the clip, in seconds of the clip, half-open."""

    words: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Facts:
    """What was measured of a clip. Each of the four tracks tiles [0, duration_s) or, where unmeasured, is empty."""

    duration_s: float
    moves: tuple[Move, ...]
    light: tuple[Span, ...]
    """`very dark`, `dark`, `medium` or `bright`."""
    action: tuple[Span, ...]
    """Where something moves that the camera doesn't explain: `on the left`, `in the middle`, `on the right`, two of
    them, `all over the picture`; empty words for nowhere."""
    colours: tuple[Span, ...]
    """The main colours: `mostly green`, `blue and white`; empty words where none stand out."""

    def words(self) -> str:
        """Return the evidence in a few plain sentences for a prompt, with times in seconds."""
        said = [
            ("Measured camera", [(MOVE_WORDS[move.kind], move.start_s, move.end_s) for move in self.moves]),
            ("Measured brightness", [(span.words, span.start_s, span.end_s) for span in self.light]),
            ("Measured motion of things", [(span.words, span.start_s, span.end_s) for span in self.action]),
        ]
        sentences = [f"{what}: {_listed(spans, self.duration_s)}." for what, spans in said if any(w for w, *_ in spans)]
        return " ".join(sentences)


def _listed(spans: Sequence[tuple[str, float, float]], duration_s: float) -> str:
    """Return `static 0-4 s; pans right 4-9 s`, or the words alone where they hold throughout."""
    if len(spans) == 1:
        return f"{spans[0][0]} throughout"
    return "; ".join(f"{words} {_seconds(start_s)}-{_seconds(end_s)} s" for words, start_s, end_s in spans if words)


def _seconds(time: float) -> str:
    return f"{time:.1f}".removesuffix(".0")


def gather_facts(duration_s: float, signals: Mapping[str, Series]) -> Facts | None:
    """Return the facts of a clip from signals whose times count from its start; None without `motion` and `look`."""
    motion, look, colour = signals.get("motion"), signals.get("look"), signals.get("colour")
    if motion is None or look is None or not len(look):
        return None
    return Facts(
        duration_s,
        find_moves(motion, duration_s),
        _spans(look.times, _light(look), duration_s),
        _spans(motion.times, _action(motion), duration_s, least_s=LASTS_S),
        _spans(colour.times, _colours(colour, look), duration_s, least_s=LASTS_S)
        if colour is not None and len(colour)
        else (),
    )


def _spans(times: Floats, words: Sequence[str], duration_s: float, *, least_s: float = BLIP_S) -> tuple[Span, ...]:
    tiles = tile(times, words, duration_s, least_s=least_s)
    return tuple(Span(part.word, part.start_s, part.end_s) for part in tiles)


def _light(look: Series) -> list[str]:
    words: list[str] = []
    for luma in look.column("luma").tolist():
        likely = {_light_of(luma - SURELY), _light_of(luma + SURELY)}
        words.append(words[-1] if words and words[-1] in likely else _light_of(luma))
    return words


def _light_of(luma: float) -> str:
    return next(word for below, word in LIGHT if luma < below)


def _action(motion: Series) -> list[str]:
    thirds = np.stack([motion.column(name) for name in ("left", "middle", "right")], axis=1)
    ways = camera_speeds(motion, AT_SIDE)
    known = np.isfinite(thirds).all(axis=1)
    words = []
    for time in motion.times.tolist():
        around = known & (np.abs(motion.times - time) <= AROUND_S)
        if not around.any():
            words.append("")
            continue
        speeds = thirds[around].mean(axis=0)
        camera = np.linalg.norm(ways[around], axis=1).mean()
        least = max(ACTS + BEYOND * float(camera), float(speeds.max()) / 3)
        words.append(WHERE[tuple((speeds >= least).tolist())])
    return words


def _colours(colour: Series, look: Series) -> list[str]:
    """Return the main colours at each row of `colour`, black borders left out."""
    nearest = np.abs(look.times - colour.times[:, None]).argmin(axis=1)
    top, bottom, left, right = (look.column(f"border_{side}")[nearest] for side in ("top", "bottom", "left", "right"))
    border = np.nan_to_num(1 - (1 - top - bottom) * (1 - left - right))
    terms = [number for number, name in enumerate(colour.columns) if name != "colourfulness"]
    black = colour.columns.index("black")
    words = []
    for shares, hidden in zip(colour.values[:, terms].astype(np.float64), border.tolist(), strict=True):
        shares[black] = max(0.0, shares[black] - hidden)
        shares /= max(shares.sum(), 1e-6)
        one, other = np.argsort(-shares, kind="stable")[:2].tolist()
        names = colour.columns[one], colour.columns[other]
        if shares[one] >= MOSTLY:
            words.append(f"mostly {names[0]}")
        elif shares[other] >= PARTLY and shares[one] + shares[other] >= TOGETHER:
            words.append(" and ".join(sorted(names)))
        else:
            words.append("")
    return words


def contradictions(text: str, facts: Facts, start_s: float, end_s: float) -> list[str]:
    """Return what a caption of that span says and the measurement clearly denies, in words for its writer.

    A static camera is denied by clear moves over most of the span, a direction by clear moves the other way over most
    of it and none its own way, darkness by a bright picture and brightness by a very dark one all the time.
    """
    moves = _within(facts.moves, start_s, end_s)
    clear = [move for move in moves if move.speed >= CLEAR.get(move.kind.split()[0], float("inf"))]
    found, claims = [], camera_claims(text)
    for claim in sorted(claims):
        against = [move for move in clear if claim == "static" or move.kind == OPPOSITES[claim]]
        own = [move for move in moves if move.kind == claim]
        if OPPOSITES.get(claim) in claims or _share(against, start_s, end_s) < MOST:
            continue
        if claim == "static" or _share(own, start_s, end_s) <= NONE:
            does = ((move.kind.replace("handheld", "shake"), _from_to(move.start_s, move.end_s)) for move in against)
            measured = " and ".join(f"to {what} {when}" for what, when in does)
            says = "is static" if claim == "static" else f"goes the other way ({claim})"
            found.append(f"the camera was measured {measured}, the caption says it {says}")

    light = _within(facts.light, start_s, end_s)
    said = light_claims(text)
    for claim, opposite in (("dark", "bright"), ("bright", "very dark")):
        if said == {claim} and _share([span for span in light if span.words == opposite], start_s, end_s) >= ALL:
            found.append(
                f"the picture was measured to be {opposite} {_from_to(start_s, end_s)}, the caption says it is {claim}"
            )
    return found


Timed = TypeVar("Timed", Move, Span)


def _within(track: Sequence[Timed], start_s: float, end_s: float) -> list[Timed]:
    """Return what of a track lies within a span, cut to it."""
    inside = [part for part in track if part.start_s < end_s and part.end_s > start_s]
    return [replace(part, start_s=max(part.start_s, start_s), end_s=min(part.end_s, end_s)) for part in inside]


def _share(track: Sequence[Move | Span], start_s: float, end_s: float) -> float:
    return sum(part.end_s - part.start_s for part in track) / (end_s - start_s) if end_s > start_s else 0.0


def _from_to(start_s: float, end_s: float) -> str:
    return f"from {_seconds(start_s)} to {_seconds(end_s)} s"
