"""Stitching: which votes join what, where clips begin and end, and what is said of the transitions inside them."""

import itertools
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longtake.clips.stitch import stitch
from longtake.clips.takes import takes
from longtake.errors import UsageError
from longtake.recipe import resolve
from longtake.records import Shot, Transition, Votes
from longtake.running import run
from longtake.shots import shots_between
from longtake.store import Store

FPS = 25
FOUR = ("model_a", "model_b", "colour", "shape")
OPINIONS = (True, False, None, "missing")


def video(*edges: int) -> tuple[list[Shot], np.ndarray, float]:
    """Make shots between cuts at these frames, from 0 to the last, with frame times and end, at 25 per second."""
    shots = [Shot(a / FPS, b / FPS, a, b) for a, b in pairwise((0, *edges))]
    return shots, np.arange(edges[-1]) / FPS, edges[-1] / FPS


def cast(*opinions: object, voters: tuple[str, ...] = FOUR) -> dict[str, bool | None]:
    """Make the votes on one transition; a missing one is left out."""
    said = zip(voters, opinions, strict=True)
    return {voter: opinion for voter, opinion in said if opinion != "missing"}  # type: ignore[misc]


def frames(clips: list[Shot]) -> list[tuple[int, int]]:
    return [(clip.start_frame, clip.end_frame) for clip in clips]


# The rule

JOINING = {"11..", "..11"}
"""The truth table: two of a pair are enough, whatever the others say, or don't."""


@pytest.mark.parametrize("opinions", list(itertools.product(OPINIONS, repeat=4)))
def test_the_truth_table(opinions: tuple[object, ...]) -> None:
    """All 16 answers of four voters, and all with some that can't tell or have not voted, which is no yes."""
    made = video(50, 100)
    word = "".join("1" if opinion is True else "0" for opinion in opinions)
    joined = any(re.fullmatch(pattern, word) for pattern in JOINING)
    clips = stitch(*made, Votes(FOUR, (cast(*opinions),)))
    assert frames(clips) == ([(0, 100)] if joined else [(0, 47), (53, 100)])


@pytest.mark.parametrize(
    ("join", "yes", "joined"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("a or b", "b", True),
        ("a and b", "a", False),
        ("a and b and c", "ab", False),
        ("a and b and c", "abc", True),
        ("a or b and c", "a", True),
        ("a or b and c", "b", False),
        ("a or b and c", "bc", True),
        ("a and b or c", "c", True),
        ("a and b or c", "a", False),
        ("  a   or\n b ", "b", True),
        ("a and a", "a", True),
    ],
)
def test_and_binds_tighter_than_or(join: str, yes: str, joined: bool) -> None:
    votes = Votes(("a", "b", "c"), ({voter: voter in yes for voter in "abc"},))
    assert len(stitch(*video(50, 100), votes, join=join)) == (1 if joined else 2)


@pytest.mark.parametrize(
    "join",
    [
        *("", " ", "and", "a and", "or a", "a b", "a and and b", "a or or b", "a and or", "a xor b", "a & b"),
        *("(a or b)", "a AND b", "not a", "a and not b", "a, b"),
    ],
)
def test_what_is_no_rule_is_refused(join: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"join = {join!r}")):
        stitch([], np.empty(0), 0.0, Votes(("a", "b")), join=join)


def test_a_label_that_is_no_voter_is_refused() -> None:
    with pytest.raises(
        UsageError, match=r"no voter 'model_b'; there is model_a, colour; name it in \[voters.model_b\]"
    ):
        stitch([], np.empty(0), 0.0, Votes(("model_a", "colour")))
    with pytest.raises(UsageError, match="no voter 'model_a'; the recipe has none"):
        stitch([], np.empty(0), 0.0, Votes(()))


def test_a_recipe_says_so_before_anything_is_decoded() -> None:
    with pytest.raises(UsageError, match="no voter 'model_a'"):
        resolve({"clips": {"step": "stitch"}})
    with pytest.raises(UsageError, match="is no rule"):
        resolve({"clips": {"step": "stitch", "join": "colour and"}})


# The clips


def test_outer_ends_are_trimmed_and_inner_transitions_stay() -> None:
    times = np.arange(400) / FPS
    dissolve = Transition("dissolve", 4.0, 4.4, 100, 110, 0.9)
    cuts = [Transition("cut", at / FPS, at / FPS, at, at, 1.0) for at in (200, 300)]
    shots = shots_between([dissolve, *cuts], times, 16.0)
    said = ({"a": True}, {"a": False}, {"a": True})
    clips = stitch(shots, times, 16.0, Votes(("a",), said), join="a", trim_s=0.2)
    assert frames(clips) == [(0, 195), (205, 400)]


def test_no_yes_at_all_gives_the_takes() -> None:
    made = video(50, 100, 102, 180)
    votes = Votes(("a",), ({}, {"a": None}, {"a": False}))
    assert stitch(*made, votes, join="a", trim_s=0.04) == takes(*made, trim_s=0.04)


def test_a_clip_does_not_grow_beyond_the_most() -> None:
    made = video(50, 100, 300, 350, 400)  # 2, 2, 8, 2, 2 s
    yes = Votes(("a",), ({"a": True},) * 4)

    def clips(most_s: float) -> list[tuple[int, int]]:
        return frames(stitch(*made, yes, join="a", trim_s=0, most_s=most_s))

    assert clips(0) == [(0, 400)]
    assert clips(4) == [(0, 100), (100, 300), (300, 400)]
    assert clips(12) == [(0, 300), (300, 400)]
    assert clips(11.9) == [(0, 100), (100, 350), (350, 400)]


def test_a_video_of_one_shot_is_one_clip() -> None:
    assert frames(stitch(*video(50), Votes(("a",)), join="a")) == [(0, 50)]


@st.composite
def voted(draw: st.DrawFn) -> tuple[list[Transition], np.ndarray, float, tuple[dict[str, bool | None], ...]]:
    """Draw uneven frame times, cuts and gradual transitions, and what two voters said of each."""
    steps = draw(st.lists(st.floats(0.001, 2.0), min_size=1, max_size=60))
    times = np.concatenate([[0.0], np.cumsum(steps)])
    bounds = sorted(draw(st.sets(st.integers(1, len(times) - 1), max_size=min(16, len(times) - 1))))
    transitions = []
    while bounds:
        start = bounds.pop(0)
        end = bounds.pop(0) if bounds and draw(st.booleans()) else start
        transitions.append(Transition("dissolve", float(times[start]), float(times[end]), start, end, 1.0))
    opinions = st.sampled_from(OPINIONS)
    said = tuple(cast(draw(opinions), draw(opinions), voters=("a", "b")) for _ in transitions)
    return transitions, times, float(times[-1] + 0.04), said


@given(voted(), st.sampled_from(["a", "a and b", "a or b"]), st.floats(0, 0.5), st.sampled_from([0.0, 1.0, 10.0]))
def test_clips_cross_only_what_votes_say_yes_to(
    made: tuple[list[Transition], np.ndarray, float, tuple[dict[str, bool | None], ...]],
    join: str,
    trim_s: float,
    most_s: float,
) -> None:
    transitions, times, end_s, said = made
    shots = shots_between(transitions, times, end_s)
    clips = stitch(shots, times, end_s, Votes(("a", "b"), said), join=join, trim_s=trim_s, most_s=most_s)
    yes = {
        "a": [votes.get("a") is True for votes in said],
        "a and b": [votes.get("a") is True and votes.get("b") is True for votes in said],
        "a or b": [votes.get("a") is True or votes.get("b") is True for votes in said],
    }[join]
    lasting = [bool(takes([shot], times, end_s, trim_s=trim_s)) for shot in shots]

    def owners(span: Shot | Transition) -> list[Shot]:
        return [c for c in clips if c.start_frame < span.end_frame and span.start_frame < c.end_frame]

    for shot, lasts in zip(shots, lasting, strict=True):
        assert len(owners(shot)) == 1 or (not owners(shot) and not lasts)
    for transition, agreed, one, last in zip(transitions, yes, shots[:-1], pairwise(lasting), strict=True):
        inside = [c for c in clips if c.start_frame < transition.start_frame and transition.end_frame < c.end_frame]
        assert len(inside) <= agreed
        assert inside or not owners(transition), "no clip begins or ends amid a transition"
        assert inside or most_s or not (agreed and all(last)), "two that belong together are in one clip"
        assert not inside or owners(one) == inside or not last[0]
    for clip in clips:
        joined = any(clip.start_frame < t.start_frame and t.end_frame < clip.end_frame for t in transitions)
        assert not most_s or clip.end_s - clip.start_s <= most_s + 1e-6 or not joined


def test_an_outermost_shot_shorter_than_the_trim_is_left_out() -> None:
    """Else the clip would begin in the middle of the dissolve that follows."""
    times = np.arange(200) / FPS
    cut, dissolve = Transition("cut", 2.0, 2.0, 50, 50, 1.0), Transition("dissolve", 2.08, 3.0, 52, 75, 0.9)
    shots = shots_between([cut, dissolve], times, 8.0)
    votes = Votes(("a",), ({"a": False}, {"a": True}))
    assert frames(stitch(shots, times, 8.0, votes, join="a", trim_s=0.12)) == [(0, 47), (78, 200)]


def test_thousands_of_shots() -> None:
    n = 5000
    made = video(*range(25, 25 * n + 1, 25))
    votes = Votes(("a",), tuple({"a": number % 3 != 2} for number in range(n - 1)))
    assert len(stitch(*made, votes, join="a")) == -(-n // 3)


# In a run

RECIPE = """
[signals.signature]
step = "scene_steps:Tones"

[voters.colour]
step = "alike"
columns = "colour"

[voters.shape]
step = "alike"
columns = "shape"

[clips]
step = "stitch"
join = "colour and shape"

[select]
keep = ["transitions >= 1"]

[files]
preset = "ultrafast"
"""


def test_a_run_stitches_a_film(film: Path, steps: Path) -> None:
    """Warm, warm, cold, dissolve, warm: one cut is joined, known to the clip, and not held against its file."""
    (steps / "stitch.toml").write_text(RECIPE)
    done = run(str(steps / "stitch.toml"), [film], steps / "set", workers=1)
    assert not done.failures
    store = Store(steps / "set")
    joined, *single = sorted(store.read("clips").to_pylist(), key=lambda row: row["start_s"])
    assert (joined["start_frame"], joined["end_frame"]) == (0, 144 - 3)
    assert [row["transitions"] for row in (joined, *single)] == [1, 0, 0]
    assert [row["transitions_at"] for row in single] == [[], []]
    (cut,) = joined["transitions_at"]
    assert (cut["kind"], cut["start_frame"], cut["end_frame"]) == ("cut", 72, 72)
    assert joined["kept"] and not any(row["kept"] for row in single)
    assert (joined["file_transitions"], joined["file_transitions_at"]) == (0, [])
    votes = {(row["number"], row["voter"]): row["joins"] for row in store.read("votes").to_pylist()}
    assert votes == {
        **{(number, "shape"): True for number in range(3)},
        **{(number, "colour"): number == 0 for number in range(3)},
    }


def test_other_rules_over_the_same_votes_need_no_second_scan(film: Path, steps: Path) -> None:
    (steps / "stitch.toml").write_text(RECIPE)
    run(str(steps / "stitch.toml"), [film], steps / "set", workers=1, settings=["files.verify=false"])
    again = run(str(steps / "stitch.toml"), [film], steps / "set", workers=1, settings=["clips.join='shape'"])
    assert again.measured.scanned_s == 0
    (row,) = Store(steps / "set").read("clips").to_pylist()
    assert (row["start_frame"], row["end_frame"], row["transitions"]) == (0, 336, 3)
    assert [found["kind"] for found in row["transitions_at"]] == ["cut", "cut", "dissolve"]
    assert (row["file_transitions"], row["file_transitions_at"]) == (0, [])
