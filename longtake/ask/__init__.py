"""The one way to a model: a request of words and pictures in, the words of the answer out.

`connect` gives a model behind an OpenAI-compatible server or in this process; both answer the same `Request`. What a
model says is not judged here: whether an answer is what was asked for, and what is done about it, is `asking`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from longtake.errors import FailureKind, LongtakeError

if TYPE_CHECKING:  # every worker would load it, and asks no model
    from pydantic import BaseModel

LOCAL = "local"
"""The URL that stands for a model in this process."""

Finish = Literal["stop", "length", "refused"]


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Where a model is and how it is asked: the table `[models.NAME]` of a recipe. Defaults are written here alone."""

    url: str = ""
    """Base URL of an OpenAI-compatible server, as `http://localhost:8000/v1`; `local`: in this process; empty: none."""
    model: str = "auto"
    """Its name at the server, or for `local` its name at the hub or its folder; `auto`: the first the server lists."""
    key_env: str = "LONGTAKE_API_KEY"
    """The environment variable that holds the API key; the key itself is never stored."""
    concurrency: int = 8
    """Requests under way at once, at most; fewer after the server says it is too many. For `local`: the batch size."""
    max_tokens: int = 1024
    """Tokens an answer may have, at most; a question may ask for fewer."""
    temperature: float | None = 0.2
    timeout_s: float = 120.0
    tries: int = 5
    """How often a request is sent, at most, where the server or the way to it fails."""
    images: Literal["base64", "file"] = "base64"
    """How pictures and videos travel: inside the request, or as `file://` URLs to a server that shares the disk."""
    structured: Literal["json_schema", "json_object", "prompt"] = "json_schema"
    """How an answer's form is asked for; a server that refuses one is asked the next way."""
    token_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"  # noqa: S105  # no password
    """The name of the limit; OpenAI's reasoning models want the second."""
    price_in: float | None = None
    """Price of a million prompt tokens in US dollars; None: as `genai-prices` knows it, else unknown."""
    price_out: float | None = None
    """Price of a million answer tokens likewise."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """More of a request's body, for one server, as `{chat_template_kwargs = {enable_thinking = false}}`; it wins."""


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a model."""

    id: str
    """Names what it is about; it travels with the request, so that a server's log or a batch file shows it."""
    prompt: str
    images: tuple[bytes, ...] = ()
    """JPEG files, in the order the prompt speaks of them."""
    video: bytes = b""
    """An mp4 file, instead of pictures."""
    schema: "type[BaseModel] | None" = None
    """The form the answer should have, None for plain text."""
    max_tokens: int = 512
    before: tuple[str, str] | None = None
    """For a second try: what the model said first, and what was wrong with it, as the next turns of one talk."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the text is as the model gave it, nothing cut or parsed."""

    text: str
    finish: Finish
    """`length`: cut off at the token limit; `refused`: the model or its filter would not answer."""
    model: str
    """The model's own name, as the server gives it."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    elapsed_s: float = 0.0
    tries: int = 1


class AskError(LongtakeError):
    """A model could not be asked. `fatal`: nor could it be asked anything else until somebody mends something."""

    def __init__(self, kind: FailureKind, message: str, *, fatal: bool = False) -> None:
        super().__init__(message)
        self.kind: FailureKind = kind
        self.message = message
        self.fatal = fatal


class Model(Protocol):
    """A model that answers requests, several at once."""

    settings: ModelSettings

    async def ask(self, request: Request) -> Reply:
        """Return the answer. Raises `AskError`."""

    async def close(self) -> None:
        """Let go of connections and memory."""


def connect(settings: ModelSettings) -> Model:
    """Return the model that settings name; nothing is sent or loaded before the first question."""
    if settings.url == LOCAL:
        from longtake.ask.local import LocalModel

        return LocalModel(settings)
    from longtake.ask.http import HttpModel

    return HttpModel(settings)
