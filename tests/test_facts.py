from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longtake.facts import Facts, Span, contradictions, gather_facts
from longtake.moves import Move
from longtake.records import Series
from longtake.signals.colour import Colour
from longtake.signals.look import Look
from longtake.signals.motion import Motion
from longtake.video import scan

SIGNALS = {"motion": Motion, "look": Look, "colour": Colour}


def rows(signal: str, hz: float, n: int, **values: float | list[float]) -> Series:
    """Rows at a steady rate; columns that aren't given are 0."""
    columns = SIGNALS[signal].columns
    table = np.zeros((n, len(columns)), np.float32)
    for name, column in values.items():
        table[:, columns.index(name)] = column
    return Series(columns, np.arange(n) / hz, np.arange(n, dtype=np.int32), table)


def facts_of(seconds: int, **values: dict[str, float | list[float]]) -> Facts:
    """The facts of a clip of so many seconds whose signals have these columns."""
    rates = {"motion": 2, "look": 2, "colour": 1}
    signals = {name: rows(name, hz, hz * seconds, **values.get(name, {})) for name, hz in rates.items()}
    facts = gather_facts(float(seconds), signals)
    assert facts is not None
    return facts


def told(track: tuple[Span, ...]) -> list[str]:
    return [span.words for span in track]


def test_light_has_four_words_and_wavers_not() -> None:
    luma = [*[0.05] * 8, *[0.2] * 8, *[0.4] * 8, *[0.8] * 8]
    assert told(facts_of(16, look={"luma": luma}).light) == ["very dark", "dark", "medium", "bright"]
    wavering = [0.56, 0.6] * 8
    assert told(facts_of(8, look={"luma": wavering}).light) == ["medium"]


def test_action_is_where_things_move() -> None:
    for column, words in {"left": "on the left", "middle": "in the middle", "right": "on the right"}.items():
        assert told(facts_of(6, motion={column: 0.05}).action) == [words]
    assert told(facts_of(6, motion={"left": 0.05, "right": 0.04}).action) == ["on the left and on the right"]
    assert told(facts_of(6, motion={"left": 0.05, "middle": 0.04, "right": 0.06}).action) == ["all over the picture"]
    assert told(facts_of(6, motion={"left": 0.004, "middle": 0.003}).action) == [""]


def test_what_a_moving_camera_makes_of_near_things_is_no_action() -> None:
    passing = {"shift_x": -0.2, "left": 0.1, "right": 0.05}
    assert told(facts_of(6, motion=passing).action) == [""]
    assert told(facts_of(6, motion={**passing, "left": 0.9}).action) == ["on the left"]


def test_colours_are_the_main_ones_inside_the_borders() -> None:
    assert told(facts_of(6, colour={"green": 0.6, "blue": 0.4}).colours) == ["mostly green"]
    assert told(facts_of(6, colour={"white": 0.4, "blue": 0.4, "red": 0.2}).colours) == ["blue and white"]
    assert told(facts_of(6, colour={"white": 0.3, "blue": 0.2, "red": 0.2, "grey": 0.3}).colours) == [""]
    boxed = {"border_top": 0.3, "border_bottom": 0.3}
    assert told(facts_of(6, colour={"black": 0.6, "green": 0.4}, look=boxed).colours) == ["mostly green"]
    unseen = {name: float("nan") for name in ("border_top", "border_bottom", "border_left", "border_right")}
    assert told(facts_of(6, colour={"black": 1.0}, look=unseen).colours) == ["mostly black"]


def test_facts_need_motion_and_look_but_no_colour() -> None:
    signals = {"motion": rows("motion", 2, 8), "look": rows("look", 2, 8), "colour": rows("colour", 1, 4, red=1.0)}
    facts = gather_facts(4.0, signals)
    assert facts is not None and told(facts.colours) == ["mostly red"]
    del signals["colour"]
    plain = gather_facts(4.0, signals)
    assert plain is not None and plain.colours == ()
    for name in ("motion", "look"):
        assert gather_facts(4.0, {key: value for key, value in signals.items() if key != name}) is None
    assert gather_facts(4.0, {**signals, "look": rows("look", 2, 0)}) is None


@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_every_track_tiles_the_clip(seconds: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = {
        name: {column: rng.choice([0.0, 0.03, 0.3, 0.7, np.nan], hz * seconds).tolist() for column in columns}
        for name, hz, columns in (
            ("motion", 2, Motion.columns),
            ("look", 2, ("border_top", "border_bottom")),
            ("colour", 1, ()),
        )
    }
    values["look"]["luma"] = rng.random(2 * seconds).tolist()
    values["colour"] = {name: rng.random(seconds).tolist() for name in ("red", "blue", "grey")}
    facts = facts_of(seconds, **values)
    for track in (facts.moves, facts.light, facts.action, facts.colours):
        assert (track[0].start_s, track[-1].end_s) == (0.0, float(seconds))
        assert all(one.end_s == other.start_s for one, other in pairwise(track))
    assert facts.words()


def test_facts_of_a_real_file(media) -> None:
    seen = scan(media["slow_pan"], {name: signal() for name, signal in SIGNALS.items()})
    facts = gather_facts(seen.video.duration_s, seen.series)
    assert facts is not None
    assert facts.words().startswith("Measured camera: pans right throughout. Measured brightness: medium throughout.")


def test_words_have_times_where_something_changes() -> None:
    facts = Facts(
        9.0,
        (Move("static", 0.0, 4.0, 0.0), Move("unknown", 4.0, 5.5, 0.0), Move("zoom in", 5.5, 9.0, 0.1)),
        (Span("dark", 0.0, 9.0),),
        (Span("", 0.0, 3.25), Span("on the left", 3.25, 9.0)),
        (),
    )
    assert facts.words() == (
        "Measured camera: static 0-4 s; zooms in or moves forward 5.5-9 s. Measured brightness: dark throughout. "
        "Measured motion of things: on the left 3.2-9 s."
    )


def moving(kind: str, *, speed: float = 0.2, light: str = "medium") -> Facts:
    """Static from 0 to 4 s, then one move to 10 s."""
    return Facts(
        10.0,
        (Move("static", 0.0, 4.0, 0.0), Move(kind, 4.0, 10.0, speed)),
        (Span(light, 0.0, 10.0),),
        (Span("", 0.0, 10.0),),
        (),
    )


STATIC = "The camera remains static as a man crosses the street."


def test_a_static_camera_that_moves_is_a_contradiction() -> None:
    (problem,) = contradictions(STATIC, moving("pan right"), 2.0, 10.0)
    assert "measured to pan right from 4 to 10 s" in problem
    assert "the caption says it is static" in problem
    assert contradictions(STATIC, moving("pan right"), 0.0, 5.0) == []  # it mostly is
    assert contradictions(STATIC, moving("pan right", speed=0.03), 4.0, 10.0) == []
    (problem,) = contradictions(STATIC, moving("handheld"), 4.0, 10.0)
    assert "measured to shake from 4 to 10 s" in problem
    assert contradictions(STATIC, moving("handheld", speed=0.08), 4.0, 10.0) == []
    for vague in ("moving", "unknown"):
        assert contradictions(STATIC, moving(vague), 4.0, 10.0) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("The camera pans left along the wall.", "pan right"),
        ("The camera slowly pans to the right.", "pan left"),
        ("A slow zoom out reveals the hall.", "zoom in"),
        ("The camera tilts up to the sky.", "tilt down"),
    ],
)
def test_the_opposite_way_is_a_contradiction(text: str, kind: str) -> None:
    (problem,) = contradictions(text, moving(kind), 4.0, 10.0)
    assert f"measured to {kind} from 4 to 10 s" in problem
    assert contradictions(text, moving(kind), 0.0, 6.0) == []
    assert contradictions(text, moving(kind, speed=0.01), 4.0, 10.0) == []


@pytest.mark.parametrize(
    "text",
    [
        "The camera pans right across the valley.",
        "The camera pans left, then back to the right.",
        "The camera tilts up.",
        "The camera follows a car that moves to the left.",
        "The camera does not pan left.",
        "A man walks to the left of a stationary car.",
        "It is dark outside the bright window.",
        "",
    ],
)
def test_what_is_no_contradiction(text: str) -> None:
    assert contradictions(text, moving("pan right"), 4.0, 10.0) == []


def test_light_that_is_the_opposite_is_a_contradiction() -> None:
    dark, bright = "A man waits in complete darkness.", "The scene is bright, with children in bright sunlight."
    (problem,) = contradictions(dark, moving("static", light="bright"), 0.0, 10.0)
    assert "measured to be bright" in problem and "says it is dark" in problem
    (problem,) = contradictions(bright, moving("static", light="very dark"), 0.0, 10.0)
    assert "measured to be very dark" in problem and "says it is bright" in problem
    for text in (dark, bright):
        assert contradictions(text, moving("static", light="medium"), 0.0, 10.0) == []
    assert contradictions(bright, moving("static", light="dark"), 0.0, 10.0) == []
    assert contradictions(dark, moving("static", light="bright"), 3.0, 3.0) == []
