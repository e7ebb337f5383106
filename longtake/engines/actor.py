"""A worker of a cluster: an object in a process of its own, which is called from afar. It knows no cluster itself."""

import os
import pickle
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence

from longtake import __version__
from longtake.engines.local import over_share, share_bytes
from longtake.engines.worker import ALONE, Share, attempt, find_task, watch_memory
from longtake.errors import UsageError
from longtake.places import place

SPENT = "spent"
"""What became of an item whose worker took more memory than its share: it has failed, and the worker is to be ended."""


class Actor:
    """One item at a time and, on another thread, word of how far it is."""

    def __init__(self, paths: Sequence[str], sharers: Callable[[], int]) -> None:
        """Take where to import from beside what is known here; `sharers` says how many share this machine's memory."""
        os.environ.update(ALONE)  # nothing that reads them is loaded yet
        sys.path += [path for path in paths if path not in sys.path]  # a user's own steps
        self.reached, self.heard_s = 0.0, time.monotonic()
        self.work: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        self.replies: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        most_bytes = share_bytes(sharers())
        spent = pickle.dumps((SPENT, ("too_large", over_share(most_bytes))))
        over = (Share(most_bytes), lambda: self.replies.put(spent))
        threading.Thread(target=watch_memory, args=over, daemon=True).start()
        threading.Thread(target=self._serve, daemon=True).start()

    def look(self, version: str, places: Sequence[tuple[str, int | None]]) -> str:
        """Return why this machine can't do the work, empty where it can: a place is a name, and a file's bytes."""
        if version != __version__:
            return f"has longtake {__version__}, and {version} is asked for"
        try:
            for name, size in places:
                if not place(name).exists():
                    return f"doesn't see {name}"
                if size is not None and place(name).stat().st_size != size:
                    return f"sees another {name}"
        except (OSError, UsageError) as error:
            return f"can't look at it: {error}"
        return ""

    def attempt(self, task: str, payload: bytes) -> bytes:
        """Run a task; both ways go pickled, so that what is taken out can be written to, as with any engine.

        It runs on a thread of its own, which is not waited for where memory runs out; always the same one, for each
        has its own store of memory, and a new one costs much of it anew.
        """
        self._note(0.0)
        self.work.put((task, payload))
        return self.replies.get()

    def progress(self) -> tuple[float, float]:
        """Return what the item has reached, and the seconds since it last said so."""
        return self.reached, time.monotonic() - self.heard_s

    def _serve(self) -> None:
        while True:
            task, payload = self.work.get()
            try:
                reply = pickle.dumps(attempt(find_task(task), pickle.loads(payload), self._note))  # noqa: S301  # ours
            except Exception as error:  # no such task, or a result that can't travel
                reply = pickle.dumps(("failed", ("error", f"{type(error).__name__}: {error}")))
            self.replies.put(reply)

    def _note(self, reached: float) -> None:
        self.reached, self.heard_s = reached, time.monotonic()
