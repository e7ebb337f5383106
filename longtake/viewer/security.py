"""Who may ask the server, and what a browser may do with its answers.

Without this, any page open in the same browser could ask a server on this machine: by name, through a name of its own
that leads here (DNS rebinding), or by sending forms to it.
"""

import hmac
import ipaddress
import re
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from longtake.viewer.asking import reply

MOST_BYTES = 1_000_000
"""Of what a page sends."""
POLICY = "; ".join(
    (
        "default-src 'none'",
        *(f"{kind} 'self'" for kind in ("script-src", "style-src", "media-src", "connect-src")),
        "img-src 'self' data:",
        *(f"{kind} 'none'" for kind in ("base-uri", "form-action", "frame-ancestors")),
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
HOST = re.compile(r"(?P<name>[\w.-]+|\[[0-9A-Fa-f:.]+\])(:\d+)?")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def is_loopback(host: str) -> bool:
    """Return whether only programs on this machine reach a server that is bound to a host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """Stands before an app: checks who asks, and says what a browser may do with the answer.

    A server bound to this machine answers to its own names only; one that others reach needs a token, which the page's
    address carries once and a cookie then keeps.
    """

    def __init__(self, app: ASGIApp, *, host: str, port: int, token: str | None) -> None:
        self._app, self._token = app, token
        # A port that is forwarded has another number there, so the name alone counts. Under a name of someone else's
        # there is no cookie: with a token, any name by which people know this machine is as good.
        self._names = None if token else LOOPBACK | {host}
        # A cookie goes to all ports of a host.
        self._cookie = f"longtake-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or say why not."""
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        known = self._known(scope, headers)
        refused = self._refusal(scope, headers, known)

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    answered[name] = value
                answered.setdefault("Cache-Control", "no-store")
                if known == "token":
                    answered["Set-Cookie"] = f"{self._cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/"
            await send(message)

        app: ASGIApp = reply({"error": refused[1]}, refused[0]) if refused else self._app
        await app(scope, receive, send_safely)

    def _known(self, scope: Scope, headers: Headers) -> str | None:
        """Return by what an asker is known: a `token` in the address of the page, a `cookie`; None: not at all."""
        if not self._token:
            return "machine"
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["path"] == "/" and hmac.compare_digest(given.encode(), self._token.encode()):
            return "token"
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return None
        return "cookie" if cookie and hmac.compare_digest(cookie.value.encode(), self._token.encode()) else None

    def _refusal(self, scope: Scope, headers: Mapping[str, str], known: str | None) -> tuple[int, str] | None:
        """Return the status and words of a refusal; None where there is nothing against an answer."""
        host = headers.get("host", "")
        name = HOST.fullmatch(host)
        if self._names is not None and (name is None or name["name"].lower().strip("[]") not in self._names):
            return 421, f"this server answers to {', '.join(sorted(self._names))}, not to {host!r}"
        if known is None:
            return 401, "open the address that `longtake view` printed: it has the token that this server asks for"
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return 405, f"nothing here is asked for by {scope['method']}"
        # A link may lead here from anywhere; anything else that another site's page asks for is none of its business.
        follows = scope["method"] == "GET" and headers.get("sec-fetch-mode") == "navigate"
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none") and not follows:
            return 403, "another site's page asked"
        if scope["method"] == "POST":
            origin = headers.get("origin")
            if origin is not None and origin.partition("://")[2] != host:
                return 403, f"a page of {origin} asked"
            if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
                return 415, "send JSON, as Content-Type: application/json"
            length = headers.get("content-length", "")
            if not length.isdecimal() or int(length) > MOST_BYTES:
                return 413, f"send at most {MOST_BYTES:,} bytes, and say how many"
        return None
