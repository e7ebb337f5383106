"""What a page asks and is answered: JSON in, checked; JSON out, with null for what is no number; errors in words."""

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from longtake.errors import LongtakeError, SetError, UsageError, refused
from longtake.report.page import finite
from longtake.store import ChangedError

TRIES = 5
"""A run beside may clean up what an answer is being read from, more than once."""

Form = TypeVar("Form")


class MissingError(UsageError):
    """There is nothing of that name."""


def get(path: str, work: Callable[[Request], Any]) -> Route:
    """Answer GET with what `work` returns: plain data, or a response."""

    async def answer(request: Request) -> Response:
        return await run_in_threadpool(_answered, lambda: work(request))

    return Route(path, answer, methods=["GET"])


def post(path: str, form: type[Form], work: Callable[[Form], Any]) -> Route:
    """Answer POST of a JSON object with the fields of a dataclass."""
    adapter = TypeAdapter(form)
    names = {field.name for field in fields(form)}  # type: ignore[arg-type]  # a dataclass, as the line says

    def read(body: bytes) -> Form:
        try:
            data = json.loads(body)
            json.dumps(data, ensure_ascii=False).encode()  # half a character can't be written down
        except (ValueError, RecursionError) as error:
            raise UsageError(f"what was sent is no JSON in UTF-8: {error}") from error
        if not isinstance(data, dict) or data.keys() - names:
            raise UsageError(f"send a JSON object with some of: {', '.join(sorted(names))}")
        try:
            return adapter.validate_python(data)
        except ValidationError as error:
            first = error.errors()[0]
            raise UsageError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error

    async def answer(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(_answered, lambda: work(read(body)))

    return Route(path, answer, methods=["POST"])


def rules_in(request: Request, own: Callable[[], list[str]]) -> list[str]:
    """Return the rules of a query, `?rules=["duration_s >= 5"]`; where it names none, those of the set."""
    text = request.query_params.get("rules")
    if text is None:
        return own()
    try:
        rules = json.loads(text)
    except ValueError as error:
        raise UsageError(f"rules={text!r} is no JSON: {error}") from error
    if not (isinstance(rules, list) and all(isinstance(rule, str) for rule in rules)):
        raise UsageError("rules: a JSON list of texts, as ['duration_s >= 5']")
    return rules


def reply(data: Any, status: int = 200) -> Response:
    """Return plain data as a response; what is not finite is null."""
    text = json.dumps(finite(data), separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    # A lone surrogate, as of a file name that is no UTF-8, can't be sent as it is.
    return Response(text.encode("utf-8", "replace"), status, media_type="application/json")


def _answered(work: Callable[[], Any]) -> Response:
    """Return what some work gives as a response; what it could not read is read again."""
    for left in reversed(range(TRIES)):
        try:
            found = work()
            return found if isinstance(found, Response) else reply(found)
        except MissingError as error:
            return reply({"error": str(error)}, 404)
        except LongtakeError as error:
            if left and isinstance(error, SetError):
                continue
            index = getattr(error, "index", None)
            told = {"error": str(error)} | ({} if index is None else {"rule": index})
            return reply(told, 503 if isinstance(error, ChangedError) else 400)
        except OSError as error:
            if not (problem := refused(error)):
                raise
            return reply({"error": f"nothing was written down: {problem}, and do it again"}, 507)
    raise AssertionError
