"""What the camera does and what moves before it: scores of real pictures that a known camera moves over."""

from pathlib import Path

import numpy as np
import pytest
from camera_paths import Film, Way, both, gathers_and_stops, goes, shakes, whips

from longtake.records import Series
from longtake.scores.camera import camera
from longtake.scores.motion import motion
from longtake.scores.things import things
from longtake.signals.motion import Motion
from longtake.video.scan import Frames

HAND = {"right": shakes(0.1, 1), "down": shakes(0.1, 2)}
SHARES = ("static", "pan", "tilt", "zoom", "roll", "handheld")


def to_and_fro(at_s: np.ndarray) -> np.ndarray:
    return 0.5 * np.sin(at_s)


def test_still_is_below_a_slow_pan_is_below_a_fast_one() -> None:
    speeds = [0.0, 0.05, 0.3, 0.8]
    films = [Film(goes(speed)).measured() for speed in speeds]
    for scores in ([camera(film)["speed"] for film in films], [motion(film)["mean"] for film in films]):
        assert scores == sorted(scores)
        assert scores == pytest.approx(speeds, rel=0.1)


def test_neither_frame_rate_nor_size_matters(tmp_path: Path) -> None:
    film = Film(both(goes(0.2), shakes(0.02, 3)), thing=to_and_fro)
    plain = film.written(tmp_path / "plain.mp4", fps=25, size=(640, 360))
    twice = film.written(tmp_path / "twice.mp4", fps=50, size=(640, 360))
    small = film.written(tmp_path / "small.mp4", fps=25, size=(320, 180))
    for other in (twice, small):
        for score, part in ((motion, "mean"), (motion, "p90"), (camera, "speed"), (things, "mean")):
            assert score(other)[part] == pytest.approx(score(plain)[part], rel=0.1), part
        assert camera(other)["shake"] == pytest.approx(camera(plain)["shake"], rel=0.25)
        assert camera(other)["pan"] == camera(plain)["pan"] == 1


def test_shake_without_travel_is_shake_and_no_thing_moves() -> None:
    scores, moved = camera(Film(**HAND).measured()), things(Film(**HAND).measured())
    assert 0.06 < scores["shake"] < 0.15
    assert scores["handheld"] > 0.75
    assert moved["mean"] < 0.002
    assert moved["share"] == 0


@pytest.mark.parametrize("film", [Film(right=shakes(0.5, 1), down=shakes(0.5, 2)), Film(down=goes(0.4))])
@pytest.mark.parametrize("bars", [{"border": 22}, {"beside": 40}, {"border": 10, "beside": 20}])
def test_black_bars_are_neither_scene_nor_thing(film: Film, bars: dict[str, int]) -> None:
    plain, boxed = film.measured(), film.measured(**bars)
    assert things(boxed)["mean"] < 0.01
    assert things(boxed)["share"] == 0
    for score, part in ((motion, "mean"), (camera, "speed"), (camera, "shake")):
        assert score(boxed)[part] == pytest.approx(score(plain)[part], rel=0.1, abs=0.005), part
    assert camera(boxed)["handheld"] == camera(plain)["handheld"]


@pytest.mark.parametrize("right", [goes(0.05), goes(0.3), goes(0.8), gathers_and_stops(0.4), whips(0.8)])
def test_a_smooth_pan_is_no_shake(right: Way) -> None:
    film = Film(right).measured()
    assert camera(film)["shake"] < 0.01
    assert camera(film)["handheld"] == 0
    assert camera(film)["moves"] == 1
    assert things(film)["mean"] < 0.002


def test_more_shake_is_more_and_a_pan_hides_none_of_it() -> None:
    values = [camera(Film(shakes(rms, 1), shakes(rms, 2)).measured())["shake"] for rms in (0.03, 0.1, 0.3)]
    assert values[0] * 2 < values[1] < values[2] / 2
    panned = camera(Film(both(goes(0.3), shakes(0.1, 1)), shakes(0.1, 2)).measured())
    assert panned["shake"] == pytest.approx(values[1], rel=0.2)
    assert panned["pan"] == 1


def test_a_thing_before_a_static_camera_is_a_thing_only() -> None:
    film = Film(thing=to_and_fro).measured()
    # A sixth of the width and half of the height, at 0.5 / sqrt(2) heights per second or 2 / pi of 0.5.
    assert things(film)["mean"] == pytest.approx(0.5 * 2 / np.pi / 12, rel=0.35)
    assert things(film)["share"] > 0.8
    assert things(film)["p90"] > things(film)["mean"]
    scores = camera(film)
    assert scores["speed"] < 0.005
    assert scores["shake"] < 0.005
    assert scores["static"] == 1
    assert scores["moves"] == 0


@pytest.mark.parametrize("ground", [{"right": goes(0.1)}, HAND, {"zoom": goes(0.05)}])
def test_a_thing_is_told_from_a_camera_that_moves(ground: dict[str, Way]) -> None:
    still, film = Film(thing=to_and_fro).measured(), Film(**ground, thing=to_and_fro).measured()
    assert things(film)["mean"] == pytest.approx(things(still)["mean"], rel=0.35)
    assert things(film)["share"] > 0.4
    alone = Film(**ground).measured()
    assert camera(film)["speed"] == pytest.approx(camera(alone)["speed"], abs=0.01)
    assert camera(film)["shake"] == pytest.approx(camera(alone)["shake"], abs=0.01)


@pytest.mark.parametrize(
    ("part", "way"), [("pan", {"right": goes(-0.1)}), ("tilt", {"down": goes(0.1)}), ("zoom", {"zoom": goes(0.1)}),
                      ("roll", {"roll": goes(8)}), ("static", {})],
)  # fmt: skip
def test_each_move_has_its_share(part: str, way: dict[str, Way]) -> None:
    scores = camera(Film(**way).measured())
    assert {name: scores[name] for name in SHARES} == {name: float(name == part) for name in SHARES}
    assert scores["moves"] == (part != "static")


def test_a_whip_is_a_short_part_of_the_time() -> None:
    scores = camera(Film(whips(0.8)).measured())
    assert 0.1 < scores["pan"] < 0.3
    assert scores["static"] == pytest.approx(1 - scores["pan"])


def seen(shown: list[np.ndarray]) -> Series:
    at_s = np.arange(len(shown)) / 10
    return Motion()(Frames(at_s, np.arange(len(shown), dtype=np.int32), np.stack(shown), last=True))


def test_of_chaos_nothing_is_told() -> None:
    rng = np.random.default_rng(0)
    chaos = seen([rng.integers(0, 255, (180, 320)).astype(np.uint8) for _ in range(40)])
    assert set(camera(chaos).values()) == {None}
    assert set(things(chaos).values()) == {None}


def test_a_clip_too_short_for_shake_has_none() -> None:
    scores = camera(Film(goes(0.1)).measured(duration_s=1.5))
    assert scores["shake"] is None
    assert scores["speed"] == pytest.approx(0.1, rel=0.1)
    one = camera(Film(goes(0.1)).measured(duration_s=0.3))
    assert one["pan"] == 1
