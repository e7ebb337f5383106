"""An OpenAI-compatible server on loopback that answers, or misbehaves, as scripted.

    with FaultServer(["429", "500", "ok"]) as server:
        connect(ModelSettings(url=server.url))

A script is a list of actions, the last of which repeats, or a function of a request's number (from 0) and body that
returns one. An action is a name in `FAULTS`, or a function of the body that returns the answer's text.
"""

import asyncio
import json
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any

import uvicorn

TEXT = "A red car drives down a street."
FIELDS = {"short": "A red car.", "dense": "A red car drives down a street at night."}
SLOW_S = 30.0
"""How long the slow answer takes; it ends when the client has gone."""

Body = dict[str, Any]
Action = str | Callable[[Body], str]
Script = Sequence[Action] | Callable[[int, Body], Action]


def completion(content: Any, finish: str = "stop", **message: Any) -> bytes:
    """Return the body of an answer."""
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 40}}
    return json.dumps(
        {"id": "1", "object": "chat.completion", "model": "fake", "choices": [choice], "usage": usage}
    ).encode()


def error(message: str, code: str = "error") -> bytes:
    """Return the body of a refusal."""
    return json.dumps({"error": {"message": message, "type": code, "code": code}}).encode()


class Reply(tuple[int, bytes, dict[str, str]]):
    """Status, body, headers."""

    def __new__(cls, status: int, body: bytes, **headers: str) -> "Reply":
        return super().__new__(cls, (status, body, {name.replace("_", "-"): value for name, value in headers.items()}))


def no_response_format(body: Body) -> Reply:
    """Refuse any `response_format`, as a server that doesn't know it."""
    if "response_format" in body:
        return Reply(400, error("response_format is not supported"))
    return Reply(200, completion(json.dumps(FIELDS)))


def no_json_schema(body: Body) -> Reply:
    """Refuse the `json_schema` form with an internal error, and take `json_object`."""
    if body.get("response_format", {}).get("type") == "json_schema":
        return Reply(500, error("response_format: input should be 'text' or 'json_object'"))
    return Reply(200, completion(json.dumps(FIELDS)))


def reasoning(body: Body) -> Reply:
    """Refuse what OpenAI's reasoning models refuse, one thing at a time."""
    if "max_tokens" in body:
        return Reply(400, error("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."))
    if "temperature" in body:
        return Reply(400, error("Unsupported value: 'temperature' does not support 0.2 with this model."))
    return Reply(200, completion(TEXT))


FAULTS: dict[str, Callable[[Body], Reply]] = {
    "ok": lambda _: Reply(200, completion(TEXT)),
    "json": lambda _: Reply(200, completion(json.dumps(FIELDS))),
    "fenced": lambda _: Reply(200, completion(f"Here it is:\n```json\n{json.dumps(FIELDS, indent=1)}\n```\nThere!")),
    "wrong-schema": lambda _: Reply(200, completion(json.dumps({"short": "A red car."}))),
    "bad-json": lambda _: Reply(200, completion("{'short': ")),
    "cut-off-json": lambda _: Reply(200, completion(json.dumps(FIELDS)[:30], finish="length")),
    "all-thought": lambda _: Reply(200, completion(None, finish="length")),
    "empty": lambda _: Reply(200, completion("")),
    "null": lambda _: Reply(200, completion(None)),
    "no-choices": lambda _: Reply(200, json.dumps({"object": "chat.completion", "choices": []}).encode()),
    "error-in-200": lambda _: Reply(200, error("upstream is down")),
    "html": lambda _: Reply(200, b"<html>gateway</html>", content_type="text/html"),
    "refusal": lambda _: Reply(200, completion(None, refusal="I can't describe that.")),
    "filter": lambda _: Reply(200, completion("", finish="content_filter")),
    "400": lambda _: Reply(400, error("the context is too long", "context_length_exceeded")),
    "401": lambda _: Reply(401, error("Incorrect API key provided", "invalid_api_key")),
    "402": lambda _: Reply(402, error("no balance")),
    "404": lambda _: Reply(404, error("no such model", "model_not_found")),
    "408": lambda _: Reply(408, error("too slow")),
    "429": lambda _: Reply(429, error("slow down", "rate_limit_exceeded")),
    "429-ms": lambda _: Reply(429, error("slow down", "rate_limit_exceeded"), retry_after_ms="50"),
    "429-long": lambda _: Reply(429, error("come back later", "rate_limit_exceeded"), retry_after="600"),
    "quota": lambda _: Reply(429, error("no credit", "insufficient_quota")),
    "500": lambda _: Reply(500, b"oops"),
    "503-after": lambda _: Reply(503, error("overloaded"), retry_after_ms="50"),
    "no-response-format": no_response_format,
    "no-json-schema": no_json_schema,
    "reasoning": reasoning,
    # These two are written by the server itself.
    "cut-off": lambda _: Reply(200, completion(TEXT)[:50], content_length="1000"),
    "slow": lambda _: Reply(200, completion(TEXT)),
}


class FaultServer:
    """The server, running while its `with` block does."""

    def __init__(
        self,
        script: Script = ("ok",),
        *,
        latency: float | tuple[float, float] = 0.0,
        models: Sequence[str] = ("fake",),
    ) -> None:
        self.script = script
        self.latency = latency
        """Seconds before each answer; a pair: anything between, so that answers come in another order."""
        self.models = models
        self.requests: list[Body] = []
        """The body of each request for an answer, in the order they came; `headers` likewise, names in lower case."""
        self.headers: list[dict[str, str]] = []
        self.counts: Counter[str] = Counter()
        """How often each request was sent, by its id."""
        self.listed = 0
        """How often the models were asked for."""
        self.active = self.peak = 0
        self._random = random.Random(0)
        # asyncio turns Nagle's algorithm off, which costs 40 ms an answer, only where the protocol is named.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        settings = uvicorn.Config(self, log_level="critical", lifespan="off", ws="none", http="h11", loop="asyncio")
        self._server = uvicorn.Server(settings)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def __enter__(self) -> "FaultServer":
        self._thread.start()
        while not self._server.started:
            time.sleep(0.002)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    async def __call__(self, scope: Body, receive: Callable[[], Awaitable[Body]], send: Callable[[Body], Any]) -> None:
        """Answer one request, as the ASGI interface has it."""
        parts, more = [], True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        if scope["path"].endswith("/models"):
            self.listed += 1
            rows = [{"id": name, "object": "model"} for name in self.models]
            await self._send(send, Reply(200, json.dumps({"object": "list", "data": rows}).encode()))
            return
        body = json.loads(b"".join(parts))
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        number = len(self.requests)
        self.requests.append(body)
        self.headers.append(headers)
        self.counts[headers.get("x-client-request-id", "")] += 1
        action = self.script(number, body) if callable(self.script) else self.script[min(number, len(self.script) - 1)]
        self.active += 1
        self.peak = max(self.peak, self.active)
        try:
            low_high = self.latency if isinstance(self.latency, tuple) else (self.latency, self.latency)
            await asyncio.sleep(self._random.uniform(*low_high))
            if action == "slow":
                await asyncio.wait([asyncio.ensure_future(receive())], timeout=SLOW_S)
            found = Reply(200, completion(action(body))) if callable(action) else FAULTS[action](body)
        finally:
            self.active -= 1
        await self._send(send, found)

    async def _send(self, send: Callable[[Body], Any], reply: Reply) -> None:
        status, body, given = reply
        headers = {"content-type": "application/json", "content-length": str(len(body)), **given}
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": body})
