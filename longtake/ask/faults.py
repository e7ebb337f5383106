"""What a server's refusal means: whether to try again, when, and whether anything else could be asked."""

import datetime
import email.utils
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from longtake.ask.parse import one_line
from longtake.errors import FailureKind

FATAL = {"access", "no_model"}
"""Kinds that are true of every request, till somebody mends something."""
WORDS = 300
"""Characters of a server's own words that are passed on."""


class UnusableError(ValueError):
    """A server's answer holds nothing that could be used."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a request got no answer. Kind `no_answer` is worth another try, the others are not."""

    kind: FailureKind
    words: str
    """The server's own, cut short."""
    crowded: bool = False
    """Whether only the time was wrong: the server has too much to do."""
    wait_s: float | None = None
    """For how long it wants nothing, where it says so."""
    unreachable: bool = False
    """Whether there was nobody to refuse it."""


def of_status(status: int, body: Any, headers: Mapping[str, str]) -> Fault:
    """Return what an HTTP status of 400 or more means; `body` is parsed JSON, or text. Header names in lower case."""
    words = said(body)
    wait_s = retry_after_s(headers)
    if status in (401, 402, 403) or (status == 429 and "insufficient_quota" in codes(body)):
        return Fault("access", words)
    if status == 404:
        return Fault("no_model", words)
    if status == 429 or (status == 503 and wait_s is not None):
        return Fault("no_answer", words, crowded=True, wait_s=wait_s)
    if status in (408, 409) or status >= 500:
        return Fault("no_answer", f"status {status}: {words}")
    return Fault("rejected", words)


def said(body: Any) -> str:
    """Return the message in an error's body, in any of the usual forms, else the body; on one line, cut short."""
    found = body
    for key in ("error", "message", "detail"):
        if isinstance(found, dict) and found.get(key):
            found = found[key]
    words = one_line(str(found))
    return words if len(words) <= WORDS else words[:WORDS] + "…"


def codes(body: Any) -> set[str]:
    """Return code and type of an error's body."""
    error = body.get("error", body) if isinstance(body, dict) else None
    return {str(error.get(key)) for key in ("code", "type")} if isinstance(error, dict) else set()


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds a server wants nothing for, 0 or more; None where it doesn't say, or not in numbers."""
    for name, per_s in (("retry-after-ms", 1000), ("retry-after", 1)):
        text = headers.get(name, "")
        if text.strip().replace(".", "", 1).isdecimal():
            return float(text) / per_s
    try:
        moment = email.utils.parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return max(0.0, (moment - datetime.datetime.now(datetime.UTC)).total_seconds())
