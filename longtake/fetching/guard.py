"""A look at every address that yt-dlp asks, redirects too, before it is asked: strangers' pages name what they like.

yt-dlp follows redirects inside; here its way to the network is taken to pieces no further than that needs.
"""

import importlib
from collections.abc import Callable
from typing import Any

from longtake.errors import LongtakeError, UsageError
from longtake.fetching import addresses

Look = Callable[[str], None]
"""Raises a `LongtakeError` where an address may not be asked."""


def guard(client: Any, look: Look, tell: Callable[[LongtakeError], None]) -> None:
    """Let a client of yt-dlp ask no address that wasn't looked at, and no machine inside this one's network.

    It keeps one way to the network, the library `requests`, whose steps can be seen; `data:` needs no network. A name
    may lead elsewhere than a moment ago, when it was looked at: what it led to is looked at before anything is said.
    `tell` is told what was refused, for yt-dlp makes another error of it.
    """
    director = client._request_director
    if "Requests" not in director.handlers:
        raise UsageError("yt-dlp lacks the package requests; type: pip install 'longtake[download]'")
    for name in director.handlers.keys() - {"Requests", "Urllib"}:
        del director.handlers[name]
    director.handlers["Urllib"]._SUPPORTED_URL_SCHEMES = ("data",)
    ways = director.handlers["Requests"]
    make = ways._create_instance

    def made(**given: Any) -> Any:
        session = make(**given)
        for adapter in {id(adapter): adapter for adapter in session.adapters.values()}.values():
            adapter.send = _looked_at(adapter.send, look, tell)
            adapter.poolmanager.pool_classes_by_scheme = {scheme: _pools(scheme) for scheme in ("http", "https")}
        return session

    ways._create_instance = made


def _looked_at(send: Any, look: Look, tell: Callable[[LongtakeError], None]) -> Any:
    """Return what sends one request after a look at its address; redirects come by as requests of their own."""

    def send_on(request: Any, **given: Any) -> Any:
        try:
            look(request.url)
            return send(request, **given)
        except LongtakeError as error:
            tell(error)
            raise

    return send_on


def _pools(scheme: str) -> Any:
    """Return what makes connections of a scheme that look at whom they have got, before anything is said on them."""
    urllib3 = importlib.import_module("urllib3")
    pool_class = {"http": urllib3.HTTPConnectionPool, "https": urllib3.HTTPSConnectionPool}[scheme]

    def connection(*args: Any, **given: Any) -> Any:
        found = pool_class.ConnectionCls(*args, **given)
        dial = found._new_conn

        def dialled() -> Any:
            line = dial()
            try:
                addresses.check_ip(str(line.getpeername()[0]), f"{scheme}://{found.host}:{found.port}")
            except BaseException:  # whatever it is goes on; the line is closed before
                line.close()
                raise
            return line

        found._new_conn = dialled
        return found

    def pool(*args: Any, **given: Any) -> Any:
        found = pool_class(*args, **given)
        found.ConnectionCls = connection
        return found

    return pool
