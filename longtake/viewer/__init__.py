"""The local page on which a set is looked at, its rules are changed, and its clips are judged: `longtake view`."""

import os
import secrets
import socket
import sys
import webbrowser
from collections.abc import Callable
from urllib.parse import quote

import uvicorn
from starlette.types import ASGIApp

from longtake.errors import UsageError
from longtake.places import Place, set_folder
from longtake.viewer.app import build
from longtake.viewer.security import is_loopback

LOOPBACK_HOST = "127.0.0.1"
WAITS_S = 1
"""For answers under way, when it is told to end."""


def view(
    folder: str | Place,
    *,
    other: str | Place | None = None,
    host: str = LOOPBACK_HOST,
    port: int = 0,
    ready: Callable[[str], None] = lambda _: None,
    browser: bool = True,
) -> None:
    """Serve the page of a set until Ctrl-C; `ready` is told its address, which the browser opens.

    Port 0 is any that is free. A host that others can reach gets an address with a token. Raises `SetError` where there
    is no set, `UsageError` where the address can't be had.
    """
    token = None if is_loopback(host) else secrets.token_urlsafe(24)
    with bound(host, port) as listener:
        number = listener.getsockname()[1]
        app = build(set_folder(folder), other=set_folder(other) if other else None, host=host, port=number, token=token)
        listener.listen()
        url = address(host, number, token)
        ready(url)
        if browser and _has_screen():
            webbrowser.open(url)
        try:
            server(app).run(sockets=[listener])
        except KeyboardInterrupt:  # how the server ends, once all is answered
            return


def server(app: ASGIApp) -> uvicorn.Server:
    """Return what serves the app."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="warning",
            ws="none",
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=WAITS_S,
        )
    )


def address(host: str, port: int, token: str | None) -> str:
    """Return what a browser opens; a server on all of a machine's addresses is named by the machine."""
    name = socket.gethostname() if host in ("0.0.0.0", "::") else host  # noqa: S104  # compared with, not bound to
    name = f"[{name}]" if ":" in name else name
    return f"http://{name}:{port}/" + (f"?token={quote(token, safe='')}" if token else "")


def _has_screen() -> bool:
    """Return whether a browser would open in a window, and not in the terminal that this was started from."""
    return sys.platform in ("darwin", "win32") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")))


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that has the address. Raises `UsageError`."""
    try:
        family, kind, proto, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, proto)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
    except OSError as error:
        raise UsageError(f"{host}:{port} can't be served: {error.strerror or error}") from error
    return listener
