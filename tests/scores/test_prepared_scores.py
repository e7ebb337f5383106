"""Runs with scores that need weights or a model: what they find, and what is told where they can't."""

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from media import mix, pan, write_video

from longtake.embed import load_embedder
from longtake.errors import UsageError
from longtake.recipe import resolve, score_keys
from longtake.running import run
from longtake.store import Store, score_columns
from longtake.watch import Progress

CLIP = Path(__file__).resolve().parents[1] / "data" / "tiny-clip"
HERE = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))
pytestmark = pytest.mark.skipif(not HERE, reason="needs torch and transformers: requirements/local.txt")

TONES = {"red": (215, 40, 35), "blue": (45, 60, 225)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two videos of one shot, red and blue; a head that goes by red, one by blue, and a second copy of the model."""
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "films").mkdir()
    for seed, (name, tone) in enumerate(TONES.items()):
        pictures = (mix(p, np.full_like(p, tone), 0.7) for p in pan(48, seed=seed, speed=0.2))
        write_video(folder / "films" / f"{name}.mp4", pictures)
        np.savez(folder / f"{name}.npz", weight=load_embedder(str(CLIP)).texts([f"a {name} room"]))
    np.savez(folder / "wide.npz", weight=np.ones((1, 768)))
    shutil.copytree(CLIP, folder / "other")
    return folder


def two_models(folder: Path) -> dict[str, Any]:
    """Return a recipe whose scores read the vectors of two models."""
    return {
        "signals": {
            "one": {"step": "embedding", "model": str(CLIP), "hz": 4.0},
            "two": {"step": "embedding", "model": str(folder / "other"), "hz": 2.0},
        },
        "scores": {
            "redness": {"step": "head", "signal": "one", "weights": str(folder / "red.npz")},
            "blueness": {"step": "head", "signal": "two", "weights": str(folder / "blue.npz")},
            "blue": {"step": "prompts", "signal": "two", "yes": "a blue room", "no": "a red room; a green room"},
        },
        "select": {"keep": ["blue.max < 0.5", "redness.mean >= 0.5"]},
    }


def heads_only(folder: Path, **redness: str) -> dict[str, Any]:
    recipe = two_models(folder)
    del recipe["scores"]["blue"]
    recipe["scores"]["redness"] |= {**redness, "signal": "two"}
    del recipe["signals"]["one"]
    return recipe | {"select": {"keep": ["redness.mean >= 0.5"]}}


def scores(folder: Path) -> dict[str, dict[str, float]]:
    """Return the scores of all clips by the colour of their video."""
    clips = Store(folder).read("clips")
    columns = score_columns(clips)
    names = [name.split("-")[0] for name in clips["video_id"].to_pylist()]
    return {name: {key: values[i] for key, values in columns.items()} for i, name in enumerate(names)}


def reasons(folder: Path) -> dict[str, str | None]:
    clips = Store(folder).read("clips", ["video_id", "rejected_by"]).to_pylist()
    return {clip["video_id"].split("-")[0]: clip["rejected_by"] for clip in clips}


@pytest.fixture(scope="module")
def made(folder: Path) -> Path:
    run(resolve(two_models(folder)), [folder / "films"], folder / "made", workers=1)
    return folder / "made"


@pytest.fixture
def copy_of_made(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "set"))


def test_clips_are_kept_by_what_they_show_to_two_models(made):
    found = scores(made)
    assert found["red"]["redness.mean"] > 0.8 > 0.5 > found["blue"]["redness.max"]
    assert found["blue"]["blueness.mean"] > 0.8 > 0.5 > found["red"]["blueness.max"]
    assert found["blue"]["blue.mean"] > 0.95 > 0.05 > found["red"]["blue.max"]
    assert reasons(made) == {"red": None, "blue": "blue.max < 0.5"}


def test_other_words_need_no_decode(folder, copy_of_made):
    other = two_models(folder)
    other["scores"]["blue"]["yes"] = "a yellow room"
    told: list[object] = []
    result = run(resolve(other), [folder / "films"], copy_of_made, workers=1, watch=told.append)
    assert (result.plan.to_scan, result.plan.to_derive, result.measured.scanned_s) == (0, 2, 0)
    assert max(found["blue.max"] for found in scores(copy_of_made).values()) < 0.05
    loads = [(one.done, one.total, one.words) for one in told if isinstance(one, Progress) and one.phase == "load"]
    assert loads == [(k, 3, "for redness, blueness, blue") for k in range(4)]


def test_other_heads_need_no_model_either(folder, copy_of_made):
    """Nor does it have to be on this machine."""
    (folder / "other").rename(folder / "away")
    try:
        recipe = heads_only(folder, weights=str(folder / "blue.npz"))
        result = run(resolve(recipe), [folder / "films"], copy_of_made, workers=1)
    finally:
        (folder / "away").rename(folder / "other")
    assert (result.plan.to_scan, result.measured.failed) == (0, 0)
    found = scores(copy_of_made)
    assert [found[name]["redness.mean"] == found[name]["blueness.mean"] for name in TONES] == [True, True]


def test_a_clip_without_a_measured_frame_is_rejected_as_not_measured(folder, copy_of_made):
    """The model looks twice a second, and the clip lies in between."""
    short = heads_only(folder) | {"clips": {"step": f"{__name__}:last_bit"}}
    result = run(resolve(short), [folder / "films"], copy_of_made, workers=1)
    assert [(row.rejected, row.not_measured) for row in result.funnel] == [(0, 0), (2, 2)]
    assert reasons(copy_of_made) == dict.fromkeys(TONES, "redness.mean >= 0.5 (not measured)")


def last_bit(shots, times, duration_s):
    """Make one clip of the last quarter of a second of each video."""
    return [type(shot)(float(times[-6]), duration_s, len(times) - 6, len(times)) for shot in shots]


def test_a_head_of_another_width_is_told_before_anything_is_done(folder, tmp_path, copy_of_made):
    wide = resolve(heads_only(folder, weights=str(folder / "wide.npz")))
    for to in (tmp_path / "new", copy_of_made):
        with pytest.raises(UsageError, match=r"score redness: the head .*wide.npz takes vectors of 768 .* have 16"):
            run(wide, [folder / "films"], to, workers=1)
    assert Store(tmp_path / "new").read("videos").num_rows == Store(tmp_path / "new").read("failures").num_rows == 0
    assert reasons(copy_of_made) == {"red": None, "blue": "blue.max < 0.5"}


def test_a_model_that_is_not_there_is_told_before_anything_is_done(folder, tmp_path):
    recipe = heads_only(folder)
    recipe["signals"]["two"]["model"] = str(folder / "none")
    with pytest.raises(UsageError, match=r"signal two: .* is neither a folder nor a model"):
        run(resolve(recipe), [folder / "films"], tmp_path / "set", workers=1)
    assert Store(tmp_path / "set").read("failures").num_rows == 0


def test_the_scores_of_a_recipe_are_known_without_a_model():
    told = resolve({"signals": {"embedding": {"model": "no/such"}}, "scores": {"aesthetic": {"step": "head"}}})
    assert score_keys(told) == ["aesthetic.mean", "aesthetic.min", "aesthetic.max"]
