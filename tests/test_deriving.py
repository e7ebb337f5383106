"""What steps of one's own give is looked at where it comes: a wrong thing is a failure that names the step."""

import sys
from pathlib import Path

import numpy as np
import pytest

from longtake.deriving import FRAMES, derive
from longtake.errors import VideoError
from longtake.recipe import resolve
from longtake.records import Series, Video

OWN = """
from longtake.records import Shot

SIGNAL = "content"

def none(series):
    return []

def spans(shots, times, end_s):
    return {spans}

def score(series):
    return {{"a": {value} if len(series) else None}}
"""
WHOLE = "[Shot(0.0, 1.0, 0, 10)]"
TIMES = np.arange(10) / 10
VIDEO = Video("v", "v.mp4", 1, "mp4", "h264", "yuv420p", 64, 36, 0, 1.0, 10, 10.0, False, None, 0.0, True)


def scores(folder: Path, monkeypatch: pytest.MonkeyPatch, spans: str = WHOLE, value: str = "0.5") -> list[object]:
    """Derive a video's clips by steps that give these spans and this score."""
    (folder / "own_deriving.py").write_text(OWN.format(spans=spans, value=value))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "own_deriving", raising=False)
    own = {"shots": {"step": "own_deriving:none"}, "clips": {"step": "own_deriving:spans"}}
    recipe = resolve({**own, "scores": {"own": {"step": "own_deriving:score"}}})
    frames = np.arange(10, dtype=np.int32)
    columns = recipe.signals["content"].step.columns
    content = Series(columns, TIMES, frames, np.zeros((10, len(columns)), np.float32))
    series = {"content": content, FRAMES: Series((), TIMES, frames, np.empty((10, 0), np.float32))}
    return [clip.scores["own.a"] for clip in derive(recipe, VIDEO, series).clips]


def test_numbers_of_every_kind_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert scores(tmp_path, monkeypatch, value="series.values.mean()") == [0.0]
    assert scores(tmp_path, monkeypatch, value="3") == [3.0]
    assert scores(tmp_path, monkeypatch, value="None") == [None]


@pytest.mark.parametrize("value", ["'0.5'", "10**400", "[1.0]", "1j"])
def test_a_score_that_is_no_number_names_its_step(value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(VideoError, match=r"the score step 'own_deriving:score' returned \{'a': ") as caught:
        scores(tmp_path, monkeypatch, value=value)
    assert caught.value.kind == "error" and len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("spans", "says"),
    [
        ("[*shots, *shots]", "more than once"),
        ("[Shot(0.0, 1.5, 0, 10)]", "no span within frames 0 to 10 and 0 to 1 s"),
        ("[Shot(0.0, 1.0, 0, 11)]", "no span within"),
        ("[Shot(-0.1, 1.0, 0, 10)]", "no span within"),
        ("[Shot(0.9, 0.1, 1, 9)]", "no span within"),
        ("[Shot(0.1, 0.9, 9, 1)]", "no span within"),
        ("[Shot(float('nan'), 0.9, 1, 9)]", "no span within"),
    ],
)
def test_a_clip_that_can_not_be_names_its_step(
    spans: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(VideoError, match=says) as caught:
        scores(tmp_path, monkeypatch, spans=spans)
    assert "the clips step 'own_deriving:spans' gave Shot(" in caught.value.message
