"""Lines of batch files, there and back."""

import base64
import json
from typing import Any

import pytest
from faultserver import TEXT, FaultServer, completion
from pydantic import BaseModel
from test_http import ask

from longtake.ask import AskError, ModelSettings, Reply, Request
from longtake.ask.batch import read_line, request_line


class Pair(BaseModel):
    short: str
    dense: str


SETTINGS = ModelSettings(url="https://models.example.org/v1", model="fake")
ASKED = Request("clip-1/raw", "What\nis shown?", images=(b"\xff\xd8",), schema=Pair, before=("A cat.", "No."))


def row(**fields: Any) -> str:
    return json.dumps({"id": "batch-1", "custom_id": "clip-1/raw", "response": None, "error": None, **fields})


def test_a_line_is_one_request():
    line = request_line(ASKED, SETTINGS)
    assert "\n" not in line
    asked = json.loads(line)
    assert (asked["custom_id"], asked["method"], asked["url"]) == (ASKED.id, "POST", "/v1/chat/completions")


@pytest.mark.parametrize("images", ["base64", "file"])
def test_a_line_holds_what_would_be_sent(images: str):
    with FaultServer() as server:
        ask(server, ASKED)
    body = json.loads(request_line(ASKED, ModelSettings(url="", model="fake", images=images)))["body"]
    assert body == server.requests[0]
    url = body["messages"][0]["content"][0]["image_url"]["url"]
    assert base64.b64decode(url.rpartition(",")[2]) == b"\xff\xd8"


def test_a_line_holds_a_video_whole():
    asked = Request("clip-1/raw", "What is shown?", video=b"a film")
    settings = ModelSettings(url="", model="fake", images="file")
    video, _ = json.loads(request_line(asked, settings))["body"]["messages"][0]["content"]
    assert video["type"] == "video_url"
    kind, _, data = video["video_url"]["url"].partition(",")
    assert (kind, base64.b64decode(data)) == ("data:video/mp4;base64", b"a film")


def test_a_batch_needs_the_models_name():
    with pytest.raises(ValueError, match="name"):
        request_line(ASKED, ModelSettings(url=SETTINGS.url))


@pytest.mark.parametrize("extra", [{}, {"request_id": "1"}])
def test_an_answer_comes_back_with_its_id(extra: dict[str, str]):
    response = {"status_code": 200, "body": json.loads(completion(TEXT)), **extra}
    name, reply = read_line(row(response=response))
    assert name == ASKED.id
    assert isinstance(reply, Reply)
    assert (reply.text, reply.finish, reply.prompt_tokens) == (TEXT, "stop", 100)


@pytest.mark.parametrize(
    ("fields", "kind", "fatal", "words"),
    [
        ({"response": {"status_code": 400, "body": {"error": {"message": "too long"}}}}, "rejected", False, "too long"),
        ({"response": {"status_code": 400}, "error": {"message": "too long"}}, "rejected", False, "too long"),
        ({"response": {"status_code": 401, "body": {"error": {"message": "key"}}}}, "access", True, "key"),
        ({"response": {"status_code": 429, "body": {}}}, "no_answer", False, ""),
        ({"response": {"status_code": 500, "body": None}}, "no_answer", False, "500"),
        ({"error": {"code": "batch_expired", "message": "not in time"}}, "no_answer", False, "not in time"),
        ({"response": {"status_code": 200, "body": {"choices": []}}}, "no_answer", False, "no choices"),
        ({}, "no_answer", False, "no choices"),
    ],
)
def test_a_failure_comes_back_as_one(fields: dict[str, Any], kind: str, fatal: bool, words: str):
    name, error = read_line(row(**fields))
    assert name == ASKED.id
    assert isinstance(error, AskError)
    assert (error.kind, error.fatal) == (kind, fatal)
    assert words in error.message


@pytest.mark.parametrize("line", ["", "{", "[]", "null", '{"response": {}}', '{"custom_id": 3}'])
def test_other_lines_are_refused(line: str):
    with pytest.raises(ValueError, match="no line of a batch's results"):
        read_line(line)
