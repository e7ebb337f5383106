"""A video on an object store, given to a browser part by part as it asks; nothing of it is kept here."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from longtake.places import Remote
from longtake.places.ranges import RangeFile
from longtake.viewer.asking import reply

CHUNK_BYTES = 1 << 18
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True, slots=True)
class _Part:
    """Which bytes are asked for: from the first on, before the last."""

    first: int
    last: int


class Far(Response):
    """An object, whole or the part that is asked for."""

    def __init__(self, path: Remote, kind: str, headers: Mapping[str, str]) -> None:
        self._path, self._kind, self._own = path, kind, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; what goes wrong at the store before a byte was sent is told."""
        asked = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"range"), "")
        try:
            answer = await run_in_threadpool(self._answer, asked)
        except OSError as error:
            answer = reply({"error": str(error)}, 502)
        await answer(scope, receive, send)

    def _answer(self, asked: str) -> Response:
        path = self._path.known()
        size = path.stat().st_size
        headers = {**self._own, "Accept-Ranges": "bytes"}
        found = _RANGE.fullmatch(asked)
        part, status = _Part(0, size), 200
        if found and (found[1] or found[2]):
            part, status = _part(found[1], found[2], size), 206
            if part.first >= part.last:
                return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
            headers["Content-Range"] = f"bytes {part.first}-{part.last - 1}/{size}"
        headers["Content-Length"] = str(part.last - part.first)
        file = path.open("rb")
        file.seek(part.first)
        begin = file.read(min(CHUNK_BYTES, part.last - part.first)) or b""
        return StreamingResponse(_chunks(begin, file, part.last), status, headers, self._kind)


def _part(first: str, last: str, size: int) -> _Part:
    if not first:
        return _Part(max(0, size - int(last)), size)
    return _Part(int(first), min(size, int(last) + 1) if last else size)


def _chunks(begin: bytes, file: RangeFile, end: int) -> Iterator[bytes]:
    yield begin
    while file.tell() < end:
        yield file.read(min(CHUNK_BYTES, end - file.tell())) or b""
