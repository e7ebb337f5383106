"""The same film in the forms that hide cuts from detectors: its transitions must not depend on the form."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from media import SIZE, mix, pan, write_video

from longtake import find_shots

CUT_S, TURN_S, END_S = 2.0, (4.0, 4.8), 7.0


def shown(at_s: np.ndarray, size: tuple[int, int] = SIZE) -> list[np.ndarray]:
    """A film at these times: a cut, then a dissolve, between slow pans."""
    shots = [list(pan(len(at_s), seed=seed, speed=0.08, times=at_s, size=size)) for seed in (1, 2, 3)]
    pictures = []
    for i, time in enumerate(at_s):
        part = float(np.clip((time - TURN_S[0]) / (TURN_S[1] - TURN_S[0]), 0, 1))
        pictures.append(mix(shots[1 if time >= CUT_S - 1e-6 else 0][i], shots[2][i], part))
    return pictures


def at_fps(fps: float) -> np.ndarray:
    return np.arange(round(END_S * fps)) / fps


def slow(path: Path) -> None:
    write_video(path, shown(at_fps(15)), fps=15)


def fast(path: Path) -> None:
    write_video(path, shown(at_fps(120)), fps=120)


def variable(path: Path) -> None:
    rng = np.random.default_rng(0)
    at_s = np.cumsum(rng.choice([1 / 60, 1 / 30, 1 / 15], 300))
    at_s = np.append(0, at_s[at_s < END_S])
    write_video(path, shown(at_s), times=at_s.tolist())


def ten_bits(path: Path) -> None:
    write_video(path, shown(at_fps(25)), fps=25, pixel_format="yuv420p10le")


def interlaced(path: Path) -> None:
    fields = shown(at_fps(50))
    woven = []
    for top, bottom in zip(fields[::2], fields[1::2], strict=True):
        picture = top.copy()
        picture[1::2] = bottom[1::2]
        woven.append(picture)
    write_video(path, woven, fps=25, options={"flags": "+ildct+ilme", "x264-params": "tff=1"})


def pillarboxed(path: Path) -> None:
    narrow = shown(at_fps(25), (240, 180))
    write_video(path, [cv2.copyMakeBorder(p, 0, 0, 40, 40, cv2.BORDER_CONSTANT) for p in narrow], fps=25)


def letterboxed(path: Path) -> None:
    wide = shown(at_fps(25), (320, 136))
    write_video(path, [cv2.copyMakeBorder(p, 22, 22, 0, 0, cv2.BORDER_CONSTANT) for p in wide], fps=25)


def rotated(path: Path) -> None:
    turned = [np.ascontiguousarray(np.rot90(p)) for p in shown(at_fps(25))]
    write_video(path, turned, fps=25, rotation=270)


def twenty_four_in_sixty(path: Path) -> None:
    pictures = shown(at_fps(24))
    write_video(path, [pictures[int(i * 0.4)] for i in range(round(END_S * 60))], fps=60)


FORMS = (slow, fast, variable, ten_bits, interlaced, pillarboxed, letterboxed, rotated, twenty_four_in_sixty)


@pytest.mark.parametrize("form", FORMS)
def test_the_form_of_a_film_does_not_change_its_transitions(form, tmp_path):
    path = tmp_path / "film.mp4"
    form(path)
    (found,) = find_shots([path])
    cut, turn = found["transitions"]
    slack_s = 2.5 / 15
    assert (cut["kind"], turn["kind"]) == ("cut", "dissolve")
    assert cut["start_s"] == cut["end_s"] == pytest.approx(CUT_S, abs=1.5 / 15)
    assert turn["start_s"] == pytest.approx(TURN_S[0], abs=slack_s)
    assert turn["end_s"] == pytest.approx(TURN_S[1], abs=slack_s)
