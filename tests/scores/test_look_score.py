"""What is said of a clip's light, colours and black pictures, of real footage lit, faded and coloured otherwise."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media import write_video
from numpy.typing import NDArray
from wheel import pictures

from longtake.recipe import resolve
from longtake.records import Series
from longtake.scores.colour import colour
from longtake.scores.look import look
from longtake.signals.colour import Colour
from longtake.signals.look import Look
from longtake.video import scan

Pictures = list[NDArray[np.uint8]]
FPS = 8


def measured(path: Path, film: Pictures, *, fps: int = FPS) -> dict[str, Series]:
    """Write a film and look at it."""
    write_video(path, film, fps=fps, options={"crf": "20", "preset": "ultrafast"})
    return scan(path, {"look": Look(), "colour": Colour()}).series


@pytest.fixture(scope="module")
def bikes() -> Pictures:
    """Six seconds of a street, 320x136."""
    return [picture[::2, ::2] for picture in pictures("bikes", every=3, count=6 * FPS, pixels="rgb24")]


def lit(film: Pictures, gain: float, more: float = 0) -> Pictures:
    return [np.clip(gain * picture.astype(float) + more, 0, 255).astype(np.uint8) for picture in film]


def test_light_of_footage(bikes: Pictures, tmp_path: Path) -> None:
    dark, own, bright = (
        look(measured(tmp_path / f"{i}.mp4", film)["look"])
        for i, film in enumerate([lit(bikes, 1, -110), bikes, lit(bikes, 1, 110)])
    )
    assert dark["p50"] < own["p50"] < bright["p50"]
    assert dark["under"] > 0.2 and own["under"] < 0.1 and bright["under"] < 0.01
    assert bright["over"] > 0.1 and own["over"] < 0.05 and dark["over"] < 0.01
    assert own["black"] == own["black_head_s"] == own["black_tail_s"] == 0


def test_haze_has_little_contrast(bikes: Pictures, tmp_path: Path) -> None:
    own = look(measured(tmp_path / "own.mp4", bikes)["look"])
    haze = look(measured(tmp_path / "haze.mp4", lit(bikes, 0.4, 120))["look"])
    assert haze["contrast"] == pytest.approx(0.4 * own["contrast"], rel=0.15)
    assert 0.3 < own["contrast"] < 0.9


def test_black_heads_and_tails(bikes: Pictures, tmp_path: Path) -> None:
    black = [np.zeros_like(bikes[0])]
    film = black * (2 * FPS) + bikes + black * FPS + bikes + black * (3 * FPS)
    told = look(measured(tmp_path / "film.mp4", film)["look"])
    assert told["black_head_s"] == pytest.approx(2, abs=0.5)
    assert told["black_tail_s"] == pytest.approx(3, abs=0.5)
    assert told["black"] == pytest.approx(6 / 18, abs=0.05)
    faster = look(measured(tmp_path / "faster.mp4", [p for p in film for _ in (0, 1)], fps=2 * FPS)["look"])
    assert faster == pytest.approx(told, abs=0.03), "the rate of frames is no matter"


def test_a_fade_from_black_is_black_only_at_its_start(bikes: Pictures, tmp_path: Path) -> None:
    faded = [lit([picture], min(1, i / (3 * FPS)))[0] for i, picture in enumerate(bikes)]
    told = look(measured(tmp_path / "fade.mp4", faded)["look"])
    assert 0 < told["black_head_s"] <= 1 and told["black_tail_s"] == 0


def test_an_all_black_clip_is_head_and_tail(bikes: Pictures, tmp_path: Path) -> None:
    told = look(measured(tmp_path / "black.mp4", [np.zeros_like(bikes[0])] * (2 * FPS))["look"])
    assert told["black"] == 1 and told["black_head_s"] == told["black_tail_s"] == pytest.approx(2, abs=0.1)
    assert told["under"] is None and told["p50"] == 0


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_black_is_shared_out(black: list[bool]) -> None:
    values = np.full((len(black), len(Look.columns)), 0.5, np.float32)
    values[black, Look.columns.index("border_top")] = np.nan
    told = look(Series(Look.columns, np.arange(len(black)) / 2, np.arange(len(black), dtype=np.int32), values))
    assert told["black"] == pytest.approx(np.mean(black))
    head = next((i for i, dark in enumerate(black) if not dark), len(black))
    tail = next((i for i, dark in enumerate(black[::-1]) if not dark), len(black))
    assert (told["black_head_s"], told["black_tail_s"]) == pytest.approx((head / 2, tail / 2))


def test_colours_of_footage(bikes: Pictures, tmp_path: Path) -> None:
    def of(name: str, film: Pictures) -> dict[str, float | None]:
        return colour(measured(tmp_path / f"{name}.mp4", film)["colour"])

    grey = [np.repeat(picture.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2) for picture in bikes]
    sepia = [lit([picture], 1)[0] * np.array([1, 0.85, 0.65]) for picture in grey]
    vivid = [
        np.clip(g + 3.0 * (p.astype(float) - g), 0, 255).astype(np.uint8) for g, p in zip(grey, bikes, strict=True)
    ]
    found = {name: of(name, film) for name, film in {"grey": grey, "own": bikes, "vivid": vivid}.items()}
    assert found["grey"]["colourfulness"] < 2 < found["own"]["colourfulness"] < found["vivid"]["colourfulness"] / 2
    assert [told["grey"] for told in found.values()] == [1, 0, 0]
    assert of("sepia", [picture.astype(np.uint8) for picture in sepia])["grey"] == 0
    half = of("half", [*grey[: len(grey) // 2], *bikes[len(grey) // 2 :]])
    assert half["grey"] == pytest.approx(0.5, abs=0.1)


def test_the_strongest_colour(bikes: Pictures, tmp_path: Path) -> None:
    sky = [np.full_like(bikes[0], (110, 170, 230))] * (3 * FPS)
    assert colour(measured(tmp_path / "sky.mp4", sky)["colour"])["strongest"] == pytest.approx(1, abs=0.01)
    own = colour(measured(tmp_path / "own.mp4", bikes)["colour"])["strongest"]
    assert 1 / 11 < own < 0.9


def test_rules_can_ask_for_all_of_it() -> None:
    rules = ["look.black_tail_s < 1", "colour.grey < 0.5", "fine.resolution > 0.4", "fine.combed < 0.1"]
    recipe = resolve({"scores": {"look": {}, "colour": {}, "fine": {}}, "select": {"keep": rules}})
    assert {use.signal for use in recipe.scores.values()} == {"look", "colour", "fine"}
