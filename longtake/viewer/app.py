"""The viewer's server: everything that can be asked of it, joined to one app."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp

from longtake.places import Place
from longtake.viewer import comparing, details, grid, judging, media, overview, plots
from longtake.viewer.asking import get, reply
from longtake.viewer.notes import Notes
from longtake.viewer.page import page, script, style
from longtake.viewer.security import Guard
from longtake.viewer.shelf import Shelf


def build(folder: Place, *, other: Place | None = None, host: str, port: int, token: str | None) -> ASGIApp:
    """Return the app for one set, and another that it is compared with. Raises `SetError` where there is no set."""
    shelf = Shelf(folder)
    before = Shelf(other) if other else None
    notes = Notes(shelf.store)
    routes: list[BaseRoute] = [
        get("/", lambda _: _text(page(), "text/html")),
        get("/app.js", lambda _: _text(script(), "text/javascript")),
        get("/style.css", lambda _: _text(style(), "text/css")),
        *overview.routes(shelf, notes, before),
        *grid.routes(shelf, notes),
        *plots.routes(shelf),
        *judging.routes(shelf, notes),
        *comparing.routes(shelf, notes, before),
        *details.routes(shelf, notes),
        *media.routes(shelf),
    ]
    if before:
        of_other = [*details.routes(before, Notes(before.store)), *media.routes(before)]
        routes.append(Mount(f"/{comparing.OTHER.rstrip('/')}", routes=of_other))
    app = Starlette(routes=routes, exception_handlers={HTTPException: _wrong, Exception: _failed})
    return Guard(app, host=host, port=port, token=token)


def _text(text: str, kind: str) -> Response:
    return Response(text, media_type=kind)


def _wrong(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return reply({"error": error.detail}, error.status_code)


def _failed(_: Request, error: Exception) -> Response:
    """Answer where something is wrong with the server itself; what it is also goes to the terminal."""
    return reply({"error": f"the viewer failed: {type(error).__name__}: {error}"}, 500)
