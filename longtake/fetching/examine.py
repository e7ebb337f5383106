"""The reading of files that came, in a process of its own: one made to crash or hang decoders takes that one alone.

Parts of videos are cut there, too.
"""

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, LifoQueue
from types import TracebackType
from typing import Any

from longtake.engines import Item, Outcome
from longtake.engines.local import run_items
from longtake.fetching.states import FetchError
from longtake.video import declared_duration_s, probe
from longtake.video.holes import Missing, Range
from longtake.video.pieces import Piece, Unfit, cut_pieces
from longtake.video.stretches import Span

LONGEST_S = 120.0
"""How long a small file may be read. A real one takes a fraction of a second."""
SLOWEST_BYTES_S = 4_000_000
"""What is added to that for large ones: some containers tell their times only to who reads all of them, or decodes."""
AT_ONCE = 2
"""Files that are read at once: most take a moment, against minutes on their way."""
LOOK_S = 0.25
"""How often those who wait look whether to go on."""
TASK = "longtake.fetching.examine:read"


@dataclass(frozen=True, slots=True)
class Read:
    """What reading a file found."""

    duration_s: float
    declared_s: float
    """What its header claims; 0 where it claims nothing."""
    bytes: int


def read(payload: Mapping[str, Any], progress: Callable[[float], None]) -> Read | list[Piece] | Missing | Unfit:
    """Read a file, or cut parts out of it, in the process for that. Raises `VideoError`."""
    path = Path(payload["path"])
    if "spans" in payload:
        have, size, spans, folder = (payload[name] for name in ("have", "size", "spans", "folder"))
        return cut_pieces(path, have, size, spans, Path(folder), gaps=payload["gaps"], alive=lambda: progress(0.0))
    video = probe(path)
    return Read(video.duration_s, declared_duration_s(path) or 0.0, video.bytes)


class Examiners:
    """Processes that read files, for all threads of a call; each begins with its first file."""

    def __init__(self, most: int = AT_ONCE) -> None:
        self._idle: LifoQueue[_Examiner] = LifoQueue()
        for _ in range(most):
            self._idle.put(_Examiner())

    def __enter__(self) -> "Examiners":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        while not self._idle.empty():
            self._idle.get_nowait().close()

    def examine(self, path: Path, look: Callable[[], None] = lambda: None) -> Read:
        """Read a file; `look` is called several times a second, and what it raises ends it.

        Raises `FetchError` of state `bad_file` for one that is no video, or can't be read to its end.
        """
        found: Read = self._ask({"path": str(path)}, path, look)
        return found

    def cut(
        self,
        path: Path,
        have: Sequence[Range],
        size: int,
        spans: Sequence[Span],
        folder: Path,
        look: Callable[[], None] = lambda: None,
        *,
        gaps: bool = False,
    ) -> list[Piece] | Missing | Unfit:
        """Cut spans out of a file of which only parts may be here; see `cut_pieces`. Raises as `examine`."""
        payload = {"have": list(have), "size": size, "spans": list(spans), "folder": str(folder), "gaps": gaps}
        found: list[Piece] | Missing | Unfit = self._ask({"path": str(path), **payload}, path, look)
        return found

    def _ask(self, payload: Mapping[str, Any], path: Path, look: Callable[[], None]) -> Any:
        while True:
            look()
            try:
                examiner = self._idle.get(timeout=LOOK_S)
                break
            except Empty:
                continue  # all are busy: to look whether to go on waiting
        try:
            return examiner.ask(payload, path, look)
        finally:
            self._idle.put(examiner)


class _Examiner:
    """One process that reads files. It begins with the first file, and anew after one it died of."""

    def __init__(self) -> None:
        self._outcomes: Generator[Outcome, None, None] | None = None
        self._item: Item | None = None
        self._due = 0.0
        self._look: Callable[[], None] = lambda: None

    def close(self) -> None:
        """End the process."""
        if self._outcomes:
            self._outcomes.close()
        self._outcomes = None

    def ask(self, payload: Mapping[str, Any], path: Path, look: Callable[[], None]) -> Any:
        """Have a file read. Raises `FetchError`, and what `look` raises."""
        self._item, self._look = Item(str(path), payload), look
        self._due = time.monotonic() + LONGEST_S + path.stat().st_size / SLOWEST_BYTES_S
        self._outcomes = self._outcomes or run_items(TASK, self._items(), workers=1, on_progress=self._tick)
        try:
            outcome = next(self._outcomes)
        except BaseException:  # whatever it is goes on; the process is gone with it
            self._outcomes = None
            raise
        if outcome.failure:
            kind, message = outcome.failure
            message = message.removeprefix(f"{path}: ")
            raise FetchError("other" if kind == "error" else "bad_file", f"{kind}: {message}")
        return outcome.result

    def _items(self) -> Iterator[Item]:
        """Yield each file as it is asked about: the engine asks for the next one when its outcome is waited for."""
        while self._item:
            item, self._item = self._item, None
            yield item

    def _tick(self, _: Mapping[str, float]) -> None:
        self._look()
        if time.monotonic() > self._due:
            raise FetchError("bad_file", "timeout: reading it comes to no end")
