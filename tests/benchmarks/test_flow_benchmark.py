"""The films of `benchmarks/flow.py` move as it says they do, and its tables count what they say."""

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from media import texture

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

import flow
from _exact import KINDS, THING, film, lengths, write

from longtake.signals.motion import Motion
from longtake.video import scan

PICTURES = [texture(320, 200, seed) for seed in (1, 2)]


def seen(picture, places, size):
    """Return what a picture shows at places: gray levels."""
    x, y = (places.real * size[1] + size[0] / 2, places.imag * size[1] + size[1] / 2)
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return cv2.remap(gray, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR).astype(float)


@pytest.mark.parametrize("seed", [0, 5])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_at_a_place_is_where_the_truth_says_a_little_later(kind, seed):
    one = film(kind, 0.4, seed)
    before, after = (one.show(time, PICTURES) for time in (0.3, 0.5))
    places, moved = one.moves(0.3, 0.5)
    went = places + moved
    inside = (np.abs(went.real) < one.size[0] / one.size[1] / 2 - 0.02) & (np.abs(went.imag) < 0.48)
    if one.thing:  # what it covers, or is at its rim
        for time, there in ((0.3, places), (0.5, went)):
            rim = np.abs(np.abs(there - one.thing(time)[1]) - THING) < 0.02
            inside &= ~rim
        covered = np.abs(went - one.thing(0.5)[1]) < THING
        inside &= covered == (np.abs(places - one.thing(0.3)[1]) < THING)
    off = np.abs(seen(before, places, one.size) - seen(after, went, one.size))[inside]
    stood = np.abs(seen(before, places, one.size) - seen(after, places, one.size))[inside]
    assert np.quantile(off, 0.98) < 4
    assert inside.mean() > 0.5
    assert off.mean() < 0.25 * stood.mean()


@pytest.mark.parametrize("speed", [0.02, 0.4])
def test_lengths_are_those_asked_for(speed):
    """Of a picture of 16:9, of which the thing covers a seventh."""
    films = {kind: film(kind, speed, 1) for kind in ("pan", "roll", "zoom", "shake", "thing")}
    ways = {
        kind: np.mean([lengths(one, t, t + 0.01)[0] / 0.01 for t in np.arange(0, 10, 0.07)])
        for kind, one in films.items()
    }
    assert ways == {
        "pan": pytest.approx(speed),
        "roll": pytest.approx(speed, rel=0.05),
        "zoom": pytest.approx(speed, rel=0.05),
        "shake": pytest.approx(speed, rel=0.05),
        "thing": pytest.approx(speed / 7.2, rel=0.05),
    }
    heights, pixels = lengths(films["pan"], 0, 0.5)
    assert 520 * heights < pixels < 540 * heights


def clip(motion: float, way: float, kind: str = "pan", true: float = 0.1) -> flow.Clip:
    about = {"kind": kind, "fps": 25, "grain": 0.0, "crf": 18, "high": 360}
    return flow.Clip(about, False, {"motion": motion, "true": true, "way": way, "net": way + 3})


def test_decisions_agree_where_both_keep_or_both_reject():
    clips = [clip(0.2, 50), clip(0.06, 25), clip(0.09, 12), clip(0.01, 2), clip(float("nan"), 3)]
    found = flow.decisions(clips, "way", ["motion", "net"])
    assert (found["clips"], found["kept"], found["near"]) == (5, 0.4, 2)
    assert found["motion"]["agreement"]["0.077"] == 0.6
    assert found["motion"]["agreement"]["0.06"] == 0.8
    assert found["motion"]["near"] == {**found["motion"]["near"], "0.06": 0.5, "0.1": 0.5, "0.077": 0.0}
    assert found["net"]["agreement"]["20.0"] == 1


def test_ratios_are_measured_over_true():
    films = [clip(value, 0) for value in (0.08, 0.1, 0.1, 0.1, 0.1, 0.1, 0.2)]
    assert flow.ratios(films) == {"films": 7, "median": 1.0, "low": 1.0, "high": 1.0}


def test_all_measures_find_the_pan_of_a_real_picture(tmp_path):
    one = replace(film("pan", 0.2, 1), grain=3.0, crf=25)
    pictures = flow.photographs(tmp_path)[4:6]
    signals = {"motion": Motion(), **{name: make() for name, make in flow.WAYS.items()}}
    found = flow.measured(scan(write(one, pictures, tmp_path / "film.mp4", 1.2), signals).series, 0, 1.2)
    way_px = lengths(one, 0, 0.5)[1]
    assert found["motion"] == pytest.approx(0.2, rel=0.1)
    assert [found["net"], found["travel"], found["quick"]] == pytest.approx([way_px] * 3, rel=0.1)
