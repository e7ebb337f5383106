"""What a request and its answer look like as Chat Completions, the one form that all servers and batch files share."""

import base64
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from longtake.ask import Finish, ModelSettings, Reply, Request
from longtake.ask.faults import UnusableError, said
from longtake.ask.parse import form_in_words, one_line, strict_schema, whole_characters

OBJECTS = re.compile(r"support|unrecogni[sz]ed|unknown|instead|permitted|deprecated", re.IGNORECASE)
"""How servers say that they don't know a parameter, rather than that its value is wrong."""
SUFFIXES = {"image": ".jpg", "video": ".mp4"}


@dataclass(frozen=True, slots=True)
class Manner:
    """How a server lets itself be asked: first as the settings say, then without what it refused."""

    structured: Literal["json_schema", "json_object", "prompt"]
    limit: Literal["max_tokens", "max_completion_tokens"]
    temperature: float | None


def first_manner(settings: ModelSettings) -> Manner:
    """Return the manner that the settings ask for."""
    return Manner(settings.structured, settings.token_limit, settings.temperature)


def next_manner(manner: Manner, settings: ModelSettings, status: int, words: str) -> Manner | None:
    """Return how to ask a server that refused the request as it was; None where asking otherwise is no help."""
    if status in (400, 422, 500, 501) and re.search("response_format|json_schema|grammar", words):
        if manner.structured == "json_schema":
            return replace(manner, structured="json_object")
        if manner.structured == "json_object":
            return replace(manner, structured="prompt")
    if status not in (400, 422) or not OBJECTS.search(words):
        return None
    # Renamed once only, or a server that knows neither name would be asked for ever.
    if "max_completion_tokens" in words and manner.limit == settings.token_limit:
        return replace(
            manner, limit="max_tokens" if manner.limit == "max_completion_tokens" else "max_completion_tokens"
        )
    if "temperature" in words and manner.temperature is not None:
        return replace(manner, temperature=None)
    return None


@contextmanager
def parts_shown(request: Request, how: Literal["base64", "file"]) -> Iterator[list[dict[str, Any]]]:
    """Give a request's pictures or video as parts of a message, which name them by URL.

    They are whole in the URL, or files in a private folder that is gone afterwards.
    """
    files = [("image", "image/jpeg", image) for image in request.images]
    files += [("video", "video/mp4", request.video)] if request.video else []
    if how == "base64":
        yield [_part(kind, f"data:{mime};base64,{base64.b64encode(data).decode()}") for kind, mime, data in files]
        return
    with tempfile.TemporaryDirectory(prefix="longtake-") as folder:
        parts = []
        for number, (kind, _, data) in enumerate(files):
            path = Path(folder).resolve() / f"{number}{SUFFIXES[kind]}"
            path.write_bytes(data)
            parts.append(_part(kind, path.as_uri()))
        yield parts


def _part(kind: str, url: str) -> dict[str, Any]:
    return {"type": f"{kind}_url", f"{kind}_url": {"url": url}}


def request_body(
    request: Request, settings: ModelSettings, *, model: str, manner: Manner, shown: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Return a request's body: what is shown first, then the prompt and the form of the answer in words.

    Those words are always there, since many servers take `response_format` and don't look at it.
    """
    prompt = request.prompt if request.schema is None else f"{request.prompt}\n\n{form_in_words(request.schema)}"
    messages = [{"role": "user", "content": [*shown, {"type": "text", "text": prompt}] if shown else prompt}]
    if request.before is not None:
        answer, wrong = request.before
        # Servers refuse a turn without a word.
        messages += [{"role": "assistant", "content": answer or "(nothing)"}, {"role": "user", "content": wrong}]
    body = {
        "model": model,
        "messages": messages,
        manner.limit: min(request.max_tokens, settings.max_tokens),
    }
    if manner.temperature is not None:
        body["temperature"] = manner.temperature
    if request.schema is not None and manner.structured != "prompt":
        schema = strict_schema(request.schema)
        named = {"name": request.schema.__name__, "strict": True, "schema": schema}
        body["response_format"] = (
            {"type": "json_schema", "json_schema": named}
            if manner.structured == "json_schema"
            else {"type": "json_object", "schema": schema}
        )
    return {**body, **settings.extra}


def read_reply(body: Any) -> Reply:
    """Return the reply in an answer's parsed body, an empty one too: it was paid for. Raises `UnusableError`."""
    choices = body.get("choices") if isinstance(body, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise UnusableError(f"no choices in the answer: {said(body)}")
    text, refusal = words(message.get("content")), words(message.get("refusal"))
    finish: Finish = "stop"
    if refusal or choice.get("finish_reason") == "content_filter":
        finish, text = "refused", refusal or text
    elif choice.get("finish_reason") == "length":
        finish = "length"
    usage = body.get("usage")
    return Reply(
        text=text,
        finish=finish,
        model=one_line(words(body.get("model"))),
        prompt_tokens=count(usage, "prompt_tokens"),
        completion_tokens=count(usage, "completion_tokens"),
        cached_tokens=count(usage.get("prompt_tokens_details"), "cached_tokens") if isinstance(usage, dict) else None,
    )


def words(content: Any) -> str:
    """Return the text of a message's content: a string, or a list of parts; empty for anything else."""
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return whole_characters(content) if isinstance(content, str) else ""


def count(usage: Any, name: str) -> int | None:
    """Return a number of tokens, None where the server doesn't say."""
    found = usage.get(name) if isinstance(usage, dict) else None
    return found if isinstance(found, int) else None
