"""A model behind an OpenAI-compatible server: requests sent, sent again where that may help, and not too many at once.

The library's own retries are off. They give up on long rate limits, go on where the credit is gone, know nothing of
other requests to the same server, and take a page of HTML for an answer.
"""

import asyncio
import functools
import json
import math
import os
import random
import re
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, TypeVar

import httpx2
import openai

from longtake.ask import AskError, ModelSettings, Reply, Request
from longtake.ask.body import Manner, first_manner, next_manner, parts_shown, read_reply, request_body
from longtake.ask.faults import FATAL, Fault, UnusableError, of_status
from longtake.ask.gate import Gate

BACKOFF_S = 0.5
"""Wait before a request's second try, doubled for each one after it."""
LONGEST_BACKOFF_S = 30.0
PATIENCE_S = 3600.0
"""For how long a request may be turned away for no other reason than that the server has too much to do."""
CONNECT_S = 10.0
"""How long a connection may take; a server that is busy still takes them."""
ID_CHARACTERS = 512
"""Length of a request's id that servers take."""

T = TypeVar("T")


class HttpModel:
    """A model that is asked over HTTP. It belongs to the event loop of its first question."""

    def __init__(self, settings: ModelSettings) -> None:
        self.settings = settings
        self._key = os.environ.get(settings.key_env, "").strip()
        self._gate = Gate(settings.concurrency)
        self._manner = first_manner(settings)
        self._client: openai.AsyncOpenAI | None = None
        self._listed: asyncio.Task[str] | None = None

    async def ask(self, request: Request) -> Reply:
        """Return the answer. Its `elapsed_s` is that of the try that brought it. Raises `AskError`."""
        model = await self._model()
        with ExitStack() as open_till_answered:

            @functools.cache  # at the first try, so that those who wait hold little; and not anew for each other try
            def content(manner: Manner) -> bytes:
                shown = open_till_answered.enter_context(parts_shown(request, self.settings.images))
                body = request_body(request, self.settings, model=model, manner=manner, shown=shown)
                return json.dumps(body).encode()

            reply, tries = await self._answer(lambda: self._chat(request.id, content))
        return replace(reply, model=reply.model or model, tries=tries)

    async def close(self) -> None:
        """Let go of connections."""
        if self._listed is not None:
            self._listed.cancel()
            await asyncio.gather(self._listed, return_exceptions=True)
        if self._client is not None:
            await self._client.close()
        self._client = self._listed = None

    async def _model(self) -> str:
        """Return the model's name, asking the server once where the settings name none."""
        if self.settings.model != "auto":
            return self.settings.model
        if self._listed is None:
            self._listed = asyncio.create_task(self._first_listed())
        # One asker that is cancelled must not take the others' answer with it.
        return await asyncio.shield(self._listed)

    async def _first_listed(self) -> str:
        async def models() -> Any:
            return await self._json(self._connection().get("/models", cast_to=httpx2.Response))

        try:
            listed, _ = await self._answer(models)
        except AskError as error:  # without a name nothing can be asked
            raise AskError(error.kind, error.message, fatal=True) from error
        rows = listed.get("data") if isinstance(listed, dict) else None
        names = [row["id"] for row in rows or () if isinstance(row, dict) and isinstance(row.get("id"), str)]
        if not names:
            url = self.settings.url
            raise AskError("no_model", f"{url} lists no model; name one in the recipe's [models]", fatal=True)
        return str(names[0])

    async def _chat(self, request_id: str, content: Callable[[Manner], bytes]) -> Reply:
        """Send a request, and again where the server refuses the way it is asked; that is remembered."""
        headers = {"X-Client-Request-Id": re.sub(r"[^\x21-\x7e]", "_", request_id)[:ID_CHARACTERS]}
        clock = asyncio.get_running_loop().time
        while True:
            manner, sent_at = self._manner, clock()
            try:
                sending = self._connection().post(
                    "/chat/completions", cast_to=httpx2.Response, content=content(manner), options={"headers": headers}
                )
                return replace(read_reply(await self._json(sending)), elapsed_s=clock() - sent_at)
            except openai.APIStatusError as error:
                other = next_manner(manner, self.settings, error.status_code, error.response.text)
                if other is None:
                    raise
                if self._manner == manner:  # else another request has learned it meanwhile
                    self._manner = other

    async def _json(self, sending: Awaitable[httpx2.Response]) -> Any:
        """Return the parsed body of an answer that must come in time."""
        # The client's own limit begins anew with each byte; some servers send blanks to keep a connection.
        async with asyncio.timeout(self.settings.timeout_s):
            response = await sending
        try:
            return response.json()
        except (ValueError, RecursionError) as error:
            raise UnusableError(f"the answer is no JSON: {response.text[:100]!r}") from error

    async def _answer(self, send: Callable[[], Awaitable[T]]) -> tuple[T, int]:
        """Return what `send` brings and how often it was called: again and again, but only where that may help."""
        clock = asyncio.get_running_loop().time
        began, sent, failed, failing_since = math.inf, 0, 0, math.inf
        while True:
            sent_at = await self._gate.enter()
            began = min(began, sent_at)
            sent += 1
            try:
                found = await send()
                self._gate.answered()
                return found, sent
            except (openai.APIError, TimeoutError, UnusableError) as error:
                fault = read_fault(error)
                if fault.crowded:
                    self._gate.refused(sent_at, fault.wait_s)
            finally:
                self._gate.leave()
            if fault.kind != "no_answer":
                raise self._error(fault, fatal=fault.kind in FATAL)
            if fault.crowded:
                if clock() - began > PATIENCE_S:
                    raise self._error(fault, fatal=self._gate.answered_at < began)
                continue
            failed += 1
            failing_since = min(failing_since, clock())
            if failed >= self.settings.tries:
                raise self._error(fault, fatal=fault.unreachable and self._gate.answered_at < failing_since)
            wait_s = min(BACKOFF_S * 2.0 ** (failed - 1), LONGEST_BACKOFF_S)
            await asyncio.sleep(wait_s * random.uniform(0.75, 1.25))  # noqa: S311  # spreads clients, no secret

    def _connection(self) -> openai.AsyncOpenAI:
        """Return the client, made here so that it belongs to the running loop."""
        if self._client is None:
            url = self.settings.url
            if not url.startswith(("http://", "https://")):
                raise AskError("no_answer", f"{url!r} is no server; write http://localhost:8000/v1", fatal=True)
            if not self._key.isascii() or not self._key.isprintable():
                raise AskError("access", f"the key in {self.settings.key_env} is no plain ASCII", fatal=True)
            self._client = openai.AsyncOpenAI(
                base_url=url,
                api_key=self._key or "none",
                max_retries=0,
                timeout=openai.Timeout(self.settings.timeout_s, connect=min(CONNECT_S, self.settings.timeout_s)),
            )
        return self._client

    def _error(self, fault: Fault, *, fatal: bool) -> AskError:
        """Return a fault as the error that the user sees, with what to do; a key the server echoes is taken out."""
        url, name = self.settings.url, self.settings.model
        words = fault.words.replace(self._key, "…") if self._key else fault.words
        if fault.kind == "access":
            head = f"{url} refuses the key, or its credit is used up; see to {self.settings.key_env}"
        elif fault.kind == "no_model":
            head = f"{url} has no model {name!r}, or is no base URL (most end in /v1); see the recipe's [models]"
        elif fault.kind == "rejected":
            head = f"{url} takes this request for wrong"
        elif fault.unreachable:
            head = f"no server at {url}; start it, or name another in the recipe's [models]"
        elif fault.crowded:
            head = f"{url} was too busy for {PATIENCE_S / 60:.0f} minutes; run again later, or ask less at once"
        else:
            head = f"{url} gave no answer in {self.settings.tries} tries; run again later"
        return AskError(fault.kind, f"{head} ({words})", fatal=fatal)


def read_fault(error: openai.APIError | TimeoutError | UnusableError) -> Fault:
    """Return what went wrong with one request."""
    if isinstance(error, openai.APIStatusError):
        # The error's own body lacks the outer levels of what the server sent.
        try:
            body = error.response.json()
        except (ValueError, RecursionError):
            body = error.response.text
        return of_status(error.status_code, body, error.response.headers)
    if isinstance(error, openai.APITimeoutError | TimeoutError):
        unreachable = isinstance(error.__cause__, httpx2.ConnectTimeout)
        return Fault("no_answer", "it took too long", unreachable=unreachable)
    if isinstance(error, openai.APIConnectionError):
        unreachable = isinstance(error.__cause__, httpx2.ConnectError)
        return Fault("no_answer", str(error.__cause__ or error), unreachable=unreachable)
    return Fault("no_answer", str(error))
