"""The default detector on real footage made to mislead it, where that footage is there."""

import json

import pytest

from longtake import find_shots


@pytest.mark.parametrize("name", ["d09_distract_540p24_h264", "d10_longtakes_480p25_h264"])
def test_long_takes_stay_whole_and_cuts_are_found(footage, name):
    truth = json.loads((footage / "dev" / "truth" / f"{name}.json").read_text())
    (found,) = find_shots([footage / "dev" / "videos" / truth["video"]])
    spans = [(one["start_frame"], one["end_frame"]) for one in found["transitions"]]
    assert truth["long_takes"]
    for take in truth["long_takes"]:
        assert not [(a, b) for a, b in spans if a > take["first_frame"] + 2 and b < take["last_frame"] - 2]
    for one in truth["transitions"]:
        assert [(a, b) for a, b in spans if b >= one["first_frame"] - 2 and a <= one["last_frame"] + 2], one
