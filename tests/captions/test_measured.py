import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longtake.captions import View
from longtake.captions.measured import measured, timeline
from longtake.facts import WHERE, Facts, Span, gather_facts
from longtake.moves import Move
from longtake.records import Caption, Clip
from longtake.signals.colour import Colour
from longtake.signals.look import Look
from longtake.signals.motion import Motion
from longtake.video import scan

KINDS = [
    "static",
    "pan left",
    "pan right",
    "tilt up",
    "zoom in",
    "zoom out",
    "roll clockwise",
    "handheld",
    "moving",
    "unknown",
]


def view_of(
    moves: list[tuple[str, float]],
    light: list[tuple[str, float]],
    action: list[tuple[str, float]],
    colours: list[tuple[str, float]],
    speed: float = 0.1,
) -> View:
    """A clip whose tracks are given as what holds until when."""
    end_s = light[-1][1]

    def spans(track: list[tuple[str, float]]) -> tuple[Span, ...]:
        starts = [0.0, *(until for _, until in track)]
        return tuple(Span(words, start_s, until) for start_s, (words, until) in zip(starts, track, strict=False))

    camera = tuple(Move(span.words, span.start_s, span.end_s, speed) for span in spans(moves))
    facts = Facts(end_s, camera, spans(light), spans(action), spans(colours))
    return View(Clip("c", "v", 3.0, 3.0 + end_s, 90, 300), facts=facts)


def texts(captions: list[Caption]) -> list[str]:
    return [caption.text for caption in captions]


def test_nothing_is_said_without_facts() -> None:
    assert measured(View(Clip("c", "v", 0.0, 4.0, 0, 96))) == []


def test_a_clip_in_which_nothing_changes_is_one_sentence() -> None:
    captions = measured(view_of([("static", 6.0)], [("bright", 6.0)], [("on the left", 6.0)], [("mostly green", 6.0)]))
    sentence = "The camera holds still on a bright, mostly green picture while something moves on the left."
    assert captions == [Caption("measured", 0, 0.0, 6.0, sentence), Caption("short", 0, 0.0, 6.0, sentence)]


def test_what_stays_the_same_is_not_told_again() -> None:
    view = view_of(
        [("static", 4.0), ("pan right", 12.0)],
        [("medium", 12.0)],
        [("", 7.0), ("in the middle", 12.0)],
        [("blue and white", 12.0)],
    )
    captions = measured(view)
    assert texts(captions) == [
        "The camera holds still on a blue and white picture.",
        "The camera pans right.",
        "Something moves in the middle while the camera keeps panning right.",
        "The camera first holds still, then pans right over a blue and white picture.",
    ]
    assert timeline(captions[:2]) == (
        "0-4 s: The camera holds still on a blue and white picture. 4-7 s: The camera pans right."
    )


@pytest.mark.parametrize(
    ("light", "colours", "words"),
    [
        ([("dark", 5.0), ("bright", 10.0)], [("mostly red", 10.0)], "The picture turns bright"),
        ([("dark", 5.0), ("medium", 10.0)], [("mostly red", 10.0)], "The picture turns brighter"),
        ([("bright", 5.0), ("medium", 10.0)], [("mostly red", 10.0)], "The picture turns darker"),
        ([("dark", 10.0)], [("mostly red", 5.0), ("grey and white", 10.0)],
         "The picture turns grey and white"),
    ],
)  # fmt: skip
def test_a_change_of_the_picture_is_told(light, colours, words: str) -> None:
    assert (
        measured(view_of([("static", 10.0)], light, [("", 10.0)], colours))[1].text
        == f"{words} while the camera keeps still."
    )


def test_a_colour_that_grows_is_no_change() -> None:
    colours = [("mostly grey", 7.0), ("brown and grey", 8.0), ("", 10.0)]
    captions = measured(view_of([("static", 10.0)], [("dark", 10.0)], [("", 10.0)], colours))
    assert texts(captions) == ["The camera holds still on a dark, mostly grey picture."] * 2


def test_of_an_unknown_camera_nothing_is_told() -> None:
    view = view_of([("unknown", 6.0)], [("dark", 6.0)], [("on the right", 6.0)], [("mostly black", 6.0)])
    assert measured(view)[0].text == "Something moves on the right; the picture is dark, mostly black."
    view = view_of([("unknown", 6.0)], [("medium", 6.0)], [("", 6.0)], [("", 6.0)])
    assert measured(view)[0].text == "Something moves, or the camera does."


def test_a_hand_is_told_by_its_shake() -> None:
    captions = measured(view_of([("handheld", 4.0), ("static", 8.0)], [("dark", 8.0)], [("", 8.0)], [("", 8.0)]))
    assert texts(captions) == [
        "The camera shakes over a dark picture.",
        "The camera holds still.",
        "The camera first shakes, then holds still over a dark picture.",
    ]


@pytest.mark.parametrize(
    ("speed", "words"), [(0.03, "pans left slowly"), (0.1, "pans left"), (0.8, "pans left quickly")]
)
def test_the_pace_of_a_pan(speed: float, words: str) -> None:
    captions = measured(view_of([("pan left", 6.0)], [("medium", 6.0)], [("", 6.0)], [("", 6.0)], speed))
    assert captions[0].text == f"The camera {words}."


def test_the_short_caption_of_many_moves_names_the_main_ones() -> None:
    often = [("static", 9.0), ("pan left", 10.0), ("static", 18.0), ("pan right", 20.0)]
    turns = [("tilt up", 3.0), ("pan left", 9.0), ("tilt up", 10.0), ("zoom in", 13.0)]
    again = [("static", 3.0), ("pan left", 8.0), ("static", 10.0)]
    short = [
        measured(view_of(moves, [("medium", moves[-1][1])], [("", moves[-1][1])], [("", moves[-1][1])]))[-1].text
        for moves in (often, turns, again)
    ]
    assert short == [
        "The camera mostly holds still and at times pans right.",
        "The camera by turns pans left, tilts up and draws closer.",
        "The camera first holds still, then pans left, then holds still again.",
    ]


def tracks(words: list[str]) -> st.SearchStrategy[list[tuple[str, float]]]:
    """Spans of a quarter of a second and more that end at 12 s."""
    ends = st.lists(st.integers(1, 47).map(lambda quarter: quarter / 4), unique=True, max_size=8).map(sorted)
    return ends.flatmap(
        lambda inner: st.tuples(*[st.tuples(st.sampled_from(words), st.just(end)) for end in [*inner, 12.0]]).map(list)
    )


@given(
    tracks(KINDS),
    tracks(["very dark", "dark", "medium", "bright"]),
    tracks(list(WHERE.values())),
    tracks(["mostly orange", "brown and green", "mostly white", ""]),
)
def test_captions_tile_the_clip_and_are_sentences(moves, light, action, colours) -> None:
    view = view_of(moves, light, action, colours)
    captions = measured(view)
    assert captions == measured(view)
    *timed, short = captions
    assert (timed[0].start_s, timed[-1].end_s) == (short.start_s, short.end_s) == (0.0, 12.0)
    assert all(one.end_s == other.start_s for one, other in pairwise(timed))
    assert [caption.number for caption in timed] == list(range(len(timed)))
    assert all(caption.end_s - caption.start_s >= 1 for caption in timed)
    for caption in captions:
        assert re.fullmatch(r"[A-Z][a-z,; ]*[a-z]\.", caption.text), caption.text
        assert not re.search(r"  | ,| ;|\ba [aeiou]|\ban [^aeiou]", caption.text), caption.text


def test_captions_of_a_real_file(media) -> None:
    signals = {"motion": Motion(), "look": Look(), "colour": Colour()}
    seen = scan(media["slow_pan"], signals)
    duration_s = seen.video.duration_s
    view = View(
        Clip("c", "v", 0.0, duration_s, 0, seen.video.frames), seen.series, gather_facts(duration_s, seen.series)
    )
    *_, short = measured(view)
    assert short.text.startswith("The camera pans right")
