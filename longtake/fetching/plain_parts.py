"""Parts of files over plain HTTP(S), where a host sends them and says which version of the file they are of."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx2

from longtake.fetching.http import Plain, is_file, validator_of
from longtake.fetching.plain_errors import broken, of_status
from longtake.fetching.ranges import Sent

_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class PlainParts:
    """A file at a host, of which parts are asked for."""

    def __init__(self, plain: Plain, url: str, headers: Mapping[str, str] | None = None) -> None:
        self.plain, self.url, self.headers = plain, url, headers
        self.is_file = True

    @contextmanager
    def ask(self, start: int, stop: int, version: str) -> Iterator[Sent | None]:
        """Give what a host sends of a file; None where that isn't what was asked for. Raises `FetchError`."""
        try:
            with self.plain.ask_range(self.url, start, stop, version, self.headers) as response:
                yield self._sent(response, start, stop)
        except httpx2.HTTPError as error:
            raise broken(error, self.url) from error

    def _sent(self, response: httpx2.Response, start: int, stop: int) -> Sent | None:
        headers = response.headers
        self.is_file = is_file(headers.get("content-type", ""), self.url)
        if response.status_code in (200, 416):
            return None
        if response.status_code != 206:
            raise of_status(response.status_code, self.url, response)
        said = _RANGE.fullmatch(headers.get("content-range", ""))
        coded = headers.get("content-encoding", "identity") != "identity"
        if said is None or coded or not self.is_file:
            return None
        size, stop = int(said[3]), min(stop, int(said[3]))
        length = headers.get("content-length", str(stop - start))
        if (int(said[1]), int(said[2]) + 1, length) != (start, stop, str(stop - start)):
            return None
        return Sent(size, validator_of(headers), response.iter_raw())
