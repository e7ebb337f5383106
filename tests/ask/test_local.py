"""A model in this process, tried with the tiny ones of tests/data, which really see: each answer has a right one.

What is said where torch and transformers are missing is tested everywhere, the rest where requirements/local.txt is
installed.
"""

import asyncio
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydantic import BaseModel, Field

from longtake.ask import AskError, ModelSettings, Reply, Request, connect
from longtake.ask.local import LocalModel

DATA = Path(__file__).resolve().parents[1] / "data"
LLAVA, BLIP2 = DATA / "tiny-llava", DATA / "tiny-blip2"
HERE = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))
needs_transformers = pytest.mark.skipif(not HERE, reason="needs torch and transformers: requirements/local.txt")

RED, GREEN, BLUE, YELLOW, WHITE, BLACK = (
    (220, 30, 30),
    (30, 180, 50),
    (40, 70, 230),
    (235, 220, 40),
    (240, 240, 240),
    (15, 15, 15),
)
COLOURS = {"red": RED, "green": GREEN, "blue": BLUE, "yellow": YELLOW, "white": WHITE, "black": BLACK}
ASKED = "Describe the video in one paragraph."
GRID = """You see a video of 47.5 s. Only its part 2 of 3, from 17.5 s to 32.5 s, is shown and asked about. The picture
is a grid of 6 frames of it with white borders around them. The frames are equally spaced in time, which runs from left
to right in each row, and from the top row to the bottom row.

Describe the video as one continuous take, in one paragraph of plain English. Cover:
- what happens: the main actions and events, in the order in which they happen;
- who and what is seen: people, animals and objects, with what tells them apart;
- where: the setting, the background, the light and the weather;
- the camera: its view and distance, how it moves, and where its angle changes.
State what can be seen and nothing else. No heading, no list, no remark before or after.

Measured camera: pans right 0 to 12.4 s; static 12.4 to 47.5 s. Trust this over your own impression of the camera."""


class Dense(BaseModel):
    dense_caption: str = Field(description="All that happens.")


def jpeg(picture: np.ndarray) -> bytes:
    """Return an RGB picture as a JPEG file."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    assert done
    return data.tobytes()


def frame(tone: tuple[int, ...], *, wide: int = 320, high: int = 180) -> bytes:
    """Return one frame of one tone."""
    return jpeg(np.full((high, wide, 3), tone, np.uint8))


def grid(tone: tuple[int, ...], columns: int, rows: int) -> bytes:
    """Return a grid of frames of one tone, with white borders as `Look` has them."""
    border, wide, high = 8, 224, 126
    picture = np.full((rows * (high + border) + border, columns * (wide + border) + border, 3), 255, np.uint8)
    for row in range(rows):
        for column in range(columns):
            top, left = border + row * (high + border), border + column * (wide + border)
            picture[top : top + high, left : left + wide] = tone
    return jpeg(picture)


def settings(folder: Path | str = LLAVA, *, concurrency: int = 8, temperature: float | None = None) -> ModelSettings:
    return ModelSettings(url="local", model=str(folder), concurrency=concurrency, temperature=temperature)


def answers(model: LocalModel, *requests: Request) -> list[Reply]:
    """Ask all at once."""

    async def ask() -> list[Reply]:
        return await asyncio.gather(*map(model.ask, requests))

    return asyncio.run(ask())


def failure(model: LocalModel, request: Request) -> AskError:
    """Return the error that a request meets."""
    with pytest.raises(AskError) as caught:
        answers(model, request)
    return caught.value


def about(tone: tuple[int, ...], prompt: str = ASKED, **more: object) -> Request:
    return Request("clip-1", prompt, (frame(tone),), **more)


@pytest.fixture(scope="module")
def llava():
    model = connect(settings())
    yield model
    asyncio.run(model.close())


@pytest.fixture(scope="module")
def blip2():
    model = connect(settings(BLIP2))
    yield model
    asyncio.run(model.close())


@needs_transformers
@pytest.mark.parametrize("colour", COLOURS)
def test_the_model_says_what_it_sees(llava, colour):
    [reply] = answers(llava, about(COLOURS[colour]))
    assert reply.text.startswith(f"A {colour} shape moves slowly across a plain background")
    assert reply.text.endswith(".")
    assert (reply.finish, reply.model) == ("stop", "tiny-llava")
    assert reply.prompt_tokens > 16
    assert reply.completion_tokens > 40


@needs_transformers
def test_shades_never_shown_before_in_grids_and_long_prompts_are_named_right(llava):
    rng = np.random.default_rng(7)
    cases = [
        (colour, tuple(int(part) for part in np.clip(np.add(COLOURS[colour], rng.integers(-20, 21, 3)), 0, 255)))
        for colour in [*COLOURS] * 10
    ]
    asked = [
        Request(str(i), GRID if i % 4 else ASKED, (grid(tone, 2, 3) if i % 3 else grid(tone, 4, 2),))
        for i, (_, tone) in enumerate(cases)
    ]
    said = [reply.text.split()[1] for reply in answers(llava, *asked)]
    assert said == [colour for colour, _ in cases]


@needs_transformers
def test_a_batch_answers_as_one_at_a_time_does(llava):
    tones = [RED, BLUE, GREEN, WHITE, BLACK, YELLOW]
    asked = [
        Request(str(i), prompt, (frame(tone),))
        for i, (tone, prompt) in enumerate(zip(tones, [ASKED, GRID, "?", GRID, ASKED, "what"], strict=True))
    ]
    together = answers(llava, *asked)
    alone = [answers(llava, request)[0] for request in asked]
    assert [reply.text for reply in together] == [reply.text for reply in alone]
    counts = [[(one.prompt_tokens, one.completion_tokens) for one in replies] for replies in (together, alone)]
    assert counts[0] == counts[1]
    assert len({reply.elapsed_s for reply in together}) == 1, "not one batch"


@needs_transformers
def test_requests_of_other_kinds_and_beyond_the_batch_size_wait_their_turn():
    model = LocalModel(settings(concurrency=2))
    asked = [about(RED), about(BLUE), about(GREEN), about(RED, max_tokens=3), Request("text", "A black shape moves.")]
    replies = answers(model, *asked)
    said = [reply.text.removeprefix("CAPTION: ").split()[1] for reply in replies]
    assert said == ["red", "blue", "green", "red", "black"]
    assert replies[0].elapsed_s == replies[1].elapsed_s
    assert len({reply.elapsed_s for reply in replies}) == 4
    asyncio.run(model.close())


@needs_transformers
@pytest.mark.parametrize("colour", ["blue", "black", "yellow"])
def test_a_question_about_texts_needs_no_picture(llava, colour):
    told = f"These texts describe a video:\n\nA {colour} shape moves slowly across a plain background.\n\nJoin them."
    [reply] = answers(llava, Request("clip-1", told))
    assert reply.text.startswith(f"CAPTION: A {colour} shape moves")


@needs_transformers
def test_several_pictures(llava):
    [reply] = answers(llava, Request("clip-1", ASKED, (frame(BLUE), frame(BLUE, wide=96), frame(BLUE))))
    assert reply.text.startswith("A blue shape")


@needs_transformers
def test_an_answer_that_is_cut_off_says_so(llava):
    [whole] = answers(llava, about(RED))
    [cut] = answers(llava, about(RED, max_tokens=6))
    assert (cut.finish, cut.completion_tokens) == ("length", 6)
    assert whole.text.startswith(cut.text)
    short = LocalModel(ModelSettings(url="local", model=str(LLAVA), max_tokens=4, temperature=None))
    [cut] = answers(short, about(RED))
    assert (cut.finish, cut.completion_tokens) == ("length", 4)
    asyncio.run(short.close())


@needs_transformers
def test_a_second_try_goes_on_from_the_first(llava):
    wrong = ("A green shape moves slowly across a plain background.", "It is too short; write at least 40 words.")
    first, second = answers(llava, about(BLUE), about(BLUE, before=wrong))
    assert second.text.startswith("A blue shape")
    assert second.prompt_tokens > first.prompt_tokens + 15, "the model was not told"


@needs_transformers
def test_the_form_of_an_answer_is_asked_for_in_words(llava):
    plain, formed = answers(llava, about(BLUE), about(BLUE, schema=Dense))
    assert formed.prompt_tokens > plain.prompt_tokens + 15


@needs_transformers
def test_what_the_chat_template_is_to_know_reaches_it(tmp_path):
    """As `enable_thinking` does in models that think by default."""
    folder = shutil.copytree(LLAVA, tmp_path / "thinking")
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text() + "{% if enable_thinking %}think about it first{% endif %}")
    counts = []
    for thinking in (True, False):
        more = {"chat_template_kwargs": {"enable_thinking": thinking}}
        model = LocalModel(ModelSettings(url="local", model=str(folder), extra=more))
        counts += [answers(model, about(RED, max_tokens=1))[0].prompt_tokens]
        asyncio.run(model.close())
    assert counts[0] > counts[1]


@needs_transformers
def test_what_is_drawn_belongs_to_the_question():
    """At so high a temperature that words are drawn nearly at random."""
    model = LocalModel(settings(temperature=3.0))
    asked = [Request(name, ASKED, (frame(RED),), max_tokens=12) for name in ("a", "b", "c")]
    together = [reply.text for reply in answers(model, *asked)]
    alone = [answers(model, request)[0].text for request in reversed(asked)][::-1]
    assert together == alone
    assert len(set(together)) == 3
    asyncio.run(model.close())


@needs_transformers
@pytest.mark.parametrize("colour", COLOURS)
def test_a_model_that_is_no_chat_model_captions_one_picture(blip2, colour):
    """The form of BLIP-2 with FLAN-T5: no chat template, and an encoder of its own for the prompt."""
    [reply] = answers(blip2, about(COLOURS[colour], "Describe this image in detail."))
    assert reply.text == f"A {colour} shape moves slowly across a plain background."
    assert reply.finish == "stop"


@needs_transformers
def test_a_model_that_is_no_chat_model_answers_batches_and_cut_off(blip2):
    asked = [about(RED), about(GREEN, GRID), about(BLUE, "what"), about(WHITE, before=("A shape.", "Too short."))]
    assert [reply.text.split()[1] for reply in answers(blip2, *asked)] == ["red", "green", "blue", "white"]
    [cut] = answers(blip2, about(RED, max_tokens=2))
    assert (cut.text, cut.finish, cut.completion_tokens) == ("A red", "length", 2)


@needs_transformers
@pytest.mark.parametrize("pictures", [0, 2])
def test_a_model_that_is_no_chat_model_says_what_it_cannot_do(blip2, pictures):
    error = failure(blip2, Request("clip-1", ASKED, (frame(RED),) * pictures))
    assert (error.kind, error.fatal) == ("rejected", False)
    assert f"was given {pictures} pictures" in error.message
    assert answers(blip2, about(RED))[0].text.startswith("A red"), "it goes on after that"


@needs_transformers
def test_a_batch_too_large_for_the_memory_is_halved():
    import torch

    model = LocalModel(settings())
    answers(model, about(RED, max_tokens=1))
    generate, sizes = model._loaded.model.generate, []

    def short_of_memory(**batch):
        sizes.append(len(batch["input_ids"]))
        if sizes[-1] > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return generate(**batch)

    model._loaded.model.generate = short_of_memory
    for _ in range(2):
        replies = answers(model, *map(about, COLOURS.values()))
        assert [reply.text.split()[1] for reply in replies] == [*COLOURS]
    assert sizes == [6, 3, 2, 1, 3, 2, 1, 2, 2, 2], "not halved till it fits, or forgotten"
    asyncio.run(model.close())


@needs_transformers
def test_one_question_too_large_for_the_memory():
    import torch

    model = LocalModel(settings())
    answers(model, about(RED, max_tokens=1))

    def short_of_memory(**_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    model._loaded.model.generate = short_of_memory
    error = failure(model, about(RED))
    assert (error.kind, error.fatal) == ("no_model", True)
    assert "take a smaller model" in error.message
    asyncio.run(model.close())


@needs_transformers
def test_nothing_is_written_to_the_screen(capfd):
    model = LocalModel(settings(temperature=0.2))
    answers(model, about(RED), Request("text", ASKED))
    asyncio.run(model.close())
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def endless(tmp_path):
    """Return a model that never ends an answer."""
    folder = shutil.copytree(LLAVA, tmp_path / "endless")
    told = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps({**told, "eos_token_id": 0, "suppress_tokens": [0, 2]}))
    return folder


@needs_transformers
def test_close_stops_what_is_being_answered(endless):
    async def close_at_once() -> list[object]:
        model = LocalModel(ModelSettings(url="local", model=str(endless), concurrency=1, max_tokens=4000))
        asked = [asyncio.create_task(model.ask(about(tone, max_tokens=4000))) for tone in (RED, BLUE)]
        while model._loaded is None:
            await asyncio.sleep(0.01)
        await model.close()
        return await asyncio.gather(*asked, return_exceptions=True)

    assert [type(end) for end in asyncio.run(close_at_once())] == [asyncio.CancelledError] * 2


@needs_transformers
def test_who_no_longer_waits_is_not_answered(llava):
    async def some() -> list[object]:
        asked = [asyncio.create_task(llava.ask(about(tone))) for tone in COLOURS.values()]
        await asyncio.sleep(0)
        asked[1].cancel()
        return await asyncio.gather(*asked, return_exceptions=True)

    replies = asyncio.run(some())
    assert isinstance(replies[1], asyncio.CancelledError)
    said = [reply.text.split()[1] for place, reply in enumerate(replies) if place != 1]
    assert said == [colour for colour in COLOURS if colour != "green"]


@needs_transformers
@pytest.mark.parametrize("name", ["longtake-tests/no-such-model", "/no/such/folder", "no such name"])
def test_no_such_model(name):
    model = LocalModel(settings(name))
    error = failure(model, about(RED))
    assert (error.kind, error.fatal) == ("no_model", True)
    assert f"{name} is neither a folder nor a model that could be downloaded" in error.message
    assert failure(model, about(RED)) is error, "it was tried again"
    asyncio.run(model.close())


@needs_transformers
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "lacks parts of a model"),
        (lambda folder: (folder / "config.json").write_text("{"), "can't be loaded as a model that sees"),
        (lambda folder: (folder / "config.json").write_text('{"model_type": "llama"}'), "can't be loaded as a model"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"x" * 99), "can't be loaded as a model that sees"),
    ],
)
def test_a_folder_that_holds_no_whole_model(tmp_path, spoil, words):
    folder = shutil.copytree(LLAVA, tmp_path / "spoilt")
    spoil(folder)
    error = failure(LocalModel(settings(folder)), about(RED))
    assert (error.kind, error.fatal) == ("no_model", True)
    assert words in error.message


@pytest.mark.skipif(
    not HERE or bool(importlib.util.find_spec("torchvision")), reason="needs transformers and no torchvision"
)
def test_a_model_that_needs_torchvision_says_so(tmp_path):
    """As all Qwen-VL do, for their video processors."""
    folder = shutil.copytree(LLAVA, tmp_path / "qwen")
    (folder / "config.json").write_text('{"model_type": "qwen2_5_vl"}')
    (folder / "processor_config.json").write_text(
        '{"processor_class": "Qwen2_5_VLProcessor", "image_processor": {"image_processor_type": '
        '"Qwen2VLImageProcessor"}, "video_processor": {"video_processor_type": "Qwen2VLVideoProcessor"}}'
    )
    error = failure(LocalModel(settings(folder)), about(RED))
    assert "pip install torchvision" in error.message


@pytest.mark.parametrize("missing", ["torch", "transformers"])
def test_what_is_not_installed_is_named(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    error = failure(LocalModel(settings()), about(RED))
    assert (error.kind, error.fatal) == ("no_model", True)
    assert "pip install 'longtake[local]'" in error.message


def test_a_model_without_a_name():
    error = failure(connect(ModelSettings(url="local")), about(RED))
    assert (error.kind, error.fatal) == ("no_model", True)
    assert "set `model`" in error.message


def test_closing_a_model_that_was_never_asked():
    asyncio.run(LocalModel(settings()).close())


def test_a_video_is_refused_before_anything_is_loaded():
    model = LocalModel(settings("no-such-model"))
    error = failure(model, Request("clip-1", ASKED, video=b"a film"))
    assert (error.kind, error.fatal) == ("rejected", False)
    assert "pictures only" in error.message and "video = false" in error.message
    asyncio.run(model.close())


def test_nothing_heavy_is_loaded_before_the_first_question():
    code = """
import sys
from longtake.ask import ModelSettings, connect
connect(ModelSettings(url="local", model="a"))
sys.exit(any(name in sys.modules for name in ("torch", "transformers", "PIL")))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
