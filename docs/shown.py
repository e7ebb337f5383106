"""Which examples docs/scores.md shows for which scores: for each three pictures, of low, middle and high numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import filming as f
from filming import Film


@dataclass(frozen=True)
class Example:
    """A short film, and which of its frames are shown."""

    said: str
    make: Callable[[], Film]
    at_s: tuple[float, ...] = (2.0,)
    """When the frames are that are shown."""
    close: tuple[float, float] | None = None
    """Middle of the part that is shown at twice the size, pixel by pixel, as shares of width and height."""
    fps: int = f.FPS
    crf: int = 18
    options: Mapping[str, str] = field(default_factory=dict)


def strip(said: str, make: Callable[[], Film], *at_s: float, fps: int = f.FPS) -> Example:
    """Return an example of which several frames are shown: the first, the middle and the last, or those named."""
    return Example(said, make, at_s or (0.0, 2.0, 4.0), fps=fps)


def beside(fps: int) -> tuple[float, float, float]:
    """Return the times of three neighbouring frames."""
    return 12 / fps, 13 / fps, 14 / fps


@dataclass(frozen=True)
class Show:
    """Three examples, from low to high by the first of some parts of a score."""

    parts: tuple[str, ...]
    examples: tuple[str, str, str]


def photo(seconds: float = 4) -> Film:
    """Return a picture that stands, wide enough to move a window over."""
    return f.still("square", 20, seconds)


def written_on(lines: list[str], y: float, *, high: float = 0.06, strength: float = 1.0) -> Film:
    """Write lines over a film."""
    return f.each(f.shot("cyclist"), f.written(lines, y, high=high, strength=strength))


LINE = "Nobody waits for the light here."
CREDITS = ["Camera  A. Berg", "Sound  L. Moreau", "Light  K. Tanaka", "Cut  J. Novak", "Music  O. Lind"]
STAND = f.going()
SLOW, FAST = f.going(right=0.1), f.going(right=0.5)

EXAMPLES: dict[str, Example] = {
    # motion
    "rabbit": strip("as it is: a rabbit stretches", lambda: f.shot("rabbit")),
    "legs": strip("as it is: someone walks by", lambda: f.shot("legs"), 0.2, 0.6, 1.0),
    "van": strip("as it is: cars pass close by", lambda: f.shot("van"), 0.2, 0.6, 1.0),
    "stopping-pan": strip(
        "made: a window moves over a picture for 2 s, then stands",
        lambda: f.filmed(photo(), f.going(right=0.3, end=2)),
    ),
    "standing": strip("made: a picture that stands", lambda: f.filmed(photo(), STAND)),
    # camera
    "slow-pan": strip("made: a window moves over a picture, 0.1 heights per second", lambda: f.filmed(photo(), SLOW)),
    "fast-pan": strip("made: a window moves over a picture, 0.5 heights per second", lambda: f.filmed(photo(), FAST)),
    "held": strip(
        "made: a window moves as a hand that tries to hold still",
        lambda: f.filmed(photo(), f.shaken(0.0018)),
        *(1.0, 1.2, 1.4),
    ),
    "careless": strip(
        "made: a window moves as a careless hand", lambda: f.filmed(photo(), f.shaken(0.04)), 1.0, 1.2, 1.4
    ),
    "half-careless": strip(
        "made: the window stands, then moves as a careless hand",
        lambda: f.filmed(photo(), f.shaken(0.04, start=2)),
        *(1.0, 2.6, 2.8),
    ),
    "tilt": strip("made: the window moves down", lambda: f.filmed(photo(), f.going(down=0.12))),
    "stopping-tilt": strip(
        "made: the window moves down for 2 s, then stands", lambda: f.filmed(photo(), f.going(down=0.24, end=2))
    ),
    "zoom": strip("made: the window zooms in", lambda: f.filmed(photo(), f.going(grows=0.2))),
    "stopping-zoom": strip(
        "made: the window zooms in for 2 s, then stands", lambda: f.filmed(photo(), f.going(grows=0.3, end=2))
    ),
    "roll": strip("made: the window rolls", lambda: f.filmed(photo(), f.going(turns=8))),
    "stopping-roll": strip(
        "made: the window rolls for 2 s, then stands", lambda: f.filmed(photo(), f.going(turns=12, end=2))
    ),
    "three-moves": strip(
        "made: a pan, then a zoom, then a tilt, 2 s each",
        lambda: f.filmed(
            photo(6),
            f.one_after_the_other(
                f.going(right=0.3, end=2), f.going(grows=0.25, start=2, end=4), f.going(down=0.2, start=4, end=6)
            ),
        ),
        *(1.0, 3.0, 5.0),
    ),
    # things
    "man": strip("as it is: a man talks", lambda: f.shot("man", 5), 0.5, 1.5, 2.5),
    # look and light
    "dark": Example("made: darkened", lambda: f.each(f.shot("taxi", width=320), f.lit(0.3))),
    "square": Example("as it is", lambda: f.shot("square")),
    "bright": Example("made: brightened", lambda: f.each(f.shot("roof", width=320), f.lit(1.2, 45))),
    "fog": Example("made: under fog that takes nine tenths", lambda: f.each(f.shot("square"), f.hazy(0.9))),
    "half-fog": Example("made: under fog that takes half", lambda: f.each(f.shot("square"), f.hazy(0.5))),
    "soft": Example("made: blurred by 2 pixels of 640", lambda: f.each(f.shot("square"), f.blurred(2))),
    "blurred": Example("made: blurred by 6 pixels of 640", lambda: f.each(f.shot("square"), f.blurred(6))),
    "crushed": Example("made: dark places crushed", lambda: f.each(f.shot("taxi"), f.lit(1.2, -45))),
    "very-crushed": Example("made: all but the light places crushed", lambda: f.each(f.shot("taxi"), f.lit(1.5, -110))),
    "burnt": Example("made: light places burnt out", lambda: f.each(f.shot("square"), f.lit(1.6))),
    "very-burnt": Example("made: half of all burnt out", lambda: f.each(f.shot("square"), f.lit(2.2, 20))),
    "black-head": strip("made: begins with 1 s of black", lambda: f.part(f.shot("square"), 0, 0.25, f.black)),
    "black-ends": strip(
        "made: begins with 1.5 s and ends with 1 s of black",
        lambda: f.part(f.part(f.shot("square"), 0, 0.375, f.black), 0.75, 1, f.black),
    ),
    "lights-out": strip("made: the light goes after 2 s", lambda: f.part(f.shot("square"), 0.5, 1, f.lit(0.2))),
    # borders
    "letterbox": Example(
        "made: letterbox, 36 rows of 344 at either side", lambda: f.each(f.shot("square"), f.framed(36))
    ),
    "small-in-black": Example(
        "made: window box, 80 rows and 100 columns", lambda: f.each(f.shot("square"), f.framed(80, 100))
    ),
    "pillarbox": Example("made: pillarbox, 60 columns of 760", lambda: f.each(f.shot("square"), f.framed(0, 60))),
    "subtitled-border": strip(
        "made: a subtitle in the border, from 3 s on",
        lambda: f.part(
            f.each(f.shot("square", 6), f.framed(50)), 0.5, 1, f.written(["Nobody waits here."], 0.94, high=0.04)
        ),
        *(2.0, 4.0),
    ),
    "long-subtitled-border": strip(
        "made: a subtitle in the border, from 2 s on",
        lambda: f.part(
            f.each(f.shot("square", 6), f.framed(50)), 1 / 3, 1, f.written(["Nobody waits here."], 0.94, high=0.04)
        ),
        *(1.0, 4.0),
    ),
    # colour
    "dull": Example("as it is", lambda: f.shot("taxi")),
    "warm": Example("as it is", lambda: f.shot("cyclist")),
    "colourful": Example("as it is", lambda: f.shot("rabbit")),
    "one-colour": Example("as it is: nearly all grey", lambda: f.shot("roof")),
    "half-grey": strip("made: the colour goes after 2 s", lambda: f.part(f.shot("rabbit"), 0.5, 1, f.grey)),
    "grey": strip("made: the colour is taken out", lambda: f.each(f.shot("rabbit"), f.grey)),
    # content
    "cut": strip("made: a cut at 2 s", lambda: f.shot("square", 2) + f.shot("taxi", 2), 1.0, 1.96, 2.04),
    # fine
    "enlarged-4": Example(
        "made: enlarged fourfold", lambda: f.each(f.shot("square"), f.enlarged(4)), close=(0.55, 0.5)
    ),
    "enlarged-2": Example("made: enlarged twofold", lambda: f.each(f.shot("square"), f.enlarged(2)), close=(0.55, 0.5)),
    "full": Example("as it is", lambda: f.shot("square"), close=(0.55, 0.5)),
    "grain": Example("made: noise of 0.015 added", lambda: f.each(f.shot("square"), f.grainy(0.015)), close=(0.2, 0.8)),
    "much-grain": Example(
        "made: noise of 0.05 added", lambda: f.each(f.shot("square"), f.grainy(0.05)), close=(0.2, 0.8), crf=10
    ),
    "clean": Example("as it is", lambda: f.shot("square"), close=(0.2, 0.8)),
    "no-blocks": Example("as it is", lambda: f.shot("man"), close=(0.5, 0.4)),
    "few-blocks": Example(
        "made: coded by x264 at crf 34, without its filter against blocks",
        lambda: f.shot("man"),
        close=(0.5, 0.4),
        crf=34,
        options={"x264-params": "no-deblock=1"},
    ),
    "blocks": Example(
        "made: likewise, at crf 42",
        lambda: f.shot("man"),
        close=(0.5, 0.4),
        crf=42,
        options={"x264-params": "no-deblock=1"},
    ),
    "progressive": Example("as it is", lambda: f.shot("walk"), close=(0.4, 0.7), at_s=(0.48,)),
    "pulled-down": Example(
        "made: film shown as 60 fields per second",
        lambda: f.pulled_down(f.shot("walk")),
        close=(0.4, 0.7),
        at_s=(0.48,),
    ),
    "interlaced": Example("made: interlaced", lambda: f.woven(f.shot("walk")), close=(0.4, 0.7), at_s=(0.48,)),
    # repeats
    "12-in-24": strip(
        "made: each picture shown twice, as in animation",
        lambda: f.repeated(f.shot("van", 2), (2,)),
        *beside(24),
        fps=24,
    ),
    "25": strip("as it is: 25 per second", lambda: f.shot("van"), *beside(25)),
    "50": strip("made: played twice as fast", lambda: f.shot("van"), *beside(50), fps=50),
    "24-in-30": strip(
        "made: 24 pictures per second shown at 30",
        lambda: f.repeated(f.shot("van", 3), (1, 1, 1, 2)),
        *beside(30),
        fps=30,
    ),
    "24-in-60": strip(
        "made: 24 pictures per second shown at 60", lambda: f.repeated(f.shot("van", 2), (2, 3)), *beside(60), fps=60
    ),
    "hangs": strip("made: hangs for 1 s", lambda: f.frozen(f.shot("legs"), 0.5, 1), 0.4, 1.0, 1.6),
    "hangs-long": strip("made: hangs for 2.5 s", lambda: f.frozen(f.shot("legs"), 0.5, 2.5), 0.4, 2.0, 3.4),
    # text
    "no-text": Example("as it is", lambda: f.shot("cyclist")),
    "subtitle": Example("made: a subtitle", lambda: written_on([LINE], 0.88)),
    "half-subtitle": strip(
        "made: a subtitle that goes after 2 s",
        lambda: f.part(f.shot("cyclist"), 0, 0.5, f.written([LINE], 0.88)),
        *(1.0, 3.0),
    ),
    "credits": Example("made: credits", lambda: written_on(CREDITS, 0.2, high=0.09)),
    "bare": Example("as it is", lambda: f.shot("cyclist"), close=(0.5, 0.88)),
    "tiny-text": Example(
        "made: letters of 1.5 % of the height", lambda: written_on([LINE], 0.88, high=0.015), close=(0.5, 0.88)
    ),
    "faint-text": Example(
        "made: letters that hardly show", lambda: written_on([LINE], 0.88, strength=0.15), close=(0.5, 0.88)
    ),
    "title-above": Example("made: a title above", lambda: written_on(["The Crossing"], 0.15, high=0.1)),
    "title-amid": Example("made: a title in the middle", lambda: written_on(["The Crossing"], 0.5, high=0.1)),
    "title-below": Example("made: a title below", lambda: written_on(["The Crossing"], 0.85, high=0.1)),
    "no-logo": Example("as it is, 14 s", lambda: f.shot("cyclist", 14)),
    "logo": Example("made: a logo, 14 s", lambda: f.each(f.shot("cyclist", 14), f.branded(0.1, 0.15))),
    "large-logo": Example("made: a larger logo", lambda: f.each(f.shot("cyclist", 14), f.branded(0.85, 0.8, 0.25))),
    "middle-logo": Example("made: a logo in the middle", lambda: f.each(f.shot("cyclist", 14), f.branded(0.5, 0.5))),
    "brief-logo": strip(
        "made: a logo that goes after 10 of 14 s",
        lambda: f.part(f.shot("cyclist", 14), 0, 10 / 14, f.branded(0.1, 0.15)),
        *(9.0, 12.0),
    ),
}

SHOWS: dict[str, tuple[Show, ...]] = {
    "motion": (
        Show(("mean", "median", "p90"), ("rabbit", "legs", "van")),
        Show(("still", "p10"), ("legs", "stopping-pan", "standing")),
    ),
    "camera": (
        Show(("speed",), ("standing", "slow-pan", "fast-pan")),
        Show(("static",), ("slow-pan", "stopping-pan", "standing")),
        Show(("shake",), ("slow-pan", "held", "careless")),
        Show(("handheld",), ("held", "half-careless", "careless")),
        Show(("pan",), ("standing", "stopping-pan", "slow-pan")),
        Show(("tilt",), ("standing", "stopping-tilt", "tilt")),
        Show(("zoom",), ("standing", "stopping-zoom", "zoom")),
        Show(("roll",), ("standing", "stopping-roll", "roll")),
        Show(("moves",), ("standing", "slow-pan", "three-moves")),
    ),
    "things": (
        Show(("mean", "p90"), ("slow-pan", "man", "van")),
        Show(("share",), ("slow-pan", "man", "van")),
    ),
    "look": (
        Show(("luma", "p05", "p50", "p95"), ("dark", "square", "bright")),
        Show(("contrast", "spread"), ("fog", "half-fog", "square")),
        Show(("sharpness",), ("blurred", "soft", "square")),
        Show(("border",), ("square", "letterbox", "small-in-black")),
        Show(("under",), ("dull", "crushed", "very-crushed")),
        Show(("over",), ("square", "burnt", "very-burnt")),
        Show(("black", "black_head_s", "black_tail_s"), ("square", "black-head", "black-ends")),
    ),
    "light": (Show(("brightest80", "darkest80"), ("dark", "lights-out", "bright")),),
    "colour": (
        Show(("colourfulness",), ("dull", "warm", "colourful")),
        Show(("strongest",), ("colourful", "warm", "one-colour")),
        Show(("grey",), ("colourful", "half-grey", "grey")),
    ),
    "content": (Show(("max",), ("man", "van", "cut")),),
    "fine": (
        Show(("resolution", "finest"), ("enlarged-4", "enlarged-2", "full")),
        Show(("noise",), ("clean", "grain", "much-grain")),
        Show(("blocks",), ("no-blocks", "few-blocks", "blocks")),
        Show(("combs", "combed"), ("progressive", "pulled-down", "interlaced")),
    ),
    "repeats": (
        Show(("share",), ("25", "24-in-30", "24-in-60")),
        Show(("fps",), ("12-in-24", "25", "50")),
        Show(("frozen_s",), ("legs", "hangs", "hangs-long")),
    ),
    "borders": (
        Show(("share", "top", "bottom"), ("square", "letterbox", "small-in-black")),
        Show(("left", "right"), ("square", "pillarbox", "small-in-black")),
        Show(("text",), ("letterbox", "subtitled-border", "long-subtitled-border")),
    ),
    "text": (
        Show(("area", "max"), ("no-text", "subtitle", "credits")),
        Show(("time",), ("no-text", "half-subtitle", "subtitle")),
        Show(("top", "middle", "bottom"), ("title-below", "title-amid", "title-above")),
        Show(("doubt",), ("bare", "tiny-text", "faint-text")),
        Show(("logo",), ("no-logo", "logo", "large-logo")),
        Show(("logo_time",), ("no-logo", "brief-logo", "logo")),
        Show(("logo_x", "logo_y"), ("logo", "middle-logo", "large-logo")),
    ),
}
