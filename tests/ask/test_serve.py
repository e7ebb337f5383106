"""A real model behind a real server: `transformers serve` with the tiny LLaVA, asked over HTTP as any server is.

Pixels go out as JPEG in base64 and come back as the right colour. Skipped where requirements/local.txt is not
installed.
"""

import asyncio

import cv2
import numpy as np
import pytest
from pydantic import BaseModel
from served import LLAVA, needs_server, serving

from longtake.ask import AskError, ModelSettings, Reply, Request, connect

COLOURS = {"red": (220, 30, 30), "blue": (40, 70, 230), "yellow": (235, 220, 40), "black": (15, 15, 15)}

pytestmark = needs_server


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("serve")) as url:
        yield url


def picture(tone: tuple[int, ...]) -> bytes:
    """Return a grid of six frames of one tone with white borders, as a JPEG file."""
    grid = np.full((3 * 134 + 8, 2 * 232 + 8, 3), 255, np.uint8)
    for row in range(3):
        for column in range(2):
            grid[8 + row * 134 : 134 + row * 134, 8 + column * 232 : 232 + column * 232] = tone
    return cv2.imencode(".jpg", cv2.cvtColor(grid, cv2.COLOR_RGB2BGR))[1].tobytes()


def answers(url: str, *requests: Request, model: str = str(LLAVA)) -> list[Reply]:
    async def ask() -> list[Reply]:
        connected = connect(ModelSettings(url=url, model=model, temperature=None))
        try:
            return await asyncio.gather(*map(connected.ask, requests))
        finally:
            await connected.close()

    return asyncio.run(ask())


def test_the_right_colour_comes_back(url):
    replies = answers(
        url, *(Request(colour, "Describe the video.", (picture(tone),)) for colour, tone in COLOURS.items())
    )
    assert [reply.text.split()[:3] for reply in replies] == [["A", colour, "shape"] for colour in COLOURS]
    assert {reply.finish for reply in replies} == {"stop"}
    assert all(reply.prompt_tokens > 16 and reply.completion_tokens > 40 for reply in replies)


def test_the_served_answer_is_the_local_one(url):
    request = Request("clip-1", "Describe the video in one paragraph.", (picture(COLOURS["blue"]),))
    [served], [local] = answers(url, request), answers("local", request)
    assert (served.text, served.finish) == (local.text, local.finish)


def test_a_text_alone(url):
    [reply] = answers(url, Request("clip-1", "Join these: A yellow shape moves slowly across a plain background."))
    assert reply.text.startswith("CAPTION: A yellow shape")


def test_a_second_try_and_an_answer_that_is_cut_off(url):
    again = ("A red shape moves.", "It has 4 words; write at least 40.")
    replies = answers(
        url,
        Request("again", "Describe the video.", (picture(COLOURS["blue"]),), before=again),
        Request("cut", "Describe the video.", (picture(COLOURS["blue"]),), max_tokens=5),
    )
    assert [reply.text[:6] for reply in replies] == ["A blue", "A blue"]
    assert [reply.finish for reply in replies] == ["stop", "length"]
    assert replies[1].completion_tokens == 5


class Dense(BaseModel):
    dense_caption: str


def test_a_server_that_looks_past_the_form_still_answers(url):
    """`transformers serve` takes `response_format` and does nothing with it."""
    [reply] = answers(url, Request("clip-1", "Describe the video.", (picture(COLOURS["red"]),), schema=Dense))
    assert "red shape" in reply.text


def test_a_server_that_lists_no_model_wants_a_name(url):
    """This one lists what is in the hub's cache, not the folder it serves."""
    with pytest.raises(AskError, match="lists no model") as caught:
        answers(url, Request("clip-1", "Describe the video.", (picture(COLOURS["red"]),)), model="auto")
    assert (caught.value.kind, caught.value.fatal) == ("no_model", True)
