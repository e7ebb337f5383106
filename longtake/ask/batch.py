"""Requests and answers as lines of a batch file, in the form of OpenAI's batches; `vllm run-batch` reads it too."""

import json
from typing import Any

from longtake.ask import AskError, ModelSettings, Reply, Request
from longtake.ask.body import first_manner, parts_shown, read_reply, request_body
from longtake.ask.faults import FATAL, UnusableError, of_status, said

ENDPOINT = "/v1/chat/completions"


def request_line(request: Request, settings: ModelSettings) -> str:
    """Return a request as one line, without its end. The settings must name the model: no server is asked for it."""
    if settings.model == "auto":
        raise ValueError("a batch file needs the model's name; set it in the recipe")
    manner = first_manner(settings)
    with parts_shown(request, "base64") as shown:  # whoever answers the file may be far away
        body = request_body(request, settings, model=settings.model, manner=manner, shown=shown)
    return json.dumps({"custom_id": request.id, "method": "POST", "url": ENDPOINT, "body": body})


def read_line(line: str) -> tuple[str, Reply | AskError]:
    """Return a request's id and what came of it, from one line of results or of errors.

    Raises `ValueError` for a line that is neither.
    """
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ValueError(f"no line of a batch's results, for it is no JSON: {error}") from error
    if not isinstance(row, dict) or not isinstance(row.get("custom_id"), str):
        raise ValueError("no line of a batch's results: it has no custom_id")
    return row["custom_id"], outcome(row)


def outcome(row: dict[str, Any]) -> Reply | AskError:
    """Return what one row of results says."""
    response = row.get("response")
    status, body = (response.get("status_code"), response.get("body")) if isinstance(response, dict) else (None, None)
    if isinstance(status, int) and status >= 400:
        fault = of_status(status, body or row.get("error"), {})
        return AskError(fault.kind, fault.words, fatal=fault.kind in FATAL)
    if row.get("error"):  # never sent: the batch expired or was cancelled
        return AskError("no_answer", said(row["error"]))
    try:
        return read_reply(body)
    except UnusableError as error:
        return AskError("no_answer", str(error))
