import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longtake.records import Series
from longtake.shots.transitions import transitions
from longtake.signals.transitions import Transitions

COLUMNS = Transitions.columns


def series(*likely: tuple[str, int | slice, float], n: int = 100, fps: float = 25) -> Series:
    """A signal that is 0 but where said, of pictures that are not plain: column, rows, probability."""
    values = np.zeros((n, len(COLUMNS)), np.float32)
    values[:, COLUMNS.index("spread")] = 40
    for name, rows, value in likely:
        values[rows, COLUMNS.index(name)] = value
    return Series(COLUMNS, np.arange(n) / fps, np.arange(n, dtype=np.int32), values)


def test_a_cut_starts_and_ends_at_the_first_new_frame():
    (one,) = transitions(series(("cut", 40, 0.9)))
    assert (one.kind, one.start_frame, one.end_frame, one.start_s) == ("cut", 40, 40, 1.6)
    assert one.confidence == pytest.approx(0.9)


def test_of_two_cuts_too_close_the_likelier_stays():
    assert [t.start_frame for t in transitions(series(("cut", 40, 0.7), ("cut", 41, 0.9), ("cut", 50, 0.8)))] == [
        41,
        50,
    ]


@pytest.mark.parametrize("kind", ["dissolve", "fade", "wipe"])
def test_a_gradual_transition_lasts_while_it_is_likely(kind):
    (one,) = transitions(series((kind, slice(40, 60), 0.8), (kind, 45, 0.95), (kind, 59, 0.6)))
    assert (one.kind, one.start_frame, one.end_frame) == (kind, 40, 60)
    assert one.confidence == pytest.approx(0.95)


def test_kinds_together_can_be_likely_and_the_likeliest_names_it():
    (one,) = transitions(series(("dissolve", slice(40, 60), 0.46), ("wipe", slice(40, 60), 0.5)))
    assert (one.kind, one.start_frame, one.end_frame) == ("wipe", 40, 60)


def test_a_short_doubt_does_not_split_a_transition_and_a_long_one_does():
    assert len(transitions(series(("fade", slice(40, 50), 0.95), ("fade", slice(51, 60), 0.95)))) == 1
    assert len(transitions(series(("fade", slice(40, 50), 0.95), ("fade", slice(56, 66), 0.95)))) == 2


@pytest.mark.parametrize(("likely", "left_out", "found"), [(0.8, 0, 1), (0.8, 1, 0), (0.95, 1, 1)])
def test_a_cut_that_the_encoder_did_not_see_must_be_all_but_certain(likely, left_out, found):
    whole = series(("cut", 40, likely))
    seen = [row for row in range(len(whole)) if not (left_out and row == 39)]
    thinned = Series(COLUMNS, whole.times[seen], whole.frames[seen], whole.values[seen])
    assert len(transitions(thinned)) == found


@pytest.mark.parametrize(
    ("cut", "start", "end"), [(36, 40, 60), (37, 37, 60), (50, 40, 60), (63, 40, 63), (64, 40, 60)]
)
def test_a_cut_where_a_gradual_transition_begins_or_ends_is_part_of_it(cut, start, end):
    found = transitions(series(("fade", slice(40, 60), 0.95), ("cut", cut, 0.8), fps=50))
    assert [(t.start_frame, t.end_frame) for t in found if t.kind == "fade"] == [(start, end)]
    assert [t.start_frame for t in found if t.kind == "cut"] == ([cut] if cut in {36, 64} else [])


def faded(*likely: tuple[str, int | slice, float], black: int = 5) -> Series:
    """Down to black from frame 40 on, where spreads fall by a third a frame, and up at once."""
    down = [("spread", 40 + k, 40 * 0.67 ** (k + 1)) for k in range(7)]
    return series(*down, ("spread", slice(47, 47 + black), 0.5), *likely)


def test_black_between_two_pictures_is_a_fade_even_if_the_network_is_not_sure():
    (one,) = transitions(faded(("fade", slice(40, 45), 0.6), ("cut", 52, 0.3)))
    assert (one.kind, one.start_frame, one.end_frame, one.confidence) == ("fade", 40, 52, pytest.approx(0.9))


def test_black_for_a_moment_is_none_nor_is_what_the_network_takes_for_a_flash():
    assert transitions(faded(("fade", slice(40, 45), 0.6), black=1))
    assert transitions(series(("spread", slice(47, 48), 0.5), ("cut", 47, 0.3))) == []
    assert transitions(series(("spread", slice(47, 50), 0.5), ("cut", 47, 0.3)))
    assert transitions(faded(("fade", slice(40, 45), 0.05))) == []


def test_black_is_told_once_where_the_network_found_the_transition():
    assert [t.kind for t in transitions(faded(("cut", 52, 0.9)))] == ["cut"]
    (one,) = transitions(faded(("fade", slice(38, 52), 0.97)))
    assert (one.start_frame, one.end_frame) == (38, 52)
    assert transitions(faded(("fade", slice(40, 45), 0.6)), gradual=0.95) == []


def jump(*more: tuple[str, int | slice, float], change: float = 20, likely: float = 0.1) -> Series:
    """A change at frame 40 among lesser ones, which the network doubts."""
    return series(("change", slice(1, 100), 4), ("change", 40, change), ("cut", 40, likely), *more)


def test_a_change_that_stands_out_is_a_cut_even_if_the_network_doubts_it():
    (one,) = transitions(jump())
    assert (one.kind, one.start_frame, one.confidence) == ("cut", 40, pytest.approx(0.9))
    assert transitions(jump(likely=0.01)) == []
    assert transitions(jump(change=12)) == []
    assert transitions(jump(), cut=0.95) == []


def test_what_changes_as_much_soon_is_motion_and_a_flash_no_cut():
    assert transitions(jump(("change", 46, 12))) == []
    assert transitions(jump(("change", 42, 20))) == []
    assert transitions(jump(("change", 52, 20)))


def test_where_frames_lie_further_apart_a_change_has_to_be_greater():
    half = jump()
    kept = np.array([i for i in range(100) if i != 39])  # frame 40 now comes after 0.08 s, and the others after 0.04
    thinned = Series(COLUMNS, half.times[kept], half.frames[kept], half.values[kept])
    assert transitions(half) and not transitions(thinned)


def test_an_inset_or_a_bar_is_no_cut():
    assert transitions(jump(("boxed", 40, 0.7))) == []
    assert transitions(jump(("boxed", 40, 0.9), likely=0.8)) == []
    assert [t.start_frame for t in transitions(jump(("boxed", 40, 0.9), likely=0.95))] == [40]
    assert [t.start_frame for t in transitions(jump(("boxed", 40, 0.7), likely=0.8))] == [40]


@pytest.mark.parametrize("kind", ["dissolve", "wipe"])
def test_between_pictures_with_the_same_edges_there_is_no_dissolve_and_no_wipe(kind):
    between = (kind, slice(40, 55), 0.95)
    assert transitions(series(between, ("alike_08", slice(56, 59), 0.7))) == []
    assert transitions(series(between, ("alike_08", slice(56, 59), 0.5)))
    assert transitions(series(between, ("alike_04", slice(0, 100), 0.7)))  # whose other side lies within
    assert transitions(series(("fade", slice(40, 55), 0.95), ("alike_08", slice(56, 59), 0.7)))


def test_what_reaches_an_end_lies_not_between_two_shots():
    assert transitions(series(("fade", slice(0, 20), 0.95), ("fade", slice(90, 100), 0.95), ("cut", 0, 0.9))) == []
    dark = [("spread", rows, 0.5) for rows in (slice(0, 10), slice(90, 100))]
    assert transitions(series(*dark, ("cut", 10, 0.3), ("fade", slice(85, 90), 0.4))) == []


def test_a_higher_limit_finds_less():
    doubtful = series(("cut", 20, 0.6), ("wipe", slice(40, 60), 0.92))
    assert len(transitions(doubtful)) == 2
    assert [t.kind for t in transitions(doubtful, cut=0.7)] == ["wipe"]
    assert [t.kind for t in transitions(doubtful, gradual=0.95)] == ["cut"]


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(0, 80), fps=st.sampled_from([5, 25, 120]))
def test_transitions_are_in_order_apart_and_inside(seed, n, fps):
    rng = np.random.default_rng(seed)
    at_s = np.cumsum(rng.uniform(0.2, 1.8, n)) / fps
    odds = rng.gamma(0.3, size=(n, 5)).repeat(rng.integers(1, 6), axis=0)[:n] + 1e-9
    made = {
        "change": rng.choice([1, 4, 30], n),
        "spread": rng.choice([0.5, 2, 3, 40], n).repeat(rng.integers(1, 6))[:n],
        "boxed": rng.choice([0, 0.7, 0.9], n),
        **dict(zip(("cut", "dissolve", "fade", "wipe"), (odds / odds.sum(1, keepdims=True))[:, 1:].T, strict=True)),
        **{name: rng.uniform(-1, 1, n) for name in COLUMNS if name.startswith("alike")},
    }
    values = np.stack([made[name] for name in COLUMNS], axis=1).astype(np.float32)
    last = 0
    for one in transitions(Series(COLUMNS, at_s, np.arange(n, dtype=np.int32), values)):
        assert last < one.start_frame <= one.end_frame <= n - 1
        assert (one.start_frame == one.end_frame) == (one.kind == "cut")
        assert (one.start_s, one.end_s) == (at_s[one.start_frame], at_s[one.end_frame])
        assert 0.5 <= one.confidence <= 1
        last = one.end_frame
