"""The command line: each command parses, calls the library function behind it, and prints."""

import os
import signal
import sys

_ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
try:
    if _ours:  # Ctrl-C while modules load just ends the process, for nothing was begun; later a command answers it
        signal.signal(signal.SIGINT, signal.SIG_DFL)
except ValueError:  # another thread than the main one loads this
    _ours = False

# What takes long to load comes after Ctrl-C is seen to.
from longtake.cli import getting, making, showing, using  # noqa: E402  # see above
from longtake.cli.group import main  # noqa: E402  # see above

if _ours:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# numpy's library starts a thread a core, each of which waits 30 ms for work, busily, before it sleeps: now at once.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")

for _stream in (sys.stdout, sys.stderr):
    if hasattr(_stream, "reconfigure"):  # a file's name may have letters that the terminal's encoding hasn't
        _stream.reconfigure(errors="backslashreplace")

__all__ = ["getting", "main", "making", "showing", "using"]
