"""The command line: each command parses, calls the library function behind it, and prints."""

import os

from longtake.cli import getting, making, showing, using
from longtake.cli.group import main

# numpy's library starts a thread a core, each of which waits 30 ms for work, busily, before it sleeps: now at once.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")

__all__ = ["getting", "main", "making", "showing", "using"]
