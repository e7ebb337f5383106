import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import Script, run

from longtake.captions import View, try_out
from longtake.errors import UsageError
from longtake.records import Clip, Vote
from longtake.voters.same_scene import AWAY_S, same_scene

FPS = 25


def view_of(before_s: float, after_s: float, *, gap_s: float = 0.0, fps: float = FPS) -> View:
    """Two shots of those lengths with a transition between them, somewhere inside a video."""
    duration_s = before_s + gap_s + after_s
    clip = Clip("stretch", "video", 100.0, 100.0 + duration_s, 2500, 2500 + round(fps * duration_s))
    return View(clip, transition=(before_s, before_s + gap_s))


def look_of(view: View, **parameters: float) -> list[float]:
    ask = Script(lambda _: "YES")
    run(same_scene(view, ask, **parameters))
    [[question]] = ask.rounds
    assert question.look.columns * 2 == len(question.look.times)
    return list(question.look.times)


@pytest.mark.parametrize(
    ("answer", "joins"),
    [
        ("YES", True),
        ("No.", False),
        ("**yes**\n", True),
        ("UNKNOWN", None),
        ("", None),
        ("YES or NO", None),
        ("NOT YES", None),
        ("YES, the place is the same.", None),
        ("GOOD", None),
    ],
)
def test_only_one_of_the_words_is_a_vote(answer: str, joins: bool | None) -> None:
    ask = Script(lambda _: answer)
    assert run(same_scene(view_of(4, 4), ask)) == Vote(joins)
    [[question]] = ask.rounds
    assert bool(question.check(answer)) == (joins is None and answer != "UNKNOWN")


def test_three_frames_of_the_last_second_and_three_of_the_first() -> None:
    times = look_of(view_of(4, 6))
    part = (1 - AWAY_S) / 3
    centres = [part / 2, 1.5 * part, 2.5 * part]
    assert times == pytest.approx([3 + t for t in centres] + [4 + AWAY_S + t for t in centres])


def test_parameters_say_how_many_frames_from_where_and_how_large() -> None:
    times = look_of(view_of(8, 8), frames=5, side_s=4.0)
    assert len(times) == 10 and 4 < min(times) < 4.4 and 11.6 < max(times) < 12
    ask = Script(lambda _: "NO")
    run(same_scene(view_of(8, 8), ask, cell_px=128))
    assert ask.questions[0].look.cell_px == 128


@given(
    before_s=st.floats(0.02, 20),
    after_s=st.floats(0.02, 20),
    gap_s=st.sampled_from([0.0, 0.5, 2.0]),
    side_s=st.floats(0.01, 10),
    frames=st.integers(1, 6),
    fps=st.sampled_from([10.0, 25.0, 60.0]),
)
def test_every_row_lies_in_its_own_shot_and_clear_of_the_transition(
    before_s: float, after_s: float, gap_s: float, side_s: float, frames: int, fps: float
) -> None:
    view = view_of(before_s, after_s, gap_s=gap_s, fps=fps)
    times = look_of(view, frames=frames, side_s=side_s)
    start_s, end_s = view.transition
    upper, lower = times[:frames], times[frames:]
    assert times == sorted(times)
    assert max(0, start_s - side_s) <= upper[0] and upper[-1] < start_s
    assert end_s < lower[0] and lower[-1] < view.duration_s and lower[-1] <= end_s + side_s
    away_s = 2 * view.duration_s / max(1, view.clip.end_frame - view.clip.start_frame)
    for reach_s, distance_s in ((before_s, start_s - upper[-1]), (after_s, lower[0] - end_s)):
        if min(reach_s, side_s) >= 2 * max(away_s, AWAY_S):
            assert distance_s >= max(away_s, AWAY_S)


def test_a_gradual_transition_is_called_one() -> None:
    ask = Script(lambda _: "NO")
    run(same_scene(view_of(4, 4), ask))
    run(same_scene(view_of(4, 4, gap_s=1), ask))
    cut, gradual = ask.questions
    assert "before a cut" in cut.prompt and "gradual" in gradual.prompt and "6 frames" in cut.prompt


@pytest.mark.parametrize(
    "parameters", [{"side_s": 0.0}, {"side_s": -1.0}, {"side_s": float("nan")}, {"frames": 0}, {"cell_px": 2}]
)
def test_parameters_out_of_range_show_before_any_work(parameters: dict[str, float]) -> None:
    try_out(same_scene, {})
    with pytest.raises(UsageError, match=next(iter(parameters))):
        try_out(same_scene, parameters)


def test_every_parameter_is_told_in_the_docstring() -> None:
    told = {line.split(":")[0].strip() for line in inspect.getdoc(same_scene).splitlines() if ":" in line}
    assert {"frames", "side_s", "cell_px"} <= told
