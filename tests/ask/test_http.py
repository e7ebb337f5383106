"""A model over HTTP against a real server on loopback that misbehaves in every way it can."""

import asyncio
import base64
import datetime
import email.utils
import gc
import json
import random
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
from faultserver import FAULTS, FIELDS, TEXT, FaultServer, completion
from faultserver import Reply as FaultReply
from pydantic import BaseModel, Field

from longtake.ask import AskError, ModelSettings, Reply, Request, connect, gate, http
from longtake.ask.faults import of_status, retry_after_s, said


class Pair(BaseModel):
    """Two captions."""

    short: str = Field(description="One short sentence.")
    dense: str


JPEG = b"\xff\xd8 a picture \xff\xd9"
ASKED = Request("clip-1/short", "What is shown?", schema=Pair)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(http, "BACKOFF_S", 0.01)
    monkeypatch.setattr(gate, "FIRST_WAIT_S", 0.01)
    monkeypatch.delenv("LONGTAKE_API_KEY", raising=False)


def ask_all(server: FaultServer, requests: Sequence[Request], **settings: Any) -> list[Reply | AskError]:
    """Ask all at once; return replies and errors in order."""

    async def main() -> list[Any]:
        model = connect(ModelSettings(**{"url": server.url, "model": "fake", "timeout_s": 60.0, **settings}))
        try:
            return await asyncio.gather(*map(model.ask, requests), return_exceptions=True)
        finally:
            await model.close()

    found = asyncio.run(main())
    for item in found:
        if isinstance(item, BaseException) and not isinstance(item, AskError):
            raise item
    return found


def ask(server: FaultServer, request: Request = ASKED, **settings: Any) -> Reply:
    (found,) = ask_all(server, [request], **settings)
    if isinstance(found, AskError):
        raise found
    return found


def test_a_reply_tells_all_that_the_server_said():
    with FaultServer() as server:
        reply = ask(server)
    assert (reply.text, reply.finish, reply.model, reply.tries) == (TEXT, "stop", "fake", 1)
    assert (reply.prompt_tokens, reply.completion_tokens, reply.cached_tokens) == (100, 20, 40)
    assert reply.elapsed_s > 0


@pytest.mark.parametrize(
    "fault",
    ["no-choices", "error-in-200", "html", "408", "500", "cut-off", "429", "429-ms", "503-after"],
)
def test_passing_faults_are_asked_again(fault: str):
    with FaultServer([fault, "ok"]) as server:
        reply = ask(server)
    assert (reply.text, reply.tries) == (TEXT, 2)
    assert server.counts == {ASKED.id: 2}


def test_an_answer_that_takes_too_long_is_asked_again():
    with FaultServer(["slow", "ok"]) as server:
        assert ask(server, timeout_s=4.0).tries == 2


@pytest.mark.parametrize("fault", ["json", "fenced", "wrong-schema", "bad-json"])
def test_what_a_model_says_is_not_judged_here(fault: str):
    with FaultServer([fault]) as server:
        assert ask(server).tries == 1
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("fault", "finish", "text"),
    [
        ("cut-off-json", "length", json.dumps(FIELDS)[:30]),
        ("all-thought", "length", ""),
        ("refusal", "refused", "I can't describe that."),
        ("filter", "refused", ""),
        ("empty", "stop", ""),
        ("null", "stop", ""),
    ],
)
def test_how_an_answer_ended(fault: str, finish: str, text: str):
    with FaultServer([fault]) as server:
        reply = ask(server)
    assert (reply.finish, reply.text, reply.tries) == (finish, text, 1)


@pytest.mark.parametrize(
    ("fault", "kind", "fatal"),
    [
        ("401", "access", True),
        ("402", "access", True),
        ("quota", "access", True),
        ("404", "no_model", True),
        ("400", "rejected", False),
    ],
)
def test_lasting_faults_are_not_asked_again(fault: str, kind: str, fatal: bool):
    with FaultServer([fault]) as server, pytest.raises(AskError) as raised:
        ask(server)
    assert (raised.value.kind, raised.value.fatal) == (kind, fatal)
    assert len(server.requests) == 1
    assert server.url in raised.value.message


@pytest.mark.parametrize("fault", ["500", "no-choices", "html", "cut-off"])
def test_gives_up_after_its_tries(fault: str):
    with FaultServer([fault]) as server, pytest.raises(AskError) as raised:
        ask(server, tries=3)
    assert (raised.value.kind, raised.value.fatal) == ("no_answer", False)
    assert len(server.requests) == 3


def test_the_last_try_may_be_the_good_one():
    with FaultServer(["500", "no-choices", "ok"]) as server:
        assert ask(server, tries=3).tries == 3


def test_refusals_for_the_crowd_are_no_tries():
    with FaultServer(["429-ms"] * 3 + ["500", "ok"]) as server:
        assert ask(server, tries=2).tries == 5


def test_a_server_that_is_always_too_busy_ends_the_run(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(http, "PATIENCE_S", 1.5)
    with FaultServer(["429-ms"]) as server, pytest.raises(AskError, match="too busy") as raised:
        ask(server)
    assert (raised.value.kind, raised.value.fatal) == ("no_answer", True)
    assert len(server.requests) > 1


def test_one_refusal_holds_back_every_request():
    first, later = [], []

    def script(number: int, body: dict[str, Any]) -> str:
        prompt = body["messages"][0]["content"]
        if prompt in {"0", "1", "2", "3"} and prompt not in refused:  # those that are under way at first
            refused.add(prompt)
            first.append(time.monotonic())
            return "429-ms"
        later.append(time.monotonic())
        return "ok"

    refused: set[str] = set()
    with FaultServer(script, latency=0.05) as server:
        replies = ask_all(server, [Request(f"clip-{number}", str(number)) for number in range(12)], concurrency=4)
    assert all(isinstance(reply, Reply) for reply in replies)
    assert sum(server.counts.values()) == 16
    # Four places are then two, so three of the four must be back before another goes out: 50 ms of latency after the
    # third came, then the 50 ms that the server asked for.
    assert min(later) - first[2] >= 0.099


def test_a_crowded_server_is_asked_less_at_once():
    def script(number: int, body: dict[str, Any]) -> str:
        return "429-ms" if server.active >= 3 else "ok"

    requests = [Request(f"clip-{number}", "What?") for number in range(40)]
    with FaultServer(script, latency=0.01) as server:
        replies = ask_all(server, requests, concurrency=16)
    assert all(isinstance(reply, Reply) for reply in replies)
    refused = len(server.requests) - len(requests)
    # Of the first sixteen thirteen are too many; without adapting every wave would be as bad, 170 refusals in all.
    assert 1 <= refused <= 60


def test_no_more_at_once_than_the_settings_allow():
    with FaultServer(latency=0.02) as server:
        ask_all(server, [Request(str(number), "What?") for number in range(30)], concurrency=5)
    assert 1 < server.peak <= 5


def test_answers_belong_to_their_questions_in_whatever_order_they_come():
    def echo(body: dict[str, Any]) -> str:
        return body["messages"][0]["content"]

    rng = random.Random(1)
    faults = ["500", "429-ms", "no-choices", "cut-off", "html"]
    plan = [rng.choice(faults) if rng.random() < 0.2 else echo for _ in range(300)]
    requests = [Request(f"clip-{number}", f"prompt {number}") for number in range(200)]
    with FaultServer([*plan, echo], latency=(0.0, 0.05)) as server:
        replies = ask_all(server, requests, concurrency=64, tries=20)
    assert [reply.text for reply in replies if isinstance(reply, Reply)] == [request.prompt for request in requests]
    assert {request.id for request in requests} == set(server.counts)
    for body, headers in zip(server.requests, server.headers, strict=True):
        assert headers["x-client-request-id"].removeprefix("clip-") == echo(body).removeprefix("prompt ")


def test_pictures_come_before_the_prompt_and_the_form_behind_it():
    with FaultServer() as server:
        ask(server, Request("a", "Look.", images=(JPEG, JPEG + b"2"), schema=Pair))
    (body,) = server.requests
    *pictures, text = body["messages"][0]["content"]
    start = "data:image/jpeg;base64,"
    urls = [part["image_url"]["url"] for part in pictures]
    assert [base64.b64decode(url.removeprefix(start)) for url in urls] == [JPEG, JPEG + b"2"]
    assert text["text"].startswith("Look.\n\nAnswer with one JSON object")
    assert '"short" (text): One short sentence.' in text["text"]
    form = body["response_format"]["json_schema"]
    assert form["strict"] and form["schema"]["additionalProperties"] is False
    assert form["schema"]["required"] == ["short", "dense"]


def test_a_video_is_one_part_of_its_own():
    with FaultServer() as server:
        ask(server, Request("a", "Look.", video=JPEG))
    (body,) = server.requests
    url = "data:video/mp4;base64," + base64.b64encode(JPEG).decode()
    video = {"type": "video_url", "video_url": {"url": url}}
    assert body["messages"] == [{"role": "user", "content": [video, {"type": "text", "text": "Look."}]}]


@pytest.mark.parametrize(("kind", "suffix"), [("image", ".jpg"), ("video", ".mp4")])
def test_pictures_and_videos_as_files_are_there_while_asked_for_and_gone_after(kind: str, suffix: str):
    seen: list[Path] = []
    shown = {"images": (JPEG,)} if kind == "image" else {"video": JPEG}

    def look(body: dict[str, Any]) -> str:
        url = urlsplit(body["messages"][0]["content"][0][f"{kind}_url"]["url"])
        seen.append(Path(url2pathname(url.path)))
        assert url.scheme == "file"
        assert seen[-1].parent.stat().st_mode & 0o077 == 0
        return seen[-1].read_bytes().decode("latin-1")

    with FaultServer(["500", look]) as server:
        reply = ask(server, Request("a", "Look.", **shown), images="file")
    assert reply.text.encode("latin-1") == JPEG
    assert seen[0].suffix == suffix
    assert seen and not seen[0].parent.exists()


def test_a_second_try_goes_on_with_the_talk():
    with FaultServer() as server:
        ask(server, Request("a", "What?", before=("A cat?", "There is no cat. Look again.")))
    assert server.requests[0]["messages"] == [
        {"role": "user", "content": "What?"},
        {"role": "assistant", "content": "A cat?"},
        {"role": "user", "content": "There is no cat. Look again."},
    ]


def test_settings_reach_the_body():
    with FaultServer() as server:
        ask(server, Request("a", "What?", max_tokens=64), extra={"chat_template_kwargs": {"enable_thinking": False}})
        ask(server, Request("a", "What?", max_tokens=4096), temperature=None, token_limit="max_completion_tokens")
    first, second = server.requests
    assert (first["max_tokens"], first["temperature"], first["model"]) == (64, 0.2, "fake")
    assert first["chat_template_kwargs"] == {"enable_thinking": False}
    assert second["max_completion_tokens"] == 1024 and not {"max_tokens", "temperature"} & set(second)


@pytest.mark.parametrize(
    ("script", "forms"),
    [
        ("no-json-schema", ["json_schema", "json_object", "json_object"]),
        ("no-response-format", ["json_schema", "json_object", None, None]),
    ],
)
def test_a_form_the_server_refuses_is_not_asked_for_again(script: str, forms: list[str | None]):
    async def main(url: str) -> None:
        model = connect(ModelSettings(url=url, model="fake"))
        for name in ("a", "b"):
            assert json.loads((await model.ask(Request(name, "What?", schema=Pair))).text) == FIELDS
        await model.close()

    with FaultServer([script]) as server:
        asyncio.run(main(server.url))
    assert [body.get("response_format", {}).get("type") for body in server.requests] == forms


def test_many_at_once_learn_a_refused_form_only_once_each():
    requests = [Request(str(number), "What?", schema=Pair) for number in range(8)]
    with FaultServer(["no-json-schema"], latency=0.05) as server:
        replies = ask_all(server, requests)
    assert [json.loads(reply.text) for reply in replies if isinstance(reply, Reply)] == [FIELDS] * 8
    # A late refusal of the first form says nothing of the second, so none is asked by the prompt alone.
    forms = [body.get("response_format", {}).get("type") for body in server.requests]
    assert set(forms) == {"json_schema", "json_object"} and forms.count("json_object") == 8


def test_parameters_a_reasoning_model_refuses_are_left_out():
    with FaultServer(["reasoning"]) as server:
        replies = ask_all(server, [ASKED, ASKED], concurrency=1)
    assert all(isinstance(reply, Reply) for reply in replies)
    assert len(server.requests) == 4
    assert server.requests[-1]["max_completion_tokens"] == 512


def test_a_server_that_refuses_both_names_of_the_limit_is_not_asked_for_ever():
    words = "max_completion_tokens and max_tokens are not supported"
    with FaultServer(lambda number, body: "reasoning" if number == 0 else "400") as server, pytest.raises(AskError):
        ask(server)
    assert len(server.requests) == 2
    manner = http.first_manner(ModelSettings())
    other = http.next_manner(manner, ModelSettings(), 400, words)
    assert other is not None and http.next_manner(other, ModelSettings(), 400, words) is None


def test_a_wrong_value_is_the_users_to_mend():
    settings = ModelSettings(temperature=9.0)
    assert http.next_manner(http.first_manner(settings), settings, 400, "temperature must be at most 2") is None


def test_the_first_listed_model_is_asked_for_once():
    requests = [Request(str(number), "What?") for number in range(6)]
    with FaultServer(models=("first", "second")) as server:
        ask_all(server, requests, model="auto")
    assert server.listed == 1
    assert {body["model"] for body in server.requests} == {"first"}


def test_a_server_without_models_is_said_to_have_none():
    with FaultServer(models=()) as server, pytest.raises(AskError, match="lists no model") as raised:
        ask(server, model="auto")
    assert (raised.value.kind, raised.value.fatal, server.requests) == ("no_model", True, [])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@pytest.mark.parametrize("model", ["fake", "auto"])
def test_no_server_is_a_reason_to_stop(model: str):
    server = FaultServer()
    server.url = f"http://127.0.0.1:{free_port()}/v1"
    server._socket.close()
    with pytest.raises(AskError, match=f"no server at {server.url}; start it") as raised:
        ask(server, model=model, tries=2)
    assert (raised.value.kind, raised.value.fatal) == ("no_answer", True)


def test_a_server_that_dies_is_a_reason_to_stop_too():
    async def main() -> AskError:
        with FaultServer() as server:
            model = connect(ModelSettings(url=server.url, model="fake", tries=2))
            await model.ask(ASKED)
        with pytest.raises(AskError) as raised:
            await model.ask(ASKED)
        await model.close()
        return raised.value

    assert asyncio.run(main()).fatal


def test_a_server_that_dies_after_an_answer_is_no_fault_of_what_was_sent_before():
    async def main() -> AskError:
        lines: list[asyncio.StreamWriter] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            lines.append(writer)
            await reader.readuntil(b"\r\n\r\n")
            if len(lines) == 2:
                body = completion(TEXT)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        model = connect(ModelSettings(url=url, model="fake", tries=2))
        first = asyncio.create_task(model.ask(ASKED))
        while not lines:
            await asyncio.sleep(0.01)
        assert (await model.ask(ASKED)).text == TEXT
        server.close()
        for line in lines:
            line.transport.abort()
        with pytest.raises(AskError) as raised:
            await first
        await model.close()
        return raised.value

    error = asyncio.run(main())
    assert error.fatal and "no server" in error.message


def test_an_answer_nested_too_deep_is_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(FAULTS, "deep", lambda _: FaultReply(200, b"[" * 200_000))
    monkeypatch.setitem(FAULTS, "deep-400", lambda _: FaultReply(400, b"[" * 200_000))
    with FaultServer(["deep", "ok", "deep-400"]) as server:
        assert ask(server).text == TEXT
        with pytest.raises(AskError) as raised:
            ask(server)
    assert raised.value.kind == "rejected"


@pytest.mark.parametrize("url", ["", "localhost:8000/v1"])
def test_a_url_that_is_none_is_said_so(url: str):
    with FaultServer() as server, pytest.raises(AskError, match="is no server") as raised:
        ask(server, url=url)
    assert raised.value.fatal


def test_the_key_is_sent_and_never_told(monkeypatch: pytest.MonkeyPatch):
    key = "sk-very-secret-123"
    monkeypatch.setenv("LONGTAKE_TEST_KEY", f"{key}\n")
    with FaultServer(["500"]) as server:
        answers = iter(["401", "400", "500"])

        def echo(number: int, body: dict[str, Any]) -> str:
            return next(answers)

        server.script = echo
        monkeypatch.setattr(
            "faultserver.error", lambda message, code="": json.dumps({"error": f"bad key {key}"}).encode()
        )
        found = ask_all(server, [ASKED, ASKED, ASKED], key_env="LONGTAKE_TEST_KEY", concurrency=1, tries=1)
    assert {headers["authorization"] for headers in server.headers} == {f"Bearer {key}"}
    assert [error.kind for error in found if isinstance(error, AskError)] == ["access", "rejected", "no_answer"]
    assert "bad key …" in str(found[0])
    assert not any(key in repr(error) + str(error) for error in found)


def test_a_key_that_no_header_can_carry_is_said_so_without_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LONGTAKE_API_KEY", "schlüssel")
    with FaultServer() as server, pytest.raises(AskError) as raised:
        ask(server)
    assert (raised.value.kind, raised.value.fatal) == ("access", True)
    assert "schlüssel" not in str(raised.value) and "LONGTAKE_API_KEY" in str(raised.value)


def test_an_id_travels_as_plain_ascii():
    with FaultServer() as server:
        ask(server, Request("Gärten\n" + "x" * 600, "What?"))
    assert server.headers[0]["x-client-request-id"] == "G_rten_" + "x" * 505


def test_half_characters_of_an_answer_are_no_danger_to_files():
    with FaultServer([lambda _: "a smile \ud83d"]) as server:
        assert ask(server).text == "a smile \ufffd"


def open_files() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


def test_nothing_is_left_open(caplog: pytest.LogCaptureFixture):
    with FaultServer(["500", "slow", "ok"]) as server:
        descriptors = open_files()
        for _ in range(3):
            ask(server, timeout_s=1.0)
        gc.collect()
        give_up = time.monotonic() + 60
        while open_files() > descriptors + 2 and time.monotonic() < give_up:  # the server sees the end of some late
            time.sleep(0.05)
        assert open_files() <= descriptors + 2
    assert not [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]


def test_one_who_gives_up_does_not_take_the_others_along():
    async def main(url: str) -> Any:
        model = connect(ModelSettings(url=url, concurrency=1))
        asked = [asyncio.create_task(model.ask(Request(str(number), "What?"))) for number in range(3)]
        await asyncio.sleep(0)
        asked[0].cancel()
        found = await asyncio.gather(*asked, return_exceptions=True)
        await model.close()
        return found

    with FaultServer() as server:
        cancelled, *others = asyncio.run(main(server.url))
    assert isinstance(cancelled, asyncio.CancelledError)
    assert [reply.text for reply in others] == [TEXT, TEXT]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after-ms": "50"}, 0.05),
        ({"retry-after": "600"}, 600.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_what_a_server_says_about_waiting(headers: dict[str, str], seconds: float | None):
    assert retry_after_s(headers) == seconds


def test_a_date_to_wait_for():
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    seconds = retry_after_s({"retry-after": email.utils.format_datetime(moment, usegmt=True)})
    assert seconds is not None and 3500 < seconds <= 3600


@pytest.mark.parametrize(
    ("status", "body", "kind", "crowded"),
    [
        (401, "", "access", False),
        (403, {"detail": "forbidden"}, "access", False),
        (404, "", "no_model", False),
        (405, "", "rejected", False),
        (409, "", "no_answer", False),
        (413, "<html>too large</html>", "rejected", False),
        (422, {"detail": [{"loc": ["body"]}]}, "rejected", False),
        (429, "", "no_answer", True),
        (429, {"error": {"type": "insufficient_quota"}}, "access", False),
        (500, "", "no_answer", False),
        (503, "", "no_answer", False),
        (529, "", "no_answer", False),
    ],
)
def test_what_a_status_means(status: int, body: Any, kind: str, crowded: bool):
    fault = of_status(status, body, {})
    assert (fault.kind, fault.crowded) == (kind, crowded)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"message": "no"}}, "no"),
        ({"error": "no"}, "no"),
        ({"message": "no"}, "no"),
        ({"detail": "no"}, "no"),
        ("<p>\n no </p>", "<p> no </p>"),
        (["no"], "['no']"),
        ("x" * 400, "x" * 300 + "…"),
    ],
)
def test_what_a_server_says(body: Any, words: str):
    assert said(body) == words
