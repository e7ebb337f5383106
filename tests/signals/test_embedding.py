import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from media import Picture, mix, texture, write_video

from longtake import jobs
from longtake.errors import VideoError
from longtake.records import Series
from longtake.signals.embedding import Embedding, embed_texts
from longtake.steps import find
from longtake.video.frames import read_frames
from longtake.video.scan import scan

CLIP = str(Path(__file__).resolve().parents[1] / "data" / "tiny-clip")
HERE = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))
needs_transformers = pytest.mark.skipif(not HERE, reason="needs torch and transformers: requirements/local.txt")

RED, BLUE, GREEN, YELLOW = (215, 40, 35), (45, 60, 225), (35, 170, 60), (230, 225, 45)
SIZES = [(640, 360), (360, 640), (640, 268), (1280, 720), (96, 54), (1000, 180)]


def tones(*shown: tuple[tuple[int, int, int], int]) -> Iterator[Picture]:
    """Yield so many frames of each tone, with a gray bar that moves."""
    for tone, count in shown:
        for i in range(count):
            picture = np.full((180, 320, 3), tone, np.uint8)
            picture[:, 4 * i : 4 * i + 8] = 128
            yield picture


def with_middle(size: tuple[int, int], tone: tuple[int, int, int], seed: int) -> Picture:
    """Return a picture whose middle square is mostly of one tone, and the rest yellow."""
    width, height = size
    detail = cv2.resize(texture(320, 180, seed), size, interpolation=cv2.INTER_CUBIC)
    plain = np.full_like(detail, YELLOW)
    side = min(size)
    top, left = (height - side) // 2, (width - side) // 2
    plain[top : top + side, left : left + side] = tone
    return mix(detail, plain, 0.7)


def measured(path: Path, **parameters: Any) -> Series:
    return scan(path, {"embedding": Embedding(model=CLIP, **parameters)}).series["embedding"]


@pytest.fixture(scope="module")
def red_then_blue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of red, two of blue, 24 frames a second."""
    return write_video(tmp_path_factory.mktemp("embedding") / "two.mp4", tones((RED, 48), (BLUE, 48)))


@needs_transformers
def test_frames_are_nearest_to_the_text_that_tells_what_they_show(red_then_blue):
    series = measured(red_then_blue)
    texts = embed_texts(["A red shape moves slowly.", "A blue shape moves slowly."], model=CLIP, hz=2.0)
    cosines = series.values @ texts.T
    assert (cosines[:, 0] > cosines[:, 1]).tolist() == (series.times < 2).tolist()
    assert (series.values @ series.values.T).round(1).tolist() == [
        [1.0 if (a < 2) == (b < 2) else pytest.approx(-0.1, abs=0.4) for b in series.times] for a in series.times
    ]


@needs_transformers
def test_rows_come_at_the_rate_asked_for(red_then_blue):
    series = measured(red_then_blue)
    assert series.columns == tuple(f"e{i}" for i in range(16))
    np.testing.assert_allclose(series.times, np.arange(8) / 2)
    assert series.frames.tolist() == [*range(0, 96, 12)]
    np.testing.assert_allclose(np.linalg.norm(series.values, axis=1), 1, atol=1e-6)
    assert measured(red_then_blue, hz=8.0).frames.tolist() == [*range(0, 96, 3)]


@needs_transformers
def test_equal_videos_give_equal_numbers(red_then_blue):
    first, second = measured(red_then_blue), measured(red_then_blue)
    np.testing.assert_array_equal(first.values, second.values)


@needs_transformers
@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
def test_the_model_sees_what_its_processor_makes_of_whole_frames(tmp_path, size):
    """Pictures with detail of all sizes, whose middle is of another colour than their ends."""
    transformers = importlib.import_module("transformers")
    shown = [with_middle(size, middle, seed) for seed, middle in enumerate([RED, BLUE, GREEN] * 2)]
    path = write_video(tmp_path / "textures.mp4", [picture for picture in shown for _ in range(12)])
    series = measured(path)
    whole = list(read_frames(path, series.times, long_side_px=10**6))
    assert whole[0].shape == (size[1], size[0], 3)
    model, processor = (kind.from_pretrained(CLIP) for kind in (transformers.AutoModel, transformers.AutoProcessor))
    seen = model.get_image_features(**processor(images=whole, return_tensors="pt")).pooler_output.detach().numpy()
    cosines = series.values @ (seen / np.linalg.norm(seen, axis=1, keepdims=True)).T
    assert np.diag(cosines).min() > 0.999
    assert cosines[0, 1:3].max() < 0.5, "the model tells nothing apart"


@needs_transformers
def test_a_worker_measures_it_like_any_signal(red_then_blue, tmp_path):
    recipe = {
        "shots": {"step": "transitions"},
        "signals": {"embedding": {"model": CLIP, "hz": 4.0}},
        "scores": {"vectors": {"step": f"{__name__}:count", "signal": "embedding"}},
    }
    job = {"path": str(red_then_blue), "recipe": recipe, "set": str(tmp_path)}
    series = jobs.measure(job, lambda _: None)["series"]["embedding"]
    assert series["values"].shape == (16, 16)


SIGNAL = "embedding"


def count(series: Series) -> dict[str, float | None]:
    """Vectors that a clip has."""
    return {"count": float(len(series)) or None}


@needs_transformers
def test_a_model_that_is_not_there_is_told_before_the_decode():
    with pytest.raises(VideoError, match="is neither a folder nor a model") as caught:
        Embedding(model="/no/such/model")
    assert caught.value.kind == "no_model"
    with pytest.raises(VideoError, match="is neither a folder nor a model"):
        embed_texts(["a red thing"], model="/no/such/model", hz=2.0)


@needs_transformers
def test_texts_are_embedded_by_the_signals_own_parameters():
    step = find("signals", "embedding")
    assert step.defaults == {"model": "openai/clip-vit-large-patch14", "hz": 2.0}
    vectors = step.embed_texts(["red", "blue", "red"], **{**step.defaults, "model": CLIP})
    assert vectors.shape == (3, 16)
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors[0], vectors[2])


def test_a_recipe_that_names_it_loads_no_model():
    code = """
import sys
from longtake.recipe import resolve, score_keys
from longtake.steps import find
made = resolve({"shots": {"step": "change", "signal": "embedding"}, "signals": {"embedding": {"model": "no/such"}}})
assert made.signals["embedding"].parameters["model"] == "no/such"
assert find("signals", "embedding").columns == ()
sys.exit(any(name in sys.modules for name in ("torch", "transformers")))
"""
    told = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert told.returncode == 0 or "pip install" in told.stderr, told.stderr
