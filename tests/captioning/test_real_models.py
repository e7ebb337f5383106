"""Whole sets captioned by models that see: the tiny ones of tests/data, in this process and behind a real server."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
from media import write_video
from served import LLAVA, needs_server, serving

from longtake import run
from longtake.caption_set import caption_set
from longtake.store import Store

COLOURS = {"red": (220, 30, 30), "blue": (40, 70, 230), "yellow": (235, 220, 40)}
RECIPE = """
name = "seen"
[shots]
step = "content"
threshold = 250
[clips]
step = "takes"
[select]
keep = ["duration_s >= 1"]
[captions.lvd2m]
"""
needs_transformers = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("torch", "transformers")),
    reason="needs torch and transformers: requirements/local.txt",
)


def make_set(tmp_path: Path, recipe: str) -> Path:
    """Make a set of one clip for each colour, which waits for its captions."""
    films = tmp_path / "films"
    films.mkdir()
    for name, tone in COLOURS.items():
        write_video(films / f"{name}.mp4", [np.full((90, 160, 3), tone, np.uint8)] * 40, fps=10)
    (tmp_path / "seen.toml").write_text(recipe)
    assert run(str(tmp_path / "seen.toml"), [films], tmp_path / "set").kept == len(COLOURS)
    return tmp_path / "set"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return make_set(tmp_path, RECIPE)


def assert_each_colour_is_named(folder: Path, kinds: set[str]) -> None:
    rows = Store(folder).read("captions").to_pylist()
    assert {row["kind"] for row in rows} == kinds and len(rows) == len(kinds) * len(COLOURS)
    for row in rows:
        assert row["problems"] == [], row
        named = {colour for colour in COLOURS if re.search(rf"\b{colour}\b", row["text"])}
        assert named == {row["clip_id"].partition("-")[0]}, row


@needs_transformers
def test_by_a_model_in_this_process(made: Path) -> None:
    settings = ["models.default.url='local'", f"models.default.model='{LLAVA}'"]
    done = caption_set(made, settings=settings)
    assert (done.asked.failed, done.asked.stopped) == (0, "")
    assert_each_colour_is_named(made, {"raw", "refined", "rewritten"})


@needs_transformers
def test_by_a_blip2_in_this_process(tmp_path: Path) -> None:
    made = make_set(tmp_path, RECIPE.replace("lvd2m", "internvid_g"))
    settings = ["models.default.url='local'", f"models.default.model='{LLAVA.parent / 'tiny-blip2'}'"]
    done = caption_set(made, settings=settings)
    assert (done.asked.failed, done.asked.stopped) == (0, "")
    assert_each_colour_is_named(made, {"short"})


@needs_server
def test_by_a_model_behind_a_real_server(made: Path, tmp_path: Path) -> None:
    with serving(tmp_path) as url:
        done = caption_set(made, settings=[f"models.default.url='{url}'", f"models.default.model='{LLAVA}'"])
    assert (done.asked.failed, done.asked.stopped) == (0, "")
    assert_each_colour_is_named(made, {"raw", "refined", "rewritten"})


def test_a_model_that_is_not_there_is_told_and_the_clips_wait(made: Path, tmp_path: Path) -> None:
    settings = ["models.default.url='local'", f"models.default.model='{tmp_path / 'nothing'}'"]
    done = caption_set(made, settings=settings)
    assert "pip install 'longtake[local]'" in done.asked.stopped or "neither a folder nor" in done.asked.stopped
    store = Store(made)
    assert store.read("captions").num_rows == 0 and store.read("failures").num_rows == 0
