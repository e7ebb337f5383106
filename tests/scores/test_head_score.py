"""What a head says of a clip's vectors. Forms of files are tested with `longtake.heads`."""

from pathlib import Path

import numpy as np
import pytest

from longtake.errors import VideoError
from longtake.heads import HEADS
from longtake.records import Series
from longtake.scores.head import head, prepare

OWN = {"between": "own", "squash": "own"}


def rows(*vectors: list[float]) -> Series:
    values = np.array(vectors, np.float32).reshape(len(vectors), -1)
    count = len(values)
    columns = tuple(f"e{i}" for i in range(values.shape[1]))
    return Series(columns, np.arange(count) / 2, np.arange(count, dtype=np.int32), values)


@pytest.fixture
def tells_first(tmp_path: Path) -> str:
    """Return a head that gives 4 times the first number of a vector, and 1."""
    np.savez(tmp_path / "first.npz", weight=np.array([[4.0, 0.0, 0.0]]), bias=np.array([1.0]))
    return str(tmp_path / "first.npz")


def test_mean_lowest_and_highest_over_the_clip(tells_first):
    scores = head(rows([1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, 0, 1]), weights=tells_first)
    assert scores == pytest.approx({"mean": 1, "min": -3, "max": 5})


def test_vectors_count_by_their_direction_and_those_that_were_not_measured_not_at_all(tells_first):
    odd = rows([7, 0, 0], [np.nan, 0, 0], [0, 0, 0], [0, 0.1, 0])
    assert head(odd, weights=tells_first) == pytest.approx({"mean": 3, "min": 1, "max": 5})
    assert head(rows([np.nan] * 3, [0, 0, 0]), weights=tells_first) == {"mean": None, "min": None, "max": None}


def test_a_sigmoid_keeps_the_order_and_stays_between_0_and_1(tells_first, tmp_path):
    some = rows([1, 0, 0], [0, 1, 0], [-1, 0, 0])
    squashed = head(some, weights=tells_first, squash="sigmoid")
    assert squashed["max"] == pytest.approx(1 / (1 + np.exp(-5)))
    assert squashed["min"] == pytest.approx(1 / (1 + np.exp(3)))
    np.savez(tmp_path / "steep.npz", weight=np.array([[5000.0, 0.0, 0.0]]))
    steep = head(some, weights=str(tmp_path / "steep.npz"), squash="sigmoid")
    assert steep == pytest.approx({"mean": 0.5, "min": 0, "max": 1})


def test_no_rows_say_nothing_and_load_nothing():
    assert head(rows([1, 0, 0]).between(5, 9), weights="/no/such.npz") == {"mean": None, "min": None, "max": None}


def test_a_head_of_another_width_is_told_with_both_widths(tells_first):
    prepare(["e0", "e1", "e2"], {"model": "some/model"}, weights=tells_first, **OWN)
    with pytest.raises(VideoError, match=r"takes vectors of 3 numbers, and those of some/model have 4"):
        prepare(["e0", "e1", "e2", "e3"], {"model": "some/model"}, weights=tells_first, **OWN)


@pytest.mark.parametrize("name", HEADS)
def test_a_known_head_is_refused_for_another_models_vectors_even_of_its_width(name):
    columns = [f"e{i}" for i in range(768)]
    with pytest.raises(VideoError, match=f"was trained on vectors of {HEADS[name].model}, not google/some-siglip"):
        prepare(columns, {"model": "google/some-siglip"}, weights=name, **OWN)


def test_every_known_head_is_told_of():
    told = head.__doc__
    assert all(f"`{name.removesuffix('-b16').removesuffix('-b32')}`" in told for name in HEADS)
    assert all(known.model.removeprefix("openai/") in told for known in HEADS.values())
