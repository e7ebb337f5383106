"""Descriptions in words against real pixels, as a tiny CLIP of our own sees them: it knows colours by name."""

import importlib
import importlib.util
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from footage import FOOTAGE
from media import mix, pan, write_video

from longtake.embed import load_embedder
from longtake.errors import UsageError, VideoError
from longtake.records import Series
from longtake.scores.prompts import prepare, probabilities, prompts
from longtake.signals.embedding import Embedding
from longtake.video import scan
from longtake.video.frames import read_frames

CLIP = str(Path(__file__).resolve().parents[1] / "data" / "tiny-clip")
SIGNAL = {"model": CLIP, "hz": 4.0}
HERE = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))
needs_transformers = pytest.mark.skipif(not HERE, reason="needs torch and transformers: requirements/local.txt")

TONES = {"red": (215, 40, 35), "blue": (45, 60, 225), "green": (35, 170, 60), "yellow": (230, 225, 45)}
NOTHING = Series(("e0",), np.empty(0), np.empty(0, np.int32), np.empty((0, 1), np.float32))


def lit(pictures, tone: str):
    """Yield pictures as they look under coloured light."""
    for picture in pictures:
        yield mix(picture, np.full_like(picture, TONES[tone]), 0.7)


def measured(path: Path, hz: float = 4.0) -> Series:
    return scan(path, {"embedding": Embedding(model=CLIP, hz=hz)}).series["embedding"]


def others(tone: str) -> str:
    return "; ".join(f"a {name} room" for name in TONES if name != tone)


@pytest.fixture(scope="module")
def red_then_blue(tmp_path_factory) -> Path:
    """A second and a half of a red place, half a second of a blue one; 24 frames a second."""
    pictures = [*lit(pan(36, seed=1, speed=0.2), "red"), *lit(pan(12, seed=2, speed=0.2), "blue")]
    return write_video(tmp_path_factory.mktemp("prompts") / "two.mp4", pictures)


@needs_transformers
def test_the_mean_tells_how_much_of_the_clip_and_the_highest_whether_at_all(red_then_blue):
    series = measured(red_then_blue)
    red = prompts(series, SIGNAL, yes="a red room", no="a blue room")
    blue = prompts(series, SIGNAL, yes="a blue room", no="a red room")
    green = prompts(series, SIGNAL, yes="a green room", no="a red room; a blue room")
    assert red["mean"] == pytest.approx(0.75, abs=0.05)
    assert blue["mean"] == pytest.approx(1 - red["mean"])
    assert min(red["max"], blue["max"]) > 0.95
    assert green["max"] < 0.05


@needs_transformers
def test_several_texts_share_what_is_probable(red_then_blue):
    series = measured(red_then_blue)
    either = prompts(series, SIGNAL, yes=" a red room ;a blue room; ", no="a green room; a yellow room")
    assert min(either["mean"], either["max"]) > 0.9
    turned = prompts(series, SIGNAL, yes="a green room; a yellow room", no="a red room; a blue room")
    assert either["mean"] + turned["mean"] == pytest.approx(1)


@needs_transformers
def test_frame_rate_and_size_make_no_difference(red_then_blue, tmp_path):
    pictures = [*lit(pan(72, seed=1, speed=0.2, fps=48), "red"), *lit(pan(24, seed=2, speed=0.2, fps=48), "blue")]
    fast = write_video(tmp_path / "fast.mp4", pictures, fps=48)
    small = [cv2.resize(picture, (160, 90), interpolation=cv2.INTER_AREA) for picture in pictures[::2]]
    small = write_video(tmp_path / "small.mp4", small)
    first, *same = (
        prompts(measured(path), SIGNAL, yes="a red room", no=others("red")) for path in (red_then_blue, fast, small)
    )
    for scores in same:
        assert scores == pytest.approx(first, abs=0.02)


@needs_transformers
@pytest.mark.skipif(not FOOTAGE.is_dir(), reason=f"no footage at {FOOTAGE}")
def test_real_shots_under_coloured_light(tmp_path):
    for path, tone in zip(sorted((FOOTAGE / "dev" / "singles").glob("*.mp4")), TONES, strict=False):
        shown = list(read_frames(path, np.arange(0.0, 2.0, 0.25), long_side_px=320))
        series = measured(write_video(tmp_path / "lit.mp4", lit(shown, tone), fps=8))
        assert prompts(series, SIGNAL, yes=f"a {tone} room", no=others(tone))["mean"] > 0.9, path
        for other in TONES.keys() - {tone}:
            assert prompts(series, SIGNAL, yes=f"a {other} room", no=others(other))["max"] < 0.1, path


@needs_transformers
def test_probabilities_are_those_of_the_model_itself(red_then_blue):
    """As its own documents tell, from pictures and texts to `logits_per_image`."""
    transformers = importlib.import_module("transformers")
    shown = list(read_frames(red_then_blue, [0.25, 1.75], long_side_px=10**6))
    texts = ["a red room", "a blue room", "a green room"]
    model, processor = (kind.from_pretrained(CLIP) for kind in (transformers.AutoModel, transformers.AutoProcessor))
    read, seen = processor.tokenizer(texts, return_tensors="pt"), processor.image_processor(shown, return_tensors="pt")
    theirs = model(**read, **seen).logits_per_image.softmax(dim=1).detach().numpy()
    ours = probabilities(load_embedder(CLIP), load_embedder(CLIP).images(np.stack(shown)), (texts[0],), (*texts[1:],))
    np.testing.assert_allclose(ours, theirs[:, 0], atol=1e-3)


class Known:
    """A model whose vectors are told, which gives each text a probability of its own or not."""

    def __init__(self, scale: float | None, bias: float | None) -> None:
        self.name, self.scale, self.bias, self.asked = "made/up", scale, bias, 0

    def texts(self, texts):
        self.asked += 1
        return np.eye(3, dtype=np.float32)[[int(text) for text in texts]]


def test_a_text_alone_has_a_probability_where_the_model_gives_one():
    siglip = Known(10.0, -8.0)
    shown = np.eye(3, dtype=np.float32)
    alone = [1 / (1 + math.exp(-2)), 1 / (1 + math.exp(8)), 1 / (1 + math.exp(8))]
    np.testing.assert_allclose(probabilities(siglip, shown, ("0",), ()), alone)
    np.testing.assert_allclose(probabilities(siglip, shown, ("0", "1"), ()), [alone[0], alone[0], alone[2]])
    with pytest.raises(VideoError, match="does not give the probability of a text alone"):
        probabilities(Known(10.0, None), shown, ("0",), ())
    with pytest.raises(VideoError, match="does not say how sure it is"):
        probabilities(Known(None, None), shown, ("0",), ("1",))


def test_texts_are_embedded_once_for_all_clips():
    clip = Known(10.0, None)
    for _ in range(5):
        probabilities(clip, np.eye(3, dtype=np.float32), ("0",), ("1", "2"))
    assert clip.asked == 1


def test_a_scale_of_any_size_gives_numbers_between_0_and_1():
    shown = np.eye(3, dtype=np.float32)
    np.testing.assert_allclose(probabilities(Known(1e6, None), shown, ("0",), ("1",)), [1, 0, 0.5])
    np.testing.assert_allclose(probabilities(Known(1e6, -5e5), shown, ("0",), ()), [1, 0, 0])


@pytest.mark.parametrize("wrong", [{"yes": ""}, {"yes": " ; "}, {"no": ";"}])
def test_words_that_say_nothing_are_refused_before_anything_is_read(wrong):
    with pytest.raises(UsageError, match="holds no text"):
        prompts(NOTHING, {}, **wrong)


def test_no_rows_say_nothing_and_load_nothing():
    assert prompts(NOTHING, {"model": "/no/such"}) == {"mean": None, "max": None}


@needs_transformers
def test_what_can_not_be_had_is_told_in_advance():
    words = {"yes": "red", "no": "blue"}
    columns = [f"e{i}" for i in range(16)]
    prepare(columns, SIGNAL, **words)
    with pytest.raises(VideoError, match="have 16 numbers, not 3"):
        prepare(columns[:3], SIGNAL, **words)
    with pytest.raises(VideoError, match="say with `no` what else it might be"):
        prepare(columns, SIGNAL, yes="red", no="")
    with pytest.raises(VideoError, match="reads the signal `embedding`"):
        prepare(columns, {"hz": 2.0}, **words)
