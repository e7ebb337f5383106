from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import Pictures, Times, dissolve, fade, measure, scene, times, wipe

from longtake.records import Transition
from longtake.shots.change import change


def found(shown: Pictures, at_s: Times) -> list[Transition]:
    return change(measure(shown, at_s))


def cut(old: Pictures, new: Pictures, at_s: Times, start_s: float, end_s: float) -> Pictures:
    return np.where((at_s >= start_s - 1e-6)[:, None, None, None], new, old)


def test_a_cut_starts_and_ends_at_the_first_new_frame():
    at_s = times(25, 6)
    assert found(cut(scene(1, at_s), scene(2, at_s), at_s, 3, 3), at_s) == [
        Transition("cut", 3.0, 3.0, 75, 75, pytest.approx(0.9, abs=0.1))
    ]


@pytest.mark.parametrize("length_s", [0.6, 1.0, 1.8])
@pytest.mark.parametrize(("kind", "make"), [("dissolve", dissolve), ("wipe", wipe), ("fade", fade)])
def test_gradual_transitions_cover_their_mixed_frames(kind, make, length_s):
    at_s = times(30, 8)
    start_s, end_s = 4 - length_s / 2, 4 + length_s / 2
    (one,) = found(make(scene(2, at_s), scene(3, at_s), at_s, start_s, end_s), at_s)
    assert one.kind == kind
    # A frame that is mixed by less than a tenth is as good as pure; a wipe may pass where the shots differ little.
    slack_s = (0.2 if kind == "wipe" else 0.1) * length_s + 1 / 30
    assert start_s - 0.5 * length_s < one.start_s < start_s + slack_s
    assert end_s - slack_s < one.end_s < end_s + 0.5 * length_s
    assert 0.5 <= one.confidence <= 1


def flash(shown: Pictures, at_s: Times) -> None:
    shown[(at_s > 3) & (at_s < 3.1)] = 250


def ramp(shown: Pictures, at_s: Times) -> None:
    shown *= (1 - 0.85 * np.exp(-(((at_s - 3) / 0.5) ** 2)))[:, None, None, None]


def passing(shown: Pictures, at_s: Times) -> None:
    for frame, left in zip(np.flatnonzero((at_s > 3) & (at_s < 3.4)), np.linspace(-30, 48, 40), strict=False):
        shown[frame, :, max(0, int(left)) : max(0, int(left) + 30)] = 30


def inset(shown: Pictures, at_s: Times) -> None:
    shown[(at_s > 2) & (at_s < 4), :6, 37:] = 240


def bars(shown: Pictures, at_s: Times) -> None:
    shown[at_s > 3, :4] = shown[at_s > 3, 22:] = 0


def nothing(shown: Pictures, at_s: Times) -> None:
    pass


@pytest.mark.parametrize("happen", [nothing, flash, ramp, passing, inset, bars])
@pytest.mark.parametrize("speed", [0.0, 0.05, 0.1])
def test_what_happens_within_a_shot_is_no_transition(happen: Callable[[Pictures, Times], None], speed):
    at_s = times(25, 6)
    shown = scene(3, at_s, speed=speed)
    happen(shown, at_s)
    assert found(shown, at_s) == []


def test_a_whip_pan_is_no_transition():
    at_s = times(30, 6)
    there = 0.5 - 0.5 * np.cos(np.pi * np.clip((at_s - 3) / 0.3, 0, 1))
    assert found(scene(4, 0.05 * at_s + 1.2 * there, speed=1), at_s) == []


def test_fades_at_the_ends_are_left_out():
    at_s = times(25, 6)
    shown = scene(1, at_s) * np.clip(np.minimum(at_s - 0.3, 5.7 - at_s), 0, 1)[:, None, None, None]
    assert found(shown, at_s) == []


def test_frame_rate_does_not_matter():
    answers = []
    for fps in (24, 30, 60):
        at_s = times(fps, 13)
        shots = [scene(seed, at_s) for seed in range(5)]
        shown = cut(shots[0], shots[1], at_s, 2, 2)
        shown = dissolve(shown, shots[2], at_s, 4, 5)
        shown = wipe(shown, shots[3], at_s, 7, 7.8)
        answers.append(found(fade(shown, shots[4], at_s, 10, 11.4), at_s))
    for answer in answers:
        assert [one.kind for one in answer] == ["cut", "dissolve", "wipe", "fade"]
        for one, other in zip(answer, answers[0], strict=True):
            assert one.start_s == pytest.approx(other.start_s, abs=2 / 24)
            assert one.end_s == pytest.approx(other.end_s, abs=2 / 24)


def test_confidence_grows_with_the_evidence():
    at_s = times(25, 6)
    old, new = scene(1, at_s, speed=0.2), scene(2, at_s, speed=0.2)
    (weak,) = found(cut(old, 0.6 * old + 0.4 * new, at_s, 3, 3), at_s)
    (strong,) = found(cut(old, new, at_s, 3, 3), at_s)
    assert weak.confidence < strong.confidence


def test_a_higher_limit_finds_less():
    at_s = times(25, 6)
    series = measure(cut(scene(1, at_s), scene(2, at_s), at_s, 3, 3), at_s)
    assert change(series, cut=2.3) and not change(series, cut=100)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(0, 60), shots=st.integers(1, 8), fps=st.sampled_from([5, 25, 120]))
@settings(max_examples=40, deadline=None)
def test_transitions_are_in_order_apart_and_inside(seed, n, shots, fps):
    rng = np.random.default_rng(seed)
    at_s = np.cumsum(rng.uniform(0.2, 1.8, n)) / fps
    levels = rng.integers(0, 256, (shots, 26, 48, 3)) * rng.choice([0, 0.1, 1], shots)[:, None, None, None]
    weights = rng.dirichlet(np.full(shots, 0.3), n)
    answer = found(np.einsum("ns,shwc->nhwc", weights, levels), at_s)
    last = 0
    for one in answer:
        assert last < one.start_frame <= one.end_frame <= n - 1
        assert (one.start_frame == one.end_frame) == (one.kind == "cut")
        assert (one.start_s, one.end_s) == (at_s[one.start_frame], at_s[one.end_frame])
        assert 0 <= one.confidence <= 1
        last = one.end_frame
