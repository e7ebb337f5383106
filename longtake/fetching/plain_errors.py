"""What it means when a plain file doesn't come: statuses, and connections that break or can't be made."""

import ssl

import httpx2

from longtake.ask.faults import retry_after_s
from longtake.fetching import addresses
from longtake.fetching.states import FetchError

CONNECT_S = 15.0
READ_S = 30.0
"""Longest wait for the next bytes."""


def of_status(status: int, url: str, response: httpx2.Response) -> FetchError:
    """Return what an HTTP status means that brought no file."""
    message = f"{addresses.shown(url)}: {status} {response.reason_phrase}".strip()
    if status in (404, 410):
        return FetchError("gone", message)
    if status in (401, 402, 403):
        return FetchError("private", message, refusal=True)
    if status == 451:
        return FetchError("geo", message)
    if status in (429, 503):
        return FetchError("throttled", message, retry_after_s=retry_after_s(response.headers))
    if status in (408, 425) or status >= 500:
        return FetchError("network", message)
    return FetchError("other", message)


def broken(error: httpx2.HTTPError, url: str) -> FetchError:
    """Return what a connection means that broke, or that couldn't be made."""
    below: BaseException | None = error
    while below:
        if isinstance(below, ssl.SSLCertVerificationError):
            said = f"{addresses.shown(url)}: its certificate isn't valid here ({below.verify_message})"
            return FetchError("refused", f"{said}; SSL_CERT_FILE names those to trust", refusal=True)
        below = below.__cause__ or below.__context__
    return FetchError("network", f"{addresses.shown(url)}: {_why(error)}")


def _why(error: httpx2.HTTPError) -> str:
    """Return in words what broke a connection."""
    if isinstance(error, httpx2.ConnectTimeout):
        return f"no connection in {CONNECT_S:.0f} s"
    if isinstance(error, httpx2.TimeoutException):
        return f"nothing came for {READ_S:.0f} s"
    return str(error) or type(error).__name__
