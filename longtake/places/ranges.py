"""An object read like a file: in few large requests where reading goes on, in small ones where it jumps."""

import io
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from longtake.places import stores
from longtake.places.stores import ChangedError, Facts, UnreachableError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

FIRST_BYTES = 1 << 18
"""What a jump asks for; where reading goes on from there, each request is twice the one before, up to the most, and
the next one is on its way in the last quarter of one."""
MOST_BYTES = 1 << 21
WHOLE = 4
"""An object of no more than so many first requests is fetched in one."""
WINDOWS = 4
"""Stretches held at once: index, sound and picture may lie apart, and are read in turns."""
TRY_S = 55.0
"""So long after a read began it isn't tried again: the library has tried, too, and a worker mustn't seem dead."""
CHUNK_BYTES = 1 << 16
"""Of what comes by itself, so many bytes are handed on together, and lost at most where it breaks off."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Bytes of an object that are on their way."""

    facts: Facts
    """Of the object that they are of."""
    chunks: Iterator[bytes]
    """Raises as `stores.told` tells."""


def ask(store: Any, key: str, address: str, start: int, stop: int) -> Sent:
    """Ask for some bytes of an object; less comes where it ends before.

    What breaks off is the caller's to ask for again. Raises as `stores.told` tells.
    """
    try:
        with stores.asking(address) as library:
            got = library.get(store, key, options={"range": (start, stop)})
    except UnreachableError as error:
        if "status code: 416" not in str(error):
            raise
        if start:
            raise ChangedError(f"{address}: the object is shorter than it was") from error
        return Sent(stores.facts_of(0, None, None), iter(()))
    facts = stores.facts_of(got.meta["size"], got.meta["last_modified"], got.meta["e_tag"])
    if got.range != (start, min(stop, facts.st_size)):
        raise UnreachableError(f"{address}: asked for bytes {start} to {stop}, other ones came")
    return Sent(facts, _handed_on(got, address))


def _handed_on(got: Any, address: str) -> Iterator[bytes]:
    with stores.asking(address):
        for chunk in got.stream(min_chunk_size=CHUNK_BYTES):
            yield bytes(chunk)


@dataclass(slots=True)
class _Window:
    """A stretch of the object, at hand."""

    start: int
    data: memoryview
    asked: int
    """Bytes of the request it came by, had the object gone on."""
    goes_on: bool
    """Whether it was read up to: then it is likely to be read on."""
    ahead: "Future[Any] | None" = None
    """What follows, on its way."""

    @property
    def end(self) -> int:
        return self.start + len(self.data)


@cache
def _fetchers() -> ThreadPoolExecutor:
    """Return the threads of this process that fetch ahead."""
    return ThreadPoolExecutor(4, "fetch")


class RangeFile(io.RawIOBase):
    """A seekable file of bytes over range requests; all bytes are of the object that it was opened with.

    Raises `OSError`s as `stores.told` makes them.
    """

    def __init__(self, store: Any, key: str, address: str, facts: Facts, first: int = FIRST_BYTES) -> None:
        super().__init__()
        self.store, self.key, self.address, self.facts, self.first = store, key, address, facts, first
        self.position = 0
        self.windows: list[_Window] = []
        """Last used last."""

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self.position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position, which costs nothing: the next read asks."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.facts.st_size}[whence]
        if base + offset < 0:
            raise ValueError(f"seek to {base + offset}, before the start")
        self.position = base + offset
        return self.position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill a buffer; less only at the end of the object."""
        target = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(target) and self.position < self.facts.st_size:
            window = self._window(len(target) - filled)
            at = self.position - window.start
            part = window.data[at : at + len(target) - filled]
            target[filled : filled + len(part)] = part
            filled += len(part)
            self.position += len(part)
            if window.goes_on and self.position > window.end - len(window.data) // 4:
                self._look_ahead(window)
        return filled

    def _window(self, wanted: int) -> _Window:
        """Return a stretch that holds the present position."""
        here = next((w for w in self.windows if w.start <= self.position < w.end), None)
        if here is None:
            here = self._ask(wanted)
        else:
            self.windows.remove(here)
        self.windows = [*self.windows[1 - WINDOWS :], here]
        return here

    def _ask(self, wanted: int) -> _Window:
        """Fetch what begins at the present position, or all of a small object."""
        size = self.facts.st_size
        if size <= WHOLE * self.first:
            return _Window(0, memoryview(self._fetch(0, size)), size, goes_on=False)
        before = next((w for w in self.windows if w.end == self.position), None)
        asked = min(2 * before.asked, MOST_BYTES) if before else max(self.first, min(wanted, MOST_BYTES))
        if before is not None and before.ahead is not None:
            data = before.ahead.result()
            before.ahead = None  # held once
        else:
            data = self._fetch(self.position, min(self.position + asked, size))
        return _Window(self.position, memoryview(data), asked, goes_on=before is not None)

    def _look_ahead(self, window: _Window) -> None:
        """Have what follows fetched while this is being read."""
        start, size = window.end, self.facts.st_size
        if window.ahead is None and start < size and not any(w.start == start for w in self.windows):
            end = min(start + min(2 * window.asked, MOST_BYTES), size)
            window.ahead = _fetchers().submit(self._fetch, start, end)

    def _fetch(self, start: int, end: int) -> Any:
        """Ask for some bytes; what breaks off on the way, which the library can't see to, is asked for again."""
        begun, wait_s = time.monotonic(), 0.2
        options: dict[str, Any] = {"range": (start, end)}
        if self.facts.etag:
            options["if_match"] = self.facts.etag
        while True:
            try:
                got = stores.obstore_module().get(self.store, self.key, options=options)
                other = self.facts.etag and got.meta["e_tag"] != self.facts.etag
                if other or got.meta["size"] != self.facts.st_size:
                    raise ChangedError(f"{self.address}: the object was changed meanwhile")
                data = got.bytes()
                if got.range == (start, end) and len(data) == end - start:
                    return data
                problem = UnreachableError(f"{self.address}: asked for bytes {start} to {end}, other ones came")
            except ChangedError:
                raise
            except Exception as error:  # the library has errors of its own; each is raised in our words, or asked again
                told = stores.told(error, self.address)
                if not isinstance(told, UnreachableError):
                    raise told from error
                problem = told
            if time.monotonic() - begun + wait_s > TRY_S:
                raise problem
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, 10.0)
