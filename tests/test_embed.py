"""Vectors of pictures and texts: what a tiny CLIP of our own sees and reads, and models of other kinds by their form.

What is said where torch and transformers are missing is tested everywhere, the rest where requirements/local.txt is
installed.
"""

import importlib
import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from longtake import embed
from longtake.embed import Embedder, halves, load_embedder
from longtake.errors import VideoError

DATA = Path(__file__).parent / "data"
CLIP = DATA / "tiny-clip"
HERE = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))
needs_transformers = pytest.mark.skipif(not HERE, reason="needs torch and transformers: requirements/local.txt")

COLOURS = {
    "red": (220, 30, 30),
    "green": (30, 180, 50),
    "blue": (40, 70, 230),
    "yellow": (235, 220, 40),
    "white": (240, 240, 240),
    "black": (15, 15, 15),
}
SIDE = 28
"""Of the pictures that the models of random weights see, in pixels."""
LAYER = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
EYE = {**LAYER, "image_size": SIDE, "patch_size": 14}
READS = 24
"""Tokens that the SigLIP reads at once."""


@pytest.fixture(autouse=True)
def loaded_anew() -> Iterator[None]:
    """Let no test profit from what another one loaded, or failed to."""
    embed._loaded.cache_clear()
    yield
    embed._loaded.cache_clear()


def pictures(*tones: tuple[int, ...], high: int = 90, wide: int = 160) -> NDArray[np.uint8]:
    """Return pictures of one tone each."""
    return np.stack([np.full((high, wide, 3), tone, np.uint8) for tone in tones])


def noise(count: int, high: int = 54, wide: int = 96, seed: int = 0) -> NDArray[np.uint8]:
    """Return pictures with something everywhere, so that it matters which part is seen, and how."""
    return np.random.default_rng(seed).integers(0, 256, (count, high, wide, 3), dtype=np.uint8)


def siglip(folder: Path) -> Path:
    """Make a SigLIP of random weights. Its words are the CLIP's, since its own kind takes one more package."""
    transformers = importlib.import_module("transformers")
    words = transformers.AutoTokenizer.from_pretrained(CLIP)
    words.model_max_length = 10**6
    tokens = {"bos_token_id": words.bos_token_id, "eos_token_id": words.eos_token_id}
    text = {**LAYER, "vocab_size": len(words), "max_position_embeddings": READS, "projection_size": 32, **tokens}
    config = transformers.SiglipConfig(text_config=text, vision_config=EYE)
    images = transformers.SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE})
    return saved(folder, transformers.SiglipModel(config), transformers.SiglipProcessor(images, words))


def siglip2(folder: Path) -> Path:
    """Make a SigLIP 2 of random weights of the kind that keeps the aspect of pictures."""
    transformers = importlib.import_module("transformers")
    words = transformers.AutoTokenizer.from_pretrained(CLIP)
    text = {**LAYER, "vocab_size": len(words), "max_position_embeddings": READS, "projection_size": 32}
    vision = {**LAYER, "patch_size": 7, "num_patches": 16}
    config = transformers.Siglip2Config(text_config=text, vision_config=vision)
    images = transformers.Siglip2ImageProcessorPil(patch_size=7, max_num_patches=16)
    return saved(folder, transformers.Siglip2Model(config), transformers.Siglip2Processor(images, words))


def dinov2(folder: Path) -> Path:
    """Make a DINOv2 of random weights."""
    transformers = importlib.import_module("transformers")
    square = {"height": SIDE, "width": SIDE}
    images = transformers.BitImageProcessorPil(size={"shortest_edge": 32}, crop_size=square)
    return saved(folder, transformers.Dinov2Model(transformers.Dinov2Config(**EYE, mlp_ratio=2)), images)


def bert(folder: Path) -> Path:
    """Make a model that only reads."""
    transformers = importlib.import_module("transformers")
    words = transformers.AutoTokenizer.from_pretrained(CLIP)
    return saved(folder, transformers.BertModel(transformers.BertConfig(**LAYER, vocab_size=len(words))), words)


def saved(folder: Path, model: Any, processor: Any) -> Path:
    """Save a model with weights that are random, and the same in each run."""
    torch = importlib.import_module("torch")
    torch.manual_seed(0)
    for part in model.parameters():
        part.data = torch.randn_like(part) * 0.2
    importlib.import_module("transformers").utils.logging.disable_progress_bar()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def plainly(folder: Path) -> tuple[Any, Any]:
    """Load a model and its processor as their own documents tell."""
    transformers = importlib.import_module("transformers")
    return transformers.AutoModel.from_pretrained(folder), transformers.AutoProcessor.from_pretrained(folder)


def rows(vectors: Any) -> NDArray[np.float32]:
    """Return what a model gave as rows of length 1."""
    found = vectors.detach().numpy()
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def refusal(name: Path | str) -> str:
    """Return why a model can't be had."""
    with pytest.raises(VideoError) as caught:
        load_embedder(str(name))
    assert caught.value.kind == "no_model"
    assert "\n" not in caught.value.message
    return caught.value.message


@needs_transformers
@pytest.mark.parametrize(
    "words",
    [
        "{}",
        "A {} shape moves slowly across a plain background.",
        "The camera pans along a {} wall, then stops.",
        "Nobody is there. In the end the sky turns {}!",
    ],
)
def test_shades_never_shown_before_and_texts_never_read_before_find_each_other(words):
    clip = load_embedder(str(CLIP))
    rng = np.random.default_rng(3)
    named = [*COLOURS] * 20
    shades = [np.clip(np.add(COLOURS[name], rng.integers(-20, 21, 3)), 0, 255) for name in named]
    cosines = clip.images(pictures(*shades)) @ clip.texts([words.format(name) for name in COLOURS]).T
    assert [[*COLOURS][i] for i in cosines.argmax(1)] == named
    assert [named[i] for i in cosines.argmax(0)] == [*COLOURS]
    right = cosines[np.arange(len(named)), [[*COLOURS].index(name) for name in named]]
    assert right.min() > 0.8
    assert np.sort(cosines, axis=1)[:, -2].max() < 0.7


@needs_transformers
def test_vectors_are_those_of_the_model_and_its_processor():
    shown, said = noise(3), ["a red thing", "Nothing but green, as far as anybody can see.", ""]
    model, processor = plainly(CLIP)
    images = processor(images=[*shown], return_tensors="pt")
    texts = processor.tokenizer(said, padding=True, return_tensors="pt")
    clip = load_embedder(str(CLIP))
    np.testing.assert_allclose(clip.images(shown), rows(model.get_image_features(**images).pooler_output), atol=1e-6)
    np.testing.assert_allclose(clip.texts(said), rows(model.get_text_features(**texts).pooler_output), atol=1e-6)
    logits = plainly(CLIP)[0](**images, **texts).logits_per_image.detach().numpy()
    np.testing.assert_allclose(clip.scale * clip.images(shown) @ clip.texts(said).T, logits, atol=1e-4)
    assert (clip.size, clip.width, clip.bias) == (56, 16, None)


@needs_transformers
def test_vectors_have_length_one_and_do_not_depend_on_the_batch():
    clip = load_embedder(str(CLIP))
    shown, said = noise(70), [f"{'very ' * (i % 9)}red thing number {i}" for i in range(70)]
    for embedded, things in ((clip.images, shown), (clip.texts, said)):
        vectors = embedded(things)
        assert (vectors.shape, vectors.dtype) == ((70, 16), np.float32)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
        np.testing.assert_array_equal(embedded(things), vectors)
        alone = np.concatenate([embedded(things[i : i + 1]) for i in range(70)])
        np.testing.assert_allclose(vectors, alone, atol=1e-5)


@needs_transformers
@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (1, 90), (200, 4), (3, 4)])
def test_pictures_of_any_shape(shape):
    vectors = load_embedder(str(CLIP)).images(pictures(COLOURS["blue"], COLOURS["red"], high=shape[0], wide=shape[1]))
    names = load_embedder(str(CLIP)).texts([*COLOURS])
    assert [[*COLOURS][i] for i in (vectors @ names.T).argmax(1)] == ["blue", "red"]


@needs_transformers
def test_nothing_gives_no_rows():
    clip = load_embedder(str(CLIP))
    assert clip.images(noise(0)).shape == clip.texts([]).shape == (0, 16)


@needs_transformers
def test_a_text_too_long_for_the_model_is_not_cut_off():
    clip = load_embedder(str(CLIP))
    red = "The red shape keeps its form and its size until the very end of the video. "
    names = clip.texts([*COLOURS])
    long, mixed, short = clip.texts([red * 30, red * 15 + red.replace("red", "blue") * 15, red])
    assert long @ short > 0.99
    red_and_blue = (mixed @ names.T).argsort()[-2:]
    assert {[*COLOURS][i] for i in red_and_blue} == {"red", "blue"}, "the end was not read"


@needs_transformers
def test_a_long_text_is_the_mean_of_its_parts_by_their_length():
    clip = load_embedder(str(CLIP))
    first, second = "red " * 60 + "end.", "The sky is blue, " * 9 + "isn't it?"
    parts = clip.texts([first.strip(), second])
    mean = len(first) * parts[0] + len(second) * parts[1]
    [whole] = clip.texts([f"{first}\n{second}"])
    np.testing.assert_allclose(whole, mean / np.linalg.norm(mean), atol=1e-5)
    others = clip.texts(["black", f"{first}\n{second}", "white"])
    np.testing.assert_allclose(others[1], whole, atol=1e-5)


@needs_transformers
def test_a_long_text_without_a_gap_is_read_to_its_end():
    clip = load_embedder(str(CLIP))
    one, other = clip.texts(["x" * 999 + "red", "x" * 999 + "blue"])
    assert np.abs(one - other).max() > 1e-3


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One. Two two two two. Three.", "One. Two two two two."),
        ("A first one! And a second, which is longer than that.", "A first one!"),
        ("no end of a sentence anywhere, 3.5 apart", "no end of a sentence"),
        ("雨が降る。人が走る。", "雨が降る。"),
        ("unbroken", "unbr"),
        ("ended. ", "end"),
    ],
)
def test_a_text_is_cut_at_the_end_of_a_sentence_near_its_middle(text, first):
    assert halves(text)[0] == first


@given(st.text(st.sampled_from("ab .!。\n"), min_size=2))
def test_halves_hold_the_whole_text_and_are_shorter(text):
    parts = halves(text)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert max(map(len, parts)) < len(text)


@needs_transformers
@pytest.mark.parametrize("make", [siglip, siglip2])
def test_siglip_reads_lower_case_padded_to_its_length(tmp_path, make):
    folder = make(tmp_path / "model")
    model, processor = plainly(folder)
    siglip = load_embedder(str(folder))
    shown = noise(3)
    images = processor.image_processor([*shown], return_tensors="pt")
    np.testing.assert_allclose(siglip.images(shown), rows(model.get_image_features(**images).pooler_output), atol=1e-5)
    said = ["a red thing", "the sky"]
    read = processor.tokenizer(said, padding="max_length", max_length=READS, return_tensors="pt")["input_ids"]
    expected = rows(model.get_text_features(read).pooler_output)
    np.testing.assert_allclose(siglip.texts(said), expected, atol=1e-5)
    np.testing.assert_allclose(siglip.texts(["A RED thing", "very " * 80])[0], expected[0], atol=1e-5)
    theirs = model(**images, input_ids=read).logits_per_image.detach().numpy()
    ours = siglip.scale * siglip.images(shown) @ expected.T + siglip.bias
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
    assert (siglip.size, siglip.width) == (SIDE, 32)
    assert np.abs(expected[0] - expected[1]).max() > 1e-3, "nothing was told apart"


@needs_transformers
def test_a_model_that_only_sees_gives_pictures_and_says_that_it_reads_none(tmp_path):
    folder = dinov2(tmp_path / "eyes")
    model, processor = plainly(folder)
    eyes = load_embedder(str(folder))
    shown = noise(3)
    expected = rows(model(**processor([*shown], return_tensors="pt")).pooler_output)
    np.testing.assert_allclose(eyes.images(shown), expected, atol=1e-5)
    assert (eyes.size, eyes.width, eyes.scale, eyes.bias) == (SIDE, 32, None, None)
    with pytest.raises(VideoError, match="sees pictures and reads no texts: take one that does"):
        eyes.texts(["a red thing"])


@needs_transformers
@pytest.mark.parametrize("name", ["longtake-tests/no-such-model", "/no/such/folder", "no such name"])
def test_no_such_model(name):
    message = refusal(name)
    assert f"{name} is neither a folder nor a model that could be downloaded" in message
    assert "give a folder that holds its weights" in message


@needs_transformers
def test_a_load_that_failed_is_not_tried_again(tmp_path):
    folder = tmp_path / "later"
    folder.mkdir()
    first = refusal(folder)
    shutil.copytree(CLIP, folder, dirs_exist_ok=True)
    assert refusal(folder) == first


@needs_transformers
def test_a_model_is_loaded_once():
    assert load_embedder(str(CLIP)) is load_embedder(str(CLIP))


def weightless(folder: Path) -> None:
    """Take one tensor out of a model's weights."""
    torch = importlib.import_module("safetensors.torch")
    weights = torch.load_file(folder / "model.safetensors")
    del weights["visual_projection.weight"]
    torch.save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


@needs_transformers
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "lacks parts of a model that makes vectors"),
        (weightless, "no weights for visual_projection.weight"),
        (lambda folder: (folder / "config.json").write_text("{"), "can't be loaded as a model that makes vectors"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"x" * 99), "can't be loaded as a model that makes"),
    ],
)
def test_a_folder_that_holds_no_whole_model(tmp_path, spoil, words):
    folder = shutil.copytree(CLIP, tmp_path / "spoilt")
    spoil(folder)
    assert words in refusal(folder)


@needs_transformers
@pytest.mark.parametrize("name", ["tiny-llava", "tiny-blip2"])
def test_a_model_that_answers_in_words_is_of_the_wrong_kind(name):
    message = refusal(DATA / name)
    assert "can't be loaded as a model that makes vectors of pictures" in message
    assert "such as a CLIP, SigLIP or DINOv2" in message


@needs_transformers
def test_a_model_that_only_reads_is_of_the_wrong_kind(tmp_path):
    message = refusal(bert(tmp_path / "bert"))
    assert "lacks parts of a model that makes vectors of pictures" in message
    assert "such as a CLIP, SigLIP or DINOv2" in message


@needs_transformers
def test_numbers_too_large_for_half_precision():
    """As some models have, of which a GPU would make nothing but infinities."""
    torch, transformers = map(importlib.import_module, ("torch", "transformers"))
    model = transformers.AutoModel.from_pretrained(CLIP, dtype=torch.float16).eval()
    processor = transformers.AutoProcessor.from_pretrained(CLIP)
    shown, said = noise(3), ["a red thing"]
    sound = Embedder("half", processor, model)
    before = sound.images(shown), sound.texts(said)
    assert model.dtype == torch.float16
    for part in (model.visual_projection, model.text_projection):
        part.weight.data *= 5e4
    assert model.visual_projection.weight.isfinite().all()
    after = sound.images(shown), sound.texts(said)
    assert model.dtype == torch.float32, "it was not too large"
    for here, there in zip(after, before, strict=True):
        np.testing.assert_allclose(here, there, atol=0.01)


@needs_transformers
def test_nothing_is_written_to_the_screen(capfd):
    clip = load_embedder(str(CLIP))
    clip.texts(["very long " * 200])
    clip.images(noise(2))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("missing", ["torch", "transformers", "PIL.Image"])
def test_what_is_not_installed_is_named(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    message = refusal(CLIP)
    assert "pip install 'longtake[local]'" in message


def test_nothing_heavy_is_loaded_with_the_module():
    code = "import sys, longtake.embed; sys.exit(any(n in sys.modules for n in ('torch', 'transformers', 'PIL')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_tiny_clip_is_small_and_of_clips_form():
    assert sum(file.stat().st_size for file in CLIP.iterdir()) < 700 * 1024
    assert json.loads((CLIP / "config.json").read_text())["model_type"] == "clip"
